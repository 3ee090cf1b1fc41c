// SPDX-License-Identifier: EUPL-1.2
//! RFC 6238: six digits that change every thirty seconds, and the key as people copy it.
use chrono::{DateTime, Utc};
use ring::hmac;

const PERIOD: i64 = 30;
/// A clock may be one step early or late.
const SKEW: i64 = 1;
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The step whose code was typed: close to now and later than `last`, so that a code serves once.
pub fn step_of(secret: &[u8], typed: &str, now: DateTime<Utc>, last: i64) -> Option<i64> {
    let typed: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    if typed.len() != 6 {
        return None;
    }
    let current = now.timestamp().div_euclid(PERIOD);
    (current - SKEW..=current + SKEW)
        .filter(|step| *step > last)
        .find(|step| same(&code(secret, *step), &typed))
}

fn code(secret: &[u8], step: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let at = usize::from(tag[tag.len() - 1] & 0x0f);
    let number = tag[at..at + 4].iter().fold(0u32, |n, byte| n << 8 | u32::from(*byte));
    format!("{:06}", (number & 0x7fff_ffff) % 1_000_000)
}

/// In a time that does not depend on where they differ.
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |diff, (a, b)| diff | (a ^ b)) == 0
}

/// RFC 4648, without padding.
pub fn base32(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for chunk in bytes.chunks(5) {
        let mut block = [0u8; 8];
        block[3..3 + chunk.len()].copy_from_slice(chunk);
        let bits = u64::from_be_bytes(block);
        for n in 0..(chunk.len() * 8).div_ceil(5) {
            out.push(char::from(ALPHABET[(bits >> (35 - 5 * n)) as usize & 31]));
        }
    }
    out
}

/// « JBSW Y3DP EHPK 3PXP »
pub fn in_fours(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    letters.chunks(4).map(|four| four.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

/// What an application reads from the image.
pub fn address(secret: &[u8], email: &str, issuer: &str) -> String {
    let text = |text: &str| -> String {
        form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
    };
    format!(
        "otpauth://totp/{issuer}:{}?secret={}&issuer={issuer}&algorithm=SHA1&digits=6&period={PERIOD}",
        text(email),
        base32(secret),
        issuer = text(issuer),
    )
}

/// The code for this instant, for tests that play the application.
#[cfg(test)]
pub fn code_at(secret: &[u8], at: DateTime<Utc>) -> String {
    code(secret, at.timestamp().div_euclid(PERIOD))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn codes_are_those_of_rfc_6238() {
        let secret = b"12345678901234567890";
        for (seconds, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code_at(secret, at(seconds)), expected);
        }
    }

    #[test]
    fn a_code_is_good_one_step_around_and_once() {
        let secret = b"12345678901234567890";
        let now = at(1_234_567_890);
        let step = now.timestamp() / 30;
        for (shift, accepted) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
            let typed = code(secret, step + shift);
            assert_eq!(step_of(secret, &typed, now, 0).is_some(), accepted, "{shift}");
        }
        assert_eq!(step_of(secret, "005 924", now, step - 1), Some(step));
        assert_eq!(step_of(secret, "005924", now, step), None, "used");
        for wrong in ["", "00592", "0059240", "00592é", "abcdef"] {
            assert_eq!(step_of(secret, wrong, now, 0), None, "{wrong}");
        }
    }

    #[test]
    fn keys_are_written_in_base32() {
        for (bytes, expected) in
            [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foobar", "MZXW6YTBOI"), ("fooba", "MZXW6YTB")]
        {
            assert_eq!(base32(bytes.as_bytes()), expected);
        }
        assert_eq!(in_fours("MZXW6YTBOI"), "MZXW 6YTB OI");
        let address = address(b"foobar", "s.m@ops.test", "Ville d’Ys");
        assert_eq!(
            address,
            "otpauth://totp/Ville%20d%E2%80%99Ys:s.m%40ops.test?secret=MZXW6YTBOI&issuer=Ville%20d%E2%80%99Ys&algorithm=SHA1&digits=6&period=30"
        );
    }
}
