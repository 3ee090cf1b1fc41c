// SPDX-License-Identifier: EUPL-1.2
//! Writing an archive: everything or nothing, in the transaction of its trace (US-806.2).
use super::{
    Administer,
    content::{Content, Flow, Kind},
    plan::{Item, Plan, State, replaces},
};
use crate::{
    audit::Entry,
    db::Tx,
    operation_types::{Information, Whole, create_whole, replace_whole},
    text::norm,
    web::{Error, Form, Result},
    workflows::{WorkflowSummary, create_workflow, publish_definition},
};
use serde_json::json;
use std::collections::HashMap;
use uuid::Uuid;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    pub created: i64,
    pub replaced: i64,
    pub kept: i64,
}

/// Nobody creates nor renames a type or a workflow until the end of this transaction.
pub async fn lock(tx: &mut Tx) -> Result<()> {
    sqlx::query!("lock table workflows, operation_types in share row exclusive mode")
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// # Errors
/// `Refused` when no type or no workflow would be left for new campaigns, or when the workflow of
/// a type disappeared since the archive was checked.
pub async fn apply(
    tx: &mut Tx,
    may: &Administer,
    content: &Content,
    plan: &Plan,
    form: &Form,
) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    for (flow, item) in content.workflows.iter().zip(&plan.workflows) {
        match outcome.decide(item, form) {
            Some(State::New) => create_flow(tx, may, flow).await?,
            Some(_) => {
                let known = plan.known_flow(&flow.name).ok_or(Error::NotFound)?;
                replace_flow(tx, may, known, flow).await?;
            }
            None => {}
        }
    }
    let workflows = published(tx).await?;
    for (kind, item) in content.types.iter().zip(&plan.types) {
        let Some(state) = outcome.decide(item, form) else { continue };
        let whole = whole(kind, &workflows)?;
        if state == State::New {
            create_whole(tx, may, &whole).await?;
        } else {
            let known = plan.known_kind(&kind.name).ok_or(Error::NotFound)?;
            replace_whole(tx, may, known, &whole).await?;
        }
    }
    something_is_left(tx).await?;
    Ok(outcome)
}

impl Outcome {
    /// What to do of an element, counted; `None` for nothing.
    fn decide(&mut self, item: &Item, form: &Form) -> Option<State> {
        let decided = match item.state {
            State::New => Some(State::New),
            State::Conflict if replaces(form, item) => Some(State::Conflict),
            _ => None,
        };
        match decided {
            Some(State::New) => self.created += 1,
            Some(_) => self.replaced += 1,
            None => self.kept += 1,
        }
        decided
    }

    pub fn entry(self, file: &str) -> Entry {
        let changes = json!({ "file": file, "created": self.created, "updated": self.replaced, "kept": self.kept });
        Entry::about("configuration.imported", "configuration").changes(changes)
    }
}

async fn create_flow(tx: &mut Tx, may: &Administer, flow: &Flow) -> Result<()> {
    let created = create_workflow(tx, may, &flow.name, &flow.description, &flow.definition).await?;
    let id = created
        .ok_or_else(|| Error::Refused("Un workflow porte déjà ce nom. Recommencez.".into()))?;
    publish_definition(tx, may, id, &flow.definition).await?;
    if !flow.active {
        sqlx::query!("update workflows set active = false where id = $1", id)
            .execute(tx.conn())
            .await?;
    }
    Ok(())
}

/// Campaigns keep the version they run on: another one is published beside it.
async fn replace_flow(
    tx: &mut Tx,
    may: &Administer,
    known: &WorkflowSummary,
    flow: &Flow,
) -> Result<()> {
    let before = Flow::of(tx.conn(), known).await?;
    sqlx::query!(
        "update workflows set name = $2, name_norm = $3, description = $4, active = $5 where id = $1 and not built_in",
        known.id,
        flow.name,
        norm(&flow.name),
        flow.description,
        flow.active
    )
    .execute(tx.conn())
    .await?;
    let changes = json!({
        "name": [known.name, flow.name], "description": [known.description, flow.description],
        "active": [known.active, flow.active],
    });
    tx.record(Entry::on("workflow.edited", "workflow", known.id).changes(changes)).await?;
    if before.is_none_or(|before| before.definition != flow.definition) {
        publish_definition(tx, may, known.id, &flow.definition).await?;
    }
    Ok(())
}

/// The workflows that a type can name, by the norm of their name.
async fn published(tx: &mut Tx) -> Result<HashMap<String, Uuid>> {
    let all = WorkflowSummary::all(tx.conn()).await?;
    Ok(all.into_iter().filter(|w| w.number.is_some()).map(|w| (norm(&w.name), w.id)).collect())
}

fn whole<'a>(kind: &'a Kind, workflows: &HashMap<String, Uuid>) -> Result<Whole<'a>> {
    let workflow = *workflows.get(&norm(&kind.workflow)).ok_or_else(|| {
        Error::Refused(format!(
            "Le workflow « {} » du type « {} » n’existe plus. Importez de nouveau l’archive.",
            kind.workflow, kind.name
        ))
    })?;
    let information = Information {
        name: kind.name.clone(),
        description: kind.description.clone(),
        icon: kind.icon.clone(),
        color: kind.color.clone(),
        minutes: kind.minutes,
        workflow,
    };
    Ok(Whole { information, active: kind.active, fields: &kind.fields })
}

async fn something_is_left(tx: &mut Tx) -> Result<()> {
    let left = sqlx::query!(
        r#"select exists (select 1 from operation_types where active) as "types!",
                  exists (select 1 from workflows w join workflow_versions v on v.workflow_id = w.id where w.active) as "workflows!""#
    )
    .fetch_one(tx.conn())
    .await?;
    for (left, what) in [(left.types, "type d’opération"), (left.workflows, "workflow")] {
        if !left {
            return Err(Error::Refused(format!(
                "Après cet import, plus aucun {what} ne serait proposé aux campagnes : gardez-en un."
            )));
        }
    }
    Ok(())
}
