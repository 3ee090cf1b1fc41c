// SPDX-License-Identifier: EUPL-1.2
//! The one guard against formula injection in CSV files.
//! `neutralise` is applied to every text cell that is written, `restore` to every one that is read;
//! together they are the identity. Cells of XLSX and ODS are typed and need neither.

use std::borrow::Cow;

/// Prefixes with an apostrophe the text that a spreadsheet could run.
pub fn neutralise(text: &str) -> Cow<'_, str> {
    if is_risky(text) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// Takes away the apostrophe that [`neutralise`] would have put, and no other.
pub fn restore(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if is_risky(rest) => rest,
        _ => text,
    }
}

/// A text that starts like a formula, or an apostrophe followed by such a text.
fn is_risky(text: &str) -> bool {
    let mut rest = text;
    loop {
        if starts_a_formula(rest) {
            return true;
        }
        match rest.strip_prefix('\'') {
            Some(after) => rest = after,
            None => return false,
        }
    }
}

/// At its beginning, or after a line end or a delimiter inside, where a careless reader would
/// start another cell.
fn starts_a_formula(text: &str) -> bool {
    let mut at_start = true;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if at_start
            && matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠')
        {
            return true;
        }
        if c == '\r' {
            chars.next_if_eq(&'\n');
        }
        at_start =
            matches!(c, '\r' | '\n' | '\t' | ';' | ',' | '|') || (at_start && c.is_whitespace());
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn risky_texts_get_one_apostrophe() {
        for text in [
            "=1+1", "+33 6", "-5", "@SUM(A1)", "\tx", "\rx", "\nx", "＝1", "＋1", "－1", "＠x",
            "  =1", "\u{a0}=1", "a\n=1", "a\r\n@x", "a;=1", "a; =1", "a,+1", "a\t-1", "'=1",
            "''=1", "' =1",
        ] {
            assert_eq!(neutralise(text), format!("'{text}"), "{text:?}");
        }
    }

    #[test]
    fn other_texts_are_left_alone() {
        for text in [
            "",
            "Dupont",
            "'tis",
            "l'été",
            "a-b",
            "a=b",
            "06 39 98 00 12",
            "a\r\nb",
            "'",
            "Rue X, 5",
        ] {
            assert_eq!(neutralise(text), text);
            assert_eq!(restore(text), text);
        }
    }

    proptest! {
        #[test]
        fn writing_then_reading_is_the_identity(text in "[-=+@'＝ \t\r\n;,|\"aé]{0,12}") {
            let written = neutralise(&text);
            prop_assert_eq!(restore(&written), text.as_str());
        }
    }
}
