// SPDX-License-Identifier: EUPL-1.2
//! The dashboard of a campaign (US-601, US-602, US-609).
use super::{figures, summary::Summary};
use crate::{
    accounts::Role,
    campaigns::{self, Campaign, Configure, View},
    clock,
    db::{Id, Read},
    prerequisites::{self, Gate},
    text::{count, number},
    web::{Page, Redirect, Result, Shell, auth::Allowed, format},
};
use askama::Template;
use axum::extract::Path;
use chrono::{DateTime, Utc};

#[derive(Template)]
#[template(path = "dashboard/campaign.html")]
pub struct Dashboard {
    shell: Shell,
    campaign: Allowed<View, Campaign>,
    summary: Summary,
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
        summary: Summary::new(figures, read.now(), Some(campaign.path("operations"))),
        now: read.now(),
        shows_team,
        may_configure,
        campaign,
        gates,
    }))
}

impl Dashboard {
    fn overdue(&self) -> bool {
        self.campaign.is_overdue(clock::day(self.now))
    }

    fn period(&self) -> String {
        format::period(self.campaign.start_date, self.campaign.end_date)
    }
}
