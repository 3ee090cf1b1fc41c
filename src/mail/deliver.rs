// SPDX-License-Identifier: EUPL-1.2
//! The worker's gesture of each second: what is due leaves, one message at a time (03 §10.1).
//!
//! A message is claimed for ten minutes (`sending`), so that several workers never send the same
//! one and a crash leaves it to be claimed again, under the same `Message-ID`.
use super::{Kind, render::Letter, transport::Answer};
use crate::{
    accounts::{User, links},
    app::App,
    audit::Entry,
    db::{Actor, Id, Tx},
};
use chrono::{DateTime, Duration, Utc};
use serde_json::json;
use uuid::Uuid;

/// A tick of one second sends at most this many.
const PER_TICK: usize = 10;
const LEASE: Duration = Duration::minutes(10);
/// Minutes before each new attempt; the last one repeats, until a day of refusals.
const BACK_OFF: [i64; 5] = [1, 5, 15, 60, 240];
const REFUSALS: i64 = 24 * 60;

pub async fn deliver_due(app: &App, now: DateTime<Utc>) -> anyhow::Result<()> {
    expire(app, now).await?;
    if !app.mailer.is_configured() || app.mailer.is_paused(now) {
        return Ok(());
    }
    for _ in 0..PER_TICK {
        if app.stopping.is_cancelled() {
            break;
        }
        let Some(message) = claim(app, now).await? else { break };
        if !deliver(app, &message, now).await? {
            break;
        }
    }
    Ok(())
}

async fn expire(app: &App, now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query!("update messages set state = 'expired' where state in ('pending', 'sending', 'retrying') and not_after <= $1 and (state <> 'sending' or next_attempt_at <= $1)", now)
        .execute(&app.db)
        .await?;
    Ok(())
}

struct Claimed {
    id: Uuid,
    kind: String,
    user: Option<Id<User>>,
    recipient: String,
    subject: String,
    body: String,
    attempts: i32,
}

async fn claim(app: &App, now: DateTime<Utc>) -> sqlx::Result<Option<Claimed>> {
    sqlx::query_as!(
        Claimed,
        r#"update messages set state = 'sending', attempts = attempts + 1, next_attempt_at = $2
           where id = (select id from messages where state in ('pending', 'sending', 'retrying') and next_attempt_at <= $1 and not_after > $1
                       order by next_attempt_at, id limit 1 for update skip locked)
           returning id, kind, user_id as "user: Id<User>", recipient, subject, body, attempts"#,
        now,
        now + LEASE
    )
    .fetch_optional(&app.db)
    .await
}

/// `false` when the relay is silent and the queue waits.
async fn deliver(app: &App, claimed: &Claimed, now: DateTime<Utc>) -> anyhow::Result<bool> {
    let Some(kind) = Kind::from_code(&claimed.kind) else {
        settle(app, claimed.id, "failed", Some("type de message inconnu"), now).await?;
        return Ok(true);
    };
    let link = match fresh_link(app, kind, claimed.user, now).await? {
        Link::None => None,
        Link::Made(link) => Some(link),
        Link::Useless(why) => {
            settle(app, claimed.id, "cancelled", Some(why), now).await?;
            return Ok(true);
        }
    };
    let letter = Letter {
        id: claimed.id,
        kind,
        recipient: &claimed.recipient,
        subject: &claimed.subject,
        body: &claimed.body,
        link: link.as_deref(),
    };
    let Some((from, host)) = app.mailer.sender() else { return Ok(false) };
    let answer = match letter.build(from, &app.settings(), host) {
        Ok(message) => app.mailer.send(message).await,
        Err(err) => Answer::Refused(format!("message impossible à composer : {err}")),
    };
    if !matches!(answer, Answer::Unreachable(_)) {
        app.mailer.resume();
    }
    match answer {
        Answer::Accepted => settle(app, claimed.id, "sent", None, now).await?,
        Answer::Refused(told) => settle(app, claimed.id, "failed", Some(&told), now).await?,
        Answer::Later(told) => match delay(claimed.attempts) {
            Some(delay) => postpone(app, claimed.id, "retrying", &told, now + delay, 0).await?,
            None => settle(app, claimed.id, "failed", Some(&told), now).await?,
        },
        Answer::Unreachable(told) => {
            tracing::warn!(error = %told, "mail relay unreachable, the queue waits a minute");
            app.mailer.pause(now);
            let state = if claimed.attempts > 1 { "retrying" } else { "pending" };
            postpone(app, claimed.id, state, &told, now, 1).await?;
            return Ok(false);
        }
    }
    Ok(true)
}

/// The wait after this many attempts; `None` after a day of refusals.
fn delay(attempts: i32) -> Option<Duration> {
    let minutes = |n: i32| BACK_OFF[usize::try_from(n - 1).unwrap_or(0).min(BACK_OFF.len() - 1)];
    let total: i64 = (1..=attempts).map(minutes).sum();
    (total <= REFUSALS).then(|| Duration::minutes(minutes(attempts)))
}

pub(super) enum Link {
    None,
    Made(String),
    /// The message has nothing to offer any more.
    Useless(&'static str),
}

/// A new link for this message, its former one dead (03 §8.3); the making is traced, not the link.
pub(super) async fn fresh_link(
    app: &App,
    kind: Kind,
    user: Option<Id<User>>,
    now: DateTime<Utc>,
) -> anyhow::Result<Link> {
    let mut tx = Tx::begin(app, Actor::System, now).await?;
    let link = fresh_link_in(&mut tx, kind, user).await?;
    match link {
        Link::Made(_) => tx.commit().await?,
        _ => tx.commit_quietly("no link was made").await?,
    }
    Ok(link)
}

pub(super) async fn fresh_link_in(
    tx: &mut Tx,
    kind: Kind,
    user: Option<Id<User>>,
) -> anyhow::Result<Link> {
    let Some(purpose) = kind.link() else { return Ok(Link::None) };
    let Some(user) = user else { return Ok(Link::Useless("sans destinataire")) };
    let facts = sqlx::query!(
        r#"select active, password_hash is not null as "has_password!" from users where id = $1"#,
        user as _
    )
    .fetch_one(tx.conn())
    .await?;
    if !facts.active {
        return Ok(Link::Useless("le compte est désactivé"));
    }
    if kind == Kind::AccountCreated && facts.has_password {
        return Ok(Link::Useless("le compte est déjà activé"));
    }
    let (app, now) = (tx.app().clone(), tx.now());
    let link = links::issue(tx.conn(), &app, purpose, Some(user), now).await?;
    tx.record(
        Entry::on("link.issued", "user", user.uuid()).changes(json!({ "purpose": purpose.code() })),
    )
    .await?;
    Ok(Link::Made(link))
}

/// Sends a message of trial at once; whether the relay took it, and what it said, in French.
pub async fn try_relay(app: &App, recipient: &str) -> (bool, String) {
    let letter = Letter {
        id: Uuid::now_v7(),
        kind: Kind::ContactRequest,
        recipient,
        subject: "[OpsTracker] Message d’essai",
        body: "Bonjour,\n\nCe message d’essai a été demandé par un administrateur. S’il vous parvient, le relais de messagerie fonctionne.",
        link: None,
    };
    let Some((from, host)) = app.mailer.sender() else {
        return (false, "Aucun relais n’est configuré.".into());
    };
    let answer = match letter.build(from, &app.settings(), host) {
        Ok(message) => app.mailer.send(message).await,
        Err(err) => Answer::Refused(format!("message impossible à composer : {err}")),
    };
    match answer {
        Answer::Accepted => {
            app.mailer.resume();
            (true, format!("Le relais a accepté le message pour {recipient}."))
        }
        Answer::Later(told) => (false, format!("Le relais refuse pour l’instant : {told}")),
        Answer::Refused(told) => (false, format!("Le relais a refusé le message : {told}")),
        Answer::Unreachable(told) => (false, format!("Le relais ne répond pas : {told}")),
    }
}

async fn settle(
    app: &App,
    id: Uuid,
    state: &str,
    error: Option<&str>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update messages set state = $2, error = $3, sent_at = case when $2 = 'sent' then $4::timestamptz end where id = $1 and state = 'sending'",
        id,
        state,
        error,
        now
    )
    .execute(&app.db)
    .await?;
    Ok(())
}

/// Back in the queue; `uncounted` attempts met no relay.
async fn postpone(
    app: &App,
    id: Uuid,
    state: &str,
    error: &str,
    at: DateTime<Utc>,
    uncounted: i32,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update messages set state = $2, error = $3, next_attempt_at = $4, attempts = attempts - $5 where id = $1 and state = 'sending'",
        id,
        state,
        error,
        at,
        uncounted
    )
    .execute(&app.db)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::delay;

    #[test]
    fn retries_space_out_and_end_after_a_day() {
        let minutes: Vec<Option<i64>> =
            (1..=10).map(|n| delay(n).map(|d| d.num_minutes())).collect();
        assert_eq!(minutes[..6], [Some(1), Some(5), Some(15), Some(60), Some(240), Some(240)]);
        assert_eq!(minutes[8..], [Some(240), None]);
    }
}
