// SPDX-License-Identifier: EUPL-1.2
//! Anti-forgery by Fetch metadata (RG-149): `Sec-Fetch-Site`, else `Origin` against `Host`.
//!
//! tower-http's layer lets pass a request that has neither and answers in its own words; the rule
//! wants our French 403 in both cases.
use super::Error;
use axum::{
    extract::Request,
    http::{HeaderMap, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

pub async fn layer(request: Request, next: Next) -> Response {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if safe || comes_from_us(request.headers()) {
        next.run(request).await
    } else {
        Error::Forged.into_response()
    }
}

fn comes_from_us(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin";
    }
    let host = text(header::HOST.as_str());
    match (text(header::ORIGIN.as_str()), host) {
        (Some(origin), Some(host)) => {
            origin.split_once("://").is_some_and(|(_, authority)| authority == host)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::comes_from_us;
    use axum::http::{HeaderMap, HeaderName, HeaderValue};

    #[test]
    fn rg_149_proof_of_origin() {
        let headers = |pairs: &[(&'static str, &'static str)]| {
            pairs
                .iter()
                .map(|(k, v)| (HeaderName::from_static(k), HeaderValue::from_static(v)))
                .collect::<HeaderMap>()
        };
        for (pairs, ok) in [
            (&[("sec-fetch-site", "same-origin")][..], true),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("origin", "http://ops.test"), ("host", "ops.test")], true),
            (&[("origin", "http://evil.test"), ("host", "ops.test")], false),
            (&[("origin", "null"), ("host", "ops.test")], false),
            (&[("host", "ops.test")], false),
            (&[], false),
        ] {
            assert_eq!(comes_from_us(&headers(pairs)), ok, "{pairs:?}");
        }
    }
}
