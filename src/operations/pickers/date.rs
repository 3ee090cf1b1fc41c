// SPDX-License-Identifier: EUPL-1.2
//! The planned date of an operation, without touching its status (RG-027).
use super::{or_list, under};
use crate::{
    db::{Read, Tx},
    operations::{
        Edit, Operation,
        at::{self, Ids},
        dates, plan,
    },
    web::{Again, Conflict, Form, Page, Redirect, Result, Shell, format},
};
use askama::Template;
use axum::{
    extract::RawQuery,
    response::{IntoResponse, Response},
};
use http::HeaderMap;

#[derive(Template)]
#[template(path = "operations/pickers/date.html")]
pub struct Dated {
    shell: Shell,
    url: String,
    label: String,
    date_label: &'static str,
    time_hint: String,
    form: Form,
    back: String,
}

impl Dated {
    fn new(shell: Shell, operation: &Operation, mut form: Form, back: String) -> Self {
        form.set("avant", stamp(operation));
        Self {
            shell: under(shell, operation),
            url: operation.url(),
            label: operation.label.clone(),
            date_label: "Date prévue",
            time_hint: format!("{} par défaut", format::time(operation.campaign.default_time)),
            form,
            back: or_list(back, operation),
        }
    }
}

fn stamp(operation: &Operation) -> String {
    operation.planned_at.map(format::machine).unwrap_or_default()
}

pub async fn page(
    mut read: Read,
    ids: Ids,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Page<Dated>> {
    let operation = at::read(&mut read, Edit, ids).await?;
    let back = at::back(&Form::parse(query.unwrap_or_default().as_bytes()), &headers);
    let form = Form::filled(dates::filled(operation.planned_at));
    Ok(Page(Dated::new(read.shell("Date prévue"), &operation, form, back)))
}

pub async fn update(mut tx: Tx, ids: Ids, mut form: Form) -> Result<Response> {
    let operation = at::change(&mut tx, Edit, ids).await?;
    let back = form.given("retour").unwrap_or_default();
    let to = dates::typed(&mut form, &operation.campaign);
    if !form.is_valid() {
        return Ok(
            Again(Dated::new(tx.shell("Date prévue"), &operation, form, back)).into_response()
        );
    }
    let seen = form.pairs().iter().any(|(key, _)| key == "avant").then(|| form.text("avant"));
    if seen.is_some_and(|seen| seen != stamp(&operation)) && to != operation.planned_at {
        let now = operation.planned_at.map_or("sans date".into(), format::instant);
        form.refuse("date", format!("Modifiée entre-temps : elle est maintenant « {now} ». Enregistrez de nouveau pour garder la vôtre."));
        return Ok(
            Conflict(Dated::new(tx.shell("Date prévue"), &operation, form, back)).into_response()
        );
    }
    if to != operation.planned_at {
        plan(&mut tx, &operation, to).await?;
        tx.commit().await?;
    }
    let said = to
        .map_or("Date retirée".to_owned(), |at| format!("Date prévue : {}", format::instant(at)));
    Ok(Redirect::back(Some(&back), &operation.url()).flash(said).into_response())
}
