// SPDX-License-Identifier: EUPL-1.2
//! Everything that happened in a campaign, page by page (US-609).
use super::{
    activity::{Feed, Kind, Line, Wanted, feed},
    figures,
};
use crate::{
    campaigns::{self, Campaign, View},
    db::{Id, Read},
    web::{Form, Page, Result, Shell, format},
};
use askama::Template;
use axum::extract::{Path, RawQuery};
use chrono::{DateTime, NaiveDate, Utc};

const LINES: i64 = 50;

#[derive(Template)]
#[template(path = "dashboard/activity_page.html")]
pub struct Activity {
    shell: Shell,
    lines: Vec<Line>,
    now: DateTime<Utc>,
    form: Form,
    kinds: Vec<(String, &'static str)>,
    people: Vec<(String, String)>,
    address: String,
    next: Option<String>,
    is_first: bool,
    is_filtered: bool,
}

pub async fn page(
    mut read: Read,
    Path(id): Path<Id<Campaign>>,
    RawQuery(query): RawQuery,
) -> Result<Page<Activity>> {
    let campaign = read.authorize(View, id).await?;
    let mut form = Form::parse(query.unwrap_or_default().as_bytes());
    let wanted = wanted(&mut form);
    let figures = figures(&mut read, id).await?;
    let Feed { lines, next } = feed(read.conn(), id, &wanted, LINES).await?;
    let mut shell = read
        .shell("Activité")
        .under("Campagnes", "/campagnes")
        .under(campaign.name.clone(), campaign.path("tableau-de-bord"))
        .with_tabs(campaigns::tabs(&campaign, read.user(), "activite"));
    if wanted.before.is_none() {
        shell = shell.live(format!("campagne-{id}"));
    }
    let address = campaign.path("activite");
    let kinds = std::iter::once((String::new(), "Tous"))
        .chain(Kind::ALL.map(|k| (k.code().to_owned(), k.label())))
        .collect();
    let people = std::iter::once((String::new(), "Tous".to_owned()))
        .chain(figures.team.iter().map(|m| (m.id.to_string(), m.name.clone())))
        .collect();
    let is_filtered = wanted.kind.is_some()
        || wanted.author.is_some()
        || wanted.from.is_some()
        || wanted.to.is_some();
    let next = next.map(|before| following(&address, &form, before));
    Ok(Page(Activity {
        shell,
        lines,
        now: read.now(),
        kinds,
        people,
        next,
        is_first: wanted.before.is_none(),
        is_filtered,
        address,
        form,
    }))
}

fn wanted(form: &mut Form) -> Wanted {
    Wanted {
        kind: Kind::from_code(form.raw("type")),
        author: form.raw("technicien").parse().ok(),
        from: day(form, "du"),
        to: day(form, "au"),
        before: form.raw("avant").parse().ok(),
    }
}

/// A date that cannot be read is told beside its field and filters nothing.
fn day(form: &mut Form, name: &str) -> Option<NaiveDate> {
    let text = form.given(name)?;
    let date = format::parse_date(&text);
    if date.is_none() {
        form.refuse(name, format!("Date invalide « {text} » (attendu : jj/mm/aaaa)"));
    }
    date
}

fn following(address: &str, form: &Form, before: i64) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in
        form.pairs().iter().filter(|(name, value)| name != "avant" && !value.is_empty())
    {
        query.append_pair(name, value);
    }
    query.append_pair("avant", &before.to_string());
    format!("{address}?{}", query.finish())
}
