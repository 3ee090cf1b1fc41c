// SPDX-License-Identifier: EUPL-1.2
//! The list of a campaign's operations (US-301, 303, 305): one sequence ordered by segment, sort
//! key, identifier, cut into pages of 50 by cursors (docs/decisions/0005).
mod address;
mod columns;
mod cursor;
mod display;
mod filter;
mod groups;
mod heads;
mod mode;
mod page;
mod rows;
mod sort;
mod values;

#[cfg(test)]
mod tests;

pub use self::filter::Filter;
pub use self::sort::{Key as SortKey, field_key};
pub(super) use self::{
    address::Address,
    columns::create as choose_columns,
    display::Display,
    filter::Tag,
    mode::{Mode, create as choose_mode},
    page::page,
    rows::{push_rank, total},
    sort::Sort,
};

/// Rows of a page (F-05).
pub const ROWS: usize = 50;
