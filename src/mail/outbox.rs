// SPDX-License-Identifier: EUPL-1.2
//! A message enters the outbox in the transaction that makes it necessary.
use super::Kind;
use crate::{
    accounts::User,
    db::{Id, Tx},
};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// What to tell whom. The greeting is added when it is written, the footer when it is sent.
pub struct Post {
    pub kind: Kind,
    pub user: Id<User>,
    pub subject: String,
    /// Paragraphs apart by an empty line; « [lien personnel] » alone in one is where the link goes.
    pub body: String,
    /// After this instant the message is of no use.
    pub not_after: DateTime<Utc>,
}

/// Writes a message to an address that is nobody's account.
pub async fn post_to(
    tx: &mut Tx,
    kind: Kind,
    recipient: &str,
    subject: &str,
    body: &str,
) -> sqlx::Result<()> {
    let now = tx.now();
    sqlx::query!(
        "insert into messages (id, kind, recipient, subject, body, next_attempt_at, not_after, created_at)
         values ($1, $2, $3, $4, E'Bonjour,\n\n' || $5, $6, $7, $6)",
        Uuid::now_v7(),
        kind.code(),
        recipient,
        subject,
        body,
        now,
        now + kind.life(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Writes the row; returns the message's identifier and its address.
pub async fn post(tx: &mut Tx, post: Post) -> sqlx::Result<(Uuid, String)> {
    let now = tx.now();
    let id = Uuid::now_v7();
    let recipient = sqlx::query_scalar!(
        "insert into messages (id, kind, user_id, recipient, subject, body, next_attempt_at, not_after, created_at)
         select $1, $2, id, email, $4, 'Bonjour ' || first_name || E',\n\n' || $5, $6, $7, $6 from users where id = $3
         returning recipient",
        id,
        post.kind.code(),
        post.user as _,
        post.subject,
        post.body,
        now,
        post.not_after,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok((id, recipient))
}
