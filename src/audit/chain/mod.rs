// SPDX-License-Identifier: EUPL-1.2
//! The chain over the audit (03 §12.2): seals in an append-only table of their own, signed
//! checkpoints, and the walk that verifies both (docs/decisions/0010).
//!
//! Entries are never updated: what is learnt about them is written elsewhere.
mod checkpoint;
mod critical;
mod end;
mod form;
mod key;
mod ledger;
mod seal;
mod verify;

pub use self::{
    checkpoint::{
        Checkpoint, DailyCheckpoint, end_of_chain, last as last_checkpoint, on_demand as checkpoint,
    },
    form::{CONTENT_COLUMNS, Content, commitment, hex, instant},
    key::SigningKey,
    seal::{every_ten_seconds, seal},
    verify::{Outcome, Walk},
};
