// SPDX-License-Identifier: EUPL-1.2
//! « Visibilité »: restricted or public (US-211, RG-112).
use super::section;
use crate::{
    campaigns::{Campaign, Configure, ownership},
    db::{Id, Read, Tx},
    web::{Error, Form, Page, Redirect, Result, Shell, auth::Allowed},
};
use askama::Template;
use axum::extract::Path;

#[derive(Template)]
#[template(path = "campaigns/settings/visibility.html")]
pub struct VisibilityPage {
    shell: Shell,
    campaign: Allowed<Configure, Campaign>,
    form: Form,
    grantees: i64,
}

pub async fn page(mut read: Read, Path(id): Path<Id<Campaign>>) -> Result<Page<VisibilityPage>> {
    let campaign = read.authorize(Configure, id).await?;
    let grantees = sqlx::query_scalar!(
        r#"select count(*) as "n!" from grants where campaign_id = $1"#,
        id as _
    )
    .fetch_one(read.conn())
    .await?;
    let shell = section(read.shell("Visibilité"), &campaign, read.user(), "parametres/visibilite");
    let form =
        Form::filled([("visibilite", if campaign.is_public { "publique" } else { "restreinte" })]);
    Ok(Page(VisibilityPage { shell, campaign, form, grantees }))
}

pub async fn update(mut tx: Tx, Path(id): Path<Id<Campaign>>, form: Form) -> Result<Redirect> {
    let campaign = tx.authorize_to_change(Configure, id).await?;
    let public = match form.raw("visibilite") {
        "publique" => true,
        "restreinte" => false,
        _ => return Err(Error::Refused("Choisissez une visibilité.".into())),
    };
    let back = Redirect::to(campaign.path("parametres/visibilite"));
    if public == campaign.is_public {
        return Ok(back);
    }
    ownership::publish(&mut tx, &campaign, public).await?;
    tx.commit().await?;
    Ok(back.flash(if public { "La campagne est publique." } else { "La campagne est restreinte." }))
}
