// SPDX-License-Identifier: EUPL-1.2
//! The figures that people are looking at, counted once however many look (RG-040).
//!
//! What a person asks for by a gesture is always exact: counted again as soon as a change was
//! heard of, or after one second. What an open page asks for by itself (`X-Refresh`) may cost at
//! most two counts a second and campaign: beyond, it gets the last figures and the page is told
//! again as soon as they can be counted. Nobody waits with a connection in hand, except for the
//! count under way.
use super::Figures;
use crate::{
    app::App,
    campaigns::Campaign,
    clock,
    db::{Id, Read},
    live::Topic,
    web::Result,
};
use sqlx::PgConnection;
use std::{
    collections::HashMap,
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;
use uuid::Uuid;

/// The age at which figures are counted again, and the span in which two counts are allowed.
const SPAN: Duration = Duration::from_secs(1);
/// Campaigns remembered in one process.
const KEPT: usize = 256;

#[derive(Default)]
struct Slot {
    /// How many changes were heard of.
    changes: AtomicU64,
    /// Somebody will tell the pages again.
    told_later: AtomicBool,
    last: tokio::sync::Mutex<Last>,
}

#[derive(Default)]
struct Last {
    figures: Option<Arc<Figures>>,
    /// The changes known when they were counted.
    changes: u64,
    /// When the last two counts began.
    began: [Option<Instant>; 2],
}

static SLOTS: LazyLock<Mutex<HashMap<Uuid, Arc<Slot>>>> = LazyLock::new(Mutex::default);

/// A campaign changed: its figures are counted again at the next look.
pub fn forget(topic: Topic) {
    if let Topic::Campaign(id) = topic
        && let Ok(slots) = SLOTS.lock()
        && let Some(slot) = slots.get(&id.uuid())
    {
        slot.changes.fetch_add(1, Ordering::AcqRel);
    }
}

/// The figures of a campaign, shared by all who look at it.
///
/// # Errors
/// The campaign does not exist, or the base does not answer.
pub async fn figures(read: &mut Read, campaign: Id<Campaign>) -> Result<Arc<Figures>> {
    let (app, is_refresh) = (read.app().clone(), read.is_refresh());
    shared(&app, read.conn(), campaign, is_refresh).await
}

/// [`figures`] outside a request; `spare`: figures of the last second will do.
///
/// # Errors
/// Those of [`figures`].
pub async fn shared(
    app: &App,
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
    spare: bool,
) -> Result<Arc<Figures>> {
    let slot = slot(campaign);
    let mut last = slot.last.lock().await;
    let changes = slot.changes.load(Ordering::Acquire);
    let [latest, former] = last.began;
    if let Some(figures) = &last.figures {
        if last.changes == changes && latest.is_some_and(|at| at.elapsed() < SPAN) {
            return Ok(figures.clone());
        }
        let rest = former.and_then(|at| SPAN.checked_sub(at.elapsed())).filter(|_| spare);
        if let Some(rest) = rest {
            tell_later(app, &slot, campaign, rest);
            return Ok(figures.clone());
        }
    }
    let began = Instant::now();
    let figures = Arc::new(Figures::count(conn, campaign, clock::now()).await?);
    *last = Last { figures: Some(figures.clone()), changes, began: [Some(began), latest] };
    Ok(figures)
}

fn tell_later(app: &App, slot: &Arc<Slot>, campaign: Id<Campaign>, rest: Duration) {
    if slot.told_later.swap(true, Ordering::AcqRel) {
        return;
    }
    let (app, slot) = (app.clone(), slot.clone());
    tokio::spawn(async move {
        tokio::time::sleep(rest).await;
        slot.told_later.store(false, Ordering::Release);
        app.live.changed(Topic::Campaign(campaign));
    });
}

fn slot(campaign: Id<Campaign>) -> Arc<Slot> {
    let Ok(mut slots) = SLOTS.lock() else { return Arc::default() };
    if slots.len() >= KEPT && !slots.contains_key(&campaign.uuid()) {
        slots.retain(|_, slot| Arc::strong_count(slot) > 1);
    }
    slots.entry(campaign.uuid()).or_default().clone()
}
