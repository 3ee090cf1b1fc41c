// SPDX-License-Identifier: EUPL-1.2
//! One-time links of accounts (RG-009): only their hash is stored, a GET consumes nothing,
//! a later link kills the former.
use super::{User, throttle, tokens};
use crate::{
    app::App,
    audit::Entry,
    db::{Id, Tx},
    web::{Error, Result, auth::Visitor},
};
use axum::{
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Duration, Utc};
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// First administrator of an empty instance (RG-008).
    Setup,
    Activation,
    Reset,
}

impl Purpose {
    pub fn code(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::Activation => "activation",
            Self::Reset => "reset",
        }
    }

    fn life(self) -> Duration {
        match self {
            Self::Setup => Duration::hours(24),
            Self::Activation => Duration::hours(72),
            Self::Reset => Duration::hours(1),
        }
    }

    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Setup => "installation",
            Self::Activation => "activation",
            Self::Reset => "mot-de-passe",
        }
    }

    /// What the page of a dead link advises.
    fn advice(self) -> &'static str {
        match self {
            Self::Setup => "Redémarrez le programme : il affichera un nouveau lien.",
            Self::Activation => "Demandez un nouveau lien à votre administrateur.",
            Self::Reset => "Demandez un nouveau lien depuis la page « Mot de passe oublié ».",
        }
    }
}

/// Makes a link and gives its address; every former link of this person dies.
///
/// # Errors
/// The base fails, or the system has no source of randomness.
pub async fn issue(
    conn: &mut PgConnection,
    app: &App,
    purpose: Purpose,
    user: Option<Id<User>>,
    now: DateTime<Utc>,
) -> anyhow::Result<String> {
    let token = tokens::random()?;
    revoke(&mut *conn, user, now).await?;
    sqlx::query!(
        "insert into one_time_links (id, purpose, user_id, token_hash, created_at, expires_at) values ($1, $2, $3, $4, $5, $6)",
        Uuid::now_v7(),
        purpose.code(),
        user as _,
        tokens::hash(&token),
        now,
        now + purpose.life()
    )
    .execute(conn)
    .await?;
    Ok(format!("{}/{}/{token}", app.config.public_url, purpose.path()))
}

/// Kills the living links of this person (of the set-up, for nobody).
pub async fn revoke(
    conn: &mut PgConnection,
    user: Option<Id<User>>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update one_time_links set consumed_at = $2 where user_id is not distinct from $1 and consumed_at is null",
        user as _,
        now
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Whom a living link is for; nothing is consumed. `None` inside for the set-up.
///
/// # Errors
/// `DeadLink` when it is unknown, used, replaced or too old; `TooMany` for who tries many.
pub async fn look(
    app: &App,
    visitor: &Visitor,
    purpose: Purpose,
    token: &str,
) -> Result<Option<Id<User>>> {
    let mut conn = app.db.acquire().await?;
    let found = sqlx::query_scalar!(
        r#"select l.user_id as "user: Id<User>" from one_time_links l left join users u on u.id = l.user_id
           where l.purpose = $1 and l.token_hash = $2 and l.consumed_at is null and l.expires_at > $3 and coalesce(u.active, true)"#,
        purpose.code(),
        tokens::hash(token),
        visitor.now
    )
    .fetch_optional(&mut *conn)
    .await?;
    match found {
        Some(user) => Ok(user),
        None => Err(unknown(&mut conn, visitor, purpose).await?),
    }
}

/// Consumes a link, with its trace: of two requests, one finds it living.
///
/// # Errors
/// `DeadLink` as for [`look`].
pub async fn consume(tx: &mut Tx, purpose: Purpose, token: &str) -> Result<()> {
    let now = tx.now();
    let user = sqlx::query_scalar!(
        r#"update one_time_links set consumed_at = $3
           where purpose = $1 and token_hash = $2 and consumed_at is null and expires_at > $3 returning user_id as "user: Id<User>""#,
        purpose.code(),
        tokens::hash(token),
        now
    )
    .fetch_optional(tx.conn())
    .await?
    .ok_or(Error::DeadLink(purpose.advice()))?;
    let entry = match user {
        Some(user) => Entry::on("link.used", "user", user.uuid()),
        None => Entry::about("link.used", "instance"),
    };
    tx.record(entry.changes(json!({ "purpose": purpose.code() }))).await?;
    Ok(())
}

/// Unknown personal tokens: 30 in five minutes from one network (RG-006).
async fn unknown(
    conn: &mut PgConnection,
    visitor: &Visitor,
    purpose: Purpose,
) -> sqlx::Result<Error> {
    let key = throttle::network(&visitor.full_ip);
    let wait =
        throttle::count(conn, "unknown-token", &key, 30, Duration::minutes(5), visitor.now).await?;
    Ok(wait.map_or(Error::DeadLink(purpose.advice()), Error::TooMany))
}

/// A page whose address carries a token: told to no other, kept by nobody, unknown to engines.
pub fn discreet(page: impl IntoResponse) -> Response {
    let mut response = page.into_response();
    let headers = response.headers_mut();
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex"));
    response
}
