// SPDX-License-Identifier: EUPL-1.2
//! Typed pages, redirections with a sentence for the next page.
use super::cookies;
use askama::Template;
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};

/// A typed page. Rendering errors become a 500 like any other.
pub struct Page<T>(pub T);

impl<T: Template> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        match self.0.render() {
            Ok(html) => Html(html).into_response(),
            Err(err) => super::Error::Internal(err.into()).into_response(),
        }
    }
}

/// The same page again, with its errors and what was typed: 422.
pub struct Again<T>(pub T);

impl<T: Template> IntoResponse for Again<T> {
    fn into_response(self) -> Response {
        (StatusCode::UNPROCESSABLE_ENTITY, Page(self.0)).into_response()
    }
}

/// The same page again, with what somebody else wrote meanwhile (RG-180): 409.
pub struct Conflict<T>(pub T);

impl<T: Template> IntoResponse for Conflict<T> {
    fn into_response(self) -> Response {
        (StatusCode::CONFLICT, Page(self.0)).into_response()
    }
}

/// 303 to a page of ours, which may say a sentence on arrival.
pub struct Redirect {
    to: String,
    cookies: Vec<String>,
}

impl Redirect {
    pub fn to(to: impl Into<String>) -> Self {
        Self { to: to.into(), cookies: Vec::new() }
    }

    /// Back to `to` when it is an address of ours, else to `fallback` (no open redirection).
    pub fn back(to: Option<&str>, fallback: &str) -> Self {
        Self::to(local(to).unwrap_or(fallback))
    }

    pub fn target(&self) -> &str {
        &self.to
    }

    pub fn flash(self, text: impl AsRef<str>) -> Self {
        self.cookie(cookies::flash(text.as_ref()))
    }

    pub fn cookie(mut self, cookie: String) -> Self {
        self.cookies.push(cookie);
        self
    }
}

/// `to` when it is a path on this host.
pub fn local(to: Option<&str>) -> Option<&str> {
    to.filter(|to| to.starts_with('/') && !to.starts_with("//") && !to.contains(['\\', '\r', '\n']))
}

impl IntoResponse for Redirect {
    fn into_response(self) -> Response {
        let location = HeaderValue::from_str(&self.to).unwrap_or(HeaderValue::from_static("/"));
        let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response();
        for cookie in self.cookies {
            if let Ok(value) = HeaderValue::from_str(&cookie) {
                response.headers_mut().append(header::SET_COOKIE, value);
            }
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::local;

    #[test]
    fn only_paths_of_ours_are_followed() {
        assert_eq!(local(Some("/campagnes?x=1")), Some("/campagnes?x=1"));
        for bad in [
            "//evil.example",
            "https://evil.example",
            "/\\evil.example",
            "campagnes",
            "/a\r\nSet-Cookie: x",
        ] {
            assert_eq!(local(Some(bad)), None, "{bad}");
        }
    }
}
