// SPDX-License-Identifier: EUPL-1.2
//! Text as the rest of the program wants it (NFC), and numbers in French sentences.

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// `None` when the text is in normal form C already, which is nearly always.
pub(crate) fn to_nfc(text: &str) -> Option<String> {
    // Everything below U+0300 is inert; its UTF-8 lead bytes are below 0xCC.
    if text.bytes().all(|byte| byte < 0xcc) || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return None;
    }
    let composed: String = text.nfc().collect();
    (composed != text).then_some(composed)
}

/// A header on one line, without byte-order mark nor spaces around.
pub(crate) fn header(text: &str) -> String {
    let words: Vec<&str> = text
        .split(|c: char| c == '\u{feff}' || c.is_control())
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ")
}

/// « 100 000 », with narrow no-break spaces.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 2);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// « 1 ligne », « 12 lignes ».
pub(crate) fn count(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(number), if number < 2 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_separated_by_narrow_no_break_spaces() {
        for (number, text) in
            [(0, "0"), (999, "999"), (1000, "1\u{202f}000"), (1_234_567, "1\u{202f}234\u{202f}567")]
        {
            assert_eq!(thousands(number), text);
        }
    }

    #[test]
    fn only_decomposed_text_is_rewritten() {
        assert_eq!(to_nfc("Étage"), None);
        assert_eq!(to_nfc("« œuvre » €"), None);
        assert_eq!(to_nfc("E\u{301}tage").as_deref(), Some("Étage"));
    }

    #[test]
    fn headers_stand_on_one_line() {
        assert_eq!(header("\u{feff} Nom\r\nde l’agent\t "), "Nom de l’agent");
    }
}
