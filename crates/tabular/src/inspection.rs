// SPDX-License-Identifier: EUPL-1.2
//! What is asked of a file, and all that one reading of it tells.

use serde::{Deserialize, Serialize};

use crate::{Encoding, Format, Limits, Row};

/// What to read and how; each `None` is found by the reader.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    pub encoding: Option<Encoding>,
    pub delimiter: Option<u8>,
    pub sheet: Option<String>,
    /// From 1: physical line of the file, or row of the sheet.
    pub header_line: Option<u64>,
}

/// Everything one pass over the file tells.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Inspection {
    pub format: Format,
    /// Text files only, like `delimiter`.
    pub encoding: Option<Encoding>,
    pub delimiter: Option<char>,
    /// The sheet read; `sheets` are all those of the workbook, hidden ones included.
    pub sheet: Option<String>,
    pub sheets: Vec<String>,
    pub header_line: u64,
    /// Lines with something in them above the header.
    pub lines_above: u64,
    /// Unique names, one per column, none empty.
    pub header: Vec<String>,
    /// Like `header`: the column has cells typed as numbers by the spreadsheet.
    pub numeric_columns: Vec<bool>,
    /// Lines with something in them under the header.
    pub data_rows: u64,
    /// Lines all empty under the header; in a sheet, those above a filled one.
    pub empty_rows: u64,
    /// Lines of a text file with fewer cells than the header.
    pub short_rows: u64,
    /// Lines with filled cells beyond the header.
    pub long_rows: u64,
    pub unreadable_cells: u64,
    /// French sentences.
    pub warnings: Vec<String>,
    /// The first ten data lines.
    pub preview: Vec<Row>,
    pub limits: Limits,
}

/// What is needed to read the data lines again: small enough to be kept with a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    pub format: Format,
    pub encoding: Option<Encoding>,
    pub delimiter: Option<char>,
    pub sheet: Option<String>,
    pub header_line: u64,
    pub limits: Limits,
}

impl Inspection {
    pub fn layout(&self) -> Layout {
        Layout {
            format: self.format,
            encoding: self.encoding,
            delimiter: self.delimiter,
            sheet: self.sheet.clone(),
            header_line: self.header_line,
            limits: self.limits,
        }
    }
}
