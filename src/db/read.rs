// SPDX-License-Identifier: EUPL-1.2
//! One connection and the person asking: what a page that only shows things takes.
use super::Id;
use crate::{
    accounts::User,
    app::App,
    web::{
        Error, Shell,
        auth::{Allowed, Permits, Visitor, decide},
    },
};
use axum::{extract::FromRequestParts, http::request::Parts};
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, Postgres, pool::PoolConnection};

pub struct Read {
    conn: PoolConnection<Postgres>,
    visitor: Visitor,
    user: User,
    app: App,
    /// What the live hub had heard of before anything was read.
    mark: String,
}

impl Read {
    pub fn conn(&mut self) -> &mut PgConnection {
        &mut self.conn
    }

    pub fn user(&self) -> &User {
        &self.user
    }

    pub fn split(&mut self) -> (&mut PgConnection, &User) {
        (&mut self.conn, &self.user)
    }

    /// The instant at which the request began.
    pub fn now(&self) -> DateTime<Utc> {
        self.visitor.now
    }

    /// Whether an open page refreshes itself, rather than a person asks.
    pub fn is_refresh(&self) -> bool {
        self.visitor.refresh
    }

    pub fn app(&self) -> &App {
        &self.app
    }

    /// What surrounds the page: navigation of this person, flash, title.
    pub fn shell(&self, title: impl Into<String>) -> Shell {
        Shell::new(&self.app, &self.visitor, title).marked(&self.mark)
    }

    /// Loads the subject as this person sees it.
    ///
    /// # Errors
    /// `NotFound` when it does not exist for them, `Forbidden` when they may only see it (RG-116).
    pub async fn authorize<A, S: Permits<A>>(
        &mut self,
        action: A,
        id: Id<S>,
    ) -> Result<Allowed<A, S>, Error> {
        let found = S::find(&mut self.conn, &self.user, id).await?;
        decide(action, &self.user, found)
    }
}

impl FromRequestParts<App> for Read {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let visitor = Visitor::of(parts);
        let user = visitor.user.clone().ok_or_else(|| Error::login_required(parts))?;
        let mark = app.live.mark();
        let conn = app.db.acquire().await?;
        Ok(Self { conn, visitor, user, app: app.clone(), mark })
    }
}
