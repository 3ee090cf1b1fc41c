// SPDX-License-Identifier: EUPL-1.2
//! How much of a file is accepted.
//! The limits of lines and of size bind the screens only; those that guard memory bind everyone.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    pub max_bytes: Option<u64>,
    /// Data lines, the empty ones apart.
    pub max_rows: Option<u64>,
    pub max_columns: usize,
    /// Characters of a header.
    pub max_header: usize,
    /// Characters of a cell; a longer one is flagged, its line stays readable.
    pub max_cell: usize,
    /// Bytes inflated from a workbook, all entries together.
    pub max_inflated: u64,
    /// Inflated bytes for one compressed byte.
    pub max_ratio: u64,
    /// Entries of a workbook.
    pub max_entries: usize,
}

impl Limits {
    /// What a person may upload: 50 MB, 100 000 data lines.
    pub const fn screens() -> Self {
        Limits { max_bytes: Some(52_428_800), max_rows: Some(100_000), ..Limits::command_line() }
    }

    /// What `opstracker import` may read: any length.
    pub const fn command_line() -> Self {
        Limits {
            max_bytes: None,
            max_rows: None,
            max_columns: 200,
            max_header: 255,
            max_cell: 10_000,
            max_inflated: 512 * 1024 * 1024,
            max_ratio: 200,
            max_entries: 1_000,
        }
    }

    /// Bytes of one record: past this it is no table, most often a quote that nobody closes.
    pub(crate) const fn max_record(&self) -> usize {
        self.max_columns * self.max_cell * 4
    }
}
