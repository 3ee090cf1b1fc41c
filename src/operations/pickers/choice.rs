// SPDX-License-Identifier: EUPL-1.2
//! One searchable list of names (US-306): the technician of an operation, its segment.
//! The list carries what was there when it opened; a change by somebody else meanwhile is told (RG-180).
use super::{or_list, under};
use crate::{
    campaigns::{self, NO_SEGMENT},
    db::{Id, Read, Tx},
    operations::{
        Edit, Operation, assign as assign_to,
        at::{self, Ids},
        commands::move_to_segment,
        technicians,
    },
    text::norm,
    web::{Conflict, Error, Form, Page, Redirect, Result, Shell, auth::Allowed},
};
use askama::Template;
use axum::{
    extract::RawQuery,
    response::{IntoResponse, Response},
};
use http::HeaderMap;
use sqlx::PgConnection;
use uuid::Uuid;

#[derive(Template)]
#[template(path = "operations/pickers/choice.html")]
pub struct Names {
    shell: Shell,
    /// Address of the page, and name of the value in its form.
    url: String,
    name: &'static str,
    title: String,
    none: &'static str,
    /// (identifier, name); those that the typed text keeps.
    options: Vec<(String, String)>,
    current: String,
    typed: String,
    back: String,
    /// Somebody changed it meanwhile.
    changed: Option<String>,
}

struct Kind {
    name: &'static str,
    title: &'static str,
    none: &'static str,
}

const TECHNICIAN: Kind =
    Kind { name: "technicien", title: "Technicien", none: "— Non assigné —" };
const SEGMENT: Kind = Kind { name: "segment", title: "Segment", none: NO_SEGMENT };

impl Kind {
    async fn options(
        &self,
        conn: &mut PgConnection,
        operation: &Operation,
    ) -> sqlx::Result<Vec<(Uuid, String)>> {
        Ok(if self.name == TECHNICIAN.name {
            technicians(conn).await?.into_iter().map(|(id, name)| (id.uuid(), name)).collect()
        } else {
            campaigns::segments(conn, operation.campaign.id)
                .await?
                .into_iter()
                .map(|s| (s.id.uuid(), s.name))
                .collect()
        })
    }

    fn current(&self, operation: &Operation) -> Option<Uuid> {
        if self.name == TECHNICIAN.name {
            operation.assignee_id.map(Id::uuid)
        } else {
            operation.segment_id.map(Id::uuid)
        }
    }

    fn page(
        &self,
        shell: Shell,
        operation: &Operation,
        options: Vec<(Uuid, String)>,
        typed: String,
        back: String,
    ) -> Names {
        let wanted = norm(&typed);
        Names {
            shell: under(shell, operation),
            url: format!("{}/{}", operation.url(), self.name),
            name: self.name,
            title: format!("{} de {}", self.title, operation.label),
            none: self.none,
            options: options
                .into_iter()
                .filter(|(_, name)| norm(name).contains(&wanted))
                .map(|(id, name)| (id.to_string(), name))
                .collect(),
            current: self.current(operation).map(|id| id.to_string()).unwrap_or_default(),
            typed,
            back: or_list(back, operation),
            changed: None,
        }
    }

    async fn show(
        &self,
        mut read: Read,
        ids: Ids,
        query: Option<String>,
        headers: HeaderMap,
    ) -> Result<Page<Names>> {
        let operation = at::read(&mut read, Edit, ids).await?;
        let options = self.options(read.conn(), &operation).await?;
        let query = Form::parse(query.unwrap_or_default().as_bytes());
        let back = at::back(&query, &headers);
        Ok(Page(self.page(read.shell(self.title), &operation, options, query.text("q"), back)))
    }

    /// The page again when the value is no longer the one it showed, unless it already is the one wanted.
    async fn conflict(
        &self,
        tx: &mut Tx,
        operation: &Operation,
        form: &Form,
        wanted: Option<Uuid>,
    ) -> Result<Option<Names>> {
        let now = self.current(operation);
        let seen = form.pairs().iter().any(|(key, _)| key == "avant").then(|| form.text("avant"));
        let unchanged =
            seen.is_none_or(|seen| seen == now.map(|id| id.to_string()).unwrap_or_default());
        if unchanged || now == wanted {
            return Ok(None);
        }
        let options = self.options(tx.conn(), operation).await?;
        let now = if self.name == TECHNICIAN.name {
            &operation.assignee_name
        } else {
            &operation.segment_name
        };
        let now = now.as_deref().unwrap_or(self.none);
        let changed = format!(
            "Modifié entre-temps : la valeur est maintenant « {now} ». Choisissez de nouveau si vous voulez la remplacer."
        );
        let back = form.given("retour").unwrap_or_default();
        let page = self.page(tx.shell(self.title), operation, options, String::new(), back);
        Ok(Some(Names { changed: Some(changed), ..page }))
    }
}

/// The value chosen: an identifier, or nothing.
fn chosen(form: &Form, name: &str) -> Result<Option<Uuid>> {
    form.given(name)
        .map(|text| {
            text.parse()
                .map_err(|_| Error::BadRequest("Le choix envoyé est illisible. Rechargez la page."))
        })
        .transpose()
}

fn done(operation: &Allowed<Edit, Operation>, form: &Form, flash: &str) -> Response {
    Redirect::back(form.given("retour").as_deref(), &operation.url()).flash(flash).into_response()
}

pub async fn technician(
    read: Read,
    ids: Ids,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Page<Names>> {
    TECHNICIAN.show(read, ids, query, headers).await
}

pub async fn segment(
    read: Read,
    ids: Ids,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Page<Names>> {
    SEGMENT.show(read, ids, query, headers).await
}

pub async fn assign(mut tx: Tx, ids: Ids, form: Form) -> Result<Response> {
    let operation = at::change(&mut tx, Edit, ids).await?;
    let to = chosen(&form, TECHNICIAN.name)?;
    if let Some(page) = TECHNICIAN.conflict(&mut tx, &operation, &form, to).await? {
        return Ok(Conflict(page).into_response());
    }
    if TECHNICIAN.current(&operation) != to {
        assign_to(&mut tx, &operation, to.map(Id::from)).await?;
        tx.commit().await?;
    }
    Ok(done(
        &operation,
        &form,
        if to.is_some() { "Technicien mis à jour" } else { "Opération non assignée" },
    ))
}

pub async fn move_to(mut tx: Tx, ids: Ids, form: Form) -> Result<Response> {
    let operation = at::change(&mut tx, Edit, ids).await?;
    let to = chosen(&form, SEGMENT.name)?;
    if let Some(page) = SEGMENT.conflict(&mut tx, &operation, &form, to).await? {
        return Ok(Conflict(page).into_response());
    }
    if SEGMENT.current(&operation) != to {
        move_to_segment(&mut tx, &operation, to.map(Id::from)).await?;
        tx.commit().await?;
    }
    Ok(done(&operation, &form, "Segment mis à jour"))
}
