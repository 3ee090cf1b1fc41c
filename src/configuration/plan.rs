// SPDX-License-Identifier: EUPL-1.2
//! What an import would do to this instance: each element is new, already the same, in conflict by
//! its name, or built in and left alone (US-806).
use super::content::{Content, Flow, Kind};
use crate::{
    operation_types::OperationType,
    text::{count, norm},
    web::{Form, Result},
    workflows::WorkflowSummary,
};
use sqlx::PgConnection;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    New,
    Same,
    Conflict,
    BuiltIn,
}

impl State {
    /// Class, icon, words.
    pub fn look(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::New => ("done", "plus", "Nouveau"),
            Self::Same => ("cancelled", "check", "Identique"),
            Self::Conflict => ("postponed", "alert", "Existe déjà"),
            Self::BuiltIn => ("cancelled", "lock", "Fourni, gardé tel quel"),
        }
    }
}

/// One element of the archive, facing this instance.
#[derive(Clone, Debug)]
pub struct Item {
    /// `t-0`, `w-2`: its place in the content.
    pub key: String,
    pub name: String,
    pub state: State,
    /// What « Remplacer » would touch.
    pub note: String,
}

impl Item {
    pub fn is_conflict(&self) -> bool {
        self.state == State::Conflict
    }
}

#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub types: Vec<Item>,
    pub workflows: Vec<Item>,
    /// What the names were compared with.
    pub kinds: Vec<OperationType>,
    pub flows: Vec<WorkflowSummary>,
}

impl Plan {
    pub async fn of(conn: &mut PgConnection, content: &Content) -> Result<Self> {
        let kinds = OperationType::all(&mut *conn).await?;
        let flows = WorkflowSummary::all(&mut *conn).await?;
        let mut plan = Self { kinds, flows, ..Self::default() };
        for (n, kind) in content.types.iter().enumerate() {
            let item = plan.kind(conn, n, kind).await?;
            plan.types.push(item);
        }
        for (n, flow) in content.workflows.iter().enumerate() {
            let item = plan.flow(conn, n, flow).await?;
            plan.workflows.push(item);
        }
        Ok(plan)
    }

    pub fn known_kind(&self, name: &str) -> Option<&OperationType> {
        self.kinds.iter().find(|known| norm(&known.name) == norm(name))
    }

    pub fn known_flow(&self, name: &str) -> Option<&WorkflowSummary> {
        self.flows.iter().find(|known| norm(&known.name) == norm(name))
    }

    async fn kind(&self, conn: &mut PgConnection, n: usize, kind: &Kind) -> Result<Item> {
        let (state, note) = match self.known_kind(&kind.name) {
            None => (State::New, String::new()),
            Some(known) if Kind::of(conn, known.clone()).await? == *kind => {
                (State::Same, String::new())
            }
            Some(known) => (State::Conflict, kept(known.campaigns, "gardent leurs champs")),
        };
        Ok(Item { key: format!("t-{n}"), name: kind.name.clone(), state, note })
    }

    async fn flow(&self, conn: &mut PgConnection, n: usize, flow: &Flow) -> Result<Item> {
        let (state, note) = match self.known_flow(&flow.name) {
            None => (State::New, String::new()),
            Some(known) if known.built_in => (State::BuiltIn, String::new()),
            Some(known) if Flow::of(conn, known).await?.as_ref() == Some(flow) => {
                (State::Same, String::new())
            }
            Some(known) => (State::Conflict, published(known)),
        };
        Ok(Item { key: format!("w-{n}"), name: flow.name.clone(), state, note })
    }

    pub fn conflicts(&self) -> Vec<&Item> {
        self.workflows.iter().chain(&self.types).filter(|item| item.is_conflict()).collect()
    }

    /// The conflicts as the form remembers having shown them.
    pub fn shown(&self) -> String {
        self.conflicts().iter().map(|item| item.key.as_str()).collect::<Vec<_>>().join(",")
    }

    /// Whether there is anything to create or to replace.
    pub fn is_idle(&self) -> bool {
        let moves = |item: &&Item| matches!(item.state, State::New | State::Conflict);
        !self.workflows.iter().chain(&self.types).any(|item| moves(&item))
    }

    /// « 3 types, 2 workflows, 1 conflit (« Migration W11 » existe déjà) »
    pub fn sentence(&self) -> String {
        let conflicts = self.conflicts();
        let mut said = format!(
            "{}, {}, {}",
            count(self.types.len() as i64, "type", "types"),
            count(self.workflows.len() as i64, "workflow", "workflows"),
            count(conflicts.len() as i64, "conflit", "conflits"),
        );
        let names: Vec<_> = conflicts.iter().take(5).map(|i| format!("« {} »", i.name)).collect();
        if !names.is_empty() {
            let exist = if conflicts.len() > 1 { "existent" } else { "existe" };
            let more = if conflicts.len() > 5 { "…" } else { "" };
            said.push_str(&format!(" ({}{more} {exist} déjà)", names.join(", ")));
        }
        said
    }
}

fn kept(campaigns: i64, verb: &str) -> String {
    if campaigns == 0 {
        return "Aucune campagne ne l’utilise".into();
    }
    let who = count(campaigns, "campagne", "campagnes");
    let verb = if campaigns < 2 { "garde ses champs" } else { verb };
    format!("{who} {verb}")
}

fn published(flow: &WorkflowSummary) -> String {
    let mut said = match flow.number {
        Some(number) => format!("Remplacer publie la version {}", number + 1),
        None => "Jamais publié : remplacer publie la version 1".into(),
    };
    match flow.campaigns {
        0 => {}
        1 => said.push_str(" ; 1 campagne garde la sienne"),
        n => said.push_str(&format!(" ; {} gardent la leur", count(n, "campagne", "campagnes"))),
    }
    if flow.has_draft {
        said.push_str(". Son brouillon est abandonné");
    }
    said
}

/// The general choice.
pub const CHOICES: [(&str, &str, &str); 3] = [
    (
        "nouveaux",
        "Créer uniquement les nouveaux",
        "Rien de ce qui existe ne change, quels que soient les choix ci-dessus",
    ),
    ("ignorer", "Ignorer", "Ce qui existe est gardé, sauf là où vous choisissez « Remplacer »"),
    (
        "remplacer",
        "Remplacer",
        "Ce qui existe prend le contenu de l’archive, sauf là où vous choisissez « Ignorer »",
    ),
];

/// Whether a conflict is to be replaced.
pub fn replaces(form: &Form, item: &Item) -> bool {
    let own = form.raw(&format!("conflit-{}", item.key));
    match (form.raw("choix"), own) {
        ("remplacer", own) => own != "ignorer",
        ("ignorer", own) => own == "remplacer",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn us_806_the_general_choice_and_that_of_each_conflict() {
        let item = Item {
            key: "t-0".into(),
            name: String::new(),
            state: State::Conflict,
            note: String::new(),
        };
        for (general, own, expected) in [
            ("remplacer", "", true),
            ("remplacer", "ignorer", false),
            ("ignorer", "", false),
            ("ignorer", "remplacer", true),
            ("nouveaux", "remplacer", false),
            ("", "remplacer", false),
        ] {
            let form = Form::filled([("choix", general), ("conflit-t-0", own)]);
            assert_eq!(replaces(&form, &item), expected, "{general} {own}");
        }
    }
}
