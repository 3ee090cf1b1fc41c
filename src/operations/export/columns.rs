// SPDX-License-Identifier: EUPL-1.2
//! The columns of 03 §5.1 and what a row puts in them. Slots are not there: this program does not
//! have them yet; nor are steps, which it does not export.
use crate::{
    accounts,
    campaigns::{Field, FieldKind},
    clock,
    operations::values,
    text::norm,
    workflows::{Category, Workflow},
};
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use sqlx::{Row as _, postgres::PgRow};
use std::collections::HashMap;
use tabular::{Column, Value};
use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
    Identifier,
    Label,
    Status,
    Category,
    Segment,
    Technician,
    TechnicianEmail,
    PlannedDate,
    PlannedTime,
    InitialDate,
    Postponements,
    LastReason,
    StartedOn,
    DoneOn,
    Minutes,
    Updated,
}

/// In the order of 03 §5.1. The import reads these words back (`imports::mapping`).
const ALL: [(Own, &str, u16); 16] = [
    (Own::Identifier, "Identifiant", 16),
    (Own::Label, "Libellé", 28),
    (Own::Status, "Statut", 16),
    (Own::Category, "Catégorie", 14),
    (Own::Segment, "Segment", 22),
    (Own::Technician, "Technicien", 22),
    (Own::TechnicianEmail, "E-mail du technicien", 30),
    (Own::PlannedDate, "Date prévue", 13),
    (Own::PlannedTime, "Heure prévue", 13),
    (Own::InitialDate, "Date initiale", 13),
    (Own::Postponements, "Reports", 9),
    (Own::LastReason, "Dernier motif", 30),
    (Own::StartedOn, "Date de début", 18),
    (Own::DoneOn, "Date de réalisation", 18),
    (Own::Minutes, "Durée (min)", 12),
    (Own::Updated, "Mise à jour", 18),
];

pub struct Columns {
    own: Vec<(Own, &'static str, u16)>,
    /// By label, after the others.
    fields: Vec<(FieldKind, i32, String)>,
}

impl Columns {
    /// Every column, or those of the list: identifier, label and segment are always there.
    pub fn of(fields: &[Field], shown: Option<&[String]>) -> Self {
        let has = |code: &str| shown.is_none_or(|codes| codes.iter().any(|c| c == code));
        let own = ALL.into_iter().filter(|(own, ..)| match own {
            Own::Identifier | Own::Label | Own::Segment => true,
            Own::Status => has("statut"),
            Own::Technician | Own::TechnicianEmail => has("technicien"),
            Own::PlannedDate | Own::PlannedTime => has("prevue"),
            // The list offers it, the export of everything does not ask for it.
            Own::Updated => shown.is_some() && has("maj"),
            _ => shown.is_none(),
        });
        let mut chosen: Vec<&Field> =
            fields.iter().filter(|f| !f.hidden && !f.is_column() && has(&f.input())).collect();
        chosen.sort_by(|a, b| a.label_norm.cmp(&b.label_norm));
        Self {
            own: own.collect(),
            fields: chosen.iter().map(|f| (f.kind, f.number, head(&f.label))).collect(),
        }
    }

    pub fn heads(&self) -> Vec<Column> {
        let own = self.own.iter().map(|(_, label, width)| ((*label).to_owned(), *width));
        let fields = self.fields.iter().map(|(_, _, label)| (label.clone(), 20));
        own.chain(fields).map(|(label, width)| Column { label, width }).collect()
    }

    /// Numbers of the fields, in the order of `shown`.
    pub fn numbers(&self) -> impl Iterator<Item = i32> {
        self.fields.iter().map(|(_, number, _)| *number)
    }

    pub fn values(
        &self,
        row: &PgRow,
        workflow: &Workflow,
        segments: &HashMap<Uuid, String>,
    ) -> sqlx::Result<Vec<Value>> {
        let mut out = Vec::with_capacity(self.own.len() + self.fields.len());
        let status: i32 = row.try_get("status_id")?;
        let status = workflow.status(status).ok();
        let planned = local(row.try_get("planned_at")?);
        for (own, ..) in &self.own {
            out.push(match own {
                Own::Identifier => Value::Text(row.try_get("identifier")?),
                Own::Label => text(row.try_get("label")?),
                Own::Status => {
                    status.map_or(Value::Empty, |s| Value::Filled(s.name.clone(), fill(s.category)))
                }
                Own::Category => text(status.map(|s| s.category.label().to_owned())),
                Own::Segment => {
                    text(segments.get(&row.try_get::<Uuid, _>("segment_sort")?).cloned())
                }
                Own::Technician => {
                    let (first, last): (Option<String>, Option<String>) =
                        (row.try_get("first_name")?, row.try_get("last_name")?);
                    text(first.zip(last).map(|(f, l)| accounts::display_name(&f, &l)))
                }
                Own::TechnicianEmail => text(row.try_get("email")?),
                Own::PlannedDate => planned.map_or(Value::Empty, |at| Value::Date(at.date())),
                Own::PlannedTime => planned.map_or(Value::Empty, |at| Value::Time(at.time())),
                Own::InitialDate => local(row.try_get("initial_planned_at")?)
                    .map_or(Value::Empty, |at| Value::Date(at.date())),
                Own::Postponements => {
                    Value::Number(f64::from(row.try_get::<i16, _>("postpone_count")?))
                }
                Own::LastReason => text(row.try_get("last_reason")?),
                Own::StartedOn => moment(row.try_get("started_at")?),
                Own::DoneOn => moment(row.try_get("done_at")?),
                Own::Minutes => row
                    .try_get::<Option<i16>, _>("minutes")?
                    .map_or(Value::Empty, |n| Value::Number(f64::from(n))),
                Own::Updated => moment(row.try_get("updated_at")?),
            });
        }
        let shown: Vec<Option<String>> = row.try_get("shown")?;
        let fields = self.fields.iter().zip(shown);
        out.extend(fields.map(|((kind, ..), stored)| {
            stored.filter(|s| !s.is_empty()).map_or(Value::Empty, |stored| field(*kind, stored))
        }));
        Ok(out)
    }
}

/// A field named as a column of ours says that it is a field: the import reads both back.
fn head(label: &str) -> String {
    let taken = ALL.iter().any(|(_, own, _)| norm(own) == norm(label));
    if taken { format!("{label} (champ)") } else { label.to_owned() }
}

fn text(text: Option<String>) -> Value {
    text.filter(|text| !text.is_empty()).map_or(Value::Empty, Value::Text)
}

fn local(at: Option<DateTime<Utc>>) -> Option<NaiveDateTime> {
    at.map(|at| at.with_timezone(&clock::ZONE).naive_local())
}

fn moment(at: Option<DateTime<Utc>>) -> Value {
    local(at).map_or(Value::Empty, Value::Moment)
}

/// Typed when the type says exactly what is stored; a text otherwise.
fn field(kind: FieldKind, stored: String) -> Value {
    match kind {
        FieldKind::Number => match stored.parse::<f64>() {
            Ok(number) if number.to_string() == stored => Value::Number(number),
            _ => Value::Text(values::display(kind, &stored)),
        },
        FieldKind::Date => {
            if let Ok(day) = NaiveDate::parse_from_str(&stored, "%Y-%m-%d") {
                Value::Date(day)
            } else if let Ok(at) = NaiveDateTime::parse_from_str(&stored, "%Y-%m-%d %H:%M") {
                Value::Moment(at)
            } else {
                Value::Text(values::display(kind, &stored))
            }
        }
        FieldKind::Phone => Value::Text(values::display(kind, &stored)),
        _ => Value::Text(stored),
    }
}

/// The pale background of a category; the word is there too.
fn fill(category: Category) -> u32 {
    match category {
        Category::Todo => 0x00F1_F5F9,
        Category::Planned => 0x00DB_EAFE,
        Category::InProgress => 0x00E0_E7FF,
        Category::Done => 0x00DC_FCE7,
        Category::Postponed => 0x00FE_F3C7,
        Category::Blocked => 0x00FE_E2E2,
        Category::Cancelled => 0x00E5_E7EB,
    }
}
