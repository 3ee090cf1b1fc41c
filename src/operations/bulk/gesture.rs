// SPDX-License-Identifier: EUPL-1.2
//! What is done to each operation of a selection, and how it is taken back.
use crate::{
    accounts::User,
    campaigns::Segment,
    db::{Id, Tx},
    operations::{
        Act, Change, Edit, Operation, Outcome, add_note, assign, move_to_segment, plan, transition,
        undo,
    },
    web::{Error, Result, auth::Allowed, format},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// With the names that a person chose, to be said again later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Gesture {
    Assign { to: Option<Id<User>>, name: String },
    Segment { to: Option<Id<Segment>>, name: String },
    Plan { to: Option<DateTime<Utc>> },
    Transition { code: String, label: String, reason: Option<String>, date: Option<DateTime<Utc>> },
    Note { body: String },
}

/// What became of one operation.
pub enum Applied {
    Done {
        before: Value,
        version: i32,
    },
    Unchanged,
    /// It is told in the log.
    Refused(String),
}

impl Gesture {
    /// « Technicien : Karim BENALI »
    pub fn summary(&self) -> String {
        match self {
            Self::Assign { name, .. } => format!("Technicien : {name}"),
            Self::Segment { name, .. } => format!("Segment : {name}"),
            Self::Plan { to: Some(at) } => format!("Date prévue : {}", format::instant(*at)),
            Self::Plan { to: None } => "Date prévue : aucune".into(),
            Self::Transition { label, .. } => format!("Statut : {label}"),
            Self::Note { .. } => "Note ajoutée".into(),
        }
    }

    /// A note is never taken back (US-410).
    pub fn can_be_undone(&self) -> bool {
        !matches!(self, Self::Note { .. })
    }

    /// One operation, as if it were done alone; only as it was left at `version`, when it is applied
    /// again. The caller has locked its row, with the others of its batch and in their order.
    ///
    /// # Errors
    /// The base; a refusal is an answer.
    pub async fn apply(
        &self,
        tx: &mut Tx,
        id: Id<Operation>,
        version: Option<i32>,
    ) -> Result<Applied> {
        let operation = match tx.authorize(Edit, id).await {
            Ok(operation) if version.is_some_and(|version| version != operation.version) => {
                return Ok(Applied::Refused(changed_since(tx, &operation).await?));
            }
            Ok(operation) => operation,
            Err(err) => return refused(err),
        };
        let before = self.before(&operation);
        match self.run(tx, &operation).await {
            Ok(false) => Ok(Applied::Unchanged),
            Ok(true) => Ok(Applied::Done { before, version: self.version_after(&operation) }),
            Err(err) => refused(err),
        }
    }

    /// Whether something changed.
    async fn run(&self, tx: &mut Tx, on: &Allowed<Edit, Operation>) -> Result<bool> {
        match self {
            Self::Assign { to, .. } if *to == on.assignee_id => return Ok(false),
            Self::Assign { to, .. } => assign(tx, on, *to).await?,
            Self::Segment { to, .. } if *to == on.segment_id => return Ok(false),
            Self::Segment { to, .. } => move_to_segment(tx, on, *to).await.map_err(no_segment)?,
            Self::Plan { to } if *to == on.planned_at => return Ok(false),
            Self::Plan { to } => plan(tx, on, *to).await?,
            Self::Note { body } => add_note(tx, on, body).await?,
            Self::Transition { code, reason, date, .. } => {
                let act = tx.authorize(Act, on.id).await?;
                let change = Change {
                    transition: code.clone(),
                    reason: reason.clone(),
                    date: *date,
                    despite_steps: false, // nobody is asked: it is told in the log
                    key: None,            // the item's outcome is written with the change
                };
                return Ok(transition(tx, &act, change).await? != Outcome::AlreadyDone);
            }
        }
        Ok(true)
    }

    fn before(&self, operation: &Operation) -> Value {
        match self {
            Self::Assign { .. } => json!(operation.assignee_id),
            Self::Segment { .. } => json!(operation.segment_id),
            Self::Plan { .. } => json!([operation.planned_at, operation.initial_planned_at]),
            // The event of the transition keeps it.
            Self::Transition { .. } | Self::Note { .. } => Value::Null,
        }
    }

    fn version_after(&self, operation: &Operation) -> i32 {
        operation.version + i32::from(!matches!(self, Self::Note { .. }))
    }

    /// Gives one operation back what it had, unless somebody changed it since (RG-097). The caller has
    /// locked its row.
    ///
    /// # Errors
    /// The base; a refusal is an answer: the cause why it is kept.
    pub async fn undo(
        &self,
        tx: &mut Tx,
        id: Id<Operation>,
        before: Value,
        version: i32,
    ) -> Result<std::result::Result<(), String>> {
        let operation = match tx.authorize(Edit, id).await {
            Ok(operation) if operation.version == version => operation,
            Ok(operation) => return Ok(Err(changed_since(tx, &operation).await?)),
            Err(err) => return cause(err).map(Err),
        };
        let done = match self {
            Self::Assign { .. } => assign(tx, &operation, read(before)?).await,
            Self::Segment { .. } => {
                move_to_segment(tx, &operation, read(before)?).await.map_err(no_segment)
            }
            Self::Plan { .. } => {
                let (planned, initial): (Option<DateTime<Utc>>, Option<DateTime<Utc>>) =
                    read(before)?;
                plan_back(tx, &operation, planned, initial).await
            }
            Self::Transition { .. } => undo::take_back(tx, &operation).await.map(drop),
            Self::Note { .. } => Ok(()),
        };
        match done {
            Ok(()) => Ok(Ok(())),
            Err(err) => cause(err).map(Err),
        }
    }
}

/// « modifiée par Karim BENALI le 12/03/2026 à 14 h 32 »
async fn changed_since(tx: &mut Tx, operation: &Operation) -> Result<String> {
    let who = sqlx::query!(
        "select u.first_name, u.last_name from operations o join users u on u.id = o.updated_by where o.id = $1",
        operation.id as _
    )
    .fetch_optional(tx.conn())
    .await?;
    let who = who.map_or_else(String::new, |row| {
        format!(" par {}", crate::accounts::display_name(&row.first_name, &row.last_name))
    });
    Ok(format!("modifiée{who} le {}", format::instant(operation.updated_at)))
}

async fn plan_back(
    tx: &mut Tx,
    operation: &Allowed<Edit, Operation>,
    planned: Option<DateTime<Utc>>,
    initial: Option<DateTime<Utc>>,
) -> Result<()> {
    plan(tx, operation, planned).await?;
    sqlx::query!(
        "update operations set initial_planned_at = $2 where id = $1",
        operation.id as _,
        initial
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

fn no_segment(err: Error) -> Error {
    match err {
        Error::NotFound => Error::Refused("Ce segment n’existe plus.".into()),
        err => err,
    }
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> Result<T> {
    serde_json::from_value(value).map_err(|err| Error::Internal(err.into()))
}

fn refused(err: Error) -> Result<Applied> {
    cause(err).map(Applied::Refused)
}

/// What the log says; anything but a refusal stops the job.
fn cause(err: Error) -> Result<String> {
    match err {
        Error::Refused(text) => Ok(text),
        Error::NotFound => Ok("Supprimée entre-temps.".into()),
        Error::Forbidden => Ok("Vous n’avez plus le droit de la modifier.".into()),
        err => Err(err),
    }
}
