// SPDX-License-Identifier: EUPL-1.2
//! « Corriger le statut » (US-314, RG-026): any status of the workflow, outside the graph, with a reason.
use super::{or_list, under};
use crate::{
    db::{Read, Tx},
    operations::{
        Edit, Operation,
        at::{self, Ids},
        correct,
    },
    web::{Again, Error, Form, Page, Redirect, Result, Shell},
    workflows::Workflow,
};
use askama::Template;
use axum::{
    extract::RawQuery,
    response::{IntoResponse, Response},
};
use http::HeaderMap;

#[derive(Template)]
#[template(path = "operations/pickers/correction.html")]
pub struct Correction {
    shell: Shell,
    url: String,
    label: String,
    /// (code, name) of every status but the present one.
    statuses: Vec<(String, String)>,
    current: String,
    form: Form,
    back: String,
}

impl Correction {
    fn new(
        shell: Shell,
        operation: &Operation,
        workflow: &Workflow,
        form: Form,
        back: String,
    ) -> Result<Self> {
        let others = workflow.statuses.iter().filter(|s| s.id != operation.status_id);
        Ok(Self {
            shell: under(shell, operation),
            url: operation.url(),
            label: operation.label.clone(),
            statuses: others.map(|s| (s.code.clone(), s.name.clone())).collect(),
            current: workflow.status(operation.status_id)?.name.clone(),
            form,
            back: or_list(back, operation),
        })
    }
}

pub async fn page(
    mut read: Read,
    ids: Ids,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Page<Correction>> {
    let operation = at::read(&mut read, Edit, ids).await?;
    let workflow = Workflow::load(read.conn(), operation.campaign.workflow_version_id).await?;
    let back = at::back(&Form::parse(query.unwrap_or_default().as_bytes()), &headers);
    Ok(Page(Correction::new(
        read.shell("Corriger le statut"),
        &operation,
        &workflow,
        Form::default(),
        back,
    )?))
}

pub async fn create(mut tx: Tx, ids: Ids, mut form: Form) -> Result<Response> {
    let operation = at::change(&mut tx, Edit, ids).await?;
    let workflow = Workflow::load(tx.conn(), operation.campaign.workflow_version_id).await?;
    let code = form.required("statut");
    let back = form.given("retour").unwrap_or_default();
    let known = workflow.statuses.iter().find(|s| s.code == code);
    let refused = match known {
        None => Some("Choisissez un statut de la liste.".to_owned()),
        Some(to) => match correct(&mut tx, &operation, to.id, form.given("motif")).await {
            Ok(_) => {
                tx.commit().await?;
                return Ok(Redirect::back(Some(&back), &operation.url())
                    .flash(format!("Statut corrigé : {}", to.name))
                    .into_response());
            }
            Err(Error::Refused(why)) => Some(why),
            Err(err) => return Err(err),
        },
    };
    if let Some(why) = refused.filter(|_| form.is_valid()) {
        form.refuse(if why.contains("motif") { "motif" } else { "statut" }, why);
    }
    Ok(Again(Correction::new(tx.shell("Corriger le statut"), &operation, &workflow, form, back)?)
        .into_response())
}
