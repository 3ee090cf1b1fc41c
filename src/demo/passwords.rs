// SPDX-License-Identifier: EUPL-1.2
//! Passwords that are printed once: five French words drawn by the system (RG-001, 10-decisions 13).
//! The drawing is never seeded, and only hashes are stored.
use crate::{accounts::hash_password, app::App, settings::Settings};
use anyhow::{Result, anyhow};

const WORDS: &str = include_str!("words.txt");
/// Distinct words separated by spaces: five, or as many as the organisation's threshold asks for.
pub fn passphrase(rules: &Settings) -> Result<String> {
    let length =
        if rules.password_bits > 57 { rules.password_bits as usize * 2 / 23 + 1 } else { 5 };
    let words: Vec<&str> = WORDS.split_whitespace().collect();
    let mut chosen: Vec<&str> = Vec::with_capacity(length);
    while chosen.len() < length {
        let word = words[draw(words.len())?];
        if !chosen.contains(&word) {
            chosen.push(word);
        }
    }
    let text = chosen.join(" ");
    // « Exiger 4 familles de caractères »: the upper case, the digit and the special that words lack.
    Ok(if rules.password_families { format!("{text} A{}!", draw(90)? + 10) } else { text })
}

/// A uniform number below `n`: the draws that would favour some are thrown away.
fn draw(n: usize) -> Result<usize> {
    let n = u32::try_from(n)?;
    let limit = u32::MAX - u32::MAX % n;
    loop {
        let drawn = getrandom::u32().map_err(|err| anyhow!("no randomness: {err}"))?;
        if drawn < limit {
            return Ok((drawn % n) as usize);
        }
    }
}

/// As many passwords with their hashes; hashing goes on as many threads as the program allows.
pub async fn make(app: &App, count: usize) -> Result<Vec<(String, String)>> {
    let rules = app.settings();
    futures::future::try_join_all((0..count).map(|_| async {
        let password = passphrase(&rules)?;
        let hash = hash_password(app, password.clone()).await?;
        Ok((password, hash))
    }))
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passphrase_is_five_distinct_words_of_three_letters_or_more() {
        let usual = Settings { password_bits: 50, ..Settings::default() };
        let text = passphrase(&usual).unwrap();
        let words: Vec<&str> = text.split(' ').collect();
        assert_eq!(words.len(), 5);
        assert!(
            words.iter().all(|w| w.len() >= 3 && w.bytes().all(|b| b.is_ascii_lowercase())),
            "{text}"
        );
        assert_ne!(text, passphrase(&usual).unwrap());
        let strict = Settings { password_bits: 80, password_families: true, ..usual };
        let text = passphrase(&strict).unwrap();
        assert_eq!(text.split(' ').count(), 8, "{text}");
    }

    #[test]
    fn no_word_holds_a_name_of_the_demonstration() {
        let words: Vec<&str> = WORDS.split_whitespace().collect();
        assert!(words.len() > 600);
        let distinct: std::collections::HashSet<_> = words.iter().collect();
        assert_eq!(distinct.len(), words.len());
        for part in crate::demo::accounts::name_parts() {
            assert!(!words.iter().any(|w| w.contains(&part)), "{part}");
        }
    }
}
