// SPDX-License-Identifier: EUPL-1.2
//! The dashboard of all the campaigns a person sees (US-607, US-608): one query for all figures.
use super::{
    Counts,
    all::counts,
    bar::{self, Part},
    summary::{Flag, flags},
};
use crate::{
    campaigns::{self, Campaign, Create, Status},
    clock,
    db::{Id, Read},
    text::count,
    web::{Form, Page, Result, Shell, format},
};
use askama::Template;
use axum::extract::RawQuery;
use chrono::NaiveDate;

#[derive(Template)]
#[template(path = "dashboard/global.html")]
pub struct Global {
    shell: Shell,
    rows: Vec<Row>,
    /// (status, chosen, how many visible campaigns)
    statuses: Vec<(Status, bool, usize)>,
    sort: Sort,
    visible: usize,
    may_create: bool,
    total: Counts,
}

pub struct Row {
    id: Id<Campaign>,
    name: String,
    status: Status,
    end: NaiveDate,
    counts: Counts,
    flags: Vec<Flag>,
    overdue: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Date,
    Progress,
    Name,
}

impl Sort {
    const ALL: [Self; 3] = [Self::Date, Self::Progress, Self::Name];

    fn code(self) -> &'static str {
        match self {
            Self::Date => "date",
            Self::Progress => "avancement",
            Self::Name => "nom",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Date => "Échéance",
            Self::Progress => "Avancement",
            Self::Name => "Nom",
        }
    }
}

pub async fn page(mut read: Read, RawQuery(query): RawQuery) -> Result<Page<Global>> {
    let query = Form::parse(query.unwrap_or_default().as_bytes());
    let asked: Vec<Status> =
        Status::ALL.into_iter().filter(|s| query.has("statut", s.code())).collect();
    let wanted = if query.pairs().iter().any(|(name, _)| name == "statut" || name == "filtre") {
        asked
    } else {
        vec![Status::Upcoming, Status::Running]
    };
    let sort =
        Sort::ALL.into_iter().find(|sort| query.raw("tri") == sort.code()).unwrap_or(Sort::Date);
    let all = rows(&mut read).await?;
    let statuses = Status::ALL
        .map(|s| (s, wanted.contains(&s), all.iter().filter(|row| row.status == s).count()))
        .to_vec();
    let visible = all.len();
    let mut rows: Vec<Row> = all.into_iter().filter(|row| wanted.contains(&row.status)).collect();
    match sort {
        Sort::Date => rows.sort_by_key(|row| row.end),
        Sort::Progress => rows.sort_by_key(|row| row.counts.progress()),
        Sort::Name => {}
    }
    let total: Counts = rows.iter().map(|row| row.counts).sum();
    let mut shell = read.shell("Tableau de bord").live("portefeuille");
    shell.announce = count(total.done(), "opération réalisée", "opérations réalisées");
    Ok(Page(Global {
        shell,
        rows,
        statuses,
        sort,
        visible,
        may_create: Create::permits(read.user()),
        total,
    }))
}

/// Visible campaigns by name, with the figures of their own pages.
async fn rows(read: &mut Read) -> Result<Vec<Row>> {
    let now = read.now();
    let today = clock::day(now);
    let (conn, user) = read.split();
    let ids = campaigns::visible(conn, user).await?;
    let found = sqlx::query!(
        "select id, name, status, start_date, end_date from campaigns where id = any ($1) order by name_norm, id",
        &ids as _
    )
    .fetch_all(&mut *conn)
    .await?;
    let counts = counts(read, &ids).await?;
    Ok(found
        .into_iter()
        .map(|row| {
            let counts = counts.get(&row.id).copied().unwrap_or_default();
            let goes_on = matches!(row.status, Status::Upcoming | Status::Running);
            let flags = flags(&counts, counts.is_late(row.start_date, row.end_date, now));
            Row {
                id: row.id,
                name: row.name,
                status: row.status,
                end: row.end_date,
                counts,
                flags,
                overdue: goes_on && row.end_date < today,
            }
        })
        .collect())
}

impl Row {
    fn url(&self) -> String {
        format!("/campagnes/{}/tableau-de-bord", self.id)
    }

    fn bar(&self) -> Vec<Part> {
        bar::stacked(&self.counts)
    }

    fn due(&self) -> String {
        format::long(self.end)
    }
}

impl Global {
    /// The address of this page, sorted otherwise.
    fn sorted(&self, sort: Sort) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("filtre", "1");
        for (status, ..) in self.statuses.iter().filter(|(_, chosen, _)| *chosen) {
            query.append_pair("statut", status.code());
        }
        query.append_pair("tri", sort.code());
        format!("/tableau-de-bord?{}", query.finish())
    }

    fn head(&self, sort: Sort) -> (&'static str, String, bool) {
        (sort.label(), self.sorted(sort), self.sort == sort)
    }

    fn by_name(&self) -> (&'static str, String, bool) {
        self.head(Sort::Name)
    }

    fn by_progress(&self) -> (&'static str, String, bool) {
        self.head(Sort::Progress)
    }

    fn by_date(&self) -> (&'static str, String, bool) {
        self.head(Sort::Date)
    }
}
