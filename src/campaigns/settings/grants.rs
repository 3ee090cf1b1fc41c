// SPDX-License-Identifier: EUPL-1.2
//! « Habilitations »: persons and groups × rights, effective rights and their origin (US-808).
use super::section;
use crate::{
    accounts::{User, group_named, group_names, people_called},
    campaigns::{
        Campaign, Configure, Grantable,
        grants::{self, Effective, Grant, Recipient, Rights},
    },
    db::{Id, Read, Tx},
    web::{
        Again, Conflict, Error, Form, Page, Redirect, Result, Shell,
        auth::Allowed,
        reconcile::{Verdict, verdict},
    },
};
use askama::Template;
use axum::{
    extract::Path,
    response::{IntoResponse, Response},
};
use sqlx::PgConnection;
use uuid::Uuid;

#[derive(Template)]
#[template(path = "campaigns/settings/grants.html")]
pub struct GrantsPage {
    shell: Shell,
    campaign: Allowed<Configure, Campaign>,
    form: Form,
    rows: Vec<Row>,
    effective: Vec<Effective>,
    held: Rights,
    people: Vec<String>,
}

struct Row {
    grant: Grant,
    /// What the boxes show: what is stored, or what was typed.
    shown: Rights,
    /// Somebody else changed this row meanwhile.
    clash: bool,
}

impl GrantsPage {
    async fn load(
        conn: &mut PgConnection,
        shell: Shell,
        user: &User,
        campaign: Allowed<Configure, Campaign>,
        form: Form,
    ) -> Result<Self> {
        let shell = section(shell, &campaign, user, "parametres/habilitations");
        let rows = grants::grants(conn, campaign.id)
            .await?
            .into_iter()
            .map(|grant| Row { shown: grant.rights, clash: false, grant })
            .collect();
        let effective = grants::effective(conn, &campaign).await?;
        let groups = group_names(conn).await?;
        let people = sqlx::query!("select first_name, last_name, email from users where active order by name_norm, id limit 500")
            .fetch_all(conn)
            .await?
            .into_iter()
            .map(|u| format!("{} <{}>", crate::accounts::display_name(&u.first_name, &u.last_name), u.email))
            .chain(groups.into_iter().map(|name| format!("{name}{GROUP}")))
            .collect();
        let held = grants::held(&campaign, user);
        Ok(Self { shell, campaign, form, rows, effective, held, people })
    }
}

pub async fn page(mut read: Read, Path(id): Path<Id<Campaign>>) -> Result<Page<GrantsPage>> {
    let campaign = read.authorize(Configure, id).await?;
    let (shell, user) = (read.shell("Habilitations"), read.user().clone());
    Ok(Page(GrantsPage::load(read.conn(), shell, &user, campaign, Form::default()).await?))
}

/// What stands after the name of a group in the list of proposals.
const GROUP: &str = " (groupe)";

/// Adds a group, or a person found by e-mail or by name among the active accounts.
pub async fn create(mut tx: Tx, Path(id): Path<Id<Campaign>>, mut form: Form) -> Result<Response> {
    let campaign = tx.authorize(Configure, id).await?;
    let rights: Rights = Rights::from_codes(form.all("droit"));
    let asked = form.required("personne");
    if rights.is_empty() {
        form.refuse("droit", "Cochez au moins un droit");
    }
    let to = match asked.as_str() {
        "" => None,
        asked => match recipient(tx.conn(), asked).await? {
            Ok(to) => Some(to),
            Err(problem) => {
                form.refuse("personne", problem);
                None
            }
        },
    };
    let Some(to) = to.filter(|_| form.is_valid()) else {
        let (shell, user) = (tx.shell("Habilitations"), tx.user()?.clone());
        return Ok(
            Again(GrantsPage::load(tx.conn(), shell, &user, campaign, form).await?).into_response()
        );
    };
    grants::grant(&mut tx, &campaign, &to, rights).await?;
    tx.commit().await?;
    let flash = format!("{} : {}.", to.name(), rights.labels().to_lowercase());
    Ok(Redirect::to(campaign.path("parametres/habilitations")).flash(flash).into_response())
}

/// Whom this text names; the French of why nobody is.
async fn recipient(
    conn: &mut PgConnection,
    asked: &str,
) -> Result<std::result::Result<Recipient, &'static str>> {
    if let Some(name) = asked.strip_suffix(GROUP) {
        let group = group_named(conn, name).await?;
        return Ok(group.map(Recipient::Group).ok_or("Aucun groupe n’a ce nom"));
    }
    let mut found = people_called(&mut *conn, asked).await?;
    if found.len() > 1 {
        return Ok(Err("Plusieurs comptes portent ce nom : indiquez l’adresse e-mail"));
    }
    if let Some(person) = found.pop() {
        return Ok(Ok(Recipient::Person(person)));
    }
    let group = group_named(conn, asked).await?;
    Ok(group
        .map(Recipient::Group)
        .ok_or("Aucun compte actif n’a ce nom ou cette adresse, et aucun groupe n’a ce nom"))
}

/// Saves the rows whose boxes were changed; a row changed by somebody else meanwhile is asked again.
pub async fn update(mut tx: Tx, Path(id): Path<Id<Campaign>>, form: Form) -> Result<Response> {
    let campaign = tx.authorize_to_change(Configure, id).await?;
    let stored = grants::grants(tx.conn(), id).await?;
    let mut clashes = Vec::new();
    let mut changed = 0;
    for row in &stored {
        let before = form.text(&format!("avant-{}", row.id));
        if before.is_empty() {
            continue;
        }
        let mine = Rights::from_codes(form.all(&format!("droit-{}", row.id)));
        match verdict(&before, &mine.codes(), &row.rights.codes()) {
            Verdict::Keep => {}
            Verdict::Apply => {
                grants::change(&mut tx, &campaign, row, mine).await?;
                changed += 1;
            }
            Verdict::Conflict => clashes.push((row.id, mine)),
        }
    }
    let back = campaign.path("parametres/habilitations");
    if clashes.is_empty() {
        if changed == 0 {
            return Ok(Redirect::to(back).flash("Aucune modification.").into_response());
        }
        tx.commit().await?;
        return Ok(Redirect::to(back).flash("Habilitations enregistrées.").into_response());
    }
    let (shell, user) = (tx.shell("Habilitations"), tx.user()?.clone());
    let mut page = GrantsPage::load(tx.conn(), shell, &user, campaign, Form::default()).await?;
    for row in &mut page.rows {
        if let Some((_, mine)) = clashes.iter().find(|(id, _)| *id == row.grant.id) {
            (row.shown, row.clash) = (*mine, true);
        }
    }
    if changed > 0 {
        tx.commit().await?;
    }
    Ok(Conflict(page).into_response())
}

/// Effective at the next request; somebody who removes their own row leaves for the portfolio.
pub async fn destroy(
    mut tx: Tx,
    Path((id, grant)): Path<(Id<Campaign>, Uuid)>,
) -> Result<Redirect> {
    let campaign = tx.authorize_to_change(Configure, id).await?;
    let rows = grants::grants(tx.conn(), id).await?;
    let row = rows.into_iter().find(|row| row.id == grant).ok_or(Error::NotFound)?;
    grants::revoke(&mut tx, &campaign, &row).await?;
    let mine = row.user == tx.actor().user_id();
    tx.commit().await?;
    let back = if mine { "/campagnes".into() } else { campaign.path("parametres/habilitations") };
    Ok(Redirect::to(back).flash(format!("{} n'a plus d'habilitation.", row.name)))
}
