// SPDX-License-Identifier: EUPL-1.2
//! Dashboards: one aggregate per campaign, kept at most one second, however many look (RG-040, RG-043).
mod arithmetic;
mod cache;
mod figures;

pub use self::{
    arithmetic::Counts,
    cache::{figures, forget, shared},
    figures::{Cell, Figures, Member, SegmentFigures},
};
use crate::web::Routes;

pub fn routes() -> Routes {
    Routes::default()
}
