// SPDX-License-Identifier: EUPL-1.2
//! « Configuration »: taking it away as an archive, and sending one.
use super::{
    Administer,
    archive::{self, MAX_ARCHIVE, Refusal},
    content::Content,
    read_types, read_workflows,
    sheets::{self, SEGMENTS, TEMPLATES, TYPES, WORKFLOWS},
    version::Tables,
    waiting::{Checked, Waiting},
};
use crate::{
    app::App,
    audit::Entry,
    clock,
    db::{Read, Tx},
    text::{count, norm},
    web::{Again, Error, Form, Page, Redirect, Result, Shell, auth::Visitor, download::attachment},
    workflows::WorkflowSummary,
};
use anyhow::Context;
use askama::Template;
use axum::{
    extract::{Multipart, State, multipart::MultipartError},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;
use std::collections::HashSet;
use tokio::sync::Semaphore;

pub const ADDRESS: &str = "/administration/configuration";
const TOO_LARGE: &str = "Archive trop volumineuse (max 20 Mo)";
/// Faults told at once.
const TOLD: usize = 20;

/// Archives decompressed at once: their memory is bounded together.
static TURN: Semaphore = Semaphore::const_new(1);

#[derive(Template)]
#[template(path = "configuration/index.html")]
pub struct Index {
    shell: Shell,
    form: Form,
    types: i64,
    workflows: i64,
}

impl Index {
    fn new(shell: Shell, content: &Content, form: Form) -> Self {
        let (types, workflows) = (content.types.len() as i64, content.workflows.len() as i64);
        let shell = shell.under("Administration", "/administration");
        Self { shell, form, types, workflows }
    }
}

pub async fn page(mut read: Read) -> Result<Page<Index>> {
    let content = Content::current(read.conn()).await?;
    Ok(Page(Index::new(read.shell("Configuration"), &content, Form::default())))
}

/// The ZIP of RG-100.
pub async fn export(mut tx: Tx) -> Result<Response> {
    Administer::of(&tx)?;
    let content = Content::current(tx.conn()).await?;
    let (author, now) = (tx.user()?.name(), tx.now());
    let bytes = archive::pack(&sheets::tables(&content), author, now)?;
    let changes = json!({ "types": content.types.len(), "workflows": content.workflows.len() });
    tx.record(Entry::about("configuration.exported", "configuration").changes(changes)).await?;
    tx.commit().await?;
    let name = format!("configuration-opstracker-{}.zip", clock::day(now));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/zip")),
        (header::CONTENT_DISPOSITION, attachment(&name)),
    ];
    Ok((headers, bytes).into_response())
}

/// Receives an archive, checks it whole, and leads to its preview; nothing else is written.
pub async fn receive(
    State(app): State<App>,
    visitor: Visitor,
    multipart: Multipart,
) -> Result<Response> {
    Administer::check(visitor.user.as_ref().ok_or(Error::Forbidden)?)?;
    let (name, bytes) = match archive_of(multipart).await {
        Ok(found) => found,
        Err(Error::Refused(why)) => return again(&app, &visitor, vec![why]).await,
        Err(err) => return Err(err),
    };
    let workflows = nameable(&app).await?;
    let checked = {
        let _turn = TURN.acquire().await.map_err(anyhow::Error::from)?;
        tokio::task::spawn_blocking(move || check(&bytes, workflows))
            .await
            .context("reading a configuration archive")?
    };
    match checked {
        Err(reasons) => again(&app, &visitor, reasons).await,
        Ok(checked) => {
            let mut tx = Tx::begin_for(&app, &visitor).await?;
            let id = Waiting::keep(&mut tx, &name, &checked).await?;
            tx.commit_quietly("the configuration changes when the preview is confirmed").await?;
            Ok(Redirect::to(format!("{ADDRESS}/imports/{id}")).into_response())
        }
    }
}

async fn again(app: &App, visitor: &Visitor, reasons: Vec<String>) -> Result<Response> {
    let mut form = Form::default();
    let more = reasons.len().saturating_sub(TOLD);
    for reason in reasons.iter().take(TOLD) {
        form.refuse("fichier", reason.as_str());
    }
    if more > 0 {
        let others = count(more as i64, "autre erreur", "autres erreurs");
        form.refuse("fichier", format!("… et {others} au moins"));
    }
    let content = Content::current(&mut *app.db.acquire().await?).await?;
    let shell = Shell::new(app, visitor, "Configuration");
    Ok(Again(Index::new(shell, &content, form)).into_response())
}

/// The workflows of this instance that a type can name.
async fn nameable(app: &App) -> Result<HashSet<String>> {
    let all = WorkflowSummary::all(&mut *app.db.acquire().await?).await?;
    Ok(all.iter().filter(|w| w.number.is_some()).map(|w| norm(&w.name)).collect())
}

/// The whole check, envelope then content; the sentences of what is wrong.
fn check(bytes: &[u8], mut workflows: HashSet<String>) -> Result<Checked, Vec<String>> {
    let mut opened = archive::open(bytes).map_err(|refusal: Refusal| vec![refusal.sentence()])?;
    let mut remarks: Vec<String> = opened.version.migrate(&mut opened.tables).into_iter().collect();
    let (flows, mut faults) = read_workflows::workflows(&opened.tables[WORKFLOWS]);
    workflows.extend(flows.iter().map(|flow| norm(&flow.name)));
    let (types, others) = read_types::types(&opened.tables[TYPES], &workflows);
    faults.extend(others);
    if !faults.is_empty() {
        return Err(faults.iter().map(super::table::Fault::sentence).collect());
    }
    remarks.extend(left_aside(&opened.tables));
    let content = Content { types, workflows: flows };
    Ok(Checked { metadata: opened.metadata, remarks, content })
}

/// What another version wrote and this one does not know.
fn left_aside(tables: &Tables) -> Vec<String> {
    [(SEGMENTS, "jeux de segments"), (TEMPLATES, "modèles de checklists")]
        .into_iter()
        .filter(|(file, _)| tables.get(file).is_some_and(|table| !table.rows.is_empty()))
        .map(|(file, what)| {
            format!(
                "Les {what} de l’archive ({file}) ne sont pas importés : cette version n’en a pas."
            )
        })
        .collect()
}

/// The file of the form, in memory.
async fn archive_of(mut multipart: Multipart) -> Result<(String, Vec<u8>)> {
    while let Some(mut field) = multipart.next_field().await.map_err(cut)? {
        let name = crate::text::clean(field.file_name().unwrap_or_default());
        if field.name() != Some("fichier") || name.is_empty() {
            continue;
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = field.chunk().await.map_err(cut)? {
            if bytes.len() + chunk.len() > MAX_ARCHIVE {
                return Err(Error::Refused(TOO_LARGE.into()));
            }
            bytes.extend_from_slice(&chunk);
        }
        return Ok((name.chars().take(200).collect(), bytes));
    }
    Err(Error::Refused("Choisissez une archive .zip".into()))
}

fn cut(err: MultipartError) -> Error {
    match err.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Error::Refused(TOO_LARGE.into()),
        _ => Error::BadRequest("L’envoi du fichier a été interrompu. Recommencez."),
    }
}
