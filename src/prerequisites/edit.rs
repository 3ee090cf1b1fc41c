// SPDX-License-Identifier: EUPL-1.2
//! Adding a prerequisite to the campaign or to one segment, and changing it (US-902, US-904, RG-180).
use super::{
    commands::{self, warning},
    model::{self, Declared, Prerequisite, lock},
    under_list,
};
use crate::{
    accounts::User,
    audit,
    campaigns::{Campaign, Configure, Segment, segments},
    db::{Id, Read, Tx},
    web::{
        Again, Conflict, Error, Form, Page, Redirect, Result, Shell,
        auth::Allowed,
        format,
        reconcile::{Clash, opened, reconcile},
    },
};
use askama::Template;
use axum::{
    extract::{Path, RawQuery},
    response::{IntoResponse, Response},
};
use sqlx::PgConnection;

const FIELDS: [(&str, &str); 6] = [
    ("libelle", "Libellé"),
    ("responsable", "Responsable"),
    ("echeance", "Échéance"),
    ("ouverture", "Bloque l’ouverture"),
    ("demarrage", "Bloque le démarrage"),
    ("note", "Note"),
];

#[derive(Template)]
#[template(path = "prerequisites/edit.html")]
pub struct Edit {
    shell: Shell,
    campaign: Allowed<Configure, Campaign>,
    /// Absent for a new one.
    item: Option<Prerequisite>,
    segment: Option<Segment>,
    form: Form,
    clashes: Vec<Clash>,
    clash_by: String,
}

impl Edit {
    fn new(
        shell: Shell,
        user: &User,
        campaign: Allowed<Configure, Campaign>,
        (item, segment): (Option<Prerequisite>, Option<Segment>),
        form: Form,
    ) -> Self {
        let shell = under_list(shell, &campaign, user);
        let clash_by = String::new();
        Self { shell, campaign, item, segment, form, clashes: Vec::new(), clash_by }
    }

    fn action(&self) -> String {
        match &self.item {
            None => self.campaign.path("prerequis/nouveau"),
            Some(item) => self.campaign.path(&format!("prerequis/{}", item.id)),
        }
    }

    fn title(&self) -> String {
        match (&self.item, &self.segment) {
            (Some(item), _) => format!("Modifier « {} »", item.label),
            (None, Some(segment)) => format!("Nouveau prérequis pour {}", segment.name),
            (None, None) => "Nouveau prérequis global".into(),
        }
    }

    /// What the boxes bind.
    fn scope(&self) -> String {
        match &self.segment {
            Some(segment) => format!("du segment « {} »", segment.name),
            None => "de la campagne".into(),
        }
    }
}

/// The segment named by a form or an address, of this campaign.
async fn segment(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
    given: &str,
) -> Result<Option<Segment>> {
    if given.is_empty() {
        return Ok(None);
    }
    let id: Id<Segment> = given.parse().map_err(|_| Error::NotFound)?;
    let found = segments(conn, campaign).await?.into_iter().find(|s| s.id == id);
    found.map(Some).ok_or(Error::NotFound)
}

pub async fn new_page(
    mut read: Read,
    Path(id): Path<Id<Campaign>>,
    RawQuery(query): RawQuery,
) -> Result<Page<Edit>> {
    let campaign = read.authorize(Configure, id).await?;
    let query = Form::parse(query.unwrap_or_default().as_bytes());
    let segment = segment(read.conn(), id, query.raw("segment")).await?;
    let form = Form::filled(segment.as_ref().map(|s| ("segment", s.id.to_string())));
    let shell = read.shell("Nouveau prérequis");
    Ok(Page(Edit::new(shell, read.user(), campaign, (None, segment), form)))
}

pub async fn create(mut tx: Tx, Path(id): Path<Id<Campaign>>, mut form: Form) -> Result<Response> {
    let campaign = tx.authorize(Configure, id).await?;
    let segment = segment(tx.conn(), id, form.raw("segment")).await?;
    let Some(new) = Declared::parse(&mut form) else {
        let (shell, user) = (tx.shell("Nouveau prérequis"), tx.user()?.clone());
        let page = Edit::new(shell, &user, campaign, (None, segment), form);
        return Ok(Again(page).into_response());
    };
    let made = commands::create(&mut tx, &campaign, segment.as_ref().map(|s| s.id), &new).await?;
    let warning = warning(tx.conn(), id, None, made).await?;
    tx.commit().await?;
    Ok(Redirect::to(campaign.path("prerequis"))
        .flash(format!("« {} » ajouté.{warning}", new.label))
        .into_response())
}

pub async fn page(
    mut read: Read,
    Path((id, prerequisite)): Path<(Id<Campaign>, Id<Prerequisite>)>,
) -> Result<Page<Edit>> {
    let campaign = read.authorize(Configure, id).await?;
    let item = model::find(read.conn(), id, prerequisite).await?;
    let segment = of(read.conn(), id, &item).await?;
    let form = opened(FIELDS.map(|(name, _)| (name, shown(&item, name))));
    let shell = read.shell(&item.label);
    Ok(Page(Edit::new(shell, read.user(), campaign, (Some(item), segment), form)))
}

async fn of(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
    item: &Prerequisite,
) -> Result<Option<Segment>> {
    let given = item.segment.map(|id| id.to_string()).unwrap_or_default();
    segment(conn, campaign, &given).await
}

pub async fn update(
    mut tx: Tx,
    Path((id, prerequisite)): Path<(Id<Campaign>, Id<Prerequisite>)>,
    mut form: Form,
) -> Result<Response> {
    let campaign = tx.authorize(Configure, id).await?;
    let stored = lock(&mut tx, &campaign, prerequisite).await?;
    let segment = of(tx.conn(), id, &stored).await?;
    let (shell, user) = (tx.shell(&stored.label), tx.user()?.clone());
    let clashes = reconcile(&mut form, &FIELDS, |name| shown(&stored, name));
    if !clashes.is_empty() {
        let clashes = clashes.into_iter().map(said).collect();
        let clash_by =
            audit::last_editor(tx.conn(), "prerequisite", prerequisite.uuid(), "ce prérequis")
                .await?;
        let page = Edit::new(shell, &user, campaign, (Some(stored), segment), form);
        return Ok(Conflict(Edit { clashes, clash_by, ..page }).into_response());
    }
    let Some(new) = Declared::parse(&mut form) else {
        let page = Edit::new(shell, &user, campaign, (Some(stored), segment), form);
        return Ok(Again(page).into_response());
    };
    let back = Redirect::to(campaign.path("prerequis"));
    if !commands::edit(&mut tx, &campaign, &stored, &new).await? {
        return Ok(back.flash("Aucune modification.").into_response());
    }
    let warning = warning(tx.conn(), id, Some(&stored), prerequisite).await?;
    tx.commit().await?;
    Ok(back.flash(format!("« {} » enregistré.{warning}", new.label)).into_response())
}

fn shown(item: &Prerequisite, name: &str) -> String {
    let tick = |on: bool| if on { "oui".to_owned() } else { String::new() };
    match name {
        "libelle" => item.label.clone(),
        "responsable" => item.responsible.clone(),
        "echeance" => item.target.map(format::short).unwrap_or_default(),
        "ouverture" => tick(item.gate_booking),
        "demarrage" => tick(item.gate_start),
        _ => item.note.clone(),
    }
}

/// Ticks in words, in the conflict box.
fn said(clash: Clash) -> Clash {
    match clash.name.as_str() {
        "ouverture" | "demarrage" => {
            clash.said(|tick| if tick.is_empty() { "Non" } else { "Oui" }.into())
        }
        _ => clash,
    }
}
