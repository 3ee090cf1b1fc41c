// SPDX-License-Identifier: EUPL-1.2
//! What a person declares of a field, of a campaign or of an operation type (RG-061, RG-162).
use super::{Field, FieldKind};
use crate::{text::norm, web::Form};
use serde_json::{Value, json};
use std::collections::HashSet;

/// What a person declares of a field.
#[derive(Clone, Debug, PartialEq)]
pub struct Declaration {
    pub label: String,
    pub kind: FieldKind,
    pub required: bool,
    pub searchable: bool,
    pub in_list: bool,
    /// Never the identifier nor the label, which lists always sort by.
    pub sortable: bool,
    pub hidden: bool,
    pub pattern: Option<String>,
    pub hint: Option<String>,
    pub choices: Vec<String>,
}

impl Declaration {
    pub fn of(field: &Field) -> Self {
        Self {
            label: field.label.clone(),
            kind: field.kind,
            required: field.required,
            searchable: field.searchable,
            in_list: field.in_list,
            sortable: field.sortable,
            hidden: field.hidden,
            pattern: field.pattern.clone(),
            hint: field.hint.clone(),
            choices: field.choices.clone(),
        }
    }

    /// Reads and checks the form of a field; the errors are left in it. The identifier and the
    /// label (`is_column`) are short texts, always asked, never hidden.
    pub fn parse(form: &mut Form, is_column: bool) -> Option<Self> {
        let label = form.required("libelle");
        if label.chars().count() > 255 {
            form.refuse("libelle", "Le nom doit compter au plus 255 caractères");
        }
        let kind = FieldKind::from_code(form.raw("nature"));
        match kind {
            None => form.refuse("nature", "Ce champ est obligatoire"),
            Some(kind) if is_column && kind != FieldKind::ShortText => {
                form.refuse("nature", "L’identifiant et le libellé sont des textes courts")
            }
            Some(_) => {}
        }
        let pattern = form.given("format");
        if pattern.as_deref().is_some_and(|p| regex::Regex::new(&format!("^(?:{p})$")).is_err()) {
            form.refuse("format", "Cette expression est mal formée");
        }
        let choices = choices(form, kind);
        let declaration = Self {
            label,
            kind: kind?,
            required: form.checked("obligatoire") || is_column,
            searchable: form.checked("recherche"),
            in_list: form.checked("liste"),
            sortable: form.checked("tri") && !is_column,
            hidden: form.checked("masque") && !is_column,
            pattern,
            hint: form.given("aide"),
            choices,
        };
        form.is_valid().then_some(declaration)
    }

    /// `{"field": [old, new]}` of what differs from `before`.
    pub fn trace(&self, before: Option<&Self>) -> Value {
        let pair = |old: Option<Value>, new: Value| json!([old, new]);
        crate::audit::only_changed(json!({
            "label": pair(before.map(|b| json!(b.label)), json!(self.label)),
            "kind": pair(before.map(|b| json!(b.kind.label())), json!(self.kind.label())),
            "required": pair(before.map(|b| json!(b.required)), json!(self.required)),
            "searchable": pair(before.map(|b| json!(b.searchable)), json!(self.searchable)),
            "in_list": pair(before.map(|b| json!(b.in_list)), json!(self.in_list)),
            "sortable": pair(before.map(|b| json!(b.sortable)), json!(self.sortable)),
            "hidden": pair(before.map(|b| json!(b.hidden)), json!(self.hidden)),
            "pattern": pair(before.map(|b| json!(b.pattern)), json!(self.pattern)),
            "hint": pair(before.map(|b| json!(b.hint)), json!(self.hint)),
            "choices": pair(before.map(|b| json!(b.choices)), json!(self.choices)),
        }))
    }
}

/// One a line, without doubles; at most 200 (RG-061).
fn choices(form: &mut Form, kind: Option<FieldKind>) -> Vec<String> {
    if kind != Some(FieldKind::Choice) {
        return Vec::new();
    }
    let mut seen = HashSet::new();
    let text = form.text("choix");
    let choices: Vec<String> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && seen.insert(norm(line)))
        .map(str::to_owned)
        .collect();
    if choices.is_empty() {
        form.refuse("choix", "Indiquez au moins un choix, un par ligne");
    } else if choices.len() > 200 {
        form.refuse("choix", "Une liste compte au plus 200 choix");
    }
    choices
}

/// Labels that announce health data or a national number, which no field may hold (RG-162).
const FORBIDDEN: [&str; 24] = [
    "sante",
    "maladie",
    "medical",
    "medicale",
    "medecin",
    "medicament",
    "pathologie",
    "diagnostic",
    "handicap",
    "rqth",
    "invalidite",
    "inaptitude",
    "grossesse",
    "enceinte",
    "arret maladie",
    "conge maladie",
    "motif d absence",
    "vaccin",
    "vaccination",
    "hospitalisation",
    "securite sociale",
    "secu",
    "nir",
    "numero national",
];

/// Whether a label announces what RG-162 forbids; it is said, never refused.
pub fn is_sensitive(label: &str) -> bool {
    let words: String =
        norm(label).chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    let padded = format!(" {} ", words.split_whitespace().collect::<Vec<_>>().join(" "));
    FORBIDDEN
        .iter()
        .any(|word| padded.contains(&format!(" {word} ")) || padded.contains(&format!(" {word}s ")))
}

#[cfg(test)]
mod tests {
    use super::is_sensitive;

    #[test]
    fn rg_162_labels_are_read_word_by_word() {
        for label in
            ["Motif d’absence", "N° sécu", "Arrêt maladie", "Vaccins", "NIR", "État de santé"]
        {
            assert!(is_sensitive(label), "{label}");
        }
        for label in ["Sécurité du poste", "Avenir", "Numéro de série", "Sanitaire", "Matricule"]
        {
            assert!(!is_sensitive(label), "{label}");
        }
    }
}
