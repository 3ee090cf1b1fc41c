// SPDX-License-Identifier: EUPL-1.2
//! Server-side sessions and « Rester connecté » (RG-007).
use super::{Roles, User, second_factor, tokens};
use crate::{
    app::App,
    audit::Entry,
    db::{Id, Tx},
    web::{Result, auth::Visitor, cookies, format},
};
use chrono::{DateTime, Duration, Utc};
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

/// Without use for this long, a session is over.
pub const IDLE: Duration = Duration::hours(8);
/// « Rester connecté ».
pub const REMEMBERED: Duration = Duration::days(30);
/// How long a tab that raced another may still show the token just replaced.
const GRACE: Duration = Duration::seconds(30);

/// « Rester connecté » in the dialog before the end: this request is a use; the answer is the new end.
pub async fn prolong(visitor: Visitor) -> String {
    visitor.session_ends.map(format::machine).unwrap_or_default()
}

pub struct Presented {
    pub session: Option<String>,
    pub remember: Option<String>,
}

#[derive(Default)]
pub struct Found {
    pub user: Option<User>,
    pub session: Option<Uuid>,
    /// When it ends if nothing more is asked; `None` when « Rester connecté » would open another.
    pub ends: Option<DateTime<Utc>>,
    /// `Set-Cookie` lines to add to the answer.
    pub cookies: Vec<String>,
}

/// Finds who holds these cookies.
pub async fn resume(app: &App, presented: &Presented, visitor: &Visitor) -> Result<Found> {
    if presented.session.is_none() && presented.remember.is_none() {
        return Ok(Found::default());
    }
    let mut conn = app.db.acquire().await?;
    if let Some(token) = &presented.session
        && let Some(found) = by_session(&mut conn, token, visitor.now, is_gesture(visitor)).await?
    {
        let ends = found.ends.filter(|_| presented.remember.is_none());
        return Ok(Found { ends, ..found });
    }
    let Some(token) = &presented.remember else {
        return Ok(Found {
            cookies: vec![cookies::forget_secret(app, "session")],
            ..Found::default()
        });
    };
    let remembered = by_remember(app, &mut conn, token, visitor).await?;
    drop(conn);
    match remembered {
        Remembered::Found(found) => return Ok(found),
        Remembered::Dead => {}
        Remembered::Stolen(user) => {
            let mut tx = Tx::begin_for(app, visitor).await?;
            tx.record(Entry::on("session.stolen", "user", user.uuid())).await?;
            tx.commit().await?;
        }
    }
    let forgotten = ["rester", "session"].map(|name| cookies::forget_secret(app, name));
    Ok(Found { cookies: forgotten.into(), ..Found::default() })
}

/// What a « Rester connecté » cookie leads to.
enum Remembered {
    Found(Found),
    Dead,
    /// Whose series was ended.
    Stolen(Id<User>),
}

/// A page that refreshes itself and a stream that reconnects are not the person: they do not keep
/// the session alive.
fn is_gesture(visitor: &Visitor) -> bool {
    !visitor.refresh && visitor.path != "/flux"
}

async fn by_session(
    conn: &mut PgConnection,
    token: &str,
    now: DateTime<Utc>,
    gesture: bool,
) -> sqlx::Result<Option<Found>> {
    let hash = tokens::hash(token);
    let row = sqlx::query!(
        r#"select s.id as session, s.seen_at, s.expires_at, u.id, u.email, u.first_name, u.last_name, u.roles, u.theme, u.start_page,
                  exists (select 1 from second_factors f where f.user_id = u.id and f.confirmed_at is not null) as "second_factor!"
           from sessions s join users u on u.id = s.user_id
           where s.token_hash = $1 and s.expires_at > $2 and u.active and u.security_stamp = s.security_stamp"#,
        hash,
        now
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let mut ends = row.expires_at;
    if gesture && now - row.seen_at > Duration::minutes(1) {
        sqlx::query!(
            "update sessions set seen_at = $2, expires_at = $3 where token_hash = $1",
            hash,
            now,
            now + IDLE
        )
        .execute(conn)
        .await?;
        ends = now + IDLE;
    }
    let user = User {
        id: row.id,
        email: row.email,
        first_name: row.first_name,
        last_name: row.last_name,
        roles: Roles::from(row.roles),
        theme: row.theme,
        start_page: row.start_page,
        second_factor: row.second_factor,
    };
    Ok(Some(Found {
        user: Some(user),
        session: Some(row.session),
        ends: Some(ends),
        cookies: Vec::new(),
    }))
}

/// A remembered browser opens a new session; its token is replaced. Any other secret of the series
/// coming back, however old, means that one was stolen: the whole series dies. The one just
/// replaced is allowed for [`GRACE`]. Who lacks the second factor that a role of theirs requires
/// must sign in and enrol.
async fn by_remember(
    app: &App,
    conn: &mut PgConnection,
    cookie: &str,
    visitor: &Visitor,
) -> sqlx::Result<Remembered> {
    let now = visitor.now;
    let Some((family, token)) = cookie.split_once('.') else { return Ok(Remembered::Dead) };
    let Ok(family) = family.parse::<Uuid>() else { return Ok(Remembered::Dead) };
    let hash = tokens::hash(token);
    let mut tx = conn.begin().await?;
    let row = sqlx::query!(
        "select f.token_hash = $2 as \"current!\", coalesce(f.former_hash = $2, false) as \"former!\", f.rotated_at, u.id as \"user_id: Id<User>\", u.security_stamp
         from remember_families f join users u on u.id = f.user_id
         where f.id = $1 and f.expires_at > $3 and u.active
         for update of f",
        family,
        hash,
        now
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(row) = row else { return Ok(Remembered::Dead) };
    let known = row.current || (row.former && now - row.rotated_at <= GRACE);
    if !known {
        tracing::warn!(%family, "a used « Rester connecté » token came back: series revoked");
        end_series(&mut tx, family).await?;
        tx.commit().await?;
        return Ok(Remembered::Stolen(row.user_id));
    }
    if second_factor::needed(&mut tx, app, row.user_id).await? == second_factor::Needed::Enrolment {
        end_series(&mut tx, family).await?;
        tx.commit().await?;
        return Ok(Remembered::Dead);
    }
    let Ok(session) = open(&mut tx, row.user_id, row.security_stamp, Some(family), visitor).await
    else {
        return Ok(Remembered::Dead);
    };
    let mut set = vec![cookies::secret(app, "session", &session, None)];
    if row.current
        && let Ok(next) = tokens::random()
    {
        sqlx::query!(
            "update remember_families set former_hash = token_hash, token_hash = $2, rotated_at = $3 where id = $1",
            family,
            tokens::hash(&next),
            now
        )
        .execute(&mut *tx)
        .await?;
        let next = format!("{}.{next}", family.simple());
        set.push(cookies::secret(app, "rester", &next, Some(REMEMBERED.num_days())));
    }
    let found = by_session(&mut tx, &session, now, true).await?.unwrap_or_default();
    tx.commit().await?;
    Ok(Remembered::Found(Found { ends: None, cookies: set, ..found }))
}

async fn end_series(conn: &mut PgConnection, family: Uuid) -> sqlx::Result<()> {
    sqlx::query!("delete from sessions where family_id = $1", family).execute(&mut *conn).await?;
    sqlx::query!("delete from remember_families where id = $1", family).execute(conn).await?;
    Ok(())
}

/// Opens a session; returns its secret.
pub async fn open(
    conn: &mut PgConnection,
    user: Id<User>,
    stamp: Uuid,
    family: Option<Uuid>,
    visitor: &Visitor,
) -> anyhow::Result<String> {
    let token = tokens::random()?;
    sqlx::query!(
        "insert into sessions (token_hash, user_id, security_stamp, created_at, seen_at, expires_at, family_id, ip, agent)
         values ($1, $2, $3, $4, $4, $5, $6, $7, $8)",
        tokens::hash(&token),
        user as _,
        stamp,
        visitor.now,
        visitor.now + IDLE,
        family,
        visitor.ip,
        visitor.user_agent,
    )
    .execute(conn)
    .await?;
    Ok(token)
}

/// Starts a « Rester connecté » series; returns its identifier and its first cookie, `series.secret`.
pub async fn remember(
    conn: &mut PgConnection,
    user: Id<User>,
    visitor: &Visitor,
) -> anyhow::Result<(Uuid, String)> {
    let (id, token) = (Uuid::now_v7(), tokens::random()?);
    sqlx::query!(
        "insert into remember_families (id, user_id, token_hash, rotated_at, expires_at, ip, agent) values ($1, $2, $3, $4, $5, $6, $7)",
        id,
        user as _,
        tokens::hash(&token),
        visitor.now,
        visitor.now + REMEMBERED,
        visitor.ip,
        visitor.user_agent
    )
    .execute(conn)
    .await?;
    Ok((id, format!("{}.{token}", id.simple())))
}

/// Ends one session, and the series it came from.
pub async fn close(conn: &mut PgConnection, session: Uuid) -> sqlx::Result<()> {
    let family =
        sqlx::query_scalar!("delete from sessions where id = $1 returning family_id", session)
            .fetch_optional(&mut *conn)
            .await?
            .flatten();
    if let Some(family) = family {
        end_series(conn, family).await?;
    }
    Ok(())
}

/// Ends a session of this person, or a remembered browser that has none; `false` when it is not theirs.
pub async fn close_own(conn: &mut PgConnection, user: Id<User>, id: Uuid) -> sqlx::Result<bool> {
    let session = sqlx::query_scalar!(
        "select id from sessions where id = $1 and user_id = $2",
        id,
        user as _
    )
    .fetch_optional(&mut *conn)
    .await?;
    if let Some(session) = session {
        close(conn, session).await?;
        return Ok(true);
    }
    let family = sqlx::query_scalar!(
        "select id from remember_families where id = $1 and user_id = $2",
        id,
        user as _
    )
    .fetch_optional(&mut *conn)
    .await?;
    match family {
        Some(family) => end_series(conn, family).await.map(|()| true),
        None => Ok(false),
    }
}

/// Ends every session of a person but `keep`, which stays remembered if it was: the new security
/// stamp, returned, is a dead session everywhere else.
pub async fn revoke(tx: &mut Tx, user: Id<User>, keep: Option<Uuid>) -> sqlx::Result<Uuid> {
    let stamp = Uuid::new_v4();
    sqlx::query!("update users set security_stamp = $2 where id = $1", user as _, stamp)
        .execute(tx.conn())
        .await?;
    sqlx::query!(
        "delete from remember_families
         where user_id = $1 and id is distinct from (select family_id from sessions where id = $2 and user_id = $1)",
        user as _,
        keep
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "delete from sessions where user_id = $1 and id is distinct from $2",
        user as _,
        keep
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!("update sessions set security_stamp = $2 where user_id = $1", user as _, stamp)
        .execute(tx.conn())
        .await?;
    Ok(stamp)
}
