// SPDX-License-Identifier: EUPL-1.2
//! Work done after the response: a table, a lock, a loop (docs/decisions/0003).
//! Jobs are queued in the transaction that needs them, carry identifiers and may run twice.
mod queue;
mod schedule;
mod worker;

pub use self::{
    queue::{Job, run_one},
    worker::{housekeeping, run},
};
