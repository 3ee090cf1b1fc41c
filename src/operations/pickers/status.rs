// SPDX-License-Identifier: EUPL-1.2
//! Changing the status of a row (US-304): only what is allowed now, a form when it asks a reason
//! or a date, and the undoing of one's own last action (RG-024).
use super::{or_list, under};
use crate::{
    db::{Read, Tx},
    operations::{
        Act, Change, Operation, Outcome,
        at::{self, Ids},
        dates, offered, open_steps, transition, undo as undo_last, undoable,
    },
    web::{Again, Error, Form, Page, Redirect, Result, Shell, auth::Allowed, format},
    workflows::{self, Category, DateMode, ReasonMode, Transition, Workflow},
};
use askama::Template;
use axum::{
    extract::{Path, RawQuery},
    response::{IntoResponse, Response},
};
use http::HeaderMap;
use sqlx::PgConnection;
use uuid::Uuid;

#[derive(Template)]
#[template(path = "operations/pickers/status.html")]
pub struct Menu {
    shell: Shell,
    url: String,
    label: String,
    current: workflows::Status,
    items: Vec<Item>,
    can_undo: bool,
    key: String,
    back: String,
    refused: Option<String>,
}

struct Item {
    code: String,
    /// Of the status it leads to.
    name: String,
    category: Category,
    /// « motif, date »: it asks for more on the next page.
    asks: Option<&'static str>,
}

impl Menu {
    fn new(
        shell: Shell,
        operation: &Operation,
        workflow: &Workflow,
        offered: &[&Transition],
        back: String,
    ) -> Result<Self> {
        let items = offered.iter().map(|t| {
            let to = workflow.status(t.to)?;
            Ok(Item {
                code: t.code.clone(),
                name: to.name.clone(),
                category: to.category,
                asks: asks(t),
            })
        });
        Ok(Self {
            shell: under(shell, operation),
            url: operation.url(),
            label: operation.label.clone(),
            current: workflow.status(operation.status_id)?.clone(),
            items: items.collect::<Result<_>>()?,
            can_undo: false,
            key: Uuid::new_v4().to_string(),
            back: or_list(back, operation),
            refused: None,
        })
    }
}

fn asks(transition: &Transition) -> Option<&'static str> {
    let reason = transition.reason != ReasonMode::None;
    let date = matches!(transition.date, DateMode::Optional | DateMode::Required);
    match (reason, date) {
        (true, true) => Some("motif, date"),
        (true, false) => Some("motif"),
        (false, true) => Some("date"),
        (false, false) => None,
    }
}

pub async fn page(
    mut read: Read,
    ids: Ids,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Page<Menu>> {
    let operation = at::read(&mut read, Act, ids).await?;
    let workflow = Workflow::load(read.conn(), operation.campaign.workflow_version_id).await?;
    let now = read.now();
    let (conn, user) = read.split();
    let can_undo = undoable(conn, &operation, user, now).await?;
    let offered = offered(&operation, &workflow, read.user());
    let back = at::back(&Form::parse(query.unwrap_or_default().as_bytes()), &headers);
    Ok(Page(Menu {
        can_undo,
        ..Menu::new(read.shell("Changer le statut"), &operation, &workflow, &offered, back)?
    }))
}

#[derive(Template)]
#[template(path = "operations/pickers/details.html")]
pub struct Details {
    shell: Shell,
    url: String,
    label: String,
    transition: Transition,
    to: workflows::Status,
    date_label: &'static str,
    time_hint: String,
    form: Form,
    back: String,
    /// Mandatory steps that are not ticked, where the transition finishes (RG-036).
    steps: Option<String>,
    /// Whoever configures passes over a campaign that blocks, with a reason.
    blocks: bool,
}

impl Details {
    fn new(
        shell: Shell,
        operation: &Operation,
        workflow: &Workflow,
        transition: &Transition,
        form: Form,
        back: String,
    ) -> Result<Self> {
        Ok(Self {
            shell: under(shell, operation),
            url: operation.url(),
            label: operation.label.clone(),
            transition: transition.clone(),
            to: workflow.status(transition.to)?.clone(),
            date_label: if transition.date == DateMode::Required {
                "Date prévue (obligatoire)"
            } else {
                "Nouvelle date prévue"
            },
            time_hint: format!("{} par défaut", format::time(operation.campaign.default_time)),
            back: or_list(back, operation),
            form,
            steps: None,
            blocks: operation.campaign.finish_level == "block",
        })
    }

    async fn with_steps(self, conn: &mut PgConnection, operation: &Operation) -> Result<Self> {
        let finishes = self.to.category == Category::Done;
        let steps = if finishes { open_steps(conn, operation).await? } else { None };
        Ok(Self { steps, ..self })
    }

    fn overrides(&self) -> bool {
        self.blocks && self.steps.is_some()
    }

    fn reason_label(&self) -> &'static str {
        if self.transition.reason == ReasonMode::Required || self.overrides() {
            "Motif (obligatoire)"
        } else {
            "Motif"
        }
    }

    fn takes_reason(&self) -> bool {
        self.transition.reason != ReasonMode::None || self.overrides()
    }

    fn takes_date(&self) -> bool {
        matches!(self.transition.date, DateMode::Optional | DateMode::Required)
    }
}

type Chosen = Path<(crate::db::Id<crate::campaigns::Campaign>, crate::db::Id<Operation>, String)>;

pub async fn details(
    mut read: Read,
    Path((campaign, id, code)): Chosen,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Page<Details>> {
    let operation = at::read(&mut read, Act, Path((campaign, id))).await?;
    let workflow = Workflow::load(read.conn(), operation.campaign.workflow_version_id).await?;
    let offered = offered(&operation, &workflow, read.user());
    let transition = offered
        .into_iter()
        .find(|t| t.code == code)
        .ok_or_else(|| Error::Refused("Transition non autorisée".into()))?;
    let back = at::back(&Form::parse(query.unwrap_or_default().as_bytes()), &headers);
    let form = Form::filled([("cle", Uuid::new_v4().to_string())]);
    let shell = read.shell(&transition.label);
    let details = Details::new(shell, &operation, &workflow, transition, form, back)?;
    Ok(Page(details.with_steps(read.conn(), &operation).await?))
}

/// A choice of the menu.
pub async fn create(mut tx: Tx, ids: Ids, form: Form) -> Result<Response> {
    let operation = at::change(&mut tx, Act, ids).await?;
    let code = form.text("transition");
    obey(tx, operation, code, form, false).await
}

/// The same with a reason, a date.
pub async fn create_with_details(
    mut tx: Tx,
    Path((campaign, id, code)): Chosen,
    form: Form,
) -> Result<Response> {
    let operation = at::change(&mut tx, Act, Path((campaign, id))).await?;
    obey(tx, operation, code, form, true).await
}

async fn obey(
    mut tx: Tx,
    operation: Allowed<Act, Operation>,
    code: String,
    mut form: Form,
    detailed: bool,
) -> Result<Response> {
    let workflow = Workflow::load(tx.conn(), operation.campaign.workflow_version_id).await?;
    let date = dates::typed(&mut form, &operation.campaign);
    let change = Change {
        transition: code.clone(),
        reason: form.given("motif"),
        date,
        key: form.given("cle"),
        despite_steps: form.checked("malgre"),
    };
    let outcome = if form.is_valid() {
        transition(&mut tx, &operation, change).await
    } else {
        Err(Error::Refused(String::new()))
    };
    match outcome {
        Ok(outcome) => {
            let now = sqlx::query_scalar!(
                "select status_id from operations where id = $1",
                operation.id as _
            )
            .fetch_one(tx.conn())
            .await?;
            let name = workflow.status(now)?.name.clone();
            match outcome {
                Outcome::Done(_) => tx.commit().await?,
                Outcome::AlreadyDone => {
                    tx.commit_quietly("the same request again: nothing changed").await?
                }
            }
            let back = form.given("retour");
            Ok(Redirect::back(back.as_deref(), &operation.url())
                .flash(format!("Statut mis à jour : {name}"))
                .into_response())
        }
        Err(Error::Refused(why)) => {
            refuse(&mut tx, &operation, &workflow, &code, form, why, detailed).await
        }
        Err(err) => Err(err),
    }
}

/// The form again with what is wrong, or the menu of what is allowed now.
async fn refuse(
    tx: &mut Tx,
    operation: &Operation,
    workflow: &Workflow,
    code: &str,
    mut form: Form,
    why: String,
    detailed: bool,
) -> Result<Response> {
    let offered = offered(operation, workflow, tx.user()?);
    let back = form.given("retour").unwrap_or_default();
    let steps = open_steps(tx.conn(), operation).await?;
    let waits = steps.as_deref() == Some(why.as_str());
    match offered.iter().find(|t| t.code == code) {
        Some(transition) if detailed || waits => {
            if waits && form.checked("malgre") {
                form.refuse("motif", "Indiquez un motif.");
            } else if !why.is_empty() && !waits {
                form.refuse(if why.contains("date") { "date" } else { "motif" }, why);
            }
            let shell = tx.shell(&transition.label);
            let details = Details::new(shell, operation, workflow, transition, form, back)?;
            Ok(Again(details.with_steps(tx.conn(), operation).await?).into_response())
        }
        _ => {
            let menu =
                Menu::new(tx.shell("Changer le statut"), operation, workflow, &offered, back)?;
            let why = if why.is_empty() { "Transition non autorisée".into() } else { why };
            Ok(Again(Menu { refused: Some(why), ..menu }).into_response())
        }
    }
}

/// « Annuler cette action ».
pub async fn undo(mut tx: Tx, ids: Ids, form: Form) -> Result<Redirect> {
    let operation = at::change(&mut tx, Act, ids).await?;
    let workflow = Workflow::load(tx.conn(), operation.campaign.workflow_version_id).await?;
    undo_last(&mut tx, &operation).await?;
    let now =
        sqlx::query_scalar!("select status_id from operations where id = $1", operation.id as _)
            .fetch_one(tx.conn())
            .await?;
    let name = workflow.status(now)?.name.clone();
    tx.commit().await?;
    Ok(Redirect::back(form.given("retour").as_deref(), &operation.url())
        .flash(format!("Action annulée. Statut : {name}")))
}
