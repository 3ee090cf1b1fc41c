// SPDX-License-Identifier: EUPL-1.2
//! Choosing a password from a one-time link: a new account (US-103.4), a forgotten one (US-109.2).
//! Looking at the page consumes nothing.
use super::{
    Purpose, User, account, chosen,
    links::{self, discreet},
    login,
    password::{Context, Rules},
};
use crate::{
    app::App,
    db::{Id, Tx},
    web::{Again, Error, Form, Page, Redirect, Result, Shell, auth::Visitor},
};
use askama::Template;
use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};

#[derive(Template)]
#[template(path = "accounts/choose.html")]
struct Choose {
    shell: Shell,
    form: Form,
    rules: Rules,
    welcome: bool,
    email: String,
    action: String,
}

pub async fn page(state: State<App>, visitor: Visitor, path: Path<String>) -> Result<Response> {
    show(state, visitor, path, Purpose::Activation).await
}

pub async fn reset_page(
    state: State<App>,
    visitor: Visitor,
    path: Path<String>,
) -> Result<Response> {
    show(state, visitor, path, Purpose::Reset).await
}

async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Path(token): Path<String>,
    purpose: Purpose,
) -> Result<Response> {
    let (_, person) = holder(&app, &visitor, purpose, &token).await?;
    Ok(discreet(Page(choose(&app, &visitor, purpose, &token, &person, Form::default()))))
}

fn choose(
    app: &App,
    visitor: &Visitor,
    purpose: Purpose,
    token: &str,
    person: &Person,
    form: Form,
) -> Choose {
    let welcome = purpose == Purpose::Activation;
    // The page belongs to the holder of the link, whoever is signed in.
    let visitor = Visitor { user: None, ..visitor.clone() };
    Choose {
        shell: Shell::new(
            app,
            &visitor,
            if welcome { "Activer mon compte" } else { "Nouveau mot de passe" },
        ),
        form,
        rules: Rules::from(&*app.settings()),
        welcome,
        email: person.email.clone(),
        action: format!("/{}/{token}", purpose.path()),
    }
}

struct Person {
    email: String,
    first_name: String,
    last_name: String,
}

async fn holder(
    app: &App,
    visitor: &Visitor,
    purpose: Purpose,
    token: &str,
) -> Result<(Id<User>, Person)> {
    let user = links::look(app, visitor, purpose, token).await?.ok_or(Error::NotFound)?;
    let person = sqlx::query_as!(
        Person,
        "select email, first_name, last_name from users where id = $1",
        user as _
    )
    .fetch_one(&app.db)
    .await?;
    Ok((user, person))
}

/// The new password of an activated account opens its first session.
pub async fn create(
    State(app): State<App>,
    visitor: Visitor,
    Path(token): Path<String>,
    mut form: Form,
) -> Result<Response> {
    let (user, person) = holder(&app, &visitor, Purpose::Activation, &token).await?;
    let context = Context::new(&person.email, &person.first_name, &person.last_name);
    let Some(password) = chosen::read(&mut form, &context, Rules::from(&*app.settings())) else {
        return Ok(discreet(Again(choose(
            &app,
            &visitor,
            Purpose::Activation,
            &token,
            &person,
            form,
        ))));
    };
    let hash = password.hash(&app).await?;
    let mut tx = Tx::begin_for(&app, &visitor).await?;
    links::consume(&mut tx, Purpose::Activation, &token).await?;
    let stamp = account::set_password(&mut tx, user, &hash, None).await?;
    let answer = login::start_session(&mut tx, user, stamp, false, None).await?;
    tx.commit().await?;
    Ok(answer.flash("Votre compte est activé.").into_response())
}

/// A reset signs out everywhere and tells the owner.
pub async fn reset(
    State(app): State<App>,
    visitor: Visitor,
    Path(token): Path<String>,
    mut form: Form,
) -> Result<Response> {
    let (user, person) = holder(&app, &visitor, Purpose::Reset, &token).await?;
    let context = Context::new(&person.email, &person.first_name, &person.last_name);
    let Some(password) = chosen::read(&mut form, &context, Rules::from(&*app.settings())) else {
        return Ok(discreet(Again(choose(&app, &visitor, Purpose::Reset, &token, &person, form))));
    };
    let hash = password.hash(&app).await?;
    let mut tx = Tx::begin_for(&app, &visitor).await?;
    links::consume(&mut tx, Purpose::Reset, &token).await?;
    account::set_password(&mut tx, user, &hash, None).await?;
    account::notify(
        &mut tx,
        user,
        "Votre mot de passe a été modifié à partir d’un lien de réinitialisation.",
    )
    .await?;
    tx.commit().await?;
    Ok(Redirect::to("/connexion").flash("Mot de passe modifié").into_response())
}
