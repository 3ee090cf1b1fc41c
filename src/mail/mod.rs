// SPDX-License-Identifier: EUPL-1.2
//! Mail: the outbox row is written in the business transaction, delivered by the worker (RG-145).
//!
//! A stored message holds no secret: « [lien personnel] » stands where one goes, and the link is
//! made when the message is rendered, for the relay or for an administrator (03 §8.3). A message
//! is « sent » only when the relay has answered so.
mod catalogue;
mod deliver;
mod index;
mod outbox;
mod render;
#[cfg(test)]
mod tests;
mod transport;

pub use self::{
    catalogue::{Kind, account_created, password_reset, security_notice},
    deliver::{deliver_due, try_relay},
    outbox::{Post, post, post_to},
    transport::Mailer,
};
use crate::{
    accounts::Role,
    web::{Access::Roles, Routes},
};

const ADMIN: crate::web::Access = Roles(&[Role::Admin]);

pub fn routes() -> Routes {
    Routes::default()
        .get("/administration/messages", ADMIN, index::page)
        .post("/administration/messages/{message}/lien", ADMIN, index::show_link)
        .post("/administration/messages/{message}/essai", ADMIN, index::retry)
        .post("/administration/messages/{message}/annulation", ADMIN, index::cancel)
}
