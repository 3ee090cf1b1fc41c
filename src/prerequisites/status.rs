// SPDX-License-Identifier: EUPL-1.2
//! The status menu of a prerequisite: À faire, En cours, Fait (US-902).
use super::{
    commands::{set_state, warning},
    model::{self, Prerequisite, State, lock},
    under_list,
};
use crate::{
    campaigns::{Campaign, Configure},
    db::{Id, Read, Tx},
    web::{Error, Form, Page, Redirect, Result, Shell},
};
use askama::Template;
use axum::extract::Path;

#[derive(Template)]
#[template(path = "prerequisites/status.html")]
pub struct Menu {
    shell: Shell,
    back: String,
    url: String,
    item: Prerequisite,
}

pub async fn page(
    mut read: Read,
    Path((id, prerequisite)): Path<(Id<Campaign>, Id<Prerequisite>)>,
) -> Result<Page<Menu>> {
    let campaign = read.authorize(Configure, id).await?;
    let item = model::find(read.conn(), id, prerequisite).await?;
    let back = campaign.path("prerequis");
    let url = format!("{back}/{prerequisite}/statut");
    let shell = under_list(read.shell("Changer le statut"), &campaign, read.user());
    Ok(Page(Menu { shell, back, url, item }))
}

pub async fn update(
    mut tx: Tx,
    Path((id, prerequisite)): Path<(Id<Campaign>, Id<Prerequisite>)>,
    form: Form,
) -> Result<Redirect> {
    let campaign = tx.authorize(Configure, id).await?;
    let stored = lock(&mut tx, &campaign, prerequisite).await?;
    let to = State::from_code(form.raw("statut"))
        .ok_or_else(|| Error::Refused("Choisissez un statut de la liste.".into()))?;
    let back = Redirect::to(campaign.path("prerequis"));
    let said = format!("« {} » : {}", stored.label, to.label());
    if stored.state == to {
        return Ok(back.flash(said));
    }
    // RG-180: what the menu showed is no longer so.
    if State::from_code(form.raw("avant")).is_some_and(|shown| shown != stored.state) {
        return Err(Error::Refused(format!(
            "Le statut de « {} » a changé entre-temps : il est « {} ». Rechargez la page, puis recommencez.",
            stored.label,
            stored.state.label()
        )));
    }
    set_state(&mut tx, &campaign, &stored, to).await?;
    let warning = warning(tx.conn(), id, Some(&stored), prerequisite).await?;
    tx.commit().await?;
    Ok(back.flash(format!("{said}.{warning}")))
}
