// SPDX-License-Identifier: EUPL-1.2
//! One line of the audit.
use super::personal;
use crate::{campaigns::Campaign, db::Id};
use anyhow::Context;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

pub struct Entry {
    /// `noun.verb`: `campaign.archived`.
    pub action: &'static str,
    pub object: (&'static str, Option<Uuid>),
    pub campaign: Option<Id<Campaign>>,
    /// `{"field": [old, new]}`; other keys for counts and parameters.
    pub changes: Value,
    pub reason: Option<String>,
    /// Whose the personal parts are, when the object and the campaign do not say it.
    subject: Option<personal::Subject>,
}

/// By whom and from where: what the unit of work knows.
pub struct Trace {
    pub at: DateTime<Utc>,
    pub actor_kind: &'static str,
    pub actor_id: Option<Uuid>,
    pub ip: Option<String>,
    pub request: Option<String>,
}

impl Entry {
    pub fn on(action: &'static str, kind: &'static str, id: Uuid) -> Self {
        Self {
            action,
            object: (kind, Some(id)),
            campaign: None,
            changes: json!({}),
            reason: None,
            subject: None,
        }
    }

    /// On no object in particular: a failed sign-in, an instance setting.
    pub fn about(action: &'static str, kind: &'static str) -> Self {
        Self {
            action,
            object: (kind, None),
            campaign: None,
            changes: json!({}),
            reason: None,
            subject: None,
        }
    }

    pub fn campaign(mut self, campaign: Id<Campaign>) -> Self {
        self.campaign = Some(campaign);
        self
    }

    pub fn changes(mut self, changes: Value) -> Self {
        self.changes = changes;
        self
    }

    pub fn reason(mut self, reason: Option<String>) -> Self {
        self.reason = reason;
        self
    }

    /// The personal parts of this entry are forgotten with this subject.
    pub fn concerning(mut self, kind: &str, id: Uuid) -> Self {
        self.subject = Some((kind.to_owned(), Some(id)));
        self
    }

    /// One statement: the entry, and what goes apart.
    pub(crate) async fn write(mut self, conn: &mut PgConnection, trace: Trace) -> sqlx::Result<()> {
        let (kind, id) = self.object;
        let campaign = self.campaign.map(Id::uuid);
        let parts = personal::split(kind, &mut self.changes, &mut self.reason)
            .map_err(|err| sqlx::Error::Io(std::io::Error::other(err)))?;
        let (subject_kind, subject_id) =
            self.subject.unwrap_or_else(|| personal::subject(self.object, campaign));
        sqlx::query!(
            "with entry as (
               insert into audit_entries (at, actor_kind, actor_id, action, object_kind, object_id, campaign_id, changes, reason, ip, request)
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) returning seq)
             insert into audit_personal (entry, key, subject_kind, subject_id, salt, value)
             select entry.seq, part.key, $12, $13, part.salt, part.value
             from entry, unnest($14::text[], $15::bytea[], $16::text[]) as part (key, salt, value)",
            trace.at,
            trace.actor_kind,
            trace.actor_id,
            self.action,
            kind,
            id,
            campaign,
            self.changes,
            self.reason,
            trace.ip,
            trace.request,
            subject_kind,
            subject_id,
            &parts.keys,
            &parts.salts,
            &parts.values,
        )
        .execute(conn)
        .await?;
        Ok(())
    }
}

/// An entry of the past, for the demonstration.
#[derive(Deserialize)]
struct Past {
    at: DateTime<Utc>,
    actor_id: Option<Uuid>,
    action: String,
    object_kind: String,
    object_id: Option<Uuid>,
    campaign_id: Option<Uuid>,
    changes: Value,
    reason: Option<String>,
}

/// Many entries of the past, in their order, whatever their number in three statements.
///
/// # Errors
/// Rows of another shape.
pub async fn write_past(conn: &mut PgConnection, rows: Value) -> anyhow::Result<()> {
    let rows: Vec<Past> = serde_json::from_value(rows).context("entries of the past")?;
    let seqs: Vec<i64> = sqlx::query_scalar(
        "select nextval(pg_get_serial_sequence('audit_entries', 'seq')) from generate_series(1, $1::int)",
    )
    .bind(i32::try_from(rows.len())?)
    .fetch_all(&mut *conn)
    .await?;
    let (mut entries, mut apart) = (Vec::with_capacity(rows.len()), Vec::new());
    for (mut row, seq) in rows.into_iter().zip(seqs) {
        let parts = personal::split(&row.object_kind, &mut row.changes, &mut row.reason)?;
        let (kind, id) = personal::subject((&row.object_kind, row.object_id), row.campaign_id);
        for ((key, salt), value) in parts.keys.iter().zip(&parts.salts).zip(&parts.values) {
            let salt = super::chain::hex(salt);
            apart.push(json!({ "entry": seq, "key": key, "kind": kind, "id": id, "salt": salt, "value": value }));
        }
        entries.push(json!({
            "seq": seq, "at": row.at, "actor_id": row.actor_id, "action": row.action, "object_kind": row.object_kind,
            "object_id": row.object_id, "campaign_id": row.campaign_id, "changes": row.changes, "reason": row.reason,
        }));
    }
    sqlx::query!(
        "insert into audit_entries (seq, at, actor_kind, actor_id, action, object_kind, object_id, campaign_id, changes, reason)
         overriding system value
         select t.seq, t.at, case when t.actor_id is null then 'system' else 'user' end, t.actor_id, t.action, t.object_kind, t.object_id,
           t.campaign_id, t.changes, t.reason
         from jsonb_to_recordset($1) as t (seq bigint, at timestamptz, actor_id uuid, action text, object_kind text, object_id uuid,
           campaign_id uuid, changes jsonb, reason text)",
        Value::Array(entries)
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        r#"insert into audit_personal (entry, key, subject_kind, subject_id, salt, value)
           select t.entry, t.key, t.kind, t.id, decode(t.salt, 'hex'), t.value
           from jsonb_to_recordset($1) as t (entry bigint, key text, kind text, id uuid, salt text, value text)"#,
        Value::Array(apart)
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// `{"field": [old, new]}` without the fields whose two values are equal.
pub fn only_changed(changes: Value) -> Value {
    let Value::Object(mut map) = changes else { return changes };
    map.retain(|_, pair| pair.get(0) != pair.get(1));
    map.into()
}
