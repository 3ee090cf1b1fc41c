// SPDX-License-Identifier: EUPL-1.2
//! Who went where and when, for the operations of the large campaign that are done: thirty working
//! days, a first month of full speed, then about fifteen a day.
use super::{
    calendar::{Calendar, at},
    seed::Rng,
};
use chrono::{DateTime, Duration, Utc};

/// Done on each of the thirty working days before the day of loading, oldest first.
const PACE: [usize; DAYS] = [
    18, 24, 26, 19, 25, 28, 22, 24, 18, 26, 25, 23, 21, 27, 20, 22, 25, 19, 24, 21, //
    16, 14, 15, 13, 16, 17, 15, 14, 15, 15,
];
pub const DAYS: usize = 30;
/// Done on the day of loading, two of them by Karim.
pub const TODAY: usize = 12;

/// One passage of a technician.
#[derive(Clone, Copy, Debug)]
pub struct Visit {
    pub who: &'static str,
    /// Working days before the day of loading; 0 for that day.
    pub ago: usize,
    pub planned: DateTime<Utc>,
    pub started: DateTime<Utc>,
    pub done: DateTime<Utc>,
}

/// The visits of the days before, oldest first.
pub fn before_today(cal: &Calendar, rng: &mut Rng) -> Vec<Visit> {
    let mut visits = Vec::new();
    for (rank, count) in pace(cal).into_iter().enumerate() {
        let ago = DAYS - rank;
        for (who, jobs) in crew(cal, ago, count) {
            visits.extend((0..jobs).map(|job| one(cal, rng, who, ago, job, jobs)));
        }
    }
    visits
}

/// Without work on the day of loading, its dozen was done on the last working day instead.
fn pace(cal: &Calendar) -> [usize; DAYS] {
    let mut pace = PACE;
    if !cal.works_today() {
        pace[DAYS - 1] -= TODAY;
        pace.iter_mut().take(TODAY).for_each(|count| *count += 1);
    }
    pace
}

/// Karim finished eighteen of his twenty of the month before today, one a day (09 §6); Jeanne
/// left in the middle of the campaign.
fn crew(cal: &Calendar, ago: usize, count: usize) -> Vec<(&'static str, usize)> {
    let age = (cal.today - cal.before(ago)).num_days();
    let karim = if age > 31 { 5 } else { usize::from(ago <= 18) };
    let jeanne = if ago >= 16 { 4 } else { 0 };
    let others = count.saturating_sub(karim + jeanne);
    vec![
        ("karim.benali", karim),
        ("jeanne.petit", jeanne),
        ("luc.bernard", others.div_ceil(2)),
        ("emilie.rousseau", others / 2),
    ]
}

/// Minute of the `job`th of `jobs` in a day with an hour for lunch, and how long it may last.
pub fn minute(job: usize, jobs: usize) -> (u32, u32) {
    let step = (390 / jobs.max(1)).min(75) as u32;
    let minute = (510 + step * job as u32) / 5 * 5;
    (if minute >= 720 { minute + 60 } else { minute }, step)
}

fn one(
    cal: &Calendar,
    rng: &mut Rng,
    who: &'static str,
    ago: usize,
    job: usize,
    jobs: usize,
) -> Visit {
    let (minute, step) = minute(job, jobs);
    let planned = at(cal.before(ago), minute);
    let started = planned
        + Duration::minutes(rng.between(0, 6).into())
        + Duration::seconds(rng.between(0, 59).into());
    let longest = step.saturating_sub(5).max(15);
    let done =
        started + Duration::minutes(rng.between(longest.min(52) * 2 / 3, longest.min(58)).into());
    Visit { who, ago, planned, started, done }
}

/// (who, planned, started, done) in minutes of the day of loading, Karim's two apart.
const MORNING: [(&str, u32, u32, u32); TODAY - 2] = [
    ("luc.bernard", 500, 501, 545),
    ("emilie.rousseau", 505, 507, 552),
    ("luc.bernard", 550, 553, 598),
    ("emilie.rousseau", 560, 562, 608),
    ("luc.bernard", 605, 607, 662),
    ("emilie.rousseau", 615, 621, 676),
    ("luc.bernard", 670, 671, 724),
    ("emilie.rousseau", 770, 772, 820),
    ("emilie.rousseau", 825, 824, 861),
    ("luc.bernard", 830, 841, 873),
];

/// The visits of the day of loading that were not Karim's.
pub fn today(cal: &Calendar) -> Vec<Visit> {
    let day = if cal.works_today() { cal.today } else { cal.before(1) };
    MORNING
        .iter()
        .map(|&(who, planned, started, done)| {
            let (started, done) = (cal.done_today(started), cal.done_today(done));
            // An appointment of this afternoon is not already honoured.
            let planned = at(day, planned).min(started);
            Visit { who, ago: 0, planned, started, done }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_is_that_of_09_5() {
        assert_eq!(PACE.iter().sum::<usize>() + TODAY, 619);
        assert_eq!(PACE[20..].iter().sum::<usize>(), 150);
        for now in ["2026-03-12T13:00:00Z", "2026-03-14T13:00:00Z", "2026-03-29T00:59:00Z"] {
            let cal = Calendar::new(now.parse().unwrap());
            let visits = before_today(&cal, &mut Rng::new(12));
            assert_eq!(visits.len() + TODAY, 619);
            assert!(
                visits
                    .iter()
                    .all(|v| v.planned <= v.started && v.started < v.done && v.done < cal.now)
            );
            assert_eq!(
                visits
                    .iter()
                    .filter(|v| v.who == "karim.benali" && (cal.now - v.done).num_days() <= 30)
                    .count(),
                18
            );
            assert!(visits.iter().any(|v| v.who == "jeanne.petit"));
        }
    }
}
