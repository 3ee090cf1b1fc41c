// SPDX-License-Identifier: EUPL-1.2
//! « Mot de passe oublié » (US-109): the same answer, and the same work, for any address. Whether
//! an account exists is looked up by a job, after the answer.
use super::{User, throttle};
use crate::{
    app::App,
    audit::Entry,
    db::{Actor, Id, Tx},
    jobs::Job,
    mail,
    web::{Again, Form, Page, Redirect, Result, Shell, auth::Visitor},
};
use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

const ANSWER: &str = "Si un compte existe pour cette adresse, un message vient d’être envoyé.";

#[derive(Template)]
#[template(path = "accounts/forgotten.html")]
struct Forgotten {
    shell: Shell,
    form: Form,
}

pub async fn page(State(app): State<App>, visitor: Visitor) -> Page<impl Template> {
    Page(Forgotten {
        shell: Shell::new(&app, &visitor, "Mot de passe oublié"),
        form: Form::default(),
    })
}

pub async fn create(State(app): State<App>, visitor: Visitor, mut form: Form) -> Result<Response> {
    let email = form.required("email").to_lowercase();
    if !form.is_valid() {
        return Ok(Again(Forgotten {
            shell: Shell::new(&app, &visitor, "Mot de passe oublié"),
            form,
        })
        .into_response());
    }
    let mut tx = Tx::begin_for(&app, &visitor).await?;
    let (hour, now) = (Duration::hours(1), visitor.now);
    let network = throttle::network(&visitor.full_ip);
    let by_network =
        throttle::count(tx.conn(), "link-request-network", &network, 20, hour, now).await?;
    let by_address = throttle::count(tx.conn(), "link-request", &email, 5, hour, now).await?;
    if by_network.is_none() && by_address.is_none() {
        tx.enqueue(PasswordForgotten { email }).await?;
    }
    tx.commit_quietly("the job traces the request, when an account exists").await?;
    app.work.notify_one();
    Ok(Redirect::to("/connexion").flash(ANSWER).into_response())
}

/// Posts the reset message of an active account.
#[derive(Serialize, Deserialize)]
pub struct PasswordForgotten {
    email: String,
}

impl Job for PasswordForgotten {
    const KIND: &'static str = "password.forgotten";

    async fn run(self, app: &App, now: DateTime<Utc>) -> anyhow::Result<()> {
        let user = sqlx::query_scalar!(
            r#"select id as "id: Id<User>" from users where email = $1 and active"#,
            self.email
        )
        .fetch_optional(&app.db)
        .await?;
        let Some(user) = user else { return Ok(()) };
        let mut tx = Tx::begin(app, Actor::Anonymous, now).await?;
        mail::post(&mut tx, mail::password_reset(user, now)).await?;
        tx.record(Entry::on("password.reset_requested", "user", user.uuid())).await?;
        tx.commit().await?;
        Ok(())
    }
}
