// SPDX-License-Identifier: EUPL-1.2
//! CSV files as French spreadsheets open them: `;`, UTF-8 with its mark, CRLF.
//! Every text goes through [`formula::neutralise`]; only what is typed as a number escapes it.

use std::borrow::Cow;
use std::io::{self, Write};

use crate::formula;

/// What separates the cells, and whether the file says that it is UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CsvStyle {
    /// `;` or `,`
    pub delimiter: char,
    pub byte_order_mark: bool,
}

impl Default for CsvStyle {
    fn default() -> Self {
        CsvStyle { delimiter: ';', byte_order_mark: true }
    }
}

/// Writes cells one after the other. Wrap files in a `BufWriter`.
pub struct CsvWriter<W: Write> {
    to: W,
    style: CsvStyle,
    cells: usize,
    /// Nothing but one empty cell so far: bare, it would be read back as a blank line.
    lone_empty: bool,
}

impl<W: Write> CsvWriter<W> {
    /// Writes the byte-order mark.
    pub fn new(to: W) -> io::Result<Self> {
        Self::with(to, CsvStyle::default())
    }

    pub fn with(mut to: W, style: CsvStyle) -> io::Result<Self> {
        if style.byte_order_mark {
            to.write_all(b"\xef\xbb\xbf")?;
        }
        Ok(CsvWriter { to, style, cells: 0, lone_empty: false })
    }

    /// A cell of text, neutralised.
    pub fn text(&mut self, text: &str) -> io::Result<()> {
        let safe = formula::neutralise(text);
        let prefixed = matches!(safe, Cow::Owned(_));
        self.cell(&safe, prefixed || self.needs_quotes(text))
    }

    /// A cell of a numeric or date kind, unaltered.
    pub fn value(&mut self, value: &str) -> io::Result<()> {
        self.cell(value, self.needs_quotes(value))
    }

    pub fn end_record(&mut self) -> io::Result<()> {
        if self.cells == 1 && self.lone_empty {
            self.to.write_all(b"\"\"")?;
        }
        self.cells = 0;
        self.to.write_all(b"\r\n")
    }

    /// A whole record of texts.
    pub fn record<'a>(&mut self, texts: impl IntoIterator<Item = &'a str>) -> io::Result<()> {
        for text in texts {
            self.text(text)?;
        }
        self.end_record()
    }

    /// What was written so far, to be sent by blocks between two records.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.to
    }

    pub fn into_inner(self) -> W {
        self.to
    }

    fn cell(&mut self, text: &str, quoted: bool) -> io::Result<()> {
        if self.cells > 0 {
            write!(self.to, "{}", self.style.delimiter)?;
        }
        self.cells += 1;
        self.lone_empty = text.is_empty();
        if !quoted {
            return self.to.write_all(text.as_bytes());
        }
        self.to.write_all(b"\"")?;
        for (i, piece) in text.split('"').enumerate() {
            if i > 0 {
                self.to.write_all(b"\"\"")?;
            }
            self.to.write_all(piece.as_bytes())?;
        }
        self.to.write_all(b"\"")
    }

    fn needs_quotes(&self, text: &str) -> bool {
        let edges = |c: char| c.is_whitespace() || c == '\u{feff}';
        text.contains(['"', self.style.delimiter, '\r', '\n'])
            || text.starts_with(edges)
            || text.ends_with(edges)
    }
}
