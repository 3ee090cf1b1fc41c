// SPDX-License-Identifier: EUPL-1.2
//! Deleting a saved view: its author, or whoever configures the campaign that shares it.
use super::{
    index::shell,
    model::{self, SavedView, writable},
};
use crate::{
    campaigns::{Campaign, View},
    db::{Id, Read, Tx},
    web::{Error, Page, Redirect, Result, Shell, auth::Allowed},
};
use askama::Template;
use axum::extract::Path;

#[derive(Template)]
#[template(path = "operations/views/delete.html")]
pub struct Delete {
    shell: Shell,
    campaign: Allowed<View, Campaign>,
    view: SavedView,
}

pub async fn page(
    mut read: Read,
    Path((id, view)): Path<(Id<Campaign>, Id<SavedView>)>,
) -> Result<Page<Delete>> {
    let campaign = read.authorize(View, id).await?;
    let user = read.user().clone();
    let view = model::find(read.conn(), id, &user, view).await?;
    if !view.may_be_deleted_by(&user, &campaign) {
        return Err(Error::Forbidden);
    }
    let shell = shell(read.shell("Supprimer une vue"), &campaign, &user);
    Ok(Page(Delete { shell, campaign, view }))
}

pub async fn delete(
    mut tx: Tx,
    Path((id, view)): Path<(Id<Campaign>, Id<SavedView>)>,
) -> Result<Redirect> {
    let campaign = tx.authorize(View, id).await?;
    writable(&campaign)?;
    let user = tx.user()?.clone();
    let view = model::find(tx.conn(), id, &user, view).await?;
    model::delete(&mut tx, &campaign, &view).await?;
    tx.commit().await?;
    Ok(Redirect::to(campaign.path("vues")).flash(format!("Vue « {} » supprimée.", view.name)))
}
