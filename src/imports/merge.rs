// SPDX-License-Identifier: EUPL-1.2
//! The three-way table of 03 §2.5, on one cell: what the last import wrote, what the file says,
//! what stands now; and what a person chose instead of its default.

/// What a cell is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing to write.
    Unchanged,
    /// The file's value is applied.
    Apply,
    /// The human's value stands; the file agrees with the last import.
    KeptHuman,
    /// Both changed: the human's value stands.
    Conflict,
    /// The file says nothing where there is a value: nothing is erased.
    Empty,
}

impl Verdict {
    /// The word stored; `None` when there is nothing to store.
    pub fn code(self) -> Option<&'static str> {
        match self {
            Self::Unchanged => None,
            Self::Apply => Some("apply"),
            Self::KeptHuman => Some("kept"),
            Self::Conflict => Some("conflict"),
            Self::Empty => Some("empty"),
        }
    }
}

/// What a person decided of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    File,
    Here,
}

impl Choice {
    pub fn code(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Here => "here",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        [Self::File, Self::Here].into_iter().find(|choice| choice.code() == code)
    }
}

/// `base`: last imported value, `None` when never imported; empty means absent everywhere.
pub fn cell(base: Option<&str>, file: &str, here: &str) -> Verdict {
    if file == here {
        return Verdict::Unchanged;
    }
    if file.is_empty() {
        return Verdict::Empty;
    }
    match base {
        None if here.is_empty() => Verdict::Apply,
        None => Verdict::Conflict,
        Some(base) if base == here => Verdict::Apply,
        Some(base) if base == file => Verdict::KeptHuman,
        Some(_) => Verdict::Conflict,
    }
}

/// Whether the file's value is written. A choice made on a value that is no longer there does not
/// count: what somebody wrote after the preview stands (RG-180).
pub fn takes_file(verdict: Verdict, here: &str, chosen: Option<(Choice, &str)>) -> bool {
    match (verdict, chosen) {
        (Verdict::Unchanged, _) | (_, Some((Choice::Here, _))) => false,
        (_, Some((Choice::File, shown))) if shown == here => true,
        (verdict, Some((Choice::File, _)) | None) => verdict == Verdict::Apply,
    }
}

#[cfg(test)]
mod tests {
    use super::{Choice::*, Verdict::*, cell, takes_file};

    #[test]
    fn table_of_03_2_5() {
        for (base, file, here, verdict) in [
            (Some("a"), "a", "a", Unchanged),
            (Some("a"), "b", "a", Apply),
            (Some("a"), "a", "h", KeptHuman),
            (Some("a"), "b", "h", Conflict),
            (Some("a"), "h", "h", Unchanged),
            (None, "b", "", Apply),
            (None, "b", "h", Conflict),
            (Some("a"), "", "a", Empty),
            (None, "", "h", Empty),
            (Some("a"), "", "", Unchanged),
            (Some("a"), "a", "", KeptHuman),
            (Some("a"), "b", "", Conflict),
        ] {
            assert_eq!(cell(base, file, here), verdict, "{base:?} {file} {here}");
        }
    }

    #[test]
    fn a_choice_holds_for_the_value_it_was_made_on() {
        for (verdict, chosen, expected) in [
            (Apply, None, true),
            (Conflict, None, false),
            (KeptHuman, None, false),
            (Empty, None, false),
            (Conflict, Some((File, "h")), true),
            (Empty, Some((File, "h")), true),
            (KeptHuman, Some((File, "h")), true),
            (Apply, Some((Here, "h")), false),
            (Apply, Some((Here, "x")), false),
            (Conflict, Some((File, "x")), false),
            (Apply, Some((File, "x")), true),
            (Unchanged, Some((File, "h")), false),
        ] {
            assert_eq!(takes_file(verdict, "h", chosen), expected, "{verdict:?} {chosen:?}");
        }
    }
}
