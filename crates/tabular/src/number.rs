// SPDX-License-Identifier: EUPL-1.2
//! Numbers and dates of spreadsheets as people read them: no exponent, `jj/mm/aaaa hh:mm`.

use std::fmt::Write;

const DAY: i64 = 86_400;

/// How a number is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    Number,
    /// A code: « 01009 » is the number 1009 shown on five digits.
    Digits(u8),
    Date,
    /// Hours past midnight, or past a day.
    Duration,
}

/// A number without exponent, on the fifteen digits that a spreadsheet has.
pub(crate) fn plain(text: &str) -> String {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if !digits.is_empty() && digits.len() <= 15 && digits.bytes().all(|byte| byte.is_ascii_digit())
    {
        return text.to_owned();
    }
    match text.trim().parse::<f64>() {
        Ok(number) if number.is_finite() => decimal(number),
        _ => text.to_owned(),
    }
}

fn decimal(number: f64) -> String {
    let rounded: f64 = format!("{number:.14e}").parse().unwrap_or(number);
    let rounded = if rounded == 0.0 { 0.0 } else { rounded };
    rounded.to_string()
}

/// A number of an XLSX cell in the shape that its format asks for. `None`: nothing but a number.
pub(crate) fn shown(text: &str, shown: Shown, is_1904: bool) -> Option<String> {
    let number: f64 = text.trim().parse().ok()?;
    match shown {
        Shown::Number => None,
        Shown::Digits(width) => (number >= 0.0 && number.fract() == 0.0 && number < 1e15)
            .then(|| format!("{:0width$}", number as u64, width = usize::from(width))),
        Shown::Date => serial_date(number, is_1904),
        Shown::Duration => {
            let minutes = seconds(number)? / 60;
            (minutes >= 0).then(|| format!("{:02}:{:02}", minutes / 60, minutes % 60))
        }
    }
}

/// To the nearest second: 14:30 is stored as 0.604166666666667.
fn seconds(days: f64) -> Option<i64> {
    (days.abs() < 3_000_000.0).then(|| (days * DAY as f64).round() as i64)
}

/// Days since 1899-12-31 with a 29 February 1900 that never was, or since 1904-01-01.
fn serial_date(number: f64, is_1904: bool) -> Option<String> {
    let seconds = seconds(number).filter(|&seconds| seconds >= 0)?;
    let (day, second) = (seconds / DAY, seconds % DAY);
    let since_1970 = match (is_1904, day) {
        (true, _) => day - 24_107,
        (false, 0) => return Some(time(second)),
        (false, ..60) => day - 25_568,
        (false, 60) => return Some("29/02/1900".to_owned()),
        (false, _) => day - 25_569,
    };
    let (year, month, day_of_month) = civil(since_1970);
    if year > 9999 {
        return None;
    }
    let mut text = format!("{day_of_month:02}/{month:02}/{year:04}");
    if second > 0 {
        let _ = write!(text, " {}", time(second));
    }
    Some(text)
}

fn time(second: i64) -> String {
    format!("{:02}:{:02}", second / 3600, second / 60 % 60)
}

/// Year, month and day of a number of days since 1970-01-01 (Howard Hinnant's algorithm).
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

/// `2012-05-29` or `2012-05-29T14:30:00` in French; anything else as it is.
pub(crate) fn iso_date(text: &str) -> String {
    let (date, time) = text.split_once(['T', ' ']).unwrap_or((text, ""));
    let parts: Vec<&str> = date.splitn(3, '-').collect();
    let [year, month, day] = parts.as_slice() else { return text.to_owned() };
    let digits =
        |part: &str, length| part.len() == length && part.bytes().all(|b| b.is_ascii_digit());
    if !(digits(year, 4) && digits(month, 2) && digits(day, 2)) {
        return text.to_owned();
    }
    let midnight = time.bytes().all(|byte| matches!(byte, b'0' | b':' | b'.' | b'Z'));
    match time.get(..5) {
        Some(hour) if !midnight => format!("{day}/{month}/{year} {hour}"),
        _ => format!("{day}/{month}/{year}"),
    }
}

/// `PT09H30M00S` as `09:30`.
pub(crate) fn iso_time(text: &str) -> Option<String> {
    let (hours, rest) = text.strip_prefix("PT")?.split_once('H')?;
    let (minutes, _) = rest.split_once('M')?;
    let (hours, minutes): (u64, u64) = (hours.parse().ok()?, minutes.parse().ok()?);
    Some(format!("{hours:02}:{minutes:02}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_no_exponent_nor_binary_noise() {
        for (stored, read) in [
            ("12", "12"),
            ("-3", "-3"),
            ("1.2E+3", "1200"),
            ("1E-3", "0.001"),
            ("6.12345678E8", "612345678"),
            ("1.0E21", "1000000000000000000000"),
            ("0.30000000000000004", "0.3"),
            ("3.1400000000000001", "3.14"),
            ("-0", "-0"),
            ("-0.0", "0"),
            ("12.50", "12.5"),
            ("not a number", "not a number"),
        ] {
            assert_eq!(plain(stored), read);
        }
    }

    #[test]
    fn dates_of_both_systems() {
        for (serial, is_1904, read) in [
            ("1", false, Some("01/01/1900")),
            ("59", false, Some("28/02/1900")),
            ("60", false, Some("29/02/1900")),
            ("61", false, Some("01/03/1900")),
            ("45000", false, Some("15/03/2023")),
            ("43538", true, Some("15/03/2023")),
            ("0", true, Some("01/01/1904")),
            ("45000.604166666664", false, Some("15/03/2023 14:30")),
            ("45000.99999999", false, Some("16/03/2023")),
            ("0.375", false, Some("09:00")),
            ("-1", false, None),
            ("99999999", false, None),
        ] {
            assert_eq!(shown(serial, Shown::Date, is_1904).as_deref(), read, "{serial}");
        }
        assert_eq!(shown("1.5", Shown::Duration, false).as_deref(), Some("36:00"));
    }

    #[test]
    fn codes_keep_their_zeros() {
        assert_eq!(shown("1009", Shown::Digits(5), false).as_deref(), Some("01009"));
        assert_eq!(shown("-5", Shown::Digits(5), false), None);
    }

    #[test]
    fn iso_dates_become_french() {
        for (iso, french) in [
            ("2012-05-29", "29/05/2012"),
            ("2012-05-29T00:00:00", "29/05/2012"),
            ("2012-05-29T14:30:00.000", "29/05/2012 14:30"),
            ("mai 2012", "mai 2012"),
        ] {
            assert_eq!(iso_date(iso), french);
        }
        assert_eq!(iso_time("PT09H30M00S").as_deref(), Some("09:30"));
    }
}
