// SPDX-License-Identifier: EUPL-1.2
//! Who runs this instance, and whom to write to.
use super::{Settings, save, section};
use crate::{
    db::{Read, Tx},
    web::{Again, Form, Page, Redirect, Result, Shell, auth::Visitor},
};
use askama::Template;
use axum::response::{IntoResponse, Response};

const HERE: &str = "/administration/parametres/organisation";

#[derive(Template)]
#[template(path = "settings/organisation.html")]
struct Organisation {
    shell: Shell,
    form: Form,
    public_url: String,
}

fn organisation(shell: Shell, form: Form, public_url: &str) -> Organisation {
    Organisation { shell: section(shell), form, public_url: public_url.to_owned() }
}

pub async fn home() -> Redirect {
    Redirect::to(HERE)
}

pub async fn page(read: Read) -> Page<impl Template> {
    let (settings, app) = (read.app().settings(), read.app());
    let form = Form::filled([
        ("organisation", settings.organisation.clone()),
        ("contact", settings.contact.clone()),
        ("courriel", settings.contact_email.clone()),
        ("dpo", settings.dpo.clone()),
        ("source", settings.source_url.clone()),
    ]);
    Page(organisation(read.shell("Organisation"), form, &app.config.public_url))
}

pub async fn update(visitor: Visitor, mut tx: Tx, mut form: Form) -> Result<Response> {
    let app = tx.app().clone();
    let mut settings = read(&mut form, &app.settings());
    settings.contact_email = form.text("courriel").to_lowercase();
    if !settings.contact_email.is_empty()
        && settings.contact_email.parse::<lettre::Address>().is_err()
    {
        form.refuse("courriel", "Adresse invalide (attendu : nom@domaine.fr)");
    }
    settings.source_url = form.text("source");
    if !settings.source_url.is_empty()
        && (!settings.source_url.starts_with("https://") || settings.source_url.len() > 300)
    {
        form.refuse("source", "Adresse invalide (attendu : https://…)");
    }
    if !form.is_valid() {
        let shell = Shell::new(&app, &visitor, "Organisation");
        return Ok(Again(organisation(shell, form, &app.config.public_url)).into_response());
    }
    save(&mut tx, &settings).await?;
    tx.commit().await?;
    app.reload_settings().await?;
    Ok(Redirect::to(HERE).flash("Paramètres enregistrés").into_response())
}

/// Organisation, contact and data protection officer as typed, the rest as it is.
pub fn read(form: &mut Form, current: &Settings) -> Settings {
    let mut text = |name: &str, max: usize| {
        let text = form.required(name).split_whitespace().collect::<Vec<_>>().join(" ");
        if text.chars().count() > max {
            form.refuse(name, format!("{max} caractères au plus"));
        }
        text
    };
    Settings {
        organisation: text("organisation", 120),
        contact: text("contact", 320),
        dpo: text("dpo", 320),
        ..current.clone()
    }
}
