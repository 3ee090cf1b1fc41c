// SPDX-License-Identifier: EUPL-1.2
//! The trace of every change: who, when, from where, what, before and after (RG-070).
//! Never a password, a secret or a message's body.
mod entry;
mod history;
mod lines;
mod sentences;
#[cfg(test)]
mod tests;

pub use self::{
    entry::Entry,
    lines::{Change, Line, history_of},
    sentences::{sentence, title},
};
use crate::web::{Access, Right, Routes};

pub fn routes() -> Routes {
    Routes::default().get(
        "/campagnes/{id}/historique",
        Access::Campaign(Right::Audit),
        history::page,
    )
}
