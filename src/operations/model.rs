// SPDX-License-Identifier: EUPL-1.2
//! An operation as one person sees it, and who may do what with it (RG-117).
use crate::{
    accounts::{Role, User},
    campaigns::{Campaign, Configure, Segment, View},
    db::Id,
    web::auth::{Permits, Subject},
    workflows::{Category, Transition, Workflow},
};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use sqlx::PgConnection;

#[derive(Clone, Debug)]
pub struct Operation {
    pub id: Id<Operation>,
    pub campaign: Campaign,
    pub segment_id: Option<Id<Segment>>,
    pub segment_name: Option<String>,
    pub status_id: i32,
    pub category: Category,
    pub assignee_id: Option<Id<User>>,
    pub assignee_name: Option<String>,
    pub identifier: String,
    pub label: String,
    /// Stored texts by field number; see [`super::values`].
    pub values: Map<String, Value>,
    pub planned_at: Option<DateTime<Utc>>,
    pub initial_planned_at: Option<DateTime<Utc>>,
    pub postpone_count: i16,
    pub last_reason: Option<String>,
    pub started_at: Option<DateTime<Utc>>,
    pub done_at: Option<DateTime<Utc>>,
    pub version: i32,
    pub updated_at: DateTime<Utc>,
}

/// Read it on the campaign's pages.
pub struct See;
/// Change its data, assign, plan, move, correct.
pub struct Edit;
/// Move it along the workflow: which transitions is the workflow's own word ([`offered`]).
pub struct Act;
/// Open it in « Mes interventions »: the assigned technician.
pub struct WorkOnSite;

impl Operation {
    /// Its page on the campaign's side.
    pub fn url(&self) -> String {
        format!("/campagnes/{}/operations/{}", self.campaign.id, self.id)
    }

    /// Its page on the technician's side.
    pub fn onsite_url(&self) -> String {
        format!("/terrain/{}", self.id)
    }

    /// The stored text of a field, empty when absent.
    pub fn value(&self, number: i32) -> &str {
        self.values.get(&number.to_string()).and_then(Value::as_str).unwrap_or_default()
    }

    pub fn is_assigned_to(&self, user: &User) -> bool {
        self.assignee_id == Some(user.id)
            && user.roles.has(Role::Technician)
            && !self.campaign.is_draft
    }

    fn is_configured_by(&self, user: &User) -> bool {
        Permits::<Configure>::permits(&self.campaign, user)
    }
}

impl Permits<See> for Operation {
    const ON_ARCHIVE: bool = true;

    fn permits(&self, user: &User) -> bool {
        Permits::<View>::permits(&self.campaign, user)
    }
}

impl Permits<Edit> for Operation {
    fn permits(&self, user: &User) -> bool {
        self.is_configured_by(user)
    }
}

impl Permits<Act> for Operation {
    fn permits(&self, user: &User) -> bool {
        self.is_configured_by(user) || self.is_assigned_to(user)
    }
}

impl Permits<WorkOnSite> for Operation {
    const ON_ARCHIVE: bool = true;

    fn permits(&self, user: &User) -> bool {
        self.is_assigned_to(user)
    }
}

impl Subject for Operation {
    fn visible_to(&self, user: &User) -> bool {
        self.campaign.visible_to(user) || self.is_assigned_to(user)
    }

    fn read_only(&self) -> Option<&'static str> {
        self.campaign.read_only()
    }

    async fn lock(conn: &mut PgConnection, id: Id<Self>) -> sqlx::Result<()> {
        sqlx::query!("select 1 as one from operations where id = $1 for update", id as _)
            .fetch_optional(conn)
            .await
            .map(drop)
    }

    async fn find(
        conn: &mut PgConnection,
        user: &User,
        id: Id<Self>,
    ) -> sqlx::Result<Option<Self>> {
        let row = sqlx::query!(
            r#"select o.id, o.campaign_id, o.segment_id, s.name as "segment_name?", o.status_id, o.category, o.assignee_id,
                      u.first_name || ' ' || upper(u.last_name) as assignee_name, o.identifier, o.label, o.values,
                      o.planned_at, o.initial_planned_at, o.postpone_count, o.last_reason, o.started_at, o.done_at,
                      o.version, o.updated_at
               from operations o
               left join segments s on s.id = o.segment_id
               left join users u on u.id = o.assignee_id
               where o.id = $1 and o.deleted_at is null"#,
            id as _
        )
        .fetch_optional(&mut *conn)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let Some(campaign) = Campaign::find(conn, user, row.campaign_id).await? else {
            return Ok(None);
        };
        let Value::Object(values) = row.values else { return Ok(None) };
        Ok(Some(Self {
            id: row.id,
            campaign,
            segment_id: row.segment_id,
            segment_name: row.segment_name,
            status_id: row.status_id,
            category: row.category,
            assignee_id: row.assignee_id,
            assignee_name: row.assignee_name,
            identifier: row.identifier,
            label: row.label,
            values,
            planned_at: row.planned_at,
            initial_planned_at: row.initial_planned_at,
            postpone_count: row.postpone_count,
            last_reason: row.last_reason,
            started_at: row.started_at,
            done_at: row.done_at,
            version: row.version,
            updated_at: row.updated_at,
        }))
    }
}

/// The transitions this person may do now, in order; the first is the primary one. The same
/// function offers them on screens and refuses them in [`super::transition`].
pub fn offered<'a>(
    operation: &Operation,
    workflow: &'a Workflow,
    user: &User,
) -> Vec<&'a Transition> {
    if operation.campaign.is_archived {
        return Vec::new();
    }
    workflow.leaving(operation.status_id).filter(|t| may(operation, t, user)).collect()
}

fn may(operation: &Operation, transition: &Transition, user: &User) -> bool {
    user.is_admin()
        || (transition.for_manager && operation.is_configured_by(user))
        || (transition.for_technician && operation.is_assigned_to(user))
}

/// People an operation can be assigned to: active, and holding the role (RG-018).
pub async fn technicians(conn: &mut PgConnection) -> sqlx::Result<Vec<(Id<User>, String)>> {
    let rows = sqlx::query!(
        "select id, first_name, last_name from users where active and 'technician' = any (roles) order by name_norm, id"
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.id, crate::accounts::display_name(&row.first_name, &row.last_name)))
        .collect())
}
