// SPDX-License-Identifier: EUPL-1.2
//! One template: what is published, its versions and what changed from one to the next (US-504.5).
use super::{
    Compose, Definition,
    templates::{self, Draft, Summary, draft},
};
use crate::{
    db::{Read, Tx},
    web::{Error, Form, Page, Redirect, Result, Shell, format},
};
use askama::Template;
use axum::extract::Path;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

pub struct Version {
    pub number: i32,
    pub published_at: DateTime<Utc>,
    pub author: String,
    pub checklists: i64,
}

#[derive(Template)]
#[template(path = "checklists/show.html")]
pub struct TemplatePage {
    shell: Shell,
    template: Summary,
    /// The version on screen.
    number: i32,
    definition: Definition,
    /// Since the version before it.
    differences: Vec<String>,
    versions: Vec<Version>,
    draft: Option<Draft>,
}

impl TemplatePage {
    async fn load(
        conn: &mut PgConnection,
        shell: Shell,
        template: Summary,
        number: i32,
    ) -> Result<Self> {
        let definition = numbered(conn, template.id, number).await?.ok_or(Error::NotFound)?;
        let before = numbered(conn, template.id, number - 1).await?;
        let versions = sqlx::query_as!(
            Version,
            r#"select v.number, v.published_at, coalesce(u.first_name || ' ' || upper(u.last_name), 'OpsTracker') as "author!",
                      (select count(*) from checklists k where k.version_id = v.id) as "checklists!"
               from checklist_versions v left join users u on u.id = v.published_by where v.template_id = $1 order by v.number desc"#,
            template.id
        )
        .fetch_all(&mut *conn)
        .await?;
        Ok(Self {
            shell: shell.under("Modèles de checklists", "/checklists"),
            number,
            differences: before.map(|before| definition.differences(&before)).unwrap_or_default(),
            definition,
            versions,
            draft: draft(conn, template.id).await?,
            template,
        })
    }

    fn is_latest(&self) -> bool {
        self.template.number == Some(self.number)
    }
}

async fn numbered(
    conn: &mut PgConnection,
    template: Uuid,
    number: i32,
) -> Result<Option<Definition>> {
    let stored = sqlx::query_scalar!(
        "select definition from checklist_versions where template_id = $1 and number = $2",
        template,
        number
    )
    .fetch_optional(conn)
    .await?;
    Ok(stored.map(serde_json::from_value).transpose().map_err(anyhow::Error::from)?)
}

pub async fn page(
    mut read: Read,
    Path(id): Path<Uuid>,
) -> Result<std::result::Result<Page<TemplatePage>, Redirect>> {
    let template = Summary::find(read.conn(), id).await?;
    let Some(number) = template.number else {
        return Ok(Err(Redirect::to(format!("{}/brouillon", template.path()))));
    };
    let shell = read.shell(&template.name);
    Ok(Ok(Page(TemplatePage::load(read.conn(), shell, template, number).await?)))
}

pub async fn version_page(
    mut read: Read,
    Path((id, number)): Path<(Uuid, i32)>,
) -> Result<Page<TemplatePage>> {
    let template = Summary::find(read.conn(), id).await?;
    let shell = read.shell(&template.name);
    Ok(Page(TemplatePage::load(read.conn(), shell, template, number).await?))
}

pub async fn duplicate(mut tx: Tx, Path(id): Path<Uuid>) -> Result<Redirect> {
    let may = Compose::of(&tx)?;
    let template = Summary::find(tx.conn(), id).await?;
    let copy = templates::duplicate(&mut tx, &may, &template).await?;
    tx.commit().await?;
    Ok(Redirect::to(format!("/checklists/{copy}/brouillon")).flash(format!(
        "Copie de « {} », en brouillon. Modifiez-la, puis publiez-la.",
        template.name
    )))
}

pub async fn activate(mut tx: Tx, Path(id): Path<Uuid>, form: Form) -> Result<Redirect> {
    let may = Compose::of(&tx)?;
    let template = templates::lock(&mut tx, id).await?;
    let active = form.checked("actif");
    templates::set_active(&mut tx, &may, &template, active).await?;
    tx.commit().await?;
    let flash = if active {
        "Modèle proposé aux campagnes."
    } else {
        "Modèle désactivé : il n’est plus proposé, les campagnes qui le suivent continuent."
    };
    Ok(Redirect::to(template.path()).flash(flash))
}
