// SPDX-License-Identifier: EUPL-1.2
//! The factor of a person and the commands that change it.
use super::{seal, totp};
use crate::{
    accounts::{Account, Manage, User, account, sessions, tokens},
    audit::Entry,
    db::{Id, Tx},
    web::{Error, Result, auth::Allowed},
};
use anyhow::anyhow;
use chrono::{DateTime, Utc};
use serde_json::json;
use sqlx::PgConnection;

const CODES: usize = 10;
/// 160 bits, as RFC 4226 advises.
const SECRET: usize = 20;

/// What a person has.
#[derive(Default)]
pub struct State {
    pub confirmed_at: Option<DateTime<Utc>>,
    pub codes_left: i64,
}

impl State {
    pub fn is_on(&self) -> bool {
        self.confirmed_at.is_some()
    }
}

pub async fn state(conn: &mut PgConnection, user: Id<User>) -> sqlx::Result<State> {
    let row = sqlx::query!(
        r#"select confirmed_at, (select count(*) from recovery_codes c where c.user_id = f.user_id and used_at is null) as "codes_left!"
           from second_factors f where user_id = $1"#,
        user as _
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map_or_else(State::default, |row| State {
        confirmed_at: row.confirmed_at,
        codes_left: row.codes_left,
    }))
}

/// A new key that waits for its first code; an earlier one that waited is replaced.
///
/// # Errors
/// `Refused` when a factor is in use.
pub async fn begin(tx: &mut Tx, user: Id<User>) -> Result<()> {
    let mut secret = [0u8; SECRET];
    getrandom::fill(&mut secret).map_err(|err| anyhow!("no randomness: {err}"))?;
    let sealed = seal::seal(&tx.app().config, user.uuid(), &secret)?;
    let now = tx.now();
    let begun = sqlx::query!(
        "insert into second_factors (user_id, secret, created_at) values ($1, $2, $3)
         on conflict (user_id) do update set secret = $2, created_at = $3, last_step = 0 where second_factors.confirmed_at is null",
        user as _,
        sealed,
        now
    )
    .execute(tx.conn())
    .await?
    .rows_affected();
    if begun == 0 {
        return Err(Error::Refused("La double authentification est déjà active.".into()));
    }
    Ok(())
}

/// Forgets a key that waited.
pub async fn abandon(tx: &mut Tx, user: Id<User>) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from second_factors where user_id = $1 and confirmed_at is null",
        user as _
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The key to show during the enrolment; `None` once it is in use.
pub async fn waiting_secret(
    conn: &mut PgConnection,
    config: &crate::config::Config,
    user: Id<User>,
) -> Result<Option<Vec<u8>>> {
    let sealed = sqlx::query_scalar!(
        "select secret from second_factors where user_id = $1 and confirmed_at is null",
        user as _
    )
    .fetch_optional(conn)
    .await?;
    Ok(sealed.map(|sealed| seal::open(config, user.uuid(), &sealed)).transpose()?)
}

/// Locks the factor of a person and finds the step of the code typed; `None` when it is wrong.
async fn right_step(
    tx: &mut Tx,
    user: Id<User>,
    typed: &str,
    confirmed: bool,
) -> Result<Option<i64>> {
    let row = sqlx::query!(
        "select secret, last_step from second_factors where user_id = $1 and (confirmed_at is not null) = $2 for update",
        user as _,
        confirmed
    )
    .fetch_optional(tx.conn())
    .await?;
    let Some(row) = row else { return Ok(None) };
    match seal::open(&tx.app().config, user.uuid(), &row.secret) {
        Ok(secret) => Ok(totp::step_of(&secret, typed, tx.now(), row.last_step)),
        // The key was lost or changed: no code is right any more, a recovery code still is.
        Err(err) => {
            tracing::error!(error = ?err, "the secret of a second factor does not open");
            Ok(None)
        }
    }
}

/// The first right code puts the factor in use; returns the recovery codes, to be shown once.
pub async fn confirm(tx: &mut Tx, user: Id<User>, typed: &str) -> Result<Option<Vec<String>>> {
    let Some(step) = right_step(tx, user, typed, false).await? else { return Ok(None) };
    let now = tx.now();
    sqlx::query!(
        "update second_factors set confirmed_at = $2, last_step = $3 where user_id = $1",
        user as _,
        now,
        step
    )
    .execute(tx.conn())
    .await?;
    let codes = write_codes(tx, user).await?;
    tx.record(Entry::on("second_factor.enrolled", "user", user.uuid())).await?;
    account::notify(tx, user, "La double authentification a été activée sur votre compte.").await?;
    Ok(Some(codes))
}

/// Replaces the recovery codes: the former ones are of no use any more.
pub async fn renew_codes(tx: &mut Tx, user: Id<User>) -> Result<Vec<String>> {
    let codes = write_codes(tx, user).await?;
    tx.record(Entry::on("second_factor.codes_renewed", "user", user.uuid())).await?;
    Ok(codes)
}

async fn write_codes(tx: &mut Tx, user: Id<User>) -> Result<Vec<String>> {
    let codes = (0..CODES).map(|_| recovery_code()).collect::<anyhow::Result<Vec<_>>>()?;
    let hashes: Vec<Vec<u8>> = codes.iter().map(|code| tokens::hash(&bare(code))).collect();
    sqlx::query!("delete from recovery_codes where user_id = $1", user as _)
        .execute(tx.conn())
        .await?;
    sqlx::query!(
        "insert into recovery_codes (user_id, code_hash) select $1, unnest($2::bytea[])",
        user as _,
        &hashes
    )
    .execute(tx.conn())
    .await?;
    Ok(codes)
}

/// 80 random bits: « ABCD EFGH IJKL MNOP ».
fn recovery_code() -> anyhow::Result<String> {
    let mut bytes = [0u8; 10];
    getrandom::fill(&mut bytes).map_err(|err| anyhow!("no randomness: {err}"))?;
    Ok(totp::in_fours(&totp::base32(&bytes)))
}

/// As it is hashed: spaces, hyphens and case do not matter.
fn bare(code: &str) -> String {
    code.chars().filter(|c| c.is_ascii_alphanumeric()).collect::<String>().to_uppercase()
}

/// Whether what was typed is the code of the moment or an unused recovery code; either serves once.
pub async fn accepts(tx: &mut Tx, user: Id<User>, typed: &str) -> Result<bool> {
    if let Some(step) = right_step(tx, user, typed, true).await? {
        sqlx::query!(
            "update second_factors set last_step = $2 where user_id = $1",
            user as _,
            step
        )
        .execute(tx.conn())
        .await?;
        return Ok(true);
    }
    let now = tx.now();
    let used = sqlx::query!(
        "update recovery_codes set used_at = $3 where user_id = $1 and code_hash = $2 and used_at is null",
        user as _,
        tokens::hash(&bare(typed)),
        now
    )
    .execute(tx.conn())
    .await?
    .rows_affected();
    if used == 0 {
        return Ok(false);
    }
    let left = state(tx.conn(), user).await?.codes_left;
    tx.record(
        Entry::on("second_factor.code_used", "user", user.uuid())
            .changes(json!({ "codes_left": left })),
    )
    .await?;
    account::notify(tx, user, "Un code de récupération de votre compte a été utilisé.").await?;
    Ok(true)
}

/// Its owner gives the factor up.
///
/// # Errors
/// `Refused` when one of the person's roles requires it.
pub async fn remove(tx: &mut Tx, user: &User) -> Result<()> {
    if user.roles.iter().any(|role| tx.app().settings().requires_second_factor(role)) {
        return Err(Error::Refused(
            "L’un de vos rôles exige la double authentification : elle ne peut pas être retirée."
                .into(),
        ));
    }
    forget(tx, user.id).await?;
    tx.record(Entry::on("second_factor.removed", "user", user.id.uuid())).await?;
    account::notify(tx, user.id, "La double authentification a été retirée de votre compte.").await
}

/// An administrator resets the factor of somebody who has lost it: every session ends, and the
/// next sign-in asks for a new enrolment if a role requires one.
///
/// # Errors
/// `Refused` when there is none, and for one's own: giving it up asks for a code.
pub async fn reset(tx: &mut Tx, account: &Allowed<Manage, Account>) -> Result<()> {
    if account.id == tx.user()?.id {
        return Err(Error::Refused(
            "Retirez votre propre second facteur depuis « Mon profil », avec un code.".into(),
        ));
    }
    if forget(tx, account.id).await? == 0 {
        return Err(Error::Refused("Ce compte n’a pas de second facteur.".into()));
    }
    sessions::revoke(tx, account.id, None).await?;
    tx.record(Entry::on("second_factor.reset", "user", account.id.uuid())).await?;
    account::notify(
        tx,
        account.id,
        "Un administrateur a réinitialisé la double authentification de votre compte.",
    )
    .await
}

async fn forget(tx: &mut Tx, user: Id<User>) -> sqlx::Result<u64> {
    let done = sqlx::query!("delete from second_factors where user_id = $1", user as _)
        .execute(tx.conn())
        .await?;
    Ok(done.rows_affected())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recovery_code_is_read_however_it_is_typed() {
        let code = recovery_code().unwrap();
        assert_eq!(code.len(), 19, "{code}");
        assert_eq!(bare(&code.to_lowercase().replace(' ', "-")), bare(&code));
        assert_ne!(recovery_code().unwrap(), code);
    }
}
