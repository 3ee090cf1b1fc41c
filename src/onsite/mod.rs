// SPDX-License-Identifier: EUPL-1.2
//! « Mes interventions »: the technician's screens (01 §4, 05 §7).
//!
//! Only his own operations, of live campaigns; opening a page writes nothing.
mod gesture;
mod list;
mod note;
mod plan;
mod show;
mod status;
mod visit;

#[cfg(test)]
mod tests;

pub use self::show::refused_tick;

use crate::{
    accounts::Role,
    web::{Access, Routes},
};

const TECHNICIAN: Access = Access::Roles(&[Role::Technician]);

pub fn routes() -> Routes {
    Routes::default()
        .get("/terrain", TECHNICIAN, list::page)
        .get("/terrain/{op}", Access::OwnOperation, show::page)
        .get("/terrain/{op}/statut/{transition}", Access::OwnOperation, status::page)
        .post("/terrain/{op}/statut", Access::OwnOperation, status::create)
        .post("/terrain/{op}/annulation", Access::OwnOperation, status::undo)
        .post("/terrain/{op}/notes", Access::OwnOperation, note::create)
}
