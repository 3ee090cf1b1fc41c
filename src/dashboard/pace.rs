// SPDX-License-Identifier: EUPL-1.2
//! « Vélocité » : what was done each day, the pace that makes, and when the rest should be done (RG-045).
use super::{
    chart::Chart,
    forecast::{Forecast, LONGEST},
    working_days,
};
use crate::{campaigns::Campaign, clock, db::Id, text::number, web::format};
use chrono::{DateTime, Days, NaiveDate, Utc};
use sqlx::PgConnection;
use std::sync::OnceLock;

/// The days of the chart, today included.
pub const SPAN: u64 = 30;
/// Below, nothing is said of the future.
const ENOUGH: u64 = 5;

/// One day of the chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    pub date: NaiveDate,
    pub done: u64,
    pub is_working: bool,
}

impl Day {
    /// « jeudi 12 mars 2026 »
    pub fn label(&self) -> String {
        format::full(self.date)
    }

    /// Why nobody was expected to work.
    pub fn rest(&self) -> &'static str {
        match (self.is_working, working_days::is_holiday(self.date)) {
            (true, _) => "",
            (_, true) => "férié",
            _ => "week-end",
        }
    }
}

#[derive(Debug)]
pub struct Pace {
    /// Oldest first, the last one is today.
    pub days: Vec<Day>,
    /// When the campaign's first operation was done, if that is within the chart; else its first day.
    since: Option<NaiveDate>,
    remaining: u64,
    end: NaiveDate,
    forecast: OnceLock<Option<Forecast>>,
}

impl Pace {
    /// Served by the index `operations_done` alone.
    pub async fn read(
        conn: &mut PgConnection,
        campaign: Id<Campaign>,
        now: DateTime<Utc>,
        remaining: u64,
        end: NaiveDate,
    ) -> sqlx::Result<Self> {
        let today = clock::day(now);
        let dates: Vec<NaiveDate> = (0..SPAN).rev().map(|ago| today - Days::new(ago)).collect();
        let starts: Vec<_> = dates.iter().map(|date| clock::start_of(*date)).collect();
        let first = sqlx::query_scalar!(
            "select min(done_at) from operations where campaign_id = $1 and deleted_at is null and done_at is not null",
            campaign as _
        )
        .fetch_one(&mut *conn)
        .await?;
        let rows = sqlx::query!(
            r#"select width_bucket(done_at, $2::timestamptz[]) as "day!", count(*) as "done!" from operations
               where campaign_id = $1 and done_at >= $3 and deleted_at is null group by 1"#,
            campaign as _,
            &starts,
            starts[0]
        )
        .fetch_all(conn)
        .await?;
        let done = |n: usize| {
            let row = rows.iter().find(|row| usize::try_from(row.day) == Ok(n + 1));
            row.map_or(0, |row| row.done.unsigned_abs())
        };
        let days = dates.iter().enumerate().map(|(n, date)| (*date, done(n)));
        Ok(Self::of(days, first.map(clock::day), remaining, end))
    }

    fn of(
        days: impl IntoIterator<Item = (NaiveDate, u64)>,
        first: Option<NaiveDate>,
        remaining: u64,
        end: NaiveDate,
    ) -> Self {
        let days: Vec<Day> = days
            .into_iter()
            .map(|(date, done)| Day { date, done, is_working: working_days::is_working(date) })
            .collect();
        let since = first.zip(days.first()).map(|(first, oldest)| first.max(oldest.date));
        Self { days, since, remaining, end, forecast: OnceLock::new() }
    }

    pub fn done_today(&self) -> u64 {
        self.days.last().map_or(0, |day| day.done)
    }

    fn today(&self) -> NaiveDate {
        self.days.last().map_or(self.end, |day| day.date)
    }

    /// The days that count: from the first operation done.
    fn window(&self) -> impl Iterator<Item = &Day> {
        self.days.iter().filter(|day| self.since.is_some_and(|since| since <= day.date))
    }

    /// (done, working days): v is one by the other; `None`: « Données insuffisantes ».
    fn average(&self) -> Option<(u64, u64)> {
        let done: u64 = self.window().map(|day| day.done).sum();
        let worked: u64 = self.window().map(|day| u64::from(day.is_working)).sum();
        (done > 0 && worked >= ENOUGH).then_some((done, worked))
    }

    /// « 14,6 » : v, by working day.
    pub fn mean_text(&self) -> Option<String> {
        let (done, worked) = self.average()?;
        Some(tenths((done * 20 + worked) / (worked * 2)))
    }

    pub fn is_over(&self) -> bool {
        self.remaining == 0
    }

    /// R ÷ v: working days until the end, at least one.
    fn estimate(&self) -> Option<u32> {
        let (done, worked) = self.average().filter(|_| !self.is_over())?;
        let (left, done) = (u128::from(self.remaining) * u128::from(worked), u128::from(done));
        let days = ((left * 2 + done) / (done * 2)).max(1);
        Some(u32::try_from(days).unwrap_or(LONGEST).min(LONGEST))
    }

    /// « ~13 jours ouvrés », and the day that makes.
    pub fn estimate_text(&self) -> Option<(String, String)> {
        let days = self.estimate()?;
        if days >= LONGEST {
            return Some(("dans plus de quatre ans".into(), String::new()));
        }
        let plural = if days < 2 { "jour ouvré" } else { "jours ouvrés" };
        let date = format::long(working_days::after(self.today(), days));
        Some((format!("~{}\u{a0}{plural}", number(days)), date))
    }

    /// What was done on each finished working day; work of a day of rest goes to the day before.
    fn observed(&self) -> Vec<u64> {
        let (mut days, mut early) = (Vec::new(), 0);
        for day in self.window().filter(|day| day.date < self.today()) {
            match days.last_mut() {
                _ if day.is_working => days.push(day.done + std::mem::take(&mut early)),
                Some(last) => *last += day.done,
                None => early += day.done,
            }
        }
        days
    }

    /// Drawn once for these figures.
    fn forecast(&self) -> Option<Forecast> {
        self.average().filter(|_| !self.is_over())?;
        *self.forecast.get_or_init(|| Forecast::draw(&self.observed(), self.remaining))
    }

    fn date(&self, days: u32) -> Option<NaiveDate> {
        (days < LONGEST).then(|| working_days::after(self.today(), days))
    }

    /// Eight chances out of ten that everything is done on that day.
    pub fn p80(&self) -> Option<String> {
        self.forecast().map(|forecast| self.said(forecast.p80))
    }

    /// One chance out of two.
    pub fn p50(&self) -> Option<String> {
        self.forecast().map(|forecast| self.said(forecast.p50))
    }

    fn said(&self, days: u32) -> String {
        self.date(days).map_or_else(|| "dans plus de quatre ans".into(), format::long)
    }

    /// Whether eight chances out of ten are not enough to be done in time.
    pub fn is_threatened(&self) -> bool {
        let p80 = self.forecast().map(|forecast| self.date(forecast.p80));
        p80.is_some_and(|date| date.is_none_or(|date| date > self.end))
    }

    /// « 8 » : R by working day left before the end; `None` once the end has passed.
    pub fn needed(&self) -> Option<u64> {
        let today = self.today();
        let left = working_days::between(today + Days::new(1), self.end).max(1);
        (today <= self.end && !self.is_over()).then(|| self.remaining.div_ceil(left))
    }

    pub fn chart(&self) -> Chart {
        let mean = self.average().map(|(done, worked)| done as f64 / worked as f64);
        Chart::of(&self.days, mean.zip(self.mean_text()))
    }

    /// What the chart shows, in a sentence.
    pub fn description(&self) -> String {
        let (Some(first), Some(last)) = (self.days.first(), self.days.last()) else {
            return String::new();
        };
        let most = self.days.iter().map(|day| day.done).max().unwrap_or_default();
        let total: u64 = self.days.iter().map(|day| day.done).sum();
        let mean = self
            .mean_text()
            .map_or_else(String::new, |mean| format!(", en moyenne {mean} par jour ouvré"));
        format!(
            "Du {} : {} au total, {} au plus en un jour{mean}. Les valeurs sont dans le tableau qui suit.",
            format::period(first.date, last.date).replace(" → ", " au "),
            crate::text::count(total, "opération réalisée", "opérations réalisées"),
            number(most)
        )
    }
}

/// « 14,6 », « 15 » of a number of tenths.
fn tenths(n: u64) -> String {
    match (n / 10, n % 10) {
        (whole, 0) => number(whole),
        (whole, tenth) => format!("{},{tenth}", number(whole)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    /// Thirty days that end on this one, this many operations done on each working day since `first`.
    fn pace(today: &str, first: &str, each: u64, remaining: u64, end: &str) -> Pace {
        let (today, first) = (day(today), day(first));
        let days = (0..SPAN).rev().map(|ago| today - Days::new(ago)).map(|date| {
            (date, if date >= first && working_days::is_working(date) { each } else { 0 })
        });
        Pace::of(days, Some(first), remaining, day(end))
    }

    #[test]
    fn us_603_2_thirteen_days() {
        let pace = pace("2026-03-12", "2026-01-05", 15, 200, "2026-03-31");
        assert_eq!(pace.mean_text().as_deref(), Some("15"));
        let said = ("~13\u{a0}jours ouvrés".into(), "31 mars 2026".into());
        assert_eq!(pace.estimate_text(), Some(said));
        assert_eq!(pace.needed(), Some(16), "200 in the 13 working days left");
        assert_eq!(pace.p80().as_deref(), Some("1er avril 2026"), "14 days of 15");
        assert!(pace.is_threatened());
    }

    #[test]
    fn us_603_3_insufficient_data() {
        let known = |first, each| pace("2026-03-12", first, each, 200, "2026-04-30");
        let silent = |pace: &Pace| {
            pace.mean_text().is_none() && pace.estimate_text().is_none() && pace.p80().is_none()
        };
        assert!(silent(&known("2026-03-09", 15)), "four working days");
        assert!(!silent(&known("2026-03-06", 15)), "five");
        assert!(silent(&known("2026-01-05", 0)), "v = 0");
        // Ascension: from Monday 11 to Friday 15 May 2026 there are four.
        assert!(silent(&pace("2026-05-15", "2026-05-11", 15, 200, "2026-06-30")));
        assert_eq!(known("2026-03-09", 15).needed(), Some(6), "said all the same");
    }

    #[test]
    fn rg_045_the_ends_of_a_campaign() {
        let over = pace("2026-03-12", "2026-01-05", 15, 0, "2026-03-31");
        assert_eq!((over.needed(), over.estimate_text(), over.p80()), (None, None, None));
        let last_day = pace("2026-03-12", "2026-01-05", 15, 2, "2026-03-12");
        assert_eq!(last_day.needed(), Some(2));
        assert_eq!(last_day.estimate_text().unwrap().0, "~1\u{a0}jour ouvré");
        assert_eq!(pace("2026-03-13", "2026-01-05", 15, 2, "2026-03-12").needed(), None);
        let endless = pace("2026-03-12", "2026-01-05", 1, 90_000, "2026-03-31");
        assert_eq!(endless.estimate_text().unwrap().0, "dans plus de quatre ans");
        assert_eq!(endless.p80().unwrap(), "dans plus de quatre ans");
        assert!(endless.is_threatened());
    }

    #[test]
    fn work_of_a_day_of_rest_is_not_lost() {
        let days = [
            ("2026-03-07", 2), // a Saturday
            ("2026-03-09", 5),
            ("2026-03-10", 0),
            ("2026-03-13", 4),
            ("2026-03-14", 3),
            ("2026-03-16", 9),
        ];
        let days = days.map(|(date, done)| (day(date), done));
        let pace = Pace::of(days, Some(day("2026-03-07")), 9, day("2026-03-31"));
        assert_eq!(pace.observed(), [7, 0, 7], "today is not finished");
        assert_eq!(tenths(146), "14,6");
    }
}
