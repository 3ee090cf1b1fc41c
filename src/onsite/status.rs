// SPDX-License-Identifier: EUPL-1.2
//! The technician's gestures on his own intervention (US-403, US-404, US-409).
use super::show::again;
use crate::{
    clock,
    db::{Id, Read, Tx},
    operations::{
        self, Act, Change, Operation, Outcome, WorkOnSite, dates, offered, open_steps, transition,
    },
    web::{Again, Error, Form, Page, Redirect, Result, Shell, auth::Allowed, format},
    workflows::{self, Category, DateMode, ReasonMode, Transition, Workflow},
};
use askama::Template;
use axum::{
    extract::{Path, RawQuery},
    response::{IntoResponse, Response},
};
use sqlx::PgConnection;
use uuid::Uuid;

/// The small form of a transition that takes a reason or a date.
#[derive(Template)]
#[template(path = "onsite/status.html")]
pub struct Details {
    shell: Shell,
    url: String,
    label: String,
    transition: Transition,
    to: workflows::Status,
    form: Form,
    back: String,
    time_hint: String,
    /// Mandatory steps that are not ticked, where the transition finishes (RG-036).
    steps: Option<String>,
    /// The campaign refuses to finish with them.
    blocks: bool,
}

pub async fn page(
    mut read: Read,
    Path((id, code)): Path<(Id<Operation>, String)>,
    RawQuery(query): RawQuery,
) -> Result<Page<Details>> {
    let operation = read.authorize(WorkOnSite, id).await?;
    let workflow = Workflow::load(read.conn(), operation.campaign.workflow_version_id).await?;
    let offered = offered(&operation, &workflow, read.user());
    let transition =
        offered.into_iter().find(|t| t.code == code).ok_or_else(|| Error::Refused(stale("")))?;
    let back = Form::parse(query.unwrap_or_default().as_bytes()).text("retour");
    let form = Form::filled([("cle", Uuid::now_v7().to_string())]);
    let shell = read.shell(&transition.label);
    let page = details(shell, &operation, &workflow, transition, form, &back)?;
    Ok(Page(page.with_steps(read.conn(), &operation).await?))
}

fn details(
    shell: Shell,
    operation: &Operation,
    workflow: &Workflow,
    transition: &Transition,
    form: Form,
    back: &str,
) -> Result<Details> {
    let url = operation.onsite_url();
    Ok(Details {
        shell: shell.under("Mes interventions", "/terrain").under(&operation.label, url.clone()),
        label: operation.label.clone(),
        transition: transition.clone(),
        to: workflow.status(transition.to)?.clone(),
        form,
        back: crate::web::local(Some(back)).unwrap_or(&url).to_owned(),
        time_hint: format!("{} par défaut", format::time(operation.campaign.default_time)),
        steps: None,
        blocks: operation.campaign.finish_level == "block",
        url,
    })
}

impl Details {
    async fn with_steps(self, conn: &mut PgConnection, operation: &Operation) -> Result<Self> {
        let finishes = self.to.category == Category::Done;
        let steps = if finishes { open_steps(conn, operation).await? } else { None };
        Ok(Self { steps, ..self })
    }

    /// Nothing can be sent: the steps come first.
    fn is_held(&self) -> bool {
        self.blocks && self.steps.is_some()
    }

    fn takes_reason(&self) -> bool {
        self.transition.reason != ReasonMode::None
    }

    fn takes_date(&self) -> bool {
        matches!(self.transition.date, DateMode::Optional | DateMode::Required)
    }

    fn reason_is_required(&self) -> bool {
        self.transition.reason == ReasonMode::Required
    }

    fn date_is_required(&self) -> bool {
        self.transition.date == DateMode::Required
    }
}

pub async fn create(mut tx: Tx, Path(id): Path<Id<Operation>>, mut form: Form) -> Result<Response> {
    tx.authorize_to_change(WorkOnSite, id).await?;
    let operation = tx.authorize(Act, id).await?;
    let date = dates::typed(&mut form, &operation.campaign);
    let change = Change {
        transition: form.text("transition"),
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
        Ok(Outcome::Done(to)) => {
            let name = moved_to(&mut tx, &operation).await?;
            tx.commit().await?;
            Ok(after(&operation, &form, to, &name).into_response())
        }
        Ok(Outcome::AlreadyDone) => {
            let (name, to) = (moved_to(&mut tx, &operation).await?, operation.category);
            tx.commit_quietly("the same request again: nothing changed").await?;
            Ok(after(&operation, &form, to, &name).into_response())
        }
        Err(Error::Refused(why)) => refuse(&mut tx, &operation, form, why).await,
        Err(err) => Err(err),
    }
}

async fn moved_to(tx: &mut Tx, operation: &Operation) -> Result<String> {
    let workflow = Workflow::load(tx.conn(), operation.campaign.workflow_version_id).await?;
    let status =
        sqlx::query_scalar!("select status_id from operations where id = $1", operation.id as _)
            .fetch_one(tx.conn())
            .await?;
    Ok(workflow.status(status)?.name.clone())
}

/// From the list, back to the list; from the page, « Terminer » shows 1.5 s of feedback first (RG-022).
fn after(operation: &Operation, form: &Form, to: Category, name: &str) -> Redirect {
    let url = operation.onsite_url();
    let is_done = to == Category::Done;
    match form.given("retour").filter(|back| !back.starts_with(&url)) {
        Some(back) if is_done => Redirect::back(Some(&back), "/terrain")
            .flash(format!("Intervention terminée : {}", operation.label)),
        Some(back) => {
            Redirect::back(Some(&back), "/terrain").flash(format!("{} : {name}", operation.label))
        }
        None if is_done => Redirect::to(format!("{url}?fin=1")),
        None => Redirect::to(url).flash(format!("Statut mis à jour : {name}")),
    }
}

/// The small form again with what is wrong; or, when things have changed, the page as it is now.
async fn refuse(
    tx: &mut Tx,
    operation: &Allowed<Act, Operation>,
    mut form: Form,
    why: String,
) -> Result<Response> {
    let workflow = Workflow::load(tx.conn(), operation.campaign.workflow_version_id).await?;
    let user = tx.user()?.clone();
    let code = form.text("transition");
    let offered = offered(operation, &workflow, &user);
    let chosen = offered.into_iter().find(|t| t.code == code);
    let is_offered = chosen.is_some();
    let steps = operations::open_steps(tx.conn(), operation).await?;
    let waits = steps.as_deref() == Some(why.as_str());
    if let Some(transition) = chosen
        && (waits
            || transition.reason != ReasonMode::None
            || matches!(transition.date, DateMode::Optional | DateMode::Required))
    {
        if !why.is_empty() && !waits {
            form.refuse(if why.contains("date") { "date" } else { "motif" }, why);
        }
        let (back, shell) = (form.text("retour"), tx.shell(&transition.label));
        let page = details(shell, operation, &workflow, transition, form, &back)?;
        return Ok(Again(page.with_steps(tx.conn(), operation).await?).into_response());
    }
    let why = if is_offered { why } else { stale(&last_author(tx, operation).await?) };
    Ok(Again(again(tx, operation.id, Form::default(), Some(why)).await?).into_response())
}

/// « Modifiée par Sophie M. à 14 h 32 »
async fn last_author(tx: &mut Tx, operation: &Operation) -> Result<String> {
    let last = sqlx::query!(
        r#"select e.at, u.first_name, u.last_name from operation_events e join users u on u.id = e.actor_id
           where e.operation_id = $1 order by e.seq desc limit 1"#,
        operation.id as _
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(last.map_or_else(String::new, |e| {
        let day = if clock::day(e.at) == clock::day(tx.now()) {
            String::new()
        } else {
            format!(" le {}", format::short(clock::day(e.at)))
        };
        format!(
            " Modifiée par {}{day} à {}.",
            crate::accounts::brief_name(&e.first_name, &e.last_name),
            format::hour(e.at)
        )
    }))
}

fn stale(who: &str) -> String {
    format!("Transition non autorisée : l’intervention a changé entre-temps.{who}")
}

/// « Annuler cette action ».
pub async fn undo(mut tx: Tx, Path(id): Path<Id<Operation>>) -> Result<Response> {
    tx.authorize_to_change(WorkOnSite, id).await?;
    let operation = tx.authorize(Act, id).await?;
    match operations::undo(&mut tx, &operation).await {
        Ok(_) => {
            let name = moved_to(&mut tx, &operation).await?;
            tx.commit().await?;
            Ok(Redirect::to(operation.onsite_url())
                .flash(format!("Action annulée. Statut : {name}"))
                .into_response())
        }
        Err(Error::Refused(why)) => {
            Ok(Again(again(&mut tx, id, Form::default(), Some(why)).await?).into_response())
        }
        Err(err) => Err(err),
    }
}
