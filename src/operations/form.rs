// SPDX-License-Identifier: EUPL-1.2
//! The typed form of a campaign's fields, for a new operation and for an edited one (P-090).
use super::{
    Operation,
    values::{self, Checker},
};
use crate::{
    campaigns::{Field, FieldKind, Usage},
    web::Form,
};

/// One control, as the template draws it.
pub struct Input {
    pub name: String,
    pub label: String,
    pub required: bool,
    pub hint: String,
    pub kind: FieldKind,
    pub choices: Vec<String>,
}

impl Input {
    pub fn html_type(&self) -> &'static str {
        match self.kind {
            FieldKind::Email => "email",
            FieldKind::Phone => "tel",
            _ => "text",
        }
    }

    pub fn is_long(&self) -> bool {
        self.kind == FieldKind::LongText
    }

    pub fn is_choice(&self) -> bool {
        self.kind == FieldKind::Choice
    }

    /// A value kept from before the list changed.
    pub fn unlisted<'a>(&self, form: &'a Form) -> Option<&'a str> {
        Some(form.raw(&self.name))
            .filter(|kept| !kept.is_empty() && !self.choices.iter().any(|c| c == kept))
    }

    pub fn mode(&self) -> &'static str {
        match self.kind {
            FieldKind::Number => "decimal",
            FieldKind::Date => "numeric",
            _ => "text",
        }
    }
}

/// The fields that a form shows: everything but the hidden ones.
pub fn editable(fields: &[Field]) -> impl Iterator<Item = &Field> {
    fields.iter().filter(|f| !f.hidden || f.is_column())
}

pub fn inputs(fields: &[Field]) -> Vec<Input> {
    let input = |f: &Field| Input {
        name: f.input(),
        label: f.label.clone(),
        required: f.required || f.is_column(),
        hint: match (&f.hint, f.kind) {
            (Some(hint), _) if !hint.is_empty() => hint.clone(),
            (_, FieldKind::Date) => "jj/mm/aaaa".into(),
            _ => String::new(),
        },
        kind: f.kind,
        choices: f.choices.clone(),
    };
    editable(fields).map(input).collect()
}

/// What a field shows in the form of this operation: typed back, it is stored the same.
pub fn shown(operation: &Operation, field: &Field) -> String {
    if field.is(Usage::Identifier) {
        operation.identifier.clone()
    } else if field.is(Usage::Label) {
        operation.label.clone()
    } else {
        values::display(field.kind, operation.value(field.number)).replace('\u{a0}', " ")
    }
}

/// The stored text of what was typed; empty when the field is. A refusal goes beside the field.
pub fn checked(form: &mut Form, field: &Field) -> Option<String> {
    let (name, typed) = (field.input(), form.text(&field.input()));
    let mut checker = Checker::of(field);
    checker.required |= field.is_column();
    match checker.check(&typed) {
        Ok(accepted) => Some(accepted.map(|a| a.stored.into_owned()).unwrap_or_default()),
        Err(why) => {
            form.refuse(&name, why);
            None
        }
    }
}
