// SPDX-License-Identifier: EUPL-1.2
//! The configuration as the tables of an archive (03 §6).
use super::{
    content::{Content, Flow, Kind},
    table::Table,
};
use crate::operation_types::WholeField;

pub const TYPES: &str = "types_operations.csv";
pub const WORKFLOWS: &str = "workflows.csv";
pub const SEGMENTS: &str = "segments.csv";
pub const TEMPLATES: &str = "templates_checklists.csv";

/// A line for the type, then one line per field.
pub const TYPE_COLUMNS: [&str; 19] = [
    "type",
    "description",
    "icône",
    "couleur",
    "durée",
    "workflow",
    "modèle",
    "actif",
    "code",
    "libellé",
    "nature",
    "obligatoire",
    "usage",
    "motif",
    "choix",
    "recherche",
    "liste",
    "tri",
    "aide",
];

/// A line for the workflow, then its statuses, then its transitions.
pub const WORKFLOW_COLUMNS: [&str; 14] = [
    "workflow",
    "ligne",
    "description",
    "actif",
    "code",
    "nom",
    "catégorie",
    "initial",
    "de",
    "vers",
    "technicien",
    "gestionnaire",
    "motif",
    "date",
];

/// Nothing writes these two yet: their header says what a later version will put there.
const SEGMENT_COLUMNS: [&str; 5] = ["jeu", "nom", "couleur", "ordre", "sites"];
const TEMPLATE_COLUMNS: [&str; 9] = [
    "modèle",
    "version",
    "phase",
    "ordre",
    "verrouillée",
    "étape",
    "obligatoire",
    "minutes",
    "champ",
];

/// The entries of an archive, by name.
pub fn tables(content: &Content) -> [(&'static str, Table); 4] {
    let mut types = Table::new(&TYPE_COLUMNS);
    for kind in &content.types {
        write_type(&mut types, kind);
    }
    let mut workflows = Table::new(&WORKFLOW_COLUMNS);
    for flow in &content.workflows {
        write_workflow(&mut workflows, flow);
    }
    [
        (TYPES, types),
        (WORKFLOWS, workflows),
        (SEGMENTS, Table::new(&SEGMENT_COLUMNS)),
        (TEMPLATES, Table::new(&TEMPLATE_COLUMNS)),
    ]
}

fn yes(is: bool) -> &'static str {
    if is { "oui" } else { "non" }
}

fn write_type(table: &mut Table, kind: &Kind) {
    table.push(&[
        ("type", &kind.name),
        ("description", &kind.description),
        ("icône", &kind.icon),
        ("couleur", &kind.color),
        ("durée", &kind.minutes.to_string()),
        ("workflow", &kind.workflow),
        ("actif", yes(kind.active)),
    ]);
    for field in &kind.fields {
        write_field(table, &kind.name, field);
    }
}

fn write_field(table: &mut Table, kind: &str, field: &WholeField) {
    table.push(&[
        ("type", kind),
        ("code", &field.code),
        ("libellé", &field.label),
        ("nature", field.kind.code()),
        ("obligatoire", yes(field.required)),
        ("usage", &field.usages.join(",")),
        ("motif", field.pattern.as_deref().unwrap_or_default()),
        ("choix", &field.choices.join("\n")),
        ("recherche", yes(field.searchable)),
        ("liste", yes(field.in_list)),
        ("tri", yes(field.sortable)),
        ("aide", field.hint.as_deref().unwrap_or_default()),
    ]);
}

fn write_workflow(table: &mut Table, flow: &Flow) {
    table.push(&[
        ("workflow", &flow.name),
        ("ligne", "workflow"),
        ("description", &flow.description),
        ("actif", yes(flow.active)),
    ]);
    for status in &flow.definition.statuses {
        table.push(&[
            ("workflow", &flow.name),
            ("ligne", "statut"),
            ("code", &status.key),
            ("nom", &status.name),
            ("catégorie", status.category.code()),
            ("initial", yes(status.initial)),
        ]);
    }
    for transition in &flow.definition.transitions {
        table.push(&[
            ("workflow", &flow.name),
            ("ligne", "transition"),
            ("code", &transition.key),
            ("nom", &transition.label),
            ("de", &transition.from.join(",")),
            ("vers", &transition.to),
            ("technicien", yes(transition.technician)),
            ("gestionnaire", yes(transition.manager)),
            ("motif", &transition.reason),
            ("date", &transition.date),
        ]);
    }
}
