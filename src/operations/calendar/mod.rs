// SPDX-License-Identifier: EUPL-1.2
//! The calendar of a campaign (US-313): who has what planned on which day, by week or by month, as
//! a grid or as a list. Nothing is changed here.
mod cells;
mod page;
mod period;

#[cfg(test)]
mod tests;

use crate::web::{Access, Right, Routes};

pub fn routes() -> Routes {
    Routes::default().get("/campagnes/{id}/calendrier", Access::Campaign(Right::View), page::page)
}
