// SPDX-License-Identifier: EUPL-1.2
//! A choice: of a cell, a line, a column, everything in the view, or of whole rows.
use super::{query, view::View};
use crate::{
    audit::Entry,
    campaigns::{Campaign, Configure},
    db::{Id, Tx},
    imports::{
        Import, State,
        cells::{self, Scope},
        merge::Choice,
        model,
    },
    text::count,
    web::{Error, Form, Redirect, Result},
};
use axum::extract::Path;
use serde_json::{Value, json};

/// One decision: of a cell, a line, a column, everything in the view, or of whole rows.
pub async fn choose(
    mut tx: Tx,
    Path((id, import)): Path<(Id<Campaign>, Id<Import>)>,
    form: Form,
) -> Result<Redirect> {
    tx.authorize(Configure, id).await?;
    let import = model::find_to_decide(tx.conn(), id, import).await?;
    if import.state != State::Validated || import.is_working() {
        return Err(Error::Refused("Cet import n’attend plus de choix.".into()));
    }
    let view = View::from_code(&form.text("vue")).ok_or(Error::NotFound)?;
    let (said, mut trace) = match view.verdict() {
        Some(verdict) => choose_cells(&mut tx, &import, verdict, &form).await?,
        None => {
            (decide_rows(&mut tx, &import, &form).await?, json!({ "choice": form.text("choix") }))
        }
    };
    trace["view"] = view.label().into();
    tx.record(Entry::on("import.decided", "import", import.id.uuid()).campaign(id).changes(trace))
        .await?;
    tx.commit().await?;
    let back = format!("{}/differences?{}", import.url(), query(view, &form, &form.text("apres")));
    let redirect = Redirect::to(back);
    Ok(if said.is_empty() { redirect } else { redirect.flash(said) })
}

/// The choice is the last part of the button's value: `cellule=12:3:fichier`. The sentence to say,
/// and what the audit keeps.
async fn choose_cells(
    tx: &mut Tx,
    import: &Import,
    verdict: &str,
    form: &Form,
) -> Result<(String, Value)> {
    let (scope, code) =
        parse(form).ok_or_else(|| Error::Refused("Choix illisible. Rechargez la page.".into()))?;
    let choice = match code {
        "fichier" => Some(Choice::File),
        "actuelle" => Some(Choice::Here),
        _ => None,
    };
    let changed = cells::choose(tx, import.id, verdict, &scope, choice).await?;
    let mut trace = json!({ "choice": code, "cells": changed });
    match &scope {
        Scope::Cell { line, key } => {
            (trace["line"], trace["column"]) = (json!(line), json!(key));
        }
        Scope::Line(line) => trace["line"] = json!(line),
        Scope::Column(key) => trace["column"] = json!(key),
        Scope::All => {}
    }
    let said = match scope {
        Scope::Cell { .. } | Scope::Line(_) => String::new(),
        Scope::Column(_) | Scope::All => {
            format!("{}.", count(changed, "choix enregistré", "choix enregistrés"))
        }
    };
    Ok((said, trace))
}

fn parse(form: &Form) -> Option<(Scope, &str)> {
    if let Some((place, code)) = form.raw("cellule").rsplit_once(':') {
        let (line, key) = place.split_once(':')?;
        return Some((Scope::Cell { line: line.parse().ok()?, key: key.to_owned() }, code));
    }
    if let Some((line, code)) = form.raw("ligne").split_once(':') {
        return Some((Scope::Line(line.parse().ok()?), code));
    }
    let code = form.raw("toute");
    let column = form.given("colonne");
    (!code.is_empty()).then(|| (column.map_or(Scope::All, Scope::Column), code))
}

async fn decide_rows(tx: &mut Tx, import: &Import, form: &Form) -> Result<String> {
    let mut decisions = cells::decisions(tx.conn(), import.id).await?;
    let said = match form.raw("choix") {
        "annuler" => {
            decisions.cancel_vanished = true;
            "Les opérations absentes du fichier seront annulées par l’import."
        }
        "garder" => {
            decisions.cancel_vanished = false;
            "Les opérations absentes du fichier seront gardées."
        }
        "restaurer" => {
            decisions.restore_binned = true;
            "Les opérations de la corbeille seront restaurées par l’import."
        }
        "creer" => {
            decisions.restore_binned = false;
            "De nouvelles opérations seront créées."
        }
        _ => return Err(Error::Refused("Choix illisible. Rechargez la page.".into())),
    };
    cells::decide(tx, import.id, &decisions).await?;
    Ok(said.into())
}
