// SPDX-License-Identifier: EUPL-1.2
//! A new account (US-103): never a password, a link.
use crate::{
    accounts::{Role, account, identity},
    db::{Read, Tx},
    web::{Again, Error, Form, Page, Redirect, Result, Shell, auth::Visitor},
};
use askama::Template;
use axum::response::{IntoResponse, Response};

#[derive(Template)]
#[template(path = "accounts/users/new.html")]
struct New {
    shell: Shell,
    form: Form,
    roles: [Role; 5],
}

fn new(shell: Shell, form: Form) -> New {
    New {
        shell: shell
            .under("Administration", "/administration")
            .under("Utilisateurs", "/administration/utilisateurs"),
        form,
        roles: Role::ALL,
    }
}

pub async fn page(read: Read) -> Page<impl Template> {
    Page(new(read.shell("Nouvel utilisateur"), Form::default()))
}

pub async fn create(visitor: Visitor, mut tx: Tx, mut form: Form) -> Result<Response> {
    let shell = Shell::new(tx.app(), &visitor, "Nouvel utilisateur");
    let identity = identity::read(&mut form);
    if !form.is_valid() {
        return Ok(Again(new(shell, form)).into_response());
    }
    let (id, recipient) = match account::create(&mut tx, &identity).await {
        Err(Error::Refused(why)) => {
            form.refuse("email", why);
            return Ok(Again(new(shell, form)).into_response());
        }
        created => created?,
    };
    let told = if tx.app().mailer.is_configured() {
        format!("Compte créé. Un message vient d’être envoyé à {recipient}")
    } else {
        "Compte créé. Aucun relais de messagerie n’est configuré : affichez le lien pour le remettre à la personne.".to_owned()
    };
    tx.commit().await?;
    Ok(Redirect::to(format!("/administration/utilisateurs/{id}")).flash(told).into_response())
}
