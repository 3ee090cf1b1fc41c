// SPDX-License-Identifier: EUPL-1.2
//! What happened to an operation, in business words; append-only (06-model §6).
use super::Operation;
use crate::{
    accounts::User,
    campaigns::Campaign,
    db::{Id, Tx},
};
use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

/// `kind` is one of those of `migrations/0003`.
pub struct Event<'a> {
    pub operation: Id<Operation>,
    pub campaign: Id<Campaign>,
    pub kind: &'static str,
    pub from_status: Option<i32>,
    pub to_status: Option<i32>,
    /// The assignee at that moment: what the north star is computed from.
    pub assignee: Option<Id<User>>,
    pub planned_before: Option<DateTime<Utc>>,
    pub planned_after: Option<DateTime<Utc>>,
    pub reason: Option<&'a str>,
    pub changes: Option<Value>,
    pub batch: Option<Uuid>,
    pub key: Option<&'a str>,
}

impl<'a> Event<'a> {
    pub fn on(operation: &Operation, kind: &'static str) -> Self {
        Self {
            operation: operation.id,
            campaign: operation.campaign.id,
            kind,
            from_status: None,
            to_status: None,
            assignee: operation.assignee_id,
            planned_before: operation.planned_at,
            planned_after: operation.planned_at,
            reason: None,
            changes: None,
            batch: None,
            key: None,
        }
    }
}

/// Writes it in the change's own transaction.
pub async fn record(tx: &mut Tx, event: Event<'_>) -> sqlx::Result<()> {
    let (now, kind, actor) = (tx.now(), tx.actor().kind(), tx.actor().user_id());
    sqlx::query!(
        "insert into operation_events (operation_id, campaign_id, at, actor_kind, actor_id, kind, from_status, to_status,
           assignee_id, planned_before, planned_after, reason, changes, batch_id, idempotency_key)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
        event.operation as _,
        event.campaign as _,
        now,
        kind,
        actor as _,
        event.kind,
        event.from_status,
        event.to_status,
        event.assignee as _,
        event.planned_before,
        event.planned_after,
        event.reason,
        event.changes,
        event.batch,
        event.key,
    )
    .execute(tx.conn())
    .await
    .map(drop)
}
