// SPDX-License-Identifier: EUPL-1.2
//! A file has arrived: its row, its first job, the trace.
use super::{Import, files::Stored, job::Work};
use crate::{
    audit::Entry,
    campaigns::Campaign,
    db::{Id, Tx},
    web::Result,
};
use serde_json::json;

/// The right on the campaign was proven by the caller: a page, or the command line.
pub async fn receive(
    tx: &mut Tx,
    campaign: Id<Campaign>,
    file_name: &str,
    file: &Stored,
) -> Result<Id<Import>> {
    let id = Id::<Import>::new();
    let (now, author) = (tx.now(), tx.actor().user_id());
    sqlx::query!(
        "insert into imports (id, campaign_id, author_id, file_name, file_key, file_size, sha256, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $8)",
        id as _,
        campaign as _,
        author as _,
        file_name,
        file.key,
        file.size,
        file.sha256,
        now
    )
    .execute(tx.conn())
    .await?;
    let digest: String = file.sha256.iter().map(|b| format!("{b:02x}")).collect();
    tx.record(
        Entry::on("import.received", "import", id.uuid())
            .campaign(campaign)
            .changes(json!({ "file": file_name, "bytes": file.size, "sha256": digest })),
    )
    .await?;
    tx.enqueue(Work { import: id, by: author }).await?;
    Ok(id)
}
