// SPDX-License-Identifier: EUPL-1.2
//! `/terrain/{op}`: everything a technician needs of one intervention (US-402, 403, 404, 409, 410).
use super::{gesture::Gesture, plan, visit};
use crate::{
    accounts::User,
    campaigns::{self, Usage},
    checklists::{self, Frozen, ShownPhase, StepRefusal},
    clock,
    db::{Id, Read, Tx},
    operations::{
        self, Act, Fact, Note, Operation, WorkOnSite, fact, history, notes, offered, undoable,
    },
    text::count,
    web::{Again, Error, Form, Page, Result, Shell, auth::Allowed, format},
    workflows::{self, Workflow},
};
use askama::Template;
use axum::{
    extract::{Path, RawQuery},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

#[derive(Template)]
#[template(path = "onsite/show.html")]
pub struct Show {
    shell: Shell,
    operation: Operation,
    status: workflows::Status,
    facts: Vec<Fact>,
    gestures: Vec<Gesture>,
    /// « Annuler cette action », until when.
    can_undo: bool,
    notes: Vec<Note>,
    lines: Vec<history::Line>,
    form: Form,
    key: String,
    finished: Option<Finished>,
    refused: Option<String>,
    checklist: Option<Frozen>,
    may_tick: bool,
    refused_step: Option<StepRefusal>,
    now: DateTime<Utc>,
}

/// Just after « Terminer » (RG-022).
struct Finished {
    is_last: bool,
}

pub async fn page(
    mut read: Read,
    Path(id): Path<Id<Operation>>,
    RawQuery(query): RawQuery,
) -> Result<Page<Show>> {
    let operation = read.authorize(WorkOnSite, id).await?;
    let (now, may_act) = (read.now(), operation.may(Act) && !operation.campaign.is_archived);
    let shell = read.shell(&operation.label).live("terrain");
    let (conn, user) = read.split();
    let mut page = load(conn, user, shell, &operation, now).await?;
    page.can_undo = may_act && undoable(conn, &operation, user, now).await?;
    if Form::parse(query.unwrap_or_default().as_bytes()).checked("fin")
        && operation.done_at.is_some()
    {
        let today = clock::day(now);
        let left = plan::plan(visit::visits(conn, user, today).await?, today, "").todo_today;
        page.finished = Some(Finished { is_last: left == 0 });
    }
    Ok(Page(page))
}

async fn load(
    conn: &mut PgConnection,
    user: &User,
    shell: Shell,
    operation: &Operation,
    now: DateTime<Utc>,
) -> Result<Show> {
    let workflow = Workflow::load(conn, operation.campaign.workflow_version_id).await?;
    let fields = campaigns::fields(conn, operation.campaign.id).await?;
    let open = operations::open_steps(conn, operation).await?.is_some();
    let gestures = offered(operation, &workflow, user)
        .into_iter()
        .enumerate()
        .map(|(i, t)| {
            Gesture::new(t, &workflow, i == 0).map(|gesture| gesture.with_open_steps(open))
        })
        .collect::<Result<_>>()?;
    Ok(Show {
        shell,
        status: workflow.status(operation.status_id)?.clone(),
        facts: fields
            .iter()
            .filter(|f| !f.hidden && !f.is(Usage::Label))
            .map(|f| stored(f, operation))
            .collect(),
        gestures,
        can_undo: false,
        notes: notes(conn, operation).await?,
        lines: history::lines(conn, operation.id, &fields).await?,
        form: Form::default(),
        key: Uuid::now_v7().to_string(),
        finished: None,
        refused: None,
        checklist: checklists::frozen(conn, operation).await?,
        may_tick: !operation.campaign.is_archived && !operation.category.is_final(),
        refused_step: None,
        operation: operation.clone(),
        now,
    })
}

fn stored(field: &campaigns::Field, operation: &Operation) -> Fact {
    if field.is(Usage::Identifier) {
        return Fact { label: field.label.clone(), text: operation.identifier.clone(), link: None };
    }
    fact(field, operation)
}

/// The page again after a refusal, with what was typed.
///
/// # Errors
/// Any refusal that the page cannot show.
pub async fn again(
    tx: &mut Tx,
    id: Id<Operation>,
    form: Form,
    refused: Option<String>,
) -> Result<Show> {
    let operation: Allowed<WorkOnSite, Operation> = tx.authorize(WorkOnSite, id).await?;
    let (user, now) = (tx.user()?.clone(), tx.now());
    let shell = tx.shell(&operation.label);
    let mut page = load(tx.conn(), &user, shell, &operation, now).await?;
    page.can_undo =
        operations::undoable(tx.conn(), &operation, &user, now).await.map_err(Error::from)?;
    Ok(Show { form, refused, ..page })
}

/// The page again after a step that could not be ticked: told beside it.
///
/// # Errors
/// The base.
pub async fn refused_tick(
    tx: &mut Tx,
    id: Id<Operation>,
    refused: StepRefusal,
) -> Result<Response> {
    let page = again(tx, id, Form::default(), None).await?;
    let is_shown = page.checklist.iter().flat_map(|checklist| &checklist.phases).any(|phase| {
        phase.locked_by.is_none() && phase.steps.iter().any(|shown| shown.step.id == refused.step)
    });
    let page = if is_shown {
        Show { refused_step: Some(refused), ..page }
    } else {
        Show { refused: Some(refused.why), ..page }
    };
    Ok(Again(page).into_response())
}

impl Show {
    /// Why this step was refused, if it was.
    fn refusal(&self, step: &Uuid) -> Option<&str> {
        self.refused_step.as_ref().filter(|r| r.step == *step).map(|r| r.why.as_str())
    }

    /// What its field shows: what was typed and refused, or what it holds.
    fn typed<'a>(&'a self, step: &Uuid, value: &'a str) -> &'a str {
        self.refused_step.as_ref().filter(|r| r.step == *step).map_or(value, |r| r.typed.as_str())
    }

    fn shows_phase(&self, phase: &ShownPhase) -> bool {
        phase.steps.iter().any(|shown| self.refusal(&shown.step.id).is_some())
    }

    fn ticked_at(&self, at: &DateTime<Utc>) -> String {
        self.brief(at)
    }

    fn planned(&self) -> String {
        self.operation.planned_at.map_or_else(
            || "Sans date".into(),
            |at| format!("Prévue le {}", format::full_instant(at)),
        )
    }

    fn started(&self) -> Option<String> {
        self.operation.started_at.map(|at| format!("Démarrée {}", self.when(at)))
    }

    fn done(&self) -> Option<String> {
        self.operation.done_at.map(|at| format!("Réalisée {}", self.when(at)))
    }

    fn postponed(&self) -> Option<String> {
        let n = self.operation.postpone_count;
        (n > 0).then(|| {
            format!(
                "Reportée {}",
                if n == 1 { "une fois".into() } else { count(n, "fois", "fois") }
            )
        })
    }

    /// « à 14 h 04 » today, « le 10 mars, 14 h 04 » before.
    fn when(&self, at: DateTime<Utc>) -> String {
        if clock::day(at) == clock::day(self.now) {
            format!("à {}", format::hour(at))
        } else {
            format!("le {}", format::compact(at, self.now))
        }
    }

    fn brief(&self, at: &DateTime<Utc>) -> String {
        if clock::day(*at) == clock::day(self.now) {
            format::hour(*at)
        } else {
            format::compact(*at, self.now)
        }
    }

    fn machine(&self, at: &DateTime<Utc>) -> String {
        format::machine(*at)
    }
}
