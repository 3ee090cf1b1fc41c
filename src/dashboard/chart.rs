// SPDX-License-Identifier: EUPL-1.2
//! Where the bars, lines and words of « Vélocité » stand: attributes of an SVG, no style, no script.
use super::pace::Day;
use crate::{text::number, web::format};
use chrono::{Datelike, Weekday};

/// The drawing, of 740 by 214: bars between x 34 and 666, from y 186 up to 10.
const LEFT: f64 = 34.0;
const RIGHT: f64 = 666.0;
const FLOOR: f64 = 186.0;
const TOP: f64 = 10.0;

pub struct Bar {
    pub x: String,
    pub y: String,
    pub width: String,
    pub height: String,
    pub is_today: bool,
}

/// A word: its middle, its baseline.
pub struct Word {
    pub x: String,
    pub y: String,
    pub text: String,
}

pub struct Chart {
    pub bars: Vec<Bar>,
    /// The horizontal lines: height, baseline of the number, number.
    pub lines: Vec<Word>,
    pub dates: Vec<Word>,
    pub today: Option<Word>,
    /// The highest day.
    pub most: Option<Word>,
    /// The height of v; its line crosses the drawing.
    pub mean: Option<Word>,
}

impl Chart {
    pub fn of(days: &[Day], mean: Option<(f64, String)>) -> Self {
        let most = days.iter().map(|day| day.done).max().unwrap_or_default();
        let step = step(most);
        let top = most.div_ceil(step).max(1) * step;
        let height = |n: f64| (FLOOR - TOP) * n / top as f64;
        let column = (RIGHT - LEFT) / days.len().max(1) as f64;
        let middle = |n: usize| LEFT + column * (n as f64 + 0.5);
        let word = |x: f64, y: f64, text: String| Word { x: at(x), y: at(y), text };
        let last = days.len().saturating_sub(1);
        let bars = days.iter().enumerate().filter(|(_, day)| day.done > 0).map(|(n, day)| Bar {
            x: at(middle(n) - column * 0.35),
            y: at(FLOOR - height(day.done as f64)),
            width: at(column * 0.7),
            height: at(height(day.done as f64)),
            is_today: n == last,
        });
        // Mondays, unless « auj. » stands there.
        let mondays = days
            .iter()
            .enumerate()
            .filter(|(n, day)| day.date.weekday() == Weekday::Mon && *n > 0 && n + 3 <= last);
        let today = days.last().map(|day| day.date);
        Self {
            bars: bars.collect(),
            lines: (0..=top / step)
                .map(|n| n * step)
                .map(|n| word(LEFT, FLOOR - height(n as f64), number(n)))
                .collect(),
            dates: mondays
                .zip(today.into_iter().cycle())
                .map(|((n, day), today)| {
                    word(middle(n), FLOOR + 20.0, format::day_month(day.date, today))
                })
                .collect(),
            today: today.map(|_| word(middle(last), FLOOR + 20.0, "auj.".into())),
            most: days.iter().enumerate().rev().find(|(_, day)| day.done == most && most > 0).map(
                |(n, day)| word(middle(n), FLOOR - height(day.done as f64) - 4.0, number(day.done)),
            ),
            mean: mean.map(|(mean, text)| word(RIGHT + 6.0, FLOOR - height(mean), text)),
        }
    }
}

/// Between two lines: 1, 2 or 5 times a power of ten, for four lines at most.
fn step(most: u64) -> u64 {
    let mut power = 1;
    loop {
        for step in [power, 2 * power, 5 * power] {
            if most <= step * 4 {
                return step;
            }
        }
        power *= 10;
    }
}

fn at(n: f64) -> String {
    format!("{n:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{Days, NaiveDate};

    #[test]
    fn bars_stand_between_the_floor_and_the_top() {
        let first: NaiveDate = "2026-02-11".parse().unwrap();
        let done = |n| if n == 6 { 28 } else { n % 5 };
        let days: Vec<Day> = (0..30)
            .map(|n| Day { date: first + Days::new(n), done: done(n), is_working: true })
            .collect();
        let chart = Chart::of(&days, Some((20.0, "20".into())));
        let numbers: Vec<_> = chart.lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(numbers, ["0", "10", "20", "30"]);
        assert_eq!(chart.bars.len(), 24, "a day without anything has no bar");
        assert_eq!(chart.most.unwrap().text, "28");
        let dates: Vec<_> = chart.dates.iter().map(|date| date.text.as_str()).collect();
        assert_eq!(dates, ["16 févr.", "23 févr.", "2 mars", "9 mars"]);
        let empty = Chart::of(&[], None);
        assert!(empty.bars.is_empty() && empty.most.is_none() && empty.today.is_none());
        assert_eq!([0, 4, 5, 28, 900].map(step), [1, 1, 2, 10, 500]);
    }
}
