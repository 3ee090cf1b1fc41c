// SPDX-License-Identifier: EUPL-1.2
//! The three-way table of 03 §2.5, on one cell: what the last import wrote, what the file says,
//! what stands now. Its defaults are applied when a line meets an operation that exists.

/// What happens to a cell.
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
}

/// `base`: last imported value, `None` when never imported; empty means absent everywhere.
pub fn cell(base: Option<&str>, file: &str, here: &str) -> Verdict {
    // An empty cell of the file does not erase (03 §2.5).
    if file.is_empty() || file == here {
        return Verdict::Unchanged;
    }
    match base {
        None if here.is_empty() => Verdict::Apply,
        None => Verdict::Conflict,
        Some(base) if base == here => Verdict::Apply,
        Some(base) if base == file => Verdict::KeptHuman,
        Some(_) => Verdict::Conflict,
    }
}

#[cfg(test)]
mod tests {
    use super::{Verdict::*, cell};

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
            (Some("a"), "", "a", Unchanged),
        ] {
            assert_eq!(cell(base, file, here), verdict, "{base:?} {file} {here}");
        }
    }
}
