// SPDX-License-Identifier: EUPL-1.2
//! A workflow being prepared: as typed, valid or not, and everything that is wrong with it (RG-062).
use super::{Category, DateMode, ReasonMode, Workflow};
use crate::{configuration::code_of, text::norm};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};

pub const MAX_STATUSES: usize = 30;
pub const MAX_TRANSITIONS: usize = 60;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    pub statuses: Vec<StatusDraft>,
    pub transitions: Vec<TransitionDraft>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusDraft {
    /// The code of a status that was published once; `+1`, `+2`… for a new one, whose code is made
    /// of its name when the version is published.
    pub key: String,
    pub name: String,
    pub category: Category,
    pub initial: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransitionDraft {
    /// As the key of a status.
    pub key: String,
    pub label: String,
    /// Keys of statuses.
    pub from: Vec<String>,
    /// Key of a status; empty when not chosen yet.
    pub to: String,
    pub technician: bool,
    pub manager: bool,
    pub reason: String,
    pub date: String,
}

impl TransitionDraft {
    pub fn reason_mode(&self) -> ReasonMode {
        ReasonMode::from_code(&self.reason).unwrap_or(ReasonMode::None)
    }

    pub fn date_mode(&self) -> DateMode {
        DateMode::from_code(&self.date).unwrap_or(DateMode::Untouched)
    }

    /// « Technicien, gestionnaire »
    pub fn roles(&self) -> &'static str {
        match (self.technician, self.manager) {
            (true, true) => "Technicien, gestionnaire",
            (true, false) => "Technicien",
            (false, true) => "Gestionnaire",
            (false, false) => "Personne",
        }
    }
}

/// What is wrong, in French, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub message: String,
    /// Fragment of the page where it is corrected.
    pub anchor: String,
}

impl Definition {
    /// A published version, to be changed.
    pub fn of(workflow: &Workflow) -> Self {
        let code = |id: i32| {
            workflow
                .statuses
                .iter()
                .find(|s| s.id == id)
                .map_or_else(String::new, |s| s.code.clone())
        };
        let statuses = workflow
            .statuses
            .iter()
            .map(|s| StatusDraft {
                key: s.code.clone(),
                name: s.name.clone(),
                category: s.category,
                initial: s.is_initial,
            })
            .collect();
        let mut transitions: Vec<TransitionDraft> = Vec::new();
        for t in &workflow.transitions {
            let draft = TransitionDraft {
                key: t.code.clone(),
                label: t.label.clone(),
                from: vec![code(t.from)],
                to: code(t.to),
                technician: t.for_technician,
                manager: t.for_manager,
                reason: t.reason.code().into(),
                date: t.date.code().into(),
            };
            // One line for « Reporter », whatever the number of statuses it leaves.
            let same = transitions.iter_mut().find(|known| {
                TransitionDraft { from: Vec::new(), ..(*known).clone() }
                    == TransitionDraft { from: Vec::new(), ..draft.clone() }
            });
            match same {
                Some(known) => known.from.extend(draft.from),
                None => transitions.push(draft),
            }
        }
        Self { statuses, transitions }
    }

    /// The smallest workflow that can be published: where a new one starts.
    pub fn starting() -> Self {
        let status = |key: &str, name: &str, category| StatusDraft {
            key: key.into(),
            name: name.into(),
            category,
            initial: category == Category::Todo,
        };
        let transition = |key: &str, label: &str, from: &str, to: &str| TransitionDraft {
            key: key.into(),
            label: label.into(),
            from: vec![from.into()],
            to: to.into(),
            technician: true,
            manager: true,
            reason: "none".into(),
            date: "untouched".into(),
        };
        Self {
            statuses: vec![
                status("+1", "À planifier", Category::Todo),
                status("+2", "En cours", Category::InProgress),
                status("+3", "Réalisé", Category::Done),
            ],
            transitions: vec![
                transition("+1", "Démarrer", "+1", "+2"),
                transition("+2", "Terminer", "+2", "+3"),
            ],
        }
    }

    pub fn status(&self, key: &str) -> Option<&StatusDraft> {
        self.statuses.iter().find(|s| s.key == key)
    }

    pub fn status_name(&self, key: &str) -> &str {
        self.status(key).map_or("—", |s| s.name.as_str())
    }

    /// The transitions that leave a status.
    pub fn leaving(&self, key: &str) -> impl Iterator<Item = &TransitionDraft> {
        self.transitions.iter().filter(move |t| t.from.iter().any(|from| from == key))
    }

    /// A key that no status has, for a new one.
    pub fn new_status_key(&self) -> String {
        free(self.statuses.iter().map(|s| s.key.as_str()))
    }

    pub fn new_transition_key(&self) -> String {
        free(self.transitions.iter().map(|t| t.key.as_str()))
    }

    /// Takes a status away, and what referred to it.
    pub fn remove_status(&mut self, key: &str) {
        self.statuses.retain(|s| s.key != key);
        for transition in &mut self.transitions {
            transition.from.retain(|from| from != key);
            if transition.to == key {
                transition.to.clear();
            }
        }
    }

    /// Everything that forbids publishing, each fault named; empty when valid (RG-062).
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        self.status_faults(&mut faults);
        self.transition_faults(&mut faults);
        self.graph_faults(&mut faults);
        faults
    }

    fn status_faults(&self, faults: &mut Vec<Fault>) {
        let mut say = |message: String, anchor: String| faults.push(Fault { message, anchor });
        let mut names = HashSet::new();
        for (n, status) in self.statuses.iter().enumerate() {
            let place = n + 1;
            if status.name.is_empty() {
                say(format!("Le statut {place} n’a pas de nom"), format!("s-{n}-nom"));
            } else if !names.insert(norm(&status.name)) {
                say(format!("Deux statuts s’appellent « {} »", status.name), format!("s-{n}-nom"));
            } else if status.name.chars().count() > 60 {
                say(
                    format!("Le nom du statut {place} dépasse 60 caractères"),
                    format!("s-{n}-nom"),
                );
            }
        }
        let initial: Vec<_> = self.statuses.iter().enumerate().filter(|(_, s)| s.initial).collect();
        match initial.as_slice() {
            [(n, status)] if status.category != Category::Todo => say(
                format!(
                    "Le statut initial « {} » doit être dans la catégorie « À planifier »",
                    status.name
                ),
                format!("s-{n}-categorie"),
            ),
            [_] => {}
            [] => say("Aucun statut n’est initial".into(), "statuts".into()),
            several => {
                let names: Vec<_> =
                    several.iter().map(|(_, s)| format!("« {} »", s.name)).collect();
                say(
                    format!("Plusieurs statuts sont initiaux : {}", names.join(", ")),
                    "statuts".into(),
                );
            }
        }
        if !self.statuses.iter().any(|s| s.category == Category::Done) {
            say("Aucun statut n’est dans la catégorie « Réalisé »".into(), "statuts".into());
        }
        if self.statuses.len() > MAX_STATUSES {
            say(format!("Un workflow compte au plus {MAX_STATUSES} statuts"), "statuts".into());
        }
    }

    fn transition_faults(&self, faults: &mut Vec<Fault>) {
        let mut say = |message: String, anchor: String| faults.push(Fault { message, anchor });
        let mut taken = HashSet::new();
        for (n, t) in self.transitions.iter().enumerate() {
            let name = if t.label.is_empty() {
                say(format!("La transition {} n’a pas de nom", n + 1), format!("t-{n}-libelle"));
                format!("La transition {}", n + 1)
            } else {
                format!("La transition « {} »", t.label)
            };
            if t.label.chars().count() > 60 {
                say(format!("{name} : le nom dépasse 60 caractères"), format!("t-{n}-libelle"));
            }
            if t.from.is_empty() {
                say(format!("{name} ne part d’aucun statut"), format!("t-{n}-de"));
            }
            if self.status(&t.to).is_none() {
                say(format!("{name} n’arrive à aucun statut"), format!("t-{n}-vers"));
            } else if t.from.contains(&t.to) {
                say(format!("{name} part du statut où elle arrive"), format!("t-{n}-de"));
            }
            if !t.technician && !t.manager {
                say(
                    format!("Personne ne peut faire {}", name.to_lowercase_first()),
                    format!("t-{n}-technicien"),
                );
            }
            for from in &t.from {
                if let Some(status) = self.status(from).filter(|s| s.category.is_final()) {
                    say(
                        format!("{name} part de « {} », qui est un statut final", status.name),
                        format!("t-{n}-de"),
                    );
                }
                if !t.label.is_empty() && !taken.insert((norm(&t.label), from.clone())) {
                    let status = self.status_name(from);
                    say(
                        format!("Deux transitions « {} » partent de « {status} »", t.label),
                        format!("t-{n}-de"),
                    );
                }
            }
        }
        if self.transitions.len() > MAX_TRANSITIONS {
            say(
                format!("Un workflow compte au plus {MAX_TRANSITIONS} transitions"),
                "transitions".into(),
            );
        }
    }

    fn graph_faults(&self, faults: &mut Vec<Fault>) {
        let mut reached: HashSet<&str> =
            self.statuses.iter().filter(|s| s.initial).map(|s| s.key.as_str()).collect();
        loop {
            let before = reached.len();
            for t in &self.transitions {
                if t.from.iter().any(|from| reached.contains(from.as_str())) {
                    reached.insert(&t.to);
                }
            }
            if reached.len() == before {
                break;
            }
        }
        let has_initial = self.statuses.iter().any(|s| s.initial);
        for (n, status) in self.statuses.iter().enumerate() {
            let (name, anchor) = (&status.name, format!("s-{n}-nom"));
            if has_initial && !reached.contains(status.key.as_str()) {
                let message = format!("Le statut « {name} » n’est jamais atteint");
                faults.push(Fault { message, anchor: anchor.clone() });
            }
            let exits = self.transitions.iter().any(|t| {
                t.from.contains(&status.key) && t.to != status.key && self.status(&t.to).is_some()
            });
            if !status.category.is_final() && !exits {
                let message = format!("Le statut « {name} » n’a aucune sortie");
                faults.push(Fault { message, anchor });
            }
        }
    }

    /// The codes that publishing gives: those once published stay, new ones are made of the names.
    pub fn codes(&self) -> Codes {
        Codes {
            statuses: code(self.statuses.iter().map(|s| (s.key.as_str(), s.name.as_str()))),
            transitions: code(self.transitions.iter().map(|t| (t.key.as_str(), t.label.as_str()))),
        }
    }
}

/// Key → code.
pub struct Codes {
    pub statuses: HashMap<String, String>,
    pub transitions: HashMap<String, String>,
}

fn code<'a>(named: impl Iterator<Item = (&'a str, &'a str)> + Clone) -> HashMap<String, String> {
    let mut taken: Vec<String> =
        named.clone().filter(|(key, _)| !key.starts_with('+')).map(|(key, _)| key.into()).collect();
    named
        .map(|(key, name)| {
            if key.starts_with('+') {
                let code = code_of(name, &taken);
                taken.push(code.clone());
                (key.to_owned(), code)
            } else {
                (key.to_owned(), key.to_owned())
            }
        })
        .collect()
}

fn free<'a>(keys: impl Iterator<Item = &'a str>) -> String {
    let last = keys.filter_map(|key| key.strip_prefix('+')?.parse::<u32>().ok()).max();
    format!("+{}", last.unwrap_or(0) + 1)
}

trait LowercaseFirst {
    fn to_lowercase_first(&self) -> String;
}

impl LowercaseFirst for String {
    fn to_lowercase_first(&self) -> String {
        let mut chars = self.chars();
        chars.next().map_or_else(Self::new, |first| first.to_lowercase().chain(chars).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(definition: &Definition) -> Vec<String> {
        definition.faults().into_iter().map(|fault| fault.message.replace('\u{a0}', " ")).collect()
    }

    #[test]
    fn rg_062_what_a_new_workflow_starts_from_is_valid() {
        assert_eq!(messages(&Definition::starting()), [""; 0]);
        let codes = Definition::starting().codes();
        assert_eq!(codes.statuses["+1"], "a_planifier");
        assert_eq!(codes.transitions["+2"], "terminer");
    }

    #[test]
    fn rg_062_each_fault_is_named() {
        let broken = |change: &dyn Fn(&mut Definition)| {
            let mut definition = Definition::starting();
            change(&mut definition);
            messages(&definition).join("|")
        };
        let remis = StatusDraft {
            key: "+4".into(),
            name: "Remis".into(),
            category: Category::Cancelled,
            initial: false,
        };
        for (found, expected) in [
            (
                broken(&|d| d.statuses.push(remis.clone())),
                "Le statut « Remis » n’est jamais atteint",
            ),
            (
                broken(&|d| d.statuses[1].initial = true),
                "Plusieurs statuts sont initiaux : « À planifier », « En cours »",
            ),
            (broken(&|d| d.statuses[0].initial = false), "Aucun statut n’est initial"),
            (
                broken(&|d| d.statuses[0].category = Category::Planned),
                "Le statut initial « À planifier » doit être dans la catégorie « À planifier »",
            ),
            (
                broken(&|d| d.statuses[2].category = Category::Cancelled),
                "Aucun statut n’est dans la catégorie « Réalisé »",
            ),
            (
                broken(&|d| d.statuses[2].name = "en  COURS".into()),
                "Deux statuts s’appellent « en  COURS »",
            ),
            (
                broken(&|d| d.statuses[2].category = Category::Blocked),
                "Aucun statut n’est dans la catégorie « Réalisé »|Le statut « Réalisé » n’a aucune sortie",
            ),
            (
                broken(&|d| d.transitions[0].from = vec![]),
                "La transition « Démarrer » ne part d’aucun statut|Le statut « À planifier » n’a aucune sortie|Le statut « En cours » n’est jamais atteint|Le statut « Réalisé » n’est jamais atteint",
            ),
            (
                broken(&|d| d.transitions[1].from.push("+3".into())),
                "La transition « Terminer » part du statut où elle arrive|La transition « Terminer » part de « Réalisé », qui est un statut final",
            ),
            (broken(&|d| d.transitions[1].label = "démarrer".into()), ""),
            (
                broken(&|d| {
                    d.transitions[1].label = "démarrer".into();
                    d.transitions[1].from.push("+1".into());
                }),
                "Deux transitions « démarrer » partent de « À planifier »",
            ),
            (
                broken(&|d| {
                    (d.transitions[0].technician, d.transitions[0].manager) = (false, false)
                }),
                "Personne ne peut faire la transition « Démarrer »",
            ),
            (broken(&|d| d.transitions[1].label.clear()), "La transition 2 n’a pas de nom"),
        ] {
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_removed_status_is_named_by_nothing() {
        let mut definition = Definition::starting();
        definition.remove_status("+2");
        assert_eq!(definition.transitions[0].to, "");
        assert!(definition.transitions[1].from.is_empty());
        assert_eq!(definition.new_status_key(), "+4");
    }
}
