// SPDX-License-Identifier: EUPL-1.2
//! The cells of an ODS sheet, row by row, from `content.xml` read as a stream.
//! Repetitions are bounded: empty rows and cells only advance, a sheet has no row past 1 048 576.

use std::mem;

use crate::number;
use crate::row::{ERROR, NUMERIC, Row};
use crate::xml::{BytesStart, Event, Xml, attribute, each_attribute, push_text};
use crate::{Error, Limits};

const MAX_COLUMNS: usize = 16_384;
const MAX_LINES: u64 = 1_048_576;

pub(crate) struct OdsSheet {
    xml: Xml,
    /// The line of the next row.
    line: u64,
    /// How many more times the last row is to be given.
    again: u64,
    last: Row,
    max_record: usize,
    text: String,
    ended: bool,
}

/// What the tag of a cell tells.
#[derive(Default)]
struct Value {
    kind: String,
    value: String,
    is_error: bool,
    repeated: usize,
}

impl OdsSheet {
    /// Continues a document whose table has just been opened, or opened and closed.
    pub fn new(xml: Xml, ended: bool, limits: &Limits) -> Self {
        OdsSheet {
            xml,
            line: 1,
            again: 0,
            last: Row::new(),
            max_record: limits.max_record(),
            text: String::new(),
            ended,
        }
    }

    /// The next row with something in it; false at the end.
    pub fn next(&mut self, row: &mut Row) -> Result<bool, Error> {
        if self.again == 0 && !self.read_filled_row()? {
            row.start(self.line);
            return Ok(false);
        }
        self.again -= 1;
        if self.again == 0 {
            mem::swap(row, &mut self.last);
        } else {
            row.clone_from(&self.last);
        }
        row.line = self.line;
        self.line += 1;
        Ok(true)
    }

    fn read_filled_row(&mut self) -> Result<bool, Error> {
        while !self.ended {
            let Some(event) = self.xml.next()? else { break };
            match event {
                Event::Start(tag) if tag.local_name().as_ref() == "table-row" => {
                    let repeated = repetition(&tag, "number-rows-repeated");
                    self.last.start(self.line);
                    self.cells()?;
                    if self.last.bytes() > 0 {
                        if self.line.saturating_add(repeated) > MAX_LINES + 1 {
                            return Err(Error::damaged("row past the end of a sheet"));
                        }
                        self.again = repeated;
                        return Ok(true);
                    }
                    self.line = self.line.saturating_add(repeated);
                }
                Event::Empty(tag) if tag.local_name().as_ref() == "table-row" => {
                    let repeated = repetition(&tag, "number-rows-repeated");
                    self.line = self.line.saturating_add(repeated);
                }
                Event::End(tag) if tag.local_name().as_ref() == "table" => self.ended = true,
                _ => {}
            }
        }
        Ok(false)
    }

    fn cells(&mut self) -> Result<(), Error> {
        let mut column = 0_usize;
        loop {
            let event = self.xml.next()?.ok_or_else(|| Error::damaged("row cut short"))?;
            match event {
                Event::Start(tag) if is_cell(&tag) => {
                    let value = value_of(&tag);
                    let tag_is_visible = tag.local_name().as_ref() == "table-cell";
                    self.read_text()?;
                    // What a merge covers may hold a text that nobody sees.
                    if tag_is_visible {
                        self.put(column, &value)?;
                    }
                    column = column.saturating_add(value.repeated);
                }
                Event::Empty(tag) if is_cell(&tag) => {
                    let value = value_of(&tag);
                    if !value.value.is_empty() {
                        self.text.clear();
                        self.put(column, &value)?;
                    }
                    column = column.saturating_add(value.repeated);
                }
                Event::End(tag) if tag.local_name().as_ref() == "table-row" => return Ok(()),
                _ => {}
            }
        }
    }

    /// Leaves in `self.text` the paragraphs of the cell, its comments put aside.
    fn read_text(&mut self) -> Result<(), Error> {
        self.text.clear();
        let (mut paragraphs, mut in_paragraph, mut aside) = (0, 0, 0);
        loop {
            let event = self.xml.next()?.ok_or_else(|| Error::damaged("cell cut short"))?;
            let (tag, opens) = match &event {
                Event::Start(tag) | Event::Empty(tag) => (tag.local_name(), true),
                Event::End(tag) => (tag.local_name(), false),
                _ if in_paragraph > 0 && aside == 0 => {
                    push_text(&event, |piece| self.text.push_str(piece))?;
                    continue;
                }
                _ => continue,
            };
            let is_empty = matches!(event, Event::Empty(_));
            match (tag.as_ref(), opens) {
                ("annotation" | "table", true) => aside += i32::from(!is_empty),
                ("annotation" | "table", false) => aside -= 1,
                ("table-cell" | "covered-table-cell", false) if aside == 0 => return Ok(()),
                _ if aside > 0 => {}
                ("p" | "h", true) => {
                    if paragraphs > 0 {
                        self.text.push('\n');
                    }
                    paragraphs += 1;
                    in_paragraph += i32::from(!is_empty);
                }
                ("p" | "h", false) => in_paragraph -= 1,
                ("s", true) => {
                    let (Event::Start(tag) | Event::Empty(tag)) = &event else { continue };
                    let spaces = repetition(tag, "c").min(MAX_COLUMNS as u64);
                    self.text.extend((0..spaces).map(|_| ' '));
                }
                ("tab", true) => self.text.push('\t'),
                ("line-break", true) => self.text.push('\n'),
                _ => {}
            }
        }
    }

    fn put(&mut self, column: usize, value: &Value) -> Result<(), Error> {
        let (text, flags) = self.shown(value);
        if text.is_empty() {
            return Ok(());
        }
        let found = column.saturating_add(value.repeated);
        if found > MAX_COLUMNS {
            return Err(Error::TooManyColumns { max: MAX_COLUMNS as u64, found: found as u64 });
        }
        while self.last.len() < column {
            self.last.end_cell(0);
        }
        for _ in 0..value.repeated {
            self.last.push_str(&text);
            self.last.end_cell(flags);
            if self.last.bytes() > self.max_record {
                return Err(Error::RecordTooLong { line: self.line });
            }
        }
        Ok(())
    }

    fn shown(&self, value: &Value) -> (String, u8) {
        if value.is_error {
            return (self.text.clone(), ERROR);
        }
        match value.kind.as_str() {
            "float" | "percentage" | "currency" => self.number(&value.value),
            "date" => (number::iso_date(&value.value), 0),
            "time" => (number::iso_time(&value.value).unwrap_or_else(|| self.text.clone()), 0),
            "boolean" => (if value.value == "true" { "VRAI" } else { "FAUX" }.to_owned(), 0),
            _ => (self.text.clone(), 0),
        }
    }

    /// A code shown with its leading zeros is read as it is shown.
    fn number(&self, stored: &str) -> (String, u8) {
        let plain = number::plain(stored);
        let is_code = self.text.len() > 1
            && self.text.starts_with('0')
            && self.text.bytes().all(|byte| byte.is_ascii_digit())
            && self.text.trim_start_matches('0') == plain.trim_start_matches('0');
        if is_code { (self.text.clone(), 0) } else { (plain, NUMERIC) }
    }
}

fn is_cell(tag: &BytesStart<'_>) -> bool {
    matches!(tag.local_name().as_ref(), "table-cell" | "covered-table-cell")
}

fn repetition(tag: &BytesStart<'_>, name: &str) -> u64 {
    attribute(tag, name).and_then(|times| times.parse().ok()).unwrap_or(1).max(1)
}

fn value_of(tag: &BytesStart<'_>) -> Value {
    let mut found = Value { repeated: 1, ..Value::default() };
    // `calcext:value-type` repeats `office:value-type`, but for errors.
    each_attribute(tag, |name, value| match name {
        "value-type" if value == "error" => found.is_error = true,
        "value-type" => found.kind = value.to_owned(),
        "value" | "date-value" | "time-value" | "boolean-value" | "string-value" => {
            found.value = value.to_owned();
        }
        "number-columns-repeated" => found.repeated = value.parse().unwrap_or(1).max(1),
        _ => {}
    });
    found
}
