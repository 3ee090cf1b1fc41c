// SPDX-License-Identifier: EUPL-1.2
//! Choosing the file: step 2 of the wizard, or a new import of a campaign (US-203).
use super::{Import, files, receive};
use crate::{
    campaigns::{self, Campaign, Configure},
    db::{Id, Read, Tx},
    web::{Again, Error, Form, Page, Redirect, Result, Shell, auth::Visitor},
};
use askama::Template;
use axum::{
    extract::{Multipart, Path, State, multipart::Field},
    response::{IntoResponse, Response},
};
use futures::{Stream, stream};

/// F-01.
const MAX: u64 = 52_428_800;

#[derive(Template)]
#[template(path = "imports/upload.html")]
pub struct Upload {
    shell: Shell,
    campaign: Campaign,
    step: usize,
    form: Form,
}

/// Step 2 of the wizard.
pub async fn wizard(mut read: Read, Path(id): Path<Id<Campaign>>) -> Result<Page<Upload>> {
    let campaign = read.authorize(Configure, id).await?.clone();
    let shell = shell(read.shell("Fichier"), &campaign);
    Ok(Page(Upload { shell, campaign, step: 2, form: Form::default() }))
}

/// Another file for a campaign.
pub async fn page(mut read: Read, Path(id): Path<Id<Campaign>>) -> Result<Page<Upload>> {
    let campaign = read.authorize(Configure, id).await?.clone();
    let tabs = campaigns::tabs(&campaign, read.user(), "imports");
    let shell = shell(read.shell("Importer un fichier"), &campaign).with_tabs(tabs);
    Ok(Page(Upload { shell, campaign, step: 0, form: Form::default() }))
}

/// Step 3 of the wizard: the columns or the preview of the last file.
pub async fn resume(mut read: Read, Path(id): Path<Id<Campaign>>) -> Result<Redirect> {
    let campaign = read.authorize(Configure, id).await?;
    let last = sqlx::query_scalar!(
        "select id from imports where campaign_id = $1 and state <> 'cancelled' order by created_at desc limit 1",
        campaign.id as _
    )
    .fetch_optional(read.conn())
    .await?;
    Ok(match last {
        Some(import) => Redirect::to(format!("/campagnes/{id}/imports/{import}/colonnes")),
        None => Redirect::to(format!("/campagnes/{id}/assistant/2")),
    })
}

/// Streams the file to disk, then hands it to the analysis. The right is checked before a byte is kept.
pub async fn create(
    State(app): State<crate::app::App>,
    visitor: Visitor,
    Path(id): Path<Id<Campaign>>,
    multipart: Multipart,
) -> Result<Response> {
    let mut tx = Tx::begin_for(&app, &visitor).await?;
    let campaign = tx.authorize(Configure, id).await?;
    tx.commit_quietly("only the right was read; the file comes first").await?;
    let (name, file) = match first_file(&app, multipart).await {
        Ok(found) => found,
        Err(Error::Refused(why)) => return Ok(again(&app, &visitor, &campaign, &why)),
        Err(err) => return Err(err),
    };
    let mut tx = Tx::begin_for(&app, &visitor).await?;
    tx.authorize(Configure, id).await?;
    let import = receive(&mut tx, id, &name, &file).await?;
    if campaign.is_draft {
        sqlx::query!(
            "update campaigns set wizard_step = 3 where id = $1 and wizard_step < 3",
            id as _
        )
        .execute(tx.conn())
        .await?;
    }
    tx.commit().await?;
    app.work.notify_one();
    Ok(Redirect::to(format!("/campagnes/{id}/imports/{import}/colonnes")).into_response())
}

fn again(app: &crate::app::App, visitor: &Visitor, campaign: &Campaign, why: &str) -> Response {
    let mut form = Form::default();
    form.refuse("fichier", why);
    let shell = shell(Shell::new(app, visitor, "Fichier"), campaign);
    Again(Upload {
        shell,
        campaign: campaign.clone(),
        step: if campaign.is_draft { 2 } else { 0 },
        form,
    })
    .into_response()
}

fn shell(shell: Shell, campaign: &Campaign) -> Shell {
    shell.under("Campagnes", "/campagnes").under(campaign.name.clone(), campaign.url())
}

async fn first_file(
    app: &crate::app::App,
    mut multipart: Multipart,
) -> Result<(String, files::Stored)> {
    let bad = |_| Error::BadRequest("L’envoi du fichier a été interrompu. Recommencez.");
    while let Some(field) = multipart.next_field().await.map_err(bad)? {
        let name = crate::text::clean(field.file_name().unwrap_or_default())
            .chars()
            .take(200)
            .collect::<String>();
        if field.name() != Some("fichier") || name.is_empty() {
            continue;
        }
        let stored = files::store(app, MAX, chunks(field)).await?;
        if stored.size == 0 {
            files::remove(app, &stored.key).await;
            return Err(Error::Refused("Le fichier ne contient aucune ligne de données".into()));
        }
        return Ok((name, stored));
    }
    Err(Error::Refused("Choisissez un fichier .csv, .xlsx ou .ods".into()))
}

fn chunks(
    field: Field<'_>,
) -> impl Stream<Item = Result<axum::body::Bytes, axum::extract::multipart::MultipartError>> {
    stream::unfold(field, |mut field| async move {
        field.chunk().await.transpose().map(|chunk| (chunk, field))
    })
}

/// Where an import stands for the person: the page to show first.
pub fn current(import: &Import) -> String {
    use super::State;
    match import.state {
        State::Received | State::Analysed => format!("{}/colonnes", import.url()),
        State::Validated => format!("{}/apercu", import.url()),
        _ => import.url(),
    }
}
