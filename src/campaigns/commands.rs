// SPDX-License-Identifier: EUPL-1.2
//! What people do to a campaign as a whole: create, describe, configure, activate, archive, hand over.
use super::{
    Campaign, Configure, Create, Own, Restore, Status, fields::copy_from_type, status::refresh,
};
use crate::{
    accounts::{Role, User},
    audit::Entry,
    db::{Id, Tx, sqlstate},
    text::norm,
    web::{Error, Form, Result, auth::Allowed},
    workflows::Workflow,
};
use chrono::{NaiveDate, NaiveTime};
use serde_json::json;
use sqlx::{Connection, PgConnection};
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
    let mut attempt = tx.conn().begin().await?;
    let written = sqlx::query!(
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
    )
    .execute(&mut *attempt)
    .await;
    if taken(&written) {
        attempt.rollback().await?;
        return Ok(None);
    }
    written?;
    attempt.commit().await?;
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
    let mut attempt = tx.conn().begin().await?;
    let written = sqlx::query!(
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
    )
    .execute(&mut *attempt)
    .await;
    if taken(&written) {
        attempt.rollback().await?;
        return Ok(false);
    }
    written?;
    attempt.commit().await?;
    Ok(true)
}

/// Another live campaign has this name (RG-011).
pub(super) fn taken<T>(written: &sqlx::Result<T>) -> bool {
    written.as_ref().err().is_some_and(|err| sqlstate(err).as_deref() == Some("23505"))
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
        "update campaigns set workflow_version_id = $2, finish_level = $3, default_time = $4, time_tracking = $5, is_public = $6,
                version = version + 1, updated_at = $7, updated_by = $8 where id = $1",
        campaign.id as _,
        new.workflow,
        new.finish_level,
        new.default_time,
        new.time_tracking,
        new.is_public,
        now,
        user as _,
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
    refresh(tx, campaign.id).await?;
    tx.touch_campaign(campaign.id).await?;
    Ok(())
}

/// Read-only everywhere (RG-016).
///
/// # Errors
/// A campaign that is not finished.
pub async fn archive(tx: &mut Tx, campaign: &Allowed<Own, Campaign>) -> Result<()> {
    if campaign.status != Status::Finished {
        return Err(Error::Refused("Seule une campagne terminée peut être archivée.".into()));
    }
    set_archived(tx, campaign, true).await?;
    tx.record(Entry::on("campaign.archived", "campaign", campaign.id.uuid()).campaign(campaign.id))
        .await?;
    refresh(tx, campaign.id).await?;
    tx.touch_campaign(campaign.id).await?;
    Ok(())
}

/// Back to the computed status, even if it was forced before (RG-010).
///
/// # Errors
/// A campaign that is not archived.
pub async fn restore(tx: &mut Tx, campaign: &Allowed<Restore, Campaign>) -> Result<()> {
    if !campaign.is_archived {
        return Err(Error::Refused("Cette campagne n’est pas archivée.".into()));
    }
    set_archived(tx, campaign, false).await?;
    tx.record(Entry::on("campaign.restored", "campaign", campaign.id.uuid()).campaign(campaign.id))
        .await?;
    refresh(tx, campaign.id).await?;
    tx.touch_campaign(campaign.id).await?;
    Ok(())
}

async fn set_archived(tx: &mut Tx, campaign: &Campaign, archived: bool) -> sqlx::Result<()> {
    let (now, user) = (tx.now(), tx.actor().user_id());
    sqlx::query!(
        "update campaigns set archived_at = case when $2 then $3::timestamptz end, version = version + 1, updated_at = $3, updated_by = $4,
                status_forced = case when $2 then status_forced end, status_reason = case when $2 then status_reason end,
                forced_at = case when $2 then forced_at end, forced_by = case when $2 then forced_by end
         where id = $1",
        campaign.id as _,
        archived,
        now,
        user as _
    )
    .execute(tx.conn())
    .await
    .map(drop)
}

/// Restricted or public (RG-112).
pub async fn publish(
    tx: &mut Tx,
    campaign: &Allowed<Configure, Campaign>,
    public: bool,
) -> Result<()> {
    let (now, user) = (tx.now(), tx.actor().user_id());
    sqlx::query!(
        "update campaigns set is_public = $2, version = version + 1, updated_at = $3, updated_by = $4 where id = $1",
        campaign.id as _,
        public,
        now,
        user as _
    )
    .execute(tx.conn())
    .await?;
    tx.record(
        Entry::on("campaign.visibility_changed", "campaign", campaign.id.uuid())
            .campaign(campaign.id)
            .changes(json!({ "is_public": [campaign.is_public, public] })),
    )
    .await?;
    tx.touch_campaign(campaign.id).await?;
    Ok(())
}

/// Hands the campaign over to another active gestionnaire; the former owner keeps « voir » (RG-111).
///
/// # Errors
/// Somebody who is not an active gestionnaire, or who already owns it.
pub async fn transfer(
    tx: &mut Tx,
    campaign: &Allowed<Own, Campaign>,
    to: Id<User>,
) -> Result<String> {
    let heir = sqlx::query!(
        "select first_name, last_name, active, roles from users where id = $1",
        to as _
    )
    .fetch_optional(tx.conn())
    .await?;
    let Some(heir) =
        heir.filter(|u| u.active && u.roles.iter().any(|r| r == Role::CampaignManager.code()))
    else {
        return Err(Error::Refused("Choisissez un gestionnaire actif.".into()));
    };
    if to == campaign.owner_id {
        return Err(Error::Refused("Cette personne est déjà propriétaire de la campagne.".into()));
    }
    let (now, user) = (tx.now(), tx.actor().user_id());
    sqlx::query!(
        "update campaigns set owner_id = $2, transferred_at = $3, transferred_from = $4, version = version + 1, updated_at = $3, updated_by = $5
         where id = $1",
        campaign.id as _,
        to as _,
        now,
        campaign.owner_id as _,
        user as _
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "delete from grants where campaign_id = $1 and user_id in ($2, $3)",
        campaign.id as _,
        to as _,
        campaign.owner_id as _
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "insert into grants (id, campaign_id, user_id) values ($1, $2, $3)",
        Uuid::now_v7(),
        campaign.id as _,
        campaign.owner_id as _
    )
    .execute(tx.conn())
    .await?;
    let name = crate::accounts::display_name(&heir.first_name, &heir.last_name);
    tx.record(
        Entry::on("campaign.transferred", "campaign", campaign.id.uuid())
            .campaign(campaign.id)
            .changes(json!({ "owner": [campaign.owner_name, name] })),
    )
    .await?;
    tx.touch_campaign(campaign.id).await?;
    Ok(name)
}

/// `{"field": [old, new]}` without the fields whose two values are equal.
pub(super) fn only_changed(changes: serde_json::Value) -> serde_json::Value {
    let serde_json::Value::Object(mut map) = changes else { return changes };
    map.retain(|_, pair| pair.get(0) != pair.get(1));
    map.into()
}

/// The settings of « Général » (US-215).
#[derive(Clone, Debug, PartialEq)]
pub struct General {
    pub name: String,
    pub description: String,
    pub start_date: NaiveDate,
    pub end_date: NaiveDate,
    pub default_time: NaiveTime,
    pub finish_level: String,
    pub time_tracking: bool,
    pub lock_days: i32,
    pub reminder_days: i32,
    pub contact: String,
    pub agent_text: String,
}

pub async fn general(conn: &mut PgConnection, campaign: Id<Campaign>) -> sqlx::Result<General> {
    sqlx::query_as!(
        General,
        "select name, description, start_date, end_date, default_time, finish_level, time_tracking, lock_days, reminder_days, contact, agent_text
         from campaigns where id = $1",
        campaign as _
    )
    .fetch_one(conn)
    .await
}

/// Writes the settings; whether anything changed, or `None` when the name is taken.
pub async fn set_general(
    tx: &mut Tx,
    campaign: &Allowed<Configure, Campaign>,
    before: &General,
    new: &General,
) -> Result<Option<bool>> {
    if before == new {
        return Ok(Some(false));
    }
    let (now, user) = (tx.now(), tx.actor().user_id());
    let mut attempt = tx.conn().begin().await?;
    let written = sqlx::query!(
        "update campaigns set name = $2, name_norm = $3, description = $4, start_date = $5, end_date = $6, default_time = $7,
                finish_level = $8, time_tracking = $9, lock_days = $10, reminder_days = $11, contact = $12, agent_text = $13,
                version = version + 1, updated_at = $14, updated_by = $15 where id = $1",
        campaign.id as _,
        new.name,
        norm(&new.name),
        new.description,
        new.start_date,
        new.end_date,
        new.default_time,
        new.finish_level,
        new.time_tracking,
        new.lock_days,
        new.reminder_days,
        new.contact,
        new.agent_text,
        now,
        user as _,
    )
    .execute(&mut *attempt)
    .await;
    if taken(&written) {
        attempt.rollback().await?;
        return Ok(None);
    }
    written?;
    attempt.commit().await?;
    let changes = json!({
        "name": [before.name, new.name], "description": [before.description, new.description],
        "start_date": [before.start_date, new.start_date], "end_date": [before.end_date, new.end_date],
        "default_time": [before.default_time, new.default_time], "finish_level": [before.finish_level, new.finish_level],
        "time_tracking": [before.time_tracking, new.time_tracking], "lock_days": [before.lock_days, new.lock_days],
        "reminder_days": [before.reminder_days, new.reminder_days], "contact": [before.contact, new.contact],
        "agent_text": [before.agent_text, new.agent_text],
    });
    tx.record(
        Entry::on("campaign.edited", "campaign", campaign.id.uuid())
            .campaign(campaign.id)
            .changes(only_changed(changes)),
    )
    .await?;
    refresh(tx, campaign.id).await?;
    tx.touch_campaign(campaign.id).await?;
    Ok(Some(true))
}
