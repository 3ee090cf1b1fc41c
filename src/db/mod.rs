// SPDX-License-Identifier: EUPL-1.2
//! The two ways to reach the database: [`Read`] to show things, [`Tx`] to change them.
mod id;
mod migrate;
mod read;
mod tx;

pub use self::{
    id::Id,
    migrate::{MIGRATOR, migrate},
    read::Read,
    tx::{Actor, PublicTx, Tx},
};

/// The SQLSTATE of a refusal by the database, when `error` is one: `23505` for a duplicate,
/// `OT001`… for the rules of our own triggers (`migrations/`).
pub fn sqlstate(error: &sqlx::Error) -> Option<String> {
    error.as_database_error().and_then(|e| e.code()).map(|code| code.into_owned())
}
