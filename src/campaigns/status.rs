// SPDX-License-Identifier: EUPL-1.2
//! The life cycle of a campaign (RG-010): computed from facts; only archiving and forcing are decisions.
use super::Campaign;
use crate::{
    audit::Entry,
    clock,
    db::{Id, Tx},
    web::{Error, Result},
};
use chrono::NaiveDate;
use serde_json::json;
use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, sqlx::Type)]
#[sqlx(type_name = "campaign_status", rename_all = "lowercase")]
pub enum Status {
    Draft,
    Upcoming,
    Running,
    Finished,
    Archived,
}

/// What the status is computed from.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    pub validated: bool,
    pub archived: bool,
    pub forced: Option<Status>,
    pub start: NaiveDate,
    /// An operation has ever entered in_progress or done.
    pub ever_started: bool,
    pub operations: i64,
    /// Of these, done or cancelled.
    pub finals: i64,
}

impl Status {
    pub const ALL: [Self; 5] =
        [Self::Draft, Self::Upcoming, Self::Running, Self::Finished, Self::Archived];

    pub fn of(facts: &Facts, today: NaiveDate) -> Self {
        if facts.archived {
            Self::Archived
        } else if !facts.validated {
            Self::Draft
        } else if let Some(forced) = facts.forced {
            forced
        } else if facts.operations > 0 && facts.finals == facts.operations {
            Self::Finished
        } else if facts.ever_started || facts.start <= today {
            Self::Running
        } else {
            Self::Upcoming
        }
    }

    pub fn code(self) -> &'static str {
        match self {
            Self::Draft => "preparation",
            Self::Upcoming => "a-venir",
            Self::Running => "en-cours",
            Self::Finished => "terminee",
            Self::Archived => "archivee",
        }
    }

    /// « Échéance dépassée »: the end date has passed and the campaign is not over (RG-010).
    pub fn is_overdue(self, end: NaiveDate, today: NaiveDate) -> bool {
        end < today && matches!(self, Self::Upcoming | Self::Running)
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Draft => "Préparation",
            Self::Upcoming => "À venir",
            Self::Running => "En cours",
            Self::Finished => "Terminée",
            Self::Archived => "Archivée",
        }
    }

    pub fn icon(self) -> &'static str {
        match self {
            Self::Draft => "edit",
            Self::Upcoming => "calendar",
            Self::Running => "play",
            Self::Finished => "flag",
            Self::Archived => "archive",
        }
    }

    /// Neither over nor archived.
    pub fn is_active(self) -> bool {
        !matches!(self, Self::Finished | Self::Archived)
    }

    /// What runs comes first in lists.
    pub fn rank(self) -> u8 {
        match self {
            Self::Running => 0,
            Self::Upcoming => 1,
            Self::Draft => 2,
            Self::Finished => 3,
            Self::Archived => 4,
        }
    }

    /// The class that sets the colour token (10-decisions 10).
    pub fn class(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Upcoming => "upcoming",
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Archived => "archived",
        }
    }
}

/// Re-evaluates the status after an event that may change it; writes and traces only a change.
/// Called at the end of every command on the campaign's operations, and daily at 00:05.
///
/// Two people who finish the last two operations at once wait for each other here, so that the
/// second sees the first: an advisory lock, since the campaign's row is not for its children's
/// writers (10-decisions 5).
pub async fn refresh(tx: &mut Tx, campaign: Id<Campaign>) -> sqlx::Result<()> {
    lock(tx, campaign).await?;
    let row = sqlx::query!(
        r#"select status, status_forced as "status_forced: Status", activated_at is not null as "validated!",
                  archived_at is not null as "archived!", start_date, ever_started,
                  (activated_at is not null and not exists (
                     select 1 from operations o where o.campaign_id = c.id and o.deleted_at is null
                       and o.category not in ('done', 'cancelled'))) as "all_final!",
                  exists (select 1 from operations o where o.campaign_id = c.id and o.deleted_at is null) as "any!"
           from campaigns c where id = $1"#,
        campaign as _
    )
    .fetch_one(tx.conn())
    .await?;
    let facts = Facts {
        validated: row.validated,
        archived: row.archived,
        forced: row.status_forced,
        start: row.start_date,
        ever_started: row.ever_started,
        operations: i64::from(row.any),
        finals: i64::from(row.any && row.all_final),
    };
    let next = Status::of(&facts, clock::day(tx.now()));
    if next == row.status {
        return Ok(());
    }
    let now = tx.now();
    sqlx::query!(
        "update campaigns set status = $2, updated_at = $3,
                finished_at = case when $2 = any(array['finished', 'archived']::campaign_status[]) then coalesce(finished_at, $3::timestamptz) end
         where id = $1 and (archived_at is not null) = $4",
        campaign as _,
        next as _,
        now,
        row.archived
    )
    .execute(tx.conn())
    .await?;
    tx.record(
        Entry::on("campaign.status_changed", "campaign", campaign.uuid())
            .campaign(campaign)
            .changes(json!({ "status": [row.status.label(), next.label()] })),
    )
    .await?;
    tx.touch_campaign(campaign).await
}

/// After [`refresh`]: the campaign still follows this version of a workflow. Rows written under
/// another are not seen by whoever changed it meanwhile, who waited for none of them.
///
/// # Errors
/// `Refused` when it changed.
pub async fn follows(tx: &mut Tx, campaign: Id<Campaign>, version: Uuid) -> Result<()> {
    let now = sqlx::query_scalar!(
        "select workflow_version_id from campaigns where id = $1",
        campaign as _
    )
    .fetch_one(tx.conn())
    .await?;
    if now == version {
        return Ok(());
    }
    Err(Error::Refused("La campagne vient de changer de workflow. Recommencez.".into()))
}

/// Waits for whoever is changing what the status is computed from. Taken after the operations and
/// before the campaign's own row, by everybody.
pub async fn lock(tx: &mut Tx, campaign: Id<Campaign>) -> sqlx::Result<()> {
    sqlx::query!(
        "select pg_advisory_xact_lock(hashtextextended($1, 1))::text as locked",
        campaign.to_string()
    )
    .fetch_one(tx.conn())
    .await
    .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rg_010_table() {
        let day = |d| NaiveDate::from_ymd_opt(2026, 3, d).unwrap();
        let base = Facts {
            validated: true,
            archived: false,
            forced: None,
            start: day(10),
            ever_started: false,
            operations: 2,
            finals: 0,
        };
        let of = |facts: Facts, d| Status::of(&facts, day(d)).label();
        assert_eq!(of(Facts { validated: false, ..base }, 12), "Préparation");
        assert_eq!(of(base, 9), "À venir");
        assert_eq!(of(base, 10), "En cours");
        assert_eq!(of(Facts { ever_started: true, ..base }, 9), "En cours");
        assert_eq!(of(Facts { finals: 2, ..base }, 9), "Terminée");
        assert_eq!(of(Facts { operations: 0, ..base }, 12), "En cours");
        assert_eq!(of(Facts { forced: Some(Status::Running), finals: 2, ..base }, 9), "En cours");
        assert_eq!(of(Facts { archived: true, finals: 2, ..base }, 9), "Archivée");
    }
}
