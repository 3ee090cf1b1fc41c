// SPDX-License-Identifier: EUPL-1.2
//! A table of the archive: columns by name, rows with the line they were read on.
use crate::text::norm;
use std::collections::HashMap;
use tabular::{CsvStyle, CsvWriter, formula};

/// No configuration has as many.
const MAX_ROWS: usize = 20_000;
/// Ours have eighteen at most; a later version may add some.
const MAX_COLUMNS: usize = 50;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    pub head: Vec<String>,
    pub rows: Vec<Row>,
    /// Where each column stands, by the norm of its name: every cell is asked for by name.
    places: HashMap<String, usize>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    pub line: u64,
    pub cells: Vec<String>,
}

/// What forbids an archive, in French, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub file: &'static str,
    pub line: u64,
    pub reason: String,
}

impl Fault {
    pub fn sentence(&self) -> String {
        format!("{}, ligne {} : {}", self.file, self.line, self.reason)
    }
}

impl Table {
    pub fn new(head: &[&str]) -> Self {
        let mut table = Self::default();
        table.named(head.iter().map(|&name| name.to_owned()));
        table
    }

    /// Adds columns to the header; of two with one name, the first is the one found.
    fn named(&mut self, names: impl Iterator<Item = String>) {
        for name in names {
            self.places.entry(norm(&name)).or_insert(self.head.len());
            self.head.push(name);
        }
    }

    /// A further column, with its cell in each row.
    pub fn widen(&mut self, name: &str, cells: impl Iterator<Item = String>) {
        self.named(std::iter::once(name.to_owned()));
        for (row, cell) in self.rows.iter_mut().zip(cells) {
            row.cells.push(cell);
        }
    }

    /// Adds a row of the cells named; the others are empty.
    pub fn push(&mut self, cells: &[(&str, &str)]) {
        let row = self.head.iter().map(|name| {
            cells.iter().find(|(known, _)| known == name).map_or("", |(_, text)| text).to_owned()
        });
        let line = self.rows.len() as u64 + 2;
        self.rows.push(Row { line, cells: row.collect() });
    }

    pub fn column(&self, name: &str) -> Option<usize> {
        self.places.get(&norm(name)).copied()
    }

    /// Empty when the table has no such column.
    pub fn cell<'a>(&self, row: &'a Row, name: &str) -> &'a str {
        self.column(name).and_then(|n| row.cells.get(n)).map_or("", String::as_str)
    }

    /// # Errors
    /// Writing to memory does not fail.
    pub fn write(&self) -> std::io::Result<Vec<u8>> {
        let mut csv = CsvWriter::with(Vec::new(), CsvStyle::default())?;
        csv.record(self.head.iter().map(String::as_str))?;
        for row in &self.rows {
            csv.record(row.cells.iter().map(String::as_str))?;
        }
        Ok(std::mem::take(csv.get_mut()))
    }

    /// Reads a table, apostrophes of neutralised formulas taken away.
    ///
    /// # Errors
    /// It is not UTF-8 text in columns separated by semicolons, or lacks one of the columns needed.
    pub fn read(file: &'static str, bytes: &[u8], needed: &[&str]) -> Result<Self, Fault> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut csv = csv::ReaderBuilder::new()
            .delimiter(b';')
            .has_headers(false)
            .double_quote(true)
            .from_reader(bytes);
        let (mut table, mut lines) = (Self::default(), Lines { bytes, at: 0, line: 1 });
        for record in csv.records() {
            let record = record.map_err(|err| fault(file, &mut lines, &err))?;
            let line = lines.of(record.position());
            let cells = record.iter().map(|cell| formula::restore(cell).to_owned());
            if record.len() > MAX_COLUMNS {
                return Err(beyond(file, line, "colonnes"));
            } else if table.head.is_empty() {
                table.named(cells);
            } else if table.rows.len() == MAX_ROWS {
                return Err(beyond(file, line, "lignes"));
            } else {
                table.rows.push(Row { line, cells: cells.collect() });
            }
        }
        match needed.iter().find(|name| table.column(name).is_none()) {
            Some(name) => {
                Err(Fault { file, line: 1, reason: format!("la colonne « {name} » manque") })
            }
            None => Ok(table),
        }
    }
}

/// The line a record begins on: the reader stops before the line feed of a CRLF.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u64,
}

impl Lines<'_> {
    fn of(&mut self, position: Option<&csv::Position>) -> u64 {
        let start = position.and_then(|p| usize::try_from(p.byte()).ok()).unwrap_or(self.at);
        while let Some(byte) = self.bytes.get(self.at)
            && (self.at < start || matches!(byte, b'\r' | b'\n'))
        {
            self.line += u64::from(*byte == b'\n');
            self.at += 1;
        }
        self.line
    }
}

fn beyond(file: &'static str, line: u64, what: &str) -> Fault {
    Fault { file, line, reason: format!("le tableau compte trop de {what}") }
}

fn fault(file: &'static str, lines: &mut Lines<'_>, err: &csv::Error) -> Fault {
    let line = lines.of(err.position());
    let reason = match err.kind() {
        csv::ErrorKind::Utf8 { .. } => "le texte n’est pas en UTF-8",
        csv::ErrorKind::UnequalLengths { .. } => {
            "le nombre de colonnes n’est pas celui de l’en-tête"
        }
        _ => "le tableau est illisible",
    };
    Fault { file, line, reason: reason.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_formulas_included() {
        let mut table = Table::new(&["nom", "choix"]);
        table.push(&[("nom", "=1+1"), ("choix", "a\n-b;\"c\"")]);
        table.push(&[("choix", "'=x")]);
        let bytes = table.write().unwrap();
        assert!(String::from_utf8_lossy(&bytes).contains("'=1+1"));
        let read = Table::read("t.csv", &bytes, &["nom"]).unwrap();
        assert_eq!(read.head, table.head);
        let cells: Vec<_> = read.rows.iter().map(|row| &row.cells).collect();
        assert_eq!(cells, table.rows.iter().map(|row| &row.cells).collect::<Vec<_>>());
        assert_eq!((read.rows[0].line, read.rows[1].line), (2, 4));
    }

    #[test]
    fn what_is_not_a_table_is_refused_with_its_line() {
        for (bytes, needed, said) in [
            (&b"a;b\n1;2\n3\n"[..], "a", "t.csv, ligne 3 : le nombre de colonnes"),
            (b"a;b\n1;\xff\n", "a", "t.csv, ligne 2 : le texte n’est pas en UTF-8"),
            (b"a;b\n", "c", "t.csv, ligne 1 : la colonne « c » manque"),
            (b"", "c", "t.csv, ligne 1 : la colonne « c » manque"),
            (&[b';'; 50], "a", "t.csv, ligne 1 : le tableau compte trop de colonnes"),
        ] {
            let fault = Table::read("t.csv", bytes, &[needed]).unwrap_err();
            let sentence = fault.sentence().replace(['\u{a0}', '\u{202f}'], " ");
            let said = said.replace(['\u{a0}', '\u{202f}'], " ");
            assert!(sentence.starts_with(&said), "{sentence}");
        }
    }
}
