// SPDX-License-Identifier: EUPL-1.2
//! `/campagnes/{id}/operations`: what the rows become on screen.
use super::{
    ROWS,
    address::Address,
    columns,
    cursor::Cursor,
    filter::{Filter, NONE, Tag, segment_code},
    rows::{Listed, Query, Row},
    sort::{Key, Sort},
};
use crate::{
    accounts::{self, User},
    campaigns::{self, Campaign, Configure, Field, FieldKind, NO_SEGMENT, View, tabs},
    dashboard::{self, Counts, Figures},
    db::{Id, Read},
    operations::values,
    text::{count, number},
    web::{Form, Page, Result, Shell, assets, format},
    workflows::{self, Category},
};
use askama::Template;
use axum::extract::{Path, RawQuery};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use std::{collections::HashMap, sync::Arc};
use uuid::Uuid;

pub async fn page(
    mut read: Read,
    Path(campaign): Path<Id<Campaign>>,
    RawQuery(query): RawQuery,
) -> Result<Page<List>> {
    let campaign = read.authorize(View, campaign).await?;
    let figures = dashboard::figures(&mut read, campaign.id).await?;
    let (conn, user) = read.split();
    let fields = campaigns::fields(conn, campaign.id).await?;
    let shown = columns::chosen(conn, user, campaign.id, &fields).await?;
    let mut query = Form::parse(query.unwrap_or_default().as_bytes());
    let (filter, sort) = (Filter::of(&mut query, &figures), Sort::of(&query, &fields));
    let columns: Vec<&Field> =
        columns::offered(&fields).filter(|f| shown.contains(&f.input())).collect();
    let numbers: Vec<i32> = columns.iter().map(|f| f.number).collect();
    let asked = Query {
        counted: Vec::new(),
        campaign: campaign.id,
        filter: &filter,
        sort,
        cursor: Cursor::of(&query),
        fields: &numbers,
        figures: &figures,
    };
    let listed = asked.fetch(conn).await?;
    let names = names(conn, &figures, &listed.rows).await?;
    let mine = user.id;
    let address = Address::of(&query);
    let start = start(&query, &listed);
    let kinds = columns.iter().map(|f| (f.kind, f.label.clone())).collect();
    let heads = heads(&fields, &columns, &shown, sort, &address);
    Ok(Page(
        List {
            shell: read
                .shell("Opérations")
                .under("Campagnes", "/campagnes")
                .under(&campaign.name, campaign.url())
                .with_tabs(tabs(&campaign, read.user(), "operations"))
                .live(format!("campagne-{}", campaign.id)),
            icons: assets::url("icons.svg"),
            can_configure: campaign.may(Configure) && !campaign.is_archived,
            can_export: campaign.may(campaigns::Export),
            archived: campaign.is_archived,
            groups: groups(listed.rows.iter(), &figures, &filter, &listed),
            tags: filter.tags(&query, &address, &figures),
            reset: address.only(&["tri", "sens"]).url("operations"),
            is_filtered: !filter.is_empty(),
            now: read.now(),
            show: Shown::of(&shown),
            choices: choices(&fields, &shown),
            names,
            mine,
            kinds,
            heads,
            address,
            start,
            query,
            filter,
            figures,
            listed,
            here: String::new(),
        }
        .at(&campaign),
    ))
}

/// The rank of the first row; exact on the first and last pages, carried by the links between.
fn start(query: &Form, listed: &Listed) -> u64 {
    let rows = listed.rows.len() as u64;
    let last = (listed.unfolded + 1).saturating_sub(rows);
    match (listed.before, listed.after) {
        (false, _) => 1,
        (true, false) => last,
        (true, true) => query.raw("rang").parse().unwrap_or(1).clamp(1, last.max(1)),
    }
}

/// Names of the technicians shown: the team's, and those who only hold cancelled operations.
async fn names(
    conn: &mut PgConnection,
    figures: &Figures,
    rows: &[Row],
) -> Result<HashMap<Id<User>, String>> {
    let mut names: HashMap<_, _> =
        figures.team.iter().map(|member| (member.id, member.name.clone())).collect();
    let missing: Vec<Uuid> = rows
        .iter()
        .filter_map(|r| r.assignee)
        .filter(|id| !names.contains_key(id))
        .map(Id::uuid)
        .collect();
    if !missing.is_empty() {
        let found = sqlx::query!(
            "select id, first_name, last_name from users where id = any ($1)",
            &missing
        )
        .fetch_all(conn)
        .await?;
        names.extend(
            found.into_iter().map(|u| (u.id, accounts::display_name(&u.first_name, &u.last_name))),
        );
    }
    Ok(names)
}

/// Which of the columns that are not fields are shown.
struct Shown {
    status: bool,
    technician: bool,
    planned: bool,
    updated: bool,
}

impl Shown {
    fn of(codes: &[String]) -> Self {
        let has = |key: Key| codes.contains(&key.code());
        Self {
            status: has(Key::Status),
            technician: has(Key::Technician),
            planned: has(Key::Planned),
            updated: has(Key::Updated),
        }
    }
}

struct Head {
    label: String,
    url: String,
    aria: Option<&'static str>,
    icon: &'static str,
}

fn heads(
    fields: &[Field],
    columns: &[&Field],
    shown: &[String],
    sort: Sort,
    address: &Address,
) -> Vec<Head> {
    let head = |key: Key, label: &str| {
        let turned = if sort.key == key && !sort.descending {
            address.with("sens", "desc")
        } else {
            address.without("sens")
        };
        let aria = sort.aria(key);
        Head {
            label: label.to_owned(),
            url: turned.with("tri", key.code()).url("operations"),
            aria,
            icon: match aria {
                None => "sort",
                Some("ascending") => "sort-up",
                Some(_) => "sort-down",
            },
        }
    };
    let fixed = [campaigns::Usage::Identifier, campaigns::Usage::Label]
        .into_iter()
        .filter_map(|usage| fields.iter().find(|f| f.is(usage)));
    let own = columns::OWN
        .iter()
        .filter(|(key, _)| shown.contains(&key.code()))
        .map(|(key, label)| head(*key, label));
    fixed
        .chain(columns.iter().copied())
        .map(|f| head(Key::of_field(f), &f.label))
        .chain(own)
        .collect()
}

/// A column that can be chosen: code, label, chosen.
fn choices(fields: &[Field], shown: &[String]) -> Vec<(String, String, bool)> {
    let own = columns::OWN.iter().map(|(key, label)| (key.code(), (*label).to_owned()));
    let all = columns::offered(fields).map(|f| (f.input(), f.label.clone())).chain(own);
    all.map(|(code, label)| (shown.contains(&code), code, label))
        .map(|(on, code, label)| (code, label, on))
        .collect()
}

struct Group {
    code: String,
    name: String,
    counts: Counts,
    folded: bool,
    /// Indices in `listed.rows`.
    rows: std::ops::Range<usize>,
}

/// Cuts the page where the segment changes; the heads of folded groups keep their place.
fn groups<'a>(
    rows: impl ExactSizeIterator<Item = &'a Row>,
    figures: &Figures,
    filter: &Filter,
    listed: &Listed,
) -> Vec<Group> {
    let mut cuts: Vec<(Uuid, std::ops::Range<usize>)> = Vec::new();
    for (i, row) in rows.enumerate() {
        match cuts.last_mut().filter(|(segment, _)| *segment == row.segment) {
            Some((_, range)) => range.end = i + 1,
            None => cuts.push((row.segment, i..i + 1)),
        }
    }
    let (first, last) = (cuts.first().map(|c| c.0), cuts.last().map(|c| c.0));
    let here = |segment: Uuid| {
        (!listed.before || first.is_some_and(|f| segment > f))
            && (!listed.after || last.is_some_and(|l| segment < l))
    };
    let known = figures
        .segments
        .iter()
        .filter(|s| s.counts.total() > 0 && filter.has_segment(s.id))
        .map(|s| s.id.map_or(Uuid::max(), Id::uuid));
    cuts.extend(known.filter(|s| filter.folded.contains(s) && here(*s)).map(|s| (s, 0..0)));
    cuts.sort_by_key(|(segment, _)| *segment);
    cuts.into_iter().map(|(segment, rows)| group(segment, rows, figures)).collect()
}

fn group(segment: Uuid, rows: std::ops::Range<usize>, figures: &Figures) -> Group {
    let known = figures.segments.iter().find(|s| s.id.map_or(Uuid::max(), Id::uuid) == segment);
    Group {
        code: segment_code(segment),
        name: known.map_or_else(
            || if segment.is_max() { NO_SEGMENT.into() } else { "Nouveau segment".into() },
            |s| s.name.clone(),
        ),
        counts: known.map(|s| s.counts).unwrap_or_default(),
        folded: rows.is_empty(),
        rows,
    }
}

#[derive(Template)]
#[template(path = "operations/list/page.html")]
pub struct List {
    shell: Shell,
    /// Address of the sprite: computed once, used four times a row.
    icons: String,
    can_configure: bool,
    can_export: bool,
    archived: bool,
    groups: Vec<Group>,
    tags: Vec<Tag>,
    reset: String,
    is_filtered: bool,
    now: DateTime<Utc>,
    show: Shown,
    choices: Vec<(String, String, bool)>,
    names: HashMap<Id<User>, String>,
    mine: Id<User>,
    kinds: Vec<(FieldKind, String)>,
    heads: Vec<Head>,
    address: Address,
    start: u64,
    query: Form,
    filter: Filter,
    figures: Arc<Figures>,
    listed: Listed,
    /// The address of this very page, for forms that come back to it.
    here: String,
}

impl List {
    fn at(mut self, campaign: &Campaign) -> Self {
        self.here = self.address.url(&campaign.path("operations"));
        self
    }

    fn status(&self, id: i32) -> Option<&workflows::Status> {
        self.figures.workflow.statuses.iter().find(|s| s.id == id)
    }

    fn rows(&self, group: &Group) -> &[Row] {
        self.listed.rows.get(group.rows.clone()).unwrap_or_default()
    }

    /// « 52 résultats (sur 847) » or « 847 opérations ».
    fn result(&self) -> String {
        if self.is_filtered {
            format!(
                "{} (sur {})",
                count(self.listed.total, "résultat", "résultats"),
                number(self.figures.counts.total())
            )
        } else {
            count(self.figures.counts.total(), "opération", "opérations")
        }
    }

    /// « 1-50 sur 312 »
    fn range(&self) -> String {
        let rows = self.listed.rows.len() as u64;
        let first = if rows == 0 { 0 } else { self.start };
        format!(
            "{}-{} sur {}",
            number(first),
            number((self.start + rows).saturating_sub(1)),
            number(self.listed.unfolded)
        )
    }

    /// « 847 interventions • 619 réalisées • 142 planifiées »: the categories present.
    fn footer(&self) -> String {
        let counts = &self.figures.counts;
        let mut text = count(counts.total(), "intervention", "interventions");
        for category in [
            Category::Done,
            Category::Planned,
            Category::Todo,
            Category::InProgress,
            Category::Postponed,
            Category::Blocked,
            Category::Cancelled,
        ] {
            let n = counts.of(category);
            if n > 0 {
                text += " • ";
                text += &count(n, &singular(category), category.plural());
            }
        }
        text
    }

    fn first(&self) -> Option<String> {
        self.listed.before.then(|| self.address.url("operations"))
    }

    fn previous(&self) -> Option<String> {
        let row = self.listed.rows.first().filter(|_| self.listed.before)?;
        let rank = self.start.saturating_sub(ROWS as u64).max(1);
        Some(
            self.address
                .with("avant", row.place().encode())
                .with("rang", rank.to_string())
                .url("operations"),
        )
    }

    fn next(&self) -> Option<String> {
        let row = self.listed.rows.last().filter(|_| self.listed.after)?;
        let rank = self.start + self.listed.rows.len() as u64;
        Some(
            self.address
                .with("apres", row.place().encode())
                .with("rang", rank.to_string())
                .url("operations"),
        )
    }

    /// Folds a group, or unfolds it; back to the first page, since pages are cut otherwise.
    fn fold(&self, group: &Group) -> String {
        let to = if group.folded {
            self.address.without_value("replier", &group.code)
        } else {
            self.address.adding("replier", &group.code)
        };
        to.url("operations")
    }

    fn assignee(&self, row: &Row) -> Option<&str> {
        row.assignee.and_then(|id| self.names.get(&id)).map(String::as_str)
    }

    /// Whether rows can be ticked: bulk actions are for those who configure.
    fn may_select(&self) -> bool {
        self.can_configure && !self.groups.is_empty()
    }

    /// How many columns the table has.
    fn width(&self) -> usize {
        self.heads.len() + usize::from(self.may_select())
    }

    /// Whether the status of the row is a button for this person.
    fn may_act(&self, row: &Row) -> bool {
        !self.archived && (self.can_configure || row.assignee == Some(self.mine))
    }

    fn value(&self, row: &Row, index: &usize) -> String {
        let Some(stored) = row.values.get(*index).and_then(Option::as_deref) else {
            return String::new();
        };
        match self.kinds[*index].0 {
            FieldKind::ShortText | FieldKind::Choice | FieldKind::Email => stored.to_owned(),
            FieldKind::LongText => shortened(stored, 80),
            kind => values::display(kind, stored),
        }
    }

    /// Codes and short words stay on one line; figures go to the right.
    fn cell(&self, row: &Row, index: &usize) -> &'static str {
        let short =
            row.values.get(*index).and_then(Option::as_deref).is_none_or(|text| text.len() <= 24);
        match self.kinds[*index].0 {
            FieldKind::Number => "number",
            _ if short => "nowrap",
            _ => "",
        }
    }

    fn date(&self, at: &DateTime<Utc>) -> String {
        format::compact(*at, self.now)
    }

    fn statuses_chosen(&self) -> String {
        match &self.filter.statuses {
            None => "Tous".into(),
            Some(ids) => match ids.as_slice() {
                [one] => self.status(*one).map_or_else(|| "1 statut".into(), |s| s.name.clone()),
                many => count(many.len() as u64, "statut", "statuts"),
            },
        }
    }
}

/// The last twelve digits: the random part of an identifier, enough within a page.
fn short(id: &Id<crate::operations::Operation>) -> String {
    let text = id.uuid().simple().to_string();
    text[20..].to_owned()
}

fn shortened(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

fn singular(category: Category) -> String {
    match category {
        Category::Todo | Category::InProgress => category.plural().to_owned(),
        _ => category.plural().trim_end_matches('s').to_owned(),
    }
}
