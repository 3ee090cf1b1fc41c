// SPDX-License-Identifier: EUPL-1.2
//! A table that can be opened again and again, and the reader of its records.
//! Whatever the format, a reader gives every line, normalised, the empty ones included.

use std::path::{Path, PathBuf};

use crate::records::Records;
use crate::row::{Finish, Row};
use crate::{Encoding, Error, Format, Layout, Limits};

pub(crate) enum Table {
    Text { path: PathBuf, encoding: Encoding, delimiter: u8 },
}

impl Table {
    /// The table that an inspection has described.
    pub fn described(path: &Path, layout: &Layout) -> Result<Self, Error> {
        match layout.format {
            Format::Csv => {
                let delimiter = layout.delimiter.and_then(|c| u8::try_from(c).ok());
                Ok(Table::Text {
                    path: path.to_owned(),
                    encoding: layout.encoding.unwrap_or(Encoding::Utf8),
                    delimiter: delimiter.ok_or(Error::Delimiter)?,
                })
            }
            Format::Xlsx | Format::Ods => Err(Error::Unsupported),
        }
    }

    pub fn reader(&self, limits: &Limits) -> Result<Reader, Error> {
        let max_cell = limits.max_cell;
        Ok(match self {
            Table::Text { path, encoding, delimiter } => Reader {
                source: Source::Text(Records::open(
                    path,
                    *encoding,
                    *delimiter,
                    limits.max_record(),
                )?),
                finish: Finish {
                    max_cell,
                    restore: true,
                    c1_is_unreadable: encoding.is_single_byte(),
                },
            },
        })
    }

    /// A sheet is a grid: its lines have no width of their own.
    pub fn is_grid(&self) -> bool {
        !matches!(self, Table::Text { .. })
    }
}

enum Source {
    Text(Records),
}

pub(crate) struct Reader {
    source: Source,
    finish: Finish,
}

impl Reader {
    pub fn next(&mut self, row: &mut Row) -> Result<bool, Error> {
        let found = match &mut self.source {
            Source::Text(records) => records.next(row)?,
        };
        row.finish(self.finish);
        Ok(found)
    }
}
