// SPDX-License-Identifier: EUPL-1.2
//! The configuration that travels: operation types and published workflows, by name.
//! Built-in workflows stay: every instance has them.
use crate::{
    operation_types::{OperationType, WholeField, type_fields},
    web::Result,
    workflows::{Definition, TransitionDraft, Workflow, WorkflowSummary},
};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    pub types: Vec<Kind>,
    pub workflows: Vec<Flow>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kind {
    pub name: String,
    pub description: String,
    pub icon: String,
    pub color: String,
    pub minutes: i32,
    /// Its name.
    pub workflow: String,
    pub active: bool,
    pub fields: Vec<WholeField>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    pub name: String,
    pub description: String,
    pub active: bool,
    /// A transition for each status it leaves: their order at each status is kept.
    pub definition: Definition,
}

impl Content {
    /// What this instance would export.
    pub async fn current(conn: &mut PgConnection) -> Result<Self> {
        let mut content = Self::default();
        for kind in OperationType::all(&mut *conn).await? {
            content.types.push(Kind::of(conn, kind).await?);
        }
        for summary in WorkflowSummary::all(&mut *conn).await? {
            if !summary.built_in
                && let Some(flow) = Flow::of(conn, &summary).await?
            {
                content.workflows.push(flow);
            }
        }
        Ok(content)
    }
}

impl Kind {
    pub async fn of(conn: &mut PgConnection, kind: OperationType) -> Result<Self> {
        let fields = type_fields(conn, kind.id).await?.into_iter().map(Into::into).collect();
        Ok(Self {
            name: kind.name,
            description: kind.description,
            icon: kind.icon,
            color: kind.color,
            minutes: kind.minutes,
            workflow: kind.workflow_name,
            active: kind.active,
            fields,
        })
    }
}

impl Flow {
    /// Its latest version; `None` before the first.
    pub async fn of(conn: &mut PgConnection, summary: &WorkflowSummary) -> Result<Option<Self>> {
        let Some(version) = summary.version else { return Ok(None) };
        let workflow = Workflow::load(conn, version).await?;
        Ok(Some(Self {
            name: summary.name.clone(),
            description: summary.description.clone(),
            active: summary.active,
            definition: flat(&workflow),
        }))
    }
}

fn flat(workflow: &Workflow) -> Definition {
    let code = |id: i32| {
        workflow.statuses.iter().find(|s| s.id == id).map_or_else(String::new, |s| s.code.clone())
    };
    let transitions = workflow
        .transitions
        .iter()
        .map(|t| TransitionDraft {
            key: t.code.clone(),
            label: t.label.clone(),
            from: vec![code(t.from)],
            to: code(t.to),
            technician: t.for_technician,
            manager: t.for_manager,
            reason: t.reason.code().into(),
            date: t.date.code().into(),
        })
        .collect();
    Definition { transitions, ..Definition::of(workflow) }
}

/// The definition as it is edited, one transition for several statuses left, to be judged by the
/// same rules (RG-062); and for each of its transitions, the place of the first of `flat`.
pub fn grouped(flat: &Definition) -> (Definition, Vec<usize>) {
    let bare = |t: &TransitionDraft| TransitionDraft { from: Vec::new(), ..t.clone() };
    let (mut transitions, mut firsts) = (Vec::<TransitionDraft>::new(), Vec::new());
    for (n, transition) in flat.transitions.iter().enumerate() {
        match transitions.iter_mut().find(|known| bare(known) == bare(transition)) {
            Some(known) => known.from.extend(transition.from.iter().cloned()),
            None => {
                transitions.push(transition.clone());
                firsts.push(n);
            }
        }
    }
    (Definition { statuses: flat.statuses.clone(), transitions }, firsts)
}
