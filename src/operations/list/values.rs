// SPDX-License-Identifier: EUPL-1.2
//! Filters on the campaign's own fields (US-303): an exact value, or none, found by the index
//! `operations_values`.
use super::{columns, filter::NO_VALUE};
use crate::{
    campaigns::{Field, FieldKind},
    operations::values::{Checker, display},
    web::Form,
};
use serde_json::{Map, Value};
use sqlx::{Postgres, QueryBuilder};

/// What a field must hold.
#[derive(Debug)]
pub struct FieldFilter {
    /// Its name in the address: `champ-3`.
    pub input: String,
    number: i32,
    label: String,
    kind: FieldKind,
    /// As stored; `None` for operations without a value.
    value: Option<String>,
}

impl FieldFilter {
    /// What the address asks of the fields that a list can show. A value that its kind does not
    /// accept is told beside its field and does not filter.
    pub fn all(query: &mut Form, fields: &[Field]) -> Vec<Self> {
        columns::offered(fields).filter_map(|field| Self::of(query, field)).collect()
    }

    fn of(query: &mut Form, field: &Field) -> Option<Self> {
        let input = field.input();
        let typed = query.given(&input)?;
        let value = if typed == NO_VALUE {
            None
        } else if field.kind == FieldKind::Choice {
            Some(typed) // what the list no longer proposes is still to be found
        } else {
            match Checker::new(field.kind, &field.label, false, None, None, &[]).check(&typed) {
                Ok(accepted) => Some(accepted?.stored.into_owned()),
                Err(why) => {
                    query.refuse(&input, why);
                    return None;
                }
            }
        };
        Some(Self {
            input,
            number: field.number,
            label: field.label.clone(),
            kind: field.kind,
            value,
        })
    }

    /// `and …` of all of them: one containment for the values, whatever their number.
    pub fn push(filters: &[Self], query: &mut QueryBuilder<Postgres>) {
        let mut held = Map::new();
        for filter in filters {
            match &filter.value {
                Some(value) => {
                    held.insert(filter.number.to_string(), Value::String(value.clone()));
                }
                None => {
                    query.push(format!(" and coalesce(o.values->>'{}', '') = ''", filter.number));
                }
            }
        }
        if !held.is_empty() {
            query.push(" and o.values @> ").push_bind(Value::Object(held));
        }
    }

    /// « Localisation : Siège »
    pub fn said(&self) -> String {
        match &self.value {
            Some(value) => format!("{} : {}", self.label, display(self.kind, value)),
            None => format!("{} : sans valeur", self.label),
        }
    }
}

/// A control of the filter form.
pub struct Control {
    pub input: String,
    pub label: String,
    /// What a list proposes, the value asked for included; `None` for a value to be typed.
    pub choices: Option<Vec<String>>,
}

pub fn controls(fields: &[Field], query: &Form) -> Vec<Control> {
    let control = |field: &Field| {
        let input = field.input();
        let choices = (field.kind == FieldKind::Choice).then(|| {
            let asked = query.text(&input);
            let mut all = field.choices.clone();
            if !asked.is_empty() && asked != NO_VALUE && !all.contains(&asked) {
                all.push(asked);
            }
            all
        });
        Control { input, label: field.label.clone(), choices }
    };
    columns::offered(fields).map(control).collect()
}
