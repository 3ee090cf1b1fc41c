// SPDX-License-Identifier: EUPL-1.2
//! The wizard of « Remplacement des téléphones » at its third step: a real file, received and
//! checked as a person's would be, whose three bad lines wait to be seen (09 §5).
use super::{accounts, files, others};
use crate::{
    accounts::User,
    app::App,
    audit::Entry,
    campaigns::Campaign,
    db::{Actor, Id, Tx},
    imports::{self, Import},
    text::norm,
};
use anyhow::{Context, Result};
use axum::body::Bytes;
use chrono::{DateTime, Utc};
use serde_json::json;
use std::convert::Infallible;

pub async fn receive_phones(app: &App, now: DateTime<Utc>) -> Result<()> {
    let (campaign, sophie) = whose(app).await?;
    let content = futures::stream::iter([Ok::<_, Infallible>(Bytes::from(files::phones()))]);
    let stored = imports::store(app, 1 << 20, content).await?;
    let mut tx = Tx::begin(app, Actor::User(sophie.clone()), now).await?;
    let import = imports::receive(&mut tx, campaign, files::PHONES, &stored).await?;
    tx.commit().await?;
    let by = Some(sophie.id);
    imports::run_stage(app, import, by, now).await?;
    check_lines(app, Actor::User(sophie), now, campaign, import).await?;
    imports::run_stage(app, import, by, now).await
}

async fn whose(app: &App) -> Result<(Id<Campaign>, User)> {
    let mut conn = app.db.acquire().await?;
    let campaign = sqlx::query_scalar!(
        "select id from campaigns where name_norm = $1 and deleted_at is null",
        norm(others::PHONES)
    )
    .fetch_one(&mut *conn)
    .await?;
    let email = format!("sophie.martin@{}", accounts::DOMAIN);
    let id = sqlx::query_scalar!("select id from users where email = $1", email)
        .fetch_one(&mut *conn)
        .await?;
    let sophie = crate::accounts::find(&mut conn, id).await?.context("compte de Sophie")?;
    Ok((campaign, sophie))
}

/// Sophie takes the columns as they are proposed and asks for the check.
async fn check_lines(
    app: &App,
    actor: Actor,
    now: DateTime<Utc>,
    campaign: Id<Campaign>,
    import: Id<Import>,
) -> Result<()> {
    let mut tx = Tx::begin(app, actor, now).await?;
    sqlx::query!(
        "update imports set mapping = inspection -> 'proposed', stage = 'validate' where id = $1 and state = 'analysed'",
        import as _
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!("update campaigns set wizard_step = 3 where id = $1", campaign as _)
        .execute(tx.conn())
        .await?;
    tx.record(
        Entry::on("import.mapped", "import", import.uuid())
            .campaign(campaign)
            .changes(json!({ "file": files::PHONES })),
    )
    .await?;
    tx.commit().await?;
    Ok(())
}
