// SPDX-License-Identifier: EUPL-1.2
//! The counts of many campaigns at once, for pages that list them.
//!
//! A gesture counts the person's campaigns now. The refreshes of open pages share one count of all
//! campaigns, made at most once a second and process; who asks sooner after a change is told again.
use super::Counts;
use crate::{
    app::App,
    campaigns::Campaign,
    db::{Id, Read},
    web::Result,
    workflows::Category,
};
use sqlx::PgConnection;
use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
    time::Duration,
};
use tokio::{sync::Mutex, time::Instant};
use uuid::Uuid;

const SPAN: Duration = Duration::from_secs(1);

pub type ByCampaign = HashMap<Id<Campaign>, Counts>;

struct Shared {
    began: Instant,
    /// What had been heard of before counting.
    mark: String,
    counts: Arc<ByCampaign>,
    told_later: bool,
}

/// One a process: tests run several on different bases.
static SHARED: LazyLock<Mutex<HashMap<Uuid, Shared>>> = LazyLock::new(Mutex::default);

/// Counts by campaign; one without operations is absent. The caller keeps to what the person sees.
///
/// # Errors
/// The base does not answer.
pub async fn counts(read: &mut Read, visible: &[Id<Campaign>]) -> Result<Arc<ByCampaign>> {
    let (app, is_refresh) = (read.app().clone(), read.is_refresh());
    if is_refresh {
        shared(&app, read.conn()).await
    } else {
        Ok(Arc::new(count(read.conn(), Some(visible)).await?))
    }
}

async fn shared(app: &App, conn: &mut PgConnection) -> Result<Arc<ByCampaign>> {
    let mut all = SHARED.lock().await;
    if let Some(last) = all.get_mut(&app.process) {
        let changed = app.live.changed_since(&last.mark, None);
        match SPAN.checked_sub(last.began.elapsed()) {
            None if changed => {}
            Some(rest) if changed && !last.told_later => {
                last.told_later = true;
                tell_later(app.clone(), rest);
                return Ok(last.counts.clone());
            }
            _ => return Ok(last.counts.clone()),
        }
    }
    let (began, mark) = (Instant::now(), app.live.mark());
    let counts = Arc::new(count(conn, None).await?);
    all.insert(app.process, Shared { began, mark, counts: counts.clone(), told_later: false });
    Ok(counts)
}

fn tell_later(app: App, rest: Duration) {
    tokio::spawn(async move {
        tokio::time::sleep(rest).await;
        app.live.stir();
    });
}

/// The status is in the covering index, the category is not.
async fn count(conn: &mut PgConnection, only: Option<&[Id<Campaign>]>) -> sqlx::Result<ByCampaign> {
    let rows = sqlx::query!(
        r#"select n.campaign_id as "campaign_id!: Id<Campaign>", w.category as "category!: Category", n.n as "n!"
           from (select campaign_id, status_id, count(*) as n from operations
                 where campaign_id = any (coalesce($1::uuid[], array (select id from campaigns where deleted_at is null)))
                   and deleted_at is null
                 group by campaign_id, status_id) n
           join workflow_statuses w on w.id = n.status_id"#,
        only as _
    )
    .fetch_all(conn)
    .await?;
    let mut counts = ByCampaign::new();
    for row in rows {
        counts.entry(row.campaign_id).or_default().add(row.category, row.n.unsigned_abs());
    }
    Ok(counts)
}
