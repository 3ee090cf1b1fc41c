// SPDX-License-Identifier: EUPL-1.2
//! A status decided by a person rather than by the facts (US-216, RG-010).
use super::{Campaign, Own, Status, status::refresh};
use crate::{
    audit::Entry,
    db::{Id, Tx},
    web::{Error, Result, auth::Allowed},
};
use chrono::{DateTime, Utc};
use serde_json::json;
use sqlx::PgConnection;

/// A status that somebody decided (RG-010).
pub struct Forced {
    pub status: Status,
    pub reason: String,
    pub by: String,
    pub at: DateTime<Utc>,
}

pub async fn forced(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
) -> sqlx::Result<Option<Forced>> {
    sqlx::query_as!(
        Forced,
        r#"select c.status_forced as "status!: Status", coalesce(c.status_reason, '') as "reason!", coalesce(c.forced_at, c.updated_at) as "at!",
                  coalesce(u.first_name || ' ' || upper(u.last_name), 'le programme') as "by!"
           from campaigns c left join users u on u.id = c.forced_by where c.id = $1 and c.status_forced is not null"#,
        campaign as _
    )
    .fetch_optional(conn)
    .await
}

/// Sets upcoming, running or finished whatever the facts, until [`unforce`].
///
/// # Errors
/// A campaign that is still being prepared.
pub async fn force(
    tx: &mut Tx,
    campaign: &Allowed<Own, Campaign>,
    status: Status,
    reason: &str,
) -> Result<()> {
    if campaign.is_draft {
        return Err(Error::Refused("Terminez d’abord la création de la campagne.".into()));
    }
    let (now, user) = (tx.now(), tx.actor().user_id());
    sqlx::query!(
        "update campaigns set status_forced = $2, status_reason = $3, forced_at = $4, forced_by = $5, version = version + 1, updated_at = $4, updated_by = $5
         where id = $1",
        campaign.id as _,
        status as _,
        reason,
        now,
        user as _
    )
    .execute(tx.conn())
    .await?;
    tx.record(
        Entry::on("campaign.status_forced", "campaign", campaign.id.uuid())
            .campaign(campaign.id)
            .changes(json!({ "status": [campaign.status.label(), status.label()] }))
            .reason(Some(reason.to_owned())),
    )
    .await?;
    refresh(tx, campaign.id).await?;
    tx.touch_campaign(campaign.id).await?;
    Ok(())
}

/// « Revenir au statut automatique »: the facts decide again.
pub async fn unforce(tx: &mut Tx, campaign: &Allowed<Own, Campaign>) -> Result<()> {
    let (now, user) = (tx.now(), tx.actor().user_id());
    sqlx::query!(
        "update campaigns set status_forced = null, status_reason = null, forced_at = null, forced_by = null, version = version + 1,
                updated_at = $2, updated_by = $3 where id = $1",
        campaign.id as _,
        now,
        user as _
    )
    .execute(tx.conn())
    .await?;
    tx.record(
        Entry::on("campaign.status_automatic", "campaign", campaign.id.uuid())
            .campaign(campaign.id),
    )
    .await?;
    refresh(tx, campaign.id).await?;
    tx.touch_campaign(campaign.id).await?;
    Ok(())
}
