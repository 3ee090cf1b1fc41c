// SPDX-License-Identifier: EUPL-1.2
//! The two ways to reach the database: [`Read`] to show things, [`Tx`] to change them.
mod id;
mod migrate;
mod read;
mod tx;

use sqlx::{Connection, PgConnection, Postgres, postgres::PgArguments, query::Query};

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

/// Runs one statement, and goes on without it when a unique constraint refuses it: `false`, and the
/// transaction is as before.
///
/// # Errors
/// Any other refusal of the base.
pub async fn unless_taken(
    conn: &mut PgConnection,
    statement: Query<'_, Postgres, PgArguments>,
) -> sqlx::Result<bool> {
    let mut attempt = conn.begin().await?;
    match statement.execute(&mut *attempt).await {
        Ok(_) => attempt.commit().await.map(|()| true),
        Err(err) if sqlstate(&err).as_deref() == Some("23505") => {
            attempt.rollback().await.map(|()| false)
        }
        Err(err) => Err(err),
    }
}
