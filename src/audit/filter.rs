// SPDX-License-Identifier: EUPL-1.2
//! What the pages of the audit filter by, and the rows that answer: newest first, by key, in the base.
use super::lines::{COLUMNS, Line, Stored, lines};
use crate::{
    campaigns::Campaign,
    clock,
    db::Id,
    web::{Form, format},
};
use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

pub const ROWS: usize = 50;

/// The fields of the filters' form, in the address.
pub const FIELDS: [&str; 6] = ["auteur", "action", "objet", "identifiant", "du", "au"];

#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub campaign: Option<Id<Campaign>>,
    pub author: Author,
    pub action: Option<String>,
    pub object: Option<String>,
    pub object_id: Option<Uuid>,
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Author {
    #[default]
    Anybody,
    /// The program: schedule, jobs, command line.
    Program,
    Person(Uuid),
}

/// The side of a page from which the rows are read: an instant and a number.
#[derive(Clone, Copy, Debug)]
pub enum From {
    Top,
    OlderThan(DateTime<Utc>, i64),
    NewerThan(DateTime<Utc>, i64),
}

impl Filter {
    pub fn parse(form: &mut Form, campaign: Option<Id<Campaign>>) -> Self {
        let author = match form.raw("auteur") {
            "programme" => Author::Program,
            id => id.parse().map_or(Author::Anybody, Author::Person),
        };
        let object_id = form.given("identifiant").and_then(|text| {
            let id = text.parse().ok();
            if id.is_none() {
                form.refuse("identifiant", format!("Identifiant invalide « {text} »"));
            }
            id
        });
        let (from, to) = (optional_date(form, "du"), optional_date(form, "au"));
        if let (Some(from), Some(to)) = (from, to)
            && to < from
        {
            form.refuse("au", "La fin de la période doit suivre son début");
        }
        Self {
            campaign,
            author,
            action: form.given("action"),
            object: form.given("objet"),
            object_id,
            from,
            to,
        }
    }

    /// Adds ` and …` to a query whose entry is `alias`.
    pub fn narrow(&self, query: &mut QueryBuilder<Postgres>, alias: &'static str) {
        let column = |query: &mut QueryBuilder<Postgres>, name: &'static str| {
            query.push(" and ").push(alias).push(".").push(name);
        };
        if let Some(campaign) = self.campaign {
            column(query, "campaign_id = ");
            query.push_bind(campaign.uuid());
        }
        match self.author {
            Author::Anybody => {}
            Author::Program => column(query, "actor_kind in ('system', 'command_line')"),
            Author::Person(id) => {
                column(query, "actor_id = ");
                query.push_bind(id);
            }
        }
        for (name, text) in [("action = ", &self.action), ("object_kind = ", &self.object)] {
            if let Some(text) = text {
                column(query, name);
                query.push_bind(text.clone());
            }
        }
        if let Some(id) = self.object_id {
            column(query, "object_id = ");
            query.push_bind(id);
        }
        if let Some(day) = self.from {
            column(query, "at >= ");
            query.push_bind(clock::start_of(day));
        }
        if let Some(day) = self.to.and_then(|day| day.succ_opt()) {
            column(query, "at < ");
            query.push_bind(clock::start_of(day));
        }
    }

    /// At most `limit` rows, newest first.
    pub async fn read(
        &self,
        conn: &mut PgConnection,
        from: From,
        limit: usize,
    ) -> sqlx::Result<Vec<Line>> {
        let mut query = QueryBuilder::new("select ");
        query
            .push(COLUMNS)
            .push(" from audit_entries a left join users u on u.id = a.actor_id where true");
        self.narrow(&mut query, "a");
        let mut beyond = |sign: &'static str, at: DateTime<Utc>, seq: i64| {
            query.push(" and (a.at, a.seq) ").push(sign).push(" (").push_bind(at);
            query.push(", ").push_bind(seq).push(")");
        };
        let newest_first = match from {
            From::Top => true,
            From::OlderThan(at, seq) => {
                beyond("<", at, seq);
                true
            }
            From::NewerThan(at, seq) => {
                beyond(">", at, seq);
                false
            }
        };
        query.push(if newest_first {
            " order by a.at desc, a.seq desc limit "
        } else {
            " order by a.at, a.seq limit "
        });
        query.push_bind(limit as i64);
        let mut entries = query.build_query_as::<Stored>().fetch_all(&mut *conn).await?;
        if !newest_first {
            entries.reverse();
        }
        lines(conn, entries).await
    }
}

fn optional_date(form: &mut Form, name: &str) -> Option<NaiveDate> {
    let text = form.given(name)?;
    let date = format::parse_date(&text);
    if date.is_none() {
        form.refuse(name, format!("Date invalide « {text} » (attendu : jj/mm/aaaa)"));
    }
    date
}

/// The rows of a page, and the addresses of those before and after.
pub struct Turned {
    pub lines: Vec<Line>,
    pub previous: Option<String>,
    pub next: Option<String>,
}

/// The page that the address asks for. A wrong filter shows its error, not rows that ignore it.
pub async fn turned(
    conn: &mut PgConnection,
    filter: &Filter,
    form: &Form,
    address: &str,
) -> sqlx::Result<Turned> {
    let from = start(form);
    let mut lines = Vec::new();
    if form.is_valid() {
        lines = filter.read(conn, from, ROWS + 1).await?;
    }
    let more = lines.len() > ROWS;
    match from {
        From::NewerThan(..) if more => drop(lines.remove(0)),
        _ => lines.truncate(ROWS),
    }
    let newer =
        matches!(from, From::OlderThan(..)) || (matches!(from, From::NewerThan(..)) && more);
    let older = matches!(from, From::NewerThan(..)) || more;
    let link = |name, line: Option<&Line>| line.map(|line| turn(address, form, name, line));
    let (previous, next) = (
        link("apres", lines.first().filter(|_| newer)),
        link("avant", lines.last().filter(|_| older)),
    );
    Ok(Turned { lines, previous, next })
}

pub fn is_filtered(form: &Form) -> bool {
    used(form).next().is_some()
}

/// The filters in use, as an address has them.
pub fn query(form: &Form) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(used(form)).finish()
}

fn used(form: &Form) -> impl Iterator<Item = &(String, String)> {
    form.pairs().iter().filter(|(name, value)| FIELDS.contains(&name.as_str()) && !value.is_empty())
}

fn start(form: &Form) -> From {
    let place = |name| {
        let (micros, seq) = form.raw(name).split_once('-')?;
        Some((DateTime::from_timestamp_micros(micros.parse().ok()?)?, seq.parse().ok()?))
    };
    match (place("avant"), place("apres")) {
        (Some((at, seq)), _) => From::OlderThan(at, seq),
        (_, Some((at, seq))) => From::NewerThan(at, seq),
        _ => From::Top,
    }
}

/// The same filters, from another row.
fn turn(address: &str, form: &Form, name: &str, line: &Line) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(used(form));
    let place = format!("{}-{}", line.at.timestamp_micros(), line.seq);
    format!("{address}?{}", query.append_pair(name, &place).finish())
}
