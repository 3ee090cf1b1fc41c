// SPDX-License-Identifier: EUPL-1.2
//! One workflow: what is published, drawn and told; its versions; copied, retired, deleted.
use super::{
    Definition, Workflow,
    drafts::{self, Draft, Summary, draft, in_use},
    graph::Graph,
};
use crate::{
    configuration::Administer,
    db::{Read, Tx},
    web::{Error, Form, Page, Redirect, Result, Shell, format},
};
use askama::Template;
use axum::extract::Path;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

pub struct Version {
    pub id: Uuid,
    pub number: i32,
    pub published_at: DateTime<Utc>,
    pub campaigns: i64,
}

#[derive(Template)]
#[template(path = "workflows/show.html")]
pub struct WorkflowPage {
    shell: Shell,
    workflow: Summary,
    /// The version on screen.
    number: i32,
    definition: Definition,
    graph: Graph,
    versions: Vec<Version>,
    draft: Option<Draft>,
}

impl WorkflowPage {
    async fn load(
        conn: &mut PgConnection,
        shell: Shell,
        workflow: Summary,
        version: Uuid,
    ) -> Result<Self> {
        let shown = Workflow::load(conn, version).await?;
        let definition = Definition::of(&shown);
        let versions = sqlx::query_as!(
            Version,
            r#"select v.id, v.number, v.published_at, (select count(*) from campaigns c where c.workflow_version_id = v.id) as "campaigns!"
               from workflow_versions v where v.workflow_id = $1 order by v.number desc"#,
            workflow.id
        )
        .fetch_all(&mut *conn)
        .await?;
        let draft = draft(conn, workflow.id).await?;
        let shell = shell
            .under("Administration", "/administration")
            .under("Workflows", "/administration/workflows");
        Ok(Self {
            shell,
            number: shown.number,
            graph: Graph::of(&definition),
            definition,
            versions,
            draft,
            workflow,
        })
    }

    fn is_latest(&self) -> bool {
        self.workflow.number == Some(self.number)
    }
}

pub async fn page(
    mut read: Read,
    Path(id): Path<Uuid>,
) -> Result<std::result::Result<Page<WorkflowPage>, Redirect>> {
    let workflow = Summary::find(read.conn(), id).await?;
    let Some(version) = workflow.version else {
        return Ok(Err(Redirect::to(format!("{}/brouillon", workflow.path()))));
    };
    let shell = read.shell(&workflow.name);
    Ok(Ok(Page(WorkflowPage::load(read.conn(), shell, workflow, version).await?)))
}

pub async fn version_page(
    mut read: Read,
    Path((id, version)): Path<(Uuid, Uuid)>,
) -> Result<Page<WorkflowPage>> {
    let workflow = Summary::find(read.conn(), id).await?;
    let known = sqlx::query_scalar!(
        r#"select exists (select 1 from workflow_versions where id = $1 and workflow_id = $2) as "known!""#,
        version,
        id
    )
    .fetch_one(read.conn())
    .await?;
    if !known {
        return Err(Error::NotFound);
    }
    let shell = read.shell(&workflow.name);
    Ok(Page(WorkflowPage::load(read.conn(), shell, workflow, version).await?))
}

pub async fn duplicate(mut tx: Tx, Path(id): Path<Uuid>) -> Result<Redirect> {
    let may = Administer::of(&tx)?;
    let workflow = Summary::find(tx.conn(), id).await?;
    let copy = drafts::duplicate(&mut tx, &may, &workflow).await?;
    tx.commit().await?;
    Ok(Redirect::to(format!("/administration/workflows/{copy}/brouillon")).flash(format!(
        "Copie de « {} », en brouillon. Modifiez-la, puis publiez-la.",
        workflow.name
    )))
}

pub async fn activate(mut tx: Tx, Path(id): Path<Uuid>, form: Form) -> Result<Redirect> {
    let may = Administer::of(&tx)?;
    let workflow = drafts::lock(&mut tx, id).await?;
    let active = form.checked("actif");
    drafts::set_active(&mut tx, &may, &workflow, active).await?;
    tx.commit().await?;
    let flash = if active {
        "Workflow proposé aux nouvelles campagnes."
    } else {
        "Workflow désactivé : les nouvelles campagnes ne le proposent plus, les autres continuent."
    };
    Ok(Redirect::to(workflow.path()).flash(flash))
}

#[derive(Template)]
#[template(path = "workflows/deletion.html")]
pub struct DeletionPage {
    shell: Shell,
    workflow: Summary,
    refusal: Option<String>,
}

pub async fn delete_page(mut read: Read, Path(id): Path<Uuid>) -> Result<Page<DeletionPage>> {
    let workflow = Summary::find(read.conn(), id).await?;
    let shell = read
        .shell("Supprimer un workflow")
        .under("Administration", "/administration")
        .under("Workflows", "/administration/workflows")
        .under(&workflow.name, workflow.path());
    let refusal = if workflow.built_in {
        Some("Ce workflow est fourni avec OpsTracker et ne se supprime pas.".to_owned())
    } else {
        (!workflow.is_unused()).then(|| in_use(&workflow))
    };
    Ok(Page(DeletionPage { shell, workflow, refusal }))
}

pub async fn delete(mut tx: Tx, Path(id): Path<Uuid>) -> Result<Redirect> {
    let may = Administer::of(&tx)?;
    let workflow = drafts::lock(&mut tx, id).await?;
    drafts::delete(&mut tx, &may, &workflow).await?;
    tx.commit().await?;
    Ok(Redirect::to("/administration/workflows").flash(format!("« {} » supprimé.", workflow.name)))
}
