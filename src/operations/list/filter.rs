// SPDX-License-Identifier: EUPL-1.2
//! Which operations are listed (US-303), read from the address and said in SQL.
use super::{address::Address, values::FieldFilter};
use crate::{
    accounts::User,
    campaigns::{Campaign, Field, NO_SEGMENT, Segment},
    clock,
    dashboard::Figures,
    db::Id,
    text::{like_pattern, norm},
    web::{Form, format},
    workflows::Category,
};
use chrono::NaiveDate;
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

/// « — Non assigné — » and « Sans segment » in addresses.
pub const NONE: &str = "aucun";
/// What is typed to find the operations without a value in a field.
pub const NO_VALUE: &str = "-";

/// One of something, nothing at all, or whatever.
#[derive(Debug)]
pub enum Choice<T> {
    Any,
    Nothing,
    One(Id<T>),
}

impl<T> Choice<T> {
    fn of(text: &str) -> Self {
        match text {
            NONE => Self::Nothing,
            text => text.parse().map_or(Self::Any, Self::One),
        }
    }

    pub fn is_any(&self) -> bool {
        matches!(self, Self::Any)
    }
}

/// How far a checklist is (US-303.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steps {
    /// Nothing ticked, or no checklist at all.
    NotBegun,
    UnderWay,
    Complete,
}

impl Steps {
    pub const ALL: [Self; 3] = [Self::NotBegun, Self::UnderWay, Self::Complete];

    pub fn code(self) -> &'static str {
        match self {
            Self::NotBegun => "aucune",
            Self::UnderWay => "en-cours",
            Self::Complete => "complete",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::NotBegun => "Aucune étape cochée",
            Self::UnderWay => "En cours",
            Self::Complete => "Complète",
        }
    }

    fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|steps| steps.code() == code)
    }

    /// `and …`
    fn sql(self) -> &'static str {
        match self {
            Self::NotBegun => {
                " and not exists (select 1 from checklists k where k.operation_id = o.id and k.required_done + k.optional_done > 0)"
            }
            Self::UnderWay => {
                " and exists (select 1 from checklists k where k.operation_id = o.id and k.required_done + k.optional_done > 0 and k.required_done < k.required_total)"
            }
            Self::Complete => {
                " and exists (select 1 from checklists k where k.operation_id = o.id and k.required_done + k.optional_done > 0 and k.required_done = k.required_total)"
            }
        }
    }
}

#[derive(Debug)]
pub struct Filter {
    pub text: String,
    /// `None`: all of them. Otherwise those of the statuses and categories asked for.
    pub statuses: Option<Vec<i32>>,
    pub segment: Choice<Segment>,
    pub technician: Choice<User>,
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
    /// How far the checklist must be.
    pub steps: Option<Steps>,
    /// What the campaign's own fields must hold, all of them.
    pub values: Vec<FieldFilter>,
    /// Groups shown by their head only; their rows still count as found.
    pub folded: Vec<Uuid>,
}

/// How a segment is said in addresses.
pub fn segment_code(segment: Uuid) -> String {
    if segment.is_max() { NONE.to_owned() } else { segment.to_string() }
}

/// A filter in use, and the address without it.
pub struct Tag {
    pub label: String,
    pub without: String,
}

impl Filter {
    /// Dates and values that cannot be read are told beside their field and do not filter.
    pub fn of(query: &mut Form, figures: &Figures, fields: &[Field]) -> Self {
        let (from, to) = (date(query, "du"), date(query, "au"));
        Self {
            text: norm(&query.text("q")),
            statuses: statuses(query, figures),
            segment: Choice::of(query.raw("segment")),
            technician: Choice::of(query.raw("technicien")),
            from,
            to,
            steps: Steps::from_code(query.raw("checklist")),
            values: FieldFilter::all(query, fields),
            folded: query
                .all("replier")
                .filter_map(|code| if code == NONE { Some(Uuid::max()) } else { code.parse().ok() })
                .collect(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.statuses.is_none() && self.segment.is_any() && !self.reads_rows()
    }

    /// Whether every row of the segments passes.
    pub fn is_anything(&self) -> bool {
        self.statuses.is_none() && !self.reads_rows()
    }

    /// Whether figures by segment and status are not enough to count the result.
    pub fn reads_rows(&self) -> bool {
        !self.text.is_empty()
            || !self.technician.is_any()
            || self.from.is_some()
            || self.to.is_some()
            || self.steps.is_some()
            || !self.values.is_empty()
    }

    pub fn has_status(&self, status: i32) -> bool {
        self.statuses.as_ref().is_none_or(|ids| ids.contains(&status))
    }

    pub fn has_segment(&self, segment: Option<Id<Segment>>) -> bool {
        match &self.segment {
            Choice::Any => true,
            Choice::Nothing => segment.is_none(),
            Choice::One(id) => segment == Some(*id),
        }
    }

    /// `o.campaign_id = … and …`, the same predicate for rows and counts.
    pub fn push(&self, query: &mut QueryBuilder<Postgres>, campaign: Id<Campaign>) {
        query.push("o.campaign_id = ").push_bind(campaign).push(" and o.deleted_at is null");
        match &self.segment {
            Choice::Any => {}
            Choice::Nothing => {
                query.push(" and o.segment_sort = 'ffffffff-ffff-ffff-ffff-ffffffffffff'");
            }
            Choice::One(id) => {
                query.push(" and o.segment_sort = ").push_bind(*id);
            }
        }
        self.push_rest(query);
    }

    /// The predicate without campaign and segment.
    pub fn push_rest(&self, query: &mut QueryBuilder<Postgres>) {
        if let Some(ids) = &self.statuses {
            query.push(" and o.status_id = any (").push_bind(ids.clone()).push(")");
        }
        match &self.technician {
            Choice::Any => {}
            Choice::Nothing => {
                query.push(" and o.assignee_id is null");
            }
            Choice::One(id) => {
                query.push(" and o.assignee_id = ").push_bind(*id);
            }
        }
        if let Some(from) = self.from {
            query.push(" and o.planned_at >= ").push_bind(clock::start_of(from));
        }
        if let Some(after) = self.to.and_then(|to| to.succ_opt()) {
            query.push(" and o.planned_at < ").push_bind(clock::start_of(after));
        }
        if let Some(steps) = self.steps {
            query.push(steps.sql());
        }
        FieldFilter::push(&self.values, query);
        if !self.text.is_empty() {
            query.push(" and o.search_text like ").push_bind(like_pattern(&self.text));
        }
    }

    /// The filters in use, each with the address that drops it.
    pub fn tags(&self, query: &Form, address: &Address, figures: &Figures) -> Vec<Tag> {
        let tag =
            |label: String, without: Address| Tag { label, without: without.url("operations") };
        let mut tags = Vec::new();
        if !self.text.is_empty() {
            tags.push(tag(format!("« {} »", query.text("q")), address.without("q")));
        }
        for status in figures.workflow.statuses.iter().filter(|s| query.has("statut", &s.code)) {
            tags.push(tag(status.name.clone(), address.without_value("statut", &status.code)));
        }
        for category in Category::ALL.into_iter().filter(|c| query.has("categorie", c.code())) {
            tags.push(tag(
                format!("Catégorie {}", category.label()),
                address.without_value("categorie", category.code()),
            ));
        }
        match &self.segment {
            Choice::Any => {}
            Choice::Nothing => tags.push(tag(NO_SEGMENT.into(), address.without("segment"))),
            Choice::One(id) => {
                let name = figures
                    .segments
                    .iter()
                    .find(|s| s.id == Some(*id))
                    .map_or("Segment inconnu", |s| &s.name);
                tags.push(tag(name.to_owned(), address.without("segment")));
            }
        }
        match &self.technician {
            Choice::Any => {}
            Choice::Nothing => tags.push(tag("Non assigné".into(), address.without("technicien"))),
            Choice::One(id) => {
                let name = figures
                    .team
                    .iter()
                    .find(|m| m.id == *id)
                    .map_or("Technicien sans intervention", |m| &m.name);
                tags.push(tag(name.to_owned(), address.without("technicien")));
            }
        }
        if let Some(from) = self.from {
            tags.push(tag(format!("Dès le {}", format::long(from)), address.without("du")));
        }
        if let Some(to) = self.to {
            tags.push(tag(format!("Jusqu’au {}", format::long(to)), address.without("au")));
        }
        if let Some(steps) = self.steps {
            tags.push(tag(
                format!("Checklist {}", steps.label().to_lowercase()),
                address.without("checklist"),
            ));
        }
        tags.extend(self.values.iter().map(|f| tag(f.said(), address.without(&f.input))));
        tags
    }
}

fn date(query: &mut Form, name: &str) -> Option<NaiveDate> {
    query.given(name)?;
    query.date(name)
}

fn statuses(query: &Form, figures: &Figures) -> Option<Vec<i32>> {
    let asked = |name| query.all(name).any(|value| !value.is_empty());
    (asked("statut") || asked("categorie")).then(|| {
        let wanted =
            figures.workflow.statuses.iter().filter(|s| {
                query.has("statut", &s.code) || query.has("categorie", s.category.code())
            });
        wanted.map(|s| s.id).collect()
    })
}
