// SPDX-License-Identifier: EUPL-1.2
//! The rule of passwords, wherever one is set (RG-001): one constructor, [`Password::new`].
use super::{User, hashing};
use crate::{app::App, settings::Settings, text::norm};
use std::{collections::HashSet, fmt, sync::LazyLock};
use unicode_normalization::UnicodeNormalization;

const MIN: usize = 12;
const MAX: usize = 128;
const PRODUCT: &str = "opstracker";
/// A word drawn among some three thousand.
const BITS_PER_WORD: f64 = 11.5;
const WORDS: usize = 5;

static COMMON: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let lists = [include_str!("common_passwords.txt"), include_str!("common_passwords_fr.txt")];
    lists.iter().flat_map(|list| list.lines()).map(norm).collect()
});

/// What a password must not contain.
#[derive(Default)]
pub struct Context {
    parts: Vec<String>,
}

impl Context {
    pub fn new(email: &str, first_name: &str, last_name: &str) -> Self {
        let local = email.split('@').next().unwrap_or_default();
        let texts = [local, first_name, last_name, PRODUCT].map(norm);
        let split = texts.iter().flat_map(|text| text.split(|c: char| !c.is_alphanumeric()));
        let mut parts: Vec<String> = split
            .chain(texts.iter().map(String::as_str))
            .filter(|part| part.chars().count() >= 4)
            .map(str::to_owned)
            .collect();
        parts.sort();
        parts.dedup();
        Self { parts }
    }

    pub fn of(user: &User) -> Self {
        Self::new(&user.email, &user.first_name, &user.last_name)
    }
}

/// What the organisation asks for.
#[derive(Clone, Copy)]
pub struct Rules {
    pub bits: f64,
    pub families: bool,
}

impl From<&Settings> for Rules {
    fn from(settings: &Settings) -> Self {
        Self {
            bits: f64::from(settings.password_bits.max(50)),
            families: settings.password_families,
        }
    }
}

/// A password that follows the rules. It does not print.
#[derive(Clone)]
pub struct Password(String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[password]")
    }
}

/// Why a password is refused: everything that is missing.
#[derive(Debug, PartialEq, Eq)]
pub struct Weak(Vec<String>);

impl fmt::Display for Weak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mot de passe trop faible : {}.", self.0.join(" ; "))
    }
}

impl Password {
    /// # Errors
    /// Says everything that is missing.
    pub fn new(text: &str, context: &Context, rules: Rules) -> Result<Self, Weak> {
        let text: String = text.nfc().collect();
        let faults = faults(&text, context, rules);
        if faults.is_empty() { Ok(Self(text)) } else { Err(Weak(faults)) }
    }

    /// # Errors
    /// The system has no source of randomness.
    pub async fn hash(self, app: &App) -> anyhow::Result<String> {
        hashing::hash(app, self.0).await
    }

    /// For commands, which have a thread to themselves.
    ///
    /// # Errors
    /// The system has no source of randomness.
    pub fn hash_now(&self) -> anyhow::Result<String> {
        hashing::hash_now(&self.0)
    }
}

/// Checks and hashes a generated password, which knows nothing of its owner: demonstration accounts.
///
/// # Errors
/// It does not follow the rules.
pub async fn hash_password(app: &App, text: String) -> anyhow::Result<String> {
    let rules = Rules::from(&*app.settings());
    let password = Password::new(&text, &Context::default(), rules)
        .map_err(|weak| anyhow::anyhow!(weak.to_string()))?;
    password.hash(app).await
}

fn faults(text: &str, context: &Context, rules: Rules) -> Vec<String> {
    let mut faults = Vec::new();
    let length = text.chars().count();
    let bits = estimate(text);
    let lowered = norm(text);
    if length > MAX {
        faults.push(format!("{MAX} caractères au plus"));
    }
    if length < MIN && !is_long_passphrase(text) {
        faults.push(format!("{MIN} caractères au moins, ou {WORDS} mots séparés par des espaces"));
    }
    if COMMON.contains(&lowered) || COMMON.contains(root(&lowered)) {
        faults.push("il est parmi les plus courants, même entouré de chiffres".into());
    }
    if context.parts.iter().any(|part| lowered.contains(part.as_str())) {
        faults.push(
            "il ne doit contenir ni votre nom, ni votre e-mail, ni le nom du logiciel".into(),
        );
    }
    if rules.families {
        let missing = missing_families(text);
        if !missing.is_empty() {
            faults.push(format!("il y manque {}", missing.join(", ")));
        }
    }
    // Last, since the rest often explains it.
    if bits < rules.bits {
        faults.push(format!(
            "il se devine trop facilement (force {} sur {}), allongez-le ou variez les caractères",
            bits.floor(),
            rules.bits
        ));
    }
    faults
}

fn is_long_passphrase(text: &str) -> bool {
    let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    words.len() >= WORDS
        && words
            .iter()
            .all(|word| word.chars().count() >= 3 && word.chars().all(char::is_alphabetic))
}

/// Without its leading and trailing digits and specials.
fn root(text: &str) -> &str {
    text.trim_matches(|c: char| !c.is_alphabetic())
}

fn missing_families(text: &str) -> Vec<&'static str> {
    let has = |test: fn(char) -> bool| text.chars().any(test);
    [
        (has(char::is_lowercase), "une minuscule"),
        (has(char::is_uppercase), "une majuscule"),
        (has(char::is_numeric), "un chiffre"),
        (has(|c| !c.is_alphanumeric() && !c.is_whitespace()), "un caractère spécial"),
    ]
    .into_iter()
    .filter_map(|(present, name)| (!present).then_some(name))
    .collect()
}

/// Bits, by the letter of RG-001.
pub fn estimate(text: &str) -> f64 {
    let is_passphrase =
        text.chars().all(|c| c.is_alphabetic() || c == ' ') && text.split_whitespace().count() >= 2;
    if is_passphrase {
        let words: HashSet<String> =
            text.split_whitespace().filter(|word| word.chars().count() >= 3).map(norm).collect();
        return words.len() as f64 * BITS_PER_WORD;
    }
    effective_length(text) as f64 * f64::from(alphabet(text)).max(1.0).log2()
}

fn alphabet(text: &str) -> u32 {
    let has = |test: fn(char) -> bool| text.chars().any(test);
    [
        (has(|c| c.is_ascii_lowercase()), 26),
        (has(|c| c.is_ascii_uppercase()), 26),
        (has(char::is_numeric), 10),
        (has(|c| !c.is_alphanumeric()), 37),
        (has(|c| c.is_alphabetic() && !c.is_ascii()), 64),
    ]
    .into_iter()
    .filter_map(|(present, size)| present.then_some(size))
    .sum()
}

/// Characters, where a run of three identical or a sequence of four consecutive counts for two.
fn effective_length(text: &str) -> usize {
    let chars: Vec<char> = text.chars().collect();
    let (mut at, mut length) = (0, 0);
    while at < chars.len() {
        let rest = &chars[at..];
        let run = reach(rest, |a, b| a == b);
        let sequence = reach(rest, follows).max(reach(rest, |a, b| follows(b, a)));
        let skipped = if run >= 3 {
            run
        } else if sequence >= 4 {
            sequence
        } else {
            1
        };
        length += skipped.min(2);
        at += skipped;
    }
    length
}

/// How many characters from the first are each in this relation with the next.
fn reach(chars: &[char], related: impl Fn(char, char) -> bool) -> usize {
    1 + chars.windows(2).take_while(|pair| related(pair[0], pair[1])).count()
}

/// The next letter or digit; a row of digits ends with 0, as on a keyboard.
fn follows(a: char, b: char) -> bool {
    let (a, b) = (a.to_ascii_lowercase(), b.to_ascii_lowercase());
    let consecutive = a.is_alphanumeric() && b.is_alphanumeric() && a as u32 + 1 == b as u32;
    (consecutive && a != '0') || (a, b) == ('9', '0')
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULT: Rules = Rules { bits: 50.0, families: false };

    fn karim() -> Context {
        Context::new("karim.benali@ops.test", "Karim", "Bénali")
    }

    fn accepted(text: &str, rules: Rules) -> bool {
        Password::new(text, &karim(), rules).is_ok()
    }

    #[test]
    fn rg_001_examples_of_the_rule() {
        let high = Rules { bits: 80.0, families: false };
        for (text, rules, expected) in [
            ("azertyuiop12", DEFAULT, false),
            ("123456789012", DEFAULT, false),
            ("KLMtruite7%oie", DEFAULT, true),
            ("KLMtruite7%oie", high, true),
            ("lampadaire vert octobre tiroir musique", DEFAULT, true),
            ("lampadaire vert octobre tiroir musique", high, false),
            ("lampadaire vert octobre tiroir musique crayon falaise", high, true),
        ] {
            assert_eq!(accepted(text, rules), expected, "{text}");
        }
        assert!((estimate("123456789012") - 13.3).abs() < 0.1, "{}", estimate("123456789012"));
        assert!((estimate("lampadaire vert octobre tiroir musique") - 57.5).abs() < 0.01);
    }

    #[test]
    fn rg_001_length_is_in_characters() {
        assert!(accepted("Éàçœ€日本§µĦŦŁ", DEFAULT));
        assert!(!accepted("Éàçœ€日本§µĦ", DEFAULT));
        // e and a combining accent are one character after NFC.
        assert!(!accepted("Xe\u{301}7%kq;Wm2z", DEFAULT));
        assert!(accepted("Xe\u{301}7%kq;Wm2zT", DEFAULT));
        assert!(accepted(&"kT7%".repeat(32), DEFAULT));
        assert!(!accepted(&format!("{}x", "kT7%".repeat(32)), DEFAULT));
    }

    #[test]
    fn rg_001_predictable_texts_are_weak() {
        for text in [
            "aaaaaaaaaaaaaaaaaaaa",
            "abcdefghijklmnop",
            "zyxwvutsrqponm",
            "98765432109876",
            "MotDePasse2026!!",
            "!!!Soleil!!!2026",
            "doudou12345678",
            "chat chat chat chat chat chat",
            "un le de la du et au",
        ] {
            assert!(!accepted(text, DEFAULT), "{text}");
        }
        assert_eq!(effective_length("aaab"), 3);
        assert_eq!(effective_length("aab"), 3);
        assert_eq!(effective_length("abcx"), 4);
        assert_eq!(effective_length("abcdx"), 3);
        assert_eq!(effective_length("dcbax"), 3);
        assert_eq!(effective_length("AbCdx"), 3);
    }

    #[test]
    fn rg_001_nothing_of_the_person_nor_of_the_product() {
        for text in [
            "xK7%BENALI-2;w",
            "xK7%Bénàlï-2;w",
            "7%kARIm;wT2zqp",
            "xK7%OpsTracker",
            "xK7%karim.benali",
        ] {
            let refused = Password::new(text, &karim(), DEFAULT).unwrap_err().to_string();
            assert!(refused.contains("ni votre nom"), "{text}: {refused}");
        }
        // Parts of three letters do not count.
        assert!(
            Password::new("KLMtruite7%lea", &Context::new("lea@ops.test", "Léa", "Roy"), DEFAULT)
                .is_ok()
        );
    }

    #[test]
    fn rg_001_four_families_when_asked() {
        let families = Rules { bits: 50.0, families: true };
        assert!(accepted("KLMtruite7%oie", families));
        let refused =
            Password::new("klmtruite oiesauvage9", &karim(), families).unwrap_err().to_string();
        assert!(refused.contains("une majuscule, un caractère spécial"), "{refused}");
        // Accented capitals are capitals.
        assert!(accepted("Éclmtruite7%oie", families));
    }

    #[test]
    fn a_refusal_says_everything_that_is_missing() {
        let refused = Password::new("soleil1", &karim(), Rules { bits: 50.0, families: true })
            .unwrap_err()
            .to_string();
        assert!(
            crate::testing::plain(&refused)
                .starts_with("Mot de passe trop faible : 12 caractères au moins"),
            "{refused}"
        );
        for part in
            ["parmi les plus courants", "une majuscule, un caractère spécial", "force 36 sur 50"]
        {
            assert!(refused.contains(part), "{refused}");
        }
    }

    #[test]
    fn the_lists_are_whole() {
        assert_eq!(include_str!("common_passwords.txt").lines().count(), 10_000);
        for word in ["azerty", "motdepasse", "doudou", "qwerty", "letmein"] {
            assert!(COMMON.contains(word), "{word}");
        }
        assert!(
            !format!("{:?}", Password::new("KLMtruite7%oie", &karim(), DEFAULT)).contains("truite")
        );
    }
}
