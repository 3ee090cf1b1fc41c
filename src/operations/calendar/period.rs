// SPDX-License-Identifier: EUPL-1.2
//! A week or a month, read from the address.
use crate::{
    clock,
    web::{Form, format},
};
use chrono::{DateTime, Datelike, Days, Months, NaiveDate, Utc};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    Week,
    Month,
}

impl Span {
    pub const ALL: [Self; 2] = [Self::Week, Self::Month];

    pub fn code(self) -> &'static str {
        match self {
            Self::Week => "semaine",
            Self::Month => "mois",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Week => "Semaine",
            Self::Month => "Mois",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    pub span: Span,
    pub first: NaiveDate,
    /// The last day of it.
    pub last: NaiveDate,
}

impl Period {
    /// The period of a day; planned dates are within 2000 … 2099 (RG-027).
    pub fn of(span: Span, day: NaiveDate) -> Self {
        let year = day.year().clamp(2000, 2099);
        let day = if year == day.year() {
            day
        } else {
            NaiveDate::from_ymd_opt(year, if year == 2000 { 1 } else { 12 }, 15).unwrap_or(day)
        };
        match span {
            Span::Week => {
                let first = day - Days::new(u64::from(day.weekday().num_days_from_monday()));
                Self { span, first, last: first + Days::new(6) }
            }
            Span::Month => {
                let first = day.with_day(1).unwrap_or(day);
                Self { span, first, last: first + Months::new(1) - Days::new(1) }
            }
        }
    }

    /// `periode=semaine&le=2026-03-12`; what cannot be read is this week.
    pub fn read(query: &Form, today: NaiveDate) -> Self {
        let span = Span::ALL.into_iter().find(|s| s.code() == query.raw("periode"));
        let day = query.raw("le").parse().unwrap_or(today);
        Self::of(span.unwrap_or(Span::Week), day)
    }

    pub fn days(self) -> impl Iterator<Item = NaiveDate> + Clone {
        self.first.iter_days().take_while(move |day| *day <= self.last)
    }

    pub fn previous(self) -> Self {
        Self::of(self.span, self.first - Days::new(1))
    }

    pub fn next(self) -> Self {
        Self::of(self.span, self.last + Days::new(1))
    }

    pub fn has(self, day: NaiveDate) -> bool {
        (self.first..=self.last).contains(&day)
    }

    /// The first instant of it, and the first after it.
    pub fn bounds(self) -> (DateTime<Utc>, DateTime<Utc>) {
        (clock::start_of(self.first), clock::start_of(self.last + Days::new(1)))
    }

    /// « Semaine du 9 au 15 mars 2026 », « Mars 2026 »
    pub fn title(self) -> String {
        let last = format::long(self.last);
        match self.span {
            Span::Week if self.first.month() == self.last.month() => {
                let first = format::long(self.first);
                let number = first.split(' ').next().unwrap_or_default();
                format!("Semaine du {number} au {last}")
            }
            Span::Week => format!("Semaine du {} au {last}", format::long(self.first)),
            Span::Month => {
                let name = last.split_once(' ').map_or("", |(_, name)| name);
                let mut chars = name.chars();
                chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn us_313_periods() {
        let week = Period::of(Span::Week, day("2026-03-12"));
        assert_eq!((week.first, week.last), (day("2026-03-09"), day("2026-03-15")));
        assert_eq!(week.title(), "Semaine du 9 au 15 mars 2026");
        assert_eq!(week.next().first, day("2026-03-16"));
        assert_eq!(
            Period::of(Span::Week, day("2026-03-01")).title(),
            "Semaine du 23 février 2026 au 1er mars 2026"
        );
        let month = Period::of(Span::Month, day("2026-02-28"));
        assert_eq!((month.days().count(), month.title().as_str()), (28, "Février 2026"));
        assert_eq!(month.previous().first, day("2026-01-01"));
        assert_eq!(month.next().title(), "Mars 2026");
        let (from, to) = Period::of(Span::Month, day("2026-03-01")).bounds();
        assert_eq!(to - from, chrono::Duration::hours(31 * 24 - 1), "the clock changes in March");
    }

    #[test]
    fn an_address_that_says_nothing_is_this_week() {
        let today = day("2026-03-12");
        for text in ["", "periode=annee&le=hier", "le=2026-02-31"] {
            assert_eq!(
                Period::read(&Form::parse(text.as_bytes()), today),
                Period::of(Span::Week, today)
            );
        }
        let far = Period::read(&Form::parse(b"periode=mois&le=9999-01-01"), today);
        assert_eq!(far.title(), "Décembre 2099");
        assert_eq!(Period::read(&Form::parse(b"le=-9999-01-01"), today).first.year(), 2000);
    }
}
