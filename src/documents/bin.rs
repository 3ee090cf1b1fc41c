// SPDX-License-Identifier: EUPL-1.2
//! « Corbeille » of the documents: brought back as they were, with their counters.
use super::{
    commands,
    list::{LINES, next},
    model::{self, Document, KEPT, Wanted, lock_deleted},
    under_list,
};
use crate::{
    campaigns::{Campaign, Configure},
    db::{Id, Read, Tx},
    web::{Form, Page, Redirect, Result, Shell, auth::Allowed, format},
};
use askama::Template;
use axum::extract::{Path, RawQuery};

#[derive(Template)]
#[template(path = "documents/bin.html")]
pub struct Bin {
    shell: Shell,
    campaign: Allowed<Configure, Campaign>,
    documents: Vec<Document>,
    is_first: bool,
    next: Option<String>,
}

impl Bin {
    fn deleted(&self, document: &Document) -> String {
        document.deleted_at.map(format::instant).unwrap_or_default()
    }

    fn until(&self, document: &Document) -> String {
        document.deleted_at.map(|at| format::long(crate::clock::day(at + KEPT))).unwrap_or_default()
    }
}

pub async fn page(
    mut read: Read,
    Path(id): Path<Id<Campaign>>,
    RawQuery(query): RawQuery,
) -> Result<Page<Bin>> {
    let campaign = read.authorize(Configure, id).await?;
    let form = Form::parse(query.unwrap_or_default().as_bytes());
    let after = form.raw("apres").parse().ok();
    let deleted_since = Some(read.now() - KEPT);
    let wanted = Wanted { deleted_since, after, limit: LINES + 1, ..Wanted::default() };
    let mut documents = model::list(read.conn(), id, wanted).await?;
    let next = next(&mut documents)
        .map(|last| format!("{}?apres={last}", campaign.path("documents/corbeille")));
    let shell = under_list(read.shell("Corbeille des documents"), &campaign, read.user());
    Ok(Page(Bin { shell, campaign, documents, is_first: after.is_none(), next }))
}

pub async fn restore(
    mut tx: Tx,
    Path((id, document)): Path<(Id<Campaign>, Id<Document>)>,
) -> Result<Redirect> {
    let campaign = tx.authorize(Configure, id).await?;
    let stored = lock_deleted(&mut tx, &campaign, document).await?;
    commands::restore(&mut tx, &campaign, &stored).await?;
    tx.commit().await?;
    Ok(Redirect::to(campaign.path("documents")).flash(format!("« {} » restauré.", stored.name)))
}
