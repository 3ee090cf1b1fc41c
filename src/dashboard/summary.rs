// SPDX-License-Identifier: EUPL-1.2
//! What a dashboard says of its figures: the same words on the screen of the campaign and on the
//! page of a share link, where nothing leads to the operations (RG-041, RG-043, RG-044).
use super::{Counts, Figures, bar, bar::Part, pace::Pace};
use crate::{text::number, web::format, workflows::Category};
use chrono::{DateTime, Utc};
use std::sync::Arc;

pub struct Summary {
    pub figures: Arc<Figures>,
    now: DateTime<Utc>,
    /// The address of the list of operations, for who may open it.
    operations: Option<String>,
}

/// A headline figure, which leads to the operations it counts.
pub struct Widget {
    pub category: Category,
    pub label: String,
    pub count: u64,
    share: u8,
    pub note: String,
    pub needs_action: bool,
}

impl Widget {
    pub fn percent(&self) -> String {
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

impl Summary {
    pub fn new(figures: Arc<Figures>, now: DateTime<Utc>, operations: Option<String>) -> Self {
        Self { figures, now, operations }
    }

    pub fn counts(&self) -> &Counts {
        &self.figures.counts
    }

    pub fn pace(&self) -> &Pace {
        &self.figures.pace
    }

    pub fn bar(&self) -> Vec<Part> {
        bar::stacked(self.counts())
    }

    /// The four of RG-043: « À planifier » stands for « Planifié » where there is no such status.
    pub fn widgets(&self) -> Vec<Widget> {
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
            Category::Done => format!("+{} aujourd'hui", number(self.pace().done_today())),
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
            needs_action,
        }
    }

    /// The categories that have no widget, in this workflow.
    pub fn others(&self) -> Vec<(Category, String)> {
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

    pub fn cancelled(&self) -> u64 {
        self.counts().of(Category::Cancelled)
    }

    /// The second column of the table of segments: what the widgets count.
    pub fn second(&self) -> Category {
        self.widgets().get(1).map_or(Category::Planned, |w| w.category)
    }

    pub fn flags(&self, counts: &Counts) -> Vec<Flag> {
        flags(counts, self.figures.is_late(counts, self.now))
    }

    /// Whether the figures lead to the operations they count.
    pub fn leads(&self) -> bool {
        self.operations.is_some()
    }

    /// What a figure is: a link, or only itself.
    pub fn tag(&self) -> &'static str {
        if self.leads() { "a" } else { "span" }
    }

    /// Operations of this category.
    pub fn list(&self, category: Category) -> Option<String> {
        self.filtered("categorie", category.code())
    }

    /// Operations of this segment.
    pub fn of_segment(&self, code: impl AsRef<str>) -> Option<String> {
        self.filtered("segment", code.as_ref())
    }

    fn filtered(&self, filter: &str, value: &str) -> Option<String> {
        self.operations.as_ref().map(|list| format!("{list}?{filter}={value}"))
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
