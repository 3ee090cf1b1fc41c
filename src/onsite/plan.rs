// SPDX-License-Identifier: EUPL-1.2
//! In which block a technician finds each intervention: none is ever lost (RG-023, P-083).
use super::visit::Visit;
use crate::{clock, workflows::Category};
use chrono::NaiveDate;

/// Cards of a block before « Voir les autres ».
const SHOWN: usize = 50;

pub struct Block {
    pub id: &'static str,
    pub title: &'static str,
    pub visits: Vec<Visit>,
    /// Those not shown yet.
    pub more: usize,
}

#[derive(Default)]
pub struct Plan {
    pub next: Option<Visit>,
    pub blocks: Vec<Block>,
    pub done: Option<Block>,
    pub done_today: usize,
    pub todo_today: usize,
    pub open: usize,
}

const BLOCKS: [(&str, &str); 6] = [
    ("en-retard", "En retard"),
    ("aujourdhui", "Aujourd'hui"),
    ("a-venir", "À venir"),
    ("sans-date", "Sans date"),
    ("reportees", "Reportées"),
    ("bloquees", "Bloquées"),
];

/// The place of an intervention among [`BLOCKS`]; `None` when it is finished.
fn place(category: Category, planned: Option<NaiveDate>, today: NaiveDate) -> Option<usize> {
    match (category, planned) {
        (Category::Done | Category::Cancelled, _) => None,
        (Category::Postponed, _) => Some(4),
        (Category::Blocked, _) => Some(5),
        (_, None) => Some(3),
        (_, Some(day)) if day < today => Some(0),
        (_, Some(day)) if day == today => Some(1),
        _ => Some(2),
    }
}

/// Sorts cards that come by planned time. `whole`: the block shown entirely.
pub fn plan(visits: Vec<Visit>, today: NaiveDate, whole: &str) -> Plan {
    let mut parts: [Vec<Visit>; 6] = Default::default();
    let mut done = Vec::new();
    for visit in visits {
        match place(visit.category, visit.planned_on(), today).and_then(|i| parts.get_mut(i)) {
            Some(part) => part.push(visit),
            None => done.push(visit),
        }
    }
    done.sort_by_key(|visit| std::cmp::Reverse(visit.done_at));
    let done_today = done.iter().filter(|v| v.done_at.map(clock::day) == Some(today)).count();
    let todo_today = parts[1].len();
    let open = parts.iter().map(Vec::len).sum();
    // The earliest of today, else the earliest late.
    let next = [1, 0].into_iter().find(|&i| !parts[i].is_empty()).map(|i| parts[i].remove(0));
    let block = |(id, title), mut visits: Vec<Visit>| {
        let more = if whole == id { 0 } else { visits.len().saturating_sub(SHOWN) };
        visits.truncate(visits.len() - more);
        Block { id, title, visits, more }
    };
    let blocks = BLOCKS
        .into_iter()
        .zip(parts)
        .filter(|(_, part)| !part.is_empty())
        .map(|(name, part)| block(name, part))
        .collect();
    let done = Some(done)
        .filter(|done| !done.is_empty())
        .map(|done| block(("terminees", "Terminées"), done));
    Plan { next, blocks, done, done_today, todo_today, open }
}

impl Block {
    pub fn count(&self) -> usize {
        self.visits.len() + self.more
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rg_023_every_open_intervention_has_a_block() {
        let day = |d| NaiveDate::from_ymd_opt(2026, 3, d).unwrap();
        let title = |category, planned| place(category, planned, day(12)).map(|i| BLOCKS[i].1);
        for (category, planned, expected) in [
            (Category::Todo, Some(day(11)), Some("En retard")),
            (Category::Planned, Some(day(12)), Some("Aujourd'hui")),
            (Category::InProgress, Some(day(13)), Some("À venir")),
            (Category::InProgress, None, Some("Sans date")),
            (Category::Postponed, None, Some("Reportées")),
            (Category::Postponed, Some(day(12)), Some("Reportées")),
            (Category::Blocked, Some(day(1)), Some("Bloquées")),
            (Category::Done, Some(day(12)), None),
        ] {
            assert_eq!(title(category, planned), expected, "{category:?} {planned:?}");
        }
        for category in Category::ALL.into_iter().filter(|c| !c.is_final()) {
            for planned in [None, Some(day(11)), Some(day(12)), Some(day(13))] {
                assert!(title(category, planned).is_some());
            }
        }
    }
}
