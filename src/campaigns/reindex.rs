// SPDX-License-Identifier: EUPL-1.2
//! What the search finds, computed again after a change of fields. A row edited meanwhile computes
//! its own text: its version has moved, and it is left alone.
use super::{Campaign, fields};
use crate::{
    app::App,
    db::Id,
    jobs::Job,
    operations::{Operation, search_text},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

const BATCH: i64 = 5_000;

#[derive(Serialize, Deserialize)]
pub struct Reindex {
    pub campaign: Uuid,
}

impl Job for Reindex {
    const KIND: &'static str = "campaign.reindex";

    async fn run(self, app: &App, _now: DateTime<Utc>) -> anyhow::Result<()> {
        let campaign = Id::<Campaign>::from(self.campaign);
        let mut conn = app.db.acquire().await?;
        let fields = fields(&mut conn, campaign).await?;
        let mut after = Id::<Operation>::from(Uuid::nil());
        loop {
            let rows = sqlx::query!(
                "select o.id, o.version, o.identifier, o.label, o.values, o.search_text from operations o join campaigns c on c.id = o.campaign_id
                 where o.campaign_id = $1 and o.id > $2 and c.archived_at is null and c.deleted_at is null order by o.id limit $3",
                campaign as _,
                after as _,
                BATCH
            )
            .fetch_all(&mut *conn)
            .await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.id;
            let (mut ids, mut versions, mut texts) = (Vec::new(), Vec::new(), Vec::new());
            for row in rows {
                let Value::Object(values) = &row.values else { continue };
                let text = search_text(&row.identifier, &row.label, values, &fields);
                if text != row.search_text {
                    ids.push(row.id.uuid());
                    versions.push(row.version);
                    texts.push(text);
                }
            }
            sqlx::query!(
                "update operations o set search_text = n.text from unnest($1::uuid[], $2::int[], $3::text[]) n (id, version, text)
                 where o.id = n.id and o.version = n.version",
                &ids,
                &versions,
                &texts
            )
            .execute(&mut *conn)
            .await?;
        }
    }
}
