// SPDX-License-Identifier: EUPL-1.2
//! « Corbeille » of a campaign: its deleted operations, restored one by one.
use super::commands::{self, Deleted, KEPT};
use crate::{
    accounts::User,
    campaigns::{self, Campaign, Configure},
    db::{Id, Read, Tx},
    operations::Operation,
    web::{Again, Error, Form, Page, Redirect, Result, Shell, auth::Allowed, format},
};
use askama::Template;
use axum::{
    extract::{Path, RawQuery},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

const LINES: i64 = 50;

#[derive(Template)]
#[template(path = "operations/bin/list.html")]
pub struct BinPage {
    shell: Shell,
    campaign: Allowed<Configure, Campaign>,
    lines: Vec<Deleted>,
    /// What was typed for the operation named in it.
    form: Form,
    is_first: bool,
    next: Option<String>,
}

impl BinPage {
    async fn load(
        conn: &mut PgConnection,
        shell: Shell,
        user: &User,
        now: DateTime<Utc>,
        campaign: Allowed<Configure, Campaign>,
        form: Form,
    ) -> Result<Self> {
        let before = before(&form.text("apres"));
        let mut lines = commands::deleted(conn, campaign.id, now - KEPT, before, LINES + 1).await?;
        let next = (lines.len() as i64 > LINES).then(|| {
            lines.truncate(LINES as usize);
            let last = lines.last().map_or_else(String::new, |line| {
                format!("{}_{}", line.at.timestamp_micros(), line.id)
            });
            format!("{}?apres={last}", campaign.path("parametres/corbeille"))
        });
        let shell = shell
            .under("Campagnes", "/campagnes")
            .under(&campaign.name, campaign.url())
            .with_tabs(campaigns::tabs(&campaign, user, "parametres/corbeille"));
        Ok(Self { shell, campaign, lines, form, is_first: before.is_none(), next })
    }

    /// The error of this line, when it is the one that was asked.
    fn error(&self, line: &Deleted) -> Option<&str> {
        (self.form.text("operation") == line.id.to_string())
            .then(|| self.form.error("identifiant"))
            .flatten()
    }

    /// The id of its field: the one that the summary of errors names, when it is the one in error.
    fn field(&self, line: &Deleted) -> String {
        if self.error(line).is_some() { "f-identifiant".into() } else { format!("i-{}", line.id) }
    }

    fn typed(&self, line: &Deleted) -> String {
        if self.form.text("operation") == line.id.to_string() {
            self.form.raw("identifiant").to_owned()
        } else {
            String::new()
        }
    }
}

/// « microseconds_operation »
fn before(text: &str) -> Option<(DateTime<Utc>, Id<Operation>)> {
    let (at, id) = text.split_once('_')?;
    Some((DateTime::from_timestamp_micros(at.parse().ok()?)?, id.parse().ok()?))
}

pub async fn page(
    mut read: Read,
    Path(id): Path<Id<Campaign>>,
    RawQuery(query): RawQuery,
) -> Result<Page<BinPage>> {
    let campaign = read.authorize(Configure, id).await?;
    let form = Form::parse(query.unwrap_or_default().as_bytes());
    let (shell, user, now) = (read.shell("Corbeille"), read.user().clone(), read.now());
    Ok(Page(BinPage::load(read.conn(), shell, &user, now, campaign, form).await?))
}

pub async fn restore(mut tx: Tx, Path(id): Path<Id<Campaign>>, mut form: Form) -> Result<Response> {
    let campaign = tx.authorize(Configure, id).await?;
    let operation = form
        .text("operation")
        .parse()
        .map_err(|_| Error::Refused("Choisissez une opération de la corbeille.".into()))?;
    let identifier = form.given("identifiant");
    if let Some(why) = commands::refusal(tx.conn(), id, identifier.as_deref()).await? {
        form.refuse("identifiant", why);
        let (shell, user, now) = (tx.shell("Corbeille"), tx.user()?.clone(), tx.now());
        let page = BinPage::load(tx.conn(), shell, &user, now, campaign, form).await?;
        return Ok(Again(page).into_response());
    }
    if commands::restore(&mut tx, &campaign, operation, identifier.as_deref()).await? {
        tx.commit().await?;
        return Ok(Redirect::to(campaign.path("parametres/corbeille"))
            .flash("Opération restaurée.")
            .into_response());
    }
    form.refuse(
        "identifiant",
        "Cet identifiant existe déjà dans la campagne : donnez-en un autre à l’opération restaurée",
    );
    let (shell, user, now) = (tx.shell("Corbeille"), tx.user()?.clone(), tx.now());
    let page = BinPage::load(tx.conn(), shell, &user, now, campaign, form).await?;
    Ok(Again(page).into_response())
}
