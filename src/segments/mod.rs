// SPDX-License-Identifier: EUPL-1.2
//! The pages of a campaign's segments (US-905, US-906). What a segment is and what is done to it
//! are `campaigns::segments`; the figures are the dashboard's. The directory's sites served by a
//! segment come with the directory.
mod delete;
mod edit;
mod list;
mod show;

#[cfg(test)]
mod tests;

use crate::{
    accounts::User,
    campaigns::{Campaign, tabs},
    web::{Access, Right, Routes, Shell},
};

pub fn routes() -> Routes {
    const VIEW: Access = Access::Campaign(Right::View);
    const CONFIGURE: Access = Access::Campaign(Right::Configure);
    Routes::default()
        .get("/campagnes/{id}/segments", VIEW, list::page)
        .get("/campagnes/{id}/segments/nouveau", CONFIGURE, edit::new_page)
        .post("/campagnes/{id}/segments/nouveau", CONFIGURE, edit::create)
        .get("/campagnes/{id}/segments/{segment}", VIEW, show::page)
        .get("/campagnes/{id}/segments/{segment}/modifier", CONFIGURE, edit::page)
        .post("/campagnes/{id}/segments/{segment}/modifier", CONFIGURE, edit::update)
        .post("/campagnes/{id}/segments/{segment}/position", CONFIGURE, list::reorder)
        .get("/campagnes/{id}/segments/{segment}/suppression", CONFIGURE, delete::page)
        .post("/campagnes/{id}/segments/{segment}/suppression", CONFIGURE, delete::delete)
}

/// The shell of the list itself.
fn at_list(shell: Shell, campaign: &Campaign, user: &User) -> Shell {
    shell
        .under("Campagnes", "/campagnes")
        .under(&campaign.name, campaign.url())
        .with_tabs(tabs(campaign, user, "segments"))
}

/// The shell of a page below the list.
fn under_list(shell: Shell, campaign: &Campaign, user: &User) -> Shell {
    at_list(shell, campaign, user).under("Segments", campaign.path("segments"))
}
