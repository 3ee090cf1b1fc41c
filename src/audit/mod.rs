// SPDX-License-Identifier: EUPL-1.2
//! The trace of every change: who, when, from where, what, before and after (RG-070), chained and
//! signed (RG-073). Never a password, a secret or a message's body.
mod chain;
mod cli;
mod entry;
mod export;
mod filter;
mod history;
mod index;
mod lines;
mod personal;
mod sentences;
mod show;
#[cfg(test)]
mod tests;
mod verification;

pub use self::{
    chain::{DailyCheckpoint, SigningKey, every_ten_seconds as seal_every_ten_seconds},
    cli::Cli,
    entry::{Entry, Trace, only_changed, write_past},
    lines::{Change, Line, history_of, last_editor},
    personal::erase,
    sentences::{sentence, title},
    verification::Verify,
};
use crate::{
    accounts::Role,
    web::{Access, Right, Routes},
};

pub fn routes() -> Routes {
    let admin = Access::Roles(&[Role::Admin]);
    Routes::default()
        .get("/campagnes/{id}/historique", Access::Campaign(Right::Audit), history::page)
        .get("/administration/audit", admin, index::page)
        .get("/administration/audit/entrees/{seq}", admin, show::page)
        .post("/administration/audit/export", admin, export::create)
        .post("/administration/audit/verifications", admin, verification::create)
        .get("/administration/audit/verifications/{verification}", admin, verification::page)
}
