// SPDX-License-Identifier: EUPL-1.2
//! The dashboard of a campaign (US-601, US-602, US-609).
use super::{Counts, Figures, bar, bar::Part, figures};
use crate::{
    accounts::Role,
    campaigns::{self, Campaign, Configure, View},
    clock,
    db::{Id, Read},
    prerequisites::{self, Gate},
    text::{count, number},
    web::{Page, Redirect, Result, Shell, auth::Allowed, format},
    workflows::Category,
};
use askama::Template;
use axum::extract::Path;
use chrono::{DateTime, Utc};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "dashboard/campaign.html")]
pub struct Dashboard {
    shell: Shell,
    campaign: Allowed<View, Campaign>,
    figures: Arc<Figures>,
    now: DateTime<Utc>,
    shows_team: bool,
    may_configure: bool,
    /// The closed gates (RG-094).
    gates: Vec<Gate>,
}

/// `/campagnes/{id}`
pub async fn root(mut read: Read, Path(id): Path<Id<Campaign>>) -> Result<Redirect> {
    let campaign = read.authorize(View, id).await?;
    Ok(Redirect::to(campaign.path("tableau-de-bord")))
}

pub async fn page(mut read: Read, Path(id): Path<Id<Campaign>>) -> Result<Page<Dashboard>> {
    let campaign = read.authorize(View, id).await?;
    let figures = figures(&mut read, id).await?;
    let mut shell = read
        .shell(campaign.name.clone())
        .under("Campagnes", "/campagnes")
        .with_tabs(campaigns::tabs(&campaign, read.user(), "tableau-de-bord"))
        .live(format!("campagne-{id}"));
    let (done, scope) = (figures.counts.done(), figures.counts.scope());
    shell.announce = format!(
        "{} sur {}",
        count(done, "opération réalisée", "opérations réalisées"),
        number(scope)
    );
    let gates = prerequisites::blocking(read.conn(), id).await?;
    let shows_team = !read.user().roles.only(Role::Reader);
    let may_configure = campaign.may(Configure) && !campaign.is_archived;
    Ok(Page(Dashboard {
        shell,
        figures,
        now: read.now(),
        shows_team,
        may_configure,
        campaign,
        gates,
    }))
}

/// A headline figure, which leads to the operations it counts.
struct Widget {
    category: Category,
    label: String,
    count: u64,
    share: u8,
    note: String,
    url: String,
    needs_action: bool,
}

impl Widget {
    fn percent(&self) -> String {
        format::percent(self.share)
    }
}

/// « En retard », « À surveiller », « Dans les temps »: class, icon, word.
pub type Flag = (&'static str, &'static str, &'static str);

/// The flags of a part of a campaign (RG-044).
pub fn flags(figures: &Counts, late: bool) -> Vec<Flag> {
    let mut flags = Vec::new();
    if late {
        flags.push(("blocked", "alert", "En retard"));
    }
    if figures.is_to_watch() {
        flags.push(("postponed", "clock", "À surveiller"));
    }
    flags
}

impl Dashboard {
    fn counts(&self) -> &Counts {
        &self.figures.counts
    }

    fn bar(&self) -> Vec<Part> {
        bar::stacked(self.counts())
    }

    /// The four of RG-043: « À planifier » stands for « Planifié » where there is no such status.
    fn widgets(&self) -> Vec<Widget> {
        let planned = if self.figures.workflow.has(Category::Planned) {
            Category::Planned
        } else {
            Category::Todo
        };
        [Category::Done, planned, Category::Postponed, Category::Blocked]
            .into_iter()
            .map(|category| self.widget(category))
            .collect()
    }

    fn widget(&self, category: Category) -> Widget {
        let count = self.counts().of(category);
        let note = match category {
            Category::Done => format!("+{} aujourd'hui", number(self.figures.done_today)),
            Category::Postponed => {
                format!("+{} cette semaine", number(self.figures.postponed_this_week))
            }
            _ => String::new(),
        };
        let needs_action = category == Category::Blocked && count > 0;
        Widget {
            category,
            label: capital(category.plural()),
            count,
            share: self.counts().share(category),
            note,
            url: self.list(category),
            needs_action,
        }
    }

    /// The categories that have no widget, in this workflow.
    fn others(&self) -> Vec<(Category, String)> {
        let shown: Vec<_> =
            self.widgets().iter().map(|w| w.category).chain([Category::Cancelled]).collect();
        let others = self.figures.categories().filter(|category| !shown.contains(category));
        let text = |category| {
            format!(
                "{} ({})",
                number(self.counts().of(category)),
                format::percent(self.counts().share(category))
            )
        };
        others.map(|category| (category, text(category))).collect()
    }

    fn cancelled(&self) -> u64 {
        self.counts().of(Category::Cancelled)
    }

    /// The second column of the table of segments: what the widgets count.
    fn second(&self) -> Category {
        self.widgets().get(1).map_or(Category::Planned, |w| w.category)
    }

    fn flags(&self, counts: &Counts) -> Vec<Flag> {
        flags(counts, self.figures.is_late(counts, self.now))
    }

    fn overdue(&self) -> bool {
        self.campaign.is_overdue(clock::day(self.now))
    }

    /// Operations of this category.
    fn list(&self, category: Category) -> String {
        format!("{}?categorie={}", self.campaign.path("operations"), category.code())
    }

    fn period(&self) -> String {
        format::period(self.campaign.start_date, self.campaign.end_date)
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
