// SPDX-License-Identifier: EUPL-1.2
//! The operations as a table that goes back to a spreadsheet (US-307, 03 §5.1): the rows of the
//! list, under its filters and in its order.
//!
//! A CSV is sent as it is read. A workbook is made in a file: at once when it is small, by a job
//! with a page of its own beyond [`AT_ONCE`] rows.
mod ask;
mod book;
mod columns;
mod download;
mod format;
mod job;
mod model;
mod plan;
mod show;

#[cfg(test)]
mod tests;

pub use self::{job::Make, model::forget_old};
use crate::web::{Access, Right, Routes};

/// Rows of a workbook made while its reader waits.
const AT_ONCE: u64 = 10_000;

pub fn routes() -> Routes {
    let access = Access::Campaign(Right::Export);
    Routes::default()
        .get("/campagnes/{id}/operations/export", access, ask::page)
        .post("/campagnes/{id}/operations/export", access, ask::create)
        .get("/campagnes/{id}/exports/{export}", access, show::page)
        .get("/campagnes/{id}/exports/{export}/fichier", access, download::file)
        .post("/campagnes/{id}/exports/{export}/annulation", access, show::cancel)
}
