// SPDX-License-Identifier: EUPL-1.2
//! « Workflow » in the settings of a campaign: the version it follows, and the way to another one,
//! with the number of operations of each status before anything is written (US-803.4).
use super::{
    Category, Status, Workflow, choices,
    remap::{self, Mapping, Used},
};
use crate::{
    accounts::User,
    campaigns::{Campaign, Configure, tabs},
    db::{Id, Read, Tx},
    text::count,
    web::{Again, Error, Form, Page, Redirect, Result, Shell, auth::Allowed},
};
use askama::Template;
use axum::{
    extract::{Path, RawQuery},
    response::{IntoResponse, Response},
};
use sqlx::PgConnection;
use std::sync::Arc;
use uuid::Uuid;

#[derive(Template)]
#[template(path = "workflows/apply.html")]
pub struct ApplyPage {
    shell: Shell,
    campaign: Allowed<Configure, Campaign>,
    from: Arc<Workflow>,
    /// A newer version of the same workflow.
    newer: Option<(Uuid, i32)>,
    /// (version, name) of what can be applied.
    choices: Vec<(String, String)>,
    form: Form,
    plan: Option<Plan>,
}

/// What choosing `to` asks and does.
struct Plan {
    to: Arc<Workflow>,
    used: Vec<Used>,
    mapping: Mapping,
    /// Every used status has a successor: the effect can be shown and applied.
    effect: Vec<(Category, i64, i64)>,
}

impl Plan {
    fn total(&self) -> i64 {
        self.used.iter().map(|u| u.live).sum()
    }

    fn binned(&self) -> i64 {
        self.used.iter().map(|u| u.binned).sum()
    }

    fn is_complete(&self) -> bool {
        self.used.iter().all(|u| self.mapping.contains_key(&u.status))
    }
}

impl ApplyPage {
    async fn load(
        conn: &mut PgConnection,
        shell: Shell,
        user: &User,
        campaign: Allowed<Configure, Campaign>,
        form: Form,
    ) -> Result<Self> {
        let from = Workflow::load(conn, campaign.workflow_version_id).await?;
        let newer = newer(conn, &from).await?;
        let choices = offers(conn, &from, newer).await?;
        let plan = plan(conn, &campaign, &from, &choices, &form, Propose::Missing).await?;
        let shell = shell
            .under("Campagnes", "/campagnes")
            .under(&campaign.name, campaign.url())
            .with_tabs(tabs(&campaign, user, "parametres/workflow"));
        Ok(Self { shell, campaign, from, newer, choices, form, plan })
    }

    fn status(&self, id: &i32) -> Option<&Status> {
        self.from.status(*id).ok()
    }
}

/// The latest version of the same workflow, when the campaign follows a former one.
async fn newer(conn: &mut PgConnection, from: &Workflow) -> sqlx::Result<Option<(Uuid, i32)>> {
    let row = sqlx::query!(
        "select id, number from workflow_versions where workflow_id = $1 and number > $2 order by number desc limit 1",
        from.id,
        from.number
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| (row.id, row.number)))
}

/// What can be applied: the active workflows, and the newer version even of a retired one.
async fn offers(
    conn: &mut PgConnection,
    from: &Workflow,
    newer: Option<(Uuid, i32)>,
) -> sqlx::Result<Vec<(String, String)>> {
    let mut offers: Vec<_> =
        choices(conn).await?.into_iter().filter(|(id, _)| *id != from.version).collect();
    if let Some((id, _)) = newer
        && !offers.iter().any(|(known, _)| *known == id)
    {
        offers.push((id, from.name.clone()));
    }
    Ok(offers.into_iter().map(|(id, name)| (id.to_string(), name)).collect())
}

/// Whether statuses that the form does not name are given a successor: to be shown, never to be applied.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Propose {
    Missing,
    Nothing,
}

/// Reads `vers` and the successors typed.
async fn plan(
    conn: &mut PgConnection,
    campaign: &Campaign,
    from: &Workflow,
    choices: &[(String, String)],
    form: &Form,
    propose: Propose,
) -> Result<Option<Plan>> {
    let chosen = form.text("vers");
    let Some((version, _)) = choices.iter().find(|(id, _)| *id == chosen) else { return Ok(None) };
    let to = Workflow::load(conn, version.parse().map_err(|_| Error::NotFound)?).await?;
    let used = remap::used(conn, campaign.id).await?;
    let mapping: Mapping = used
        .iter()
        .filter_map(|used| {
            let name = format!("statut-{}", used.status);
            let typed = form.given(&name).and_then(|id| id.parse().ok());
            let target = typed.filter(|id| to.status(*id).is_ok());
            let absent = !form.pairs().iter().any(|(key, _)| *key == name);
            let target = if absent && propose == Propose::Missing {
                remap::proposed(from, &to, used.status)
            } else {
                target
            };
            target.map(|target| (used.status, target))
        })
        .collect();
    let effect = remap::effect(from, &to, &used, &mapping);
    Ok(Some(Plan { to, used, mapping, effect }))
}

pub async fn page(
    mut read: Read,
    Path(id): Path<Id<Campaign>>,
    RawQuery(query): RawQuery,
) -> Result<Page<ApplyPage>> {
    let campaign = read.authorize(Configure, id).await?;
    let form = Form::parse(query.unwrap_or_default().as_bytes());
    let (shell, user) = (read.shell("Workflow"), read.user().clone());
    Ok(Page(ApplyPage::load(read.conn(), shell, &user, campaign, form).await?))
}

pub async fn apply(mut tx: Tx, Path(id): Path<Id<Campaign>>, mut form: Form) -> Result<Response> {
    let campaign = tx.authorize(Configure, id).await?;
    let from = Workflow::load(tx.conn(), campaign.workflow_version_id).await?;
    let newer = newer(tx.conn(), &from).await?;
    let choices = offers(tx.conn(), &from, newer).await?;
    let plan = plan(tx.conn(), &campaign, &from, &choices, &form, Propose::Nothing).await?;
    let Some(plan) = plan.filter(Plan::is_complete) else {
        form.refuse(
            "vers",
            "Choisissez un workflow, puis le nouveau statut de chaque statut utilisé",
        );
        let (shell, user) = (tx.shell("Workflow"), tx.user()?.clone());
        let page = ApplyPage::load(tx.conn(), shell, &user, campaign, form).await?;
        return Ok(Again(page).into_response());
    };
    let moved = remap::apply(&mut tx, &campaign, &plan.to, &plan.mapping).await?;
    tx.commit().await?;
    Ok(Redirect::to(campaign.path("parametres/workflow"))
        .flash(format!(
            "La campagne suit « {} » v{}. {}.",
            plan.to.name,
            plan.to.number,
            count(
                moved,
                "opération a reçu son nouveau statut",
                "opérations ont reçu leur nouveau statut"
            )
        ))
        .into_response())
}
