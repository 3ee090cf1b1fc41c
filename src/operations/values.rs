// SPDX-License-Identifier: EUPL-1.2
//! Typed values (03 §2.3): one check for the form, inline editing and the import alike (P-090).
//!
//! Stored as text by kind: dates `aaaa-mm-jj` (`aaaa-mm-jj hh:mm` with an hour), numbers with a
//! point, phones E.164, choices as declared, the rest as typed.
use crate::{campaigns::FieldKind, text::norm, web::format};
use chrono::{NaiveDate, NaiveTime};
use regex::Regex;
use std::borrow::Cow;

/// What a kind asks of a text, ready for many values.
#[derive(Clone, Debug)]
pub struct Checker {
    pub kind: FieldKind,
    pub label: String,
    pub required: bool,
    pattern: Option<Regex>,
    hint: String,
    /// (normal form, as declared)
    choices: Vec<(String, String)>,
}

/// An accepted value, and what to say about it all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted<'a> {
    pub stored: Cow<'a, str>,
    pub warning: Option<String>,
}

impl<'a> Accepted<'a> {
    fn plain(stored: impl Into<Cow<'a, str>>) -> Self {
        Self { stored: stored.into(), warning: None }
    }
}

impl Checker {
    pub fn new(
        kind: FieldKind,
        label: &str,
        required: bool,
        pattern: Option<&str>,
        hint: Option<&str>,
        choices: &[String],
    ) -> Self {
        Self {
            kind,
            label: label.to_owned(),
            required,
            // Anchored: the pattern describes the whole value. A pattern that does not compile is
            // refused where it is declared.
            pattern: pattern.and_then(|p| Regex::new(&format!("^(?:{p})$")).ok()),
            hint: hint.unwrap_or_default().to_owned(),
            choices: choices.iter().map(|c| (norm(c), c.clone())).collect(),
        }
    }

    pub fn of(field: &crate::campaigns::Field) -> Self {
        Self::new(
            field.kind,
            &field.label,
            field.required,
            field.pattern.as_deref(),
            field.hint.as_deref(),
            &field.choices,
        )
    }

    /// Checks a trimmed text; `Ok(None)` when it is empty and may be.
    ///
    /// # Errors
    /// The French sentence of 03 §2.3.
    pub fn check<'a>(&self, text: &'a str) -> Result<Option<Accepted<'a>>, String> {
        if text.is_empty() {
            return if self.required {
                Err("Valeur obligatoire manquante".into())
            } else {
                Ok(None)
            };
        }
        let accepted = match self.kind {
            FieldKind::ShortText => short_text(text, 255),
            FieldKind::LongText => short_text(text, 10_000),
            FieldKind::Number => {
                number(text).map(Accepted::plain).ok_or_else(|| "Nombre invalide".into())
            }
            FieldKind::Date => {
                date(text).map(|d| Accepted { stored: d.store().into(), warning: d.warning() })
            }
            FieldKind::Choice => self.choice(text),
            FieldKind::Email => {
                email(text).map(Accepted::plain).ok_or_else(|| "Adresse e-mail invalide".into())
            }
            FieldKind::Phone => phone(text)
                .map(Accepted::plain)
                .ok_or_else(|| "Numéro de téléphone invalide".into()),
        }?;
        if let Some(pattern) = &self.pattern
            && !pattern.is_match(&accepted.stored)
        {
            let expected = if self.hint.is_empty() {
                String::new()
            } else {
                format!(" (attendu : {})", self.hint)
            };
            return Err(format!("{} « {text} » invalide{expected}", self.label));
        }
        Ok(Some(accepted))
    }

    fn choice(&self, text: &str) -> Result<Accepted<'static>, String> {
        let wanted = norm(text);
        self.choices
            .iter()
            .find(|(normal, _)| *normal == wanted)
            .map(|(_, declared)| Accepted::plain(declared.clone()))
            .ok_or_else(|| format!("Valeur hors liste : « {text} »"))
    }
}

fn short_text(text: &str, max: usize) -> Result<Accepted<'_>, String> {
    if text.len() > max && text.chars().count() > max {
        return Err(format!(
            "Texte trop long ({} caractères maximum)",
            crate::text::number(max as u64)
        ));
    }
    if text.bytes().any(|b| b < 0x20 && b != b'\n' && b != b'\r') {
        return Err("Caractère de contrôle interdit".into());
    }
    Ok(Accepted::plain(text))
}

/// Decimal comma or point, thousands spaces, sign; stored with a point.
fn number(text: &str) -> Option<String> {
    let compact: String = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| if c == ',' { '.' } else { c })
        .collect();
    let digits = compact.strip_prefix(['-', '+']).unwrap_or(&compact);
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, "0"));
    let ok = |part: &str| {
        !part.is_empty() && part.len() <= 30 && part.bytes().all(|b| b.is_ascii_digit())
    };
    (ok(whole) && ok(decimals)).then(|| compact.strip_prefix('+').unwrap_or(&compact).to_owned())
}

/// A date of a file or a form, with its hour when one was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dated {
    pub date: NaiveDate,
    pub time: Option<NaiveTime>,
    two_digits: bool,
}

impl Dated {
    pub fn store(&self) -> String {
        match self.time {
            Some(time) => format!("{} {}", self.date, time.format("%H:%M")),
            None => self.date.to_string(),
        }
    }

    pub fn warning(&self) -> Option<String> {
        self.two_digits.then(|| format!("Année à deux chiffres lue {}", self.date.format("%Y")))
    }
}

/// Strict: no rollover, 2000 to 2099.
///
/// # Errors
/// The sentence of 03 §2.3 for a date or for its hour.
pub fn date(text: &str) -> Result<Dated, String> {
    let refuse = || format!("Date invalide « {text} » (attendu : jj/mm/aaaa)");
    let cut = text.find([' ', 'T', '\u{a0}']).unwrap_or(text.len());
    let (day, rest) = text.split_at(cut);
    let two_digits = day.rsplit(['/', '-', '.']).next().is_some_and(|year| year.len() <= 2)
        && day.split(['/', '-', '.']).next().is_some_and(|d| d.len() <= 2);
    let date = format::parse_date(day).ok_or_else(refuse)?;
    let rest = rest.trim_start_matches(['T', ' ', '\u{a0}']);
    let time = if rest.is_empty() { None } else { Some(time(rest)?) };
    Ok(Dated { date, time, two_digits })
}

/// `hh:mm[:ss]`, `15h00`, `9h`.
///
/// # Errors
/// « Heure invalide « 25h00 » ».
pub fn time(text: &str) -> Result<NaiveTime, String> {
    format::parse_time(text).ok_or_else(|| format!("Heure invalide « {text} »"))
}

fn email(text: &str) -> Option<&str> {
    let (local, domain) = text.rsplit_once('@')?;
    let plain = |part: &str| {
        !part.is_empty()
            && !part.contains(|c: char| {
                c.is_whitespace() || matches!(c, ',' | ';' | '<' | '>' | '(' | ')' | '@' | '"')
            })
    };
    let dotted = domain.contains('.')
        && !domain.starts_with('.')
        && !domain.ends_with('.')
        && !domain.contains("..");
    (plain(local) && plain(domain) && dotted && text.len() <= 254).then_some(text)
}

/// French ten digits, +33…, overseas, international; stored E.164.
fn phone(text: &str) -> Option<String> {
    let compact: String = text
        .chars()
        .filter(|c| !matches!(c, ' ' | '.' | '-' | '/' | '(' | ')' | '\u{a0}' | '\u{202f}'))
        .collect();
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if let Some(international) = compact.strip_prefix('+').or_else(|| compact.strip_prefix("00")) {
        let international = international
            .strip_prefix("330")
            .map_or_else(|| international.to_owned(), |rest| format!("33{rest}"));
        let french_ok = !international.starts_with("33") || international.len() == 11;
        return (digits(&international)
            && (8..=15).contains(&international.len())
            && !international.starts_with('0')
            && french_ok)
            .then(|| format!("+{international}"));
    }
    if compact.len() != 10
        || !digits(&compact)
        || !compact.starts_with('0')
        || compact.starts_with("00")
    {
        return None;
    }
    // Overseas numbers keep their own country code.
    let code = match &compact[..4] {
        "0262" | "0263" | "0692" | "0693" => "262",
        "0590" | "0690" | "0691" => "590",
        "0594" | "0694" => "594",
        "0596" | "0696" | "0697" => "596",
        _ => "33",
    };
    Some(format!("+{code}{}", &compact[1..]))
}

/// How a stored value is shown.
pub fn display(kind: FieldKind, stored: &str) -> String {
    match kind {
        FieldKind::Date => date(stored).map_or_else(
            |_| stored.to_owned(),
            |d| match d.time {
                Some(t) => format!("{} {}", format::short(d.date), format::time(t)),
                None => format::short(d.date),
            },
        ),
        FieldKind::Number => stored.replace('.', ","),
        FieldKind::Phone => national(stored),
        _ => stored.to_owned(),
    }
}

/// « 06 39 98 00 12 » for a French number, groups of the international form otherwise.
pub fn national(e164: &str) -> String {
    let Some(rest) = e164.strip_prefix("+33").filter(|rest| rest.len() == 9) else {
        return e164.to_owned();
    };
    let digits = format!("0{rest}");
    digits
        .as_bytes()
        .chunks(2)
        .map(|pair| String::from_utf8_lossy(pair).into_owned())
        .collect::<Vec<_>>()
        .join("\u{a0}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checker(kind: FieldKind) -> Checker {
        Checker::new(
            kind,
            "Matricule",
            false,
            None,
            None,
            &["Latitude 5440".into(), "Écran".into()],
        )
    }

    fn stored(kind: FieldKind, text: &str) -> Result<String, String> {
        checker(kind).check(text).map(|a| a.map(|a| a.stored.into_owned()).unwrap_or_default())
    }

    #[test]
    fn each_kind_accepts_and_refuses() {
        for (kind, text, expected) in [
            (FieldKind::Number, "1 234,5", "1234.5"),
            (FieldKind::Number, "-3", "-3"),
            (FieldKind::Date, "01/02/2026", "2026-02-01"),
            (FieldKind::Date, "10/02/26", "2026-02-10"),
            (FieldKind::Date, "2026-09-15 06:59", "2026-09-15 06:59"),
            (FieldKind::Date, "1.2.2026 15h00", "2026-02-01 15:00"),
            (FieldKind::Choice, "ecran", "Écran"),
            (FieldKind::Email, "a.b@ops.example", "a.b@ops.example"),
            (FieldKind::Phone, "06 39 98 00 12", "+33639980012"),
            (FieldKind::Phone, "0692 12 34 56", "+262692123456"),
            (FieldKind::Phone, "+33 (0)6 39 98 00 12", "+33639980012"),
        ] {
            assert_eq!(stored(kind, text).as_deref(), Ok(expected), "{text}");
        }
        for (kind, text) in [
            (FieldKind::Number, "12a"),
            (FieldKind::Number, "1.2.3"),
            (FieldKind::Date, "31/02/2026"),
            (FieldKind::Date, "45/13/2026"),
            (FieldKind::Date, "10/02/0026"),
            (FieldKind::Date, "01/01/2026 25h00"),
            (FieldKind::Choice, "Autre"),
            (FieldKind::Email, "a@b, c@d.fr"),
            (FieldKind::Phone, "12 34"),
        ] {
            assert!(stored(kind, text).is_err(), "{text}");
        }
        assert_eq!(
            crate::testing::plain(&stored(FieldKind::Date, "45/13/2026").unwrap_err()),
            "Date invalide « 45/13/2026 » (attendu : jj/mm/aaaa)"
        );
    }

    #[test]
    fn pattern_and_hint() {
        let c = Checker::new(
            FieldKind::ShortText,
            "Matricule",
            true,
            Some("A[0-9]{5}"),
            Some("A suivi de 5 chiffres"),
            &[],
        );
        assert!(c.check("A12345").is_ok());
        assert_eq!(
            crate::testing::plain(&c.check("XYZ").unwrap_err()),
            "Matricule « XYZ » invalide (attendu : A suivi de 5 chiffres)"
        );
        assert_eq!(c.check("").unwrap_err(), "Valeur obligatoire manquante");
        assert!(c.check("A123456").is_err());
    }
}
