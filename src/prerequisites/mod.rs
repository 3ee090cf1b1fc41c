// SPDX-License-Identifier: EUPL-1.2
//! What must be ready before the work (US-901 to 904, RG-090, RG-091), and the gates among it: a
//! prerequisite that blocks the opening of bookings or the start of operations (US-907, RG-094).
//!
//! `operations::transition` asks [`check_start`] before any first start; whoever configures the
//! campaign may let a gate be passed, with a reason, and everybody sees that it was.
mod commands;
mod delete;
mod edit;
mod force;
mod gates;
mod list;
mod model;
mod pass;
mod status;

#[cfg(test)]
mod gates_tests;
#[cfg(test)]
mod tests;

pub use self::{
    gates::{
        Gate, Pass, blocking, blocking_operation, check_start, first_closed, opening_blocked,
        passes, refusal,
    },
    model::{Prerequisite, State, of_segment},
};
use crate::{
    accounts::User,
    campaigns::{Campaign, tabs},
    web::{Access, Right, Routes, Shell},
};

pub fn routes() -> Routes {
    const VIEW: Access = Access::Campaign(Right::View);
    const CONFIGURE: Access = Access::Campaign(Right::Configure);
    Routes::default()
        .get("/campagnes/{id}/prerequis", VIEW, list::page)
        .get("/campagnes/{id}/prerequis/nouveau", CONFIGURE, edit::new_page)
        .post("/campagnes/{id}/prerequis/nouveau", CONFIGURE, edit::create)
        .get("/campagnes/{id}/prerequis/{prerequisite}", CONFIGURE, edit::page)
        .post("/campagnes/{id}/prerequis/{prerequisite}", CONFIGURE, edit::update)
        .get("/campagnes/{id}/prerequis/{prerequisite}/statut", CONFIGURE, status::page)
        .post("/campagnes/{id}/prerequis/{prerequisite}/statut", CONFIGURE, status::update)
        .post("/campagnes/{id}/prerequis/{prerequisite}/position", CONFIGURE, list::reorder)
        .get("/campagnes/{id}/prerequis/{prerequisite}/suppression", CONFIGURE, delete::page)
        .post("/campagnes/{id}/prerequis/{prerequisite}/suppression", CONFIGURE, delete::delete)
        .get("/campagnes/{id}/prerequis/{prerequisite}/forcage", CONFIGURE, force::page)
        .post("/campagnes/{id}/prerequis/{prerequisite}/forcage", CONFIGURE, force::create)
        .post("/campagnes/{id}/prerequis/{prerequisite}/blocage", CONFIGURE, force::withdraw)
        .get("/campagnes/{id}/operations/{op}/forcage", CONFIGURE, pass::page)
        .post("/campagnes/{id}/operations/{op}/forcage", CONFIGURE, pass::create)
}

fn at_list(shell: Shell, campaign: &Campaign, user: &User) -> Shell {
    shell.under("Campagnes", "/campagnes").under(&campaign.name, campaign.url()).with_tabs(tabs(
        campaign,
        user,
        "prerequis",
    ))
}

fn under_list(shell: Shell, campaign: &Campaign, user: &User) -> Shell {
    at_list(shell, campaign, user).under("Prérequis", campaign.path("prerequis"))
}
