// SPDX-License-Identifier: EUPL-1.2
//! Deleting a document: to the bin, for thirty days (US-704, RG-054).
use super::{
    commands,
    model::{self, Document, lock},
    under_list,
};
use crate::{
    campaigns::{Campaign, Configure},
    db::{Id, Read, Tx},
    web::{Page, Redirect, Result, Shell, auth::Allowed},
};
use askama::Template;
use axum::extract::Path;

#[derive(Template)]
#[template(path = "documents/delete.html")]
pub struct Delete {
    shell: Shell,
    campaign: Allowed<Configure, Campaign>,
    document: Document,
}

pub async fn page(
    mut read: Read,
    Path((id, document)): Path<(Id<Campaign>, Id<Document>)>,
) -> Result<Page<Delete>> {
    let campaign = read.authorize(Configure, id).await?;
    let document = model::find(read.conn(), id, document).await?;
    let shell = under_list(read.shell("Supprimer"), &campaign, read.user());
    Ok(Page(Delete { shell, campaign, document }))
}

pub async fn delete(
    mut tx: Tx,
    Path((id, document)): Path<(Id<Campaign>, Id<Document>)>,
) -> Result<Redirect> {
    let campaign = tx.authorize(Configure, id).await?;
    let stored = lock(&mut tx, &campaign, document).await?;
    commands::delete(&mut tx, &campaign, &stored).await?;
    tx.commit().await?;
    Ok(Redirect::to(campaign.path("documents"))
        .flash(format!("« {} » supprimé ; il est restaurable pendant 30 jours.", stored.name)))
}
