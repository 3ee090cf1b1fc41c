// SPDX-License-Identifier: EUPL-1.2
//! The order inside groups (US-305): every column, empty values last both ways, ties by identifier.
use crate::{
    campaigns::{Field, FieldKind, Usage},
    web::Form,
    workflows::Workflow,
};
use sqlx::{Postgres, QueryBuilder};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Identifier,
    Label,
    Status,
    Technician,
    Planned,
    Updated,
    /// A field of the campaign, by number.
    Field(i32, FieldKind),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    pub key: Key,
    pub descending: bool,
}

impl Key {
    pub fn code(self) -> String {
        match self {
            Self::Identifier => "identifiant".into(),
            Self::Label => "libelle".into(),
            Self::Status => "statut".into(),
            Self::Technician => "technicien".into(),
            Self::Planned => "prevue".into(),
            Self::Updated => "maj".into(),
            Self::Field(number, _) => format!("champ-{number}"),
        }
    }

    fn from_code(code: &str, fields: &[Field]) -> Option<Self> {
        let own = [
            Self::Identifier,
            Self::Label,
            Self::Status,
            Self::Technician,
            Self::Planned,
            Self::Updated,
        ];
        own.into_iter().find(|key| key.code() == code).or_else(|| {
            let field = fields.iter().find(|f| f.input() == code && !f.is_column() && !f.hidden)?;
            Some(Self::Field(field.number, field.kind))
        })
    }

    pub fn of_field(field: &Field) -> Self {
        if field.is(Usage::Identifier) {
            Self::Identifier
        } else if field.is(Usage::Label) {
            Self::Label
        } else {
            Self::Field(field.number, field.kind)
        }
    }
}

impl Sort {
    pub fn of(query: &Form, fields: &[Field]) -> Self {
        let key = Key::from_code(query.raw("tri"), fields).unwrap_or(Key::Label);
        Self { key, descending: query.raw("sens") == "desc" }
    }

    /// `aria-sort` of a column's head.
    pub fn aria(self, key: Key) -> Option<&'static str> {
        (self.key == key).then_some(if self.descending { "descending" } else { "ascending" })
    }

    /// The SQL expression that orders operations `o` (and `u`, their technician).
    pub fn push_key(self, query: &mut QueryBuilder<Postgres>, workflow: &Workflow) {
        match self.key {
            Key::Identifier => query.push("o.identifier_norm"),
            Key::Label => query.push("o.label_norm"),
            Key::Status => {
                query.push("array_position(array[");
                let mut ids = query.separated(",");
                workflow.statuses.iter().for_each(|status| {
                    ids.push(status.id);
                });
                query.push("], o.status_id)")
            }
            Key::Technician => {
                query.push("coalesce(u.name_norm, ").push(self.last_text()).push(") collate \"C\"")
            }
            Key::Planned => query
                .push("coalesce(o.planned_at, ")
                .push(if self.descending { "'-infinity'" } else { "'infinity'" })
                .push(")"),
            Key::Updated => query.push("o.updated_at"),
            Key::Field(number, kind) => {
                let value = format!("nullif(o.values->>'{number}', '')");
                match kind {
                    FieldKind::Number => query
                        .push(format!("coalesce(case when {value} ~ '^[-+]?[0-9]+([.][0-9]+)?$' then ({value})::numeric end, "))
                        .push(if self.descending { "'-infinity'::numeric)" } else { "'infinity'::numeric)" }),
                    FieldKind::Date => query.push(format!("coalesce({value}, ")).push(self.last_text()).push(") collate \"C\""),
                    _ => query.push(format!("coalesce(lower({value}), ")).push(self.last_text()).push(") collate \"fr-x-icu\""),
                }
            }
        };
    }

    /// The type of the key, to read it back from a cursor.
    pub fn cast(self) -> &'static str {
        match self.key {
            Key::Planned | Key::Updated => "::timestamptz",
            Key::Status => "::int",
            Key::Field(_, FieldKind::Number) => "::numeric",
            _ => "::text",
        }
    }

    /// Whether a key read from an address can be compared at all.
    pub fn reads(self, key: &str) -> bool {
        match self.key {
            Key::Status => key.parse::<i32>().is_ok(),
            Key::Field(_, FieldKind::Number) => {
                key.trim_start_matches('-') == "Infinity"
                    || (key.len() < 70 && key.parse::<f64>().is_ok_and(f64::is_finite))
            }
            Key::Planned | Key::Updated => {
                key.trim_start_matches('-') == "infinity"
                    || chrono::DateTime::parse_from_str(
                        &format!("{key}00"),
                        "%Y-%m-%d %H:%M:%S%.f%z",
                    )
                    .is_ok()
            }
            _ => true,
        }
    }

    pub fn needs_technician(self) -> bool {
        self.key == Key::Technician
    }

    /// A text after (or before, when descending) every other: what is empty comes last.
    fn last_text(self) -> &'static str {
        if self.descending { "''" } else { r"U&'\FFFF'" }
    }
}
