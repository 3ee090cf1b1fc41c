// SPDX-License-Identifier: EUPL-1.2
//! The one place that reads the clock; everything else receives the instant.
use chrono::{DateTime, NaiveDate, NaiveTime, TimeZone, Utc};
use chrono_tz::{Europe::Paris, Tz};

/// The instance's zone.
pub const ZONE: Tz = Paris;

/// The present instant, to the microsecond as PostgreSQL keeps it.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
pub fn now() -> DateTime<Utc> {
    let now = Utc::now();
    DateTime::from_timestamp_micros(now.timestamp_micros()).unwrap_or(now)
}

/// The civil day of an instant in the instance's zone.
pub fn day(at: DateTime<Utc>) -> NaiveDate {
    at.with_timezone(&ZONE).date_naive()
}

/// The instant of a civil date and time; `None` in the hour that the spring change skips.
/// The hour that comes twice in autumn is its first occurrence (03 §2.3).
pub fn instant(date: NaiveDate, time: NaiveTime) -> Option<DateTime<Utc>> {
    ZONE.from_local_datetime(&date.and_time(time)).earliest().map(|at| at.with_timezone(&Utc))
}

/// The first instant of a civil day.
pub fn start_of(date: NaiveDate) -> DateTime<Utc> {
    instant(date, NaiveTime::MIN).unwrap_or_else(|| date.and_time(NaiveTime::MIN).and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_changes() {
        let at = |d, h, m| {
            instant(
                NaiveDate::from_ymd_opt(2026, d, if d == 3 { 29 } else { 25 }).unwrap(),
                NaiveTime::from_hms_opt(h, m, 0).unwrap(),
            )
        };
        assert_eq!(at(3, 2, 30), None);
        assert_eq!(at(3, 3, 0).unwrap().to_rfc3339(), "2026-03-29T01:00:00+00:00");
        assert_eq!(at(10, 2, 30).unwrap().to_rfc3339(), "2026-10-25T00:30:00+00:00");
    }
}
