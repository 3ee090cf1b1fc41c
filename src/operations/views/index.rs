// SPDX-License-Identifier: EUPL-1.2
//! « Vues enregistrées »: all that this person may open, and the way from a view to the list.
use super::model::{self, SavedView};
use crate::{
    accounts::User,
    campaigns::{Campaign, View, tabs},
    db::{Id, Read},
    web::{Page, Redirect, Result, Shell, auth::Allowed},
};
use askama::Template;
use axum::extract::Path;

#[derive(Template)]
#[template(path = "operations/views/index.html")]
pub struct Index {
    shell: Shell,
    campaign: Allowed<View, Campaign>,
    user: User,
    views: Vec<SavedView>,
}

pub(super) fn shell(shell: Shell, campaign: &Campaign, user: &User) -> Shell {
    shell
        .under("Campagnes", "/campagnes")
        .under(&campaign.name, campaign.url())
        .under("Opérations", campaign.path("operations"))
        .with_tabs(tabs(campaign, user, "operations"))
}

pub async fn page(mut read: Read, Path(id): Path<Id<Campaign>>) -> Result<Page<Index>> {
    let campaign = read.authorize(View, id).await?;
    let user = read.user().clone();
    let views = model::visible(read.conn(), id, &user).await?;
    let shell = shell(read.shell("Vues enregistrées"), &campaign, &user);
    Ok(Page(Index { shell, campaign, user, views }))
}

pub async fn open(
    mut read: Read,
    Path((id, view)): Path<(Id<Campaign>, Id<SavedView>)>,
) -> Result<Redirect> {
    let campaign = read.authorize(View, id).await?;
    let (conn, user) = read.split();
    let view = model::find(conn, id, user, view).await?;
    Ok(Redirect::to(view.url(&campaign)))
}
