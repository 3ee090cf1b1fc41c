// SPDX-License-Identifier: EUPL-1.2
//! Creating, copying, retiring workflows; preparing and publishing a version (US-803, RG-062).
use super::{Category, Definition, Fault, Workflow};
use crate::{
    audit::Entry,
    configuration::{Administer, copy_name},
    db::{Tx, unless_taken},
    text::{count, norm},
    web::{Error, Result},
};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

/// A workflow in the administration: its versions and who uses it.
#[derive(Clone, Debug)]
pub struct Summary {
    pub id: Uuid,
    pub name: String,
    pub description: String,
    pub built_in: bool,
    pub active: bool,
    /// Of the latest published version; absent before the first.
    pub version: Option<Uuid>,
    pub number: Option<i32>,
    pub statuses: i64,
    pub has_draft: bool,
    pub campaigns: i64,
    pub types: i64,
}

impl Summary {
    pub fn path(&self) -> String {
        format!("/administration/workflows/{}", self.id)
    }

    /// No campaign ran on it and no type names it: it can be deleted.
    pub fn is_unused(&self) -> bool {
        !self.built_in && self.campaigns == 0 && self.types == 0
    }

    pub async fn all(conn: &mut PgConnection) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"select w.id, w.name, w.description, w.built_in, w.active, v.id as "version?", v.number as "number?",
                      (select count(*) from workflow_statuses s where s.version_id = v.id) as "statuses!",
                      exists (select 1 from workflow_drafts d where d.workflow_id = w.id) as "has_draft!",
                      (select count(*) from campaigns c join workflow_versions cv on cv.id = c.workflow_version_id where cv.workflow_id = w.id) as "campaigns!",
                      (select count(*) from operation_types t where t.workflow_id = w.id) as "types!"
               from workflows w
               left join lateral (select id, number from workflow_versions where workflow_id = w.id order by number desc limit 1) v on true
               order by not w.built_in, w.name"#
        )
        .fetch_all(conn)
        .await
    }

    /// # Errors
    /// `NotFound`.
    pub async fn find(conn: &mut PgConnection, id: Uuid) -> Result<Self> {
        Self::all(conn).await?.into_iter().find(|w| w.id == id).ok_or(Error::NotFound)
    }
}

/// A draft as stored.
#[derive(Clone, Debug)]
pub struct Draft {
    pub definition: Definition,
    pub version: i32,
    pub updated_at: DateTime<Utc>,
    /// Who wrote it last.
    pub author: String,
}

/// The draft of a workflow, if any.
pub async fn draft(conn: &mut PgConnection, workflow: Uuid) -> Result<Option<Draft>> {
    let row = sqlx::query!(
        r#"select d.definition, d.version, d.updated_at, coalesce(u.first_name || ' ' || upper(u.last_name), 'Le programme') as "author!"
           from workflow_drafts d left join users u on u.id = d.updated_by where d.workflow_id = $1"#,
        workflow
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let definition = serde_json::from_value(row.definition).map_err(anyhow::Error::from)?;
    Ok(Some(Draft {
        definition,
        version: row.version,
        updated_at: row.updated_at,
        author: row.author,
    }))
}

/// Locks the workflow: one draft, one publication at a time.
///
/// # Errors
/// `NotFound`.
pub async fn lock(tx: &mut Tx, workflow: Uuid) -> Result<Summary> {
    sqlx::query!("select 1 as one from workflows where id = $1 for update", workflow)
        .fetch_optional(tx.conn())
        .await?
        .ok_or(Error::NotFound)?;
    Summary::find(tx.conn(), workflow).await
}

fn open_to_change(workflow: &Summary) -> Result<()> {
    if workflow.built_in {
        return Err(Error::Refused(
            "Ce workflow est fourni avec OpsTracker et ne se modifie pas. Dupliquez-le, puis modifiez la copie."
                .into(),
        ));
    }
    Ok(())
}

/// A workflow with a first draft; `None` when the name is taken.
pub async fn create(
    tx: &mut Tx,
    _may: &Administer,
    name: &str,
    description: &str,
    definition: &Definition,
) -> Result<Option<Uuid>> {
    let id = Uuid::now_v7();
    let statement = sqlx::query!(
        "insert into workflows (id, name, name_norm, description) values ($1, $2, $3, $4)",
        id,
        name,
        norm(name),
        description
    );
    if !unless_taken(tx.conn(), statement).await? {
        return Ok(None);
    }
    write_draft(tx, id, definition).await?;
    traced(tx, "workflow.created", id, json!({ "name": [null, name] })).await?;
    Ok(Some(id))
}

async fn write_draft(tx: &mut Tx, workflow: Uuid, definition: &Definition) -> Result<i32> {
    let (now, user) = (tx.now(), tx.actor().user_id());
    let definition = serde_json::to_value(definition).map_err(anyhow::Error::from)?;
    Ok(sqlx::query_scalar!(
        "insert into workflow_drafts (workflow_id, definition, updated_at, updated_by) values ($1, $2, $3, $4)
         on conflict (workflow_id) do update set definition = $2, version = workflow_drafts.version + 1, updated_at = $3, updated_by = $4
         returning version",
        workflow,
        definition,
        now,
        user as _
    )
    .fetch_one(tx.conn())
    .await?)
}

/// A name that no workflow has: `name` itself, or « X (copie) ».
pub async fn unique_name(tx: &mut Tx, name: &str) -> Result<String> {
    sqlx::query!("lock table workflows in share row exclusive mode").execute(tx.conn()).await?;
    let taken = sqlx::query_scalar!("select name_norm from workflows").fetch_all(tx.conn()).await?;
    Ok(if taken.contains(&norm(name)) { copy_name(name, &taken, 100) } else { name.to_owned() })
}

/// « X (copie) », with a draft equal to the latest version, or to the draft when nothing is published.
pub async fn duplicate(tx: &mut Tx, may: &Administer, from: &Summary) -> Result<Uuid> {
    let definition = match from.version {
        Some(version) => Definition::of(&*Workflow::load(tx.conn(), version).await?),
        None => draft(tx.conn(), from.id).await?.ok_or(Error::NotFound)?.definition,
    };
    let name = unique_name(tx, &from.name).await?;
    create(tx, may, &name, &from.description, &definition)
        .await?
        .ok_or_else(|| Error::Refused("Un workflow porte déjà ce nom. Recommencez.".into()))
}

/// Starts the next version from the latest one; leaves an existing draft as it is.
pub async fn open(tx: &mut Tx, _may: &Administer, workflow: &Summary) -> Result<()> {
    open_to_change(workflow)?;
    if !workflow.has_draft
        && let Some(version) = workflow.version
    {
        let definition = Definition::of(&*Workflow::load(tx.conn(), version).await?);
        write_draft(tx, workflow.id, &definition).await?;
        traced(tx, "workflow.draft_opened", workflow.id, json!({})).await?;
    }
    Ok(())
}

/// Saves the draft whatever its faults: nothing typed is lost.
///
/// # Errors
/// A built-in workflow.
pub async fn save(
    tx: &mut Tx,
    _may: &Administer,
    workflow: &Summary,
    definition: &Definition,
) -> Result<i32> {
    open_to_change(workflow)?;
    let version = write_draft(tx, workflow.id, definition).await?;
    let size = json!({ "statuses": definition.statuses.len(), "transitions": definition.transitions.len() });
    traced(tx, "workflow.draft_saved", workflow.id, size).await?;
    Ok(version)
}

/// Throws the draft away; a workflow that was never published goes with it.
pub async fn discard(tx: &mut Tx, may: &Administer, workflow: &Summary) -> Result<bool> {
    open_to_change(workflow)?;
    sqlx::query!("delete from workflow_drafts where workflow_id = $1", workflow.id)
        .execute(tx.conn())
        .await?;
    if workflow.version.is_none() {
        delete(tx, may, workflow).await?;
        return Ok(true);
    }
    traced(tx, "workflow.draft_discarded", workflow.id, json!({})).await?;
    Ok(false)
}

/// Makes the draft the next immutable version; its number, or the faults that forbid it.
pub async fn publish(
    tx: &mut Tx,
    may: &Administer,
    workflow: &Summary,
    definition: &Definition,
) -> Result<std::result::Result<i32, Vec<Fault>>> {
    open_to_change(workflow)?;
    let faults = definition.faults();
    if !faults.is_empty() {
        return Ok(Err(faults));
    }
    let number = publish_definition(tx, may, workflow.id, definition).await?;
    Ok(Ok(number))
}

/// Writes a valid definition as the next version of the workflow, and drops its draft.
pub async fn publish_definition(
    tx: &mut Tx,
    _may: &Administer,
    workflow: Uuid,
    definition: &Definition,
) -> Result<i32> {
    let (now, version) = (tx.now(), Uuid::now_v7());
    let number = sqlx::query_scalar!(
        r#"insert into workflow_versions (id, workflow_id, number, published_at)
           select $1, $2, coalesce(max(number), 0) + 1, $3 from workflow_versions where workflow_id = $2 returning number"#,
        version,
        workflow,
        now
    )
    .fetch_one(tx.conn())
    .await?;
    insert_statuses(tx, version, definition).await?;
    insert_transitions(tx, version, definition).await?;
    sqlx::query!("delete from workflow_drafts where workflow_id = $1", workflow)
        .execute(tx.conn())
        .await?;
    let content = json!({ "version": number, "statuses": definition.statuses.len(), "transitions": definition.transitions.len() });
    traced(tx, "workflow.published", workflow, content).await?;
    Ok(number)
}

async fn insert_statuses(tx: &mut Tx, version: Uuid, definition: &Definition) -> Result<()> {
    let codes = definition.codes();
    let (mut code, mut name, mut category, mut initial) = (vec![], vec![], vec![], vec![]);
    for status in &definition.statuses {
        code.push(codes.statuses[&status.key].clone());
        name.push(status.name.clone());
        category.push(status.category);
        initial.push(status.initial);
    }
    sqlx::query!(
        "insert into workflow_statuses (version_id, code, name, category, position, is_initial)
         select $1, s.code, s.name, s.category, s.n::smallint, s.initial
         from unnest($2::text[], $3::text[], $4::status_category[], $5::bool[]) with ordinality s (code, name, category, initial, n)",
        version,
        &code,
        &name,
        &category as &[Category],
        &initial
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

async fn insert_transitions(tx: &mut Tx, version: Uuid, definition: &Definition) -> Result<()> {
    let codes = definition.codes();
    let (mut code, mut label, mut from, mut to) = (vec![], vec![], vec![], vec![]);
    let (mut technician, mut manager, mut reason, mut date) = (vec![], vec![], vec![], vec![]);
    for t in &definition.transitions {
        for key in &t.from {
            code.push(codes.transitions[&t.key].clone());
            label.push(t.label.clone());
            from.push(codes.statuses[key].clone());
            to.push(codes.statuses[&t.to].clone());
            technician.push(t.technician);
            manager.push(t.manager);
            reason.push(t.reason_mode().code().to_owned());
            date.push(t.date_mode().code().to_owned());
        }
    }
    sqlx::query!(
        "insert into workflow_transitions
           (version_id, code, label, from_status, to_status, for_technician, for_manager, reason_mode, date_mode, position)
         select $1, t.code, t.label, f.id, d.id, t.technician, t.manager, t.reason, t.date, t.n::smallint
         from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::bool[], $7::bool[], $8::text[], $9::text[])
              with ordinality t (code, label, from_code, to_code, technician, manager, reason, date, n)
         join workflow_statuses f on f.version_id = $1 and f.code = t.from_code
         join workflow_statuses d on d.version_id = $1 and d.code = t.to_code",
        version,
        &code,
        &label,
        &from,
        &to,
        &technician,
        &manager,
        &reason,
        &date
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Offered to new campaigns and types, or not.
///
/// # Errors
/// A workflow without a published version, or the last active one.
pub async fn set_active(
    tx: &mut Tx,
    _may: &Administer,
    workflow: &Summary,
    active: bool,
) -> Result<()> {
    sqlx::query!("lock table workflows in share row exclusive mode").execute(tx.conn()).await?;
    let others = sqlx::query_scalar!(
        r#"select exists (select 1 from workflows w join workflow_versions v on v.workflow_id = w.id where w.active and w.id <> $1) as "any!""#,
        workflow.id
    )
    .fetch_one(tx.conn())
    .await?;
    if !active && !others {
        return Err(Error::Refused(
            "C’est le dernier workflow actif : activez-en un autre d’abord.".into(),
        ));
    }
    sqlx::query!("update workflows set active = $2 where id = $1", workflow.id, active)
        .execute(tx.conn())
        .await?;
    traced(tx, "workflow.edited", workflow.id, json!({ "active": [workflow.active, active] })).await
}

/// # Errors
/// A built-in workflow, or one that campaigns or types use: it can only be retired (RG-062).
pub async fn delete(tx: &mut Tx, _may: &Administer, workflow: &Summary) -> Result<()> {
    open_to_change(workflow)?;
    if !workflow.is_unused() {
        return Err(Error::Refused(in_use(workflow)));
    }
    // A campaign that left it for another still tells its history with these statuses.
    let told = sqlx::query_scalar!(
        r#"with s as (select array_agg(s.id) as ids from workflow_statuses s join workflow_versions v on v.id = s.version_id where v.workflow_id = $1)
           select exists (select 1 from operation_events, s where to_status = any (s.ids) or from_status = any (s.ids)) as "told!""#,
        workflow.id
    )
    .fetch_one(tx.conn())
    .await?;
    if told {
        return Err(Error::Refused(
            "Des opérations ont suivi ce workflow et leur historique le nomme : désactivez-le."
                .into(),
        ));
    }
    sqlx::query!(
        "select set_config('opstracker.deleting_workflow', $1, true)",
        workflow.id.to_string()
    )
    .fetch_one(tx.conn())
    .await?;
    sqlx::query!(
        "with t as (delete from workflow_transitions where version_id in (select id from workflow_versions where workflow_id = $1)),
              d as (delete from workflow_drafts where workflow_id = $1)
         delete from workflow_statuses where version_id in (select id from workflow_versions where workflow_id = $1)",
        workflow.id
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!("delete from workflow_versions where workflow_id = $1", workflow.id)
        .execute(tx.conn())
        .await?;
    sqlx::query!("delete from workflows where id = $1", workflow.id).execute(tx.conn()).await?;
    traced(tx, "workflow.deleted", workflow.id, json!({ "name": [workflow.name, null] })).await
}

/// « Ce workflow est utilisé par 3 campagnes et 1 type : désactivez-le. »
pub fn in_use(workflow: &Summary) -> String {
    let mut users = Vec::new();
    if workflow.campaigns > 0 {
        users.push(count(workflow.campaigns, "campagne", "campagnes"));
    }
    if workflow.types > 0 {
        users.push(count(workflow.types, "type", "types"));
    }
    format!("Ce workflow est utilisé par {} : désactivez-le.", users.join(" et "))
}

async fn traced(tx: &mut Tx, action: &'static str, id: Uuid, changes: Value) -> Result<()> {
    tx.record(Entry::on(action, "workflow", id).changes(changes)).await?;
    Ok(())
}
