// SPDX-License-Identifier: EUPL-1.2
//! Fields that the list can be sorted by (RG-061): each has an index of its own on the operations of
//! its campaign, built and dropped in the background without stopping anybody's writes.
use super::{Campaign, Field, fields};
use crate::{
    app::App,
    db::Id,
    jobs::Job,
    operations::{SortKey, field_key},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgPool, Postgres, pool::PoolConnection};
use std::{collections::HashMap, time::Duration};
use uuid::Uuid;

/// How many fields of a campaign, or of a type, can be sorted by (RG-061). The base holds it too.
pub const SORTABLE: usize = 5;
/// The advisory lock of whoever builds or drops an index of `operations`.
const LOCK: i64 = 0x4F_50_53_53_4F_52_54;

pub const TOO_MANY_SORTABLE: &str =
    "Cinq champs sont déjà triables : retirez ce réglage à l’un d’eux d’abord";

/// Gives a campaign the indexes that its sortable fields ask for, and drops those it no longer
/// needs; an archived or deleted campaign keeps none.
#[derive(Serialize, Deserialize)]
pub struct SortIndexes {
    pub campaign: Uuid,
}

impl Job for SortIndexes {
    const KIND: &'static str = "campaign.sort_indexes";

    async fn run(self, app: &App, _now: DateTime<Utc>) -> anyhow::Result<()> {
        let campaign = Id::<Campaign>::from(self.campaign);
        let mut conn = locked(&app.db).await?;
        let done = adjust(&mut conn, campaign).await;
        // A lock left on a connection that goes back to the pool would outlive the job.
        match unlock(&mut conn).await {
            Ok(()) => done,
            Err(err) => {
                conn.detach();
                done.and(Err(err.into()))
            }
        }
    }
}

/// A connection that alone builds indexes: two built at once on one table wait for each other, and
/// PostgreSQL ends one of them.
///
/// Tried again rather than waited for, on no connection in between: the snapshot of a statement that
/// waits would keep the other's index from ever being ready.
async fn locked(db: &PgPool) -> sqlx::Result<PoolConnection<Postgres>> {
    loop {
        let mut conn = db.acquire().await?;
        if try_lock(&mut conn).await? {
            return Ok(conn);
        }
        drop(conn);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn try_lock(conn: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"select pg_try_advisory_lock($1) as "locked!""#, LOCK)
        .fetch_one(conn)
        .await
}

async fn unlock(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!("select pg_advisory_unlock($1)", LOCK).fetch_one(conn).await.map(drop)
}

async fn adjust(conn: &mut PgConnection, campaign: Id<Campaign>) -> anyhow::Result<()> {
    let open = sqlx::query_scalar!(
        r#"select archived_at is null and deleted_at is null as "open!" from campaigns where id = $1"#,
        campaign as _
    )
    .fetch_optional(&mut *conn)
    .await?
    .unwrap_or(false);
    let fields = fields(conn, campaign).await?;
    let mut wanted: HashMap<String, &Field> = fields
        .iter()
        .filter(|field| open && has_index(field))
        .map(|field| (index_name(campaign, field), field))
        .collect();
    // One that a stopped program left half built is not valid: it goes, and is built again.
    for (name, valid) in existing(conn, campaign).await? {
        if !valid || wanted.remove(&name).is_none() {
            run(conn, format!("drop index concurrently if exists {name}")).await?;
        }
    }
    for (name, field) in wanted {
        let key = field_key("\"values\"", field.number, field.kind, false);
        let index = format!(
            "create index concurrently {name} on operations (segment_sort, ({key}), identifier_norm)
             where campaign_id = '{campaign}' and deleted_at is null"
        );
        run(conn, index).await?;
    }
    Ok(())
}

/// A statement that refuses to be in a transaction.
async fn run(conn: &mut PgConnection, statement: String) -> sqlx::Result<()> {
    // Names and numbers of ours, nothing that a person typed.
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(conn).await.map(drop)
}

/// Whether the lists sort by this field with an index of its own.
fn has_index(field: &Field) -> bool {
    !field.is_column() && SortKey::is_offered(field)
}

/// The kind is in the name, since it decides the order: another kind is another index.
fn index_name(campaign: Id<Campaign>, field: &Field) -> String {
    let order = match field.kind {
        super::FieldKind::Number => 'n',
        super::FieldKind::Date => 'd',
        _ => 't',
    };
    format!("{}{}_{order}", prefix(campaign), field.number)
}

fn prefix(campaign: Id<Campaign>) -> String {
    format!("operations_sort_{}_", campaign.uuid().simple())
}

/// (name, whether it is whole) of the indexes of this campaign.
async fn existing(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
) -> sqlx::Result<Vec<(String, bool)>> {
    let rows = sqlx::query!(
        r#"select c.relname::text as "name!", i.indisvalid from pg_index i join pg_class c on c.oid = i.indexrelid
           where i.indrelid = 'operations'::regclass and starts_with(c.relname::text, $1)"#,
        prefix(campaign)
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.name, row.indisvalid)).collect())
}

/// Numbers of the sortable fields whose index is not ready: their lists are sorted all the same, only
/// slower.
pub async fn in_preparation(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
    fields: &[Field],
) -> sqlx::Result<Vec<i32>> {
    let ready = existing(conn, campaign).await?;
    let is_ready = |field: &&Field| ready.contains(&(index_name(campaign, field), true));
    let waiting = fields.iter().filter(|field| has_index(field)).filter(|field| !is_ready(field));
    Ok(waiting.map(|field| field.number).collect())
}

#[cfg(test)]
#[path = "sorting_tests.rs"]
mod tests;
