// SPDX-License-Identifier: EUPL-1.2
//! Permission as a value: [`Allowed<A, S>`] proves that the person may do `A` to this `S` (RG-116).
use super::Error;
use crate::{accounts::User, campaigns::Pin, db::Id};
use axum::http::request::Parts;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use std::{marker::PhantomData, ops::Deref};

/// Who asks, when and from where: put in the request by `web::session`.
#[derive(Clone, Debug)]
pub struct Visitor {
    pub user: Option<User>,
    /// « Épinglés », for the navigation.
    pub pins: Vec<Pin>,
    /// The session in use, to mark it in « Mes sessions » and to spare it when others are revoked.
    pub session: Option<uuid::Uuid>,
    /// When the session ends if nothing more is asked; `None` when another would be opened.
    pub session_ends: Option<DateTime<Utc>>,
    pub now: DateTime<Utc>,
    /// Truncated to /24 or /48 (RG-070).
    pub ip: String,
    /// Complete address, for the limiters only: never stored in clear.
    pub full_ip: String,
    /// Reference shown on error pages and kept in the audit.
    pub request: String,
    pub path: String,
    pub flash: Option<String>,
    /// Asked by a popover: the page's content without its shell.
    pub fragment: bool,
    /// Asked by an open page that refreshes itself (`X-Refresh`): not a gesture of the person.
    pub refresh: bool,
    pub user_agent: String,
}

impl Visitor {
    pub fn of(parts: &Parts) -> Self {
        parts.extensions.get::<Self>().cloned().unwrap_or_else(|| Self {
            user: None,
            pins: Vec::new(),
            session: None,
            session_ends: None,
            now: crate::clock::now(),
            ip: String::new(),
            full_ip: String::new(),
            request: String::new(),
            path: parts.uri.path().to_owned(),
            flash: None,
            fragment: false,
            refresh: false,
            user_agent: String::new(),
        })
    }
}

impl<S: Send + Sync> axum::extract::FromRequestParts<S> for Visitor {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::of(parts))
    }
}

/// Only [`decide`] makes one, so a command that asks for `&Allowed<Archive, Campaign>`
/// cannot be reached unchecked.
pub struct Allowed<A, S> {
    subject: S,
    user: User,
    _action: PhantomData<fn() -> A>,
}

impl<A, S> Allowed<A, S> {
    /// For pages that only show the subject: the proof is given up.
    pub fn into_subject(self) -> S {
        self.subject
    }

    /// For pages: whether to show the button of another action.
    pub fn may<B>(&self, _action: B) -> bool
    where
        S: Permits<B>,
    {
        self.subject.permits(&self.user)
    }
}

impl<A, S> Deref for Allowed<A, S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.subject
    }
}

/// A thing people act on.
pub trait Subject: Sized + Send {
    /// Loads it with the facts that the rules need about this person.
    fn find(
        conn: &mut PgConnection,
        user: &User,
        id: Id<Self>,
    ) -> impl Future<Output = sqlx::Result<Option<Self>>> + Send;

    fn lock(conn: &mut PgConnection, id: Id<Self>)
    -> impl Future<Output = sqlx::Result<()>> + Send;

    fn visible_to(&self, user: &User) -> bool;

    /// Why nothing may be written on it now, whoever asks (RG-016); `None` when it may.
    fn read_only(&self) -> Option<&'static str> {
        None
    }
}

/// One rule: may `user` do `A` to `self`?
pub trait Permits<A>: Subject {
    /// Whether an archived subject still allows it (reading, exporting, restoring: RG-117).
    const ON_ARCHIVE: bool = false;

    fn permits(&self, user: &User) -> bool;
}

/// What a person may not see does not exist for them.
///
/// # Errors
/// `NotFound` outside the visible scope, `Forbidden` inside it, `Refused` on an archived subject.
pub fn decide<A, S: Permits<A>>(
    _action: A,
    user: &User,
    found: Option<S>,
) -> Result<Allowed<A, S>, Error> {
    let subject = found.filter(|subject| subject.visible_to(user)).ok_or(Error::NotFound)?;
    if !subject.permits(user) {
        return Err(Error::Forbidden);
    }
    if !S::ON_ARCHIVE
        && let Some(why) = subject.read_only()
    {
        return Err(Error::Refused(why.into()));
    }
    Ok(Allowed { subject, user: user.clone(), _action: PhantomData })
}
