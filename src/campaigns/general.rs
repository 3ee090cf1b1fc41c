// SPDX-License-Identifier: EUPL-1.2
//! The settings of « Général », read and written (US-215).
use super::{Campaign, Configure, status::refresh};
use crate::{
    audit::{Entry, only_changed},
    db::{Id, Tx, unless_taken},
    text::norm,
    web::{Result, auth::Allowed},
};
use chrono::{NaiveDate, NaiveTime};
use serde_json::json;
use sqlx::PgConnection;

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
    let statement = sqlx::query!(
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
    );
    if !unless_taken(tx.conn(), statement).await? {
        return Ok(None);
    }
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
