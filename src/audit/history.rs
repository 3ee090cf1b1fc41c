// SPDX-License-Identifier: EUPL-1.2
//! `/campagnes/{id}/historique`: the audit of a campaign, filtered and paginated in the base (US-804).
use super::{
    filter::{self, Filter},
    lines::Line,
    sentences,
};
use crate::{
    campaigns::{Audit, Campaign, tabs},
    db::{Id, Read},
    web::{Form, Page, Result, Shell},
};
use askama::Template;
use axum::extract::{Path, RawQuery};
use sqlx::PgConnection;

#[derive(Template)]
#[template(path = "audit/history.html")]
pub struct History {
    shell: Shell,
    campaign: String,
    address: String,
    form: Form,
    authors: Vec<(String, String)>,
    actions: Vec<(String, String)>,
    objects: Vec<(String, String)>,
    lines: Vec<Line>,
    previous: Option<String>,
    next: Option<String>,
    is_filtered: bool,
}

pub async fn page(
    mut read: Read,
    Path(id): Path<Id<Campaign>>,
    RawQuery(query): RawQuery,
) -> Result<Page<History>> {
    let campaign = read.authorize(Audit, id).await?;
    let mut form = Form::parse(query.unwrap_or_default().as_bytes());
    let filter = Filter::parse(&mut form, Some(id));
    let address = campaign.path("historique");
    let page = filter::turned(read.conn(), &filter, &form, &address).await?;
    let (authors, actions, objects) = choices(read.conn(), id).await?;
    let shell = read
        .shell("Historique")
        .under("Campagnes", "/campagnes")
        .under(&campaign.name, campaign.url())
        .with_tabs(tabs(&campaign, read.user(), "historique"));
    let is_filtered = filter::is_filtered(&form);
    Ok(Page(History {
        shell,
        campaign: campaign.name.clone(),
        address,
        form,
        authors,
        actions,
        objects,
        lines: page.lines,
        previous: page.previous,
        next: page.next,
        is_filtered,
    }))
}

/// The choices of a list: value, label.
pub type Options = Vec<(String, String)>;

pub fn options<'a>(all: &str, known: impl Iterator<Item = (&'a str, &'a str)>) -> Options {
    let known = known.map(|(code, label)| (code.to_owned(), label.to_owned()));
    std::iter::once((String::new(), all.to_owned())).chain(known).collect()
}

/// The people who did something here; every action and object a campaign knows.
async fn choices(
    conn: &mut PgConnection,
    id: Id<Campaign>,
) -> sqlx::Result<(Options, Options, Options)> {
    let people = sqlx::query!(
        "select u.id, u.first_name, u.last_name from users u
         where exists (select 1 from audit_entries a where a.campaign_id = $1 and a.actor_id = u.id) order by u.name_norm, u.id",
        id.uuid()
    )
    .fetch_all(conn)
    .await?;
    let mut authors = options("Tous les auteurs", std::iter::empty());
    authors.extend(
        people.into_iter().map(|u| {
            (u.id.to_string(), crate::accounts::display_name(&u.first_name, &u.last_name))
        }),
    );
    authors.push(("programme".into(), "OpsTracker".into()));
    let of_campaigns = sentences::ACTIONS
        .iter()
        .filter(|a| NOUNS.iter().any(|noun| a.0.starts_with(noun)))
        .map(|a| (a.0, a.2));
    let objects = KINDS.map(|kind| (kind, sentences::object(kind))).into_iter();
    Ok((authors, options("Toutes les actions", of_campaigns), options("Tous les objets", objects)))
}

/// What a campaign is made of, in codes of actions and in kinds of objects.
const NOUNS: [&str; 11] = [
    "campaign.",
    "field.",
    "grant.",
    "segment.",
    "prerequisite.",
    "gate.",
    "document.",
    "view.",
    "operation",
    "import.",
    "bulk.",
];
const KINDS: [&str; 10] = [
    "campaign",
    "operation",
    "field",
    "segment",
    "prerequisite",
    "document",
    "view",
    "grant",
    "import",
    "bulk",
];
