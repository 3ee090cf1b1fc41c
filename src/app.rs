// SPDX-License-Identifier: EUPL-1.2
//! What the application is made of, and the one router.
use crate::{
    accounts, audit, campaigns, checklists,
    config::Config,
    configuration, dashboard, documents, help, imports,
    live::{self, Hub},
    mail, onsite, operation_types, operations, prerequisites, segments, settings, sharing,
    web::{self, Access, Routes},
    workflows,
};
use axum::{Router, extract::DefaultBodyLimit, middleware};
use http::{Extensions, HeaderMap, StatusCode, Version, header};
use sqlx::PgPool;
use std::sync::{Arc, RwLock};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use tower_http::{
    CompressionLevel,
    catch_panic::CatchPanicLayer,
    compression::{
        CompressionLayer,
        predicate::{NotForContentType, Predicate, SizeAbove},
    },
};
use uuid::Uuid;

#[derive(Clone)]
pub struct App {
    pub config: Arc<Config>,
    pub db: PgPool,
    /// The worker keeps a job's row locked here while the job works on `db`.
    pub jobs_db: PgPool,
    pub live: Hub,
    /// Wakes the job loops of this process.
    pub work: Arc<Notify>,
    /// Cancelled when the program stops: streams and loops end.
    pub stopping: CancellationToken,
    pub mailer: mail::Mailer,
    /// Bounds the memory of password hashing (S-09).
    pub hashing: Arc<tokio::sync::Semaphore>,
    pub process: Uuid,
    /// Signs the checkpoints of the audit.
    pub audit_key: Arc<audit::SigningKey>,
    settings: Arc<RwLock<Arc<settings::Settings>>>,
}

impl App {
    /// # Errors
    /// The base is unreachable, or the mail settings are wrong.
    pub async fn new(
        config: Config,
        db: PgPool,
        jobs_db: PgPool,
    ) -> anyhow::Result<(Self, mpsc::UnboundedReceiver<live::Notice>)> {
        let (live, notices) = Hub::new();
        let mailer = mail::Mailer::new(&config)?;
        let audit_key = Arc::new(audit::SigningKey::open(&config.data_dir)?);
        let app = Self {
            config: Arc::new(config),
            db,
            jobs_db,
            live,
            work: Arc::default(),
            stopping: CancellationToken::new(),
            mailer,
            hashing: Arc::new(tokio::sync::Semaphore::new(2)),
            process: Uuid::now_v7(),
            audit_key,
            settings: Arc::default(),
        };
        app.reload_settings().await?;
        Ok((app, notices))
    }

    /// The instance's settings; at most half a minute old in other processes.
    pub fn settings(&self) -> Arc<settings::Settings> {
        self.settings.read().map(|s| s.clone()).unwrap_or_default()
    }

    pub async fn reload_settings(&self) -> sqlx::Result<()> {
        let fresh = Arc::new(settings::load(&self.db).await?);
        if let Ok(mut slot) = self.settings.write() {
            *slot = fresh;
        }
        Ok(())
    }
}

/// Every route of the program, with what each declares.
pub fn routes() -> Routes {
    Routes::default()
        .merge(accounts::routes())
        .merge(audit::routes())
        .merge(campaigns::routes())
        .merge(operation_types::routes())
        .merge(workflows::routes())
        .merge(checklists::routes())
        .merge(configuration::routes())
        .merge(operations::routes())
        .merge(segments::routes())
        .merge(prerequisites::routes())
        .merge(documents::routes())
        .merge(imports::routes())
        .merge(onsite::routes())
        .merge(dashboard::routes())
        .merge(sharing::routes())
        .merge(settings::routes())
        .merge(help::routes())
        .merge(mail::routes())
        .merge(live::routes())
        .get("/healthz", Access::Public, || async { "ok\n" })
        .get("/readyz", Access::Public, crate::health::ready)
        .get("/statique/{digest}/{*name}", Access::Public, web::assets::serve)
}

pub fn router(app: App) -> Router {
    let compressed = SizeAbove::new(860)
        .and(NotForContentType::GRPC)
        .and(NotForContentType::IMAGES)
        .and(NotForContentType::SSE)
        // A part of a file is a part of the bytes that are stored.
        .and(|_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions| {
            !headers.contains_key(header::ACCEPT_RANGES)
        });
    routes()
        .router
        .fallback(|| async { web::Error::NotFound })
        .layer(DefaultBodyLimit::max(web::body::LIMIT))
        .layer(middleware::from_fn(web::body::layer))
        .layer(middleware::from_fn(web::forgery::layer))
        .layer(middleware::from_fn_with_state(app.clone(), web::session::layer))
        .layer(CatchPanicLayer::new())
        .layer(middleware::from_fn_with_state(app.clone(), web::render_errors))
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(compressed))
        .layer(middleware::from_fn(web::headers::layer))
        .with_state(app)
}

/// A pool whose connections speak UTC and give up rather than wait for ever.
pub async fn pool(
    options: sqlx::postgres::PgConnectOptions,
    connections: u32,
) -> sqlx::Result<PgPool> {
    sqlx::postgres::PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(std::time::Duration::from_secs(10))
        // A broken connection is found by its first statement; asking before costs a round trip a page.
        .test_before_acquire(false)
        .connect_with(options.application_name("opstracker"))
        .await
}
