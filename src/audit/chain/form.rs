// SPDX-License-Identifier: EUPL-1.2
//! The canonical forms: what is digested, to the byte. Each is a compact JSON array that begins with
//! its own name, so that no text of one kind is ever taken for another.
//!
//! These forms are public (`docs/guide/journal-audit.md`): changing one breaks every sealed chain.
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use uuid::Uuid;

/// What precedes the first seal.
pub const GENESIS: [u8; 32] = [0; 32];

/// An entry as it is digested; `changes` is the text that PostgreSQL gives of it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Content {
    pub seq: i64,
    pub at: DateTime<Utc>,
    pub actor_kind: String,
    pub actor_id: Option<Uuid>,
    pub action: String,
    pub object_kind: String,
    pub object_id: Option<Uuid>,
    pub campaign_id: Option<Uuid>,
    pub changes: String,
    pub reason: Option<String>,
    pub ip: Option<String>,
    pub request: Option<String>,
}

/// The columns of [`Content`]; `e` is the entry.
pub const CONTENT_COLUMNS: &str = "e.seq, e.at, e.actor_kind, e.actor_id, e.action, e.object_kind, e.object_id, e.campaign_id, e.changes::text as changes, e.reason, e.ip, e.request";

impl Content {
    pub fn text(&self) -> String {
        array(&(
            "opstracker-entry-1",
            self.seq,
            instant(self.at),
            &self.actor_kind,
            self.actor_id,
            &self.action,
            &self.object_kind,
            self.object_id,
            self.campaign_id,
            &self.changes,
            &self.reason,
            &self.ip,
            &self.request,
        ))
    }

    pub fn digest(&self) -> [u8; 32] {
        sha256(self.text().as_bytes())
    }
}

/// The seal of an entry: its place, the hash before it, the entry and its digest.
pub fn seal_text(position: i64, previous: &[u8], entry: i64, digest: &[u8]) -> String {
    array(&("opstracker-seal-1", position, hex(previous), entry, hex(digest)))
}

pub fn seal_hash(position: i64, previous: &[u8], entry: i64, digest: &[u8]) -> [u8; 32] {
    sha256(seal_text(position, previous, entry, digest).as_bytes())
}

/// What a checkpoint signs.
pub fn checkpoint_text(position: i64, hash: &[u8], at: DateTime<Utc>) -> String {
    array(&("opstracker-checkpoint-1", position, hex(hash), instant(at)))
}

/// What an entry holds in the place of a personal value.
pub fn commitment(salt: &[u8], value: &str) -> [u8; 32] {
    Sha256::new().chain_update(salt).chain_update(value.as_bytes()).finalize().into()
}

/// UTC, to the microsecond: `2026-03-12T13:30:00.000000Z`.
pub fn instant(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// The bytes of a hexadecimal text; `None` when it is not one.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Strings, numbers and nulls: writing them cannot fail.
fn array(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The forms are a promise: a change of theirs must be seen here.
    #[test]
    fn the_forms_do_not_move() {
        let entry = Content {
            seq: 7,
            at: DateTime::from_timestamp_micros(1_773_322_200_000_001).unwrap(),
            actor_kind: "user".into(),
            actor_id: Some(Uuid::nil()),
            action: "campaign.edited".into(),
            object_kind: "campaign".into(),
            object_id: None,
            campaign_id: None,
            changes: r#"{"name": ["Été", "A\"B"]}"#.into(),
            reason: Some("ligne 1\nligne 2".into()),
            ip: None,
            request: None,
        };
        assert_eq!(
            entry.text(),
            r#"["opstracker-entry-1",7,"2026-03-12T13:30:00.000001Z","user","00000000-0000-0000-0000-000000000000","campaign.edited","campaign",null,null,"{\"name\": [\"Été\", \"A\\\"B\"]}","ligne 1\nligne 2",null,null]"#
        );
        assert_eq!(
            seal_text(1, &GENESIS, 7, &[0xab; 32]),
            format!(r#"["opstracker-seal-1",1,"{}",7,"{}"]"#, "0".repeat(64), "ab".repeat(32))
        );
        assert_eq!(
            checkpoint_text(1, &[1; 32], entry.at),
            format!(
                r#"["opstracker-checkpoint-1",1,"{}","2026-03-12T13:30:00.000001Z"]"#,
                "01".repeat(32)
            )
        );
    }

    #[test]
    fn hexadecimal_both_ways() {
        assert_eq!(unhex(&hex(&[0, 15, 255])), Some(vec![0, 15, 255]));
        assert_eq!((unhex("0"), unhex("zz"), unhex("é0")), (None, None, None));
    }
}
