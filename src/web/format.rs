// SPDX-License-Identifier: EUPL-1.2
//! French dates, hours, numbers and percentages (RG-086), in the instance's zone.
use crate::clock::{ZONE, day as civil};
use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, Timelike, Utc};

const MONTHS: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];
const DAYS: [&str; 7] = ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"];

fn month(date: NaiveDate) -> &'static str {
    MONTHS[date.month0() as usize]
}

fn ordinal(day: u32) -> String {
    if day == 1 { "1er".into() } else { day.to_string() }
}

/// « 12/03/2026 »
pub fn short(date: NaiveDate) -> String {
    date.format("%d/%m/%Y").to_string()
}

/// « 12 mars 2026 »
pub fn long(date: NaiveDate) -> String {
    format!("{} {} {}", ordinal(date.day()), month(date), date.year())
}

/// « jeudi 12 mars 2026 »
pub fn full(date: NaiveDate) -> String {
    format!("{} {}", DAYS[date.weekday().num_days_from_monday() as usize], long(date))
}

/// « Jeudi 12 mars 2026 », for a title.
pub fn title(date: NaiveDate) -> String {
    let text = full(date);
    let mut chars = text.chars();
    chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// « 26 janvier → 26 avril 2026 », the year once when it is the same.
pub fn period(start: NaiveDate, end: NaiveDate) -> String {
    let from = if start.year() == end.year() {
        format!("{} {}", ordinal(start.day()), month(start))
    } else {
        long(start)
    };
    format!("{from} → {}", long(end))
}

/// « 14 h 30 »
pub fn time(time: NaiveTime) -> String {
    format!("{}\u{a0}h\u{a0}{:02}", time.hour(), time.minute())
}

/// « 14 h 30 » of an instant.
pub fn hour(at: DateTime<Utc>) -> String {
    time(at.with_timezone(&ZONE).time())
}

/// « 14 h 35 min 12 s »
pub fn second(at: DateTime<Utc>) -> String {
    let t = at.with_timezone(&ZONE).time();
    format!("{}\u{a0}min\u{a0}{:02}\u{a0}s", time(t), t.second())
}

/// « 12 mars, 14 h 30 », with the year when it is not this one.
pub fn compact(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let date = civil(at);
    let year =
        if date.year() == civil(now).year() { String::new() } else { format!(" {}", date.year()) };
    format!("{} {}{year}, {}", ordinal(date.day()), month(date), hour(at))
}

const SHORT_MONTHS: [&str; 12] = [
    "janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.",
    "déc.",
];

/// « 23 nov. », with the year when it is not today's.
pub fn day_month(date: NaiveDate, today: NaiveDate) -> String {
    let year =
        if date.year() == today.year() { String::new() } else { format!(" {}", date.year()) };
    format!("{} {}{year}", ordinal(date.day()), SHORT_MONTHS[date.month0() as usize])
}

/// « 12/03/2026 à 14 h 30 »
pub fn instant(at: DateTime<Utc>) -> String {
    format!("{} à {}", short(civil(at)), hour(at))
}

/// « jeudi 12 mars 2026 à 14 h 30 »
pub fn full_instant(at: DateTime<Utc>) -> String {
    format!("{} à {}", full(civil(at)), hour(at))
}

/// « il y a 3 min », then the hour of today, then the date.
pub fn ago(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let minutes = (now - at).num_minutes();
    match minutes {
        ..1 => "à l’instant".into(),
        1..60 => format!("il y a {minutes}\u{a0}min"),
        _ if civil(at) == civil(now) => hour(at),
        _ => compact(at, now),
    }
}

/// `2026-03-12T14:30:00Z`, for the `datetime` attribute.
pub fn machine(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// `jj/mm/aaaa` typed by a person, strict (03 §2.3).
pub fn parse_date(text: &str) -> Option<NaiveDate> {
    let parts: Vec<_> = text.trim().split(['/', '-', '.']).collect();
    let [d, m, y] = parts.as_slice() else { return None };
    let (d, m, y) = if d.len() == 4 { (y, m, d) } else { (d, m, y) };
    let year: i32 = y.parse().ok()?;
    let year = if y.len() == 2 { 2000 + year } else { year };
    NaiveDate::from_ymd_opt(year, m.parse().ok()?, d.parse().ok()?)
        .filter(|d| (2000..=2099).contains(&d.year()))
}

/// `14:30`, `14h30`, `14 h 30`, `9h` typed by a person.
pub fn parse_time(text: &str) -> Option<NaiveTime> {
    let text: String = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .collect::<String>()
        .to_lowercase()
        .replace('h', ":");
    let mut parts = text.split(':');
    let h = parts.next()?.parse().ok()?;
    let m = match parts.next() {
        None | Some("") => 0,
        Some(m) => m.parse().ok()?,
    };
    let s = match parts.next() {
        None | Some("") => 0,
        Some(s) => s.parse().ok()?,
    };
    parts.next().is_none().then(|| NaiveTime::from_hms_opt(h, m, s)).flatten()
}

/// « 73 % »
pub fn percent(n: u8) -> String {
    format!("{n}\u{a0}%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rg_086_dates_and_hours() {
        let at = |s: &str| DateTime::parse_from_rfc3339(s).unwrap().to_utc();
        let t = at("2026-03-12T13:30:05Z");
        assert_eq!(full_instant(t), "jeudi 12 mars 2026 à 14\u{a0}h\u{a0}30");
        assert_eq!(second(t), "14\u{a0}h\u{a0}30\u{a0}min\u{a0}05\u{a0}s");
        assert_eq!(compact(at("2026-08-01T07:05:00Z"), t), "1er août, 9\u{a0}h\u{a0}05");
        assert_eq!(title(civil(t)), "Jeudi 12 mars 2026");
        assert_eq!(ago(t, at("2026-03-12T13:33:59Z")), "il y a 3\u{a0}min");
        assert_eq!(period(civil(t), civil(t)), "12 mars → 12 mars 2026");
    }

    #[test]
    fn typed_dates_are_strict() {
        let d = |s| parse_date(s).map(|d| d.to_string());
        assert_eq!(d("12/03/2026").as_deref(), Some("2026-03-12"));
        assert_eq!(d("2026-03-12").as_deref(), Some("2026-03-12"));
        assert_eq!(d("1.2.26").as_deref(), Some("2026-02-01"));
        for bad in ["31/02/2026", "45/13/2026", "10/02/0026", "12/03", "demain", ""] {
            assert_eq!(d(bad), None, "{bad}");
        }
        assert_eq!(parse_time("9h").unwrap().to_string(), "09:00:00");
        assert_eq!(parse_time("14 h 30").unwrap().to_string(), "14:30:00");
        assert_eq!(parse_time("25h00"), None);
    }
}
