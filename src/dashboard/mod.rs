// SPDX-License-Identifier: EUPL-1.2
//! Dashboards: one aggregate per campaign, kept at most one second, however many look (RG-040, RG-043).
mod activity;
mod activity_page;
mod all;
mod arithmetic;
mod bar;
mod cache;
mod campaign;
mod chart;
mod figures;
mod forecast;
mod global;
mod pace;
mod summary;
mod working_days;

#[cfg(test)]
mod tests;

pub use self::{
    all::{ByCampaign, counts},
    arithmetic::Counts,
    bar::stacked,
    cache::{figures, forget, shared},
    figures::{Cell, Figures, Member, SegmentFigures},
    pace::Pace,
    summary::{Flag, Summary, flags},
};
use crate::{
    accounts::Role,
    web::{Access, Right, Routes},
};

const DESK: Access =
    Access::Roles(&[Role::Admin, Role::CampaignManager, Role::Reader, Role::Coordinator]);

pub fn routes() -> Routes {
    Routes::default()
        .get("/tableau-de-bord", DESK, global::page)
        .get("/campagnes/{id}", Access::Campaign(Right::View), campaign::root)
        .get("/campagnes/{id}/tableau-de-bord", Access::Campaign(Right::View), campaign::page)
        .get("/campagnes/{id}/activite", Access::Campaign(Right::View), activity_page::page)
}
