// SPDX-License-Identifier: EUPL-1.2
//! Which character separates the cells of a text file.
//! Each candidate is tried on the first records, quotes respected; the most regular table wins.

use std::collections::HashMap;
use std::path::Path;

use crate::records::Records;
use crate::row::Row;
use crate::{Encoding, Error, Limits};

/// In order of preference when nothing tells them apart.
const CANDIDATES: [u8; 4] = *b";,\t|";
/// A vertical tab: reads lines whole.
const NO_DELIMITER: u8 = 0x0b;
const SAMPLE: u64 = 1_000;

pub(crate) struct Found {
    pub delimiter: u8,
    /// The file begins by a line `sep=x`, which is no data.
    pub declared: bool,
}

/// Obeys the choice, then a line `sep=x`, then the score.
pub(crate) fn find(
    path: &Path,
    encoding: Encoding,
    chosen: Option<u8>,
    limits: &Limits,
) -> Result<Found, Error> {
    let open = |delimiter| Records::open(path, encoding, delimiter, limits.max_record());
    let declared = declared(open(NO_DELIMITER)?)?;
    let delimiter = match chosen.or(declared) {
        Some(delimiter) => delimiter,
        None => {
            let mut best = (Score::NONE, CANDIDATES[0]);
            for candidate in CANDIDATES {
                let score = score(open(candidate)?)?;
                if score.beats(&best.0) {
                    best = (score, candidate);
                }
            }
            best.1
        }
    };
    Ok(Found { delimiter, declared: declared.is_some() })
}

/// `sep=;`, as spreadsheets write it.
fn declared(mut records: Records) -> Result<Option<u8>, Error> {
    let mut row = Row::new();
    match records.next(&mut row) {
        Ok(true) => {}
        Ok(false) | Err(Error::UnterminatedQuote { .. } | Error::RecordTooLong { .. }) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    }
    let line = row.cell(0).text.as_bytes();
    Ok(match line {
        [name @ .., b'=', delimiter]
            if name.eq_ignore_ascii_case(b"sep")
                && (delimiter.is_ascii_punctuation() || matches!(delimiter, b'\t' | b' '))
                && *delimiter != b'"' =>
        {
            Some(*delimiter)
        }
        _ => None,
    })
}

/// How regular the table is: records that have the commonest number of columns, out of how many.
struct Score {
    regular: u64,
    records: u64,
    columns: usize,
}

impl Score {
    const NONE: Score = Score { regular: 0, records: 1, columns: 0 };

    fn beats(&self, other: &Score) -> bool {
        let (mine, theirs) = (self.regular * other.records, other.regular * self.records);
        (mine, self.columns) > (theirs, other.columns)
    }
}

fn score(mut records: Records) -> Result<Score, Error> {
    let mut seen = HashMap::<usize, u64>::new();
    let mut row = Row::new();
    let mut total = 0;
    while total < SAMPLE {
        match records.next(&mut row) {
            Ok(true) => {}
            // Said later, about the delimiter retained.
            Ok(false)
            | Err(Error::UnterminatedQuote { .. } | Error::RecordTooLong { .. })
            | Err(Error::TooManyColumns { .. }) => break,
            Err(error) => return Err(error),
        }
        if row.len() > 1 || !row.cell(0).text.trim().is_empty() {
            total += 1;
            *seen.entry(row.len()).or_default() += 1;
        }
    }
    // A list of one column, some of whose texts hold the candidate, is no table.
    Ok(match seen.into_iter().max_by_key(|&(columns, records)| (records, columns)) {
        Some((columns, regular)) if columns >= 2 => Score { regular, records: total, columns },
        _ => Score::NONE,
    })
}
