// SPDX-License-Identifier: EUPL-1.2
//! Records of a delimited text file (RFC 4180, and what people make of it).
//! Lines end by CRLF, LF or CR; `"` is a quote only at the start of a cell, where it is literal
//! elsewhere. Line numbers are physical. A quote that nobody closes is an error, found before the
//! record outgrows its limit.

use std::path::Path;

use memchr::{memchr, memchr2};

use crate::decode::Decoded;
use crate::row::Row;
use crate::{Encoding, Error};

/// As many as a spreadsheet has.
const MAX_CELLS: usize = 16_384;

pub(crate) struct Records {
    from: Decoded,
    block: String,
    at: usize,
    /// The physical line of the next character.
    line: u64,
    delimiter: u8,
    max_record: usize,
    ends_cell: [bool; 256],
}

impl Records {
    pub fn open(
        path: &Path,
        encoding: Encoding,
        delimiter: u8,
        max_record: usize,
    ) -> Result<Self, Error> {
        if !delimiter.is_ascii() || matches!(delimiter, b'"' | b'\r' | b'\n' | 0) {
            return Err(Error::Delimiter);
        }
        let mut ends_cell = [false; 256];
        for byte in [delimiter, b'\r', b'\n'] {
            ends_cell[byte as usize] = true;
        }
        let from = Decoded::open(path, encoding)?;
        let block = String::new();
        Ok(Records { from, block, at: 0, line: 1, delimiter, max_record, ends_cell })
    }

    /// Fills the row with the next record, blank lines included; false at the end.
    pub fn next(&mut self, row: &mut Row) -> Result<bool, Error> {
        row.start(self.line);
        if self.peek()?.is_none() {
            return Ok(false);
        }
        loop {
            if self.peek()? == Some(b'"') {
                self.at += 1;
                self.quoted(row)?;
            }
            let end = self.unquoted(row)?;
            row.end_cell(0);
            if row.len() > MAX_CELLS {
                let max = MAX_CELLS as u64;
                return Err(Error::TooManyColumns { max, found: row.len() as u64 });
            }
            if end != Some(self.delimiter) {
                return Ok(true);
            }
        }
    }

    /// The rest of the cell, taken as it is, and the byte that ended it.
    fn unquoted(&mut self, row: &mut Row) -> Result<Option<u8>, Error> {
        loop {
            let rest = &self.block.as_bytes()[self.at..];
            let end = rest.iter().position(|&byte| self.ends_cell[byte as usize]);
            let stop = self.at + end.unwrap_or(rest.len());
            row.push_str(&self.block[self.at..stop]);
            self.at = stop;
            if row.bytes() > self.max_record {
                return Err(Error::RecordTooLong { line: row.line });
            }
            if end.is_some() {
                return self.cell_end().map(Some);
            }
            if !self.refill()? {
                return Ok(None);
            }
        }
    }

    fn cell_end(&mut self) -> Result<u8, Error> {
        let end = self.block.as_bytes()[self.at];
        self.at += 1;
        if end != self.delimiter {
            self.line += 1;
        }
        if end == b'\r' && end != self.delimiter && self.peek()? == Some(b'\n') {
            self.at += 1;
        }
        Ok(end)
    }

    /// From after the opening quote to after the closing one.
    fn quoted(&mut self, row: &mut Row) -> Result<(), Error> {
        let unterminated = Error::UnterminatedQuote { line: self.line };
        let mut after_return = false;
        loop {
            let rest = &self.block[self.at..];
            let quote = memchr(b'"', rest.as_bytes());
            let inside = &rest[..quote.unwrap_or(rest.len())];
            row.push_str(inside);
            self.line += line_ends(inside.as_bytes(), &mut after_return);
            self.at += inside.len();
            if row.bytes() > self.max_record {
                return Err(unterminated);
            }
            if quote.is_none() {
                if !self.refill()? {
                    return Err(unterminated);
                }
                continue;
            }
            self.at += 1;
            if self.peek()? != Some(b'"') {
                return Ok(());
            }
            row.push_str("\"");
            after_return = false;
            self.at += 1;
        }
    }

    fn peek(&mut self) -> Result<Option<u8>, Error> {
        if self.at == self.block.len() && !self.refill()? {
            return Ok(None);
        }
        Ok(Some(self.block.as_bytes()[self.at]))
    }

    fn refill(&mut self) -> Result<bool, Error> {
        self.at = 0;
        self.from.next_block(&mut self.block)
    }
}

/// Line ends in this piece of a quoted cell, CRLF counting once even when cut in two.
fn line_ends(piece: &[u8], after_return: &mut bool) -> u64 {
    let mut lines = 0;
    let mut at = 0;
    while let Some(found) = memchr2(b'\r', b'\n', &piece[at..]) {
        let follows_return = *after_return && found == 0;
        let is_return = piece[at + found] == b'\r';
        if is_return || !follows_return {
            lines += 1;
        }
        *after_return = is_return;
        at += found + 1;
    }
    if at < piece.len() {
        *after_return = false;
    }
    lines
}
