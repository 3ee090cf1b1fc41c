// SPDX-License-Identifier: EUPL-1.2
//! « Prérequis »: the global ones, then those of each segment, with what they block (US-901, US-903).
use super::{
    at_list, commands,
    model::{self, Prerequisite, State},
};
use crate::{
    campaigns::{Campaign, Configure, Segment, View},
    clock,
    dashboard::{self, Figures},
    db::{Id, Read, Tx},
    text::number,
    web::{Form, Page, Redirect, Result, Shell, auth::Allowed, format},
    workflows::Category,
};
use askama::Template;
use axum::extract::Path;
use chrono::NaiveDate;
use std::sync::Arc;

/// How many are done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub done: u64,
    pub total: u64,
}

impl Tally {
    fn of<'a>(items: impl IntoIterator<Item = &'a Prerequisite>) -> Self {
        items.into_iter().fold(Self::default(), |sum, item| Self {
            done: sum.done + u64::from(item.state == State::Done),
            total: sum.total + 1,
        })
    }

    /// Rounded; never 100 before all are done.
    pub fn percent(self) -> u8 {
        if self.total == 0 {
            return 0;
        }
        let rounded = (self.done * 200 + self.total) / (self.total * 2);
        let most = if self.done == self.total { 100 } else { 99 };
        u8::try_from(rounded.min(most)).unwrap_or(100)
    }

    /// « 2/5 (40 %) »
    pub fn text(self) -> String {
        if self.total == 0 {
            return "Aucun".into();
        }
        format!(
            "{}/{} ({})",
            number(self.done),
            number(self.total),
            format::percent(self.percent())
        )
    }
}

/// The prerequisites of the campaign as a whole, or of one segment.
struct Section {
    segment: Option<Id<Segment>>,
    name: String,
    swatch: Option<&'static str>,
    items: Vec<Prerequisite>,
    tally: Tally,
    /// Operations of the scope that run now.
    running: u64,
}

impl Section {
    fn key(&self) -> String {
        self.segment.map_or_else(|| "global".into(), |id| id.to_string())
    }

    /// « 3 prérequis non démarrés »
    fn not_started(&self) -> Option<String> {
        let waiting = self.items.iter().filter(|p| p.state == State::Todo).count() as u64;
        (self.tally.done == 0 && waiting > 0)
            .then(|| crate::text::count(waiting, "prérequis non démarré", "prérequis non démarrés"))
    }

    /// A section where all is done folds.
    fn is_open(&self) -> bool {
        self.tally.done < self.tally.total
    }

    fn blocks_start(&self) -> bool {
        self.items.iter().any(|p| p.gate_start && p.blocks())
    }

    fn is_last(&self, index: &usize) -> bool {
        index + 1 == self.items.len()
    }
}

#[derive(Template)]
#[template(path = "prerequisites/list.html")]
pub struct List {
    shell: Shell,
    campaign: Allowed<View, Campaign>,
    global: Section,
    sections: Vec<Section>,
    today: NaiveDate,
    can_configure: bool,
}

impl List {
    fn of_segments(&self) -> Tally {
        self.sections.iter().fold(Tally::default(), |sum, s| Tally {
            done: sum.done + s.tally.done,
            total: sum.total + s.tally.total,
        })
    }

    fn all(&self) -> Tally {
        let segments = self.of_segments();
        Tally {
            done: self.global.tally.done + segments.done,
            total: self.global.tally.total + segments.total,
        }
    }

    /// « Prérequis faits », in the summary: (label, tally).
    fn summary(&self) -> [(&'static str, Tally); 3] {
        [
            ("Globaux", self.global.tally),
            ("Des segments", self.of_segments()),
            ("Total", self.all()),
        ]
    }

    fn url(&self, item: &Prerequisite) -> String {
        self.campaign.path(&format!("prerequis/{}", item.id))
    }

    fn target(&self, item: &Prerequisite) -> String {
        item.target.map_or_else(|| "—".into(), format::long)
    }
}

fn section(
    figures: &Figures,
    all: &mut Vec<Prerequisite>,
    segment: Option<(Id<Segment>, &str, Option<&'static str>)>,
) -> Section {
    let id = segment.map(|s| s.0);
    let items: Vec<_> = all.extract_if(.., |p| p.segment == id).collect();
    let running = match id {
        None => figures.counts.of(Category::InProgress),
        Some(_) => figures
            .segments
            .iter()
            .find(|s| s.id == id)
            .map_or(0, |s| s.counts.of(Category::InProgress)),
    };
    Section {
        segment: id,
        name: segment.map_or("Campagne", |s| s.1).to_owned(),
        swatch: segment.and_then(|s| s.2),
        tally: Tally::of(&items),
        items,
        running,
    }
}

pub async fn page(mut read: Read, Path(id): Path<Id<Campaign>>) -> Result<Page<List>> {
    let campaign = read.authorize(View, id).await?;
    let figures: Arc<Figures> = dashboard::figures(&mut read, id).await?;
    let mut all = model::of_campaign(read.conn(), id).await?;
    let global = section(&figures, &mut all, None);
    let named = figures.segments.iter().filter_map(|s| Some((s.id?, s.name.as_str(), s.swatch())));
    let sections = named.map(|segment| section(&figures, &mut all, Some(segment))).collect();
    let shell =
        at_list(read.shell("Prérequis"), &campaign, read.user()).live(format!("campagne-{id}"));
    let can_configure = campaign.may(Configure) && !campaign.is_archived;
    let today = clock::day(read.now());
    Ok(Page(List { shell, campaign, global, sections, today, can_configure }))
}

pub async fn reorder(
    mut tx: Tx,
    Path((id, prerequisite)): Path<(Id<Campaign>, Id<Prerequisite>)>,
    form: Form,
) -> Result<Redirect> {
    let campaign = tx.authorize(Configure, id).await?;
    let stored = model::find(tx.conn(), id, prerequisite).await?;
    let (place, count) =
        commands::move_one(&mut tx, &campaign, &stored, form.has("sens", "haut")).await?;
    tx.commit().await?;
    let text = format!("« {} » déplacé en position {place} sur {count}.", stored.label);
    Ok(Redirect::to(campaign.path("prerequis")).flash(text))
}

#[cfg(test)]
mod tests {
    use super::Tally;

    #[test]
    fn us_901_the_summary_of_a_scope() {
        for (done, total, text) in [
            (2, 5, "2/5 (40\u{a0}%)"),
            (0, 3, "0/3 (0\u{a0}%)"),
            (2, 2, "2/2 (100\u{a0}%)"),
            (1, 3, "1/3 (33\u{a0}%)"),
            (299, 300, "299/300 (99\u{a0}%)"),
            (0, 0, "Aucun"),
        ] {
            assert_eq!(Tally { done, total }.text(), text);
        }
    }
}
