// SPDX-License-Identifier: EUPL-1.2
//! « Supprimer » an operation: what follows, then a POST; one that was done asks twice (RG-019).
use super::commands;
use crate::{
    db::{Read, Tx},
    operations::{
        Edit, Operation,
        at::{self, Ids},
    },
    web::{Again, Form, Page, Redirect, Result, Shell},
    workflows::Category,
};
use askama::Template;
use axum::response::{IntoResponse, Response};

#[derive(Template)]
#[template(path = "operations/bin/delete.html")]
pub struct DeletePage {
    shell: Shell,
    label: String,
    identifier: String,
    url: String,
    /// « Cette opération a été réalisée. »
    done: bool,
    form: Form,
}

impl DeletePage {
    fn new(shell: Shell, operation: &Operation, form: Form) -> Self {
        let shell = shell
            .under("Campagnes", "/campagnes")
            .under(&operation.campaign.name, operation.campaign.url())
            .under(&operation.label, operation.url());
        Self {
            shell,
            label: operation.label.clone(),
            identifier: operation.identifier.clone(),
            url: operation.url(),
            done: operation.category == Category::Done,
            form,
        }
    }
}

pub async fn page(mut read: Read, ids: Ids) -> Result<Page<DeletePage>> {
    let operation = at::read(&mut read, Edit, ids).await?;
    Ok(Page(DeletePage::new(read.shell("Supprimer"), &operation, Form::default())))
}

pub async fn delete(mut tx: Tx, ids: Ids, mut form: Form) -> Result<Response> {
    let operation = at::change(&mut tx, Edit, ids).await?;
    if operation.category == Category::Done && !form.checked("realisee") {
        form.refuse("realisee", "Cette opération a été réalisée. Cochez la case pour confirmer");
        let page = DeletePage::new(tx.shell("Supprimer"), &operation, form);
        return Ok(Again(page).into_response());
    }
    commands::delete(&mut tx, &operation).await?;
    tx.commit().await?;
    Ok(Redirect::to(operation.campaign.path("operations"))
        .flash(format!(
            "« {} » est dans la corbeille pour 30 jours (Paramètres, Corbeille).",
            operation.label
        ))
        .into_response())
}
