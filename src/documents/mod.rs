// SPDX-License-Identifier: EUPL-1.2
//! Documents of a campaign: deposited, described, replaced, downloaded, deleted and restored
//! (US-701 to 706, RG-050, 051, 053, 054). The bytes are in [`store`], the rest in the base.
mod bin;
mod commands;
mod delete;
mod download;
mod edit;
mod kind;
mod list;
mod model;
mod receive;
mod retention;
mod show;
mod store;
#[cfg(test)]
mod tests;
mod upload;

pub use self::retention::Retention;
use crate::{
    accounts::{Role, User},
    campaigns::{Campaign, tabs},
    web::{Access, Right, Routes, Shell},
};
use axum::{extract::DefaultBodyLimit, routing::post};

/// A file with its multipart envelope and its two texts (F-01).
const UPLOAD_LIMIT: usize = 54 << 20;

pub fn routes() -> Routes {
    const VIEW: Access = Access::Campaign(Right::View);
    const CONFIGURE: Access = Access::Campaign(Right::Configure);
    let limit = || DefaultBodyLimit::max(UPLOAD_LIMIT);
    Routes::default()
        .get("/campagnes/{id}/documents", VIEW, list::page)
        .get("/campagnes/{id}/documents/nouveau", CONFIGURE, upload::page)
        .add(
            "POST",
            "/campagnes/{id}/documents/nouveau",
            CONFIGURE,
            post(upload::create).layer(limit()),
        )
        .get("/campagnes/{id}/documents/corbeille", CONFIGURE, bin::page)
        .get("/campagnes/{id}/documents/{document}", VIEW, show::page)
        .get("/campagnes/{id}/documents/{document}/fichier", VIEW, download::current)
        .get("/campagnes/{id}/documents/{document}/fichiers/{file}", CONFIGURE, download::former)
        .get("/campagnes/{id}/documents/{document}/modification", CONFIGURE, edit::page)
        .post("/campagnes/{id}/documents/{document}/modification", CONFIGURE, edit::update)
        .get("/campagnes/{id}/documents/{document}/remplacement", CONFIGURE, upload::replace_page)
        .add(
            "POST",
            "/campagnes/{id}/documents/{document}/remplacement",
            CONFIGURE,
            post(upload::replace).layer(limit()),
        )
        .get("/campagnes/{id}/documents/{document}/suppression", CONFIGURE, delete::page)
        .post("/campagnes/{id}/documents/{document}/suppression", CONFIGURE, delete::delete)
        .post("/campagnes/{id}/documents/{document}/retablissement", CONFIGURE, bin::restore)
}

/// Whoever configures deposits documents; what a machine executes asks for more (RG-050).
fn may_deposit_executables(user: &User) -> bool {
    user.is_admin() || user.roles.has(Role::CampaignManager)
}

fn at_list(shell: Shell, campaign: &Campaign, user: &User) -> Shell {
    shell.under("Campagnes", "/campagnes").under(&campaign.name, campaign.url()).with_tabs(tabs(
        campaign,
        user,
        "documents",
    ))
}

fn under_list(shell: Shell, campaign: &Campaign, user: &User) -> Shell {
    at_list(shell, campaign, user).under("Documents", campaign.path("documents"))
}
