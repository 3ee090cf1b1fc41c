// SPDX-License-Identifier: EUPL-1.2
//! « Propriétaire »: handing a campaign over; an admin reassigns an ownerless one (US-210, RG-111).
use super::section;
use crate::{
    campaigns::{Campaign, Configure, Own, ownership},
    db::{Id, Read, Tx},
    web::{
        Form, Page, Redirect, Result, Shell,
        auth::{Allowed, Permits},
    },
};
use askama::Template;
use axum::extract::Path;
use sqlx::PgConnection;

#[derive(Template)]
#[template(path = "campaigns/settings/owner.html")]
pub struct OwnerPage {
    shell: Shell,
    campaign: Allowed<Own, Campaign>,
    form: Form,
    heirs: Vec<(String, String)>,
}

pub async fn page(mut read: Read, Path(id): Path<Id<Campaign>>) -> Result<Page<OwnerPage>> {
    let campaign = read.authorize(Own, id).await?;
    let mut heirs = heirs(read.conn(), &campaign).await?;
    heirs.insert(0, (String::new(), "— Choisir —".into()));
    let shell =
        section(read.shell("Propriétaire"), &campaign, read.user(), "parametres/proprietaire");
    Ok(Page(OwnerPage { shell, campaign, form: Form::default(), heirs }))
}

/// Active gestionnaires other than the owner.
async fn heirs(
    conn: &mut PgConnection,
    campaign: &Campaign,
) -> sqlx::Result<Vec<(String, String)>> {
    let rows = sqlx::query!(
        "select id, first_name, last_name from users where active and 'campaign_manager' = any (roles) and id <> $1 order by name_norm, id",
        campaign.owner_id as _
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            (row.id.to_string(), crate::accounts::display_name(&row.first_name, &row.last_name))
        })
        .collect())
}

pub async fn update(mut tx: Tx, Path(id): Path<Id<Campaign>>, form: Form) -> Result<Redirect> {
    let campaign = tx.authorize_to_change(Own, id).await?;
    let to = form
        .text("proprietaire")
        .parse()
        .map_err(|_| crate::web::Error::Refused("Choisissez un gestionnaire actif.".into()))?;
    let name = ownership::transfer(&mut tx, &campaign, to).await?;
    let user = tx.user()?.clone();
    tx.commit().await?;
    let keeps = if user.id == campaign.owner_id { " Vous gardez le droit de la voir." } else { "" };
    let back = if user.is_admin() && Permits::<Configure>::permits(&*campaign, &user) {
        campaign.path("parametres/proprietaire")
    } else {
        "/campagnes".into()
    };
    Ok(Redirect::to(back)
        .flash(format!("{name} est propriétaire de « {} ».{keeps}", campaign.name)))
}
