// SPDX-License-Identifier: EUPL-1.2
//! The editor: one form holds the whole draft. Every button saves what was typed, faults or not;
//! « Publier » refuses with each fault named (US-803, RG-062).
use super::{
    Category, DateMode, Definition, Fault, ReasonMode, StatusDraft, TransitionDraft,
    drafts::{self, Summary},
    graph::Graph,
};
use crate::{
    configuration::{Administer, ordering::Move},
    db::{Read, Tx},
    web::{Again, Conflict, Error, Form, Page, Redirect, Result, Shell, format},
};
use askama::Template;
use axum::{
    extract::{Path, RawQuery},
    response::{IntoResponse, Response},
};
use uuid::Uuid;

#[derive(Template)]
#[template(path = "workflows/draft.html")]
pub struct DraftPage {
    shell: Shell,
    workflow: Summary,
    definition: Definition,
    graph: Graph,
    /// Of the draft when the page was read: a save from an older one is a conflict.
    version: i32,
    faults: Vec<Fault>,
    /// « Publier » was refused: the faults take the focus.
    refused: bool,
    /// The field that a button just made: it takes the focus.
    place: String,
    /// Who changed the draft meanwhile, and when.
    conflict: Option<String>,
}

impl DraftPage {
    fn new(shell: Shell, workflow: Summary, definition: Definition, version: i32) -> Self {
        let mut shell = shell
            .under("Administration", "/administration")
            .under("Workflows", "/administration/workflows");
        if workflow.version.is_some() {
            shell = shell.under(&workflow.name, workflow.path());
        }
        Self {
            shell,
            graph: Graph::of(&definition),
            faults: definition.faults(),
            workflow,
            definition,
            version,
            refused: false,
            place: String::new(),
            conflict: None,
        }
    }

    fn path(&self) -> String {
        format!("{}/brouillon", self.workflow.path())
    }

    fn categories(&self) -> [Category; 7] {
        Category::ALL
    }

    fn reasons(&self) -> [ReasonMode; 3] {
        ReasonMode::ALL
    }

    fn dates(&self) -> [DateMode; 4] {
        DateMode::ALL
    }

    /// The number that « Publier » gives.
    fn next(&self) -> i32 {
        self.workflow.number.unwrap_or(0) + 1
    }

    fn fault(&self, anchor: &str) -> Option<&str> {
        self.faults.iter().find(|f| f.anchor == anchor).map(|f| f.message.as_str())
    }
}

pub async fn page(
    mut read: Read,
    Path(id): Path<Uuid>,
    RawQuery(query): RawQuery,
) -> Result<std::result::Result<Page<DraftPage>, Redirect>> {
    let workflow = Summary::find(read.conn(), id).await?;
    let Some(draft) = drafts::draft(read.conn(), id).await? else {
        return Ok(Err(Redirect::to(workflow.path())));
    };
    let shell = read.shell(format!("Brouillon de {}", workflow.name));
    let place = Form::parse(query.unwrap_or_default().as_bytes()).text("place");
    let page = DraftPage::new(shell, workflow, draft.definition, draft.version);
    Ok(Ok(Page(DraftPage { place, ..page })))
}

pub async fn open(mut tx: Tx, Path(id): Path<Uuid>) -> Result<Redirect> {
    let may = Administer::of(&tx)?;
    let workflow = drafts::lock(&mut tx, id).await?;
    drafts::open(&mut tx, &may, &workflow).await?;
    tx.commit_quietly("an existing draft is left as it is").await?;
    Ok(Redirect::to(format!("{}/brouillon", workflow.path())))
}

#[derive(Template)]
#[template(path = "workflows/discard.html")]
pub struct DiscardPage {
    shell: Shell,
    workflow: Summary,
}

pub async fn discard_page(mut read: Read, Path(id): Path<Uuid>) -> Result<Page<DiscardPage>> {
    let workflow = Summary::find(read.conn(), id).await?;
    if !workflow.has_draft {
        return Err(Error::NotFound);
    }
    let shell = read
        .shell("Abandonner un brouillon")
        .under("Administration", "/administration")
        .under("Workflows", "/administration/workflows");
    Ok(Page(DiscardPage { shell, workflow }))
}

pub async fn discard(mut tx: Tx, Path(id): Path<Uuid>) -> Result<Redirect> {
    let may = Administer::of(&tx)?;
    let workflow = drafts::lock(&mut tx, id).await?;
    let gone = drafts::discard(&mut tx, &may, &workflow).await?;
    tx.commit().await?;
    let to = if gone { "/administration/workflows".to_owned() } else { workflow.path() };
    Ok(Redirect::to(to).flash("Brouillon abandonné."))
}

pub async fn save(mut tx: Tx, Path(id): Path<Uuid>, form: Form) -> Result<Response> {
    let may = Administer::of(&tx)?;
    let workflow = drafts::lock(&mut tx, id).await?;
    let stored = drafts::draft(tx.conn(), id).await?.ok_or_else(|| {
        Error::Refused("Ce brouillon a été publié ou abandonné entre-temps.".into())
    })?;
    let mut definition = read(&form);
    let shell = tx.shell(format!("Brouillon de {}", workflow.name));
    if form.text("version") != stored.version.to_string() && definition != stored.definition {
        let said = format!(
            "{} a modifié ce brouillon le {}",
            stored.author,
            format::instant(stored.updated_at)
        );
        let page = DraftPage::new(shell, workflow, definition, stored.version);
        return Ok(Conflict(DraftPage { conflict: Some(said), ..page }).into_response());
    }
    let gesture = form.text("geste");
    if gesture == "publier" {
        drafts::save(&mut tx, &may, &workflow, &definition).await?;
        return publish(tx, &may, workflow, definition, shell).await;
    }
    let place = obey(&mut definition, &gesture);
    drafts::save(&mut tx, &may, &workflow, &definition).await?;
    tx.commit().await?;
    let place = if place.is_empty() { place } else { format!("?place={place}") };
    let to = format!("{}/brouillon{place}", workflow.path());
    Ok(Redirect::to(to).flash("Brouillon enregistré.").into_response())
}

async fn publish(
    mut tx: Tx,
    may: &Administer,
    workflow: Summary,
    definition: Definition,
    shell: Shell,
) -> Result<Response> {
    match drafts::publish(&mut tx, may, &workflow, &definition).await? {
        Ok(number) => {
            tx.commit().await?;
            Ok(Redirect::to(workflow.path())
                .flash(format!(
                    "Version {number} publiée. Les campagnes en cours gardent la leur : appliquez-la depuis leurs paramètres."
                ))
                .into_response())
        }
        Err(_) => {
            // What was typed is kept, even though it cannot be published.
            let version = drafts::draft(tx.conn(), workflow.id).await?.map_or(0, |d| d.version);
            tx.commit().await?;
            let page = DraftPage::new(shell, workflow, definition, version);
            Ok(Again(DraftPage { refused: true, ..page }).into_response())
        }
    }
}

/// Adds, removes or moves a row; the id that takes the focus, when it is not the button pressed.
fn obey(definition: &mut Definition, gesture: &str) -> String {
    let (verb, key) = gesture.split_once(':').unwrap_or((gesture, ""));
    match verb {
        "ajouter-statut" => {
            let key = definition.new_status_key();
            definition.statuses.push(StatusDraft {
                key,
                name: String::new(),
                category: Category::InProgress,
                initial: false,
            });
            format!("s-{}-nom", definition.statuses.len() - 1)
        }
        "retirer-statut" => {
            definition.remove_status(key);
            String::new()
        }
        "ajouter-transition" => {
            let key = definition.new_transition_key();
            definition.transitions.push(TransitionDraft {
                key,
                label: String::new(),
                from: Vec::new(),
                to: String::new(),
                technician: true,
                manager: true,
                reason: ReasonMode::None.code().into(),
                date: DateMode::Untouched.code().into(),
            });
            format!("t-{}-libelle", definition.transitions.len() - 1)
        }
        "retirer-transition" => {
            if let Some(n) = key.parse().ok().filter(|n| *n < definition.transitions.len()) {
                definition.transitions.remove(n);
            }
            String::new()
        }
        "monter-statut" | "descendre-statut" => {
            let how = if verb == "monter-statut" { Move::Up } else { Move::Down };
            if let Some(from) = definition.statuses.iter().position(|s| s.key == key) {
                how.apply(&mut definition.statuses, from);
            }
            String::new()
        }
        "monter-transition" | "descendre-transition" => {
            let how = if verb == "monter-transition" { Move::Up } else { Move::Down };
            // The button that was pressed moves with its transition.
            if let Some(from) = key.parse().ok().filter(|n| *n < definition.transitions.len()) {
                return format!("t-{verb}-{}", how.apply(&mut definition.transitions, from));
            }
            String::new()
        }
        _ => String::new(),
    }
}

/// The definition as typed. More rows than a workflow can have are cut: bounded whatever is sent.
fn read(form: &Form) -> Definition {
    let statuses = (0..=super::definition::MAX_STATUSES)
        .map_while(|n| {
            let key = form.given(&format!("s-{n}-cle"))?;
            Some(StatusDraft {
                initial: form.text("initial") == key,
                name: form.text(&format!("s-{n}-nom")),
                category: Category::from_code(form.raw(&format!("s-{n}-categorie")))
                    .unwrap_or(Category::InProgress),
                key,
            })
        })
        .collect();
    let mut definition = Definition { statuses, transitions: Vec::new() };
    definition.transitions = (0..=super::definition::MAX_TRANSITIONS)
        .map_while(|n| {
            let name = |part: &str| format!("t-{n}-{part}");
            let known = |key: &str| definition.status(key).is_some();
            Some(TransitionDraft {
                key: form.given(&name("cle"))?,
                label: form.text(&name("libelle")),
                from: form.all(&name("de")).filter(|key| known(key)).map(Into::into).collect(),
                to: form.given(&name("vers")).filter(|key| known(key)).unwrap_or_default(),
                technician: form.checked(&name("technicien")),
                manager: form.checked(&name("gestionnaire")),
                reason: form.text(&name("motif")),
                date: form.text(&name("date")),
            })
        })
        .collect();
    definition
}
