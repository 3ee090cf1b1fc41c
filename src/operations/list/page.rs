// SPDX-License-Identifier: EUPL-1.2
//! `/campagnes/{id}/operations`: what the rows become on screen.
use super::{
    ROWS,
    address::Address,
    columns,
    cursor::Cursor,
    display::Display,
    filter::{Filter, NO_VALUE, NONE, Steps, Tag},
    groups::{Group, groups},
    heads::{Head, Shown, choices, heads},
    mode::Mode,
    rows::{Listed, Query, Row},
    sort::{Key, Sort},
    values::{Control, controls},
};
use crate::{
    accounts::{self, User},
    campaigns::{self, Campaign, Configure, Field, FieldKind, NO_SEGMENT, View, tabs},
    checklists::{self, Progress},
    dashboard::{self, Figures},
    db::{Id, Read},
    operations::{
        values,
        views::{self, SavedView},
    },
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
    let mut query = Form::parse(query.unwrap_or_default().as_bytes());
    let display = Display::of(conn, user, campaign.id, &fields, &query).await?;
    let saved = views::visible(conn, campaign.id, user).await?;
    let shown = display.columns;
    let (filter, sort) = (Filter::of(&mut query, &figures, &fields), Sort::of(&query, &fields));
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
    let (steps, has_steps) = steps(conn, campaign.id, &shown, &listed.rows).await?;
    let address = Address::of(&query);
    let start = start(&query, &listed);
    let kinds = columns.iter().map(|f| (f.kind, f.label.clone())).collect();
    let controls = controls(&fields, &query);
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
            mode: display.mode,
            view: display.view,
            saved,
            choices: choices(&fields, &shown),
            names,
            mine,
            kinds,
            heads,
            controls,
            steps,
            has_steps,
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

/// The progress of the rows shown, and whether the campaign follows a checklist.
async fn steps(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
    shown: &[String],
    rows: &[Row],
) -> Result<(HashMap<Id<crate::operations::Operation>, Progress>, bool)> {
    let has_steps = checklists::is_followed(conn, campaign).await?;
    if !shown.contains(&Key::Steps.code()) {
        return Ok((HashMap::new(), has_steps));
    }
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id.uuid()).collect();
    Ok((checklists::progress_among(conn, &ids).await?, has_steps))
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
    mode: Mode,
    /// The saved view of the address.
    view: Option<SavedView>,
    /// The views that this person may open.
    saved: Vec<SavedView>,
    choices: Vec<(String, String, bool)>,
    names: HashMap<Id<User>, String>,
    mine: Id<User>,
    kinds: Vec<(FieldKind, String)>,
    heads: Vec<Head>,
    /// Filters on the campaign's own fields.
    controls: Vec<Control>,
    /// How far the checklists of the rows are, when the column is shown.
    steps: HashMap<Id<crate::operations::Operation>, Progress>,
    /// Whether the campaign follows a checklist: it can be filtered by.
    has_steps: bool,
    address: Address,
    start: u64,
    query: Form,
    filter: Filter,
    figures: Arc<Figures>,
    listed: Listed,
    /// The address of this very page without its view, for forms that change how it is shown.
    here: String,
}

impl List {
    fn at(mut self, campaign: &Campaign) -> Self {
        self.here = self.address.without("vue").url(&campaign.path("operations"));
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

    /// What a card says of the fields shown: the first that hold something.
    fn facts(&self, row: &Row) -> Vec<(&str, String)> {
        let values = (0..self.kinds.len()).map(|i| (self.kinds[i].1.as_str(), self.value(row, &i)));
        values.filter(|(_, value)| !value.is_empty()).take(4).collect()
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

    /// « 3/8 »
    fn steps_of(&self, row: &Row) -> String {
        self.steps.get(&row.id).map_or_else(String::new, |p| format!("{}/{}", p.done(), p.total()))
    }

    /// « 2 champs »
    fn fields_chosen(&self) -> String {
        match self.filter.values.len() + usize::from(self.filter.steps.is_some()) {
            0 => "Tous".into(),
            n => count(n as u64, "champ", "champs"),
        }
    }

    /// Whether something typed for a field cannot be read: the menu is then shown open.
    fn has_faulty_field(&self) -> bool {
        self.controls.iter().any(|control| self.query.error(&control.input).is_some())
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
