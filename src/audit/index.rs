// SPDX-License-Identifier: EUPL-1.2
//! `/administration/audit`: the whole audit, filtered and paginated in the base (US-804).
use super::{
    chain,
    filter::{self, Filter},
    history::{Options, options},
    lines::Line,
    sentences,
    verification::Verification,
};
use crate::{
    db::Read,
    web::{Form, Page, Result, Shell, format},
};
use askama::Template;
use axum::extract::RawQuery;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

pub const ADDRESS: &str = "/administration/audit";

#[derive(Template)]
#[template(path = "audit/index.html")]
pub struct Index {
    shell: Shell,
    address: &'static str,
    form: Form,
    authors: Options,
    actions: Options,
    objects: Options,
    lines: Vec<Line>,
    previous: Option<String>,
    next: Option<String>,
    is_filtered: bool,
    /// The filters, for the export.
    query: String,
    sealed: i64,
    signed: Option<DateTime<Utc>>,
    last: Option<Verification>,
}

pub async fn page(mut read: Read, RawQuery(query): RawQuery) -> Result<Page<Index>> {
    let mut form = Form::parse(query.unwrap_or_default().as_bytes());
    let filter = Filter::parse(&mut form, None);
    let page = filter::turned(read.conn(), &filter, &form, ADDRESS).await?;
    let authors = authors(read.conn()).await?;
    let (sealed, _) = chain::end_of_chain(read.conn()).await?;
    let signed = chain::last_checkpoint(read.conn()).await?.map(|c| c.at);
    let last = Verification::last(read.conn()).await?;
    let shell = read.shell("Journal d’audit").under("Administration", "/administration");
    Ok(Page(Index {
        shell,
        address: ADDRESS,
        authors,
        actions: options("Toutes les actions", sentences::ACTIONS.iter().map(|a| (a.0, a.2))),
        objects: options(
            "Tous les objets",
            sentences::OBJECTS.iter().map(|kind| (*kind, sentences::object(kind))),
        ),
        lines: page.lines,
        previous: page.previous,
        next: page.next,
        is_filtered: filter::is_filtered(&form),
        query: filter::query(&form),
        form,
        sealed,
        signed,
        last,
    }))
}

/// Everybody who has an account and did something.
async fn authors(conn: &mut PgConnection) -> sqlx::Result<Options> {
    let people = sqlx::query!(
        "select u.id, u.first_name, u.last_name from users u
         where exists (select 1 from audit_entries a where a.actor_id = u.id) order by u.name_norm, u.id"
    )
    .fetch_all(conn)
    .await?;
    let mut all = vec![(String::new(), "Tous les auteurs".to_owned())];
    all.extend(
        people.into_iter().map(|u| {
            (u.id.to_string(), crate::accounts::display_name(&u.first_name, &u.last_name))
        }),
    );
    all.push(("programme".into(), "OpsTracker".into()));
    Ok(all)
}
