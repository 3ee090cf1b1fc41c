// SPDX-License-Identifier: EUPL-1.2
//! Dashboards: one aggregate per campaign, kept at most one second, however many look (RG-040, RG-043).
mod activity;
mod activity_page;
mod all;
mod arithmetic;
mod bar;
mod cache;
mod campaign;
mod figures;
mod global;

#[cfg(test)]
mod tests;

pub use self::{
    all::{ByCampaign, counts},
    arithmetic::Counts,
    bar::stacked,
    cache::{figures, forget, shared},
    campaign::{Flag, flags},
    figures::{Cell, Figures, Member, SegmentFigures},
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
