// SPDX-License-Identifier: EUPL-1.2
//! Creating, changing, copying, retiring a type (US-801, US-805).
use super::model::{COLORS, ICONS, OperationType};
use crate::{
    audit::{Entry, only_changed},
    configuration::{Administer, code_of, copy_name},
    db::{Tx, unless_taken},
    text::{count, norm},
    web::{Error, Form, Result},
};
use serde_json::{Value, json};
use uuid::Uuid;

/// What a person says of a type, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Information {
    pub name: String,
    pub description: String,
    pub icon: String,
    pub color: String,
    pub minutes: i32,
    pub workflow: Uuid,
}

impl Information {
    pub fn of(kind: &OperationType) -> Self {
        Self {
            name: kind.name.clone(),
            description: kind.description.clone(),
            icon: kind.icon.clone(),
            color: kind.color.clone(),
            minutes: kind.minutes,
            workflow: kind.workflow_id,
        }
    }

    /// Reads and checks the form; the errors are left in it.
    pub fn parse(form: &mut Form, workflows: &[(String, String)]) -> Option<Self> {
        let name = form.required("nom");
        if name.chars().count() > 100 {
            form.refuse("nom", "Le nom doit compter au plus 100 caractères");
        }
        let description = form.text("description");
        if description.chars().count() > 2_000 {
            form.refuse("description", "La description est trop longue (2 000 caractères au plus)");
        }
        let icon = form.text("icone");
        if !ICONS.iter().any(|(code, _)| *code == icon) {
            form.refuse("icone", "Choisissez une icône");
        }
        let color = form.text("couleur");
        if !COLORS.iter().any(|(code, ..)| *code == color) {
            form.refuse("couleur", "Choisissez une couleur");
        }
        let minutes = form.text("duree").parse().ok().filter(|n| (1..=1_440).contains(n));
        if minutes.is_none() {
            form.refuse("duree", "Saisissez une durée entre 1 et 1 440 minutes");
        }
        let chosen = form.text("workflow");
        let workflow =
            workflows.iter().find(|(id, _)| *id == chosen).and_then(|(id, _)| id.parse().ok());
        if workflow.is_none() {
            form.refuse("workflow", "Choisissez un workflow de la liste");
        }
        Some(Self { name, description, icon, color, minutes: minutes?, workflow: workflow? })
            .filter(|_| form.is_valid())
    }

    pub fn trace(&self, before: Option<&Self>) -> Value {
        let pair = |old: Option<Value>, new: Value| json!([old, new]);
        only_changed(json!({
            "name": pair(before.map(|b| json!(b.name)), json!(self.name)),
            "description": pair(before.map(|b| json!(b.description)), json!(self.description)),
            "icon": pair(before.map(|b| json!(b.icon)), json!(self.icon)),
            "color": pair(before.map(|b| json!(b.color)), json!(self.color)),
            "minutes": pair(before.map(|b| json!(b.minutes)), json!(self.minutes)),
            "workflow": pair(before.map(|b| json!(b.workflow)), json!(self.workflow)),
        }))
    }
}

/// Adds a type at the end, with the five fields of RG-060; `None` when the name is taken.
pub async fn create(tx: &mut Tx, _may: &Administer, new: &Information) -> Result<Option<Uuid>> {
    let id = Uuid::now_v7();
    if !insert(tx, id, new).await? {
        return Ok(None);
    }
    super::field_commands::propose(tx, id).await?;
    traced(tx, "type.created", id, new.trace(None)).await?;
    Ok(Some(id))
}

pub async fn insert(tx: &mut Tx, id: Uuid, new: &Information) -> Result<bool> {
    let statement = sqlx::query!(
        "insert into operation_types (id, name, name_norm, description, icon, color, minutes, workflow_id, position)
         select $1, $2, $3, $4, $5, $6, $7, $8, coalesce(max(position), 0) + 1 from operation_types",
        id,
        new.name,
        norm(&new.name),
        new.description,
        new.icon,
        new.color,
        new.minutes,
        new.workflow,
    );
    Ok(unless_taken(tx.conn(), statement).await?)
}

/// Whether anything changed; `None` when the name is taken. Campaigns keep what they copied (US-801.3).
pub async fn edit(
    tx: &mut Tx,
    _may: &Administer,
    kind: &OperationType,
    new: &Information,
) -> Result<Option<bool>> {
    let before = Information::of(kind);
    if before == *new {
        return Ok(Some(false));
    }
    let statement = sqlx::query!(
        "update operation_types set name = $2, name_norm = $3, description = $4, icon = $5, color = $6, minutes = $7, workflow_id = $8,
                version = version + 1 where id = $1",
        kind.id,
        new.name,
        norm(&new.name),
        new.description,
        new.icon,
        new.color,
        new.minutes,
        new.workflow,
    );
    if !unless_taken(tx.conn(), statement).await? {
        return Ok(None);
    }
    traced(tx, "type.edited", kind.id, new.trace(Some(&before))).await?;
    Ok(Some(true))
}

/// « X (copie) » with the same fields (US-805).
pub async fn duplicate(tx: &mut Tx, _may: &Administer, kind: &OperationType) -> Result<Uuid> {
    lock(tx).await?;
    let taken =
        sqlx::query_scalar!("select name_norm from operation_types").fetch_all(tx.conn()).await?;
    let new = Information { name: copy_name(&kind.name, &taken, 100), ..Information::of(kind) };
    let id = Uuid::now_v7();
    if !insert(tx, id, &new).await? {
        return Err(Error::Refused("Un type porte déjà ce nom. Recommencez.".into()));
    }
    sqlx::query!(
        "insert into type_fields (id, type_id, code, label, label_norm, kind, required, searchable, in_list, sortable, pattern, hint, choices, usages, position)
         select gen_random_uuid(), $1, code, label, label_norm, kind, required, searchable, in_list, sortable, pattern, hint, choices, usages, position
         from type_fields where type_id = $2",
        id,
        kind.id
    )
    .execute(tx.conn())
    .await?;
    traced(tx, "type.created", id, json!({ "name": [null, new.name], "copy_of": kind.name }))
        .await?;
    Ok(id)
}

/// Two people who copy at once take two names.
async fn lock(tx: &mut Tx) -> Result<()> {
    sqlx::query!("lock table operation_types in share row exclusive mode")
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Offered to new campaigns, or not.
///
/// # Errors
/// Retiring the last type: no campaign could be created any more.
pub async fn set_active(
    tx: &mut Tx,
    _may: &Administer,
    kind: &OperationType,
    active: bool,
) -> Result<()> {
    lock(tx).await?;
    let others = sqlx::query_scalar!(
        r#"select exists (select 1 from operation_types where active and id <> $1) as "any!""#,
        kind.id
    )
    .fetch_one(tx.conn())
    .await?;
    if !active && !others {
        return Err(Error::Refused(
            "C’est le dernier type actif : créez-en ou activez-en un autre d’abord.".into(),
        ));
    }
    sqlx::query!(
        "update operation_types set active = $2, version = version + 1 where id = $1",
        kind.id,
        active
    )
    .execute(tx.conn())
    .await?;
    traced(tx, "type.edited", kind.id, json!({ "active": [kind.active, active] })).await
}

/// # Errors
/// A type that a campaign was made from (US-801.2), or the last active one.
pub async fn delete(tx: &mut Tx, may: &Administer, kind: &OperationType) -> Result<()> {
    if kind.active {
        set_active(tx, may, kind, false).await?;
    }
    lock(tx).await?;
    let used = sqlx::query_scalar!(
        r#"select count(*) as "n!" from campaigns where type_id = $1"#,
        kind.id
    )
    .fetch_one(tx.conn())
    .await?;
    if used > 0 {
        return Err(Error::Refused(used_by(used)));
    }
    sqlx::query!("delete from operation_types where id = $1", kind.id).execute(tx.conn()).await?;
    traced(tx, "type.deleted", kind.id, json!({ "name": [kind.name, null] })).await
}

/// « Ce type est utilisé par 3 campagnes : désactivez-le. »
pub fn used_by(campaigns: i64) -> String {
    format!(
        "Ce type est utilisé par {}\u{a0}: désactivez-le.",
        count(campaigns, "campagne", "campagnes")
    )
}

pub async fn traced(tx: &mut Tx, action: &'static str, id: Uuid, changes: Value) -> Result<()> {
    tx.record(Entry::on(action, "type", id).changes(changes)).await?;
    Ok(())
}

/// A code for a new field, free in its type.
pub async fn free_code(tx: &mut Tx, kind: Uuid, label: &str) -> Result<String> {
    let taken = sqlx::query_scalar!("select code from type_fields where type_id = $1", kind)
        .fetch_all(tx.conn())
        .await?;
    Ok(code_of(label, &taken))
}
