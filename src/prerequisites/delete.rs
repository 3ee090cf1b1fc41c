// SPDX-License-Identifier: EUPL-1.2
//! Deleting a prerequisite, with what that lets through.
use super::{
    commands,
    model::{self, Prerequisite, lock},
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
#[template(path = "prerequisites/delete.html")]
pub struct Delete {
    shell: Shell,
    campaign: Allowed<Configure, Campaign>,
    item: Prerequisite,
}

pub async fn page(
    mut read: Read,
    Path((id, prerequisite)): Path<(Id<Campaign>, Id<Prerequisite>)>,
) -> Result<Page<Delete>> {
    let campaign = read.authorize(Configure, id).await?;
    let item = model::find(read.conn(), id, prerequisite).await?;
    let shell = under_list(read.shell("Supprimer"), &campaign, read.user());
    Ok(Page(Delete { shell, campaign, item }))
}

pub async fn delete(
    mut tx: Tx,
    Path((id, prerequisite)): Path<(Id<Campaign>, Id<Prerequisite>)>,
) -> Result<Redirect> {
    let campaign = tx.authorize(Configure, id).await?;
    let stored = lock(&mut tx, &campaign, prerequisite).await?;
    commands::delete(&mut tx, &campaign, &stored).await?;
    tx.commit().await?;
    Ok(Redirect::to(campaign.path("prerequis")).flash(format!("« {} » supprimé.", stored.label)))
}
