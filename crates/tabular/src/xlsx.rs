// SPDX-License-Identifier: EUPL-1.2
//! The cells of an XLSX sheet, row by row.
//! Our own reading rather than a library's: the archive's limits hold while inflating, and a row is
//! all that is in memory. Formulas give their cached result, merged cells their first.

use std::sync::Arc;

use crate::number::{self, Shown};
use crate::package::Package;
use crate::row::{ERROR, NUMERIC, Row};
use crate::strings::{Rich, Strings, unescape};
use crate::workbook::Workbook;
use crate::xml::{BytesStart, Event, Xml, each_attribute, push_text};
use crate::{Error, Limits};

const MAX_COLUMNS: usize = 16_384;

pub(crate) struct XlsxSheet {
    xml: Xml,
    strings: Arc<Strings>,
    styles: Arc<Vec<Shown>>,
    is_1904: bool,
    line: u64,
    max_record: usize,
    value: String,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Number,
    Shared,
    Text,
    Inline,
    Boolean,
    Error,
    Date,
}

/// What the tag of a cell tells.
struct Place {
    column: usize,
    kind: Kind,
    style: usize,
}

impl XlsxSheet {
    pub fn open(workbook: &Workbook, part: &str, limits: &Limits) -> Result<Self, Error> {
        let package: &Package = &workbook.package;
        Ok(XlsxSheet {
            xml: Xml::open(package, part)?,
            strings: workbook.strings.clone(),
            styles: workbook.styles.clone(),
            is_1904: workbook.is_1904,
            line: 0,
            max_record: limits.max_record(),
            value: String::new(),
        })
    }

    /// The next row that the sheet holds, which may be empty; false at the end.
    pub fn next(&mut self, row: &mut Row) -> Result<bool, Error> {
        row.start(self.line);
        while let Some(event) = self.xml.next()? {
            match event {
                Event::Start(tag) if tag.local_name().as_ref() == "row" => {
                    self.line = line_of(&tag).unwrap_or(self.line + 1);
                    row.start(self.line);
                    self.cells(row)?;
                    return Ok(true);
                }
                Event::Empty(tag) if tag.local_name().as_ref() == "row" => {
                    self.line = line_of(&tag).unwrap_or(self.line + 1);
                }
                Event::End(tag) if tag.local_name().as_ref() == "sheetData" => break,
                _ => {}
            }
        }
        Ok(false)
    }

    fn cells(&mut self, row: &mut Row) -> Result<(), Error> {
        loop {
            let event = self.xml.next()?;
            match event.ok_or_else(|| Error::damaged("row cut short"))? {
                Event::Start(tag) if tag.local_name().as_ref() == "c" => {
                    let place = place_of(&tag, row.len());
                    self.read_value(place.kind)?;
                    self.put(row, &place)?;
                }
                // An empty cell still holds the place of the next one.
                Event::Empty(tag) if tag.local_name().as_ref() == "c" => {
                    let place = place_of(&tag, row.len());
                    pad(row, place.column.saturating_add(1))?;
                }
                Event::End(tag) if tag.local_name().as_ref() == "row" => return Ok(()),
                _ => {}
            }
        }
    }

    /// Leaves the raw value of the cell in `self.value`.
    fn read_value(&mut self, kind: Kind) -> Result<(), Error> {
        self.value.clear();
        let mut in_value = false;
        let mut rich = Rich::default();
        loop {
            let event = self.xml.next()?.ok_or_else(|| Error::damaged("cell cut short"))?;
            match &event {
                Event::Start(tag) if tag.local_name().as_ref() == "v" => in_value = true,
                Event::End(tag) if tag.local_name().as_ref() == "v" => in_value = false,
                Event::End(tag) if tag.local_name().as_ref() == "c" => return Ok(()),
                _ => {}
            }
            let wanted = match kind {
                Kind::Inline => rich.holds_text(&event),
                _ => in_value,
            };
            if wanted {
                push_text(&event, |piece| self.value.push_str(piece))?;
            }
        }
    }

    fn put(&mut self, row: &mut Row, place: &Place) -> Result<(), Error> {
        pad(row, place.column)?;
        let mut flags = 0;
        match place.kind {
            Kind::Shared => {
                let index = self.value.trim().parse::<usize>().ok();
                row.push_str(index.and_then(|index| self.strings.get(index)).unwrap_or_default());
            }
            Kind::Text | Kind::Inline => {
                unescape(&mut self.value, 0);
                row.push_str(&self.value);
            }
            Kind::Boolean => match self.value.trim() {
                "" => {}
                "0" | "false" => row.push_str("FAUX"),
                _ => row.push_str("VRAI"),
            },
            Kind::Error => {
                row.push_str(&self.value);
                flags = ERROR;
            }
            Kind::Date => row.push_str(&number::iso_date(&self.value)),
            Kind::Number => {
                let style = self.styles.get(place.style).copied().unwrap_or(Shown::Number);
                match number::shown(&self.value, style, self.is_1904) {
                    Some(shown) => row.push_str(&shown),
                    None if self.value.is_empty() => {}
                    None => {
                        row.push_str(&number::plain(&self.value));
                        flags = NUMERIC;
                    }
                }
            }
        }
        row.end_cell(flags);
        if row.bytes() > self.max_record {
            return Err(Error::RecordTooLong { line: row.line });
        }
        Ok(())
    }
}

/// Empty cells up to this number of columns.
fn pad(row: &mut Row, columns: usize) -> Result<(), Error> {
    if columns > MAX_COLUMNS {
        return Err(Error::TooManyColumns { max: MAX_COLUMNS as u64, found: columns as u64 });
    }
    while row.len() < columns {
        row.end_cell(0);
    }
    Ok(())
}

fn line_of(tag: &BytesStart<'_>) -> Option<u64> {
    crate::xml::attribute(tag, "r")?.parse().ok()
}

/// `next` is the column of a cell that does not say its own.
fn place_of(tag: &BytesStart<'_>, next: usize) -> Place {
    let mut place = Place { column: next, kind: Kind::Number, style: 0 };
    each_attribute(tag, |name, value| match name {
        "r" => place.column = column_of(value).unwrap_or(next).max(next),
        "s" => place.style = value.parse().unwrap_or(0),
        "t" => {
            place.kind = match value {
                "s" => Kind::Shared,
                "str" => Kind::Text,
                "inlineStr" => Kind::Inline,
                "b" => Kind::Boolean,
                "e" => Kind::Error,
                "d" => Kind::Date,
                _ => Kind::Number,
            }
        }
        _ => {}
    });
    place
}

/// « AB12 » is in column 27, counted from 0.
fn column_of(reference: &str) -> Option<usize> {
    let letters = reference.bytes().take_while(u8::is_ascii_alphabetic).take(4);
    let column = letters.fold(0, |column, letter| {
        column * 26 + usize::from(letter.to_ascii_uppercase() - b'A') + 1
    });
    column.checked_sub(1)
}
