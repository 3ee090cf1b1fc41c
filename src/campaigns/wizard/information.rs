// SPDX-License-Identifier: EUPL-1.2
//! Step 1: name, description, type, dates (US-202, RG-011).
use super::{still_draft, types};
use crate::{
    campaigns::{
        Campaign, Configure, Create,
        commands::{self, Information, NAME_TAKEN},
    },
    db::{Id, Read, Tx},
    web::{Again, Form, Page, Redirect, Result, Shell, format},
};
use askama::Template;
use axum::{
    extract::Path,
    response::{IntoResponse, Response},
};

#[derive(Template)]
#[template(path = "campaigns/wizard/information.html")]
pub struct InformationPage {
    shell: Shell,
    step: usize,
    action: String,
    form: Form,
    types: Vec<(String, String)>,
}

impl InformationPage {
    fn new(shell: Shell, action: &str, form: Form, mut types: Vec<(String, String)>) -> Self {
        types.insert(0, (String::new(), "— Choisir un type —".into()));
        Self {
            shell: shell.under("Campagnes", "/campagnes"),
            step: 1,
            action: action.into(),
            form,
            types,
        }
    }
}

pub async fn new_page(mut read: Read) -> Result<Page<InformationPage>> {
    Create::check(read.user())?;
    let types = types(read.conn()).await?;
    Ok(Page(InformationPage::new(
        read.shell("Nouvelle campagne"),
        "/campagnes/nouvelle",
        Form::default(),
        types,
    )))
}

pub async fn create(mut tx: Tx, mut form: Form) -> Result<Response> {
    let may = Create::check(tx.user()?)?;
    let created = match Information::parse(&mut form) {
        Some(new) => commands::create(&mut tx, &may, &new).await?,
        None => None,
    };
    let Some(id) = created else {
        return again(tx, form, "Nouvelle campagne", "/campagnes/nouvelle").await;
    };
    tx.commit().await?;
    Ok(leave_or(&form, format!("/campagnes/{id}/assistant/2")))
}

pub async fn edit_page(mut read: Read, Path(id): Path<Id<Campaign>>) -> Result<Response> {
    let campaign = read.authorize(Configure, id).await?;
    if !campaign.is_draft {
        return Ok(Redirect::to(campaign.url()).into_response());
    }
    let form = Form::filled([
        ("nom", campaign.name.clone()),
        ("description", campaign.description.clone()),
        ("type", campaign.type_id.to_string()),
        ("debut", format::short(campaign.start_date)),
        ("fin", format::short(campaign.end_date)),
    ]);
    let types = types(read.conn()).await?;
    Ok(Page(InformationPage::new(read.shell(&campaign.name), &campaign.step(1), form, types))
        .into_response())
}

pub async fn update(mut tx: Tx, Path(id): Path<Id<Campaign>>, mut form: Form) -> Result<Response> {
    let campaign = tx.authorize_to_change(Configure, id).await?;
    still_draft(&campaign)?;
    let saved = match Information::parse(&mut form) {
        Some(new) => commands::inform(&mut tx, &campaign, &new).await?,
        None => false,
    };
    if !saved {
        return again(tx, form, &campaign.name, &campaign.step(1)).await;
    }
    tx.commit().await?;
    Ok(leave_or(&form, if campaign.wizard_step > 1 { campaign.resume() } else { campaign.step(2) }))
}

async fn again(mut tx: Tx, mut form: Form, title: &str, action: &str) -> Result<Response> {
    if form.is_valid() {
        form.refuse("nom", NAME_TAKEN);
    }
    let types = types(tx.conn()).await?;
    Ok(Again(InformationPage::new(tx.shell(title), action, form, types)).into_response())
}

/// « Enregistrer et quitter » goes back to the portfolio.
pub(super) fn leave_or(form: &Form, next: String) -> Response {
    if form.has("suite", "quitter") {
        Redirect::to("/campagnes")
            .flash("Brouillon enregistré. Reprenez la création quand vous voulez.")
            .into_response()
    } else {
        Redirect::to(next).into_response()
    }
}
