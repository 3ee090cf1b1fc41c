// SPDX-License-Identifier: EUPL-1.2
//! Which cell styles of an XLSX workbook show dates, durations or codes.

use std::collections::HashMap;

use crate::Error;
use crate::number::Shown;
use crate::package::Package;
use crate::xml::{BytesStart, Event, Xml, attribute};

/// The shape of each style, by the number that cells give.
pub(crate) fn read(package: &Package, name: &str) -> Result<Vec<Shown>, Error> {
    let mut xml = Xml::open(package, name)?;
    let mut formats = HashMap::new();
    let mut styles = Vec::new();
    let mut in_cell_styles = false;
    while let Some(event) = xml.next()? {
        match event {
            Event::Start(tag) | Event::Empty(tag) => match tag.local_name().as_ref() {
                "numFmt" => {
                    let code = attribute(&tag, "formatCode").unwrap_or_default();
                    formats.insert(number(&tag), by_code(&code));
                }
                "cellXfs" => in_cell_styles = true,
                "xf" if in_cell_styles => {
                    let id = number(&tag);
                    styles.push(formats.get(&id).copied().unwrap_or_else(|| by_id(id)));
                }
                _ => {}
            },
            Event::End(tag) if tag.local_name().as_ref() == "cellXfs" => in_cell_styles = false,
            _ => {}
        }
    }
    Ok(styles)
}

fn number(tag: &BytesStart<'_>) -> u32 {
    attribute(tag, "numFmtId").and_then(|id| id.parse().ok()).unwrap_or(0)
}

/// Formats that every workbook has without naming them.
fn by_id(id: u32) -> Shown {
    match id {
        14..=22 | 27..=36 | 45 | 47 | 50..=58 => Shown::Date,
        46 => Shown::Duration,
        _ => Shown::Number,
    }
}

/// Reads `dd/mm/yyyy;@`, `[$-40C]d mmmm yyyy`, `[h]:mm`, `00000`; literals and colours put aside.
fn by_code(code: &str) -> Shown {
    let mut letters = String::new();
    let mut chars = code.chars();
    while let Some(c) = chars.next() {
        match c {
            ';' => break,
            '"' => drop(chars.by_ref().find(|&c| c == '"')),
            '\\' | '_' | '*' => drop(chars.next()),
            '[' => {
                let inside: String = chars.by_ref().take_while(|&c| c != ']').collect();
                if !inside.is_empty()
                    && inside.chars().all(|c| matches!(c, 'h' | 'H' | 'm' | 'M' | 's' | 'S'))
                {
                    return Shown::Duration;
                }
            }
            c => letters.extend(c.to_lowercase()),
        }
    }
    if letters.len() > 1 && letters.bytes().all(|byte| byte == b'0') {
        return Shown::Digits(letters.len().min(15) as u8);
    }
    // These words hold letters of dates.
    let is_word = letters.contains("general") || letters.contains("standard");
    if !is_word && letters.contains(['d', 'm', 'y', 'h', 's']) {
        Shown::Date
    } else {
        Shown::Number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_apart() {
        for (code, shown) in [
            ("General", Shown::Number),
            ("0.00", Shown::Number),
            ("#,##0\\ \"jours\"", Shown::Number),
            ("#,##0.00\\ \"€\";[Red]\\-#,##0.00\\ \"€\"", Shown::Number),
            ("0.00E+00", Shown::Number),
            ("0%", Shown::Number),
            ("@", Shown::Number),
            ("dd/mm/yyyy;@", Shown::Date),
            ("[$-40C]d mmmm yyyy;@", Shown::Date),
            ("yyyy\\-mm\\-dd hh:mm", Shown::Date),
            ("h:mm", Shown::Date),
            ("[h]:mm:ss", Shown::Duration),
            ("00000", Shown::Digits(5)),
            ("0", Shown::Number),
        ] {
            assert_eq!(by_code(code), shown, "{code}");
        }
    }
}
