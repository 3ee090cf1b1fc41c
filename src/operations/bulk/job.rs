// SPDX-License-Identifier: EUPL-1.2
//! Applies or takes back, fifty operations a transaction: what is noted is what was done, and a
//! killed worker goes on where it stopped. The others' pages wait for no lock longer than that.
use super::{gesture::Applied, model::Bulk};
use crate::{
    accounts::{self, User},
    app::App,
    db::{Actor, Id, Tx},
    jobs::Job,
    operations::Operation,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

const BATCH: i64 = 50;

#[derive(Serialize, Deserialize)]
pub struct Work {
    pub bulk: Id<Bulk>,
}

impl Job for Work {
    const KIND: &'static str = "bulk.work";

    async fn run(self, app: &App, _now: DateTime<Utc>) -> anyhow::Result<()> {
        while self.batch(app).await.map_err(|err| anyhow::anyhow!(err))? {}
        Ok(())
    }

    async fn given_up(self, app: &App) -> anyhow::Result<()> {
        sqlx::query!(
            "update bulk_actions set state = 'failed', finished_at = now() where id = $1 and state in ('running', 'undoing')",
            self.bulk as _
        )
        .execute(&app.db)
        .await?;
        Ok(())
    }
}

impl Work {
    /// One transaction; `false` when there is nothing left to do.
    async fn batch(&self, app: &App) -> crate::web::Result<bool> {
        let now = crate::clock::now();
        let mut tx = Tx::begin(app, Actor::System, now).await?;
        // A stop asked for meanwhile waits for this row, and is obeyed at the next batch.
        let row = sqlx::query!(
            r#"select state, acting_id as "acting: Id<User>" from bulk_actions where id = $1 for update"#,
            self.bulk as _
        )
        .fetch_optional(tx.conn())
        .await?;
        let Some(row) = row.filter(|row| matches!(row.state.as_str(), "running" | "undoing"))
        else {
            return Ok(false);
        };
        let Some(bulk) = Bulk::load(tx.conn(), self.bulk).await? else { return Ok(false) };
        let acting = match row.acting {
            Some(id) => accounts::find(tx.conn(), id).await?,
            None => None,
        };
        let Some(acting) = acting else {
            return self.finish(tx, "failed", now).await; // the account is off
        };
        tx.act_as(acting);
        let undoing = row.state == "undoing";
        let done = match undoing {
            true => self.undo(&mut tx, &bulk).await?,
            false => self.apply(&mut tx, &bulk).await?,
        };
        if done == 0 {
            return self.finish(tx, if undoing { "undone" } else { "done" }, now).await;
        }
        tx.commit_quietly("each operation of the batch traced its own change").await?;
        Ok(true)
    }

    async fn finish(
        &self,
        mut tx: Tx,
        state: &str,
        now: DateTime<Utc>,
    ) -> crate::web::Result<bool> {
        sqlx::query!(
            "update bulk_actions set state = $2, finished_at = $3 where id = $1",
            self.bulk as _,
            state,
            now
        )
        .execute(tx.conn())
        .await?;
        tx.commit_quietly("starting it was traced, and each of its changes").await?;
        Ok(false)
    }

    /// Rows first, in order, as everybody does: the campaign's own lock comes after.
    async fn lock(tx: &mut Tx, ids: &[Uuid]) -> sqlx::Result<()> {
        sqlx::query!(
            "select 1 as one from operations where id = any ($1) order by id for update",
            ids
        )
        .fetch_all(tx.conn())
        .await
        .map(drop)
    }

    async fn apply(&self, tx: &mut Tx, bulk: &Bulk) -> crate::web::Result<usize> {
        let items = sqlx::query!(
            r#"select operation_id as "id: Id<Operation>", version_after from bulk_items where bulk_id = $1 and outcome is null order by operation_id limit $2"#,
            self.bulk as _,
            BATCH
        )
        .fetch_all(tx.conn())
        .await?;
        let ids: Vec<_> = items.iter().map(|item| item.id).collect();
        Self::lock(tx, &ids.iter().map(|id| id.uuid()).collect::<Vec<_>>()).await?;
        let (mut outcomes, mut whys, mut befores, mut versions) = (vec![], vec![], vec![], vec![]);
        for item in &items {
            let applied = bulk.gesture.apply(tx, item.id, item.version_after).await?;
            let (outcome, why, before, version) = match applied {
                Applied::Done { before, version } => ("applied", None, Some(before), Some(version)),
                Applied::Unchanged => ("unchanged", None, None, None),
                Applied::Refused(why) => ("refused", Some(why), None, None),
            };
            outcomes.push(outcome.to_owned());
            whys.push(why);
            befores.push(before);
            versions.push(version);
        }
        sqlx::query!(
            "update bulk_items b set outcome = n.outcome, why = n.why, before = n.before, version_after = n.version
             from unnest($2::uuid[], $3::text[], $4::text[], $5::jsonb[], $6::int[]) n (id, outcome, why, before, version)
             where b.bulk_id = $1 and b.operation_id = n.id",
            self.bulk as _,
            &ids as _,
            &outcomes,
            &whys as _,
            &befores as _,
            &versions as _
        )
        .execute(tx.conn())
        .await?;
        Ok(ids.len())
    }

    async fn undo(&self, tx: &mut Tx, bulk: &Bulk) -> crate::web::Result<usize> {
        let items = sqlx::query!(
            r#"select operation_id as "id: Id<Operation>", before, version_after from bulk_items
               where bulk_id = $1 and outcome = 'applied' order by operation_id limit $2"#,
            self.bulk as _,
            BATCH
        )
        .fetch_all(tx.conn())
        .await?;
        let count = items.len();
        Self::lock(tx, &items.iter().map(|item| item.id.uuid()).collect::<Vec<_>>()).await?;
        for item in items {
            let (before, version) =
                (item.before.unwrap_or(Value::Null), item.version_after.unwrap_or_default());
            let kept = bulk.gesture.undo(tx, item.id, before, version).await?.err();
            sqlx::query!(
                "update bulk_items b set outcome = case when $3::text is null then 'undone' else 'kept' end, why = $3, version_after = o.version
                 from operations o where b.bulk_id = $1 and b.operation_id = $2 and o.id = b.operation_id",
                self.bulk as _,
                item.id as _,
                kept
            )
            .execute(tx.conn())
            .await?;
        }
        Ok(count)
    }
}
