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
    let names = read(&mut form);
    let email = form.text("courriel").to_lowercase();
    if !email.is_empty() && email.parse::<lettre::Address>().is_err() {
        form.refuse("courriel", "Adresse invalide (attendu : nom@domaine.fr)");
    }
    let source = form.text("source");
    if !source.is_empty() && (!source.starts_with("https://") || source.len() > 300) {
        form.refuse("source", "Adresse invalide (attendu : https://…)");
    }
    if !form.is_valid() {
        let shell = Shell::new(&app, &visitor, "Organisation");
        return Ok(Again(organisation(shell, form, &app.config.public_url)).into_response());
    }
    save(&mut tx, |settings| {
        names.put(settings);
        settings.contact_email = email;
        settings.source_url = source;
    })
    .await?;
    tx.commit().await?;
    app.reload_settings().await?;
    Ok(Redirect::to(HERE).flash("Paramètres enregistrés").into_response())
}

/// What the installation asks too.
pub struct Names {
    organisation: String,
    contact: String,
    dpo: String,
}

impl Names {
    pub fn put(self, settings: &mut Settings) {
        settings.organisation = self.organisation;
        settings.contact = self.contact;
        settings.dpo = self.dpo;
    }
}

pub fn read(form: &mut Form) -> Names {
    let mut text = |name: &str, max: usize| {
        let text = form.required(name).split_whitespace().collect::<Vec<_>>().join(" ");
        if text.chars().count() > max {
            form.refuse(name, format!("{max} caractères au plus"));
        }
        text
    };
    Names {
        organisation: text("organisation", 120),
        contact: text("contact", 320),
        dpo: text("dpo", 320),
    }
}
