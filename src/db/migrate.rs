// SPDX-License-Identifier: EUPL-1.2
//! Migrations run by themselves at start; a base newer than the program is refused.
use anyhow::{Context, bail};
use sqlx::{PgPool, migrate::Migrator};

/// The one static migrator: tests do not embed the migrations again.
pub static MIGRATOR: Migrator = sqlx::migrate!("./migrations");

/// Brings the base to this program's version.
///
/// # Errors
/// A base that knows a migration this program does not: the program is older than its data.
pub async fn migrate(db: &PgPool) -> anyhow::Result<()> {
    let known = MIGRATOR.iter().map(|m| m.version).max().unwrap_or(0);
    let applied: Option<i64> =
        sqlx::query_scalar("select to_regclass('_sqlx_migrations') is not null")
            .fetch_one(db)
            .await
            .map(|exists: bool| exists.then_some(()))?
            .map(|()| sqlx::query_scalar("select max(version) from _sqlx_migrations").fetch_one(db))
            .map_or_else(
                || futures::future::Either::Left(async { Ok(None) }),
                futures::future::Either::Right,
            )
            .await?;
    if applied.is_some_and(|version| version > known) {
        bail!(
            "La base de données vient d’une version plus récente d’OpsTracker \
             (migration {}, ce programme connaît jusqu’à {known}). \
             Installez cette version ou une version postérieure ; rien n’a été modifié.",
            applied.unwrap_or_default()
        );
    }
    MIGRATOR.run(db).await.context("mise à jour du schéma de la base")
}
