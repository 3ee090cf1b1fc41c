// SPDX-License-Identifier: EUPL-1.2
//! Passing over a gate for everybody, with a reason that everybody sees (US-907.3), and taking it back.
use super::{
    commands::warning,
    gates::{self, check_reason},
    model::{self, Prerequisite},
    under_list,
};
use crate::{
    campaigns::{Campaign, Configure},
    db::{Id, Read, Tx},
    web::{Again, Form, Page, Redirect, Result, Shell, auth::Allowed},
};
use askama::Template;
use axum::{
    extract::Path,
    response::{IntoResponse, Response},
};

#[derive(Template)]
#[template(path = "prerequisites/force.html")]
pub struct Force {
    shell: Shell,
    campaign: Allowed<Configure, Campaign>,
    item: Prerequisite,
    form: Form,
}

pub async fn page(
    mut read: Read,
    Path((id, prerequisite)): Path<(Id<Campaign>, Id<Prerequisite>)>,
) -> Result<Page<Force>> {
    let campaign = read.authorize(Configure, id).await?;
    let item = model::find(read.conn(), id, prerequisite).await?;
    let shell = under_list(read.shell("Forcer"), &campaign, read.user());
    Ok(Page(Force { shell, campaign, item, form: Form::default() }))
}

pub async fn create(
    mut tx: Tx,
    Path((id, prerequisite)): Path<(Id<Campaign>, Id<Prerequisite>)>,
    mut form: Form,
) -> Result<Response> {
    let campaign = tx.authorize(Configure, id).await?;
    let reason = match check_reason(form.raw("motif")) {
        Ok(reason) => reason,
        Err(why) => {
            form.refuse("motif", why);
            let item = model::find(tx.conn(), id, prerequisite).await?;
            let shell = under_list(tx.shell("Forcer"), &campaign, tx.user()?);
            return Ok(Again(Force { shell, campaign, item, form }).into_response());
        }
    };
    let stored = gates::force(&mut tx, &campaign, prerequisite, &reason).await?;
    tx.commit().await?;
    Ok(Redirect::to(campaign.path("prerequis"))
        .flash(format!("« {} » ne bloque plus : forcé.", stored.label))
        .into_response())
}

pub async fn withdraw(
    mut tx: Tx,
    Path((id, prerequisite)): Path<(Id<Campaign>, Id<Prerequisite>)>,
) -> Result<Redirect> {
    let campaign = tx.authorize(Configure, id).await?;
    let stored = gates::withdraw(&mut tx, &campaign, prerequisite).await?;
    let warning = warning(tx.conn(), id, Some(&stored), prerequisite).await?;
    tx.commit().await?;
    let text = format!("« {} » bloque de nouveau.{warning}", stored.label);
    Ok(Redirect::to(campaign.path("prerequis")).flash(text))
}
