// SPDX-License-Identifier: EUPL-1.2
//! Creating, copying, retiring templates; preparing and publishing a version (US-503, US-504, RG-031).
use super::{Compose, Definition, Fault};
use crate::{
    audit::Entry,
    configuration::copy_name,
    db::{Tx, unless_taken},
    text::norm,
    web::{Error, Result},
};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

/// A template in the list: its latest version and who uses it.
#[derive(Clone, Debug)]
pub struct Summary {
    pub id: Uuid,
    pub name: String,
    pub description: String,
    pub active: bool,
    /// Of the latest published version; absent before the first.
    pub version: Option<Uuid>,
    pub number: Option<i32>,
    pub phases: i32,
    pub steps: i32,
    pub has_draft: bool,
    /// Campaigns whose next operations receive it.
    pub campaigns: i64,
    /// Operations that have one of its versions.
    pub checklists: i64,
}

impl Summary {
    pub fn path(&self) -> String {
        format!("/checklists/{}", self.id)
    }

    pub async fn all(conn: &mut PgConnection) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"select t.id, t.name, t.description, t.active, v.id as "version?", v.number as "number?",
                      coalesce(jsonb_array_length(v.definition -> 'phases'), 0) as "phases!",
                      coalesce(cardinality(v.required) + cardinality(v.optional), 0) as "steps!",
                      exists (select 1 from checklist_drafts d where d.template_id = t.id) as "has_draft!",
                      (select count(*) from campaigns c join checklist_versions cv on cv.id = c.checklist_version_id
                        where cv.template_id = t.id and c.deleted_at is null) as "campaigns!",
                      coalesce(u.n, 0)::bigint as "checklists!"
               from checklist_templates t
               left join lateral (select * from checklist_versions where template_id = t.id order by number desc limit 1) v on true
               left join (select cv.template_id, sum(k.n) as n from (select version_id, count(*) as n from checklists group by version_id) k
                            join checklist_versions cv on cv.id = k.version_id group by cv.template_id) u on u.template_id = t.id
               order by t.name_norm"#
        )
        .fetch_all(conn)
        .await
    }

    /// # Errors
    /// `NotFound`.
    pub async fn find(conn: &mut PgConnection, id: Uuid) -> Result<Self> {
        Self::all(conn).await?.into_iter().find(|template| template.id == id).ok_or(Error::NotFound)
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

/// The draft of a template, if any.
pub async fn draft(conn: &mut PgConnection, template: Uuid) -> Result<Option<Draft>> {
    let row = sqlx::query!(
        r#"select d.definition, d.version, d.updated_at, coalesce(u.first_name || ' ' || upper(u.last_name), 'Le programme') as "author!"
           from checklist_drafts d left join users u on u.id = d.updated_by where d.template_id = $1"#,
        template
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

/// What a published version says.
///
/// # Errors
/// `NotFound`.
pub async fn published(conn: &mut PgConnection, version: Uuid) -> Result<Definition> {
    let stored =
        sqlx::query_scalar!("select definition from checklist_versions where id = $1", version)
            .fetch_one(conn)
            .await?;
    Ok(serde_json::from_value(stored).map_err(anyhow::Error::from)?)
}

/// Locks the template: one draft, one publication at a time.
///
/// # Errors
/// `NotFound`.
pub async fn lock(tx: &mut Tx, template: Uuid) -> Result<Summary> {
    sqlx::query!("select 1 as one from checklist_templates where id = $1 for update", template)
        .fetch_optional(tx.conn())
        .await?
        .ok_or(Error::NotFound)?;
    Summary::find(tx.conn(), template).await
}

/// A template with a first draft; `None` when the name is taken.
pub async fn create(
    tx: &mut Tx,
    _may: &Compose,
    name: &str,
    description: &str,
    definition: &Definition,
) -> Result<Option<Uuid>> {
    let (id, now, user) = (Uuid::now_v7(), tx.now(), tx.actor().user_id());
    let statement = sqlx::query!(
        "insert into checklist_templates (id, name, name_norm, description, created_at, created_by) values ($1, $2, $3, $4, $5, $6)",
        id,
        name,
        norm(name),
        description,
        now,
        user as _
    );
    if !unless_taken(tx.conn(), statement).await? {
        return Ok(None);
    }
    write_draft(tx, id, definition).await?;
    traced(tx, "checklist.created", id, json!({ "name": [null, name] })).await?;
    Ok(Some(id))
}

/// Keeps a draft, without a trace of its own.
pub async fn write_draft(tx: &mut Tx, template: Uuid, definition: &Definition) -> Result<()> {
    let (now, user) = (tx.now(), tx.actor().user_id());
    let definition = serde_json::to_value(definition).map_err(anyhow::Error::from)?;
    sqlx::query!(
        "insert into checklist_drafts (template_id, definition, updated_at, updated_by) values ($1, $2, $3, $4)
         on conflict (template_id) do update set definition = $2, version = checklist_drafts.version + 1, updated_at = $3, updated_by = $4",
        template,
        definition,
        now,
        user as _
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// « X (copie) », with a draft equal to the latest version, or to the draft when nothing is published.
pub async fn duplicate(tx: &mut Tx, may: &Compose, from: &Summary) -> Result<Uuid> {
    let definition = match from.version {
        Some(version) => published(tx.conn(), version).await?,
        None => draft(tx.conn(), from.id).await?.ok_or(Error::NotFound)?.definition,
    };
    sqlx::query!("lock table checklist_templates in share row exclusive mode")
        .execute(tx.conn())
        .await?;
    let taken = sqlx::query_scalar!("select name_norm from checklist_templates")
        .fetch_all(tx.conn())
        .await?;
    let name = copy_name(&from.name, &taken, 100);
    create(tx, may, &name, &from.description, &definition.renewed())
        .await?
        .ok_or_else(|| Error::Refused("Un modèle porte déjà ce nom. Recommencez.".into()))
}

/// Starts the next version from the latest one; leaves an existing draft as it is.
pub async fn open(tx: &mut Tx, _may: &Compose, template: &Summary) -> Result<()> {
    if let (false, Some(version)) = (template.has_draft, template.version) {
        let definition = published(tx.conn(), version).await?;
        write_draft(tx, template.id, &definition).await?;
        traced(tx, "checklist.draft_opened", template.id, json!({})).await?;
    }
    Ok(())
}

/// Saves the draft whatever its faults: nothing typed is lost.
pub async fn save(
    tx: &mut Tx,
    _may: &Compose,
    template: &Summary,
    definition: &Definition,
) -> Result<()> {
    write_draft(tx, template.id, definition).await?;
    let size = json!({ "phases": definition.phases.len(), "steps": definition.steps().count() });
    traced(tx, "checklist.draft_saved", template.id, size).await
}

/// Throws the draft away; a template that was never published goes with it: `true` then.
pub async fn discard(tx: &mut Tx, _may: &Compose, template: &Summary) -> Result<bool> {
    sqlx::query!("delete from checklist_drafts where template_id = $1", template.id)
        .execute(tx.conn())
        .await?;
    if template.version.is_some() {
        traced(tx, "checklist.draft_discarded", template.id, json!({})).await?;
        return Ok(false);
    }
    sqlx::query!("delete from checklist_templates where id = $1", template.id)
        .execute(tx.conn())
        .await?;
    traced(tx, "checklist.deleted", template.id, json!({ "name": [template.name, null] })).await?;
    Ok(true)
}

/// Makes the draft the next immutable version, whatever the number of its edits (RG-031); its number,
/// or the faults that forbid it.
pub async fn publish(
    tx: &mut Tx,
    _may: &Compose,
    template: Uuid,
    definition: &Definition,
) -> Result<std::result::Result<i32, Vec<Fault>>> {
    let faults = definition.faults();
    if !faults.is_empty() {
        return Ok(Err(faults));
    }
    let (now, user) = (tx.now(), tx.actor().user_id());
    let stored = serde_json::to_value(definition).map_err(anyhow::Error::from)?;
    let number = sqlx::query_scalar!(
        r#"insert into checklist_versions (id, template_id, number, definition, required, optional, published_at, published_by)
           select $1, $2, coalesce(max(number), 0) + 1, $3, $4, $5, $6, $7 from checklist_versions where template_id = $2 returning number"#,
        Uuid::now_v7(),
        template,
        stored,
        &definition.ids(true),
        &definition.ids(false),
        now,
        user as _
    )
    .fetch_one(tx.conn())
    .await?;
    sqlx::query!("delete from checklist_drafts where template_id = $1", template)
        .execute(tx.conn())
        .await?;
    let content = json!({ "version": number, "phases": definition.phases.len(), "steps": definition.steps().count() });
    traced(tx, "checklist.published", template, content).await?;
    Ok(Ok(number))
}

/// Offered to campaigns, or not; those that follow it go on.
pub async fn set_active(
    tx: &mut Tx,
    _may: &Compose,
    template: &Summary,
    active: bool,
) -> Result<()> {
    sqlx::query!("update checklist_templates set active = $2 where id = $1", template.id, active)
        .execute(tx.conn())
        .await?;
    let changes = json!({ "active": [template.active, active] });
    traced(tx, "checklist.edited", template.id, changes).await
}

async fn traced(tx: &mut Tx, action: &'static str, id: Uuid, changes: Value) -> Result<()> {
    tx.record(Entry::on(action, "checklist", id).changes(changes)).await?;
    Ok(())
}
