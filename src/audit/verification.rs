// SPDX-License-Identifier: EUPL-1.2
//! « Vérifier l'intégrité »: asked for by a button, walked after the response, shown as it advances.
use super::{
    chain::{self, Outcome, Walk},
    cli::trace,
};
use crate::{
    accounts,
    app::App,
    clock,
    db::{Actor, Id, Read, Tx},
    jobs::Job,
    web::{Error, Page, Redirect, Result, Shell, format},
};
use anyhow::Context;
use askama::Template;
use axum::extract::Path;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

pub struct Verification {
    pub id: Id<Verification>,
    pub author: String,
    /// `waiting`, `running`, `intact`, `broken` or `failed`.
    pub state: String,
    pub total: i64,
    pub progress: i64,
    pub result: Option<String>,
    pub created_at: DateTime<Utc>,
}

impl Verification {
    pub fn is_working(&self) -> bool {
        matches!(self.state.as_str(), "waiting" | "running")
    }

    pub fn url(&self) -> String {
        address(self.id)
    }

    fn percent(&self) -> i64 {
        (self.progress * 100 / self.total.max(1)).min(100)
    }

    pub async fn last(conn: &mut PgConnection) -> sqlx::Result<Option<Self>> {
        let id = sqlx::query_scalar!(
            r#"select id as "id: Id<Verification>" from audit_verifications order by created_at desc, id limit 1"#
        )
        .fetch_optional(&mut *conn)
        .await?;
        match id {
            Some(id) => Self::find(conn, id).await,
            None => Ok(None),
        }
    }

    async fn find(conn: &mut PgConnection, id: Id<Self>) -> sqlx::Result<Option<Self>> {
        let row = sqlx::query!(
            "select v.state, v.total, v.progress, v.result, v.created_at, u.first_name, u.last_name
             from audit_verifications v join users u on u.id = v.author_id where v.id = $1",
            id as _
        )
        .fetch_optional(conn)
        .await?;
        Ok(row.map(|row| Self {
            id,
            author: accounts::display_name(&row.first_name, &row.last_name),
            state: row.state,
            total: row.total,
            progress: row.progress,
            result: row.result,
            created_at: row.created_at,
        }))
    }
}

fn address(id: Id<Verification>) -> String {
    format!("/administration/audit/verifications/{id}")
}

#[derive(Template)]
#[template(path = "audit/verification.html")]
pub struct Show {
    shell: Shell,
    verification: Verification,
}

pub async fn page(mut read: Read, Path(id): Path<Id<Verification>>) -> Result<Page<Show>> {
    let verification = Verification::find(read.conn(), id).await?.ok_or(Error::NotFound)?;
    let shell = read
        .shell("Vérification du journal")
        .under("Administration", "/administration")
        .under("Journal d’audit", "/administration/audit");
    Ok(Page(Show { shell, verification }))
}

/// One at a time, which the base holds to: a second click meets the walk under way. One that has
/// lasted an hour is given up.
pub async fn create(mut tx: Tx) -> Result<Redirect> {
    let (author, now) = (tx.user()?.id, tx.now());
    sqlx::query!(
        "update audit_verifications set state = 'failed' where state in ('waiting', 'running') and created_at <= $1",
        now - chrono::Duration::hours(1)
    )
    .execute(tx.conn())
    .await?;
    let id = Id::<Verification>::new();
    let begun = sqlx::query!(
        "insert into audit_verifications (id, author_id, created_at) values ($1, $2, $3) on conflict do nothing",
        id as _,
        author as _,
        now
    )
    .execute(tx.conn())
    .await?
    .rows_affected();
    if begun == 0 {
        let last = Verification::last(tx.conn()).await?.ok_or(Error::NotFound)?;
        return Ok(Redirect::to(last.url()));
    }
    tx.enqueue(Verify { verification: id }).await?;
    let work = tx.app().work.clone();
    tx.commit_quietly("the walk traces itself, with what it finds").await?;
    work.notify_one();
    Ok(Redirect::to(address(id)))
}

#[derive(Serialize, Deserialize)]
pub struct Verify {
    pub verification: Id<Verification>,
}

impl Job for Verify {
    const KIND: &'static str = "audit.verify";

    async fn run(self, app: &App, now: DateTime<Utc>) -> anyhow::Result<()> {
        let begun = sqlx::query_scalar!(
            r#"update audit_verifications set state = 'running', progress = 0
               where id = $1 and state in ('waiting', 'running') returning author_id as "id: Id<accounts::User>""#,
            self.verification as _
        )
        .fetch_optional(&app.db)
        .await?;
        let Some(author) = begun else { return Ok(()) };
        chain::seal(app, now).await?;
        let mut walk = Walk::begin(app).await?;
        let outcome = loop {
            self.told(app, walk.position(), walk.total).await;
            if let Some(outcome) = walk.step().await? {
                break outcome;
            }
        };
        drop(walk);
        self.finish(app, author, &outcome).await
    }

    async fn given_up(self, app: &App) -> anyhow::Result<()> {
        sqlx::query!(
            "update audit_verifications set state = 'failed' where id = $1 and state in ('waiting', 'running')",
            self.verification as _
        )
        .execute(&app.db)
        .await?;
        Ok(())
    }
}

impl Verify {
    /// Written down for the page; that it fails stops nothing.
    async fn told(&self, app: &App, at: i64, of: i64) {
        let written = sqlx::query!(
            "update audit_verifications set progress = $2, total = $3 where id = $1",
            self.verification as _,
            at,
            of
        )
        .execute(&app.db)
        .await;
        if let Err(err) = written {
            tracing::warn!(error = ?err, "progress of a verification not written");
        }
    }

    async fn finish(
        &self,
        app: &App,
        author: Id<accounts::User>,
        outcome: &Outcome,
    ) -> anyhow::Result<()> {
        let now = clock::now();
        let mut tx = Tx::begin(app, Actor::System, now).await?;
        let author = accounts::find(tx.conn(), author).await?.context("the author is gone")?;
        tx.act_as(author);
        sqlx::query!(
            "update audit_verifications set state = $2, result = $3, progress = total, finished_at = $4 where id = $1",
            self.verification as _,
            if outcome.is_intact() { "intact" } else { "broken" },
            outcome.sentence(),
            now
        )
        .execute(tx.conn())
        .await?;
        tx.record(trace(outcome)).await?;
        Ok(tx.commit().await?)
    }
}
