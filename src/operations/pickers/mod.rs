// SPDX-License-Identifier: EUPL-1.2
//! The small pages behind the values of a row: status, technician, segment, date, correction, undo.
//! Whole pages by themselves; a popover shows their fragment beside the row (US-304, US-306).
mod choice;
mod correction;
mod date;
mod status;

#[cfg(test)]
mod tests;

use super::Operation;
use crate::web::{Access, Right, Routes, Shell, local};

pub(super) fn routes() -> Routes {
    const EDIT: Access = Access::Campaign(Right::Configure);
    const ACT: Access = Access::Campaign(Right::Transition);
    Routes::default()
        .get("/campagnes/{id}/operations/{op}/statut", ACT, status::page)
        .post("/campagnes/{id}/operations/{op}/statut", ACT, status::create)
        .get("/campagnes/{id}/operations/{op}/statut/{transition}", ACT, status::details)
        .post(
            "/campagnes/{id}/operations/{op}/statut/{transition}",
            ACT,
            status::create_with_details,
        )
        .post("/campagnes/{id}/operations/{op}/annulation", ACT, status::undo)
        .get("/campagnes/{id}/operations/{op}/technicien", EDIT, choice::technician)
        .post("/campagnes/{id}/operations/{op}/technicien", EDIT, choice::assign)
        .get("/campagnes/{id}/operations/{op}/segment", EDIT, choice::segment)
        .post("/campagnes/{id}/operations/{op}/segment", EDIT, choice::move_to)
        .get("/campagnes/{id}/operations/{op}/date", EDIT, date::page)
        .post("/campagnes/{id}/operations/{op}/date", EDIT, date::update)
        .get("/campagnes/{id}/operations/{op}/correction", EDIT, correction::page)
        .post("/campagnes/{id}/operations/{op}/correction", EDIT, correction::create)
}

/// The way to an operation's pages.
fn under(shell: Shell, operation: &Operation) -> Shell {
    shell
        .under("Campagnes", "/campagnes")
        .under(&operation.campaign.name, operation.campaign.url())
        .under("Opérations", operation.campaign.path("operations"))
        .under(&operation.label, operation.url())
}

/// The address gone back to, when no other is known.
fn or_list(back: String, operation: &Operation) -> String {
    if local(Some(&back)).is_some() && !back.starts_with(&format!("{}/", operation.url())) {
        back
    } else {
        operation.url()
    }
}
