// SPDX-License-Identifier: EUPL-1.2
//! Between the right password and the second step: a secret of ten minutes in a cookie, no session.
use super::model;
use crate::{
    accounts::{Role, User, tokens},
    app::App,
    audit::Entry,
    db::{Id, Tx},
    web::{Error, Redirect, Result, auth::Visitor, cookies},
};
use axum::http::HeaderMap;
use chrono::Duration;
use sqlx::PgConnection;
use uuid::Uuid;

const LIFE: Duration = Duration::minutes(10);
const COOKIE: &str = "etape";

/// What is asked after the password.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Needed {
    Nothing,
    Code,
    /// One of the roles requires a factor that the person does not have yet.
    Enrolment,
}

pub async fn needed(conn: &mut PgConnection, app: &App, user: Id<User>) -> sqlx::Result<Needed> {
    let row = sqlx::query!(
        r#"select roles, exists (select 1 from second_factors f where f.user_id = id and f.confirmed_at is not null) as "has!" from users where id = $1"#,
        user as _
    )
    .fetch_one(conn)
    .await?;
    let settings = app.settings();
    let required = Role::ALL.into_iter().any(|role| {
        settings.requires_second_factor(role) && row.roles.iter().any(|r| r == role.code())
    });
    Ok(match (row.has, required) {
        (true, _) => Needed::Code,
        (false, true) => Needed::Enrolment,
        (false, false) => Needed::Nothing,
    })
}

/// Notes that the password was right and leads to the second step.
pub async fn wait(
    tx: &mut Tx,
    user: Id<User>,
    stamp: Uuid,
    stay: bool,
    back: Option<&str>,
    needed: Needed,
) -> Result<Redirect> {
    let (app, now) = (tx.app().clone(), tx.now());
    let token = tokens::random()?;
    sqlx::query!("delete from pending_sign_ins where expires_at < $1", now)
        .execute(tx.conn())
        .await?;
    sqlx::query!(
        "insert into pending_sign_ins (token_hash, user_id, security_stamp, stay, back, expires_at) values ($1, $2, $3, $4, $5, $6)",
        tokens::hash(&token),
        user as _,
        stamp,
        stay,
        back,
        now + LIFE
    )
    .execute(tx.conn())
    .await?;
    tx.record(Entry::on("session.half_opened", "user", user.uuid())).await?;
    let to = if needed == Needed::Code {
        "/connexion/code"
    } else {
        model::begin(tx, user).await?;
        "/connexion/double-authentification"
    };
    Ok(Redirect::to(to)
        .cookie(cookies::secret(&app, COOKIE, &token, None))
        .cookie(cookies::forget("flash")))
}

/// Who has given the right password and must do one thing more.
pub struct Pending {
    pub token_hash: Vec<u8>,
    pub user: Id<User>,
    pub stamp: Uuid,
    pub stay: bool,
    pub back: Option<String>,
    pub email: String,
}

/// The pending sign-in of this browser; what changed the account's security meanwhile ended it.
///
/// # Errors
/// The base fails.
pub async fn look(
    app: &App,
    headers: &HeaderMap,
    visitor: &Visitor,
) -> sqlx::Result<Option<Pending>> {
    let Some(token) = cookies::read(headers, &cookies::name(app, COOKIE)) else { return Ok(None) };
    sqlx::query_as!(
        Pending,
        r#"select p.token_hash, p.user_id as "user: Id<User>", p.security_stamp as stamp, p.stay, p.back, u.email
           from pending_sign_ins p join users u on u.id = p.user_id
           where p.token_hash = $1 and p.expires_at > $2 and u.active and u.security_stamp = p.security_stamp"#,
        tokens::hash(&token),
        visitor.now
    )
    .fetch_optional(&app.db)
    .await
}

/// Ends the pending sign-in: of two requests, one finds it.
///
/// # Errors
/// `Forbidden` when it was already used.
pub async fn consume(tx: &mut Tx, pending: &Pending) -> Result<()> {
    let ended =
        sqlx::query!("delete from pending_sign_ins where token_hash = $1", pending.token_hash)
            .execute(tx.conn())
            .await?
            .rows_affected();
    if ended == 0 { Err(Error::Forbidden) } else { Ok(()) }
}

pub fn forget_cookie(app: &App) -> String {
    cookies::forget_secret(app, COOKIE)
}
