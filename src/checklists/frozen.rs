// SPDX-License-Identifier: EUPL-1.2
//! The checklist of one operation as it is shown: its frozen steps, who ticked them, what is locked
//! (RG-031, RG-032).
use super::{Definition, Phase, Step};
use crate::{
    accounts::display_name, campaigns::Campaign, db::Id, operations::Operation, text::count,
    web::Result,
};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use std::collections::HashMap;
use uuid::Uuid;

/// How far a checklist is, without its steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    pub required_total: u16,
    pub required_done: u16,
    pub optional_total: u16,
    pub optional_done: u16,
}

impl Progress {
    pub fn total(self) -> u16 {
        self.required_total + self.optional_total
    }

    pub fn done(self) -> u16 {
        self.required_done + self.optional_done
    }

    /// All the mandatory steps are ticked (US-502.2).
    pub fn is_complete(self) -> bool {
        self.required_done == self.required_total
    }

    /// Mandatory steps that are not ticked.
    pub fn open(self) -> u16 {
        self.required_total - self.required_done
    }

    /// « 3/8 étapes »
    pub fn text(self) -> String {
        let noun = if self.total() > 1 { "étapes" } else { "étape" };
        format!("{}/{} {noun}", self.done(), self.total())
    }

    /// « Complète, avec 1 facultative non cochée »
    pub fn state(self) -> Option<String> {
        let left = self.optional_total - self.optional_done;
        self.is_complete().then(|| match left {
            0 => "Complète".to_owned(),
            n => format!(
                "Complète, {}",
                count(u64::from(n), "facultative non cochée", "facultatives non cochées")
            ),
        })
    }

    /// Of a hundred.
    pub fn percent(self) -> u16 {
        self.done() * 100 / self.total().max(1)
    }
}

pub struct Frozen {
    pub template: String,
    pub number: i32,
    pub phases: Vec<ShownPhase>,
    pub progress: Progress,
}

pub struct ShownPhase {
    pub id: Uuid,
    pub label: String,
    pub steps: Vec<ShownStep>,
    /// The label of the phase to finish first.
    pub locked_by: Option<String>,
    /// The first phase that still waits for a mandatory step.
    pub is_current: bool,
}

pub struct ShownStep {
    pub step: Step,
    pub ticked: Option<Ticked>,
    /// What the field that it captures holds now; `None` when it captures none of this campaign.
    pub value: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Ticked {
    pub by: String,
    pub at: DateTime<Utc>,
}

impl ShownPhase {
    pub fn done(&self) -> usize {
        self.steps.iter().filter(|shown| shown.ticked.is_some()).count()
    }

    /// « 3/3 »
    pub fn text(&self) -> String {
        format!("{}/{}", self.done(), self.steps.len())
    }

    pub fn is_complete(&self) -> bool {
        self.steps.iter().all(|shown| shown.ticked.is_some() || !shown.step.required)
    }
}

/// The phase to finish before those of `phase` can be ticked (RG-032).
pub fn locked_by(
    definition: &Definition,
    phase: Uuid,
    is_ticked: impl Fn(Uuid) -> bool,
) -> Option<&Phase> {
    let at = definition.phases.iter().position(|known| known.id == phase)?;
    let before = definition.phases.get(at.checked_sub(1)?)?;
    let waits = before.steps.iter().any(|step| step.required && !is_ticked(step.id));
    (definition.phases[at].locked && waits).then_some(before)
}

/// The checklist of an operation; `None` when it has none.
pub async fn frozen(conn: &mut PgConnection, operation: &Operation) -> Result<Option<Frozen>> {
    let row = sqlx::query!(
        r#"select v.definition, v.number, t.name, k.required_total, k.required_done, k.optional_total, k.optional_done
           from checklists k join checklist_versions v on v.id = k.version_id join checklist_templates t on t.id = v.template_id
           where k.operation_id = $1"#,
        operation.id as _
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let definition: Definition =
        serde_json::from_value(row.definition).map_err(anyhow::Error::from)?;
    let ticked = ticked(conn, operation.id).await?;
    let fields = crate::campaigns::fields(conn, operation.campaign.id).await?;
    let value = |step: &Step| {
        let field = super::ticks::captured(&fields, step)?;
        Some(operation.value(field.number).to_owned())
    };
    let mut phases: Vec<ShownPhase> = definition
        .phases
        .iter()
        .map(|phase| ShownPhase {
            id: phase.id,
            label: phase.label.clone(),
            steps: phase
                .steps
                .iter()
                .map(|step| ShownStep {
                    ticked: ticked.get(&step.id).cloned(),
                    value: value(step),
                    step: step.clone(),
                })
                .collect(),
            locked_by: locked_by(&definition, phase.id, |step| ticked.contains_key(&step))
                .map(|before| before.label.clone()),
            is_current: false,
        })
        .collect();
    if let Some(current) = phases.iter_mut().find(|phase| !phase.is_complete()) {
        current.is_current = true;
    }
    let progress = Progress {
        required_total: row.required_total.unsigned_abs(),
        required_done: row.required_done.unsigned_abs(),
        optional_total: row.optional_total.unsigned_abs(),
        optional_done: row.optional_done.unsigned_abs(),
    };
    Ok(Some(Frozen { template: row.name, number: row.number, phases, progress }))
}

async fn ticked(
    conn: &mut PgConnection,
    operation: Id<Operation>,
) -> sqlx::Result<HashMap<Uuid, Ticked>> {
    let rows = sqlx::query!(
        r#"select t.step_id as "step_id!", t.at as "at!", u.first_name as "first?", u.last_name as "last?" from ticks t left join users u on u.id = t.by_id
           where t.operation_id = $1"#,
        operation as _
    )
    .fetch_all(conn)
    .await?;
    let who = |first: Option<String>, last: Option<String>| match (first, last) {
        (Some(first), Some(last)) => display_name(&first, &last),
        _ => "OpsTracker".into(),
    };
    Ok(rows
        .into_iter()
        .map(|row| (row.step_id, Ticked { by: who(row.first, row.last), at: row.at }))
        .collect())
}

/// How far the checklist of an operation is; `None` when it has none.
pub async fn progress_of(
    conn: &mut PgConnection,
    operation: Id<Operation>,
) -> sqlx::Result<Option<Progress>> {
    let row = sqlx::query!(
        "select required_total, required_done, optional_total, optional_done from checklists where operation_id = $1",
        operation as _
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Progress {
        required_total: row.required_total.unsigned_abs(),
        required_done: row.required_done.unsigned_abs(),
        optional_total: row.optional_total.unsigned_abs(),
        optional_done: row.optional_done.unsigned_abs(),
    }))
}

/// The same of many operations; those without a checklist are absent.
pub async fn progress_among(
    conn: &mut PgConnection,
    operations: &[Uuid],
) -> sqlx::Result<HashMap<Id<Operation>, Progress>> {
    let rows = sqlx::query!(
        r#"select operation_id as "id: Id<Operation>", required_total, required_done, optional_total, optional_done
           from checklists where operation_id = any ($1)"#,
        operations
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let progress = Progress {
                required_total: row.required_total.unsigned_abs(),
                required_done: row.required_done.unsigned_abs(),
                optional_total: row.optional_total.unsigned_abs(),
                optional_done: row.optional_done.unsigned_abs(),
            };
            (row.id, progress)
        })
        .collect())
}

/// Whether the campaign gives its operations a checklist.
pub async fn is_followed(conn: &mut PgConnection, campaign: Id<Campaign>) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select checklist_version_id is not null or exists (select 1 from checklists where campaign_id = $1) as "any!" from campaigns where id = $1"#,
        campaign as _
    )
    .fetch_one(conn)
    .await
}

#[cfg(test)]
mod tests {
    use super::Progress;

    #[test]
    fn us_502_2_what_is_optional_does_not_hold_it_back() {
        let progress =
            Progress { required_total: 3, required_done: 3, optional_total: 2, optional_done: 1 };
        assert_eq!(progress.text(), "4/5 étapes");
        assert_eq!(
            progress.state().unwrap().replace('\u{a0}', " "),
            "Complète, 1 facultative non cochée"
        );
        assert_eq!(Progress { required_done: 2, ..progress }.state(), None);
        assert_eq!(Progress::default().percent(), 0);
    }
}
