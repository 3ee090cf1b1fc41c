// SPDX-License-Identifier: EUPL-1.2
//! Working days of metropolitan France: Monday to Friday, less the public holidays, which are
//! computed for any year and never listed (RG-045).
use chrono::{Datelike, Days, NaiveDate, Weekday};

/// Easter Sunday of the Gregorian calendar (the computus of Meeus, Jones and Butcher).
fn easter(year: i32) -> Option<NaiveDate> {
    let (century, of_century) = (year.div_euclid(100), year.rem_euclid(100));
    let golden = year.rem_euclid(19);
    let moon = (19 * golden + century - century / 4 - (8 * century + 13) / 25 + 15) % 30;
    let sunday = (32 + 2 * (century % 4) + 2 * (of_century / 4) - moon - of_century % 4) % 7;
    let late = (golden + 11 * moon + 22 * sunday) / 451;
    let day = moon + sunday - 7 * late + 114;
    NaiveDate::from_ymd_opt(year, u32::try_from(day / 31).ok()?, u32::try_from(day % 31 + 1).ok()?)
}

/// The eleven public holidays: eight on a date, three that follow Easter.
pub fn is_holiday(date: NaiveDate) -> bool {
    const DATED: [(u32, u32); 8] =
        [(1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25)];
    /// Easter Monday, Ascension, Whit Monday: days after Easter.
    const MOVING: [i64; 3] = [1, 39, 50];
    DATED.contains(&(date.month(), date.day()))
        || easter(date.year()).is_some_and(|sunday| MOVING.contains(&(date - sunday).num_days()))
}

pub fn is_working(date: NaiveDate) -> bool {
    !matches!(date.weekday(), Weekday::Sat | Weekday::Sun) && !is_holiday(date)
}

/// The working days from `first` to `last`, both included.
pub fn between(first: NaiveDate, last: NaiveDate) -> u64 {
    let days = first.iter_days().take_while(|day| *day <= last);
    days.filter(|day| is_working(*day)).map(|_| 1).sum()
}

/// The `n`th working day after this one.
pub fn after(date: NaiveDate, n: u32) -> NaiveDate {
    let tomorrow = date + Days::new(1);
    let Some(skipped) = n.checked_sub(1) else { return date };
    let mut days = tomorrow.iter_days().filter(|day| is_working(*day));
    days.nth(usize::try_from(skipped).unwrap_or_default()).unwrap_or(NaiveDate::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn easter_of_years_that_are_known() {
        for known in [
            "1900-04-15",
            "1954-04-18",
            "1981-04-19",
            "2000-04-23",
            "2008-03-23",
            "2011-04-24",
            "2024-03-31",
            "2025-04-20",
            "2026-04-05",
            "2027-03-28",
            "2038-04-25",
            "2049-04-18",
            "2076-04-19",
            "2285-03-22",
        ] {
            assert_eq!(easter(day(known).year()), Some(day(known)));
        }
    }

    #[test]
    fn rg_045_the_eleven_holidays_of_a_year() {
        let of = |year| {
            let first = NaiveDate::from_ymd_opt(year, 1, 1).unwrap();
            let days = first.iter_days().take_while(move |day| day.year() == year);
            days.filter(|day| is_holiday(*day))
                .map(|day| day.format("%m-%d").to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            of(2026),
            [
                "01-01", "04-06", "05-01", "05-08", "05-14", "05-25", "07-14", "08-15", "11-01",
                "11-11", "12-25"
            ]
        );
        // Ascension fell on a first of May: one day less.
        assert_eq!(of(2008).len(), 10);
        assert!(of(2008).contains(&"05-12".into()));
    }

    #[test]
    fn rg_045_a_holiday_is_not_a_working_day() {
        assert_eq!(between(day("2026-05-11"), day("2026-05-17")), 4, "Ascension is a Thursday");
        assert_eq!(between(day("2026-05-16"), day("2026-05-17")), 0);
        assert_eq!(between(day("2026-05-18"), day("2026-05-11")), 0);
        assert_eq!(after(day("2026-05-13"), 1), day("2026-05-15"));
        assert_eq!(after(day("2026-05-22"), 2), day("2026-05-27"), "Whit Monday is skipped");
        assert_eq!(after(day("2026-12-24"), 5), day("2027-01-04"));
        assert_eq!(after(day("2026-05-23"), 0), day("2026-05-23"));
    }
}
