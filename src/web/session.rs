// SPDX-License-Identifier: EUPL-1.2
//! The layer in front of every page: it finds who is asking and puts a [`Visitor`] in the request.
//!
//! A session is a random token whose hash is in the base (RG-007). It dies at the next request
//! when the person's security stamp has changed, the account is off, or after 8 hours without use;
//! « Rester connecté » then opens a new one from a single-use token.
use super::{auth::Visitor, cookies};
use crate::{accounts::sessions, app::App};
use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderValue, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex},
};

/// Lets the error page, which is outside, know whom the session layer found.
#[derive(Clone, Default)]
pub struct Seen(Arc<Mutex<Option<Visitor>>>);

impl Seen {
    fn put(&self, visitor: Visitor) {
        if let Ok(mut slot) = self.0.lock() {
            *slot = Some(visitor);
        }
    }

    pub fn take(&self) -> Option<Visitor> {
        self.0.lock().ok()?.take()
    }
}

pub async fn layer(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let now = crate::clock::now();
    let full_ip = client_ip(&app, &request);
    let mut visitor = Visitor {
        user: None,
        pins: Vec::new(),
        session: None,
        session_ends: None,
        now,
        ip: truncate(&full_ip),
        full_ip,
        request: reference(),
        path: request.uri().path().to_owned(),
        flash: cookies::read(request.headers(), "flash"),
        fragment: request.headers().contains_key("x-fragment"),
        refresh: request.headers().contains_key("x-refresh"),
        user_agent: header_text(request.headers(), header::USER_AGENT),
    };
    let presented = sessions::Presented {
        session: cookies::read(request.headers(), &cookies::name(&app, "session")),
        remember: cookies::read(request.headers(), &cookies::name(&app, "rester")),
    };
    let found = match sessions::resume(&app, &presented, &visitor).await {
        Ok(found) => found,
        Err(err) => {
            request.extensions().get::<Seen>().inspect(|seen| seen.put(visitor));
            return err.into_response();
        }
    };
    let expired = presented.session.is_some() && found.user.is_none();
    visitor.user = found.user;
    visitor.session = found.session;
    if let Some(user) =
        visitor.user.as_ref().filter(|_| !visitor.fragment && visitor.path != "/flux")
    {
        visitor.pins = pinned(&app, user).await;
    }
    visitor.session_ends = found.ends;
    if let Some(seen) = request.extensions().get::<Seen>() {
        seen.put(visitor.clone());
    }
    let had_flash = visitor.flash.is_some() && !visitor.fragment;
    request.extensions_mut().insert(visitor);
    let mut response = next.run(request).await;
    for cookie in found.cookies {
        append(&mut response, &cookie);
    }
    if expired && leads_to_sign_in(&response) {
        append(&mut response, &cookies::flash("Votre session a expiré. Reconnectez-vous."));
    }
    let shows_page = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|t| t.as_bytes().starts_with(b"text/html"));
    if had_flash && shows_page {
        append(&mut response, &cookies::forget("flash"));
    }
    response
}

/// Without them the page is still right.
async fn pinned(app: &App, user: &crate::accounts::User) -> Vec<crate::campaigns::Pin> {
    let pins = async { crate::campaigns::pins(&mut *app.db.acquire().await?, user).await };
    pins.await.unwrap_or_else(|err: sqlx::Error| {
        tracing::warn!(%err, "pinned campaigns not read");
        Vec::new()
    })
}

/// Whether the answer sends to the sign-in page without a word of its own.
fn leads_to_sign_in(response: &Response) -> bool {
    let headers = response.headers();
    let to_sign_in =
        headers.get(header::LOCATION).is_some_and(|to| to.as_bytes().starts_with(b"/connexion"));
    to_sign_in
        && !headers.get_all(header::SET_COOKIE).iter().any(|c| c.as_bytes().starts_with(b"flash="))
}

fn append(response: &mut Response, cookie: &str) {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

fn header_text(headers: &HeaderMap, name: header::HeaderName) -> String {
    headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().chars().take(200).collect()
}

/// The peer's address, or the last one added by a proxy declared as trusted.
fn client_ip(app: &App, request: &Request) -> String {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|c| c.0.ip());
    if app.config.behind_proxy
        && let Some(forwarded) =
            request.headers().get("x-forwarded-for").and_then(|v| v.to_str().ok())
        && let Some(last) =
            forwarded.rsplit(',').next().map(str::trim).and_then(|ip| ip.parse::<IpAddr>().ok())
    {
        return last.to_string();
    }
    peer.map(|ip| ip.to_canonical().to_string()).unwrap_or_default()
}

/// /24 for IPv4, /48 for IPv6.
fn truncate(ip: &str) -> String {
    match ip.parse::<IpAddr>() {
        Ok(IpAddr::V4(v4)) => {
            let [a, b, c, _] = v4.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        Ok(IpAddr::V6(v6)) => {
            let [a, b, c, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}::/48")
        }
        Err(_) => String::new(),
    }
}

fn reference() -> String {
    let bytes = uuid::Uuid::new_v4().into_bytes();
    format!("{:02X}{:02X}{:02X}{:02X}", bytes[0], bytes[1], bytes[2], bytes[3])
}
