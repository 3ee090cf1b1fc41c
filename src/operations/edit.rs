// SPDX-License-Identifier: EUPL-1.2
//! Changing the data of an operation. Two editors of different fields are both kept; of the same
//! field, the second chooses (RG-180).
use super::{
    Edit, Operation,
    at::{self, Ids},
    commands,
    form::{self, Input},
    new::identifier,
};
use crate::{
    campaigns::{self, Field},
    db::{Id, Read, Tx},
    web::{
        Again, Conflict, Error, Form, Page, Redirect, Result, Shell, format,
        reconcile::{Clash, opened, reconcile},
    },
};
use askama::Template;
use axum::response::{IntoResponse, Response};
use sqlx::PgConnection;

#[derive(Template)]
#[template(path = "operations/edit.html")]
pub struct EditPage {
    shell: Shell,
    url: String,
    label: String,
    inputs: Vec<Input>,
    form: Form,
    clashes: Vec<Clash>,
    clash_by: String,
}

impl EditPage {
    fn new(shell: Shell, operation: &Operation, fields: &[Field], form: Form) -> Self {
        let campaign = &operation.campaign;
        Self {
            shell: shell
                .under("Campagnes", "/campagnes")
                .under(&campaign.name, campaign.url())
                .under("Opérations", campaign.path("operations"))
                .under(&operation.label, operation.url()),
            url: operation.url(),
            label: operation.label.clone(),
            inputs: form::inputs(fields),
            form,
            clashes: Vec::new(),
            clash_by: String::new(),
        }
    }

    /// What each field showed when the form was opened, carried along.
    fn before(&self, input: &Input) -> &str {
        self.form.raw(&format!("avant-{}", input.name))
    }
}

const TITLE: &str = "Modifier l’intervention";

pub async fn page(mut read: Read, ids: Ids) -> Result<Page<EditPage>> {
    let operation = at::read(&mut read, Edit, ids).await?;
    let fields = campaigns::fields(read.conn(), operation.campaign.id).await?;
    let names: Vec<String> = fields.iter().map(Field::input).collect();
    let shown =
        names.iter().zip(&fields).map(|(name, f)| (name.as_str(), form::shown(&operation, f)));
    Ok(Page(EditPage::new(read.shell(TITLE), &operation, &fields, opened(shown))))
}

pub async fn update(mut tx: Tx, ids: Ids, mut form: Form) -> Result<Response> {
    let operation = at::change(&mut tx, Edit, ids).await?;
    let fields = campaigns::fields(tx.conn(), operation.campaign.id).await?;
    let clashes = settle(&mut form, &fields, &operation);
    if !clashes.is_empty() {
        let clash_by = last_editor(tx.conn(), operation.id).await?;
        let page = EditPage::new(tx.shell(TITLE), &operation, &fields, form);
        return Ok(Conflict(EditPage { clashes, clash_by, ..page }).into_response());
    }
    let mut changed = Vec::new();
    for field in sent(&form, &fields) {
        if form.text(&field.input()) != form::shown(&operation, &field)
            && let Some(stored) = form::checked(&mut form, &field)
        {
            changed.push((field, stored));
        }
    }
    let shell = tx.shell(TITLE);
    if !form.is_valid() {
        return Ok(Again(EditPage::new(shell, &operation, &fields, form)).into_response());
    }
    match commands::edit(&mut tx, &operation, &changed).await {
        Ok(()) if changed.is_empty() => {
            Ok(Redirect::to(operation.url()).flash("Aucune modification").into_response())
        }
        Ok(()) => {
            tx.commit().await?;
            Ok(Redirect::to(operation.url()).flash("Intervention modifiée").into_response())
        }
        Err(Error::Refused(why)) => {
            form.refuse(&identifier(&fields).unwrap_or_default(), why);
            Ok(Again(EditPage::new(shell, &operation, &fields, form)).into_response())
        }
        Err(err) => Err(err),
    }
}

/// The fields that this form carries: one added meanwhile is not emptied.
fn sent(form: &Form, fields: &[Field]) -> Vec<Field> {
    let carries = |f: &&Field| form.pairs().iter().any(|(key, _)| *key == f.input());
    form::editable(fields).filter(carries).cloned().collect()
}

/// What is to be chosen between two people, each with the value both started from.
fn settle(form: &mut Form, fields: &[Field], operation: &Operation) -> Vec<Clash> {
    let sent = sent(form, fields);
    let names: Vec<(String, String)> = sent.iter().map(|f| (f.input(), f.label.clone())).collect();
    let before: Vec<String> =
        names.iter().map(|(name, _)| form.text(&format!("avant-{name}"))).collect();
    let pairs: Vec<(&str, &str)> =
        names.iter().map(|(name, label)| (name.as_str(), label.as_str())).collect();
    let stored = |name: &str| {
        sent.iter()
            .find(|f| f.input() == name)
            .map(|f| form::shown(operation, f))
            .unwrap_or_default()
    };
    let mut clashes = reconcile(form, &pairs, stored);
    for clash in &mut clashes {
        let former =
            names.iter().position(|(name, _)| *name == clash.name).and_then(|i| before.get(i));
        if let Some(former) = former.filter(|f| !f.is_empty() && **f != clash.theirs) {
            clash.label = format!("{} — ancienne valeur : {former}", clash.label);
        }
    }
    clashes
}

/// « Modifié par Sophie MARTIN le 12/03/2026 à 14 h 30 ».
async fn last_editor(conn: &mut PgConnection, operation: Id<Operation>) -> sqlx::Result<String> {
    let last = sqlx::query!(
        r#"select e.at, u.first_name as "first_name?", u.last_name as "last_name?"
           from operation_events e left join users u on u.id = e.actor_id
           where e.operation_id = $1 and e.kind in ('edited', 'imported', 'created') order by e.seq desc limit 1"#,
        operation as _
    )
    .fetch_optional(conn)
    .await?;
    Ok(match last {
        None => "Modifié par un import".into(),
        Some(last) => {
            let who = match (last.first_name, last.last_name) {
                (Some(first), Some(last)) => crate::accounts::display_name(&first, &last),
                _ => "un import".into(),
            };
            format!("Modifié entre-temps par {who} le {}", format::instant(last.at))
        }
    })
}
