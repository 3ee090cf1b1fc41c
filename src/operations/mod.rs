// SPDX-License-Identifier: EUPL-1.2
//! Operations: one target each, what happens to them, and the one function that changes a status (01 §3).
mod at;
mod commands;
mod dates;
mod event;
mod list;
mod model;
mod pickers;
mod transition;
mod undo;
pub mod values;

pub use self::{
    commands::{NewOperation, add_note, assign, create, edit, move_to_segment, plan, search_text},
    event::{Event, record},
    model::{Act, Edit, Operation, See, WorkOnSite, offered, technicians},
    transition::{Change, Outcome, correct, transition},
    undo::{undo, undoable},
};
use crate::web::{Access, Right, Routes};

pub fn routes() -> Routes {
    Routes::default()
        .get("/campagnes/{id}/operations", Access::Campaign(Right::View), list::page)
        .post("/campagnes/{id}/operations/colonnes", Access::Campaign(Right::View), list::choose_columns)
        .merge(pickers::routes())
}
