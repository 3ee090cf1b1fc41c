// SPDX-License-Identifier: EUPL-1.2
//! XLSX out: a bold head that stays in sight, filters, typed cells. One row in memory at a time.

use crate::sheet::{Column, Value, WriteError};
use rust_xlsxwriter::{Format, Workbook, XlsxError};
use std::collections::HashMap;
use std::io::{Seek, Write};

/// Writes the rows as they come; returns how many.
///
/// # Errors
/// The disk, or more rows than a sheet holds (1 048 575 under the head).
pub fn write_xlsx<W: Write + Seek + Send>(
    name: &str,
    columns: &[Column],
    rows: impl Iterator<Item = Vec<Value>>,
    to: W,
) -> Result<u32, WriteError> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet_with_constant_memory()?;
    sheet.set_name(name)?;
    let bold = Format::new().set_bold();
    for (column, i) in columns.iter().zip(0u16..) {
        sheet.set_column_width(i, column.width)?;
    }
    sheet.set_freeze_panes(1, 0)?;
    for (column, i) in columns.iter().zip(0u16..) {
        sheet.write_string_with_format(0, i, &column.label, &bold)?;
    }
    let date = Format::new().set_num_format("dd/mm/yyyy");
    let time = Format::new().set_num_format("hh:mm");
    let moment = Format::new().set_num_format("dd/mm/yyyy hh:mm");
    let mut fills: HashMap<u32, Format> = HashMap::new();
    let mut line = 0;
    for cells in rows {
        line += 1;
        for (cell, i) in cells.iter().zip(0u16..) {
            match cell {
                Value::Empty => continue,
                Value::Text(text) => sheet.write_string(line, i, text)?,
                Value::Number(number) => sheet.write_number(line, i, *number)?,
                Value::Date(day) => sheet.write_datetime_with_format(line, i, day, &date)?,
                Value::Time(hour) => sheet.write_datetime_with_format(line, i, hour, &time)?,
                Value::Moment(at) => sheet.write_datetime_with_format(line, i, at, &moment)?,
                Value::Filled(text, colour) => {
                    let fill = fills
                        .entry(*colour)
                        .or_insert_with(|| Format::new().set_background_color(*colour));
                    sheet.write_string_with_format(line, i, text, fill)?
                }
            };
        }
    }
    if let Ok(last) = u16::try_from(columns.len().saturating_sub(1)) {
        sheet.autofilter(0, 0, line, last)?;
    }
    workbook.save_to_writer(to)?;
    Ok(line)
}

impl From<XlsxError> for WriteError {
    fn from(err: XlsxError) -> Self {
        match err {
            XlsxError::IoError(err) => Self::Io(err),
            err => Self::Workbook(err.to_string()),
        }
    }
}
