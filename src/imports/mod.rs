// SPDX-License-Identifier: EUPL-1.2
//! Importing operations from a file of real life (03 §1, §2): received, analysed, mapped by a
//! person, checked line by line, confirmed, written all or nothing; undone as easily.
//!
//! Nothing is written to the campaign before « Importer ». Memory does not grow with the file.
mod analyse;
mod cells;
mod columns;
mod command;
mod commit;
mod compare;
mod differences;
mod files;
mod index;
mod job;
mod line;
mod logs;
mod mapping;
mod merge;
mod model;
mod preview;
mod receive;
#[cfg(test)]
mod reconcile_tests;
mod rows;
mod show;
mod staging;
mod stats;
#[cfg(test)]
mod tests;
mod undo;
mod upload;
mod validate;
mod write;

pub use self::{
    command::{Cli, Inspect},
    files::{forget_old as forget_old_files, store},
    job::{Work, run_stage},
    model::{Counters, Import, Stage, State},
    receive::receive,
};
use crate::web::{Access, Right, Routes};
use axum::{extract::DefaultBodyLimit, routing::post};

/// An upload with its multipart envelope (F-01).
const UPLOAD_LIMIT: usize = 54 << 20;

pub fn routes() -> Routes {
    let configure = Access::Campaign(Right::Configure);
    Routes::default()
        .get("/campagnes/{id}/assistant/2", configure, upload::wizard)
        .get("/campagnes/{id}/assistant/3", configure, upload::resume)
        .get("/campagnes/{id}/imports", configure, index::page)
        .get("/campagnes/{id}/imports/nouveau", configure, upload::page)
        .add(
            "POST",
            "/campagnes/{id}/imports",
            configure,
            post(upload::create).layer(DefaultBodyLimit::max(UPLOAD_LIMIT)),
        )
        .get("/campagnes/{id}/imports/{import}", configure, show::page)
        .get("/campagnes/{id}/imports/{import}/colonnes", configure, columns::page)
        .post("/campagnes/{id}/imports/{import}/colonnes", configure, columns::create)
        .post("/campagnes/{id}/imports/{import}/lecture", configure, columns::reread)
        .get("/campagnes/{id}/imports/{import}/apercu", configure, preview::page)
        .post("/campagnes/{id}/imports/{import}/apercu", configure, preview::create)
        .get("/campagnes/{id}/imports/{import}/differences", configure, differences::page)
        .post("/campagnes/{id}/imports/{import}/differences", configure, differences::choose)
        .post("/campagnes/{id}/imports/{import}/annulation", configure, show::cancel)
        .get("/campagnes/{id}/imports/{import}/journal.csv", configure, logs::issues)
        .get("/campagnes/{id}/imports/{import}/rejets.csv", configure, logs::rejects)
}
