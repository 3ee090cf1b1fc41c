// SPDX-License-Identifier: EUPL-1.2
//! The second step of a sign-in: the code, or the enrolment that a role requires.
use super::{
    enrol::{Codes, Key},
    model,
    pending::{self, Pending},
};
use crate::{
    accounts::{
        login, sessions,
        throttle::{self, Tried},
    },
    app::App,
    db::Tx,
    web::{Again, Error, Form, Page, Redirect, Result, Shell, auth::Visitor},
};
use askama::Template;
use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};

pub(super) const WRONG: &str = "Code incorrect";

#[derive(Template)]
#[template(path = "accounts/second_factor/step.html")]
struct Step {
    shell: Shell,
    error: Option<&'static str>,
}

fn step(app: &App, visitor: &Visitor, error: Option<&'static str>) -> Step {
    let visitor = Visitor { user: None, ..visitor.clone() };
    Step { shell: Shell::new(app, &visitor, "Code de connexion"), error }
}

/// Back to the password: ten minutes have passed, or nothing was begun.
fn start_again() -> Response {
    Redirect::to("/connexion")
        .flash("Reprenez la connexion : saisissez votre mot de passe.")
        .into_response()
}

pub async fn page(
    State(app): State<App>,
    visitor: Visitor,
    headers: HeaderMap,
) -> Result<Response> {
    Ok(match pending::look(&app, &headers, &visitor).await? {
        Some(_) => Page(step(&app, &visitor, None)).into_response(),
        None => start_again(),
    })
}

pub async fn create(
    State(app): State<App>,
    visitor: Visitor,
    headers: HeaderMap,
    form: Form,
) -> Result<Response> {
    let Some(pending) = pending::look(&app, &headers, &visitor).await? else {
        return Ok(start_again());
    };
    if let Some(why) = gate(&app, &visitor, &pending.email).await? {
        return Ok(Again(step(&app, &visitor, Some(why))).into_response());
    }
    let mut tx = Tx::begin_for(&app, &visitor).await?;
    if !model::accepts(&mut tx, pending.user, &form.text("code")).await? {
        drop(tx);
        refuse(&app, &visitor, &pending).await?;
        return Ok(Again(step(&app, &visitor, Some(WRONG))).into_response());
    }
    let answer = open(&mut tx, &visitor, &pending).await?;
    tx.commit().await?;
    Ok(answer.into_response())
}

/// Counts an attempt; the text of RG-006 when there were five.
pub(super) async fn gate(
    app: &App,
    visitor: &Visitor,
    email: &str,
) -> Result<Option<&'static str>> {
    match throttle::attempt(&app.db, Tried::Code(email), &visitor.full_ip, visitor.now).await? {
        throttle::Gate::Open => Ok(None),
        throttle::Gate::Locked => Ok(Some(login::LOCKED)),
        throttle::Gate::TooMany(seconds) => Err(Error::TooMany(seconds)),
    }
}

/// The session, and « Rester connecté » if it was asked: only now.
async fn open(tx: &mut Tx, visitor: &Visitor, pending: &Pending) -> Result<Redirect> {
    pending::consume(tx, pending).await?;
    let tried = Tried::Code(&pending.email);
    throttle::forgive(tx.conn(), tried, &visitor.full_ip, visitor.now).await?;
    let answer =
        login::open_session(tx, pending.user, pending.stamp, pending.stay, pending.back.clone())
            .await?;
    Ok(answer.cookie(pending::forget_cookie(tx.app())))
}

async fn refuse(app: &App, visitor: &Visitor, pending: &Pending) -> Result<()> {
    let tried = Tried::Code(&pending.email);
    throttle::trace(app, visitor, tried, Some(pending.user), "session.refused", "wrong_code").await
}

#[derive(Template)]
#[template(path = "accounts/second_factor/required.html")]
struct Required {
    shell: Shell,
    key: Key,
    form: Form,
}

async fn required(
    app: &App,
    visitor: &Visitor,
    pending: &Pending,
    form: Form,
) -> Result<Option<Required>> {
    let mut conn = app.db.acquire().await?;
    let secret = model::waiting_secret(&mut conn, &app.config, pending.user).await?;
    let visitor = Visitor { user: None, ..visitor.clone() };
    Ok(secret.map(|secret| Required {
        shell: Shell::new(app, &visitor, "Double authentification"),
        key: Key::new(&secret, &pending.email, &app.settings().organisation),
        form,
    }))
}

pub async fn enrol_page(
    State(app): State<App>,
    visitor: Visitor,
    headers: HeaderMap,
) -> Result<Response> {
    let Some(pending) = pending::look(&app, &headers, &visitor).await? else {
        return Ok(start_again());
    };
    Ok(match required(&app, &visitor, &pending, Form::default()).await? {
        Some(page) => private(Page(page)),
        None => start_again(),
    })
}

/// The first right code puts the factor in use, ends the sessions opened without it and opens one;
/// the recovery codes are in the answer, once.
pub async fn enrol(
    State(app): State<App>,
    visitor: Visitor,
    headers: HeaderMap,
    mut form: Form,
) -> Result<Response> {
    let Some(mut pending) = pending::look(&app, &headers, &visitor).await? else {
        return Ok(start_again());
    };
    let locked = gate(&app, &visitor, &pending.email).await?;
    let mut tx = Tx::begin_for(&app, &visitor).await?;
    let codes = match locked {
        None => model::confirm(&mut tx, pending.user, &form.text("code")).await?,
        Some(_) => None,
    };
    let Some(codes) = codes else {
        drop(tx);
        if locked.is_none() {
            refuse(&app, &visitor, &pending).await?;
        }
        form.refuse("code", locked.unwrap_or(WRONG));
        return Ok(match required(&app, &visitor, &pending, form).await? {
            Some(page) => private(Again(page)),
            None => start_again(),
        });
    };
    pending.stamp = sessions::revoke(&mut tx, pending.user, None).await?;
    let redirect = open(&mut tx, &visitor, &pending).await?;
    tx.commit().await?;
    let anonymous = Visitor { user: None, ..visitor.clone() };
    let shell = Shell::new(&app, &anonymous, "Codes de récupération");
    let to = redirect.target().to_owned();
    let mut answer = private(Page(Codes { shell, codes, to }));
    // The answer is a page, not the redirection: its cookies open the session all the same.
    for cookie in redirect.into_response().headers().get_all(header::SET_COOKIE) {
        answer.headers_mut().append(header::SET_COOKIE, cookie.clone());
    }
    Ok(answer)
}

/// A page that shows a secret is kept by nobody.
pub(super) fn private(page: impl IntoResponse) -> Response {
    let mut response = page.into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
