// SPDX-License-Identifier: EUPL-1.2
//! `/terrain`: what a technician has to do, the next one first (US-401).
use super::{
    plan::{Plan, plan},
    visit::{Visit, visits},
};
use crate::{
    campaigns::Campaign,
    clock,
    db::{Id, Read},
    text::count,
    web::{Form, Page, Result, Shell, format},
};
use askama::Template;
use axum::extract::RawQuery;
use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

#[derive(Template)]
#[template(path = "onsite/list.html")]
pub struct List {
    shell: Shell,
    plan: Plan,
    today: NaiveDate,
    now: DateTime<Utc>,
    /// The campaigns of these interventions, when there are several.
    campaigns: Vec<(Id<Campaign>, String)>,
    chosen: Option<Id<Campaign>>,
    /// Back from a finished intervention: the next one is under the finger (RG-022).
    returning: bool,
    address: String,
}

pub async fn page(mut read: Read, RawQuery(query): RawQuery) -> Result<Page<List>> {
    let query = Form::parse(query.unwrap_or_default().as_bytes());
    let now = read.now();
    let today = clock::day(now);
    let (conn, user) = read.split();
    let mut all = visits(conn, user, today).await?;
    let campaigns = campaigns(&all);
    let chosen = query
        .raw("campagne")
        .parse()
        .ok()
        .filter(|id| campaigns.iter().any(|(known, _)| known == id));
    all.retain(|visit| chosen.is_none_or(|id| visit.campaign == id));
    let plan = plan(all, today, query.raw("bloc"));
    let mut shell = read.shell("Mes interventions").live("terrain");
    shell.announce = format!(
        "{} à faire, dont {} aujourd’hui",
        count(plan.open, "intervention", "interventions"),
        plan.todo_today
    );
    let address = chosen.map_or_else(|| "/terrain".into(), |id| format!("/terrain?campagne={id}"));
    Ok(Page(List {
        shell,
        plan,
        today,
        now,
        campaigns,
        chosen,
        returning: query.checked("suite"),
        address,
    }))
}

fn campaigns(visits: &[Visit]) -> Vec<(Id<Campaign>, String)> {
    let mut campaigns: Vec<(Id<Campaign>, String)> = Vec::new();
    for visit in visits {
        if !campaigns.iter().any(|(id, _)| *id == visit.campaign) {
            campaigns.push((visit.campaign, visit.campaign_name.clone()));
        }
    }
    campaigns.sort_by(|(_, a), (_, b)| a.cmp(b));
    campaigns
}

impl List {
    fn title(&self) -> String {
        format::title(self.today)
    }

    fn several(&self) -> bool {
        self.campaigns.len() > 1
    }

    /// Makes two sendings of a form one event (RG-181).
    fn key(&self) -> String {
        Uuid::now_v7().to_string()
    }

    fn whole(&self, block: &str) -> String {
        let joint = if self.address.contains('?') { '&' } else { '?' };
        format!("{}{joint}bloc={block}#{block}", self.address)
    }

    /// « Lundi 16 mars 2026 à 9 h 00 », when nothing is left for today.
    fn next_date(&self) -> Option<String> {
        let coming = self.plan.blocks.iter().find(|block| block.id == "a-venir")?;
        coming.visits.first()?.planned_at.map(format::full_instant)
    }
}
