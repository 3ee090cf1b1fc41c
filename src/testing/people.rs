// SPDX-License-Identifier: EUPL-1.2
//! Somebody with a browser: real sessions, the real router called in process.
use crate::{
    accounts::{Role, Roles, User, sessions},
    app::{App, router},
    db::Id,
    text::norm,
    web::auth::Visitor,
};
use axum::body::{Body, Bytes};
use futures::{Stream, StreamExt, stream};
use http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use tower::ServiceExt;

#[derive(Clone)]
pub struct Person {
    pub user: Option<User>,
    session: Option<String>,
    /// Built once: a test makes many requests.
    router: axum::Router,
}

impl Person {
    pub async fn create(app: &App, first: &str, last: &str, roles: &[Role]) -> Self {
        let id = Id::<User>::new();
        let email =
            format!("{}.{}@ops.test", norm(first).replace(' ', "-"), norm(last).replace(' ', "-"));
        let roles: Roles = roles.iter().copied().collect();
        let stamp = uuid::Uuid::new_v4();
        sqlx::query("insert into users (id, email, first_name, last_name, name_norm, roles, security_stamp) values ($1, $2, $3, $4, $5, $6, $7)")
            .bind(id)
            .bind(&email)
            .bind(first)
            .bind(last)
            .bind(norm(&format!("{last} {first}")))
            .bind(roles.codes())
            .bind(stamp)
            .execute(&app.db)
            .await
            .unwrap();
        let request = Request::get("/").body(()).unwrap();
        let visitor = Visitor::of(&request.into_parts().0);
        let mut conn = app.db.acquire().await.unwrap();
        let session = sessions::open(&mut conn, id, stamp, None, &visitor).await.unwrap();
        let user = crate::accounts::find(&mut conn, id).await.unwrap();
        Self { user, session: Some(session), router: router(app.clone()) }
    }

    pub fn stranger(app: &App) -> Self {
        Self { user: None, session: None, router: router(app.clone()) }
    }

    pub fn id(&self) -> Id<User> {
        self.user.as_ref().unwrap().id
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, "", "application/x-www-form-urlencoded").await
    }

    /// With these headers.
    pub async fn get_with(&self, path: &str, headers: &[(&'static str, &str)]) -> Reply {
        let mut request = self.request(Method::GET, path, Body::empty(), "");
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        Reply::read(self.router.clone().oneshot(request).await.unwrap()).await
    }

    /// What an open page asks for by itself.
    pub async fn refresh(&self, path: &str) -> Reply {
        let mut request = Request::get(path)
            .header("host", "ops.test")
            .header("sec-fetch-site", "same-origin")
            .header("x-refresh", "1");
        if let Some(session) = &self.session {
            request = request.header(header::COOKIE, format!("opstracker-session={session}"));
        }
        Reply::read(
            self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap(),
        )
        .await
    }

    pub async fn post(&self, path: &str) -> Reply {
        self.submit(path, &[]).await
    }

    /// Submits a form of these pairs.
    pub async fn submit(&self, path: &str, pairs: &[(&str, &str)]) -> Reply {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        self.send(Method::POST, path, body, "application/x-www-form-urlencoded").await
    }

    /// Uploads a file in the field `fichier`.
    pub async fn upload(&self, path: &str, name: &str, content: &[u8]) -> Reply {
        let mut body = format!(
            "--limite\r\nContent-Disposition: form-data; name=\"fichier\"; filename=\"{name}\"\r\nContent-Type: application/octet-stream\r\n\r\n"
        )
        .into_bytes();
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n--limite--\r\n");
        self.send(Method::POST, path, body, "multipart/form-data; boundary=limite").await
    }

    /// Uploads texts, then a file that arrives as it is sent.
    pub async fn upload_stream(
        &self,
        path: &str,
        texts: &[(&str, &str)],
        name: &str,
        content: impl Stream<Item = Bytes> + Send + 'static,
    ) -> Reply {
        let mut head = String::new();
        for (name, text) in texts {
            head += &format!(
                "--limite\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n"
            );
        }
        head += &format!(
            "--limite\r\nContent-Disposition: form-data; name=\"fichier\"; filename=\"{name}\"\r\nContent-Type: application/octet-stream\r\n\r\n"
        );
        let ends = |text| stream::once(async { Bytes::from(text) });
        let body = ends(head).chain(content).chain(ends("\r\n--limite--\r\n".to_owned()));
        let body = Body::from_stream(body.map(Ok::<_, std::convert::Infallible>));
        self.send(Method::POST, path, body, "multipart/form-data; boundary=limite").await
    }

    /// The status alone, for answers that do not end: live streams.
    pub async fn status(&self, path: &str) -> StatusCode {
        self.router
            .clone()
            .oneshot(self.request(Method::GET, path, Body::empty(), ""))
            .await
            .unwrap()
            .status()
    }

    async fn send(&self, method: Method, path: &str, body: impl Into<Body>, kind: &str) -> Reply {
        Reply::read(
            self.router
                .clone()
                .oneshot(self.request(method, path, body.into(), kind))
                .await
                .unwrap(),
        )
        .await
    }

    fn request(&self, method: Method, path: &str, body: Body, kind: &str) -> Request<Body> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "ops.test")
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, kind);
        if let Some(session) = &self.session {
            request = request.header(header::COOKIE, format!("opstracker-session={session}"));
        }
        request.body(body).unwrap()
    }
}

pub struct Reply {
    pub status: StatusCode,
    pub location: Option<String>,
    pub headers: http::HeaderMap,
    pub body: String,
    pub bytes: Bytes,
}

impl Reply {
    pub async fn read(response: axum::response::Response) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Self {
            status: parts.status,
            location: parts.headers.get(header::LOCATION).map(|l| l.to_str().unwrap().to_owned()),
            headers: parts.headers,
            body: String::from_utf8_lossy(&bytes).into_owned(),
            bytes,
        }
    }

    /// The sentence left for the next page, as [`plain`] text.
    pub fn flash(&self) -> Option<String> {
        self.headers.get_all(header::SET_COOKIE).iter().find_map(|v| {
            let value = v.to_str().ok()?.strip_prefix("flash=")?.split(';').next()?;
            form_urlencoded::parse(format!("v={value}").as_bytes()).next().map(|(_, v)| plain(&v))
        })
    }

    #[track_caller]
    pub fn redirects_to(&self, path: &str) -> &Self {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.text());
        assert_eq!(self.location.as_deref(), Some(path));
        self
    }

    /// Spaces and apostrophes do not matter in comparisons (RG-086), nor tags between words.
    #[track_caller]
    pub fn shows(&self, text: &str) -> &Self {
        assert!(self.text().contains(&plain(text)), "«{text}» not in {}", self.text());
        self
    }

    #[track_caller]
    pub fn hides(&self, text: &str) -> &Self {
        assert!(!self.text().contains(&plain(text)), "«{text}» in {}", self.text());
        self
    }

    #[track_caller]
    pub fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self
    }

    /// The page's words: tags removed, entities and spaces normalised.
    pub fn text(&self) -> String {
        let mut out = String::with_capacity(self.body.len());
        let mut inside = false;
        for c in self.body.chars() {
            match c {
                '<' => {
                    inside = true;
                    out.push(' ');
                }
                '>' => inside = false,
                c if !inside => out.push(c),
                _ => {}
            }
        }
        plain(
            &out.replace("&#39;", "'")
                .replace("&quot;", "\"")
                .replace("&#34;", "\"")
                .replace("&#60;", "<")
                .replace("&#62;", ">")
                .replace("&#38;", "&")
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&amp;", "&"),
        )
    }
}

/// Comparisons ignore the kind of spaces and apostrophes (RG-086).
pub fn plain(text: &str) -> String {
    text.replace(['\u{a0}', '\u{202f}'], " ")
        .replace('’', "'")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}
