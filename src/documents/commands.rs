// SPDX-License-Identifier: EUPL-1.2
//! What is done to a document. A command locks its row, never the campaign's.
use super::{
    model::{Declared, Document, StoredFile, hex},
    receive::Arrived,
};
use crate::{
    audit::Entry,
    campaigns::{Campaign, Configure, View},
    clock,
    db::{Id, Tx},
    text::norm,
    web::{Result, auth::Allowed},
};
use serde_json::{Value, json};

pub async fn deposit(
    tx: &mut Tx,
    campaign: &Allowed<Configure, Campaign>,
    new: &Declared,
    file: &Arrived,
) -> Result<Id<Document>> {
    let id = Id::<Document>::new();
    let (now, user) = (tx.now(), tx.actor().user_id());
    sqlx::query!(
        "insert into documents (id, campaign_id, name, name_norm, search_text, description, created_at, created_by, updated_at, updated_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $7, $8)",
        id as _,
        campaign.id as _,
        new.name,
        norm(&new.name),
        new.searched(),
        new.description,
        now,
        user as _
    )
    .execute(tx.conn())
    .await?;
    add_file(tx, campaign, id, file).await?;
    let changes = json!({ "name": [null, new.name], "file": [null, file.name], "size": [null, file.stored.size],
        "sha256": [null, hex(&file.stored.sha256)] });
    traced(tx, campaign, "document.deposited", id, changes).await?;
    Ok(id)
}

async fn add_file(
    tx: &mut Tx,
    campaign: &Allowed<Configure, Campaign>,
    document: Id<Document>,
    file: &Arrived,
) -> Result<()> {
    let (now, user) = (tx.now(), tx.actor().user_id());
    sqlx::query!(
        "insert into document_files (id, document_id, campaign_id, file_name, kind, size, sha256, store_key, uploaded_at, uploaded_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        Id::<StoredFile>::new() as _,
        document as _,
        campaign.id as _,
        file.name,
        file.kind.extension,
        file.stored.size,
        file.stored.sha256,
        file.stored.key,
        now,
        user as _
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Changes its name and its description; whether anything changed.
pub async fn edit(
    tx: &mut Tx,
    campaign: &Allowed<Configure, Campaign>,
    stored: &Document,
    new: &Declared,
) -> Result<bool> {
    let before = stored.declared();
    if before == *new {
        return Ok(false);
    }
    let (now, user) = (tx.now(), tx.actor().user_id());
    sqlx::query!(
        "update documents set name = $2, name_norm = $3, search_text = $4, description = $5, version = version + 1, updated_at = $6, updated_by = $7
         where id = $1",
        stored.id as _,
        new.name,
        norm(&new.name),
        new.searched(),
        new.description,
        now,
        user as _
    )
    .execute(tx.conn())
    .await?;
    let mut changes = serde_json::Map::new();
    changes.insert("name".into(), json!([before.name, new.name]));
    if before.description != new.description {
        changes.insert("description".into(), json!([before.description, new.description]));
    }
    traced(tx, campaign, "document.edited", stored.id, changes.into()).await?;
    Ok(true)
}

/// Another file under the same address; the former one is kept for a while.
pub async fn replace(
    tx: &mut Tx,
    campaign: &Allowed<Configure, Campaign>,
    stored: &Document,
    file: &Arrived,
) -> Result<()> {
    let (now, user) = (tx.now(), tx.actor().user_id());
    sqlx::query!(
        "update document_files set replaced_at = $2 where id = $1",
        stored.file.id as _,
        now
    )
    .execute(tx.conn())
    .await?;
    add_file(tx, campaign, stored.id, file).await?;
    sqlx::query!(
        "update documents set version = version + 1, updated_at = $2, updated_by = $3 where id = $1",
        stored.id as _,
        now,
        user as _
    )
    .execute(tx.conn())
    .await?;
    let changes = json!({ "name": [stored.name, stored.name], "file": [stored.file.name, file.name],
        "size": [stored.file.size, file.stored.size], "sha256": [stored.file.digest(), hex(&file.stored.sha256)] });
    traced(tx, campaign, "document.replaced", stored.id, changes).await
}

pub async fn delete(
    tx: &mut Tx,
    campaign: &Allowed<Configure, Campaign>,
    stored: &Document,
) -> Result<()> {
    let (now, user) = (tx.now(), tx.actor().user_id());
    sqlx::query!(
        "update documents set deleted_at = $2, deleted_by = $3, version = version + 1, updated_at = $2, updated_by = $3 where id = $1",
        stored.id as _,
        now,
        user as _
    )
    .execute(tx.conn())
    .await?;
    let changes = json!({ "name": [stored.name, null], "file": [stored.file.name, null] });
    traced(tx, campaign, "document.deleted", stored.id, changes).await
}

pub async fn restore(
    tx: &mut Tx,
    campaign: &Allowed<Configure, Campaign>,
    stored: &Document,
) -> Result<()> {
    let (now, user) = (tx.now(), tx.actor().user_id());
    sqlx::query!(
        "update documents set deleted_at = null, deleted_by = null, version = version + 1, updated_at = $2, updated_by = $3 where id = $1",
        stored.id as _,
        now,
        user as _
    )
    .execute(tx.conn())
    .await?;
    let changes = json!({ "name": [null, stored.name], "file": [null, stored.file.name] });
    traced(tx, campaign, "document.restored", stored.id, changes).await
}

/// Counts and traces a download (RG-053). Tells no live screen: nothing was written on the campaign.
pub async fn downloaded(
    tx: &mut Tx,
    campaign: &Allowed<View, Campaign>,
    document: &Document,
) -> Result<()> {
    sqlx::query!(
        "insert into document_downloads (document_id, day, count) values ($1, $2, 1)
         on conflict (document_id, day) do update set count = document_downloads.count + 1",
        document.id as _,
        clock::day(tx.now())
    )
    .execute(tx.conn())
    .await?;
    trace_download(tx, campaign, document, &document.file).await
}

pub async fn trace_download(
    tx: &mut Tx,
    campaign: &Campaign,
    document: &Document,
    file: &StoredFile,
) -> Result<()> {
    let entry = Entry::on("document.downloaded", "document", document.id.uuid());
    let changes = json!({ "name": [document.name, document.name], "file": [file.name, file.name] });
    tx.record(entry.campaign(campaign.id).changes(changes)).await?;
    Ok(())
}

async fn traced(
    tx: &mut Tx,
    campaign: &Campaign,
    action: &'static str,
    id: Id<Document>,
    changes: Value,
) -> Result<()> {
    let entry = Entry::on(action, "document", id.uuid());
    tx.record(entry.campaign(campaign.id).changes(changes)).await?;
    tx.touch_campaign(campaign.id).await?;
    Ok(())
}
