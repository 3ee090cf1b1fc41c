// SPDX-License-Identifier: EUPL-1.2
//! The 847 targets of « Migration Windows 11 – Siège » whatever the day: who, which workstation,
//! which building, and how it ended (09 §5). The delivered file says the same.
use super::{people, people::Agent, seed::Rng, types::MODELS};

pub const TARGETS: usize = 847;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Done,
    Planned,
    Postponed,
    Blocked,
}

/// (name, done, planned, postponed, blocked)
pub const BUILDINGS: [(&str, usize, usize, usize, usize); 3] = [
    ("Bâtiment A", 278, 22, 8, 4),
    ("Bâtiment B", 204, 64, 20, 12),
    ("Bâtiment C", 137, 56, 24, 18),
];

/// Wings of each building: the letter of its offices.
const WINGS: [&[&str]; 3] = [&["A", "B", "C"], &["D"], &["E"]];

/// Karim's: (number, building, office, equipment, end).
const PINNED: [(usize, usize, &str, &str, End); 10] = [
    (42, 0, "B204", "PC-0042", End::Done),
    (89, 0, "C102", "PC-0089", End::Done),
    (156, 1, "D301", "PC-0156", End::Planned),
    (201, 1, "D305", "PC-0201", End::Planned),
    (233, 1, "D112", "PC-0233", End::Planned),
    (90, 0, "A108", "PC-0089B", End::Planned),
    (140, 0, "B118", "PC-0140", End::Planned),
    (172, 0, "A215", "PC-0172", End::Postponed),
    (188, 0, "B009", "PC-0188", End::Postponed),
    (119, 0, "B210", "PC-0119", End::Blocked),
];

/// The ends of the guarantees that remain.
const WARRANTIES: [&str; 6] =
    ["2027-03-31", "2027-06-30", "2027-12-31", "2028-03-31", "2028-09-30", "2029-01-31"];

#[derive(Clone)]
pub struct Target {
    pub agent: Agent,
    pub building: usize,
    pub end: End,
    pub equipment: String,
    /// « B204 »
    pub office: String,
    pub model: &'static str,
    pub warranty: &'static str,
}

impl Target {
    pub fn number(&self) -> usize {
        self.agent.number
    }

    pub fn is_pinned(&self) -> bool {
        PINNED.iter().any(|(n, ..)| *n == self.number())
    }

    pub fn building_name(&self) -> &'static str {
        BUILDINGS[self.building].0
    }

    /// The building is the segment, shown beside it.
    pub fn location(&self) -> String {
        format!("Bureau {}", self.office)
    }

    /// The digit after the wing.
    pub fn floor(&self) -> String {
        self.office.chars().nth(1).into_iter().collect()
    }
}

/// In the order of their numbers.
pub fn targets() -> Vec<Target> {
    let mut rng = Rng::new(11);
    let places = places(&mut rng);
    people::agents()
        .into_iter()
        .take(TARGETS)
        .zip(places)
        .map(|(agent, (building, end))| {
            let pinned = PINNED.iter().find(|(n, ..)| *n == agent.number);
            let drawn = format!(
                "{}{}{:02}",
                rng.pick(WINGS[building]),
                rng.between(0, 4),
                rng.between(1, 24)
            );
            Target {
                equipment: pinned
                    .map_or_else(|| format!("PC-{:04}", agent.number), |p| p.3.to_owned()),
                office: pinned.map_or(drawn, |p| p.2.to_owned()),
                model: rng.pick(&MODELS),
                warranty: rng.pick(&WARRANTIES),
                agent,
                building,
                end,
            }
        })
        .collect()
}

/// Building and end of each number: the exact counts of 09 §5, in a drawn order around the pinned ones.
fn places(rng: &mut Rng) -> Vec<(usize, End)> {
    let mut left = Vec::new();
    for (building, (_, done, planned, postponed, blocked)) in BUILDINGS.iter().enumerate() {
        for (end, count) in [
            (End::Done, *done),
            (End::Planned, *planned),
            (End::Postponed, *postponed),
            (End::Blocked, *blocked),
        ] {
            let pinned =
                PINNED.iter().filter(|(_, b, _, _, e)| *b == building && *e == end).count();
            left.extend(std::iter::repeat_n((building, end), count - pinned));
        }
    }
    rng.shuffle(&mut left);
    let mut left = left.into_iter();
    (1..=TARGETS)
        .filter_map(|number| match PINNED.iter().find(|(n, ..)| *n == number) {
            Some((_, building, _, _, end)) => Some((*building, *end)),
            None => left.next(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_09_5() {
        let all = targets();
        assert_eq!(all.len(), TARGETS);
        let count = |building: Option<usize>, end: End| {
            all.iter().filter(|t| building.is_none_or(|b| t.building == b) && t.end == end).count()
        };
        assert_eq!(
            [End::Done, End::Planned, End::Postponed, End::Blocked].map(|end| count(None, end)),
            [619, 142, 52, 34]
        );
        assert_eq!(
            [0, 1, 2].map(|b| all.iter().filter(|t| t.building == b).count()),
            [312, 300, 235]
        );
        assert_eq!([0, 1, 2].map(|b| count(Some(b), End::Done)), [278, 204, 137]);
    }

    #[test]
    fn karims_are_said_by_heart() {
        let all = targets();
        let anne = &all[89];
        assert_eq!(
            (anne.agent.label().as_str(), anne.equipment.as_str()),
            ("MOREAU Anne", "PC-0089B")
        );
        assert_eq!(anne.location(), "Bureau A108");
        assert_eq!(anne.floor(), "1");
        let equipments: std::collections::HashSet<_> = all.iter().map(|t| &t.equipment).collect();
        assert_eq!(equipments.len(), TARGETS);
    }
}
