// SPDX-License-Identifier: EUPL-1.2
//! What its owner decides of a campaign as a whole: archived, brought back, published, handed over
//! (US-207, 210, 211).
use super::{Campaign, Configure, Own, Restore, SortIndexes, Status, status::refresh};
use crate::{
    accounts::{Role, User},
    audit::Entry,
    db::{Id, Tx},
    sharing,
    web::{Error, Result, auth::Allowed},
};
use serde_json::json;
use uuid::Uuid;

/// Read-only everywhere (RG-016); its share links die, unless the owner keeps them.
///
/// # Errors
/// A campaign that is not finished.
pub async fn archive(
    tx: &mut Tx,
    campaign: &Allowed<Own, Campaign>,
    keeps_links: bool,
) -> Result<()> {
    if campaign.status != Status::Finished {
        return Err(Error::Refused("Seule une campagne terminée peut être archivée.".into()));
    }
    if !keeps_links {
        sharing::revoke_all(tx, campaign).await?;
    }
    set_archived(tx, campaign, true).await?;
    tx.enqueue(SortIndexes { campaign: campaign.id.uuid() }).await?;
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
    tx.enqueue(SortIndexes { campaign: campaign.id.uuid() }).await?;
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
