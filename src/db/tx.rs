// SPDX-License-Identifier: EUPL-1.2
//! The unit of work: one transaction, one actor, one instant.
//!
//! Every change goes through here. [`Tx::commit`] refuses a transaction without an audit entry;
//! a change that nobody needs to trace says why with [`Tx::commit_quietly`]. Live events are
//! written in the transaction and told after the commit (10-decisions 4).
use super::Id;
use crate::{
    accounts::User,
    app::App,
    audit::{Entry, Trace},
    campaigns::Campaign,
    live::Topic,
    web::{
        Error, Shell,
        auth::{Allowed, Permits, Visitor, decide},
    },
};
use anyhow::anyhow;
use axum::{extract::FromRequestParts, http::request::Parts};
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, Postgres, Transaction};

/// On whose behalf something changes.
#[derive(Clone, Debug)]
pub enum Actor {
    User(User),
    /// Somebody who has not signed in: sign-in attempts, links of accounts.
    Anonymous,
    /// The program itself: schedule, jobs.
    System,
    /// « ligne de commande » (10-decisions 3).
    CommandLine,
}

impl Actor {
    /// The word stored in the audit.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Anonymous => "anonymous",
            Self::System => "system",
            Self::CommandLine => "command_line",
        }
    }

    pub fn user_id(&self) -> Option<Id<User>> {
        match self {
            Self::User(user) => Some(user.id),
            _ => None,
        }
    }
}

pub struct Tx {
    inner: Transaction<'static, Postgres>,
    app: App,
    actor: Actor,
    visitor: Option<Visitor>,
    now: DateTime<Utc>,
    entries: u32,
    /// What to tell after the commit, with its row in `live_events`.
    topics: Vec<(Topic, i64)>,
}

impl Tx {
    /// A unit of work outside a request: jobs, commands, demonstration.
    pub async fn begin(app: &App, actor: Actor, now: DateTime<Utc>) -> sqlx::Result<Self> {
        let inner = app.db.begin().await?;
        Ok(Self {
            inner,
            app: app.clone(),
            actor,
            visitor: None,
            now,
            entries: 0,
            topics: Vec::new(),
        })
    }

    /// A unit of work for whoever made this request, signed in or not, begun when its page chooses:
    /// after a password was checked, for instance, so that no connection waits meanwhile.
    pub async fn begin_for(app: &App, visitor: &Visitor) -> sqlx::Result<Self> {
        let actor = visitor.user.clone().map_or(Actor::Anonymous, Actor::User);
        let mut tx = Self::begin(app, actor, visitor.now).await?;
        tx.visitor = Some(visitor.clone());
        Ok(tx)
    }

    pub fn conn(&mut self) -> &mut PgConnection {
        &mut self.inner
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    pub fn app(&self) -> &App {
        &self.app
    }

    /// What surrounds a form that comes back with its errors.
    pub fn shell(&self, title: impl Into<String>) -> Shell {
        match &self.visitor {
            Some(visitor) => Shell::new(&self.app, visitor, title),
            None => {
                Shell::new(&self.app, &Visitor::of(&http::Request::new(()).into_parts().0), title)
            }
        }
    }

    pub fn visitor(&self) -> Option<&Visitor> {
        self.visitor.as_ref()
    }

    /// The signed-in person.
    ///
    /// # Errors
    /// `Forbidden` when the actor is not a person: a route of people was reached otherwise.
    pub fn user(&self) -> Result<&User, Error> {
        match &self.actor {
            Actor::User(user) => Ok(user),
            _ => Err(Error::Forbidden),
        }
    }

    /// Checks the right without locking: for a write on the subject's children
    /// (10-decisions 5: never the campaign's row for a write on its children).
    pub async fn authorize<A, S: Permits<A>>(
        &mut self,
        action: A,
        id: Id<S>,
    ) -> Result<Allowed<A, S>, Error> {
        let user = self.user()?.clone();
        let found = S::find(&mut self.inner, &user, id).await?;
        decide(action, &user, found)
    }

    /// Locks the subject's row, then checks: what was allowed is still true when the command writes.
    pub async fn authorize_to_change<A, S: Permits<A>>(
        &mut self,
        action: A,
        id: Id<S>,
    ) -> Result<Allowed<A, S>, Error> {
        S::lock(&mut self.inner, id).await?;
        self.authorize(action, id).await
    }

    /// From here on, what a job does is done by this person, under his rights.
    pub fn act_as(&mut self, user: User) {
        self.actor = Actor::User(user);
    }

    /// Writes the trace of a change, in the change's own transaction (RG-070).
    pub async fn record(&mut self, entry: Entry) -> sqlx::Result<()> {
        let (ip, request) = self
            .visitor
            .as_ref()
            .map(|v| (Some(v.ip.clone()), Some(v.request.clone())))
            .unwrap_or_default();
        let trace = Trace {
            at: self.now,
            actor_kind: self.actor.kind(),
            actor_id: self.actor.user_id().map(Id::uuid),
            ip,
            request,
        };
        entry.write(&mut self.inner, trace).await?;
        self.entries += 1;
        Ok(())
    }

    /// Tells the live screens of this campaign that something moved.
    pub async fn touch_campaign(&mut self, campaign: Id<Campaign>) -> sqlx::Result<()> {
        self.touch(Topic::Campaign(campaign)).await
    }

    /// Tells the screens of this person (« Mes interventions ») that something moved.
    pub async fn touch_person(&mut self, user: Option<Id<User>>) -> sqlx::Result<()> {
        match user {
            Some(user) => self.touch(Topic::Person(user)).await,
            None => Ok(()),
        }
    }

    async fn touch(&mut self, topic: Topic) -> sqlx::Result<()> {
        if self.topics.iter().any(|(known, _)| *known == topic) {
            return Ok(());
        }
        let (campaign, user) = topic.columns();
        let row = sqlx::query_scalar!(
            "insert into live_events (campaign_id, user_id, kind) values ($1, $2, 'changed') returning seq",
            campaign,
            user
        )
        .fetch_one(&mut *self.inner)
        .await?;
        self.topics.push((topic, row));
        Ok(())
    }

    /// # Errors
    /// Refuses a transaction that traced nothing.
    pub async fn commit(self) -> Result<(), Error> {
        if self.entries == 0 {
            return Err(anyhow!("commit without an audit entry").into());
        }
        self.finish().await
    }

    /// For changes that nobody needs to trace; the reason is for the reader.
    pub async fn commit_quietly(self, _reason: &'static str) -> Result<(), Error> {
        self.finish().await
    }

    async fn finish(self) -> Result<(), Error> {
        self.inner.commit().await?;
        for (topic, row) in self.topics {
            self.app.live.tell_row(topic, row);
        }
        Ok(())
    }
}

impl FromRequestParts<App> for Tx {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let visitor = Visitor::of(parts);
        let user = visitor.user.clone().ok_or_else(|| Error::login_required(parts))?;
        let mut tx = Self::begin(app, Actor::User(user), visitor.now).await?;
        tx.visitor = Some(visitor);
        Ok(tx)
    }
}

/// A unit of work of somebody who has not signed in.
pub struct PublicTx(pub Tx);

impl FromRequestParts<App> for PublicTx {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        Ok(Self(Tx::begin_for(app, &Visitor::of(parts)).await?))
    }
}
