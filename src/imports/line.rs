// SPDX-License-Identifier: EUPL-1.2
//! One line of the file, checked (03 §2.3) and written as a line of `COPY` into the staging table.
//! Pure: no database. On the hot path of 1 000 000 lines, so buffers are reused.
use super::mapping::Target;
use crate::{
    accounts::User,
    clock,
    db::Id,
    operations::values::{self, Checker},
    text::{norm, norm_into},
};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use std::{borrow::Cow, collections::HashMap, fmt::Write as _};
use tabular::Row;
use uuid::Uuid;

/// A value that rejects its line, or is imported with a warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    pub line: u64,
    pub field: String,
    pub value: String,
    pub is_error: bool,
    pub message: String,
}

/// Where a mapped column goes, ready for many lines.
pub enum Slot {
    Identifier(Checker),
    /// The key of the label's field in `import_base`.
    Label(Checker, String),
    Value {
        checker: Checker,
        key: String,
        searchable: bool,
        list: Option<OpenList>,
    },
    Segment,
    Date,
    Time,
    Technician,
    Notes,
}

impl Slot {
    fn list(&mut self) -> Option<&mut OpenList> {
        match self {
            Self::Value { list, .. } => list.as_mut(),
            _ => None,
        }
    }
}

/// « Ajouter aux choix »: the values met that the field's list lacks, as many as it may still hold.
#[derive(Default)]
pub struct OpenList {
    known: HashMap<String, String>,
    /// First spelling of each new value.
    pub added: Vec<String>,
    /// How many of them came before the current line.
    before: usize,
    room: usize,
}

/// Choices of a field (F-07).
const MAX_CHOICES: usize = 200;

impl OpenList {
    pub fn of(choices: &[String]) -> Self {
        let known = choices.iter().map(|c| (norm(c), c.clone())).collect();
        Self {
            known,
            added: Vec::new(),
            before: 0,
            room: MAX_CHOICES.saturating_sub(choices.len()),
        }
    }

    /// Values met from now on are those of another line.
    fn begin_line(&mut self) {
        self.before = self.added.len();
    }

    /// The line is rejected: what it brought is not added.
    fn forget_line(&mut self) {
        for value in self.added.drain(self.before..) {
            self.known.remove(&norm(&value));
        }
    }

    /// The value as the list has it; `None` when the list is full.
    fn take(&mut self, text: &str) -> Option<String> {
        let key = norm(text);
        if let Some(known) = self.known.get(&key) {
            return Some(known.clone());
        }
        if self.added.len() >= self.room || text.chars().count() > 255 {
            return None;
        }
        self.known.insert(key, text.to_owned());
        self.added.push(text.to_owned());
        Some(text.to_owned())
    }
}

/// Everything needed to check the lines of one import.
pub struct Plan {
    /// (column of the file, its header, where it goes)
    pub slots: Vec<(usize, String, Slot)>,
    /// Technicians by e-mail.
    pub technicians: HashMap<String, Id<User>>,
    pub default_time: NaiveTime,
    /// Segments met, by normal form: their rank, in order of first appearance.
    pub segments: Segments,
}

/// The distinct segments of a file; bounded, so that a wrong column is refused early.
#[derive(Default)]
pub struct Segments {
    ranks: HashMap<String, i32>,
    /// First spelling of each, by rank.
    pub names: Vec<String>,
    last: Option<(String, i32)>,
}

/// More distinct values than this are no segments.
pub const MAX_SEGMENTS: usize = 2_000;

impl Segments {
    fn rank(&mut self, name: &str) -> Option<i32> {
        if let Some((last, rank)) = &self.last
            && last == name
        {
            return Some(*rank);
        }
        let key = norm(name);
        let rank = match self.ranks.get(&key) {
            Some(rank) => *rank,
            None if self.names.len() >= MAX_SEGMENTS => return None,
            None => {
                let rank = self.names.len() as i32;
                self.ranks.insert(key, rank);
                self.names.push(name.split_whitespace().collect::<Vec<_>>().join(" "));
                rank
            }
        };
        self.last = Some((name.to_owned(), rank));
        Some(rank)
    }
}

/// Buffers of the current line.
#[derive(Default)]
pub struct Scratch {
    base: String,
    search: String,
    /// Of the line that was checked last, rejected or not; empty when it has none.
    pub identifier_norm: String,
    label_norm: String,
    normal: String,
    pub issues: Vec<Issue>,
}

/// What a line became.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Accepted,
    Rejected,
    /// The segment column has too many distinct values: the whole file is refused.
    TooManySegments,
}

impl Plan {
    /// Checks a line; when accepted, appends its text row to `out`. Issues are left in `scratch`.
    pub fn check(&mut self, row: &Row, out: &mut String, scratch: &mut Scratch) -> Verdict {
        scratch.issues.clear();
        scratch.base.clear();
        scratch.base.push('{');
        scratch.search.clear();
        let (mut identifier, mut label) = (Cow::Borrowed(""), Cow::Borrowed(""));
        let (mut segment, mut technician, mut notes) = (None, None, Cow::Borrowed(""));
        let (mut date, mut hour): (Option<(NaiveDate, Option<NaiveTime>)>, Option<NaiveTime>) =
            (None, None);
        let mut rejected = false;
        let Self { slots, technicians, segments, default_time } = self;
        slots.iter_mut().filter_map(|(_, _, slot)| slot.list()).for_each(OpenList::begin_line);
        for (column, header, slot) in slots.iter_mut() {
            let cell = row.cell(*column);
            let text = tidy(cell.text);
            let mut issue = |is_error: bool, message: String| {
                rejected |= is_error;
                scratch.issues.push(Issue {
                    line: row.line,
                    field: header.clone(),
                    value: clip(&text),
                    is_error,
                    message,
                });
            };
            if cell.unreadable {
                issue(true, "Caractère illisible (encodage)".into());
                continue;
            }
            if cell.error {
                issue(true, "Cellule en erreur dans le classeur".into());
                continue;
            }
            if cell.too_long {
                issue(true, "Texte trop long (10 000 caractères maximum)".into());
                continue;
            }
            match slot {
                Slot::Identifier(checker) => match checker.check(&text) {
                    Ok(Some(accepted)) => identifier = Cow::Owned(accepted.stored.into_owned()),
                    Ok(None) => issue(true, "Valeur obligatoire manquante".into()),
                    Err(message) => issue(true, message),
                },
                Slot::Label(checker, key) => match checker.check(&text) {
                    Ok(Some(accepted)) => {
                        push_pair(&mut scratch.base, key, &accepted.stored);
                        label = Cow::Owned(accepted.stored.into_owned());
                    }
                    Ok(None) => issue(true, "Valeur obligatoire manquante".into()),
                    Err(message) => issue(true, message),
                },
                Slot::Value { key, list: Some(list), .. } if !text.is_empty() => {
                    match list.take(&text) {
                        Some(value) => push_pair(&mut scratch.base, key, &value),
                        None => issue(true, "La liste a déjà 200 choix".into()),
                    }
                }
                Slot::Value { checker, key, searchable, .. } => match checker.check(&text) {
                    Ok(Some(accepted)) => {
                        if let Some(warning) = accepted.warning {
                            issue(false, warning);
                        }
                        push_pair(&mut scratch.base, key, &accepted.stored);
                        if *searchable {
                            norm_into(&accepted.stored, &mut scratch.normal);
                            scratch.search.push(' ');
                            scratch.search.push_str(&scratch.normal);
                        }
                    }
                    Ok(None) => {}
                    Err(message) => issue(true, message),
                },
                Slot::Segment if text.is_empty() => {}
                Slot::Segment if text.chars().count() > 100 => {
                    issue(true, "Segment trop long".into())
                }
                Slot::Segment => match segments.rank(&text) {
                    Some(rank) => segment = Some(rank),
                    None => return Verdict::TooManySegments,
                },
                Slot::Date if text.is_empty() => {}
                Slot::Date => match values::date(&text) {
                    Ok(dated) => {
                        if let Some(warning) = dated.warning() {
                            issue(false, warning);
                        }
                        date = Some((dated.date, dated.time));
                    }
                    Err(message) => issue(true, message),
                },
                Slot::Time if text.is_empty() => {}
                Slot::Time => match values::time(&text) {
                    Ok(time) => hour = Some(time),
                    Err(message) => issue(true, message),
                },
                Slot::Technician if text.is_empty() => {}
                Slot::Technician => match technicians.get(&text.to_lowercase()) {
                    Some(id) => technician = Some(*id),
                    None => issue(false, format!("Technicien inconnu ou inactif : {text}")),
                },
                Slot::Notes if text.chars().count() > 2_000 => {
                    issue(true, "Texte trop long (2 000 caractères maximum)".into())
                }
                Slot::Notes => notes = Cow::Owned(text.into_owned()),
            }
        }
        let mut planned: Option<DateTime<Utc>> = None;
        if let Some((day, time)) = date {
            let time = hour.or(time).unwrap_or(*default_time);
            planned = clock::instant(day, time);
            if planned.is_none() {
                rejected = true;
                let value = time.format("%H:%M").to_string();
                let message = format!("Heure invalide « {value} » (elle n’existe pas ce jour-là)");
                scratch.issues.push(Issue {
                    line: row.line,
                    field: "Heure prévue".into(),
                    value,
                    is_error: true,
                    message,
                });
            }
        }
        norm_into(&identifier, &mut scratch.identifier_norm);
        if rejected {
            slots.iter_mut().filter_map(|(_, _, slot)| slot.list()).for_each(OpenList::forget_line);
            return Verdict::Rejected;
        }
        if label.is_empty() {
            label = Cow::Borrowed(&identifier);
        }
        if let Some(rank) = segment {
            push_pair(&mut scratch.base, "segment", &segments.names[rank as usize]);
        }
        if let Some(at) = planned {
            push_pair(
                &mut scratch.base,
                "date",
                &at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
            );
        }
        if let Some(id) = technician {
            push_pair(&mut scratch.base, "technician", &id.to_string());
        }
        scratch.base.push('}');
        norm_into(&label, &mut scratch.label_norm);
        write_copy(
            out,
            row.line,
            &identifier,
            &label,
            segment,
            planned,
            technician,
            &notes,
            scratch,
        );
        Verdict::Accepted
    }
}

/// Trimmed, inner no-break spaces as spaces (03 §2.3).
fn tidy(text: &str) -> Cow<'_, str> {
    let trimmed = text.trim();
    if trimmed.is_ascii() || !trimmed.contains(['\u{a0}', '\u{202f}']) {
        Cow::Borrowed(trimmed)
    } else {
        Cow::Owned(trimmed.replace(['\u{a0}', '\u{202f}'], " "))
    }
}

/// The value as the log shows it.
fn clip(text: &str) -> String {
    text.chars().take(200).collect()
}

/// Appends `"key":"value"` to an object under way.
fn push_pair(json: &mut String, key: &str, value: &str) {
    if json.len() > 1 {
        json.push(',');
    }
    push_json_text(json, key);
    json.push(':');
    push_json_text(json, value);
}

fn push_json_text(json: &mut String, text: &str) {
    json.push('"');
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            c if (c as u32) < 0x20 => {
                let _ = write!(json, "\\u{:04x}", c as u32);
            }
            c => json.push(c),
        }
    }
    json.push('"');
}

#[expect(clippy::too_many_arguments, reason = "one argument a column of the staging table")]
fn write_copy(
    out: &mut String,
    line: u64,
    identifier: &str,
    label: &str,
    segment: Option<i32>,
    planned: Option<DateTime<Utc>>,
    technician: Option<Id<User>>,
    notes: &str,
    scratch: &Scratch,
) {
    let _ = write!(out, "{line}\t{}\t", Uuid::now_v7().as_hyphenated());
    for text in [identifier, &scratch.identifier_norm, label, &scratch.label_norm, &scratch.base] {
        push_copy_text(out, text);
        out.push('\t');
    }
    push_copy_text(out, &scratch.identifier_norm);
    out.push(' ');
    push_copy_text(out, &scratch.label_norm);
    push_copy_text(out, &scratch.search);
    out.push('\t');
    let null = "\\N";
    match segment {
        Some(rank) => drop(write!(out, "{rank}")),
        None => out.push_str(null),
    }
    out.push('\t');
    match planned {
        Some(at) => drop(write!(out, "{}", at.format("%Y-%m-%d %H:%M:%S+00"))),
        None => out.push_str(null),
    }
    out.push('\t');
    match technician {
        Some(id) => drop(write!(out, "{id}")),
        None => out.push_str(null),
    }
    out.push('\t');
    if notes.is_empty() {
        out.push_str(null)
    } else {
        push_copy_text(out, notes)
    }
    out.push('\n');
}

/// The text format of `COPY`: backslash, tab and line ends escaped.
fn push_copy_text(out: &mut String, text: &str) {
    let special = |b: u8| matches!(b, b'\\' | b'\t' | b'\n' | b'\r');
    if !text.bytes().any(special) {
        out.push_str(text);
        return;
    }
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            c => out.push(c),
        }
    }
}

/// The slot of a mapped column; `None` when it is ignored.
pub fn slot(target: &Target, fields: &[crate::campaigns::Field]) -> Option<Slot> {
    use crate::campaigns::Usage;
    Some(match target {
        Target::Ignore | Target::New(_) => return None,
        Target::Segment => Slot::Segment,
        Target::PlannedDate => Slot::Date,
        Target::PlannedTime => Slot::Time,
        Target::Technician => Slot::Technician,
        Target::Notes => Slot::Notes,
        Target::Field(number) => {
            let field = fields.iter().find(|f| f.number == *number)?;
            let checker = Checker::of(field);
            if field.is(Usage::Identifier) {
                Slot::Identifier(checker)
            } else if field.is(Usage::Label) {
                Slot::Label(checker, field.key())
            } else {
                Slot::Value { checker, key: field.key(), searchable: field.searchable, list: None }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaigns::FieldKind;

    fn plan() -> Plan {
        let text = |label: &str, required| {
            Checker::new(FieldKind::ShortText, label, required, None, None, &[])
        };
        Plan {
            slots: vec![
                (0, "Matricule".into(), Slot::Identifier(text("Matricule", true))),
                (1, "Nom".into(), Slot::Label(text("Nom", true), "2".into())),
                (
                    2,
                    "Poste".into(),
                    Slot::Value {
                        checker: text("Poste", false),
                        key: "3".into(),
                        searchable: true,
                        list: None,
                    },
                ),
                (3, "Site".into(), Slot::Segment),
                (4, "Date".into(), Slot::Date),
                (5, "Technicien".into(), Slot::Technician),
            ],
            technicians: HashMap::new(),
            default_time: NaiveTime::from_hms_opt(9, 0, 0).unwrap(),
            segments: Segments::default(),
        }
    }

    /// A line as it comes from a real file.
    fn check(cells: &[&str]) -> (Verdict, String, Vec<Issue>) {
        let row: Row =
            serde_json::from_value(serde_json::json!({ "line": 42, "cells": cells, "flags": [] }))
                .unwrap();
        let (mut plan, mut out, mut scratch) = (plan(), String::new(), Scratch::default());
        let verdict = plan.check(&row, &mut out, &mut scratch);
        (verdict, out, scratch.issues)
    }

    #[test]
    fn an_accepted_line_is_a_line_of_copy() {
        let (verdict, out, issues) =
            check(&[" A70001 ", "Éloïse \"B\"", "PC\\1", "Bâtiment  A", "10/02/2026", ""]);
        assert_eq!((verdict, issues.len()), (Verdict::Accepted, 0));
        let cells: Vec<&str> = out.trim_end().split('\t').collect();
        assert_eq!(cells[0], "42");
        assert_eq!(&cells[2..6], ["A70001", "a70001", "Éloïse \"B\"", "eloise \"b\""]);
        assert_eq!(
            cells[6].replace("\\\\", "\\"),
            r#"{"2":"Éloïse \"B\"","3":"PC\\1","segment":"Bâtiment A","date":"2026-02-10T08:00:00Z"}"#
        );
        assert_eq!(cells[8], "0");
        assert_eq!(cells[9], "2026-02-10 08:00:00+00");
    }

    #[test]
    fn p_052_impossible_dates_reject_with_their_line() {
        for bad in ["31/02/2026", "45/13/2026", "10/02/0026"] {
            let (verdict, out, issues) = check(&["A1", "X", "", "", bad, ""]);
            assert_eq!((verdict, out.as_str()), (Verdict::Rejected, ""));
            assert_eq!(issues[0].line, 42);
            assert_eq!(
                crate::testing::plain(&issues[0].message),
                format!("Date invalide « {bad} » (attendu : jj/mm/aaaa)")
            );
        }
        let (verdict, out, issues) = check(&["A1", "X", "", "", "10/02/26", ""]);
        assert_eq!(verdict, Verdict::Accepted);
        assert!(
            out.contains("2026-02-10 08:00:00+00") && !issues[0].is_error,
            "9 h of the default, with a warning"
        );
    }

    #[test]
    fn missing_identifier_and_unknown_technician() {
        let (verdict, _, issues) = check(&["", "X", "", "", "", ""]);
        assert_eq!(
            (verdict, issues[0].message.as_str()),
            (Verdict::Rejected, "Valeur obligatoire manquante")
        );
        let (verdict, _, issues) = check(&["A1", "X", "", "", "", "inconnu@ops.example"]);
        assert_eq!((verdict, issues[0].is_error), (Verdict::Accepted, false));
    }

    #[test]
    fn p_063_one_segment_whatever_the_spelling() {
        let mut segments = Segments::default();
        for name in ["Étage 1", "etage 1", "Étage  1"] {
            assert_eq!(segments.rank(name), Some(0));
        }
        assert_eq!(segments.rank("0"), Some(1));
        assert_eq!(segments.names, ["Étage 1", "0"]);
    }
}
