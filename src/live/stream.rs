// SPDX-License-Identifier: EUPL-1.2
//! `GET /flux?sujet=…`: server-sent events, heartbeat 15 s, closed when the right is lost (05 §12).
use super::Topic;
use crate::{
    app::App,
    campaigns::{Campaign, View},
    db::{Id, Read},
    web::{Error, Result, auth::Subject},
};
use axum::{
    extract::Query,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures::stream;
use serde::Deserialize;
use std::{convert::Infallible, time::Duration};
use tokio::sync::watch;

#[derive(Deserialize)]
pub struct Asked {
    /// `campagne-<id>`, `terrain`, or `portefeuille`.
    sujet: String,
}

pub async fn page(mut read: Read, Query(asked): Query<Asked>) -> Result<Response> {
    let user = read.user().clone();
    let app = read.app().clone();
    let (campaign, changes) = if let Some(id) = asked.sujet.strip_prefix("campagne-") {
        let id: Id<Campaign> = id.parse().map_err(|_| Error::NotFound)?;
        read.authorize(View, id).await?;
        (Some(id), app.live.watch(Topic::Campaign(id)))
    } else if asked.sujet == "terrain" {
        (None, app.live.watch(Topic::Person(user.id)))
    } else if asked.sujet == "portefeuille" {
        (None, app.live.watch_all())
    } else {
        return Err(Error::NotFound);
    };
    drop(read);
    let state = Follower { app, user: user.id, campaign, changes, n: 0 };
    let events = stream::unfold(state, Follower::next);
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))).into_response())
}

struct Follower {
    app: App,
    user: Id<crate::accounts::User>,
    campaign: Option<Id<Campaign>>,
    changes: watch::Receiver<u64>,
    n: u64,
}

impl Follower {
    /// The next event, at most one a second; the end of the stream when the program stops,
    /// the account is off or the campaign can no longer be seen.
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        if self.n > 0 {
            let stop = self.app.stopping.clone();
            tokio::select! {
                () = stop.cancelled() => return None,
                changed = self.changes.changed() => changed.ok()?,
            }
            // The first change is told at once; a burst is told once a second.
            self.changes.borrow_and_update();
        }
        if self.n > 0 && !self.still_allowed().await {
            return None;
        }
        self.n += 1;
        let name = if self.n == 1 { "hello" } else { "changed" };
        Some((Ok(Event::default().event(name).id(self.n.to_string()).data("{}")), self))
    }

    async fn still_allowed(&self) -> bool {
        let Ok(mut conn) = self.app.db.acquire().await else { return true };
        let Ok(user) = crate::accounts::find(&mut conn, self.user).await else { return true };
        match (user, self.campaign) {
            (None, _) => false,
            (Some(user), Some(id)) => match Campaign::find(&mut conn, &user, id).await {
                Ok(found) => found.is_some_and(|campaign| campaign.visible_to(&user)),
                Err(_) => true,
            },
            (Some(_), None) => true,
        }
    }
}
