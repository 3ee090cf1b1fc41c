// SPDX-License-Identifier: EUPL-1.2
//! When the remaining operations should be done, from the days that were observed (RG-045,
//! 10-decisions 11).
//!
//! A bootstrap: each draw first resamples the observed days themselves, for they are only a sample
//! of what the team can do, then lets the campaign run on days taken from that resample. Without the
//! first step the dates are too sure of themselves: P80 held in 72 simulated campaigns out of 100.
//! The generator is seeded: the same figures always give the same dates.

const DRAWS: usize = 1_000;
/// Four years of working days: beyond, a date would mean nothing.
pub const LONGEST: u32 = 1_040;

/// Working days until the end, today not counted; at most [`LONGEST`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// Half of the draws are done by then.
    pub p50: u32,
    /// Eight draws out of ten are done by then.
    pub p80: u32,
}

impl Forecast {
    /// `observed`: what was done on each working day, zeros included; `None` when nothing was.
    pub fn draw(observed: &[u64], remaining: u64) -> Option<Self> {
        if observed.iter().all(|done| *done == 0) {
            return None;
        }
        let mut chance = Chance(0x5eed);
        let mut ends: Vec<u32> =
            (0..DRAWS).map(|_| one_end(observed, remaining, &mut chance)).collect();
        ends.sort_unstable();
        let by = |share: usize| ends.get(DRAWS * share / 100 - 1).copied().unwrap_or(LONGEST);
        Some(Self { p50: by(50), p80: by(80) })
    }
}

fn one_end(observed: &[u64], remaining: u64, chance: &mut Chance) -> u32 {
    let days: Vec<u64> = observed.iter().filter_map(|_| chance.pick(observed)).collect();
    if days.iter().all(|done| *done == 0) {
        return LONGEST;
    }
    let mut left = remaining;
    for day in 1..LONGEST {
        left = left.saturating_sub(chance.pick(&days).unwrap_or_default());
        if left == 0 {
            return day;
        }
    }
    LONGEST
}

/// A seeded generator (SplitMix64): chance that can be told again.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn pick(&mut self, among: &[u64]) -> Option<u64> {
        let wide = u128::from(self.next()) * among.len() as u128;
        among.get(usize::try_from(wide >> 64).ok()?).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Chance {
        /// Between 0 and 1.
        fn unit(&mut self) -> f64 {
            (self.next() >> 11) as f64 / (1u64 << 53) as f64
        }

        fn within(&mut self, low: f64, high: f64) -> f64 {
            low + (high - low) * self.unit()
        }

        /// How many rare events happen when `mean` are expected (Knuth).
        fn poisson(&mut self, mean: f64) -> u64 {
            let (limit, mut product, mut n) = ((-mean).exp(), self.unit(), 0);
            while product > limit {
                product *= self.unit();
                n += 1;
            }
            n
        }
    }

    /// A team: its mean, what each day of the week makes of it, how it varies, its days without anything.
    struct Team {
        mean: f64,
        week: [f64; 5],
        spread: f64,
        idle: f64,
    }

    impl Team {
        fn new(chance: &mut Chance) -> Self {
            Self {
                mean: 2.0 * 20f64.powf(chance.unit()),
                week: std::array::from_fn(|_| chance.within(0.5, 1.5)),
                spread: chance.within(0.1, 0.9),
                idle: [0.0, 0.0, 0.1, 0.2, 0.35][(chance.unit() * 5.0) as usize],
            }
        }

        fn works(&self, day: usize, chance: &mut Chance) -> u64 {
            if chance.unit() < self.idle {
                return 0;
            }
            let mood = chance.within(1.0 - self.spread, 1.0 + self.spread);
            chance.poisson(self.mean * self.week[day % 5] * mood)
        }
    }

    /// A simulated campaign: the days that the dashboard saw, and the day on which it really ended.
    fn campaign(chance: &mut Chance) -> (Vec<u64>, u64, u32) {
        let team = Team::new(chance);
        let mut days = (0..).map(|day| (day, 0));
        let mut work = |chance: &mut Chance| {
            let (day, _) = days.next().unwrap();
            team.works(day, chance)
        };
        // The window begins with the first operation done.
        let first = std::iter::repeat_with(|| work(chance)).find(|done| *done > 0).unwrap();
        let seen = 4 + (chance.unit() * 17.0) as usize;
        let observed: Vec<u64> =
            std::iter::once(first).chain((0..seen).map(|_| work(chance))).collect();
        let remaining = (team.mean * chance.within(1.0, 60.0)).round().max(1.0) as u64;
        let (mut done, mut end) = (0, 0);
        while done < remaining {
            done += work(chance);
            end += 1;
        }
        (observed, remaining, end)
    }

    #[test]
    fn rg_045_the_dates_hold_as_often_as_they_say() {
        const CAMPAIGNS: usize = 1_000;
        let mut chance = Chance(2026);
        let (mut by_p50, mut by_p80) = (0, 0);
        for _ in 0..CAMPAIGNS {
            let (observed, remaining, end) = campaign(&mut chance);
            let forecast = Forecast::draw(&observed, remaining).unwrap();
            by_p50 += usize::from(end <= forecast.p50);
            by_p80 += usize::from(end <= forecast.p80);
        }
        let share = |n: usize| n as f64 * 100.0 / CAMPAIGNS as f64;
        println!(
            "of {CAMPAIGNS} campaigns, {} % ended by P50 and {} % by P80",
            share(by_p50),
            share(by_p80)
        );
        assert!((78.0..=95.0).contains(&share(by_p80)), "P80 holds in {} %", share(by_p80));
        assert!((45.0..=65.0).contains(&share(by_p50)), "P50 holds in {} %", share(by_p50));
    }

    #[test]
    fn the_same_figures_give_the_same_dates() {
        let steady = Forecast::draw(&[15; 10], 200).unwrap();
        assert_eq!(steady, Forecast { p50: 14, p80: 14 }, "a steady team leaves nothing to chance");
        let uneven = [0, 30, 4, 22, 9, 0, 31];
        let forecast = Forecast::draw(&uneven, 200).unwrap();
        assert_eq!(Some(forecast), Forecast::draw(&uneven, 200));
        assert!(forecast.p50 < forecast.p80, "{forecast:?}");
        assert_eq!(Forecast::draw(&[0; 8], 3), None);
        assert_eq!(Forecast::draw(&[1, 0, 1], 1_000_000).unwrap().p80, LONGEST);
    }
}
