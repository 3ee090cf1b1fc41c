// SPDX-License-Identifier: EUPL-1.2
//! « Monter », « Descendre », or dropped at a rank: where one element of a list goes.
use crate::web::Form;

/// What a person asks of one element of an ordered list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    Up,
    Down,
    /// Dropped at this rank, from 0.
    At(usize),
}

impl Move {
    /// `sens=haut`, `sens=bas`, or `rang=3` from a drag.
    pub fn parse(form: &Form) -> Self {
        match form.raw("rang").parse() {
            Ok(rank) => Self::At(rank),
            Err(_) if form.has("sens", "haut") => Self::Up,
            Err(_) => Self::Down,
        }
    }

    /// Moves the element at `from`; gives its new rank. A move beyond an end stops there.
    pub fn apply<T>(self, list: &mut Vec<T>, from: usize) -> usize {
        let last = list.len().saturating_sub(1);
        let to = match self {
            Self::Up => from.saturating_sub(1),
            Self::Down => from + 1,
            Self::At(rank) => rank,
        }
        .min(last);
        let element = list.remove(from);
        list.insert(to, element);
        to
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_stop_at_the_ends() {
        for (how, from, to, expected) in [
            (Move::Up, 1, 0, "bac"),
            (Move::Up, 0, 0, "abc"),
            (Move::Down, 1, 2, "acb"),
            (Move::Down, 2, 2, "abc"),
            (Move::At(2), 0, 2, "bca"),
            (Move::At(0), 2, 0, "cab"),
            (Move::At(99), 0, 2, "bca"),
        ] {
            let mut list: Vec<char> = "abc".chars().collect();
            assert_eq!(how.apply(&mut list, from), to, "{how:?}");
            assert_eq!(list.into_iter().collect::<String>(), expected, "{how:?}");
        }
    }
}
