// SPDX-License-Identifier: EUPL-1.2
//! From a file nobody knows to all that can be said of it.

use std::fs;
use std::path::Path;

use crate::document::Document;
use crate::source::Table;
use crate::survey::{Plan, survey};
use crate::workbook::Workbook;
use crate::{
    Encoding, Error, Format, Inspection, Limits, Options, delimiter, encoding, format, header,
};

/// Reads the file once through and tells everything about it.
///
/// `file_name` is the name given by its author. `progress` hears of the data lines counted so far
/// and stops the reading by answering false.
pub fn inspect(
    path: &Path,
    file_name: &str,
    options: &Options,
    limits: &Limits,
    progress: &mut dyn FnMut(u64) -> bool,
) -> Result<Inspection, Error> {
    let found = fs::metadata(path)?.len();
    match limits.max_bytes {
        Some(max) if found > max => return Err(Error::TooManyBytes { max, found }),
        _ if found == 0 => return Err(Error::NoData),
        _ => {}
    }
    let format = format::recognise(path, file_name, limits)?;
    let opened = open(path, format, options, limits, progress)?;
    let header_line = match options.header_line {
        Some(line) => line,
        None => header::locate(opened.table.reader(limits)?, opened.first_line)?,
    };
    let is_grid = opened.table.is_grid();
    let plan = Plan { header_line, first_line: opened.first_line, is_grid, limits };
    let (sheets, sheet) = opened.table.sheets();
    let survey = survey(opened.table.reader(limits)?, &plan, progress)?;
    Ok(Inspection {
        format,
        encoding: opened.encoding,
        delimiter: opened.delimiter.map(char::from),
        sheet,
        sheets,
        header_line,
        lines_above: survey.lines_above,
        header: survey.names,
        numeric_columns: survey.numeric,
        data_rows: survey.data_rows,
        empty_rows: survey.empty_rows,
        short_rows: survey.short_rows,
        long_rows: survey.long_rows,
        unreadable_cells: survey.unreadable,
        warnings: survey.warnings,
        preview: survey.preview,
        limits: *limits,
    })
}

/// A table ready to be read, and what had to be found out to open it.
struct Opened {
    table: Table,
    encoding: Option<Encoding>,
    delimiter: Option<u8>,
    first_line: u64,
}

fn open(
    path: &Path,
    format: Format,
    options: &Options,
    limits: &Limits,
    progress: &mut dyn FnMut(u64) -> bool,
) -> Result<Opened, Error> {
    let name = options.sheet.as_deref();
    match format {
        Format::Csv => open_text(path, options, limits, progress),
        Format::Xlsx => Ok(sheet(Table::xlsx(Workbook::open(path, limits)?, name)?)),
        Format::Ods => Ok(sheet(Table::ods(Document::open(path, limits)?, name)?)),
    }
}

fn sheet(table: Table) -> Opened {
    Opened { table, encoding: None, delimiter: None, first_line: 1 }
}

fn open_text(
    path: &Path,
    options: &Options,
    limits: &Limits,
    progress: &mut dyn FnMut(u64) -> bool,
) -> Result<Opened, Error> {
    let encoding = encoding::decide(path, options.encoding, &mut || progress(0))?;
    let found = delimiter::find(path, encoding, options.delimiter, limits)?;
    let delimiter = found.delimiter;
    Ok(Opened {
        table: Table::Text { path: path.to_owned(), encoding, delimiter },
        encoding: Some(encoding),
        delimiter: Some(delimiter),
        first_line: if found.declared { 2 } else { 1 },
    })
}
