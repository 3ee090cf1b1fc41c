// SPDX-License-Identifier: EUPL-1.2
//! The page of one operation on the campaign's side (US-311): everything known of it, and what may be done.
use super::{
    Act, Edit, Operation, See, add_note,
    at::{self, Ids},
    form, history, offered, undoable, values,
};
use crate::{
    accounts,
    campaigns::{self, Field, FieldKind, Usage, tabs},
    checklists::{self, Frozen, ShownPhase},
    db::{Read, Tx},
    prerequisites::{self, Gate, Pass},
    text::count,
    web::{Again, Error, Form, Page, Redirect, Result, Shell, auth::Permits, format},
    workflows::{self, DateMode, ReasonMode, Transition, Workflow},
};
use askama::Template;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

pub struct Fact {
    pub label: String,
    pub text: String,
    /// `tel:` or `mailto:`.
    pub link: Option<String>,
}

pub struct Note {
    pub who: String,
    pub at: DateTime<Utc>,
    pub body: String,
}

struct Gesture {
    transition: Transition,
    icon: &'static str,
    /// It opens a form: a reason, a date.
    asks: bool,
}

#[derive(Template)]
#[template(path = "operations/show.html")]
pub struct Show {
    shell: Shell,
    operation: Operation,
    status: workflows::Status,
    identifier_label: String,
    facts: Vec<Fact>,
    gestures: Vec<Gesture>,
    can_edit: bool,
    can_note: bool,
    can_undo: bool,
    /// What keeps it from starting, and what it was let through (RG-094).
    gates: Vec<Gate>,
    passes: Vec<Pass>,
    key: String,
    notes: Vec<Note>,
    lines: Vec<history::Line>,
    checklist: Option<Frozen>,
    may_tick: bool,
    form: Form,
}

pub async fn page(mut read: Read, ids: Ids) -> Result<Page<Show>> {
    let operation = at::read(&mut read, See, ids).await?;
    let may_write = !operation.campaign.is_archived;
    let (can_edit, can_act) = (may_write && operation.may(Edit), may_write && operation.may(Act));
    let now = read.now();
    let (conn, user) = read.split();
    let can_undo = can_act && undoable(conn, &operation, user, now).await?;
    let shell = read.shell(&operation.label).live(format!("campagne-{}", operation.campaign.id));
    let user = read.user().clone();
    let page = load(read.conn(), shell, &operation, &user, Form::default()).await?;
    Ok(Page(Show { can_edit, can_note: can_act, can_undo, ..page }))
}

async fn load(
    conn: &mut PgConnection,
    shell: Shell,
    operation: &Operation,
    user: &accounts::User,
    form: Form,
) -> Result<Show> {
    let campaign = &operation.campaign;
    let workflow = Workflow::load(conn, campaign.workflow_version_id).await?;
    let fields = campaigns::fields(conn, campaign.id).await?;
    let gestures = offered(operation, &workflow, user)
        .into_iter()
        .map(|t| gesture(t, &workflow))
        .collect::<Result<_>>()?;
    Ok(Show {
        shell: shell
            .under("Campagnes", "/campagnes")
            .under(&campaign.name, campaign.url())
            .under("Opérations", campaign.path("operations"))
            .with_tabs(tabs(campaign, user, "operations")),
        status: workflow.status(operation.status_id)?.clone(),
        identifier_label: fields
            .iter()
            .find(|f| f.is(Usage::Identifier))
            .map(|f| f.label.clone())
            .unwrap_or_default(),
        facts: form::editable(&fields)
            .filter(|f| !f.is_column())
            .map(|f| fact(f, operation))
            .collect(),
        gestures,
        can_edit: Permits::<Edit>::permits(operation, user),
        can_note: Permits::<Act>::permits(operation, user),
        can_undo: false,
        gates: prerequisites::blocking_operation(conn, operation).await?,
        passes: prerequisites::passes(conn, operation.id).await?,
        key: Uuid::new_v4().to_string(),
        checklist: checklists::frozen(conn, operation).await?,
        may_tick: Permits::<Edit>::permits(operation, user) && !operation.campaign.is_archived,
        notes: notes(conn, operation).await?,
        lines: history::lines(conn, operation.id, &fields).await?,
        operation: operation.clone(),
        form,
    })
}

fn gesture(transition: &Transition, workflow: &Workflow) -> Result<Gesture> {
    let to = workflow.status(transition.to)?;
    Ok(Gesture {
        icon: to.category.icon(),
        asks: transition.reason != ReasonMode::None
            || matches!(transition.date, DateMode::Optional | DateMode::Required),
        transition: transition.clone(),
    })
}

pub fn fact(field: &Field, operation: &Operation) -> Fact {
    let stored = operation.value(field.number);
    let link = match field.kind {
        _ if stored.is_empty() => None,
        FieldKind::Phone => Some(format!("tel:{stored}")),
        FieldKind::Email => Some(format!("mailto:{stored}")),
        _ => None,
    };
    Fact { label: field.label.clone(), text: values::display(field.kind, stored), link }
}

pub async fn notes(conn: &mut PgConnection, operation: &Operation) -> sqlx::Result<Vec<Note>> {
    let rows = sqlx::query!(
        "select n.body, n.at, u.first_name, u.last_name from operation_notes n join users u on u.id = n.author_id
         where n.operation_id = $1 order by n.at desc, n.id desc",
        operation.id as _
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Note {
            who: accounts::display_name(&row.first_name, &row.last_name),
            at: row.at,
            body: row.body,
        })
        .collect())
}

/// Adds a note (US-410).
pub async fn note(mut tx: Tx, ids: Ids, mut form: Form) -> Result<Response> {
    let operation = at::change(&mut tx, Act, ids).await?;
    match add_note(&mut tx, &operation, form.raw("note")).await {
        Ok(()) => {
            tx.commit().await?;
            Ok(Redirect::to(operation.url()).flash("Note ajoutée").into_response())
        }
        Err(Error::Refused(why)) => {
            form.refuse("note", why);
            let (shell, user) = (tx.shell(&operation.label), tx.user()?.clone());
            Ok(Again(load(tx.conn(), shell, &operation, &user, form).await?).into_response())
        }
        Err(err) => Err(err),
    }
}

impl Show {
    // A refused step is told on a page of its own here: nothing is typed beside it again.
    fn refusal(&self, _: &Uuid) -> Option<&str> {
        None
    }

    fn typed<'a>(&self, _: &Uuid, value: &'a str) -> &'a str {
        value
    }

    fn shows_phase(&self, _: &ShownPhase) -> bool {
        false
    }

    fn ticked_at(&self, at: &DateTime<Utc>) -> String {
        format::instant(*at)
    }

    fn instant(&self, at: &Option<DateTime<Utc>>) -> String {
        at.map_or_else(|| "—".into(), format::full_instant)
    }

    fn postponed(&self) -> String {
        count(self.operation.postpone_count.unsigned_abs(), "report", "reports")
    }

    fn brief_of(&self, at: &Option<DateTime<Utc>>) -> String {
        at.map_or_else(|| "—".into(), format::instant)
    }

    fn brief(&self, at: &DateTime<Utc>) -> String {
        format::instant(*at)
    }

    fn machine(&self, at: &DateTime<Utc>) -> String {
        format::machine(*at)
    }
}
