// SPDX-License-Identifier: EUPL-1.2
//! A workbook under way: how far, then the file. Closing the page stops nothing (RG-182).
use super::model::Export;
use crate::{
    campaigns::{self, Campaign},
    db::{Id, Read, Tx},
    web::{Page, Redirect, Result, Shell, format},
};
use askama::Template;
use axum::extract::Path;
use chrono::{DateTime, Utc};

#[derive(Template)]
#[template(path = "operations/export/show.html")]
pub struct Show {
    shell: Shell,
    export: Export,
    operations: String,
    now: DateTime<Utc>,
}

impl Show {
    fn percent(&self) -> u64 {
        (self.export.progress * 100 / self.export.total.max(1)).min(100)
    }
}

pub async fn page(
    mut read: Read,
    Path((id, export)): Path<(Id<Campaign>, Id<Export>)>,
) -> Result<Page<Show>> {
    let campaign = read.authorize(campaigns::Export, id).await?;
    let (author, now) = (read.user().id, read.now());
    let export = Export::find(read.conn(), id, export, author, now).await?;
    let operations = campaign.path("operations");
    let shell = read
        .shell("Export")
        .under("Campagnes", "/campagnes")
        .under(&campaign.name, campaign.url())
        .under("Opérations", operations.as_str());
    Ok(Page(Show { shell, export, operations, now }))
}

pub async fn cancel(
    mut tx: Tx,
    Path((id, export)): Path<(Id<Campaign>, Id<Export>)>,
) -> Result<Redirect> {
    tx.authorize(campaigns::Export, id).await?;
    let (author, now) = (tx.user()?.id, tx.now());
    let export = Export::find(tx.conn(), id, export, author, now).await?;
    sqlx::query!(
        "update exports set state = 'cancelled' where id = $1 and state in ('waiting', 'running')",
        export.id as _
    )
    .execute(tx.conn())
    .await?;
    tx.commit_quietly("a file that its author no longer wants; the export itself is traced")
        .await?;
    Ok(Redirect::to(export.url()))
}
