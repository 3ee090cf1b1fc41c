// SPDX-License-Identifier: EUPL-1.2
//! `/campagnes/{id}/historique`: the audit of a campaign, filtered and paginated in the base (US-804).
use super::{
    lines::{Author, Filter, From, Line, of_campaign},
    sentences,
};
use crate::{
    campaigns::{Audit, Campaign, tabs},
    db::{Id, Read},
    web::{Form, Page, Result, Shell, format},
};
use askama::Template;
use axum::extract::{Path, RawQuery};
use sqlx::PgConnection;

const ROWS: usize = 50;

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
    let filter = parse(&mut form);
    let from = start(&form);
    // A wrong date shows its error, not rows that ignore it.
    let mut lines = if form.is_valid() {
        of_campaign(read.conn(), id, &filter, from, ROWS as i64 + 1).await?
    } else {
        Vec::new()
    };
    let more = lines.len() > ROWS;
    match from {
        From::NewerThan(_) if more => drop(lines.remove(0)),
        _ => lines.truncate(ROWS),
    }
    let address = campaign.path("historique");
    let newer = matches!(from, From::OlderThan(_)) || (matches!(from, From::NewerThan(_)) && more);
    let older = matches!(from, From::NewerThan(_)) || more;
    let link = |name, line: Option<&Line>| line.map(|line| turn(&address, &form, name, line.seq));
    let (previous, next) = (
        link("apres", lines.first().filter(|_| newer)),
        link("avant", lines.last().filter(|_| older)),
    );
    let (authors, actions, objects) = choices(read.conn(), id).await?;
    let shell = read
        .shell("Historique")
        .under("Campagnes", "/campagnes")
        .under(&campaign.name, campaign.url())
        .with_tabs(tabs(&campaign, read.user(), "historique"));
    let is_filtered = form
        .pairs()
        .iter()
        .any(|(name, value)| FILTERS.contains(&name.as_str()) && !value.is_empty());
    Ok(Page(History {
        shell,
        campaign: campaign.name.clone(),
        address,
        form,
        authors,
        actions,
        objects,
        lines,
        previous,
        next,
        is_filtered,
    }))
}

const FILTERS: [&str; 5] = ["auteur", "action", "objet", "du", "au"];

fn parse(form: &mut Form) -> Filter {
    let author = match form.raw("auteur") {
        "programme" => Author::Program,
        id => id.parse().map_or(Author::Anybody, Author::Person),
    };
    let (from, to) = (optional_date(form, "du"), optional_date(form, "au"));
    if let (Some(from), Some(to)) = (from, to)
        && to < from
    {
        form.refuse("au", "La fin de la période doit suivre son début");
    }
    Filter { author, action: form.given("action"), object: form.given("objet"), from, to }
}

fn optional_date(form: &mut Form, name: &str) -> Option<chrono::NaiveDate> {
    let text = form.given(name)?;
    let date = format::parse_date(&text);
    if date.is_none() {
        form.refuse(name, format!("Date invalide « {text} » (attendu : jj/mm/aaaa)"));
    }
    date
}

fn start(form: &Form) -> From {
    match (form.raw("avant").parse(), form.raw("apres").parse()) {
        (Ok(seq), _) => From::OlderThan(seq),
        (_, Ok(seq)) => From::NewerThan(seq),
        _ => From::Top,
    }
}

/// The same filters, from another row.
fn turn(address: &str, form: &Form, name: &str, seq: i64) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(
        form.pairs()
            .iter()
            .filter(|(name, value)| FILTERS.contains(&name.as_str()) && !value.is_empty()),
    );
    format!("{address}?{}", query.append_pair(name, &seq.to_string()).finish())
}

type Options = Vec<(String, String)>;

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
    let all = |label: &str| vec![(String::new(), label.to_owned())];
    let mut authors = all("Tous les auteurs");
    authors.extend(
        people.into_iter().map(|u| {
            (u.id.to_string(), crate::accounts::display_name(&u.first_name, &u.last_name))
        }),
    );
    authors.push(("programme".into(), "OpsTracker".into()));
    let of_campaigns = ["campaign.", "field.", "grant.", "segment.", "operation", "import."];
    let mut actions = all("Toutes les actions");
    actions.extend(
        sentences::ACTIONS
            .iter()
            .filter(|a| of_campaigns.iter().any(|noun| a.0.starts_with(noun)))
            .map(|a| (a.0.to_owned(), a.2.to_owned())),
    );
    let mut objects = all("Tous les objets");
    objects.extend(
        ["campaign", "operation", "field", "segment", "grant", "import"]
            .map(|kind| (kind.to_owned(), sentences::object(kind).to_owned())),
    );
    Ok((authors, actions, objects))
}
