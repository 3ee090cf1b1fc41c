// SPDX-License-Identifier: EUPL-1.2
//! A table that can be opened again and again, and the reader of its records.
//! Whatever the format, a reader gives every line, normalised, the empty ones included.

use std::path::{Path, PathBuf};

use crate::document::Document;
use crate::ods::OdsSheet;
use crate::records::Records;
use crate::row::{Finish, Row};
use crate::workbook::Workbook;
use crate::xlsx::XlsxSheet;
use crate::{Encoding, Error, Format, Layout, Limits};

pub(crate) enum Table {
    Text { path: PathBuf, encoding: Encoding, delimiter: u8 },
    Xlsx { workbook: Box<Workbook>, part: String },
    Ods { document: Box<Document>, sheet: String },
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
            Format::Xlsx => {
                Self::xlsx(Workbook::open(path, &layout.limits)?, layout.sheet.as_deref())
            }
            Format::Ods => {
                Self::ods(Document::open(path, &layout.limits)?, layout.sheet.as_deref())
            }
        }
    }

    /// The sheet of this name, or the first visible one.
    pub fn xlsx(workbook: Workbook, name: Option<&str>) -> Result<Self, Error> {
        let sheets = workbook.sheets.iter().map(|sheet| (sheet.name.as_str(), sheet.is_visible));
        let part = workbook.sheets[choose(sheets, name)?].part.clone();
        Ok(Table::Xlsx { workbook: Box::new(workbook), part })
    }

    pub fn ods(document: Document, name: Option<&str>) -> Result<Self, Error> {
        let sheets = document.sheets.iter().map(|sheet| (sheet.name.as_str(), sheet.is_visible));
        let sheet = document.sheets[choose(sheets, name)?].name.clone();
        Ok(Table::Ods { document: Box::new(document), sheet })
    }

    /// The names of all the sheets, and of the one that is read.
    pub fn sheets(&self) -> (Vec<String>, Option<String>) {
        match self {
            Table::Text { .. } => (Vec::new(), None),
            Table::Xlsx { workbook, part } => {
                let read = workbook.sheets.iter().find(|sheet| sheet.part == *part);
                let names = workbook.sheets.iter().map(|sheet| sheet.name.clone());
                (names.collect(), read.map(|sheet| sheet.name.clone()))
            }
            Table::Ods { document, sheet } => {
                let names = document.sheets.iter().map(|sheet| sheet.name.clone());
                (names.collect(), Some(sheet.clone()))
            }
        }
    }

    pub fn reader(&self, limits: &Limits) -> Result<Reader, Error> {
        let (source, restore, c1_is_unreadable) = match self {
            Table::Text { path, encoding, delimiter } => {
                let records = Records::open(path, *encoding, *delimiter, limits.max_record())?;
                (Source::Text(Box::new(records)), true, encoding.is_single_byte())
            }
            Table::Xlsx { workbook, part } => {
                (Source::Xlsx(Box::new(XlsxSheet::open(workbook, part, limits)?)), false, false)
            }
            Table::Ods { document, sheet } => {
                (Source::Ods(Box::new(document.sheet(sheet, limits)?)), false, false)
            }
        };
        Ok(Reader {
            source,
            finish: Finish { max_cell: limits.max_cell, restore, c1_is_unreadable },
        })
    }

    /// A sheet is a grid: its lines have no width of their own.
    pub fn is_grid(&self) -> bool {
        !matches!(self, Table::Text { .. })
    }
}

fn choose<'a>(
    mut sheets: impl Iterator<Item = (&'a str, bool)> + Clone,
    name: Option<&str>,
) -> Result<usize, Error> {
    match name {
        Some(name) => sheets
            .position(|(sheet, _)| sheet == name)
            .ok_or_else(|| Error::NoSheet { name: name.to_owned() }),
        None => {
            let first = sheets.clone().next().map(|_| 0);
            sheets.position(|(_, is_visible)| is_visible).or(first).ok_or(Error::NoData)
        }
    }
}

enum Source {
    Text(Box<Records>),
    Xlsx(Box<XlsxSheet>),
    Ods(Box<OdsSheet>),
}

pub(crate) struct Reader {
    source: Source,
    finish: Finish,
}

impl Reader {
    pub fn next(&mut self, row: &mut Row) -> Result<bool, Error> {
        let found = match &mut self.source {
            Source::Text(records) => records.next(row)?,
            Source::Xlsx(sheet) => sheet.next(row)?,
            Source::Ods(sheet) => sheet.next(row)?,
        };
        row.finish(self.finish);
        Ok(found)
    }
}
