// SPDX-License-Identifier: EUPL-1.2
//! What leaves for good: documents deleted and files replaced thirty days ago, and what an upload
//! cut short left in the store (T-07).
use super::{
    model::{Document, KEPT, StoredFile},
    store,
};
use crate::{
    app::App,
    audit::Entry,
    campaigns::Campaign,
    db::{Actor, Id, Tx},
    jobs::Job,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// 00:15, every day.
#[derive(Serialize, Deserialize)]
pub struct Retention {}

impl Job for Retention {
    const KIND: &'static str = "document.retention";

    async fn run(self, app: &App, now: DateTime<Utc>) -> anyhow::Result<()> {
        forget_old(app, now).await
    }
}

/// # Errors
/// The base or the store does not answer; the next time does the rest.
pub(super) async fn forget_old(app: &App, now: DateTime<Utc>) -> anyhow::Result<()> {
    let documents = sqlx::query_scalar!(
        r#"select id as "id: Id<Document>" from documents where deleted_at <= $1"#,
        now - KEPT
    )
    .fetch_all(&app.db)
    .await?;
    for id in documents {
        forget_document(app, id, now).await?;
    }
    let files = sqlx::query_scalar!(
        r#"select id as "id: Id<StoredFile>" from document_files where replaced_at <= $1"#,
        now - KEPT
    )
    .fetch_all(&app.db)
    .await?;
    for id in files {
        forget_file(app, id, now).await?;
    }
    sweep(app, now).await
}

/// The row first: a file without a row is swept, a row without its file would lie.
async fn forget_document(app: &App, id: Id<Document>, now: DateTime<Utc>) -> anyhow::Result<()> {
    let mut tx = Tx::begin(app, Actor::System, now).await?;
    let found = sqlx::query!(
        r#"select campaign_id as "campaign: Id<Campaign>", name from documents where id = $1 and deleted_at <= $2 for update"#,
        id as _,
        now - KEPT
    )
    .fetch_optional(tx.conn())
    .await?;
    let Some(found) = found else { return Ok(()) }; // restored meanwhile, or another process did it
    let keys =
        sqlx::query_scalar!("select store_key from document_files where document_id = $1", id as _)
            .fetch_all(tx.conn())
            .await?;
    sqlx::query!("delete from documents where id = $1", id as _).execute(tx.conn()).await?;
    let entry = Entry::on("document.purged", "document", id.uuid()).campaign(found.campaign);
    tx.record(entry.changes(json!({ "name": [found.name, null] }))).await?;
    tx.commit().await?;
    for key in keys {
        store::remove(app, &key).await;
    }
    Ok(())
}

async fn forget_file(app: &App, id: Id<StoredFile>, now: DateTime<Utc>) -> anyhow::Result<()> {
    let mut tx = Tx::begin(app, Actor::System, now).await?;
    let gone = sqlx::query!(
        r#"delete from document_files where id = $1 and replaced_at <= $2
           returning document_id, campaign_id as "campaign: Id<Campaign>", file_name, store_key"#,
        id as _,
        now - KEPT
    )
    .fetch_optional(tx.conn())
    .await?;
    let Some(gone) = gone else { return Ok(()) };
    let entry =
        Entry::on("document.file_purged", "document", gone.document_id).campaign(gone.campaign);
    tx.record(entry.changes(json!({ "file": [gone.file_name, null] }))).await?;
    tx.commit().await?;
    store::remove(app, &gone.store_key).await;
    Ok(())
}

async fn sweep(app: &App, now: DateTime<Utc>) -> anyhow::Result<()> {
    let old = store::older_than_a_day(app, now).await?;
    let stray = sqlx::query_scalar!(
        r#"select k as "key!" from unnest($1::text[]) k where not exists (select 1 from document_files where store_key = k)"#,
        &old
    )
    .fetch_all(&app.db)
    .await?;
    for key in stray {
        store::remove(app, &key).await;
    }
    Ok(())
}
