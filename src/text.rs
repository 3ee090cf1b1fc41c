// SPDX-License-Identifier: EUPL-1.2
//! French text: the normal form used by every comparison, agreement in number, typography.
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Narrow no-break space, before ; ! ? % and between thousands (RG-086).
pub const NARROW: char = '\u{202f}';

/// The normal form of 06-model §1: trimmed, spaces collapsed, lower case, accents removed,
/// « œ » and « æ » opened. Every `*_norm` column is written with it.
pub fn norm(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    norm_into(text, &mut out);
    out
}

/// [`norm`] into a buffer that is reused: the import normalises two texts a line.
pub fn norm_into(text: &str, out: &mut String) {
    out.clear();
    let mut pending = false;
    let mut push = |c: char, out: &mut String| {
        if c.is_whitespace() {
            pending = !out.is_empty();
            return;
        }
        if pending {
            out.push(' ');
            pending = false;
        }
        match c {
            'œ' | 'Œ' => out.push_str("oe"),
            'æ' | 'Æ' => out.push_str("ae"),
            '’' => out.push('\''),
            'A'..='Z' => out.push(c.to_ascii_lowercase()),
            c if c.is_ascii() => out.push(c),
            c => out.extend(c.to_lowercase()),
        }
    };
    if text.is_ascii() {
        text.chars().for_each(|c| push(c, out));
    } else {
        text.nfd().filter(|c| !is_combining_mark(*c)).for_each(|c| push(c, out));
    }
}

/// What a person typed: NFC, trimmed, no control character but line ends.
pub fn clean(text: &str) -> String {
    let text: String = text.nfc().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    text.trim().to_owned()
}

/// « 1 agent », « 2 agents »; zero is singular in French.
pub fn count(n: impl Natural, one: &str, many: &str) -> String {
    let n = n.natural();
    format!("{}\u{a0}{}", number(n), if n < 2 { one } else { many })
}

/// Thousands with a narrow no-break space: « 128 412 ».
pub fn number(n: impl Natural) -> String {
    let digits = n.natural().to_string();
    let mut out = String::with_capacity(digits.len() + 4);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(NARROW);
        }
        out.push(c);
    }
    out
}

/// An integer to be said; a negative one counts as nothing. Templates pass references.
pub trait Natural {
    fn natural(self) -> u64;
}

macro_rules! natural {
    ($($integer:ty)*) => {$(
        impl Natural for $integer {
            fn natural(self) -> u64 {
                u64::try_from(self).unwrap_or(0)
            }
        }
    )*};
}

impl<N: Natural + Copy> Natural for &N {
    fn natural(self) -> u64 {
        (*self).natural()
    }
}

natural!(u8 u16 u32 u64 usize i16 i32 i64);

/// The pattern that finds `text` literally with `like`: `%`, `_` and `\` are themselves.
pub fn like_pattern(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_normal_form() {
        for (text, expected) in [
            ("  Étage   1 ", "etage 1"),
            ("BÂTIMENT\u{a0}A", "batiment a"),
            ("Œuvrard", "oeuvrard"),
            ("L’Haÿ", "l'hay"),
            ("", ""),
            ("0", "0"),
            ("ﬀ", "ﬀ"),
        ] {
            assert_eq!(norm(text), expected);
        }
    }

    #[test]
    fn agreement_and_thousands() {
        assert_eq!(count(0u32, "agent", "agents"), "0\u{a0}agent");
        assert_eq!(count(1u32, "agent", "agents"), "1\u{a0}agent");
        assert_eq!(count(1240u32, "agent", "agents"), "1\u{202f}240\u{a0}agents");
        assert_eq!(number(128_412u32), "128\u{202f}412");
    }

    #[test]
    fn like_is_literal() {
        assert_eq!(like_pattern("50%_a\\"), "%50\\%\\_a\\\\%");
    }
}
