// SPDX-License-Identifier: EUPL-1.2
//! Who runs this instance, and how strong its passwords must be.
use super::Settings;
use crate::{
    audit::Entry,
    db::{Read, Tx},
    web::{Again, Form, Page, Redirect, Result, Shell, auth::Visitor},
};
use askama::Template;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

#[derive(Template)]
#[template(path = "settings/organisation.html")]
struct Organisation {
    shell: Shell,
    form: Form,
}

fn organisation(shell: Shell, form: Form) -> Organisation {
    Organisation { shell: shell.under("Administration", "/administration"), form }
}

pub async fn home() -> Redirect {
    Redirect::to("/administration/parametres/organisation")
}

pub async fn page(read: Read) -> Page<impl Template> {
    let settings = read.app().settings();
    let mut form = Form::filled([
        ("organisation", settings.organisation.clone()),
        ("contact", settings.contact.clone()),
        ("dpo", settings.dpo.clone()),
        ("force", settings.password_bits.to_string()),
    ]);
    if settings.password_families {
        form.set("familles", "oui");
    }
    Page(organisation(read.shell("Organisation"), form))
}

pub async fn update(visitor: Visitor, mut tx: Tx, mut form: Form) -> Result<Response> {
    let app = tx.app().clone();
    let mut settings = read(&mut form, &app.settings());
    settings.password_families = form.checked("familles");
    match form.required("force").parse() {
        Ok(bits) if (50..=128).contains(&bits) => settings.password_bits = bits,
        _ => form.refuse("force", "Indiquez un nombre entre 50 et 128"),
    }
    if !form.is_valid() {
        return Ok(
            Again(organisation(Shell::new(&app, &visitor, "Organisation"), form)).into_response()
        );
    }
    save(&mut tx, &settings).await?;
    tx.commit().await?;
    app.reload_settings().await?;
    Ok(Redirect::to("/administration/parametres/organisation")
        .flash("Paramètres enregistrés")
        .into_response())
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

/// Writes and traces what changed.
pub async fn save(tx: &mut Tx, settings: &Settings) -> Result<()> {
    let now = tx.now();
    let former = sqlx::query_as!(
        Settings,
        "select organisation, contact, dpo, password_bits, password_families, is_demo from instance_settings for update"
    )
    .fetch_one(tx.conn())
    .await?;
    sqlx::query!(
        "update instance_settings set organisation = $1, contact = $2, dpo = $3, password_bits = $4, password_families = $5,
           version = version + 1, updated_at = $6",
        settings.organisation,
        settings.contact,
        settings.dpo,
        settings.password_bits,
        settings.password_families,
        now
    )
    .execute(tx.conn())
    .await?;
    let changes: Value = [
        ("organisation", json!(former.organisation), json!(settings.organisation)),
        ("contact", json!(former.contact), json!(settings.contact)),
        ("dpo", json!(former.dpo), json!(settings.dpo)),
        ("password_bits", json!(former.password_bits), json!(settings.password_bits)),
        ("password_families", json!(former.password_families), json!(settings.password_families)),
    ]
    .into_iter()
    .filter(|(_, old, new)| old != new)
    .map(|(name, old, new)| (name.to_owned(), json!([old, new])))
    .collect();
    tx.record(Entry::about("settings.changed", "instance").changes(changes)).await?;
    Ok(())
}
