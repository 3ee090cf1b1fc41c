// SPDX-License-Identifier: EUPL-1.2
//! Archiving and restoring: a page that says the consequences, then a POST (US-207).
use super::{Campaign, Own, Restore, Status, ownership, status};
use crate::{
    db::{Id, Read, Tx},
    sharing,
    web::{Error, Form, Page, Redirect, Result, Shell},
};
use askama::Template;
use axum::extract::Path;

#[derive(Template)]
#[template(path = "campaigns/lifecycle.html")]
pub struct Confirmation {
    shell: Shell,
    title: String,
    consequences: &'static [&'static str],
    action: String,
    verb: &'static str,
    keep: &'static str,
    /// Share links that would die, unless the owner keeps them.
    links: i64,
}

const ARCHIVING: &[&str] = &[
    "Plus rien ne peut y être modifié : opérations, imports, paramètres, droits.",
    "Elle reste consultable et exportable par les personnes qui la voient aujourd'hui.",
    "Vous pouvez la restaurer à tout moment.",
];
const RESTORING: &[&str] = &[
    "Elle redevient modifiable, au statut que donnent ses opérations.",
    "Les réservations restent fermées.",
];

pub async fn archive_page(
    mut read: Read,
    Path(id): Path<Id<Campaign>>,
) -> Result<Page<Confirmation>> {
    let campaign = read.authorize(Own, id).await?;
    if campaign.status != Status::Finished {
        return Err(Error::Refused("Seule une campagne terminée peut être archivée.".into()));
    }
    let now = read.now();
    let links = sharing::active(read.conn(), id, now).await?;
    Ok(Page(Confirmation {
        shell: read
            .shell("Archiver")
            .under("Campagnes", "/campagnes")
            .under(&campaign.name, campaign.url()),
        title: format!("Archiver « {} » ?", campaign.name),
        consequences: ARCHIVING,
        action: campaign.path("archivage"),
        verb: "Archiver",
        keep: "Conserver",
        links,
    }))
}

pub async fn archive(mut tx: Tx, Path(id): Path<Id<Campaign>>, form: Form) -> Result<Redirect> {
    status::lock(&mut tx, id).await?;
    let campaign = tx.authorize_to_change(Own, id).await?;
    ownership::archive(&mut tx, &campaign, form.has("liens", "garder")).await?;
    tx.commit().await?;
    Ok(Redirect::to("/campagnes").flash(format!("« {} » est archivée.", campaign.name)))
}

pub async fn restore_page(
    mut read: Read,
    Path(id): Path<Id<Campaign>>,
) -> Result<Page<Confirmation>> {
    let campaign = read.authorize(Restore, id).await?;
    if !campaign.is_archived {
        return Err(Error::Refused("Cette campagne n’est pas archivée.".into()));
    }
    Ok(Page(Confirmation {
        shell: read
            .shell("Restaurer")
            .under("Campagnes", "/campagnes")
            .under(&campaign.name, campaign.url()),
        title: format!("Restaurer « {} » ?", campaign.name),
        consequences: RESTORING,
        action: campaign.path("restauration"),
        verb: "Restaurer",
        keep: "Laisser archivée",
        links: 0,
    }))
}

pub async fn restore(mut tx: Tx, Path(id): Path<Id<Campaign>>) -> Result<Redirect> {
    status::lock(&mut tx, id).await?;
    let campaign = tx.authorize_to_change(Restore, id).await?;
    ownership::restore(&mut tx, &campaign).await?;
    tx.commit().await?;
    Ok(Redirect::to("/campagnes").flash(format!("« {} » est restaurée.", campaign.name)))
}
