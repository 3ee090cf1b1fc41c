// SPDX-License-Identifier: EUPL-1.2
//! « Différences » of a re-import (US-217): conflicts, changes, what was kept or is empty, rows that
//! the file no longer names or that are in the bin; each with what a person decides. Every button
//! writes its choice at once; nothing reaches the campaign before « Importer ».
use super::{
    Import, State,
    cells::{self, Decisions, Scope, Totals},
    merge::Choice,
    model, rows, staging,
};
use crate::{
    accounts,
    audit::Entry,
    campaigns::{self, Campaign, Configure, Field, FieldKind},
    db::{Id, Read, Tx},
    operations::values::display,
    text::{count, like_pattern, number},
    web::{Error, Form, Page, Redirect, Result, Shell, format},
    workflows::Workflow,
};
use askama::Template;
use axum::{
    extract::{Path, RawQuery},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::PgConnection;
use std::collections::HashMap;
use uuid::Uuid;

/// Lines on a page.
const LINES: i64 = 50;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    Conflicts,
    Changes,
    Kept,
    Emptied,
    Created,
    Vanished,
    Binned,
}

impl View {
    pub const ALL: [Self; 7] = [
        Self::Conflicts,
        Self::Changes,
        Self::Kept,
        Self::Emptied,
        Self::Created,
        Self::Vanished,
        Self::Binned,
    ];

    pub fn code(self) -> &'static str {
        match self {
            Self::Conflicts => "conflits",
            Self::Changes => "modifications",
            Self::Kept => "gardees",
            Self::Emptied => "vides",
            Self::Created => "creations",
            Self::Vanished => "absentes",
            Self::Binned => "corbeille",
        }
    }

    fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|view| view.code() == code)
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Conflicts => "Conflits",
            Self::Changes => "Modifications",
            Self::Kept => "Gardées à la main",
            Self::Emptied => "Vides dans le fichier",
            Self::Created => "À créer",
            Self::Vanished => "Absentes du fichier",
            Self::Binned => "Dans la corbeille",
        }
    }

    /// The verdict of its cells, for the views of cells.
    pub fn verdict(self) -> Option<&'static str> {
        match self {
            Self::Conflicts => Some("conflict"),
            Self::Changes => Some("apply"),
            Self::Kept => Some("kept"),
            Self::Emptied => Some("empty"),
            Self::Created | Self::Vanished | Self::Binned => None,
        }
    }

    /// What happens when nobody chooses.
    fn default_choice(self) -> Choice {
        if self == Self::Changes { Choice::File } else { Choice::Here }
    }

    fn explained(self) -> &'static str {
        match self {
            Self::Conflicts => {
                "Modifiées à la main depuis le dernier import, et différentes dans le fichier. Sans choix de votre part, la valeur saisie à la main est gardée."
            }
            Self::Changes => {
                "Modifiées dans le fichier, intactes ici depuis le dernier import. Sans choix de votre part, le fichier est appliqué."
            }
            Self::Kept => {
                "Modifiées à la main ; le fichier répète la valeur du dernier import. La valeur saisie à la main est gardée."
            }
            Self::Emptied => {
                "Le fichier n’a pas de valeur là où il y en a une. Rien n’est effacé, sauf si vous le demandez."
            }
            Self::Created => "Identifiants que la campagne n’a pas encore.",
            Self::Vanished => {
                "Opérations de la campagne que le fichier ne nomme plus. Elles sont gardées, sauf si vous demandez leur annulation."
            }
            Self::Binned => {
                "Identifiants du fichier qui n’existent que dans la corbeille. Ils sont créés à nouveau, sauf si vous demandez leur restauration."
            }
        }
    }
}

/// A cell as people read it.
pub struct CellLine {
    pub key: String,
    pub name: String,
    pub base: Option<String>,
    pub file: String,
    pub here: String,
    pub takes_file: bool,
    /// Chosen by a person, not by default.
    pub chosen: bool,
}

pub struct Line {
    pub line: i64,
    pub operation: Uuid,
    pub identifier: String,
    pub label: String,
    /// « Karim BENALI, le 12/03/2026 à 14 h 32 »
    pub touched: String,
    pub cells: Vec<CellLine>,
}

/// A whole row: identifier, label, what is known of it.
pub struct Whole {
    pub operation: Option<Uuid>,
    pub identifier: String,
    pub label: String,
    pub note: String,
}

/// A column of the view, with its cells.
pub struct Column {
    pub key: String,
    pub name: String,
    pub cells: i64,
    pub files: i64,
}

#[derive(Template)]
#[template(path = "imports/differences.html")]
pub struct Differences {
    shell: Shell,
    campaign: Campaign,
    import: Import,
    view: View,
    totals: Totals,
    counters: model::Counters,
    decisions: Decisions,
    columns: Vec<Column>,
    lines: Vec<Line>,
    wholes: Vec<Whole>,
    /// Of the vanished operations, those that the workflow lets cancel.
    cancellable: i64,
    form: Form,
    next: Option<String>,
}

impl Differences {
    fn views(&self) -> Vec<(View, i64)> {
        View::ALL
            .into_iter()
            .map(|view| (view, self.size(view)))
            .filter(|(view, n)| *n > 0 || *view == self.view)
            .collect()
    }

    fn size(&self, view: View) -> i64 {
        match view {
            View::Conflicts => self.totals.conflicts,
            View::Changes => self.totals.changes,
            View::Kept => self.totals.kept,
            View::Emptied => self.totals.emptied,
            View::Created => self.counters.created,
            View::Vanished => self.counters.missing,
            View::Binned => self.counters.binned,
        }
    }

    fn url(&self) -> String {
        format!("{}/differences", self.import.url())
    }

    fn query(&self, after: &str) -> String {
        query(self.view, &self.form, after)
    }

    fn is_first(&self) -> bool {
        self.form.text("apres").is_empty()
    }

    fn column_options(&self) -> Vec<(String, String)> {
        let all = (String::new(), "Toutes les colonnes".to_owned());
        let each = self
            .columns
            .iter()
            .map(|c| (c.key.clone(), format!("{} ({})", c.name, number(c.cells))));
        std::iter::once(all).chain(each).collect()
    }

    /// The column of the filter.
    fn column(&self) -> Option<&Column> {
        self.columns.iter().find(|c| c.key == self.form.text("colonne"))
    }

    fn file_label(&self) -> &'static str {
        if self.view == View::Emptied { "Effacer" } else { "Prendre le fichier" }
    }

    fn here_label(&self) -> &'static str {
        if self.view == View::Changes { "Garder l’actuelle" } else { "Garder la mienne" }
    }

    fn valid(&self) -> i64 {
        self.counters.read - self.counters.rejected
    }

    fn button(&self) -> String {
        format!("Importer {}", count(self.valid(), "ligne", "lignes"))
    }
}

fn query(view: View, form: &Form, after: &str) -> String {
    let mut out = form_urlencoded::Serializer::new(String::new());
    out.append_pair("vue", view.code());
    for name in ["colonne", "texte"] {
        if let Some(value) = form.given(name) {
            out.append_pair(name, &value);
        }
    }
    if !after.is_empty() {
        out.append_pair("apres", after);
    }
    out.finish()
}

pub async fn page(
    mut read: Read,
    Path((id, import)): Path<(Id<Campaign>, Id<Import>)>,
    RawQuery(text): RawQuery,
) -> Result<Response> {
    let campaign = read.authorize(Configure, id).await?.into_subject();
    let import = model::find(read.conn(), id, import).await?;
    let (State::Validated, false, Some(counters)) =
        (import.state, import.is_working(), import.counters.clone())
    else {
        return Ok(Redirect::to(import.url()).into_response());
    };
    let form = Form::parse(text.unwrap_or_default().as_bytes());
    let totals = cells::totals(read.conn(), import.id).await?;
    let decisions = cells::decisions(read.conn(), import.id).await?;
    let view = View::from_code(&form.text("vue")).unwrap_or(if totals.conflicts > 0 {
        View::Conflicts
    } else {
        View::Changes
    });
    let shell = read
        .shell("Différences")
        .with_tabs(campaigns::tabs(&campaign, read.user(), "imports"))
        .under("Campagnes", "/campagnes")
        .under(campaign.name.clone(), campaign.url())
        .under("Imports", campaign.path("imports"))
        .under("Vérification", format!("{}/apercu", import.url()));
    let mut page = Differences {
        shell,
        campaign,
        import,
        view,
        totals,
        counters,
        decisions,
        columns: Vec::new(),
        lines: Vec::new(),
        wholes: Vec::new(),
        cancellable: 0,
        form,
        next: None,
    };
    page.fill(read.conn()).await?;
    Ok(Page(page).into_response())
}

impl Differences {
    async fn fill(&mut self, conn: &mut PgConnection) -> Result<()> {
        match self.view.verdict() {
            Some(verdict) => self.fill_cells(conn, verdict).await,
            None => self.fill_wholes(conn).await,
        }
    }

    async fn fill_cells(&mut self, conn: &mut PgConnection, verdict: &str) -> Result<()> {
        let fields = campaigns::fields(conn, self.campaign.id).await?;
        self.columns = columns(conn, self.import.id, verdict, &fields).await?;
        let after = self.form.text("apres").parse().unwrap_or(0);
        let found = found(conn, self.import.id, verdict, &self.form, after).await?;
        let people = people(conn, &found).await?;
        for row in found {
            let words = |text: &str| said(&row.key, text, &fields, &people);
            let takes_file = row.choice.as_deref().and_then(Choice::from_code);
            let cell = CellLine {
                name: name(&row.key, &fields),
                base: row.base.as_deref().map(words),
                file: words(&row.file),
                here: words(&row.here),
                takes_file: takes_file.unwrap_or(self.view.default_choice()) == Choice::File,
                chosen: takes_file.is_some(),
                key: row.key,
            };
            match self.lines.last_mut().filter(|line| line.line == row.line) {
                Some(line) => line.cells.push(cell),
                None => self.lines.push(Line {
                    line: row.line,
                    operation: row.operation_id,
                    identifier: row.identifier,
                    label: row.label,
                    touched: touched(row.who, row.updated_at),
                    cells: vec![cell],
                }),
            }
        }
        if self.lines.len() as i64 > LINES {
            self.lines.truncate(LINES as usize);
            let last = self.lines.last().map_or_else(String::new, |line| line.line.to_string());
            self.next = Some(format!("{}?{}", self.url(), self.query(&last)));
        }
        Ok(())
    }

    async fn fill_wholes(&mut self, conn: &mut PgConnection) -> Result<()> {
        let workflow = Workflow::load(conn, self.campaign.workflow_version_id).await?;
        let statuses = rows::cancellable(&workflow);
        let after = self.form.text("apres");
        self.wholes = match self.view {
            View::Vanished => {
                self.cancellable =
                    rows::count_vanished(conn, &self.import, Some(&statuses)).await?;
                vanished(conn, &self.import, &workflow, &statuses, &after).await?
            }
            View::Binned => binned(conn, &self.import, &after).await?,
            _ => created(conn, &self.import, &after).await?,
        };
        if self.wholes.len() as i64 > LINES {
            self.wholes.truncate(LINES as usize);
            let last = self
                .wholes
                .last()
                .map_or_else(String::new, |row| crate::text::norm(&row.identifier));
            self.next = Some(format!("{}?{}", self.url(), self.query(&last)));
        }
        Ok(())
    }
}

struct Found {
    line: i64,
    operation_id: Uuid,
    key: String,
    base: Option<String>,
    file: String,
    here: String,
    choice: Option<String>,
    identifier: String,
    label: String,
    who: Option<String>,
    updated_at: DateTime<Utc>,
}

/// The cells of the lines of one page; one line more than it shows.
async fn found(
    conn: &mut PgConnection,
    import: Id<Import>,
    verdict: &str,
    form: &Form,
    after: i64,
) -> sqlx::Result<Vec<Found>> {
    let text = form.given("texte").map(|text| like_pattern(&crate::text::norm(&text)));
    sqlx::query_as!(
        Found,
        r#"with lines as (
             select distinct c.line from import_cells c join operations o on o.id = c.operation_id
             where c.import_id = $1 and c.verdict = $2 and c.line > $3 and ($4::text is null or c.key = $4)
               and ($5::text is null or o.search_text like $5) order by c.line limit $6)
           select c.line, c.operation_id, c.key, c.base, c.file, c.here, c.choice, o.identifier, o.label,
                  u.first_name || ' ' || upper(u.last_name) as who, o.updated_at
           from lines l join import_cells c on c.import_id = $1 and c.line = l.line and c.verdict = $2 and ($4::text is null or c.key = $4)
           join operations o on o.id = c.operation_id left join users u on u.id = o.updated_by
           order by c.line, lpad(c.key, 12, '0')"#,
        import as _,
        verdict,
        after,
        form.given("colonne"),
        text,
        LINES + 1
    )
    .fetch_all(conn)
    .await
}

async fn columns(
    conn: &mut PgConnection,
    import: Id<Import>,
    verdict: &str,
    fields: &[Field],
) -> sqlx::Result<Vec<Column>> {
    let rows = sqlx::query!(
        r#"select key, count(*) as "cells!", count(*) filter (where choice = 'file' or (choice is null and verdict = 'apply')) as "files!"
           from import_cells where import_id = $1 and verdict = $2 group by key order by lpad(key, 12, '0')"#,
        import as _,
        verdict
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Column {
            name: name(&row.key, fields),
            key: row.key,
            cells: row.cells,
            files: row.files,
        })
        .collect())
}

/// Names of the technicians that the cells of a page cite.
async fn people(conn: &mut PgConnection, found: &[Found]) -> sqlx::Result<HashMap<String, String>> {
    let ids: Vec<Uuid> = found
        .iter()
        .filter(|row| row.key == "technician")
        .flat_map(|row| [Some(&row.file), Some(&row.here), row.base.as_ref()])
        .filter_map(|text| text?.parse().ok())
        .collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows =
        sqlx::query!("select id, first_name, last_name from users where id = any ($1)", &ids)
            .fetch_all(conn)
            .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.id.to_string(), accounts::display_name(&row.first_name, &row.last_name)))
        .collect())
}

fn name(key: &str, fields: &[Field]) -> String {
    match key {
        "segment" => "Segment".into(),
        "date" => "Date prévue".into(),
        "technician" => "Technicien".into(),
        key => {
            fields.iter().find(|f| f.key() == key).map_or_else(|| key.into(), |f| f.label.clone())
        }
    }
}

fn said(key: &str, text: &str, fields: &[Field], people: &HashMap<String, String>) -> String {
    match key {
        "" => String::new(),
        "segment" => text.into(),
        "date" => text.parse().map_or_else(|_| text.into(), format::instant),
        "technician" => people.get(text).cloned().unwrap_or_default(),
        key => {
            let kind =
                fields.iter().find(|f| f.key() == key).map_or(FieldKind::ShortText, |f| f.kind);
            display(kind, text)
        }
    }
}

fn touched(who: Option<String>, at: DateTime<Utc>) -> String {
    format!("{}, {}", who.unwrap_or_else(|| "le programme".into()), format::instant(at))
}

async fn vanished(
    conn: &mut PgConnection,
    import: &Import,
    workflow: &Workflow,
    cancellable: &[i32],
    after: &str,
) -> Result<Vec<Whole>> {
    let statement = format!(
        "select o.id, o.identifier, o.label, o.status_id from operations o where {} and o.identifier_norm > $3
         order by o.identifier_norm limit $4",
        rows::VANISHED
    );
    let rows: Vec<(Uuid, String, String, i32)> =
        sqlx::query_as(staging::sql(import.id, &statement))
            .bind(import.campaign_id)
            .bind(import.id)
            .bind(after)
            .bind(LINES + 1)
            .fetch_all(conn)
            .await?;
    rows.into_iter()
        .map(|(id, identifier, label, status)| {
            let name = &workflow.status(status)?.name;
            let note = if cancellable.contains(&status) {
                name.clone()
            } else {
                format!("{name}, ne peut pas être annulée depuis ce statut")
            };
            Ok(Whole { operation: Some(id), identifier, label, note })
        })
        .collect()
}

async fn binned(conn: &mut PgConnection, import: &Import, after: &str) -> sqlx::Result<Vec<Whole>> {
    let rows: Vec<(String, String, DateTime<Utc>)> = sqlx::query_as(staging::sql(
        import.id,
        "select distinct on (o.identifier_norm) o.identifier, o.label, o.deleted_at from operations o join staging s on s.identifier_norm = o.identifier_norm
         where o.campaign_id = $1 and o.deleted_at > now() - interval '30 days' and not s.known and o.identifier_norm > $2
         order by o.identifier_norm, o.deleted_at desc, o.id limit $3",
    ))
    .bind(import.campaign_id)
    .bind(after)
    .bind(LINES + 1)
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(identifier, label, at)| Whole {
            operation: None,
            identifier,
            label,
            note: format!("supprimée le {}", format::instant(at)),
        })
        .collect())
}

async fn created(
    conn: &mut PgConnection,
    import: &Import,
    after: &str,
) -> sqlx::Result<Vec<Whole>> {
    let rows: Vec<(String, String, i64)> = sqlx::query_as(staging::sql(
        import.id,
        "select identifier, label, line from staging where not known and identifier_norm > $1 order by identifier_norm limit $2",
    ))
    .bind(after)
    .bind(LINES + 1)
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(identifier, label, line)| Whole {
            operation: None,
            identifier,
            label,
            note: format!("ligne {line}"),
        })
        .collect())
}

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
