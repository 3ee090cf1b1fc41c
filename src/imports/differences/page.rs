// SPDX-License-Identifier: EUPL-1.2
//! One view of the differences, fifty lines a page, read by an index.
use super::{
    found::{self, Column, Whole},
    query,
    view::View,
};
use crate::{
    campaigns::{self, Campaign, Configure},
    db::{Id, Read},
    imports::{
        Import, State,
        cells::{self, Decisions, Totals},
        merge::Choice,
        model, rows,
    },
    text::{count, number},
    web::{Form, Page, Redirect, Result, Shell, format},
    workflows::Workflow,
};
use askama::Template;
use axum::{
    extract::{Path, RawQuery},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

/// Lines on a page.
pub const LINES: i64 = 50;

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

#[derive(Template)]
#[template(path = "imports/differences/page.html")]
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
        self.columns = found::columns(conn, self.import.id, verdict, &fields).await?;
        let after = self.form.text("apres").parse().unwrap_or(0);
        let rows = found::found(conn, self.import.id, verdict, &self.form, after).await?;
        let people = found::people(conn, &rows).await?;
        for row in rows {
            let words = |text: &str| found::said(&row.key, text, &fields, &people);
            let takes_file = row.choice.as_deref().and_then(Choice::from_code);
            let cell = CellLine {
                name: found::name(&row.key, &fields),
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
                found::vanished(conn, &self.import, &workflow, &statuses, &after).await?
            }
            View::Binned => found::binned(conn, &self.import, &after).await?,
            _ => found::created(conn, &self.import, &after).await?,
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

fn touched(who: Option<String>, at: DateTime<Utc>) -> String {
    format!("{}, {}", who.unwrap_or_else(|| "le programme".into()), format::instant(at))
}
