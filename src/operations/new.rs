// SPDX-License-Identifier: EUPL-1.2
//! « Ajouter une intervention » (US-206): the campaign's own typed fields, segment, date, technician.
use super::{
    NewOperation, commands, dates,
    form::{self, Input},
    technicians,
};
use crate::{
    campaigns::{self, Campaign, Configure, Field, NO_SEGMENT, Usage, tabs},
    db::{Id, Read, Tx},
    web::{Again, Error, Form, Page, Redirect, Result, Shell, format},
};
use askama::Template;
use axum::{
    extract::Path,
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value};
use sqlx::PgConnection;

#[derive(Template)]
#[template(path = "operations/new.html")]
pub struct NewPage {
    shell: Shell,
    url: String,
    inputs: Vec<Input>,
    segments: Vec<(String, String)>,
    technicians: Vec<(String, String)>,
    date_label: &'static str,
    time_hint: String,
    form: Form,
}

/// What the page lists, read before anything is written: a refused insert ends the transaction.
struct Lists {
    fields: Vec<Field>,
    segments: Vec<(String, String)>,
    technicians: Vec<(String, String)>,
}

impl Lists {
    async fn load(conn: &mut PgConnection, campaign: Id<Campaign>) -> sqlx::Result<Self> {
        let none = |label: &str| [(String::new(), label.to_owned())].into_iter();
        let segments = campaigns::segments(conn, campaign)
            .await?
            .into_iter()
            .map(|s| (s.id.to_string(), s.name));
        let people = technicians(conn).await?.into_iter().map(|(id, name)| (id.to_string(), name));
        Ok(Self {
            segments: none(NO_SEGMENT).chain(segments).collect(),
            technicians: none("— Non assigné —").chain(people).collect(),
            fields: campaigns::fields(conn, campaign).await?,
        })
    }

    fn page(self, shell: Shell, campaign: &Campaign, form: Form) -> NewPage {
        NewPage {
            shell: shell
                .under("Campagnes", "/campagnes")
                .under(&campaign.name, campaign.url())
                .under("Opérations", campaign.path("operations")),
            url: campaign.path("operations"),
            inputs: form::inputs(&self.fields),
            segments: self.segments,
            technicians: self.technicians,
            date_label: "Date prévue",
            time_hint: format!("{} par défaut", format::time(campaign.default_time)),
            form,
        }
    }
}

const TITLE: &str = "Ajouter une intervention";

pub async fn page(mut read: Read, Path(campaign): Path<Id<Campaign>>) -> Result<Page<NewPage>> {
    let campaign = read.authorize(Configure, campaign).await?;
    let lists = Lists::load(read.conn(), campaign.id).await?;
    let shell = read.shell(TITLE).with_tabs(tabs(&campaign, read.user(), "operations"));
    Ok(Page(lists.page(shell, &campaign, Form::default())))
}

pub async fn create(
    mut tx: Tx,
    Path(campaign): Path<Id<Campaign>>,
    mut form: Form,
) -> Result<Response> {
    let campaign = tx.authorize(Configure, campaign).await?;
    let lists = Lists::load(tx.conn(), campaign.id).await?;
    let shell = tx.shell(TITLE).with_tabs(tabs(&campaign, tx.user()?, "operations"));
    let new = typed(&mut form, &lists, &campaign);
    let Some(new) = new.filter(|_| form.is_valid()) else {
        return Ok(Again(lists.page(shell, &campaign, form)).into_response());
    };
    let label = new.label.clone();
    match commands::create(&mut tx, &campaign, new).await {
        Ok(_) => {
            tx.commit().await?;
            Ok(Redirect::to(campaign.path("operations"))
                .flash(format!("Intervention ajoutée : {label}"))
                .into_response())
        }
        Err(Error::Refused(why)) => {
            let beside = if why.starts_with("Cette personne") {
                Some("technicien".into())
            } else {
                identifier(&lists.fields)
            };
            form.refuse(&beside.unwrap_or_default(), why);
            Ok(Again(lists.page(shell, &campaign, form)).into_response())
        }
        Err(err) => Err(err),
    }
}

/// The control of the identifier, where a duplicate is told.
pub(super) fn identifier(fields: &[Field]) -> Option<String> {
    fields.iter().find(|f| f.is(Usage::Identifier)).map(Field::input)
}

fn typed(form: &mut Form, lists: &Lists, campaign: &Campaign) -> Option<NewOperation> {
    let (mut identifier, mut label, mut values) = (String::new(), String::new(), Map::new());
    for field in form::editable(&lists.fields) {
        match form::checked(form, field) {
            Some(stored) if field.is(Usage::Identifier) => identifier = stored,
            Some(stored) if field.is(Usage::Label) => label = stored,
            Some(stored) if !stored.is_empty() => {
                values.insert(field.key(), Value::String(stored));
            }
            _ => {}
        }
    }
    let planned = dates::typed(form, campaign);
    for (name, listed) in [("segment", &lists.segments), ("technicien", &lists.technicians)] {
        let chosen = form.text(name);
        if !listed.iter().any(|(value, _)| *value == chosen) {
            form.refuse(
                name,
                if name == "segment" {
                    "Choisissez un segment de la liste."
                } else {
                    "Cette personne n’est pas technicien."
                },
            );
        }
    }
    let (segment, assignee) =
        (form.text("segment").parse().ok(), form.text("technicien").parse().ok());
    form.is_valid().then_some(NewOperation {
        identifier,
        label,
        values,
        segment,
        assignee,
        planned,
    })
}
