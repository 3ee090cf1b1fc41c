// SPDX-License-Identifier: EUPL-1.2
//! Where the header stands and what its columns are called.
//! The header is the first line as wide as the table; what stands above is titles and metadata.

use std::collections::{HashMap, HashSet};

use crate::row::Row;
use crate::source::Reader;
use crate::{Error, Limits, text};

const SAMPLE: usize = 1_000;

/// The line of the first record whose last filled cell reaches the commonest width.
pub(crate) fn locate(mut reader: Reader, first_line: u64) -> Result<u64, Error> {
    let mut row = Row::new();
    let mut lines = Vec::new();
    let mut widths = HashMap::<usize, usize>::new();
    while lines.len() < SAMPLE && reader.next(&mut row)? {
        if row.line >= first_line && !row.is_empty() {
            lines.push((row.line, row.filled()));
            *widths.entry(row.filled()).or_default() += 1;
        }
    }
    let commonest = widths.into_iter().max_by_key(|&(width, lines)| (lines, width));
    let (commonest, _) = commonest.ok_or(Error::NoData)?;
    let header = lines.into_iter().find(|&(_, width)| width >= commonest);
    header.map(|(line, _)| line).ok_or(Error::NoData)
}

/// Names for every column, and what had to be said about them.
pub(crate) fn name(
    cells: &[String],
    columns: usize,
    limits: &Limits,
    warnings: &mut Vec<String>,
) -> Result<Vec<String>, Error> {
    if columns > limits.max_columns {
        let max = limits.max_columns as u64;
        return Err(Error::TooManyColumns { max, found: columns as u64 });
    }
    let given: Vec<&str> = (0..columns).map(|i| cells.get(i).map_or("", String::as_str)).collect();
    if let Some(i) = given.iter().position(|name| name.chars().count() > limits.max_header) {
        let max = limits.max_header as u64;
        return Err(Error::HeaderTooLong { column: i + 1, max });
    }
    warn_of_empty(&given, warnings);
    let mut taken: HashSet<String> = given.iter().map(|name| (*name).to_owned()).collect();
    let mut seen = HashSet::new();
    let mut names = Vec::with_capacity(columns);
    for (i, name) in given.into_iter().enumerate() {
        let wanted = if name.is_empty() { format!("Colonne {}", i + 1) } else { name.to_owned() };
        if !name.is_empty() && seen.insert(name) {
            names.push(wanted);
            continue;
        }
        let unique = unique(&wanted, &mut taken);
        if !name.is_empty() {
            warnings.push(format!(
                "En-tête en double\u{a0}: la colonne {} «\u{a0}{name}\u{a0}» est renommée «\u{a0}{unique}\u{a0}»",
                i + 1
            ));
        }
        names.push(unique);
    }
    Ok(names)
}

/// « Nom », « Nom (2) », « Nom (3) »…
fn unique(wanted: &str, taken: &mut HashSet<String>) -> String {
    let mut name = wanted.to_owned();
    let mut rank = 2;
    while !taken.insert(name.clone()) {
        name = format!("{wanted} ({rank})");
        rank += 1;
    }
    name
}

fn warn_of_empty(given: &[&str], warnings: &mut Vec<String>) {
    let empty = given.iter().enumerate().filter(|(_, name)| name.is_empty());
    let ranks: Vec<String> = empty.map(|(i, _)| (i + 1).to_string()).collect();
    if let [rank] = ranks.as_slice() {
        warnings.push(format!(
            "La colonne {rank} n’a pas d’en-tête\u{a0}: elle est nommée «\u{a0}Colonne {rank}\u{a0}»"
        ));
    } else if !ranks.is_empty() {
        warnings.push(format!(
            "{} n’ont pas d’en-tête et sont nommées d’après leur rang\u{a0}: {}",
            text::count(ranks.len() as u64, "colonne", "colonnes"),
            ranks.join(", ")
        ));
    }
}
