// SPDX-License-Identifier: EUPL-1.2
//! The whole calendar of the program (03 §10.3), in the instance's zone. A planned job carries a
//! unique key, so that no leader is needed; a missed run is caught up once.
use super::Job;
use crate::{
    app::App,
    campaigns::{self, Campaign},
    clock,
    db::{Actor, Id, Tx},
};
use anyhow::Context;
use chrono::{DateTime, Days, NaiveTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use uuid::Uuid;

/// Every daily job: its kind, its hour.
const DAILY: [(&str, NaiveTime); 3] = [
    (CampaignStatuses::KIND, NaiveTime::from_hms_opt(0, 5, 0).unwrap()),
    (crate::audit::DailyCheckpoint::KIND, NaiveTime::from_hms_opt(0, 10, 0).unwrap()),
    (crate::documents::Retention::KIND, NaiveTime::from_hms_opt(0, 15, 0).unwrap()),
];

/// Puts the latest due run of each planned job in the queue.
pub async fn plan(db: &PgPool, now: DateTime<Utc>) -> sqlx::Result<()> {
    for (kind, hour) in DAILY {
        let today = clock::day(now);
        let due = [Some(today), today.checked_sub_days(Days::new(1))]
            .into_iter()
            .flatten()
            .filter_map(|day| clock::instant(day, hour))
            .find(|at| *at <= now);
        let Some(due) = due else { continue };
        // The mark and the job in one statement: a kill between them would lose the run.
        sqlx::query!(
            "with moved as (
               insert into schedule_marks (kind, planned_until) values ($2, $3)
               on conflict (kind) do update set planned_until = $3 where schedule_marks.planned_until < $3 returning kind)
             insert into jobs (id, kind, payload, run_at, dedup_key) select $1, kind, '{}', $3, $4 from moved on conflict (dedup_key) do nothing",
            Uuid::now_v7(),
            kind,
            due,
            format!("{kind}@{}", due.to_rfc3339()),
        )
        .execute(db)
        .await?;
    }
    Ok(())
}

/// 00:05: a campaign whose start date is reached begins (RG-010).
#[derive(Serialize, Deserialize)]
pub struct CampaignStatuses {}

impl Job for CampaignStatuses {
    const KIND: &'static str = "campaign.statuses";

    async fn run(self, app: &App, now: DateTime<Utc>) -> anyhow::Result<()> {
        let ids: Vec<Id<Campaign>> = sqlx::query_scalar!(
            "select id from campaigns where deleted_at is null and archived_at is null and activated_at is not null"
        )
        .fetch_all(&app.db)
        .await?;
        for id in ids {
            let mut tx = Tx::begin(app, Actor::System, now).await?;
            campaigns::status::refresh(&mut tx, id).await?;
            tx.commit_quietly("refresh traces a change, and nothing else")
                .await
                .context("statuts des campagnes")?;
        }
        Ok(())
    }
}
