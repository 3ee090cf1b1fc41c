// SPDX-License-Identifier: EUPL-1.2
//! A prerequisite, and what a person says of it (RG-090, RG-091).
use crate::{
    accounts,
    campaigns::{Campaign, Configure, Segment},
    db::{Id, Tx},
    web::{Error, Form, Result, auth::Allowed, format},
};
use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Value, json};
use sqlx::PgConnection;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Todo,
    InProgress,
    Done,
}

impl State {
    pub const ALL: [Self; 3] = [Self::Todo, Self::InProgress, Self::Done];

    pub fn code(self) -> &'static str {
        match self {
            Self::Todo => "todo",
            Self::InProgress => "in_progress",
            Self::Done => "done",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Todo => "À faire",
            Self::InProgress => "En cours",
            Self::Done => "Fait",
        }
    }

    pub fn class(self) -> &'static str {
        match self {
            Self::Todo => "todo",
            Self::InProgress => "in-progress",
            Self::Done => "done",
        }
    }

    pub fn icon(self) -> &'static str {
        match self {
            Self::Todo => "circle",
            Self::InProgress => "play",
            Self::Done => "check",
        }
    }
}

/// Let through by somebody (RG-094).
#[derive(Clone, Debug)]
pub struct Forced {
    pub by: String,
    pub at: DateTime<Utc>,
    pub reason: String,
}

#[derive(Clone, Debug)]
pub struct Prerequisite {
    pub id: Id<Prerequisite>,
    /// `None`: of the whole campaign.
    pub segment: Option<Id<Segment>>,
    pub label: String,
    pub responsible: String,
    pub target: Option<NaiveDate>,
    pub state: State,
    pub gate_booking: bool,
    pub gate_start: bool,
    pub note: String,
    pub forced: Option<Forced>,
}

impl Prerequisite {
    /// Its target date has passed, and it is not « Fait » (RG-090).
    pub fn is_late(&self, today: NaiveDate) -> bool {
        self.state != State::Done && self.target.is_some_and(|target| target < today)
    }

    pub fn is_gate(&self) -> bool {
        self.gate_booking || self.gate_start
    }

    /// Whether it blocks now what it guards.
    pub fn blocks(&self) -> bool {
        self.is_gate() && self.state != State::Done && self.forced.is_none()
    }

    pub fn declared(&self) -> Declared {
        Declared {
            label: self.label.clone(),
            responsible: self.responsible.clone(),
            target: self.target,
            gate_booking: self.gate_booking,
            gate_start: self.gate_start,
            note: self.note.clone(),
        }
    }
}

/// All prerequisites of a campaign: the global ones first, each scope in its order.
pub async fn of_campaign(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
) -> Result<Vec<Prerequisite>> {
    load(conn, campaign, None, None).await
}

/// Those of one segment.
///
/// # Errors
/// The base.
pub async fn of_segment(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
    segment: Id<Segment>,
) -> Result<Vec<Prerequisite>> {
    load(conn, campaign, Some(segment), None).await
}

pub async fn find(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
    id: Id<Prerequisite>,
) -> Result<Prerequisite> {
    load(conn, campaign, None, Some(id)).await?.pop().ok_or(Error::NotFound)
}

/// Locks it first: what is read is still so when it is written.
pub async fn lock(
    tx: &mut Tx,
    campaign: &Allowed<Configure, Campaign>,
    id: Id<Prerequisite>,
) -> Result<Prerequisite> {
    sqlx::query!(
        "select 1 as one from prerequisites where id = $1 and campaign_id = $2 for update",
        id as _,
        campaign.id as _
    )
    .fetch_one(tx.conn())
    .await?;
    find(tx.conn(), campaign.id, id).await
}

async fn load(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
    segment: Option<Id<Segment>>,
    id: Option<Id<Prerequisite>>,
) -> Result<Vec<Prerequisite>> {
    let rows = sqlx::query!(
        r#"select p.id as "id: Id<Prerequisite>", p.segment_id as "segment: Id<Segment>", p.label, p.responsible, p.target_date, p.status,
                  p.gate_booking, p.gate_start, p.note, p.forced_at, p.forced_reason, u.first_name as "first?", u.last_name as "last?"
           from prerequisites p left join users u on u.id = p.forced_by
           where p.campaign_id = $1 and ($2::uuid is null or p.segment_id = $2) and ($3::uuid is null or p.id = $3)
           order by p.segment_id nulls first, p.position, p.id"#,
        campaign as _,
        segment as _,
        id as _
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Prerequisite {
            id: row.id,
            segment: row.segment,
            label: row.label,
            responsible: row.responsible,
            target: row.target_date,
            state: State::from_code(&row.status).unwrap_or(State::Todo),
            gate_booking: row.gate_booking,
            gate_start: row.gate_start,
            note: row.note,
            forced: row.forced_at.zip(row.forced_reason).map(|(at, reason)| Forced {
                by: accounts::display_name(
                    row.first.as_deref().unwrap_or_default(),
                    row.last.as_deref().unwrap_or_default(),
                ),
                at,
                reason,
            }),
        })
        .collect())
}

/// What a person says of a prerequisite.
#[derive(Clone, Debug, PartialEq)]
pub struct Declared {
    pub label: String,
    pub responsible: String,
    pub target: Option<NaiveDate>,
    pub gate_booking: bool,
    pub gate_start: bool,
    pub note: String,
}

impl Declared {
    pub fn parse(form: &mut Form) -> Option<Self> {
        let label = form.required("libelle");
        if !label.is_empty() && !(3..=255).contains(&label.chars().count()) {
            form.refuse("libelle", "Le libellé doit compter de 3 à 255 caractères");
        }
        let responsible = form.text("responsable");
        if responsible.chars().count() > 100 {
            form.refuse("responsable", "100 caractères au plus");
        }
        let note = form.text("note");
        if note.chars().count() > 2_000 {
            form.refuse("note", "Texte trop long (2 000 caractères au plus)");
        }
        let target = form.given("echeance").and_then(|_| form.date("echeance"));
        form.is_valid().then(|| Self {
            label,
            responsible,
            target,
            gate_booking: form.checked("ouverture"),
            gate_start: form.checked("demarrage"),
            note,
        })
    }

    pub(super) fn trace(&self, before: Option<&Self>) -> Value {
        let mut all = serde_json::Map::new();
        let mut pair = |name: &str, old: Option<Value>, new: Value| {
            if old.as_ref() != Some(&new) {
                all.insert(name.to_owned(), json!([old, new]));
            }
        };
        let day = |date: Option<NaiveDate>| json!(date.map(format::short));
        let word = |on: bool| json!(if on { "Oui" } else { "Non" });
        pair("label", before.map(|b| json!(b.label)), json!(self.label));
        pair("responsible", before.map(|b| json!(b.responsible)), json!(self.responsible));
        pair("target_date", before.map(|b| day(b.target)), day(self.target));
        pair("gate_booking", before.map(|b| word(b.gate_booking)), word(self.gate_booking));
        pair("gate_start", before.map(|b| word(b.gate_start)), word(self.gate_start));
        pair("note", before.map(|b| json!(b.note)), json!(self.note));
        all.into()
    }
}
