// SPDX-License-Identifier: EUPL-1.2
//! Starting and stopping: database, migrations, loops, HTTP; and the same base for commands.
use crate::{
    app::{App, pool, router},
    config::Config,
    db, jobs, live,
};
use anyhow::{Context, Result, bail};
use private_postgres::{Access, Settings};
use sqlx::postgres::PgConnectOptions;
use std::{future::Future, net::SocketAddr, str::FromStr, time::Duration};
use tokio::net::TcpListener;

/// Connections of a process: pages, and the locks of jobs (R-08: at most 32).
const PAGES: u32 = 16;
const JOBS: u32 = 4;

/// The database this process works with, and the cluster behind it when it is ours.
struct Base {
    options: PgConnectOptions,
    cluster: Option<Access>,
}

impl Base {
    async fn open(config: &Config, owner: bool) -> Result<Self> {
        if let Some(url) = &config.database_url {
            return Ok(Self { options: PgConnectOptions::from_str(url.expose())?, cluster: None });
        }
        let settings = Settings::new(&config.data_dir);
        let access = if owner {
            Access::Owned(private_postgres::own(&settings).await?)
        } else {
            private_postgres::join_or_own(&settings).await?
        };
        Ok(Self { options: access.options(), cluster: Some(access) })
    }

    /// Resolves, with the reason, when our own PostgreSQL is given up.
    fn lost(&self) -> impl Future<Output = String> + Send + use<> {
        let exited = match &self.cluster {
            Some(Access::Owned(cluster)) => Some(cluster.exited()),
            _ => None,
        };
        async move {
            match exited {
                Some(exited) => exited.await,
                None => std::future::pending().await,
            }
        }
    }

    async fn close(self, app: &App) {
        app.db.close().await;
        app.jobs_db.close().await;
        if let Some(cluster) = self.cluster {
            cluster.stop().await;
        }
    }
}

async fn open_app(
    config: Config,
    owner: bool,
) -> Result<(Base, App, tokio::sync::mpsc::UnboundedReceiver<live::Notice>)> {
    let base = Base::open(&config, owner).await?;
    private_dir(&config.files_dir())
        .with_context(|| format!("création de {}", config.files_dir().display()))?;
    let started = async {
        let pages =
            pool(base.options.clone(), PAGES).await.context("connexion à la base de données")?;
        db::migrate(&pages).await?;
        let jobs_pool =
            pool(base.options.clone(), JOBS).await.context("connexion à la base de données")?;
        App::new(config, pages, jobs_pool).await
    };
    match started.await {
        Ok((app, notices)) => Ok((base, app, notices)),
        Err(err) => {
            if let Some(cluster) = base.cluster {
                cluster.stop().await;
            }
            Err(err)
        }
    }
}

/// A directory of ours alone: uploaded files hold personal data.
fn private_dir(path: &std::path::Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Runs a command with the base of this instance: joined when `serve` runs, started otherwise.
pub async fn with_app<T, F: Future<Output = Result<T>>>(
    config: Config,
    work: impl FnOnce(App) -> F,
) -> Result<T> {
    let (base, app, notices) = open_app(config, false).await?;
    drop(notices);
    let done = work(app.clone()).await;
    base.close(&app).await;
    done
}

/// `opstracker serve`: until SIGTERM or Ctrl-C.
pub async fn serve(config: Config, demo_if_empty: bool) -> Result<()> {
    raise_descriptor_limit();
    let listen = config.listen;
    let listener = TcpListener::bind(listen).await.with_context(|| {
        format!("L’adresse {listen} n’est pas disponible : un autre programme l’utilise-t-il ? Choisissez-en une autre avec OPSTRACKER_LISTEN.")
    })?;
    let (base, app, notices) = open_app(config, true).await?;
    if let Err(err) = greet(&app, demo_if_empty).await {
        base.close(&app).await;
        return Err(err);
    }
    let stopping = app.stopping.clone();
    let loops = tokio::spawn({
        let app = app.clone();
        async move {
            tokio::join!(
                jobs::run(app.clone()),
                until(app.stopping.clone(), live::run(app, notices))
            )
        }
    });
    jobs::housekeeping(&app, crate::clock::now()).await?;
    tracing::info!(%listen, "prêt");
    println!("OpsTracker est prêt : {}", app.config.public_url);
    let service = router(app.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let lost = base.lost();
    let server = axum::serve(listener, service).with_graceful_shutdown({
        let stopping = stopping.clone();
        async move {
            stop_signal().await;
            stopping.cancel();
        }
    });
    let served = tokio::select! {
        served = async { server.await } => served,
        // Requests under way have ten seconds; streams end by themselves.
        () = async { stopping.cancelled().await; tokio::time::sleep(Duration::from_secs(10)).await } => Ok(()),
        why = lost => {
            stopping.cancel();
            bail!(why)
        }
    };
    stopping.cancel();
    let _ = tokio::time::timeout(Duration::from_secs(30), loops).await;
    base.close(&app).await;
    served.context("serveur HTTP")
}

/// First start: the demonstration if asked, else the one-time set-up link (RG-008).
async fn greet(app: &App, demo_if_empty: bool) -> Result<()> {
    if demo_if_empty && crate::demo::is_empty(app).await? {
        for line in crate::demo::load(app, crate::clock::now()).await? {
            println!("{line}");
        }
        app.reload_settings().await?;
        return Ok(());
    }
    if let Some(link) = crate::accounts::setup_link(app, crate::clock::now()).await? {
        println!("Première installation, lien valable 24 heures : {link}");
    }
    Ok(())
}

async fn until(stopping: tokio_util::sync::CancellationToken, work: impl Future<Output = ()>) {
    tokio::select! {
        () = stopping.cancelled() => {}
        () = work => {}
    }
}

async fn stop_signal() {
    let interrupt = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! { () = interrupt => {}, () = terminate => {} }
}

/// A live screen is a descriptor: the usual soft limit of 1 024 is too few.
fn raise_descriptor_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map_or(65_536, |max| max.min(65_536));
    if limit.current.is_some_and(|current| current < wanted) {
        let _ =
            setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: limit.maximum });
    }
}

/// `opstracker migrate`: brings the base to this version and says so.
pub async fn migrate(config: Config) -> Result<()> {
    with_app(config, |_| async {
        println!("La base est à jour.");
        Ok(())
    })
    .await
}

/// Refuses a command that a missing argument makes meaningless.
pub fn refuse<T>(why: &str) -> Result<T> {
    bail!("{why}")
}
