// SPDX-License-Identifier: EUPL-1.2
//! Operations: one target each, what happens to them, and the one function that changes a status (01 §3).
mod at;
mod bin;
mod bulk;
mod calendar;
mod commands;
pub mod dates;
mod edit;
mod event;
mod export;
mod form;
pub mod history;
mod list;
mod model;
mod new;
mod pickers;
mod search;
mod show;
mod transition;
mod undo;
pub mod values;
mod views;

#[cfg(test)]
mod invariants_tests;
#[cfg(test)]
mod tests;

pub use self::{
    bulk::{Applied, Gesture, Work as BulkWork, forget_old as forget_old_bulks},
    commands::{
        NewOperation, add_note, assign, create, edit, move_to_segment, plan, search_text,
        write_values,
    },
    event::{Event, record},
    export::{Make as MakeExport, forget_old as forget_old_exports},
    list::{SortKey, field_key},
    model::{Act, Edit, Operation, See, WorkOnSite, offered, technicians},
    show::{Fact, Note, fact, notes},
    transition::{Change, Outcome, correct, open_steps, transition},
    undo::{undo, undoable},
};
use crate::web::{Access, Right, Routes};

pub fn routes() -> Routes {
    Routes::default()
        .get("/campagnes/{id}/operations", Access::Campaign(Right::View), list::page)
        .post(
            "/campagnes/{id}/operations/colonnes",
            Access::Campaign(Right::View),
            list::choose_columns,
        )
        .post(
            "/campagnes/{id}/operations/affichage",
            Access::Campaign(Right::View),
            list::choose_mode,
        )
        .get("/campagnes/{id}/operations/nouvelle", Access::Campaign(Right::Configure), new::page)
        .post(
            "/campagnes/{id}/operations/nouvelle",
            Access::Campaign(Right::Configure),
            new::create,
        )
        .get("/campagnes/{id}/operations/{op}", Access::Campaign(Right::View), show::page)
        .post(
            "/campagnes/{id}/operations/{op}/notes",
            Access::Campaign(Right::Transition),
            show::note,
        )
        .get(
            "/campagnes/{id}/operations/{op}/modifier",
            Access::Campaign(Right::Configure),
            edit::page,
        )
        .post(
            "/campagnes/{id}/operations/{op}/modifier",
            Access::Campaign(Right::Configure),
            edit::update,
        )
        .get("/recherche", Access::SignedIn, search::page)
        .merge(bin::routes())
        .merge(bulk::routes())
        .merge(calendar::routes())
        .merge(export::routes())
        .merge(pickers::routes())
        .merge(views::routes())
}
