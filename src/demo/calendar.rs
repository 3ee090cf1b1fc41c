// SPDX-License-Identifier: EUPL-1.2
//! Days and hours of the demonstration, relative to the day of loading. Work is done from Monday
//! to Friday, and nothing happened after the instant of loading.
use crate::clock;
use chrono::{DateTime, Datelike, Days, Duration, NaiveDate, NaiveTime, Utc};

/// The latest nominal minute of the things of « today »: 14:33.
const LATEST: u32 = 14 * 60 + 33;
const OPENING: u32 = 8 * 60;

#[derive(Clone, Copy)]
pub struct Calendar {
    pub now: DateTime<Utc>,
    /// The day of loading.
    pub today: NaiveDate,
    /// The day on which Karim works (09 §6): today, or the next working day.
    pub day: NaiveDate,
}

impl Calendar {
    pub fn new(now: DateTime<Utc>) -> Self {
        let today = clock::day(now);
        let mut day = today;
        while !is_working(day) {
            day = next(day);
        }
        Self { now, today, day }
    }

    pub fn works_today(&self) -> bool {
        self.day == self.today
    }

    /// The `n`th working day before the day of loading.
    pub fn before(&self, n: usize) -> NaiveDate {
        let (mut day, mut left) = (self.today, n);
        while left > 0 {
            day = day.checked_sub_days(Days::new(1)).unwrap_or(day);
            left -= usize::from(is_working(day));
        }
        day
    }

    /// The `n`th working day after Karim's; itself for 0.
    pub fn after(&self, n: usize) -> NaiveDate {
        let (mut day, mut left) = (self.day, n);
        while left > 0 {
            day = next(day);
            left -= usize::from(is_working(day));
        }
        day
    }

    /// So many days from the day of loading.
    pub fn shifted(&self, days: i64) -> NaiveDate {
        self.today + Duration::days(days)
    }

    /// The working day at or before `days` days from the day of loading.
    pub fn worked(&self, days: i64) -> NaiveDate {
        let mut day = self.shifted(days);
        while !is_working(day) {
            day = day.checked_sub_days(Days::new(1)).unwrap_or(day);
        }
        day
    }

    /// Something of today said at its nominal hour. When that hour is still to come, the whole day
    /// is pressed between the opening and now; on a day without work, it was the last working day.
    pub fn done_today(&self, minute: u32) -> DateTime<Utc> {
        if !self.works_today() {
            return at(self.before(1), minute);
        }
        let last = self.now - Duration::minutes(2);
        if at(self.today, LATEST) <= last {
            return at(self.today, minute);
        }
        let opening = at(self.today, OPENING);
        let first = if opening + Duration::minutes(30) < last {
            opening
        } else {
            clock::start_of(self.today)
        };
        let span = (last - first).num_seconds().max(0);
        let share = i64::from(minute.clamp(OPENING, LATEST) - OPENING);
        (first + Duration::seconds(span * share / i64::from(LATEST - OPENING))).min(self.now)
    }
}

fn next(day: NaiveDate) -> NaiveDate {
    day.checked_add_days(Days::new(1)).unwrap_or(day)
}

pub fn is_working(day: NaiveDate) -> bool {
    day.weekday().number_from_monday() <= 5
}

/// The instant of a minute of a civil day.
pub fn at(day: NaiveDate, minute: u32) -> DateTime<Utc> {
    let time =
        NaiveTime::from_num_seconds_from_midnight_opt(minute.min(1439) * 60, 0).unwrap_or_default();
    clock::instant(day, time).unwrap_or_else(|| clock::start_of(day))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cal(text: &str) -> Calendar {
        Calendar::new(text.parse().unwrap())
    }

    #[test]
    fn a_saturday_looks_at_the_next_monday() {
        let c = cal("2026-03-14T10:00:00Z");
        assert_eq!(c.day.to_string(), "2026-03-16");
        assert_eq!(c.before(1).to_string(), "2026-03-13");
        assert_eq!(c.after(5).to_string(), "2026-03-23");
        assert_eq!(clock::day(c.done_today(600)).to_string(), "2026-03-13");
    }

    #[test]
    fn nothing_of_today_is_still_to_come() {
        for now in [
            "2026-03-11T23:00:10Z",
            "2026-03-12T06:30:00Z",
            "2026-03-12T09:00:00Z",
            "2026-03-12T18:00:00Z",
        ] {
            let c = cal(now);
            let told: Vec<_> = [480, 540, 700, LATEST].map(|m| c.done_today(m)).to_vec();
            assert!(
                told.is_sorted() && told[3] <= c.now && clock::day(told[0]) == c.today,
                "{now} {told:?}"
            );
        }
        assert_eq!(
            cal("2026-03-12T18:00:00Z").done_today(592),
            at(NaiveDate::from_ymd_opt(2026, 3, 12).unwrap(), 592)
        );
    }
}
