// SPDX-License-Identifier: EUPL-1.2
//! A campaign before anything happens in it: its row, fields, segments, grants, and their traces.
use super::{
    accounts::Cast,
    story::{AuditRow, Chronicle},
};
use crate::{
    accounts::User,
    campaigns::{Campaign, FieldKind, Segment, Status},
    db::Id,
    imports::{Counters, Import},
    text::norm,
};
use anyhow::Result;
use chrono::{DateTime, Duration, NaiveDate, Utc};
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

pub struct Field {
    pub label: &'static str,
    pub kind: FieldKind,
    pub usages: &'static [&'static str],
    pub required: bool,
    pub in_list: bool,
    pub choices: &'static [&'static str],
}

impl Field {
    /// Sites are what people sort by.
    fn sortable(&self) -> bool {
        self.usages.contains(&"location")
    }

    pub const fn new(
        label: &'static str,
        kind: FieldKind,
        usages: &'static [&'static str],
    ) -> Self {
        Self { label, kind, usages, required: false, in_list: false, choices: &[] }
    }

    pub const fn required(self) -> Self {
        Self { required: true, in_list: true, ..self }
    }

    pub const fn listed(self) -> Self {
        Self { in_list: true, ..self }
    }

    pub const fn among(self, choices: &'static [&'static str]) -> Self {
        Self { choices, ..self }
    }
}

pub struct Plan<'a> {
    pub name: &'static str,
    pub description: &'static str,
    pub type_id: Uuid,
    pub workflow: Uuid,
    pub owner: &'static str,
    pub public: bool,
    pub period: (NaiveDate, NaiveDate),
    pub status: Status,
    pub created: DateTime<Utc>,
    /// When its status became the one after « À venir », and each one since.
    pub statuses: &'a [(DateTime<Utc>, Status)],
    pub fields: &'a [Field],
    pub segments: &'a [&'static str],
    pub contact: &'static str,
}

/// A campaign that is there, ready for its operations.
pub struct Open {
    pub id: Id<Campaign>,
    pub segments: Vec<(Id<Segment>, &'static str)>,
    /// The numbers of the fields that the search reads.
    pub searched: Vec<String>,
}

impl Open {
    pub fn searched(&self) -> Vec<&str> {
        self.searched.iter().map(String::as_str).collect()
    }
}

pub async fn open(
    conn: &mut PgConnection,
    cast: &Cast,
    told: &mut Chronicle,
    plan: &Plan<'_>,
) -> sqlx::Result<Open> {
    let id = Id::<Campaign>::new();
    let owner = cast.id(plan.owner);
    let activated = plan.statuses.first().map(|(at, _)| *at);
    let finished = plan.statuses.iter().find(|(_, s)| *s == Status::Finished).map(|(at, _)| *at);
    let last = plan.statuses.last().map_or(plan.created, |(at, _)| *at);
    let started = plan.statuses.iter().any(|(_, s)| *s == Status::Running);
    sqlx::query!(
        "insert into campaigns (id, name, name_norm, description, type_id, start_date, end_date, owner_id, is_public, status, activated_at,
           ever_started, finished_at, workflow_version_id, contact, wizard_step, created_at, created_by, updated_at, updated_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $8, $18, $8)",
        id as _,
        plan.name,
        norm(plan.name),
        plan.description,
        plan.type_id,
        plan.period.0,
        plan.period.1,
        owner as _,
        plan.public,
        plan.status as _,
        activated,
        started,
        finished,
        plan.workflow,
        plan.contact,
        if activated.is_some() { 5i16 } else { 2 },
        plan.created,
        last,
    )
    .execute(&mut *conn)
    .await?;
    trace_life(cast, told, id, plan);
    let searched = fields(conn, id, plan.fields).await?;
    let segments = segments(conn, id, plan.segments).await?;
    Ok(Open { id, segments, searched })
}

fn trace_life(cast: &Cast, told: &mut Chronicle, id: Id<Campaign>, plan: &Plan<'_>) {
    let entry = |at, by: Option<_>, action, changes: Value| AuditRow {
        at,
        actor_id: by,
        action,
        object_kind: "campaign",
        object_id: Some(id.uuid()),
        campaign_id: Some(id),
        changes,
        reason: None,
    };
    let owner = Some(cast.id(plan.owner));
    let named = json!({ "name": [null, plan.name], "start_date": [null, plan.period.0], "end_date": [null, plan.period.1] });
    told.audit.push(entry(plan.created, owner, "campaign.created", named));
    let mut former = Status::Draft;
    for (rank, (at, status)) in plan.statuses.iter().enumerate() {
        if rank == 0 {
            told.audit.push(entry(*at, owner, "campaign.activated", json!({})));
        }
        let archived = *status == Status::Archived;
        if archived {
            told.audit.push(entry(*at, owner, "campaign.archived", json!({})));
        }
        let by = if rank == 0 || archived { owner } else { None };
        told.audit.push(entry(
            *at,
            by,
            "campaign.status_changed",
            json!({ "status": [former.label(), status.label()] }),
        ));
        former = *status;
    }
}

/// Numbers are those of the order.
async fn fields(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
    fields: &[Field],
) -> sqlx::Result<Vec<String>> {
    let mut searched = Vec::new();
    for (number, field) in (1i32..).zip(fields) {
        let searchable = !matches!(field.kind, FieldKind::Date | FieldKind::Number);
        let choices: Vec<String> = field.choices.iter().map(|c| (*c).to_owned()).collect();
        let usages: Vec<String> = field.usages.iter().map(|u| (*u).to_owned()).collect();
        sqlx::query!(
            "insert into campaign_fields
               (id, campaign_id, number, label, label_norm, kind, required, searchable, in_list, sortable, choices, usages, position)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $3)",
            Uuid::now_v7(),
            campaign as _,
            number,
            field.label,
            norm(field.label),
            field.kind as _,
            field.required,
            searchable,
            field.in_list,
            field.sortable(),
            &choices,
            &usages,
        )
        .execute(&mut *conn)
        .await?;
        if searchable && number > 2 {
            searched.push(number.to_string());
        }
    }
    Ok(searched)
}

async fn segments(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
    names: &[&'static str],
) -> sqlx::Result<Vec<(Id<Segment>, &'static str)>> {
    let mut made = Vec::new();
    for (position, name) in (1i32..).zip(names) {
        let id = Id::<Segment>::new();
        sqlx::query!(
            "insert into segments (id, campaign_id, name, name_norm, position) values ($1, $2, $3, $4, $5)",
            id as _,
            campaign as _,
            name,
            norm(name),
            position
        )
        .execute(&mut *conn)
        .await?;
        made.push((id, *name));
    }
    Ok(made)
}

/// The file that brought the operations of a campaign.
pub struct File<'a> {
    pub name: &'static str,
    pub lines: usize,
    pub fields: &'a [Field],
    /// Header of the segment's column.
    pub segment: &'static str,
}

/// Rights of a person or of a group (RG-115), traced at the hour of the campaign's creation.
pub struct Right<'a> {
    pub to: To<'a>,
    pub configure: bool,
    pub export: bool,
}

pub enum To<'a> {
    Person(&'a str),
    Group(&'a str),
}

pub async fn grant(
    conn: &mut PgConnection,
    cast: &Cast,
    campaign: Id<Campaign>,
    right: &Right<'_>,
) -> sqlx::Result<()> {
    let (user, group) = match right.to {
        To::Person(local) => (Some(cast.id(local)), None),
        To::Group(name) => (None, cast.group(name)),
    };
    sqlx::query!(
        "insert into grants (id, campaign_id, user_id, group_id, can_configure, can_export) values ($1, $2, $3, $4, $5, $6)",
        Uuid::now_v7(),
        campaign as _,
        user as _,
        group,
        right.configure,
        right.export
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Read-only from now on: after the operations, which the base refuses in an archived campaign.
pub async fn archive(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
    at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update campaigns set status = 'archived', archived_at = $2, updated_at = $2 where id = $1",
        campaign as _,
        at
    )
    .execute(conn)
    .await
    .map(drop)
}

/// An import already done: its row, as the list of imports shows it, and one entry for all its
/// lines (10-decisions 6). Columns are named as the fields they went to.
pub async fn imported(
    conn: &mut PgConnection,
    told: &mut Chronicle,
    open: &Open,
    file: &File<'_>,
    by: Id<User>,
    at: DateTime<Utc>,
) -> Result<Id<Import>> {
    let id = Id::<Import>::new();
    let lines = file.lines as i64;
    let counters =
        serde_json::to_value(Counters { read: lines, created: lines, ..Counters::default() })?;
    let column = |header: &str, target: Value| json!({ "header": header, "target": target, "confidence": "sure" });
    let mut mapping: Vec<Value> = (1..)
        .zip(file.fields)
        .map(|(n, field)| column(field.label, json!({ "field": n })))
        .collect();
    mapping.push(column(file.segment, json!("segment")));
    let mapping = Value::Array(mapping);
    sqlx::query!(
        "insert into imports (id, campaign_id, author_id, file_name, file_size, state, stage, mapping, counters, progress, total,
           created_at, updated_at, finished_at)
         values ($1, $2, $3, $4, $5, 'done', 'idle', $6, $7, $8, $8, $9, $10, $10)",
        id as _,
        open.id as _,
        by as _,
        file.name,
        lines * 92 + 117,
        mapping,
        counters,
        lines,
        at - Duration::minutes(4),
        at,
    )
    .execute(conn)
    .await?;
    told.audit.push(AuditRow {
        at,
        actor_id: Some(by),
        action: "operations.imported",
        object_kind: "import",
        object_id: Some(id.uuid()),
        campaign_id: Some(open.id),
        changes: json!({ "file": file.name, "counters": counters, "mapping": mapping }),
        reason: None,
    });
    Ok(id)
}
