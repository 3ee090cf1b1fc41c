// SPDX-License-Identifier: EUPL-1.2
//! « Contact » (US-1601): the request is stored, and mailed to the address that the organisation
//! chose. Five an hour from one network.
use crate::{
    accounts::throttle,
    app::App,
    audit::Entry,
    db::Tx,
    mail,
    web::{Again, Error, Form, Page, Redirect, Result, Shell, auth::Visitor},
};
use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use chrono::Duration;
use uuid::Uuid;

const HERE: &str = "/contact";
const MAX_BODY: usize = 5_000;

#[derive(Template)]
#[template(path = "help/contact.html")]
struct Contact {
    shell: Shell,
    form: Form,
    organisation: String,
    contact: String,
}

fn contact(app: &App, visitor: &Visitor, form: Form) -> Contact {
    let settings = app.settings();
    Contact {
        shell: Shell::new(app, visitor, "Contact"),
        form,
        organisation: settings.organisation.clone(),
        contact: settings.contact.clone(),
    }
}

pub async fn page(State(app): State<App>, visitor: Visitor) -> Page<impl Template> {
    let form = match &visitor.user {
        Some(user) => Form::filled([("nom", user.name()), ("email", user.email.clone())]),
        None => Form::default(),
    };
    Page(contact(&app, &visitor, form))
}

struct Request {
    name: String,
    email: String,
    subject: String,
    body: String,
}

fn read(form: &mut Form) -> Request {
    let mut line = |name: &str, max: usize| {
        let text = form.required(name);
        if text.chars().count() > max {
            form.refuse(name, format!("{max} caractères au plus"));
        }
        text
    };
    let (name, email, subject) = (line("nom", 120), line("email", 254), line("objet", 150));
    if !email.is_empty() && email.parse::<lettre::Address>().is_err() {
        form.refuse("email", "Adresse invalide (attendu : nom@domaine.fr)");
    }
    let body: String = form
        .raw("message")
        .replace("\r\n", "\n")
        .trim()
        .chars()
        .filter(|c| *c == '\n' || !c.is_control())
        .collect();
    if body.is_empty() {
        form.refuse("message", "Ce champ est obligatoire");
    } else if body.chars().count() > MAX_BODY {
        form.refuse("message", "5 000 caractères au plus");
    }
    Request { name, email, subject, body }
}

pub async fn create(State(app): State<App>, visitor: Visitor, mut form: Form) -> Result<Response> {
    let request = read(&mut form);
    if !form.is_valid() {
        return Ok(Again(contact(&app, &visitor, form)).into_response());
    }
    let mut tx = Tx::begin_for(&app, &visitor).await?;
    let (network, now) = (throttle::network(&visitor.full_ip), visitor.now);
    if let Some(wait) =
        throttle::count(tx.conn(), "contact", &network, 5, Duration::hours(1), now).await?
    {
        return Err(Error::TooMany(wait));
    }
    let id = Uuid::now_v7();
    sqlx::query!(
        "insert into contact_requests (id, created_at, user_id, name, email, subject, body) values ($1, $2, $3, $4, $5, $6, $7)",
        id,
        now,
        visitor.user.as_ref().map(|user| user.id) as _,
        request.name,
        request.email,
        request.subject,
        request.body
    )
    .execute(tx.conn())
    .await?;
    let to = app.settings().contact_email.clone();
    if !to.is_empty() {
        let subject = format!("[OpsTracker] Contact : {}", request.subject);
        let body = format!(
            "{} a écrit par la page de contact.\n\nPour répondre : {}\n\n{}",
            request.name, request.email, request.body
        );
        mail::post_to(&mut tx, mail::Kind::ContactRequest, &to, &subject, &body).await?;
    }
    tx.record(Entry::on("contact.requested", "contact_request", id)).await?;
    tx.commit().await?;
    Ok(Redirect::to(HERE).flash("Votre demande est enregistrée.").into_response())
}
