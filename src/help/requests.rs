// SPDX-License-Identifier: EUPL-1.2
//! « Demandes de contact », for administrators: what was asked, what is still to be answered.
use crate::{
    audit::Entry,
    db::{Read, Tx},
    web::{Error, Form, Page, Redirect, Result, Shell, format},
};
use askama::Template;
use axum::extract::{Path, RawQuery};
use chrono::{DateTime, Utc};
use uuid::Uuid;

const HERE: &str = "/administration/demandes";
const PER_PAGE: i64 = 20;

struct Line {
    id: Uuid,
    created_at: DateTime<Utc>,
    name: String,
    email: String,
    subject: String,
    body: String,
    handled_at: Option<DateTime<Utc>>,
    handled_by: Option<String>,
}

#[derive(Template)]
#[template(path = "help/requests.html")]
struct Requests {
    shell: Shell,
    lines: Vec<Line>,
    open: i64,
    next: Option<Uuid>,
    first: bool,
}

pub async fn page(mut read: Read, RawQuery(query): RawQuery) -> Result<Page<impl Template>> {
    let asked = Form::parse(query.as_deref().unwrap_or_default().as_bytes());
    let after: Option<Uuid> = asked.given("apres").and_then(|id| id.parse().ok());
    let mut lines = sqlx::query_as!(
        Line,
        r#"select r.id, r.created_at, r.name, r.email, r.subject, r.body, r.handled_at, u.first_name || ' ' || upper(u.last_name) as handled_by
           from contact_requests r left join users u on u.id = r.handled_by
           where $1::uuid is null or (r.created_at, r.id) < (select created_at, id from contact_requests where id = $1)
           order by r.created_at desc, r.id desc limit $2"#,
        after,
        PER_PAGE + 1
    )
    .fetch_all(read.conn())
    .await?;
    let open = sqlx::query_scalar!(
        r#"select count(*) as "n!" from contact_requests where handled_at is null"#
    )
    .fetch_one(read.conn())
    .await?;
    let more = lines.len() as i64 > PER_PAGE;
    lines.truncate(PER_PAGE as usize);
    let next = lines.last().filter(|_| more).map(|line| line.id);
    let shell = read.shell("Demandes de contact").under("Administration", "/administration");
    Ok(Page(Requests { shell, lines, open, next, first: after.is_none() }))
}

pub async fn handle(mut tx: Tx, Path(request): Path<Uuid>) -> Result<Redirect> {
    let (me, now) = (tx.user()?.id, tx.now());
    let done = sqlx::query!(
        "update contact_requests set handled_at = $2, handled_by = $3 where id = $1 and handled_at is null",
        request,
        now,
        me as _
    )
    .execute(tx.conn())
    .await?
    .rows_affected();
    if done == 0 {
        return Err(Error::NotFound);
    }
    tx.record(Entry::on("contact.handled", "contact_request", request)).await?;
    tx.commit().await?;
    Ok(Redirect::to(HERE).flash("Demande traitée"))
}
