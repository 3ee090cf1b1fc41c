// SPDX-License-Identifier: EUPL-1.2
//! Secrets: 256 random bits, shown once, only their SHA-256 is stored (S-08).
use sha2::{Digest, Sha256};

/// A new secret, 64 hexadecimal digits.
///
/// # Errors
/// The system has no source of randomness.
pub fn random() -> anyhow::Result<String> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).map_err(|err| anyhow::anyhow!("no randomness: {err}"))?;
    Ok(bytes.iter().map(|b| format!("{b:02x}")).collect())
}

pub fn hash(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}
