// SPDX-License-Identifier: EUPL-1.2
//! « Partage »: the links of a campaign, a new one, its revocation (US-605).
use super::links::{self, LIMIT, Life, Link};
use crate::{
    accounts::{User, links::discreet},
    campaigns::{Campaign, Configure, tabs},
    db::{Id, Read, Tx},
    web::{Again, Form, Page, Redirect, Result, Shell, auth::Allowed, format},
};
use askama::Template;
use axum::{
    extract::Path,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

const PATH: &str = "parametres/partage";

#[derive(Template)]
#[template(path = "sharing/settings.html")]
pub struct Sharing {
    shell: Shell,
    campaign: Allowed<Configure, Campaign>,
    form: Form,
    links: Vec<Link>,
    /// The address just made: this answer is the only one that says it.
    issued: Option<Issued>,
    now: DateTime<Utc>,
}

struct Issued {
    label: String,
    address: String,
}

impl Sharing {
    async fn load(
        conn: &mut PgConnection,
        shell: Shell,
        user: &User,
        campaign: Allowed<Configure, Campaign>,
        form: Form,
        now: DateTime<Utc>,
    ) -> Result<Self> {
        let shell = shell
            .under("Campagnes", "/campagnes")
            .under(&campaign.name, campaign.url())
            .with_tabs(tabs(&campaign, user, PATH));
        let links = links::list(conn, campaign.id, now).await?;
        Ok(Self { shell, campaign, form, links, issued: None, now })
    }

    fn active(&self) -> usize {
        self.links.iter().filter(|link| link.is_active(self.now)).count()
    }

    fn is_full(&self) -> bool {
        self.active() >= LIMIT
    }

    /// (code, name, explanation) of the lives that are not over.
    fn lives(&self) -> Vec<(String, String, &'static str)> {
        let end = self.campaign.end_date;
        Life::ALL
            .into_iter()
            .filter(|life| life.end(self.now, end).is_some())
            .map(|life| (life.code(), life.label(end), ""))
            .collect()
    }
}

fn empty() -> Form {
    Form::filled([("duree", Life::DEFAULT.code())])
}

pub async fn page(mut read: Read, Path(id): Path<Id<Campaign>>) -> Result<Page<Sharing>> {
    let campaign = read.authorize(Configure, id).await?;
    let (shell, user, now) = (read.shell("Partage"), read.user().clone(), read.now());
    Ok(Page(Sharing::load(read.conn(), shell, &user, campaign, empty(), now).await?))
}

/// The answer is a page, not a redirection: the address must not outlive it.
pub async fn create(mut tx: Tx, Path(id): Path<Id<Campaign>>, mut form: Form) -> Result<Response> {
    let campaign = tx.authorize(Configure, id).await?;
    let label = form.required("libelle");
    if label.chars().count() > 100 {
        form.refuse("libelle", "Le libellé compte 100 caractères au plus");
    }
    let life = Life::from_code(form.raw("duree"))
        .filter(|life| life.end(tx.now(), campaign.end_date).is_some());
    if life.is_none() {
        form.refuse("duree", "Choisissez une durée");
    }
    let (shell, user, now) = (tx.shell("Partage"), tx.user()?.clone(), tx.now());
    let Some(life) = life.filter(|_| form.is_valid()) else {
        let page = Sharing::load(tx.conn(), shell, &user, campaign, form, now).await?;
        return Ok(Again(page).into_response());
    };
    let address = links::issue(&mut tx, &campaign, &label, life).await?;
    let mut page = Sharing::load(tx.conn(), shell, &user, campaign, empty(), now).await?;
    tx.commit().await?;
    page.issued = Some(Issued { label, address });
    Ok(discreet(Page(page)))
}

pub async fn revoke(mut tx: Tx, Path((id, link)): Path<(Id<Campaign>, Uuid)>) -> Result<Redirect> {
    let campaign = tx.authorize(Configure, id).await?;
    let label = links::revoke(&mut tx, &campaign, link).await?;
    tx.commit_quietly("traced by the revocation; one already revoked changes nothing").await?;
    Ok(Redirect::to(campaign.path(PATH)).flash(format!("« {label} » n’ouvre plus rien.")))
}
