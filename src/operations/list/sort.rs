// SPDX-License-Identifier: EUPL-1.2
//! The order inside groups (US-305): the columns of every campaign and the fields declared sortable
//! (RG-061), empty values last both ways, ties by identifier.
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
    /// How far the checklist is: a column, not an order.
    Steps,
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
            Self::Steps => "etapes".into(),
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
            let field = fields.iter().find(|f| f.input() == code && Self::is_offered(f))?;
            Some(Self::Field(field.number, field.kind))
        })
    }

    /// Whether a list can be sorted by this field.
    pub fn is_offered(field: &Field) -> bool {
        field.is_column() || (field.sortable && !field.hidden)
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
            Key::Label | Key::Steps => query.push("o.label_norm"),
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
                query.push(field_key("o.values", number, kind, self.descending))
            }
        };
    }

    /// The expression that a walk reads in order: for a field, the one that is indexed.
    pub fn push_walked_key(self, query: &mut QueryBuilder<Postgres>, workflow: &Workflow) {
        match self.key {
            Key::Field(number, kind) => {
                query.push(field_key("o.values", number, kind, false));
            }
            _ => self.push_key(query, workflow),
        }
    }

    /// Whether a walk reads filled and empty values apart: the index has the empty ones on top.
    pub fn splits(self) -> bool {
        self.descending && matches!(self.key, Key::Field(..))
    }

    fn kind(self) -> FieldKind {
        match self.key {
            Key::Field(_, kind) => kind,
            _ => FieldKind::ShortText,
        }
    }

    /// Whether the key of a place stands for an empty value.
    pub fn is_empty(self, key: &str) -> bool {
        key == self.least()
    }

    /// The key of empty values in places, under every other.
    fn least(self) -> &'static str {
        if self.kind() == FieldKind::Number { "-Infinity" } else { "" }
    }

    /// What the index holds for an empty value.
    pub fn empty_in_index(self) -> &'static str {
        if self.kind() == FieldKind::Number { "Infinity" } else { "\u{ffff}" }
    }

    /// The key of a row as its place says it, whichever way it was read.
    pub fn place_key(self, key: String) -> String {
        if self.splits() && key == self.empty_in_index() { self.least().to_owned() } else { key }
    }

    pub fn least_sql(self) -> &'static str {
        last(self.kind(), true)
    }

    pub fn empty_sql(self) -> &'static str {
        last(self.kind(), false)
    }

    /// Over every key, those of empty values included.
    pub fn beyond_sql(self) -> &'static str {
        match self.kind() {
            FieldKind::Number => "'NaN'::numeric",
            _ => r"repeat(U&'\FFFF', 201)",
        }
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
        last(FieldKind::ShortText, self.descending)
    }
}

/// The SQL expression that orders operations by a field, from their column `values`: what is empty
/// comes last when read upwards, or downwards if `descending`. A text counts by its first 200
/// characters, since an index bounds what it holds. The one that is not `descending` is indexed,
/// for fields declared sortable.
pub fn field_key(values: &str, number: i32, kind: FieldKind, descending: bool) -> String {
    let value = format!("nullif({values}->>'{number}', '')");
    let last = last(kind, descending);
    match kind {
        FieldKind::Number => format!(
            "coalesce(case when {value} ~ '^[-+]?[0-9]{{1,30}}([.][0-9]{{1,30}})?$' then ({value})::numeric end, {last})"
        ),
        FieldKind::Date => format!("left(coalesce({value}, {last}), 200) collate \"C\""),
        _ => format!("left(coalesce(lower({value}), {last}), 200) collate \"fr-x-icu\""),
    }
}

/// What stands for an empty value of this kind, in SQL.
fn last(kind: FieldKind, descending: bool) -> &'static str {
    match (kind, descending) {
        (FieldKind::Number, true) => "'-infinity'::numeric",
        (FieldKind::Number, false) => "'infinity'::numeric",
        (_, true) => "''",
        (_, false) => r"U&'\FFFF'",
    }
}
