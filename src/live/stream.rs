// SPDX-License-Identifier: EUPL-1.2
//! `GET /flux?sujet=…`, and `/partage/{token}/flux` for who holds a share link: server-sent events,
//! heartbeat 15 s, closed when the right is lost (05 §12).
//!
//! `hello` on opening, `changed` whenever the subject changed. The id of an event is a mark of the
//! hub: who comes back with one (`Last-Event-ID`, else `depuis`, what the page knew) is told at
//! once if it missed something.
use super::{
    Topic,
    hub::{Hub, Mark},
};
use crate::{
    accounts::{self, User, links::discreet},
    app::App,
    campaigns::{self, Campaign, View},
    clock,
    db::{Id, Read},
    sharing,
    web::{
        Error, Result,
        auth::{Subject, Visitor},
    },
};
use axum::{
    extract::{Path, Query, State},
    http::HeaderMap,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures::stream;
use serde::Deserialize;
use std::{convert::Infallible, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};
use uuid::Uuid;

/// Between two `changed` of a stream: a burst is told at its start and at its end.
const PACE: Duration = Duration::from_millis(500);
/// How long a right may be lost before a silent stream ends.
const CHECKED: Duration = Duration::from_secs(15);
/// How long a right found serves: an event has no content, and the page that it makes ask checks.
const TRUSTED: Duration = Duration::from_secs(5);

#[derive(Deserialize)]
pub struct Asked {
    /// `campagne-<id>`, `terrain`, or `portefeuille`.
    sujet: String,
    /// The mark of the page that opens the stream.
    depuis: Option<Mark>,
}

#[derive(Clone, Copy)]
enum Followed {
    Campaign(Id<Campaign>),
    Onsite(Id<User>),
    Portfolio,
    /// A campaign, by a share link: nobody is signed in.
    Shared(Id<Campaign>, Uuid),
}

pub async fn page(
    mut read: Read,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Response> {
    let subject = subject(&mut read, &asked.sujet).await?;
    let (user, app) = (read.user().id, read.app().clone());
    drop(read);
    Ok(follow(app, Some(user), subject, known(&headers, asked.depuis)).await)
}

#[derive(Deserialize)]
pub struct Since {
    depuis: Option<Mark>,
}

/// What the page of a share link follows, as long as the link lives.
pub async fn shared(
    State(app): State<App>,
    visitor: Visitor,
    Path(token): Path<String>,
    Query(since): Query<Since>,
    headers: HeaderMap,
) -> Result<Response> {
    let mut conn = app.db.acquire().await?;
    let found = sharing::living(&mut conn, &token, visitor.now).await?.ok_or(Error::NotFound)?;
    drop(conn);
    let subject = Followed::Shared(found.campaign, found.link);
    Ok(discreet(follow(app, None, subject, known(&headers, since.depuis)).await))
}

/// The mark of what was heard of last.
fn known(headers: &HeaderMap, page: Option<Mark>) -> Option<Mark> {
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    last.map(str::to_owned).or(page)
}

async fn follow(
    app: App,
    user: Option<Id<User>>,
    subject: Followed,
    known: Option<Mark>,
) -> Response {
    let changes = subject.watch(&app.live);
    let mut state = Follower {
        mark: app.live.mark(),
        app,
        user,
        subject,
        changes,
        visible: Vec::new(),
        opened: false,
        missed: false,
        told: None,
        allowed: None,
    };
    state.concerns("").await;
    if let Some(known) = known {
        state.missed =
            state.app.live.changed_since(&known, subject.topic()) && state.concerns(&known).await;
    }
    let events = stream::unfold(state, Follower::next);
    Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))).into_response()
}

async fn subject(read: &mut Read, asked: &str) -> Result<Followed> {
    match asked {
        "terrain" => Ok(Followed::Onsite(read.user().id)),
        "portefeuille" => Ok(Followed::Portfolio),
        other => {
            let id = other
                .strip_prefix("campagne-")
                .and_then(|id| id.parse().ok())
                .ok_or(Error::NotFound)?;
            read.authorize(View, id).await?;
            Ok(Followed::Campaign(id))
        }
    }
}

impl Followed {
    fn topic(self) -> Option<Topic> {
        match self {
            Self::Campaign(id) | Self::Shared(id, _) => Some(Topic::Campaign(id)),
            Self::Onsite(id) => Some(Topic::Person(id)),
            Self::Portfolio => None,
        }
    }

    fn watch(self, hub: &Hub) -> watch::Receiver<()> {
        self.topic().map_or_else(|| hub.watch_all(), |topic| hub.watch(topic))
    }
}

struct Follower {
    app: App,
    /// Whose rights are asked again; nobody's for a share link.
    user: Option<Id<User>>,
    subject: Followed,
    changes: watch::Receiver<()>,
    /// Changes up to this mark were told, or are nobody's business here.
    mark: Mark,
    /// What the person could see at the last change, for the portfolio: it may have gone since.
    visible: Vec<Id<Campaign>>,
    opened: bool,
    missed: bool,
    told: Option<Instant>,
    /// When the right was last found, since the opening.
    allowed: Option<Instant>,
}

impl Follower {
    /// The next event; the end of the stream when the program stops, the account is off or the
    /// campaign can no longer be seen.
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        if !self.opened {
            self.opened = true;
            // What was missed is told with the mark of before, so that it is told again if this is lost.
            let hello = Event::default().event("hello").data("{}");
            return Some((
                Ok(if self.missed { hello } else { hello.id(self.app.live.mark()) }),
                self,
            ));
        }
        if !std::mem::take(&mut self.missed) && !self.wait().await {
            return None;
        }
        self.told = Some(Instant::now());
        // The mark first: a change heard from here on is told again.
        let mark = self.app.live.mark();
        self.changes.borrow_and_update();
        self.mark.clone_from(&mark);
        Some((Ok(Event::default().event("changed").id(mark).data("{}")), self))
    }

    /// Until something changed; false when there is nobody to tell any more.
    async fn wait(&mut self) -> bool {
        let stop = self.app.stopping.clone();
        loop {
            let changed = tokio::select! {
                () = stop.cancelled() => return false,
                heard = self.changes.changed() => heard.is_ok(),
                () = tokio::time::sleep(CHECKED) => false,
            };
            if changed && let Some(told) = self.told {
                tokio::select! { () = stop.cancelled() => return false, () = sleep_until(told + PACE) => {} }
            }
            if self.allowed.is_none_or(|at| at.elapsed() >= TRUSTED) {
                if !self.still_allowed().await {
                    return false;
                }
                self.allowed = Some(Instant::now());
            }
            let now = self.app.live.mark();
            let since = std::mem::replace(&mut self.mark, now);
            if changed && self.concerns(&since).await {
                return true;
            }
        }
    }

    /// Whether the person can see, or could, something of what changed since; in doubt, yes: the
    /// page decides.
    async fn concerns(&mut self, since: &str) -> bool {
        if !matches!(self.subject, Followed::Portfolio) {
            return true;
        }
        let Ok(mut conn) = self.app.db.acquire().await else { return true };
        let Some(user) = self.user else { return true };
        let Ok(Some(user)) = accounts::find(&mut conn, user).await else { return true };
        let Ok(visible) = campaigns::visible(&mut conn, &user).await else { return true };
        let could = std::mem::replace(&mut self.visible, visible);
        self.app.live.moved_since(since).is_none_or(|moved| {
            moved.iter().any(|id| self.visible.contains(id) || could.contains(id))
        })
    }

    async fn still_allowed(&self) -> bool {
        let Ok(mut conn) = self.app.db.acquire().await else { return true };
        if let Followed::Shared(_, link) = self.subject {
            return sharing::is_living(&mut conn, link, clock::now()).await.unwrap_or(true);
        }
        let Some(user) = self.user else { return false };
        let Ok(user) = accounts::find(&mut conn, user).await else { return true };
        match (user, self.subject) {
            (None, _) => false,
            (Some(user), Followed::Campaign(id)) => {
                match Campaign::find(&mut conn, &user, id).await {
                    Ok(found) => found.is_some_and(|campaign| campaign.visible_to(&user)),
                    Err(_) => true,
                }
            }
            (Some(_), _) => true,
        }
    }
}
