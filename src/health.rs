// SPDX-License-Identifier: EUPL-1.2
//! `/readyz`: base reachable, worker alive, file store writable (05 §12); 503 names what fails.
use crate::{app::App, clock};
use axum::{extract::State, http::StatusCode};

pub async fn ready(State(app): State<App>) -> (StatusCode, String) {
    match first_failure(&app).await {
        None => (StatusCode::OK, "ready\n".into()),
        Some(what) => (StatusCode::SERVICE_UNAVAILABLE, format!("{what}\n")),
    }
}

async fn first_failure(app: &App) -> Option<&'static str> {
    let Ok(seen) = sqlx::query_scalar!("select max(seen_at) from workers").fetch_one(&app.db).await
    else {
        return Some("database");
    };
    if seen.is_none_or(|at| clock::now() - at > chrono::Duration::seconds(60)) {
        return Some("worker");
    }
    let probe = app.config.files_dir().join(".probe");
    if tokio::fs::write(&probe, b"").await.is_err() {
        return Some("files");
    }
    None
}
