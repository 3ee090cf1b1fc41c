// SPDX-License-Identifier: EUPL-1.2
//! What is done with counts, and nothing else: scope, percentages that add up, flags (RG-043, RG-044).
//!
//! Every screen that shows a figure takes it from here, so that no two of them can differ (P-104).
use crate::{clock, text::number, web::format::percent, workflows::Category};
use chrono::{DateTime, NaiveDate, Utc};
use std::iter::Sum;

/// How many operations in each category.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts([u64; 7]);

impl Counts {
    pub fn add(&mut self, category: Category, n: u64) {
        if let Some(count) = self.0.get_mut(category as usize) {
            *count += n;
        }
    }

    pub fn of(&self, category: Category) -> u64 {
        self.0.get(category as usize).copied().unwrap_or_default()
    }

    /// All of them, cancelled ones included.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// S: everything but the cancelled ones.
    pub fn scope(&self) -> u64 {
        self.total() - self.of(Category::Cancelled)
    }

    pub fn done(&self) -> u64 {
        self.of(Category::Done)
    }

    /// What remains to be done: R of RG-045.
    pub fn remaining(&self) -> u64 {
        self.scope() - self.done()
    }

    /// « 73 » : done ÷ S, rounded; never 100 before everything is done, nor 0 once one is.
    pub fn progress(&self) -> u8 {
        let (done, scope) = (self.done(), self.scope());
        if done == 0 || done == scope {
            return if done == 0 { 0 } else { 100 };
        }
        let rounded = (u128::from(done) * 200 + u128::from(scope)) / (u128::from(scope) * 2);
        u8::try_from(rounded.clamp(1, 99)).unwrap_or(99)
    }

    /// « 619 / 847 — 73 % » without its spaces around the bar, as tables show it.
    pub fn done_text(&self) -> String {
        let (done, scope) = (number(self.done()), number(self.scope()));
        if self.scope() == 0 {
            "—".into()
        } else {
            format!("{done}/{scope} — {}", percent(self.progress()))
        }
    }

    /// This category's percentage of the scope.
    pub fn share(&self, category: Category) -> u8 {
        self.shares().get(category as usize).copied().unwrap_or_default()
    }

    /// Percentages of the scope: « Réalisé » is the progress, the others share what is left by
    /// largest remainder, so that all add up to 100.
    pub fn shares(&self) -> [u8; 7] {
        let mut shares = [0; 7];
        let scope = u128::from(self.scope());
        if scope == 0 {
            return shares;
        }
        let done = Category::Done as usize;
        let mut left = 100 - self.progress();
        let mut remainders = Vec::with_capacity(7);
        for category in Category::ALL {
            let (i, part) = (category as usize, u128::from(self.of(category)));
            if i != done && category != Category::Cancelled && part > 0 {
                shares[i] = u8::try_from(part * 100 / scope).unwrap_or(100).min(left);
                left -= shares[i];
                remainders.push((std::cmp::Reverse((part * 100 % scope, part)), i));
            }
        }
        remainders.sort_unstable();
        for (_, i) in remainders.into_iter().take(usize::from(left)) {
            shares[i] += 1;
        }
        shares[done] = self.progress();
        shares
    }

    /// « En retard » : less than half done when half of the period is over.
    pub fn is_late(&self, start: NaiveDate, end: NaiveDate, now: DateTime<Utc>) -> bool {
        self.scope() > 0 && self.done() * 2 < self.scope() && half_elapsed(start, end, now)
    }

    /// « À surveiller » : more than 15 % postponed or blocked.
    pub fn is_to_watch(&self) -> bool {
        (self.of(Category::Postponed) + self.of(Category::Blocked)) * 100 > self.scope() * 15
    }
}

impl Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |mut sum, counts| {
            sum.0.iter_mut().zip(counts.0).for_each(|(to, n)| *to += n);
            sum
        })
    }
}

/// Whether half of the period, its last day included, is over.
fn half_elapsed(start: NaiveDate, end: NaiveDate, now: DateTime<Utc>) -> bool {
    let first = clock::start_of(start);
    let last = clock::start_of(end.succ_opt().unwrap_or(end));
    (now - first) * 2 >= last - first
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Duration;
    use proptest::prelude::*;

    fn counts(pairs: &[(Category, u64)]) -> Counts {
        let mut counts = Counts::default();
        pairs.iter().for_each(|&(category, n)| counts.add(category, n));
        counts
    }
    use Category::{Blocked, Cancelled, Done, InProgress, Planned, Postponed, Todo};

    #[test]
    fn rg_043_progress() {
        for (pairs, scope, progress) in [
            (&[][..], 0, 0),
            (&[(Cancelled, 9)], 0, 0),
            (&[(Todo, 3)], 3, 0),
            (&[(Done, 619), (Planned, 228), (Cancelled, 4)], 847, 73),
            (&[(Done, 278), (Todo, 34)], 312, 89),
            (&[(Done, 999), (Blocked, 1)], 1000, 99),
            (&[(Done, 1), (Todo, 999)], 1000, 1),
            (&[(Done, 5), (Cancelled, 5)], 5, 100),
        ] {
            let counts = counts(pairs);
            assert_eq!((counts.scope(), counts.progress()), (scope, progress), "{pairs:?}");
        }
        let thirds = counts(&[(Done, 1), (Todo, 1), (Blocked, 1)]).shares();
        assert_eq!(thirds.iter().map(|n| u32::from(*n)).sum::<u32>(), 100);
    }

    #[test]
    fn rg_044_flags() {
        let day = |d| NaiveDate::from_ymd_opt(2026, 3, d).unwrap();
        let late = |done, d| {
            counts(&[(Done, done), (Todo, 10 - done)]).is_late(
                day(1),
                day(10),
                clock::start_of(day(d)),
            )
        };
        assert!(late(4, 6), "half of the period is over at the first minute of day 6");
        assert!(
            !late(4, 5)
                && !late(5, 6)
                && !counts(&[]).is_late(day(1), day(10), clock::start_of(day(9)))
        );
        let before = clock::start_of(day(6)) - Duration::seconds(1);
        assert!(!counts(&[(Todo, 1)]).is_late(day(1), day(10), before));
        let watched = |postponed, blocked| {
            counts(&[(Postponed, postponed), (Blocked, blocked), (Done, 100 - postponed - blocked)])
                .is_to_watch()
        };
        assert!(!watched(8, 7), "15 % is not more than 15 %");
        assert!(watched(8, 8) && !counts(&[(Cancelled, 4)]).is_to_watch());
    }

    #[test]
    fn counts_of_segments_make_the_whole() {
        let whole: Counts =
            [counts(&[(Done, 2), (InProgress, 1)]), counts(&[(Done, 3)])].into_iter().sum();
        assert_eq!(whole, counts(&[(Done, 5), (InProgress, 1)]));
    }

    proptest! {
        #[test]
        fn rg_043_shares_add_up(parts in prop::array::uniform7(prop_oneof![0u64..4, 0u64..2_000_000])) {
            let counts = Counts(parts);
            let shares = counts.shares();
            let sum: u32 = shares.iter().map(|n| u32::from(*n)).sum();
            let by_category: u64 = Category::ALL.into_iter().filter(|c| *c != Cancelled).map(|c| counts.of(c)).sum();
            prop_assert_eq!(by_category, counts.scope());
            prop_assert_eq!(sum, if counts.scope() == 0 { 0 } else { 100 });
            prop_assert_eq!(counts.progress() == 100, counts.scope() > 0 && counts.done() == counts.scope());
            prop_assert_eq!(counts.progress() == 0, counts.done() == 0);
            prop_assert_eq!(shares[Cancelled as usize], 0);
            for (share, part) in shares.iter().zip(parts) {
                prop_assert!(part > 0 || *share == 0);
            }
        }
    }
}
