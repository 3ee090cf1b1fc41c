// SPDX-License-Identifier: EUPL-1.2
//! Reads tables out of CSV, TSV, TXT, XLSX and ODS files, writes them back, and knows no business.
//!
//! Two steps: [`inspect`] reads the whole file once and tells everything about it (encoding,
//! delimiter, sheet, header, counts, warnings, preview); [`rows`] then streams the data lines.
//! Memory does not grow with the file, the shared strings of a workbook excepted, which are
//! bounded by [`Limits`]. Errors and warnings are French sentences fit for the screen.
//! [`CsvWriter`], [`write_xlsx`] and [`write_ods`] are the way back, a row at a time; [`formula`]
//! guards the texts of a CSV, which has no types.

mod decode;
mod delimiter;
mod document;
mod encoding;
mod error;
mod format;
pub mod formula;
mod header;
mod inspect;
mod inspection;
mod limits;
mod number;
mod ods;
mod ods_writer;
mod package;
mod records;
mod row;
mod rows;
mod sheet;
mod source;
mod strings;
mod styles;
mod survey;
mod text;
mod workbook;
mod writer;
mod xlsx;
mod xlsx_writer;
mod xml;

pub use encoding::Encoding;
pub use error::Error;
pub use format::Format;
pub use inspect::inspect;
pub use inspection::{Inspection, Layout, Options};
pub use limits::Limits;
pub use ods_writer::write_ods;
pub use row::{Cell, Row};
pub use rows::{Rows, rows};
pub use sheet::{Column, Value, WriteError};
pub use writer::{CsvStyle, CsvWriter};
pub use xlsx_writer::write_xlsx;
