// SPDX-License-Identifier: EUPL-1.2
//! What the values of a column look like, from which a kind is proposed (03 §2.1).
use crate::{campaigns::FieldKind, operations::values, text::norm};
use serde::{Deserialize, Serialize};

/// Distinct values kept to propose a list.
const CHOICES: usize = 20;
/// Lines from which few distinct values mean a list.
const ENOUGH: u64 = 50;
/// Lines judged for kinds; the rest is checked at validation.
const SAMPLE: u64 = 5_000;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ColumnStats {
    pub filled: u64,
    pub dates: u64,
    pub numbers: u64,
    pub emails: u64,
    pub phones: u64,
    pub longest: usize,
    /// First spelling of each distinct value; emptied once there are too many.
    pub distinct: Vec<String>,
    #[serde(skip)]
    distinct_norm: Vec<String>,
    pub many: bool,
    /// The first three values, shown as examples.
    pub examples: Vec<String>,
}

impl ColumnStats {
    pub fn add(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.filled += 1;
        self.longest = self.longest.max(text.len());
        if self.examples.len() < 3 && !self.examples.iter().any(|e| e == text) {
            self.examples.push(text.chars().take(40).collect());
        }
        if self.filled <= SAMPLE {
            self.judge(text);
        }
        if !self.many {
            self.remember(text);
        }
    }

    fn judge(&mut self, text: &str) {
        let starts_as_number =
            text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-'));
        if starts_as_number && text.len() <= 40 {
            self.dates += u64::from(text.len() >= 6 && values::date(text).is_ok());
            self.numbers += u64::from(is(FieldKind::Number, text) && !loses_zeros(text));
            self.phones += u64::from(text.len() >= 8 && is(FieldKind::Phone, text));
        }
        self.emails += u64::from(text.contains('@') && is(FieldKind::Email, text));
    }

    fn remember(&mut self, text: &str) {
        if text.len() > 80 {
            self.many = true;
        } else if !self.distinct.iter().any(|d| d == text) {
            let key = norm(text);
            if !self.distinct_norm.contains(&key) {
                self.distinct.push(text.to_owned());
                self.distinct_norm.push(key);
            }
        }
        if self.many || self.distinct.len() > CHOICES {
            self.many = true;
            self.distinct.clear();
            self.distinct_norm.clear();
        }
    }

    /// How many values the counts by kind speak of.
    pub fn judged(&self) -> u64 {
        self.filled.min(SAMPLE)
    }

    /// All dates → date, all numbers → nombre, few short values over many lines → liste,
    /// long texts → texte long, else texte court.
    pub fn kind(&self) -> FieldKind {
        let judged = self.judged();
        if judged == 0 {
            FieldKind::ShortText
        } else if self.dates == judged {
            FieldKind::Date
        } else if self.emails == judged {
            FieldKind::Email
        } else if self.phones == judged {
            FieldKind::Phone
        } else if self.numbers == judged {
            FieldKind::Number
        } else if self.longest > 255 {
            FieldKind::LongText
        } else if !self.many && self.filled >= ENOUGH {
            FieldKind::Choice
        } else {
            FieldKind::ShortText
        }
    }
}

fn is(kind: FieldKind, text: &str) -> bool {
    values::Checker::new(kind, "", false, None, None, &[]).check(text).is_ok()
}

/// « 01009 » is a code, not a number: it would lose its zero.
fn loses_zeros(text: &str) -> bool {
    text.len() > 1 && text.starts_with('0') && !text.starts_with("0,") && !text.starts_with("0.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind_of(values: &[&str], times: usize) -> FieldKind {
        let mut stats = ColumnStats::default();
        for _ in 0..times {
            values.iter().for_each(|v| stats.add(v));
        }
        stats.kind()
    }

    #[test]
    fn proposed_kinds() {
        assert_eq!(kind_of(&["01/02/2026", "", "2026-03-04"], 1), FieldKind::Date);
        assert_eq!(kind_of(&["1", "2,5", "1 200"], 1), FieldKind::Number);
        assert_eq!(kind_of(&["01009", "01010"], 1), FieldKind::ShortText);
        assert_eq!(kind_of(&["Latitude", "ThinkPad"], 30), FieldKind::Choice);
        assert_eq!(kind_of(&["Latitude", "ThinkPad"], 3), FieldKind::ShortText);
        assert_eq!(kind_of(&["a@ops.example"], 60), FieldKind::Email);
        assert_eq!(kind_of(&["x".repeat(300).as_str()], 1), FieldKind::LongText);
        assert_eq!(kind_of(&[""], 5), FieldKind::ShortText);
    }

    #[test]
    fn bounded_whatever_the_column() {
        let mut stats = ColumnStats::default();
        for i in 0..10_000 {
            stats.add(&format!("valeur {i}"));
        }
        assert!(stats.many && stats.distinct.is_empty() && stats.examples.len() == 3);
    }
}
