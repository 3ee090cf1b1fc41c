// SPDX-License-Identifier: EUPL-1.2
//! `types_operations.csv` read and judged by the rules of the screens (RG-060, RG-061).
use super::{
    content::Kind,
    judge::Judge,
    sheets::TYPES,
    table::{Fault, Row, Table},
};
use crate::{
    campaigns::{SORTABLE, Usage},
    operation_types::{Information, WholeField, read_field},
    text::norm,
    web::Form,
};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// The types of the table, and its faults. `workflows` are the norms of the names a type may give.
pub fn types(table: &Table, workflows: &HashSet<String>) -> (Vec<Kind>, Vec<Fault>) {
    let mut judge = Judge::new(TYPES, table);
    let (mut found, mut places) = (Vec::<(u64, Kind)>::new(), HashMap::new());
    for row in &table.rows {
        let name = judge.text(row, "type");
        let known = places.get(&norm(&name)).and_then(|place: &usize| found.get_mut(*place));
        match (known, judge.text(row, "libellé").is_empty()) {
            (Some(_), true) => judge.say(row.line, format!("le type « {name} » est déjà déclaré")),
            (None, false) => {
                judge.say(row.line, format!("ce champ précède la ligne de son type « {name} »"))
            }
            (None, true) => {
                if let Some(kind) = kind(&mut judge, row, workflows) {
                    places.insert(norm(&name), found.len());
                    found.push((row.line, kind));
                }
            }
            (Some((_, kind)), false) => kind.fields.extend(field(&mut judge, row)),
        }
    }
    for (line, kind) in &found {
        whole(&mut judge, *line, kind);
    }
    (found.into_iter().map(|(_, kind)| kind).collect(), judge.faults)
}

fn kind(judge: &mut Judge, row: &Row, workflows: &HashSet<String>) -> Option<Kind> {
    let workflow = judge.text(row, "workflow");
    // The form knows workflows by identifier; here they are known by name.
    let stand_in = Uuid::nil().to_string();
    let chosen = if workflows.contains(&norm(&workflow)) { stand_in.as_str() } else { "" };
    let mut form = Form::filled([
        ("nom", judge.table.cell(row, "type")),
        ("description", judge.table.cell(row, "description")),
        ("icone", judge.table.cell(row, "icône")),
        ("couleur", judge.table.cell(row, "couleur")),
        ("duree", judge.table.cell(row, "durée")),
        ("workflow", chosen),
    ]);
    let read = Information::parse(&mut form, &[(stand_in.clone(), String::new())]);
    for error in form.errors() {
        let reason = match error.field.as_str() {
            "nom" => format!("nom du type : {}", error.message),
            "workflow" => format!("le workflow « {workflow} » n’est ni dans l’archive, ni ici"),
            _ => error.message.clone(),
        };
        judge.say(row.line, reason);
    }
    let active = judge.tick(row, "actif");
    let read = read?;
    Some(Kind {
        name: read.name,
        description: read.description,
        icon: read.icon,
        color: read.color,
        minutes: read.minutes,
        workflow,
        active,
        fields: Vec::new(),
    })
}

fn field(judge: &mut Judge, row: &Row) -> Option<WholeField> {
    let code = judge.code(row);
    let ticked = |on: bool| if on { "oui" } else { "" };
    let usages = judge.text(row, "usage");
    for usage in usages.split(',').filter(|usage| !usage.is_empty()) {
        if !Usage::ALL.iter().any(|known| known.code() == usage) {
            judge.say(row.line, format!("l’usage « {usage} » n’existe pas"));
        }
    }
    let (required, searchable) = (judge.tick(row, "obligatoire"), judge.tick(row, "recherche"));
    let (in_list, sortable) = (judge.tick(row, "liste"), judge.tick(row, "tri"));
    let mut form = Form::filled([
        ("libelle", judge.table.cell(row, "libellé")),
        ("nature", judge.table.cell(row, "nature")),
        ("obligatoire", ticked(required)),
        ("recherche", ticked(searchable)),
        ("liste", ticked(in_list)),
        ("tri", ticked(sortable)),
        ("format", judge.table.cell(row, "motif")),
        ("aide", judge.table.cell(row, "aide")),
        ("choix", judge.table.cell(row, "choix")),
        ("usages", &usages),
    ]);
    let read = read_field(&mut form);
    for error in form.errors() {
        let what = if error.field == "nature" { "nature : " } else { "" };
        judge.say(row.line, format!("{what}{}", error.message));
    }
    let read = read?;
    Some(WholeField {
        code,
        label: read.field.label,
        kind: read.field.kind,
        required: read.field.required,
        searchable: read.field.searchable,
        in_list: read.field.in_list,
        sortable: read.field.sortable,
        pattern: read.field.pattern,
        hint: read.field.hint,
        choices: read.field.choices,
        usages: read.usages,
    })
}

/// What a type must be as a whole.
fn whole(judge: &mut Judge, line: u64, kind: &Kind) {
    let name = &kind.name;
    for usage in Usage::ALL {
        let held = kind.fields.iter().filter(|field| field.has(usage)).count();
        let usage_name = usage.label();
        if held == 0 && matches!(usage, Usage::Identifier | Usage::Label) {
            judge.say(line, format!("le type « {name} » n’a pas de champ « {usage_name} »"));
        } else if held > 1 {
            judge.say(
                line,
                format!("plusieurs champs du type « {name} » ont l’usage « {usage_name} »"),
            );
        }
    }
    if kind.fields.iter().filter(|field| field.sortable).count() > SORTABLE {
        judge.say(line, format!("plus de {SORTABLE} champs du type « {name} » sont triables"));
    }
    let (mut codes, mut labels) = (HashSet::new(), HashSet::new());
    for field in &kind.fields {
        judge.once(&mut codes, field.code.as_str(), line, || {
            format!("deux champs du type « {name} » ont le code « {} »", field.code)
        });
        judge.once(&mut labels, norm(&field.label), line, || {
            format!("deux champs du type « {name} » s’appellent « {} »", field.label)
        });
    }
}
