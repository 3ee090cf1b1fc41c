// SPDX-License-Identifier: EUPL-1.2
//! « Modèles de checklists »: the list, and a new one (US-503).
use super::{
    Compose, Definition,
    templates::{self, Summary},
};
use crate::{
    db::{Read, Tx},
    web::{Again, Form, Page, Redirect, Result, Shell},
};
use askama::Template;
use axum::response::{IntoResponse, Response};

#[derive(Template)]
#[template(path = "checklists/index.html")]
pub struct Index {
    shell: Shell,
    templates: Vec<Summary>,
}

pub async fn page(mut read: Read) -> Result<Page<Index>> {
    let templates = Summary::all(read.conn()).await?;
    Ok(Page(Index { shell: read.shell("Modèles de checklists"), templates }))
}

#[derive(Template)]
#[template(path = "checklists/new.html")]
pub struct NewPage {
    shell: Shell,
    form: Form,
}

fn new(shell: Shell, form: Form) -> NewPage {
    NewPage { shell: shell.under("Modèles de checklists", "/checklists"), form }
}

pub async fn new_page(read: Read) -> Page<NewPage> {
    Page(new(read.shell("Nouveau modèle"), Form::default()))
}

pub async fn create(mut tx: Tx, mut form: Form) -> Result<Response> {
    let may = Compose::of(&tx)?;
    let name = form.required("nom");
    if name.chars().count() > 100 {
        form.refuse("nom", "Le nom doit compter au plus 100 caractères");
    }
    let description = form.text("description");
    if description.chars().count() > 2_000 {
        form.refuse("description", "La description est trop longue (2 000 caractères au plus)");
    }
    let created = if form.is_valid() {
        templates::create(&mut tx, &may, &name, &description, &Definition::starting()).await?
    } else {
        None
    };
    let Some(id) = created else {
        if form.is_valid() {
            form.refuse("nom", "Un modèle porte déjà ce nom");
        }
        return Ok(Again(new(tx.shell("Nouveau modèle"), form)).into_response());
    };
    tx.commit().await?;
    Ok(Redirect::to(format!("/checklists/{id}/brouillon"))
        .flash("Modèle créé, en brouillon. Ajoutez ses étapes, puis publiez-le.")
        .into_response())
}
