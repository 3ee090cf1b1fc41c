// SPDX-License-Identifier: EUPL-1.2
//! « Workflows »: the list, and a new one.
use super::{
    Definition,
    drafts::{self, Summary},
};
use crate::{
    configuration::Administer,
    db::{Read, Tx},
    web::{Again, Form, Page, Redirect, Result, Shell},
};
use askama::Template;
use axum::response::{IntoResponse, Response};

#[derive(Template)]
#[template(path = "workflows/index.html")]
pub struct Index {
    shell: Shell,
    workflows: Vec<Summary>,
}

pub async fn page(mut read: Read) -> Result<Page<Index>> {
    let workflows = Summary::all(read.conn()).await?;
    let shell = read.shell("Workflows").under("Administration", "/administration");
    Ok(Page(Index { shell, workflows }))
}

#[derive(Template)]
#[template(path = "workflows/new.html")]
pub struct NewPage {
    shell: Shell,
    form: Form,
}

fn new(shell: Shell, form: Form) -> NewPage {
    let shell = shell
        .under("Administration", "/administration")
        .under("Workflows", "/administration/workflows");
    NewPage { shell, form }
}

pub async fn new_page(read: Read) -> Page<NewPage> {
    Page(new(read.shell("Nouveau workflow"), Form::default()))
}

pub async fn create(mut tx: Tx, mut form: Form) -> Result<Response> {
    let may = Administer::of(&tx)?;
    let (name, description) = name(&mut form);
    let created = if form.is_valid() {
        drafts::create(&mut tx, &may, &name, &description, &Definition::starting()).await?
    } else {
        None
    };
    let Some(id) = created else {
        if form.is_valid() {
            form.refuse("nom", "Un workflow porte déjà ce nom");
        }
        return Ok(Again(new(tx.shell("Nouveau workflow"), form)).into_response());
    };
    tx.commit().await?;
    Ok(Redirect::to(format!("/administration/workflows/{id}/brouillon"))
        .flash("Workflow créé, en brouillon. Complétez-le, puis publiez-le.")
        .into_response())
}

/// Name and description, checked.
pub fn name(form: &mut Form) -> (String, String) {
    let name = form.required("nom");
    if name.chars().count() > 100 {
        form.refuse("nom", "Le nom doit compter au plus 100 caractères");
    }
    let description = form.text("description");
    if description.chars().count() > 2_000 {
        form.refuse("description", "La description est trop longue (2 000 caractères au plus)");
    }
    (name, description)
}
