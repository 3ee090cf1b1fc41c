// SPDX-License-Identifier: EUPL-1.2
//! « Messagerie »: the relay as the server is set, and a message to try it (US-809.2).
use super::section;
use crate::{
    app::App,
    audit::Entry,
    db::{Read, Tx},
    mail,
    web::{Form, Page, Redirect, Result, Shell},
};
use askama::Template;
use axum::response::{IntoResponse, Response};
use serde_json::json;

const HERE: &str = "/administration/parametres/messagerie";

#[derive(Template)]
#[template(path = "settings/relay.html")]
struct Relay {
    shell: Shell,
    form: Form,
    /// Host and port, without user nor password.
    host: Option<String>,
    from: String,
    has_password: bool,
    silent: Option<String>,
    /// What the relay said to the message of trial, and whether it took it.
    answer: Option<(bool, String)>,
}

fn relay(app: &App, shell: Shell, form: Form, answer: Option<(bool, String)>) -> Relay {
    let smtp = app.config.smtp.as_ref();
    let (credentials, host) = smtp.map_or((None, None), |smtp| {
        let address = smtp.url.expose();
        let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
        let rest = rest.split(['?', '/']).next().unwrap_or(rest);
        match rest.rsplit_once('@') {
            Some((credentials, host)) => (Some(credentials), Some(host.to_owned())),
            None => (None, Some(rest.to_owned())),
        }
    });
    Relay {
        shell: section(shell),
        form,
        host,
        from: smtp.map(|smtp| smtp.from.clone()).unwrap_or_default(),
        has_password: credentials.is_some_and(|c| c.contains(':')),
        silent: app.mailer.silent_since().map(crate::web::format::instant),
        answer,
    }
}

pub async fn page(read: Read) -> Page<impl Template> {
    let form = Form::filled([("adresse", read.user().email.clone())]);
    Page(relay(read.app(), read.shell("Messagerie"), form, None))
}

/// Sends at once, outside the outbox, and shows what the relay answered.
pub async fn try_it(mut tx: Tx, mut form: Form) -> Result<Response> {
    let (app, shell) = (tx.app().clone(), tx.shell("Messagerie"));
    if !app.mailer.is_configured() {
        return Ok(Redirect::to(HERE).flash("Aucun relais n’est configuré.").into_response());
    }
    let to = form.required("adresse");
    if !to.is_empty() && to.parse::<lettre::Address>().is_err() {
        form.refuse("adresse", "Adresse invalide (attendu : nom@domaine.fr)");
    }
    if !form.is_valid() {
        return Ok(crate::web::Again(relay(&app, shell, form, None)).into_response());
    }
    // Traced before it leaves: no transaction waits for the relay.
    tx.record(Entry::about("mail.tried", "instance").changes(json!({ "recipient": to }))).await?;
    tx.commit().await?;
    let answer = mail::try_relay(&app, &to).await;
    Ok(Page(relay(&app, shell, form, Some(answer))).into_response())
}
