// SPDX-License-Identifier: EUPL-1.2
//! One line of a table: a single text buffer and where each cell stands in it.
//! The caller keeps one `Row` and has it filled again and again; no cell is allocated.

use serde::{Deserialize, Serialize};

use crate::{formula, text};

/// A line as it stands in the file, cells past the header included, so that it can be written
/// out again.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "PlainRow", into = "PlainRow")]
pub struct Row {
    /// From 1: the physical line where the record starts, or the row of the sheet.
    pub line: u64,
    text: String,
    spans: Vec<Span>,
    filled: usize,
}

/// What a cell holds. Texts are neither trimmed nor judged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cell<'a> {
    pub text: &'a str,
    /// « Caractère illisible (encodage) »
    pub unreadable: bool,
    /// `#N/A` and the like, computed by the spreadsheet.
    pub error: bool,
    /// Beyond `Limits::max_cell`; the text is whole all the same.
    pub too_long: bool,
    /// Typed as a number by the spreadsheet: its leading zeros, if it had any, are lost.
    pub numeric: bool,
}

#[derive(Debug, Clone, Copy)]
struct Span {
    start: u32,
    end: u32,
    flags: u8,
}

pub(crate) const UNREADABLE: u8 = 1;
pub(crate) const ERROR: u8 = 2;
pub(crate) const TOO_LONG: u8 = 4;
pub(crate) const NUMERIC: u8 = 8;

/// What finishing a row does to its cells.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Finish {
    pub max_cell: usize,
    /// Text files: the apostrophe put by [`formula::neutralise`] is taken away.
    pub restore: bool,
    /// Single-byte encodings: U+0080 to U+009F are bytes that mean nothing.
    pub c1_is_unreadable: bool,
}

impl Row {
    pub fn new() -> Self {
        Self::default()
    }

    /// The cells present on the line, up to the last one however empty.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// True when no cell holds anything but spaces.
    pub fn is_empty(&self) -> bool {
        self.filled == 0
    }

    /// The number of cells up to the last one that holds something.
    pub fn filled(&self) -> usize {
        self.filled
    }

    /// A missing cell is an empty one.
    pub fn cell(&self, index: usize) -> Cell<'_> {
        self.spans.get(index).map_or(Cell::default(), |span| self.at(span))
    }

    pub fn cells(&self) -> impl ExactSizeIterator<Item = Cell<'_>> {
        self.spans.iter().map(|span| self.at(span))
    }

    pub(crate) fn count(&self, flag: u8) -> u64 {
        self.spans.iter().filter(|span| span.flags & flag != 0).count() as u64
    }

    fn at(&self, span: &Span) -> Cell<'_> {
        Cell {
            text: self.slice(span),
            unreadable: span.flags & UNREADABLE != 0,
            error: span.flags & ERROR != 0,
            too_long: span.flags & TOO_LONG != 0,
            numeric: span.flags & NUMERIC != 0,
        }
    }

    fn slice(&self, span: &Span) -> &str {
        &self.text[span.start as usize..span.end as usize]
    }

    pub(crate) fn start(&mut self, line: u64) {
        self.line = line;
        self.text.clear();
        self.spans.clear();
        self.filled = 0;
    }

    pub(crate) fn push_str(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Bytes held so far.
    pub(crate) fn bytes(&self) -> usize {
        self.text.len()
    }

    /// Closes the cell made of all that was pushed since the last one.
    pub(crate) fn end_cell(&mut self, flags: u8) {
        let start = self.spans.last().map_or(0, |span| span.end);
        self.spans.push(Span { start, end: self.text.len() as u32, flags });
    }

    /// Normalises and flags the cells, once the line is whole.
    pub(crate) fn finish(&mut self, rules: Finish) {
        let is_ascii = self.text.is_ascii();
        let has_zero = memchr::memchr(0, self.text.as_bytes()).is_some();
        for i in 0..self.spans.len() {
            let mut span = self.spans[i];
            if rules.restore && self.text.as_bytes().get(span.start as usize) == Some(&b'\'') {
                span.start = span.end - formula::restore(self.slice(&span)).len() as u32;
            }
            let cell = self.slice(&span);
            if cell.len() > rules.max_cell && cell.chars().count() > rules.max_cell {
                span.flags |= TOO_LONG;
            }
            if has_zero || (!is_ascii && !cell.is_ascii()) {
                if is_unreadable(cell, rules.c1_is_unreadable) {
                    span.flags |= UNREADABLE;
                }
                if let Some(composed) = text::to_nfc(cell) {
                    span.start = self.text.len() as u32;
                    self.text.push_str(&composed);
                    span.end = self.text.len() as u32;
                }
            }
            self.spans[i] = span;
        }
        let blank = |span: &Span| is_blank(self.slice(span));
        self.filled = self.spans.iter().rposition(|span| !blank(span)).map_or(0, |last| last + 1);
    }
}

fn is_blank(cell: &str) -> bool {
    cell.bytes().next().is_none_or(|byte| byte <= b' ' || byte >= 0x80) && cell.trim().is_empty()
}

/// U+FFFD stands for what could not be decoded, here or in an earlier life of the file; U+0000
/// cannot be stored.
fn is_unreadable(cell: &str, c1: bool) -> bool {
    cell.chars().any(|c| matches!(c, '\0' | '\u{fffd}') || (c1 && matches!(c, '\u{80}'..='\u{9f}')))
}

/// The shape of a row in JSON, where an inspection is kept between two steps.
#[derive(Serialize, Deserialize)]
struct PlainRow {
    line: u64,
    cells: Vec<String>,
    flags: Vec<u8>,
}

impl From<Row> for PlainRow {
    fn from(row: Row) -> Self {
        PlainRow {
            line: row.line,
            cells: row.cells().map(|cell| cell.text.to_owned()).collect(),
            flags: row.spans.iter().map(|span| span.flags).collect(),
        }
    }
}

impl From<PlainRow> for Row {
    fn from(plain: PlainRow) -> Self {
        let mut row = Row::new();
        row.start(plain.line);
        for (i, cell) in plain.cells.iter().enumerate() {
            row.push_str(cell);
            row.end_cell(plain.flags.get(i).copied().unwrap_or(0));
            if !is_blank(cell) {
                row.filled = i + 1;
            }
        }
        row
    }
}
