// SPDX-License-Identifier: EUPL-1.2
//! The data lines of a table, one after the other, in constant memory.

use std::path::Path;

use crate::row::Row;
use crate::source::{Reader, Table};
use crate::{Error, Layout};

/// Opens the table that an inspection has described, under its header.
pub fn rows(path: &Path, layout: &Layout) -> Result<Rows, Error> {
    let table = Table::described(path, layout)?;
    Ok(Rows { reader: table.reader(&layout.limits)?, header_line: layout.header_line })
}

/// See [`rows`].
pub struct Rows {
    reader: Reader,
    header_line: u64,
}

impl Rows {
    /// Fills the caller's row with the next line that is not empty; false at the end.
    pub fn next(&mut self, row: &mut Row) -> Result<bool, Error> {
        while self.reader.next(row)? {
            if row.line > self.header_line && !row.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
