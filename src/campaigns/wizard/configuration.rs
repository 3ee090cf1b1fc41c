// SPDX-License-Identifier: EUPL-1.2
//! Step 4: workflow and default settings, then « Créer la campagne » (US-205).
use super::{information::leave_or, still_draft};
use crate::{
    campaigns::{
        Campaign, Configure,
        commands::{self, Configuration},
        settings::{FINISH_LEVELS, VISIBILITIES},
        status,
    },
    checklists, clock,
    db::{Id, Read, Tx},
    text::count,
    web::{Again, Error, Form, Page, Redirect, Result, Shell, auth::Allowed, format},
    workflows,
};
use askama::Template;
use axum::{
    extract::Path,
    response::{IntoResponse, Response},
};
use chrono::NaiveDate;
use sqlx::PgConnection;

#[derive(Template)]
#[template(path = "campaigns/wizard/configuration.html")]
pub struct ConfigurationPage {
    shell: Shell,
    step: usize,
    campaign: Allowed<Configure, Campaign>,
    form: Form,
    workflows: Vec<(String, String)>,
    checklists: Vec<(String, String)>,
    summary: Summary,
    today: NaiveDate,
}

/// What « Créer la campagne » will make.
struct Summary {
    operations: i64,
    segments: i64,
    fields: i64,
    assigned: i64,
}

impl ConfigurationPage {
    async fn load(
        conn: &mut PgConnection,
        shell: Shell,
        today: NaiveDate,
        campaign: Allowed<Configure, Campaign>,
        form: Form,
    ) -> Result<Self> {
        let workflows = workflows::choices(conn)
            .await?
            .into_iter()
            .map(|(id, name)| (id.to_string(), name))
            .collect();
        let summary = sqlx::query_as!(
            Summary,
            r#"select (select count(*) from operations where campaign_id = $1 and deleted_at is null) as "operations!",
                      (select count(*) from segments where campaign_id = $1) as "segments!",
                      (select count(*) from campaign_fields where campaign_id = $1 and deleted_at is null) as "fields!",
                      (select count(*) from operations where campaign_id = $1 and deleted_at is null and assignee_id is not null) as "assigned!""#,
            campaign.id as _
        )
        .fetch_one(&mut *conn)
        .await?;
        Ok(Self {
            shell: shell.under("Campagnes", "/campagnes"),
            step: 4,
            campaign,
            form,
            workflows,
            checklists: checklists::choices(conn).await?,
            summary,
            today,
        })
    }

    fn starts(&self) -> String {
        if self.campaign.start_date > self.today {
            format!("Elle sera « À venir » jusqu’au {}.", format::long(self.campaign.start_date))
        } else {
            "Elle sera « En cours » dès sa création.".into()
        }
    }
}

pub async fn page(mut read: Read, Path(id): Path<Id<Campaign>>) -> Result<Response> {
    let campaign = read.authorize(Configure, id).await?;
    if !campaign.is_draft {
        return Ok(Redirect::to(campaign.url()).into_response());
    }
    let checklist = sqlx::query_scalar!(
        "select checklist_version_id from campaigns where id = $1",
        campaign.id as _
    )
    .fetch_one(read.conn())
    .await?;
    let form = Form::filled([
        ("checklist", checklist.map(|id| id.to_string()).unwrap_or_default()),
        ("workflow", campaign.workflow_version_id.to_string()),
        ("niveau", campaign.finish_level.clone()),
        ("heure", campaign.default_time.format("%H:%M").to_string()),
        ("temps", if campaign.time_tracking { "oui".into() } else { String::new() }),
        ("visibilite", if campaign.is_public { "publique".into() } else { "restreinte".into() }),
    ]);
    let (shell, today) = (read.shell(&campaign.name), clock::day(read.now()));
    Ok(Page(ConfigurationPage::load(read.conn(), shell, today, campaign, form).await?)
        .into_response())
}

pub async fn create(mut tx: Tx, Path(id): Path<Id<Campaign>>, mut form: Form) -> Result<Response> {
    status::lock(&mut tx, id).await?;
    let campaign = tx.authorize_to_change(Configure, id).await?;
    still_draft(&campaign)?;
    let Some(new) = parse(&mut form) else {
        let (shell, today) = (tx.shell(&campaign.name), clock::day(tx.now()));
        return Ok(Again(ConfigurationPage::load(tx.conn(), shell, today, campaign, form).await?)
            .into_response());
    };
    if !workflows::choices(tx.conn()).await?.iter().any(|(id, _)| *id == new.workflow) {
        return Err(Error::NotFound);
    }
    let checklist = form.text("checklist");
    if !checklists::choices(tx.conn()).await?.iter().any(|(id, _)| *id == checklist) {
        return Err(Error::NotFound);
    }
    commands::configure(&mut tx, &campaign, &new).await?;
    if form.has("suite", "quitter") {
        commands::remember_step(&mut tx, &campaign, 4).await?;
        tx.commit().await?;
        return Ok(leave_or(&form, String::new()));
    }
    commands::activate(&mut tx, &campaign).await?;
    let operations = sqlx::query_scalar!(
        r#"select count(*) as "n!" from operations where campaign_id = $1 and deleted_at is null"#,
        campaign.id as _
    )
    .fetch_one(tx.conn())
    .await?;
    tx.commit().await?;
    let flash = format!("Campagne créée avec {}.", count(operations, "opération", "opérations"));
    Ok(Redirect::to(campaign.path("tableau-de-bord")).flash(flash).into_response())
}

fn parse(form: &mut Form) -> Option<Configuration> {
    let workflow = form.required("workflow").parse().ok();
    let finish_level = finish_level(form);
    let default_time = default_time(form);
    let visibility = form.text("visibilite");
    if !VISIBILITIES.iter().any(|(code, ..)| *code == visibility) {
        form.refuse("visibilite", "Ce champ est obligatoire");
    }
    let new = Configuration {
        workflow: workflow?,
        checklist: form.text("checklist").parse().ok(),
        finish_level: finish_level?,
        default_time: default_time?,
        time_tracking: form.checked("temps"),
        is_public: visibility == "publique",
    };
    form.is_valid().then_some(new)
}

/// « libre », « avertir », « bloquer » (RG-036).
pub fn finish_level(form: &mut Form) -> Option<String> {
    let level = form.text("niveau");
    let known = FINISH_LEVELS.iter().any(|(code, ..)| *code == level);
    if !known {
        form.refuse("niveau", "Ce champ est obligatoire");
    }
    known.then_some(level)
}

/// The hour of a planned date that was given none (RG-027).
pub fn default_time(form: &mut Form) -> Option<chrono::NaiveTime> {
    let text = form.required("heure");
    let time = format::parse_time(&text);
    if time.is_none() && !text.is_empty() {
        form.refuse("heure", format!("Heure invalide « {text} » (attendu : hh:mm)"));
    }
    time
}
