// SPDX-License-Identifier: EUPL-1.2
//! Depositing a document (US-702), and giving it another file (US-706).
use super::{
    commands, kind, may_deposit_executables,
    model::{self, Declared, Document, WARNING},
    receive::receive,
    under_list,
};
use crate::{
    accounts::User,
    app::App,
    campaigns::{Campaign, Configure},
    db::{Id, Read, Tx},
    web::{
        Again, Error, Form, Page, Redirect, Result, Shell,
        auth::{Allowed, Visitor},
    },
};
use askama::Template;
use axum::{
    extract::{Multipart, Path, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
};

#[derive(Template)]
#[template(path = "documents/upload.html")]
pub struct Upload {
    shell: Shell,
    campaign: Allowed<Configure, Campaign>,
    /// Of which the file is replaced.
    document: Option<Document>,
    executables: bool,
    form: Form,
}

impl Upload {
    fn new(
        shell: Shell,
        user: &User,
        campaign: Allowed<Configure, Campaign>,
        document: Option<Document>,
        form: Form,
    ) -> Self {
        let mut shell = under_list(shell, &campaign, user);
        if let Some(document) = &document {
            shell =
                shell.under(&document.name, campaign.path(&format!("documents/{}", document.id)));
        }
        Self { shell, campaign, document, executables: may_deposit_executables(user), form }
    }

    fn title(&self) -> String {
        self.document.as_ref().map_or_else(
            || "Déposer un document".into(),
            |document| format!("Remplacer le fichier de « {} »", document.name),
        )
    }

    fn action(&self) -> String {
        match &self.document {
            None => self.campaign.path("documents/nouveau"),
            Some(document) => {
                self.campaign.path(&format!("documents/{}/remplacement", document.id))
            }
        }
    }

    fn back(&self) -> String {
        match &self.document {
            None => self.campaign.path("documents"),
            Some(document) => self.campaign.path(&format!("documents/{}", document.id)),
        }
    }

    /// « .pdf,.docx »: those that this person may deposit.
    fn accept(&self) -> String {
        self.extensions().map(|extension| format!(".{extension}")).collect::<Vec<_>>().join(",")
    }

    fn formats(&self) -> String {
        self.extensions().collect::<Vec<_>>().join(", ")
    }

    fn extensions(&self) -> impl Iterator<Item = &'static str> {
        kind::ALL
            .iter()
            .filter(move |kind| self.executables || !kind.is_executable())
            .map(|kind| kind.extension)
    }
}

pub async fn page(mut read: Read, Path(id): Path<Id<Campaign>>) -> Result<Page<Upload>> {
    let campaign = read.authorize(Configure, id).await?;
    let shell = read.shell("Déposer un document");
    Ok(Page(Upload::new(shell, read.user(), campaign, None, Form::default())))
}

/// Streams the file to the store. The right is checked before a byte is kept, and again before the
/// row is written; no connection waits for the sender.
pub async fn create(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<Id<Campaign>>,
    headers: HeaderMap,
    multipart: Multipart,
) -> Result<Response> {
    let mut tx = Tx::begin_for(&app, &visitor).await?;
    let campaign = tx.authorize(Configure, id).await?;
    let user = tx.user()?.clone();
    tx.commit_quietly("only the right was read; the file comes first").await?;
    let (mut form, file) = receive(&app, &user, &headers, multipart).await?;
    let declared = Declared::parse(&mut form, Some(file.as_ref().map_or("", |f| &f.name)));
    let (Some(new), Some(file)) = (declared, file) else {
        let shell = Shell::new(&app, &visitor, "Déposer un document");
        return Ok(Again(Upload::new(shell, &user, campaign, None, form)).into_response());
    };
    let mut tx = Tx::begin_for(&app, &visitor).await?;
    let campaign = tx.authorize(Configure, id).await?;
    let document = commands::deposit(&mut tx, &campaign, &new, &file).await?;
    file.stored.keep();
    tx.commit().await?;
    Ok(said(&campaign, document, file.kind.is_executable(), &format!("« {} » déposé.", new.name)))
}

pub async fn replace_page(
    mut read: Read,
    Path((id, document)): Path<(Id<Campaign>, Id<Document>)>,
) -> Result<Page<Upload>> {
    let campaign = read.authorize(Configure, id).await?;
    let document = model::find(read.conn(), id, document).await?;
    let shell = read.shell("Remplacer le fichier");
    Ok(Page(Upload::new(shell, read.user(), campaign, Some(document), Form::default())))
}

pub async fn replace(
    State(app): State<App>,
    visitor: Visitor,
    Path((id, document)): Path<(Id<Campaign>, Id<Document>)>,
    headers: HeaderMap,
    multipart: Multipart,
) -> Result<Response> {
    let mut tx = Tx::begin_for(&app, &visitor).await?;
    let campaign = tx.authorize(Configure, id).await?;
    let user = tx.user()?.clone();
    let stored = model::find(tx.conn(), id, document).await?;
    tx.commit_quietly("only the right was read; the file comes first").await?;
    let (form, file) = receive(&app, &user, &headers, multipart).await?;
    let Some(file) = file else {
        let shell = Shell::new(&app, &visitor, "Remplacer le fichier");
        return Ok(Again(Upload::new(shell, &user, campaign, Some(stored), form)).into_response());
    };
    let mut tx = Tx::begin_for(&app, &visitor).await?;
    let campaign = tx.authorize(Configure, id).await?;
    let stored = model::lock(&mut tx, &campaign, document).await?;
    if stored.file.sha256 == file.stored.sha256 && stored.file.name == file.name {
        return Err(Error::Refused("Ce fichier est déjà celui du document.".into()));
    }
    commands::replace(&mut tx, &campaign, &stored, &file).await?;
    file.stored.keep();
    tx.commit().await?;
    let text = format!("Fichier de « {} » remplacé ; l’ancien est gardé 30 jours.", stored.name);
    Ok(said(&campaign, document, file.kind.is_executable(), &text))
}

/// The document's page, where its digest is, after an executable; the list after another file.
fn said(campaign: &Campaign, document: Id<Document>, executable: bool, text: &str) -> Response {
    if executable {
        Redirect::to(campaign.path(&format!("documents/{document}")))
            .flash(format!("{text} {WARNING}."))
            .into_response()
    } else {
        Redirect::to(campaign.path("documents")).flash(text).into_response()
    }
}
