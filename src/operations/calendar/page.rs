// SPDX-License-Identifier: EUPL-1.2
//! `/campagnes/{id}/calendrier`: the grid and the list of the same period.
use super::{
    cells::{self, Cell, Line, Name},
    period::{Period, Span},
};
use crate::{
    campaigns::{Campaign, View, tabs},
    clock,
    dashboard::{self, Figures},
    db::{Id, Read},
    text::count,
    web::{Form, Page, Result, Shell, auth::Allowed, format},
    workflows::Status,
};
use askama::Template;
use axum::extract::{Path, RawQuery};
use chrono::{Datelike, NaiveDate, Weekday};
use std::sync::Arc;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Grid,
    List,
}

impl Shape {
    const ALL: [Self; 2] = [Self::Grid, Self::List];

    fn code(self) -> &'static str {
        match self {
            Self::Grid => "grille",
            Self::List => "liste",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Grid => "Grille",
            Self::List => "Liste",
        }
    }
}

#[derive(Template)]
#[template(path = "operations/calendar/page.html")]
pub struct Calendar {
    shell: Shell,
    campaign: Allowed<View, Campaign>,
    figures: Arc<Figures>,
    period: Period,
    shape: Shape,
    lines: Vec<Line>,
    today: NaiveDate,
}

pub async fn page(
    mut read: Read,
    Path(id): Path<Id<Campaign>>,
    RawQuery(query): RawQuery,
) -> Result<Page<Calendar>> {
    let campaign = read.authorize(View, id).await?;
    let figures = dashboard::figures(&mut read, id).await?;
    let query = Form::parse(query.unwrap_or_default().as_bytes());
    let today = clock::day(read.now());
    let period = Period::read(&query, today);
    let shape = if query.raw("forme") == "liste" { Shape::List } else { Shape::Grid };
    let names = period.span == Span::Week;
    let lines = cells::lines(read.conn(), id, &figures, period, names).await?;
    let mut shell = read
        .shell("Calendrier")
        .under("Campagnes", "/campagnes")
        .under(&campaign.name, campaign.url())
        .with_tabs(tabs(&campaign, read.user(), "calendrier"))
        .live(format!("campagne-{id}"));
    let total: u64 = lines.iter().map(Line::total).sum();
    shell.announce = count(total, "opération planifiée", "opérations planifiées");
    Ok(Page(Calendar { shell, campaign, figures, period, shape, lines, today }))
}

impl Calendar {
    fn at(&self, period: &Period, shape: &Shape) -> String {
        let form = match shape {
            Shape::Grid => "",
            Shape::List => "&forme=liste",
        };
        format!("calendrier?periode={}&le={}{form}", period.span.code(), period.first)
    }

    fn as_list(&self) -> String {
        self.at(&self.period, &Shape::List)
    }

    fn is_shape(&self, shape: &Shape) -> bool {
        self.shape == *shape
    }

    fn is_span(&self, span: &Span) -> bool {
        self.period.span == *span
    }

    fn is_today(&self, day: &NaiveDate) -> bool {
        *day == self.today
    }

    /// The same moment in another span: today's if the period holds it.
    fn spanning(&self, span: &Span) -> String {
        let day = if self.period.has(self.today) { self.today } else { self.period.first };
        self.at(&Period::of(*span, day), &self.shape)
    }

    fn now(&self) -> String {
        self.at(&Period::of(self.period.span, self.today), &self.shape)
    }

    fn previous(&self) -> String {
        self.at(&self.period.previous(), &self.shape)
    }

    fn next(&self) -> String {
        self.at(&self.period.next(), &self.shape)
    }

    fn total(&self) -> u64 {
        self.lines.iter().map(Line::total).sum()
    }

    fn of_day(&self, day: &NaiveDate) -> u64 {
        self.lines.iter().filter_map(|line| line.cell(day)).map(|cell| cell.count).sum()
    }

    /// The days that have something, for the list.
    fn busy(&self) -> Vec<NaiveDate> {
        self.period.days().filter(|day| self.of_day(day) > 0).collect()
    }

    /// The list of operations of a day.
    fn list_all(&self, day: &NaiveDate) -> String {
        let day = format::short(*day);
        format!("operations?du={day}&au={day}&tri=prevue")
    }

    /// That of one technician's day.
    fn list_of(&self, day: &NaiveDate, line: &Line) -> String {
        let who = line.technician.map_or_else(|| "aucun".into(), |id| id.to_string());
        let day = format::short(*day);
        format!("operations?technicien={who}&du={day}&au={day}&tri=prevue")
    }

    /// Where a cell leads: to its operation when it has one, to the day's list otherwise.
    fn opens(&self, cell: &Cell, day: &NaiveDate, line: &Line) -> String {
        match cell.names.as_slice() {
            [only] if cell.count == 1 => format!("operations/{}", only.id),
            _ => self.list_of(day, line),
        }
    }

    fn status(&self, name: &Name) -> Option<&Status> {
        self.figures.workflow.statuses.iter().find(|s| s.id == name.status)
    }

    /// « lun. », « 9 » ; the initial alone in a month.
    fn head(&self, day: &NaiveDate) -> [String; 2] {
        let words = ["lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."];
        let word = words[day.weekday().num_days_from_monday() as usize];
        let word = if self.is_week() { word.to_owned() } else { word[..1].to_uppercase() };
        [word, day.day().to_string()]
    }

    fn is_week(&self) -> bool {
        self.period.span == Span::Week
    }

    fn is_weekend(day: &NaiveDate) -> bool {
        matches!(day.weekday(), Weekday::Sat | Weekday::Sun)
    }

    /// The class of a day's column.
    fn class(&self, day: &NaiveDate) -> &'static str {
        if self.is_today(day) {
            "is-today"
        } else if Self::is_weekend(day) {
            "is-weekend"
        } else {
            ""
        }
    }
}
