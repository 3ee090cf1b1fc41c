// SPDX-License-Identifier: EUPL-1.2
//! The outbox of the instance: what left, what waits, what failed; the link of a message when
//! there is no relay to carry it (10-decisions 1).
use super::{
    Kind,
    deliver::{Link, fresh_link_in},
    render::{LINK, Letter},
};
use crate::{
    accounts::{User, links::discreet},
    audit::Entry,
    db::{Id, Read, Tx},
    web::{Error, Form, Page, Redirect, Result, Shell, format},
};
use askama::Template;
use axum::{extract::Path, extract::RawQuery, response::Response};
use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

const PER_PAGE: i64 = 50;

/// Code, French name, icon, colour class.
const STATES: [(&str, &str, &str, &str); 8] = [
    ("pending", "En attente", "clock", "todo"),
    ("sending", "En cours", "play", "in-progress"),
    ("sent", "Envoyé", "check", "done"),
    ("retrying", "Échec temporaire", "rotate", "postponed"),
    ("failed", "Échec", "octagon-alert", "blocked"),
    ("expired", "Périmé", "archive", "archived"),
    ("held", "Retenu", "pause", "postponed"),
    ("cancelled", "Annulé", "slash", "cancelled"),
];

pub struct Line {
    id: Uuid,
    kind: String,
    recipient: String,
    state: String,
    attempts: i32,
    error: Option<String>,
    created_at: DateTime<Utc>,
}

impl Line {
    fn kind(&self) -> &'static str {
        Kind::from_code(&self.kind).map_or("Message", Kind::label)
    }

    fn state(&self) -> (&'static str, &'static str, &'static str, &'static str) {
        STATES.into_iter().find(|(code, ..)| *code == self.state).unwrap_or(STATES[0])
    }

    fn has_link(&self) -> bool {
        Kind::from_code(&self.kind).is_some_and(|kind| kind.link().is_some())
    }

    fn may_retry(&self) -> bool {
        matches!(self.state.as_str(), "failed" | "retrying" | "expired")
    }

    fn may_cancel(&self) -> bool {
        matches!(self.state.as_str(), "pending" | "retrying" | "held")
    }
}

pub struct Count {
    code: &'static str,
    name: &'static str,
    icon: &'static str,
    class: &'static str,
    number: i64,
    current: bool,
}

#[derive(Template)]
#[template(path = "mail/index.html")]
struct Index {
    shell: Shell,
    counts: Vec<Count>,
    state: String,
    lines: Vec<Line>,
    next: Option<String>,
    first: bool,
    relay: bool,
    silent: Option<String>,
    now: DateTime<Utc>,
    here: String,
}

pub async fn page(mut read: Read, RawQuery(query): RawQuery) -> Result<Page<impl Template>> {
    let asked = Form::parse(query.as_deref().unwrap_or_default().as_bytes());
    let state = asked.text("etat");
    let counts = counts(&mut read, &state).await?;
    let state = counts.iter().find(|count| count.current).map_or("", |count| count.code).to_owned();
    let after: Option<Uuid> = asked.given("apres").and_then(|id| id.parse().ok());
    let mut lines = sqlx::query_as!(
        Line,
        "select id, kind, recipient, state, attempts, error, created_at from messages
         where ($1 = '' or state = $1)
           and ($2::uuid is null or (created_at, id) < (select created_at, id from messages where id = $2))
         order by created_at desc, id desc limit $3",
        state,
        after,
        PER_PAGE + 1
    )
    .fetch_all(read.conn())
    .await?;
    let more = lines.len() as i64 > PER_PAGE;
    lines.truncate(PER_PAGE as usize);
    let next = lines
        .last()
        .filter(|_| more)
        .map(|line| format!("/administration/messages?etat={state}&apres={}", line.id));
    let mailer = read.app().mailer.clone();
    Ok(Page(Index {
        shell: read.shell("Messages").under("Administration", "/administration"),
        here: query.map_or_else(
            || "/administration/messages".into(),
            |query| format!("/administration/messages?{query}"),
        ),
        counts,
        state,
        lines,
        next,
        first: after.is_none(),
        relay: mailer.is_configured(),
        silent: mailer.silent_since().map(format::hour),
        now: read.now(),
    }))
}

async fn counts(read: &mut Read, asked: &str) -> Result<Vec<Count>> {
    let found = sqlx::query!(r#"select state, count(*) as "number!" from messages group by state"#)
        .fetch_all(read.conn())
        .await?;
    let number =
        |code: &str| found.iter().find(|row| row.state == code).map_or(0, |row| row.number);
    Ok(STATES
        .into_iter()
        .map(|(code, name, icon, class)| Count {
            code,
            name,
            icon,
            class,
            number: number(code),
            current: code == asked,
        })
        .filter(|count| {
            count.number > 0
                || count.current
                || matches!(count.code, "pending" | "sent" | "retrying" | "failed")
        })
        .collect())
}

#[derive(Template)]
#[template(path = "mail/link.html")]
struct Shown {
    shell: Shell,
    recipient: String,
    subject: String,
    text: String,
    link: String,
    back: String,
}

struct Stored {
    kind: String,
    user: Option<Id<User>>,
    recipient: String,
    subject: String,
    body: String,
    state: String,
}

/// Locks the message, so that the worker and an administrator do not settle it together.
async fn stored(tx: &mut Tx, id: Uuid) -> Result<Stored> {
    Ok(sqlx::query_as!(
        Stored,
        r#"select kind, user_id as "user: Id<User>", recipient, subject, body, state from messages where id = $1 for update"#,
        id
    )
    .fetch_one(tx.conn())
    .await?)
}

/// A fresh working link, shown once and never stored; the former one dies, and the message will
/// not be sent: it would kill the link just given.
pub async fn show_link(mut tx: Tx, Path(id): Path<Uuid>, form: Form) -> Result<Response> {
    let stored = stored(&mut tx, id).await?;
    let kind = Kind::from_code(&stored.kind).ok_or(Error::NotFound)?;
    let link = match fresh_link_in(&mut tx, kind, stored.user).await? {
        Link::Made(link) => link,
        Link::None => {
            return Err(Error::Refused("Ce message ne contient pas de lien personnel.".into()));
        }
        Link::Useless(why) => {
            return Err(Error::Refused(format!("Aucun lien à afficher : {why}.")));
        }
    };
    if matches!(stored.state.as_str(), "pending" | "retrying" | "held") {
        settle(&mut tx, id, "cancelled", Some("lien remis par un administrateur")).await?;
    }
    tx.record(
        Entry::on("link.shown", "message", id)
            .changes(json!({ "kind": stored.kind, "user": stored.user })),
    )
    .await?;
    let letter = Letter {
        id,
        kind,
        recipient: &stored.recipient,
        subject: &stored.subject,
        body: &stored.body,
        link: Some(LINK),
    };
    let shell = {
        let visitor = tx.visitor().cloned().ok_or(Error::Forbidden)?;
        Shell::new(tx.app(), &visitor, "Lien personnel")
            .under("Administration", "/administration")
            .under("Messages", "/administration/messages")
    };
    let back = crate::web::local(form.given("retour").as_deref())
        .unwrap_or("/administration/messages")
        .to_owned();
    let page = Shown {
        shell,
        text: letter.text(),
        recipient: stored.recipient.clone(),
        subject: stored.subject.clone(),
        link,
        back,
    };
    tx.commit().await?;
    Ok(discreet(Page(page)))
}

pub async fn retry(mut tx: Tx, Path(id): Path<Uuid>, form: Form) -> Result<Redirect> {
    let stored = stored(&mut tx, id).await?;
    if !matches!(stored.state.as_str(), "failed" | "retrying" | "expired") {
        return Err(Error::Refused("Ce message n’attend pas de nouvel essai.".into()));
    }
    let now = tx.now();
    let kept =
        tx.now() + Kind::from_code(&stored.kind).map_or(chrono::Duration::hours(24), Kind::life);
    sqlx::query!(
        "update messages set state = 'pending', attempts = 0, error = null, next_attempt_at = $2, not_after = greatest(not_after, $3) where id = $1",
        id,
        now,
        kept
    )
    .execute(tx.conn())
    .await?;
    tx.record(
        Entry::on("message.retried", "message", id)
            .changes(json!({ "state": [stored.state, "pending"] })),
    )
    .await?;
    tx.commit().await?;
    Ok(Redirect::back(form.given("retour").as_deref(), "/administration/messages")
        .flash("Message remis dans la file d’envoi"))
}

pub async fn cancel(mut tx: Tx, Path(id): Path<Uuid>, form: Form) -> Result<Redirect> {
    let stored = stored(&mut tx, id).await?;
    if !matches!(stored.state.as_str(), "pending" | "retrying" | "held") {
        return Err(Error::Refused("Ce message n’est plus en attente.".into()));
    }
    settle(&mut tx, id, "cancelled", None).await?;
    tx.record(
        Entry::on("message.cancelled", "message", id)
            .changes(json!({ "state": [stored.state, "cancelled"] })),
    )
    .await?;
    tx.commit().await?;
    Ok(Redirect::back(form.given("retour").as_deref(), "/administration/messages")
        .flash("Message annulé"))
}

async fn settle(tx: &mut Tx, id: Uuid, state: &str, error: Option<&str>) -> sqlx::Result<()> {
    sqlx::query!("update messages set state = $2, error = $3 where id = $1", id, state, error)
        .execute(tx.conn())
        .await?;
    Ok(())
}
