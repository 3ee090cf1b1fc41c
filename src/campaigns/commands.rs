// SPDX-License-Identifier: EUPL-1.2
//! What people do to a campaign as a whole: create, describe, configure, activate, archive, hand over.
use super::{Campaign, Configure, Create, fields::copy_from_type, status::refresh};
use crate::{
    audit::{Entry, only_changed},
    db::{Id, Tx, unless_taken},
    text::norm,
    web::{Error, Form, Result, auth::Allowed},
    workflows::Workflow,
};
use chrono::{NaiveDate, NaiveTime};
use serde_json::json;
use uuid::Uuid;

pub const NAME_TAKEN: &str = "Une campagne porte déjà ce nom";

/// Step 1 of the wizard, checked.
pub struct Information {
    pub name: String,
    pub description: String,
    pub type_id: Uuid,
    pub start: NaiveDate,
    pub end: NaiveDate,
}

impl Information {
    /// Reads and checks step 1 (RG-011); the errors are left in the form.
    pub fn parse(form: &mut Form) -> Option<Self> {
        let name = form.required("nom");
        if !name.is_empty() && !(3..=255).contains(&name.chars().count()) {
            form.refuse("nom", "Le nom doit compter de 3 à 255 caractères");
        }
        let description = form.text("description");
        if description.chars().count() > 2_000 {
            form.refuse("description", "La description est trop longue (2 000 caractères au plus)");
        }
        let kind = form.required("type");
        let type_id = kind.parse().ok();
        if type_id.is_none() && !kind.is_empty() {
            form.refuse("type", "Choisissez un type de la liste");
        }
        let (start, end) = period(form);
        Some(Self { name, description, type_id: type_id?, start: start?, end: end? })
            .filter(|_| form.is_valid())
    }
}

/// The two dates of a campaign, in order (RG-011).
pub fn period(form: &mut Form) -> (Option<NaiveDate>, Option<NaiveDate>) {
    let (start, end) = (form.date("debut"), form.date("fin"));
    if let (Some(start), Some(end)) = (start, end)
        && end < start
    {
        form.refuse("fin", "La date de fin doit être postérieure ou égale à la date de début");
    }
    (start, end)
}

/// Creates a campaign « En préparation »; the type's fields become its own (RG-060). `None` when
/// the name is taken.
pub async fn create(tx: &mut Tx, _may: &Create, new: &Information) -> Result<Option<Id<Campaign>>> {
    let id = Id::<Campaign>::new();
    let (now, user) = (tx.now(), tx.user()?.id);
    let workflow = default_workflow(tx, new.type_id).await?;
    let statement = sqlx::query!(
        "insert into campaigns (id, name, name_norm, description, type_id, start_date, end_date, owner_id, workflow_version_id,
           created_at, created_by, updated_at, updated_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $8, $10, $8)",
        id as _,
        new.name,
        norm(&new.name),
        new.description,
        new.type_id,
        new.start,
        new.end,
        user as _,
        workflow,
        now,
    );
    if !unless_taken(tx.conn(), statement).await? {
        return Ok(None);
    }
    copy_from_type(tx, id, new.type_id).await?;
    tx.record(
        Entry::on("campaign.created", "campaign", id.uuid())
            .campaign(id)
            .changes(json!({ "name": [null, new.name], "start_date": [null, new.start], "end_date": [null, new.end] })),
    )
    .await?;
    tx.touch_campaign(id).await?;
    Ok(Some(id))
}

/// Step 1 again, while the campaign is being prepared. `false` when the name is taken.
///
/// # Errors
/// Another type once operations exist.
pub async fn inform(
    tx: &mut Tx,
    campaign: &Allowed<Configure, Campaign>,
    new: &Information,
) -> Result<bool> {
    if !rename_row(tx, campaign, new).await? {
        return Ok(false);
    }
    if new.type_id != campaign.type_id {
        change_type(tx, campaign, new.type_id).await?;
    }
    let changes = json!({
        "name": [campaign.name, new.name], "description": [campaign.description, new.description],
        "start_date": [campaign.start_date, new.start], "end_date": [campaign.end_date, new.end],
    });
    tx.record(
        Entry::on("campaign.edited", "campaign", campaign.id.uuid())
            .campaign(campaign.id)
            .changes(only_changed(changes)),
    )
    .await?;
    refresh(tx, campaign.id).await?;
    tx.touch_campaign(campaign.id).await?;
    Ok(true)
}

async fn rename_row(tx: &mut Tx, campaign: &Campaign, new: &Information) -> Result<bool> {
    let (now, user) = (tx.now(), tx.actor().user_id());
    let statement = sqlx::query!(
        "update campaigns set name = $2, name_norm = $3, description = $4, start_date = $5, end_date = $6,
                version = version + 1, updated_at = $7, updated_by = $8 where id = $1",
        campaign.id as _,
        new.name,
        norm(&new.name),
        new.description,
        new.start,
        new.end,
        now,
        user as _,
    );
    Ok(unless_taken(tx.conn(), statement).await?)
}

async fn change_type(tx: &mut Tx, campaign: &Campaign, to: Uuid) -> Result<()> {
    if has_operations(tx, campaign.id).await? {
        return Err(Error::Refused(
            "Le type ne peut plus être changé : la campagne contient déjà des opérations.".into(),
        ));
    }
    let (now, workflow) = (tx.now(), default_workflow(tx, to).await?);
    sqlx::query!(
        "update campaign_fields set deleted_at = $2 where campaign_id = $1 and deleted_at is null",
        campaign.id as _,
        now
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "update campaigns set type_id = $2, workflow_version_id = $3 where id = $1",
        campaign.id as _,
        to,
        workflow
    )
    .execute(tx.conn())
    .await?;
    copy_from_type(tx, campaign.id, to).await
}

async fn has_operations(tx: &mut Tx, campaign: Id<Campaign>) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select 1 from operations where campaign_id = $1) as "any!""#,
        campaign as _
    )
    .fetch_one(tx.conn())
    .await
}

/// The latest version of the type's workflow.
async fn default_workflow(tx: &mut Tx, type_id: Uuid) -> Result<Uuid> {
    let version = sqlx::query_scalar!(
        "select v.id from operation_types t join workflow_versions v on v.workflow_id = t.workflow_id
         where t.id = $1 and t.active order by v.number desc limit 1",
        type_id
    )
    .fetch_optional(tx.conn())
    .await?;
    version.ok_or_else(|| {
        Error::Refused("Ce type d’opération n’est plus proposé. Choisissez-en un autre.".into())
    })
}

/// Where « Reprendre la création » leads.
pub async fn remember_step(
    tx: &mut Tx,
    campaign: &Allowed<Configure, Campaign>,
    step: i16,
) -> Result<()> {
    sqlx::query!("update campaigns set wizard_step = $2 where id = $1", campaign.id as _, step)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Step 4 of the wizard, checked.
pub struct Configuration {
    pub workflow: Uuid,
    /// The version that the operations will receive; absent for none.
    pub checklist: Option<Uuid>,
    pub finish_level: String,
    pub default_time: NaiveTime,
    pub time_tracking: bool,
    pub is_public: bool,
}

/// Writes step 4 while the campaign is being prepared.
///
/// # Errors
/// Another workflow once operations have moved.
pub async fn configure(
    tx: &mut Tx,
    campaign: &Allowed<Configure, Campaign>,
    new: &Configuration,
) -> Result<()> {
    let (now, user) = (tx.now(), tx.actor().user_id());
    let former = Workflow::load(tx.conn(), campaign.workflow_version_id).await?;
    sqlx::query!(
        "update campaigns set workflow_version_id = $2, finish_level = $3, default_time = $4, time_tracking = $5, is_public = $6, checklist_version_id = $9,
                version = version + 1, updated_at = $7, updated_by = $8 where id = $1",
        campaign.id as _,
        new.workflow,
        new.finish_level,
        new.default_time,
        new.time_tracking,
        new.is_public,
        now,
        user as _,
        new.checklist,
    )
    .execute(tx.conn())
    .await?;
    let workflow = Workflow::load(tx.conn(), new.workflow).await?;
    if new.workflow != campaign.workflow_version_id {
        start_again(tx, campaign, &former, &workflow).await?;
    }
    let changes = json!({
        "workflow": [former.name, workflow.name],
        "finish_level": [campaign.finish_level, new.finish_level],
        "default_time": [campaign.default_time, new.default_time],
        "time_tracking": [campaign.time_tracking, new.time_tracking],
        "is_public": [campaign.is_public, new.is_public],
    });
    tx.record(
        Entry::on("campaign.configured", "campaign", campaign.id.uuid())
            .campaign(campaign.id)
            .changes(only_changed(changes)),
    )
    .await?;
    tx.touch_campaign(campaign.id).await?;
    Ok(())
}

/// Imported operations take the initial status of the workflow chosen after their import (RG-014).
async fn start_again(
    tx: &mut Tx,
    campaign: &Campaign,
    former: &Workflow,
    workflow: &Workflow,
) -> Result<()> {
    let (before, after) = (former.initial()?, workflow.initial()?);
    let moved = sqlx::query_scalar!(
        r#"select exists (select 1 from operations where campaign_id = $1 and status_id <> $2) as "any!""#,
        campaign.id as _,
        before.id
    )
    .fetch_one(tx.conn())
    .await?;
    if moved {
        return Err(Error::Refused(
            "Des opérations ont déjà changé de statut : le workflow ne peut plus être changé ici."
                .into(),
        ));
    }
    sqlx::query!(
        "update operations set status_id = $2, category = $3 where campaign_id = $1",
        campaign.id as _,
        after.id,
        after.category as _
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// « Créer la campagne »: the status is computed from now on (RG-010).
///
/// # Errors
/// A campaign that is already active.
pub async fn activate(tx: &mut Tx, campaign: &Allowed<Configure, Campaign>) -> Result<()> {
    let now = tx.now();
    let written = sqlx::query!(
        "update campaigns set activated_at = $2, wizard_step = 5, version = version + 1 where id = $1 and activated_at is null",
        campaign.id as _,
        now
    )
    .execute(tx.conn())
    .await?;
    if written.rows_affected() == 0 {
        return Err(Error::Refused("Cette campagne est déjà créée.".into()));
    }
    tx.record(
        Entry::on("campaign.activated", "campaign", campaign.id.uuid()).campaign(campaign.id),
    )
    .await?;
    crate::checklists::freeze(tx, campaign.id).await?;
    refresh(tx, campaign.id).await?;
    tx.touch_campaign(campaign.id).await?;
    Ok(())
}
