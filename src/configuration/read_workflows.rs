// SPDX-License-Identifier: EUPL-1.2
//! `workflows.csv` read and judged by the rules of publication (RG-062).
use super::{
    content::{Flow, grouped},
    judge::Judge,
    sheets::WORKFLOWS,
    table::{Fault, Row, Table},
};
use crate::{
    text::norm,
    workflows::{
        Category, DateMode, Definition, MAX_STATUSES, MAX_TRANSITIONS, ReasonMode, StatusDraft,
        TransitionDraft,
    },
};
use std::collections::{HashMap, HashSet};

/// A workflow and the lines it was read on.
struct Read {
    flow: Flow,
    line: u64,
    statuses: Vec<u64>,
    transitions: Vec<u64>,
}

pub fn workflows(table: &Table) -> (Vec<Flow>, Vec<Fault>) {
    let mut judge = Judge::new(WORKFLOWS, table);
    let (mut found, mut places) = (Vec::<Read>::new(), HashMap::new());
    for row in &table.rows {
        let name = judge.text(row, "workflow");
        let known = places.get(&norm(&name)).and_then(|place: &usize| found.get_mut(*place));
        match (judge.text(row, "ligne").as_str(), known) {
            ("workflow", None) => {
                places.insert(norm(&name), found.len());
                let flow = head(&mut judge, row, name);
                let line = row.line;
                found.push(Read { flow, line, statuses: Vec::new(), transitions: Vec::new() });
            }
            ("workflow", Some(_)) => {
                judge.say(row.line, format!("le workflow « {name} » est déjà déclaré"))
            }
            ("statut", Some(read)) => {
                if let Some(status) = status(&mut judge, row) {
                    read.flow.definition.statuses.push(status);
                    read.statuses.push(row.line);
                }
            }
            ("transition", Some(read)) => {
                read.flow.definition.transitions.push(transition(&mut judge, row));
                read.transitions.push(row.line);
            }
            ("statut" | "transition", None) => {
                judge.say(row.line, format!("cette ligne précède celle du workflow « {name} »"))
            }
            (other, _) => judge.say(
                row.line,
                format!(
                    "« {other} » dans la colonne « ligne » : workflow, statut ou transition attendu"
                ),
            ),
        }
    }
    for read in &found {
        whole(&mut judge, read);
    }
    (found.into_iter().map(|read| read.flow).collect(), judge.faults)
}

fn head(judge: &mut Judge, row: &Row, name: String) -> Flow {
    if !(1..=100).contains(&name.chars().count()) {
        judge.say(row.line, "le nom du workflow doit compter de 1 à 100 caractères");
    }
    let description = judge.text(row, "description");
    if description.chars().count() > 2_000 {
        judge.say(row.line, "la description est trop longue (2 000 caractères au plus)");
    }
    let active = judge.tick(row, "actif");
    Flow { name, description, active, definition: Definition::default() }
}

fn status(judge: &mut Judge, row: &Row) -> Option<StatusDraft> {
    let (key, name) = (judge.code(row), judge.text(row, "nom"));
    let category = judge.text(row, "catégorie");
    let initial = judge.tick(row, "initial");
    let Some(category) = Category::from_code(&category) else {
        judge.say(row.line, format!("la catégorie « {category} » n’existe pas"));
        return None;
    };
    Some(StatusDraft { key, name, category, initial })
}

fn transition(judge: &mut Judge, row: &Row) -> TransitionDraft {
    let (reason, date) = (judge.text(row, "motif"), judge.text(row, "date"));
    if ReasonMode::from_code(&reason).is_none() {
        judge.say(row.line, format!("« {reason} » dans la colonne « motif » n’existe pas"));
    }
    if DateMode::from_code(&date).is_none() {
        judge.say(row.line, format!("« {date} » dans la colonne « date » n’existe pas"));
    }
    TransitionDraft {
        key: judge.code(row),
        label: judge.text(row, "nom"),
        from: vec![judge.text(row, "de")],
        to: judge.text(row, "vers"),
        technician: judge.tick(row, "technicien"),
        manager: judge.tick(row, "gestionnaire"),
        reason,
        date,
    }
}

fn whole(judge: &mut Judge, read: &Read) {
    let (definition, name) = (&read.flow.definition, &read.flow.name);
    // A transition has a line for each status it leaves. Beyond, comparing them all takes minutes.
    if definition.transitions.len() > MAX_STATUSES * MAX_TRANSITIONS {
        judge.say(read.line, format!("le workflow « {name} » compte trop de transitions"));
        return;
    }
    let (mut codes, mut exits) = (HashSet::new(), HashSet::new());
    for (status, line) in definition.statuses.iter().zip(&read.statuses) {
        judge.once(&mut codes, status.key.as_str(), *line, || {
            format!("deux statuts du workflow « {name} » ont le code « {} »", status.key)
        });
    }
    for (transition, line) in definition.transitions.iter().zip(&read.transitions) {
        let from = transition.from.first().map_or("", String::as_str);
        if definition.status(from).is_none() {
            judge.say(*line, format!("le statut de départ « {from} » n’existe pas"));
        }
        judge.once(&mut exits, (transition.key.as_str(), from), *line, || {
            format!("deux transitions de code « {} » partent de « {from} »", transition.key)
        });
    }
    let (edited, firsts) = grouped(definition);
    for fault in edited.faults() {
        let place = |prefix: &str| {
            fault.anchor.strip_prefix(prefix)?.split('-').next()?.parse::<usize>().ok()
        };
        let line = place("s-")
            .and_then(|n| read.statuses.get(n))
            .or_else(|| read.transitions.get(*firsts.get(place("t-")?)?));
        judge.say(line.copied().unwrap_or(read.line), fault.message);
    }
}
