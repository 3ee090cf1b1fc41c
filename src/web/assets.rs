// SPDX-License-Identifier: EUPL-1.2
//! Static files, inside the binary, served under a folder named by a digest of them all:
//! relative imports hold, and the answer is cached for a year.
use axum::{
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};
use std::{borrow::Cow, sync::LazyLock};

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Assets;

static FILES: LazyLock<Bundle> = LazyLock::new(Bundle::new);

struct Bundle {
    digest: String,
    stylesheet: Vec<u8>,
}

impl Bundle {
    fn new() -> Self {
        let mut names: Vec<_> = Assets::iter().collect();
        names.sort();
        let mut hash = Sha256::new();
        for name in &names {
            if let Some(file) = Assets::get(name) {
                hash.update(name.as_bytes());
                hash.update(&file.data);
            }
        }
        let digest = hash.finalize().iter().take(6).map(|b| format!("{b:02x}")).collect();
        Self { digest, stylesheet: stylesheet(&names) }
    }
}

/// One response for all components: `global.css` declares the layers, so it comes first.
fn stylesheet(names: &[Cow<'static, str>]) -> Vec<u8> {
    let first = "css/global.css";
    let others = names.iter().map(AsRef::as_ref).filter(|n| n.starts_with("css/") && *n != first);
    let mut all = Vec::new();
    for name in std::iter::once(first).chain(others) {
        if let Some(file) = Assets::get(name) {
            all.extend_from_slice(&file.data);
            all.push(b'\n');
        }
    }
    all
}

/// The address of an asset: `url("js/application.js")`.
pub fn url(name: &str) -> String {
    format!("/statique/{}/{name}", FILES.digest)
}

pub async fn serve(Path((_digest, name)): Path<(String, String)>) -> Response {
    let data: Cow<'static, [u8]> = if name == "application.css" {
        if cfg!(debug_assertions) {
            Cow::Owned(Bundle::new().stylesheet)
        } else {
            Cow::Borrowed(&FILES.stylesheet)
        }
    } else {
        match Assets::get(&name) {
            Some(file) => file.data,
            None => return StatusCode::NOT_FOUND.into_response(),
        }
    };
    let kind = match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    };
    (
        [
            (header::CONTENT_TYPE, kind),
            (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        ],
        data.into_owned(),
    )
        .into_response()
}
