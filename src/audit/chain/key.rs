// SPDX-License-Identifier: EUPL-1.2
//! The key that signs checkpoints: made at first start, in the data directory, for its account alone
//! (10-decisions 8). The base never holds it: who can write the base cannot sign.
use super::form::unhex;
use anyhow::{Context, Result, anyhow, bail};
use ring::{
    rand::SystemRandom,
    signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey},
};
use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

const FILE: &str = "audit-signature.key";
/// Public keys of other processes of the same base, or of a former machine: one a line, in hexadecimal.
const TRUSTED: &str = "audit-cles-reconnues.txt";

pub struct SigningKey {
    pair: Ed25519KeyPair,
    trusted: Vec<Vec<u8>>,
}

impl SigningKey {
    /// The key of this data directory, made if it has none.
    ///
    /// # Errors
    /// The directory cannot be written, or holds something else under that name.
    pub fn open(dir: &Path) -> Result<Self> {
        let path = dir.join(FILE);
        if !path.exists() {
            create(dir, &path).with_context(|| format!("création de {}", path.display()))?;
        }
        let der = fs::read(&path).with_context(|| format!("lecture de {}", path.display()))?;
        let pair = Ed25519KeyPair::from_pkcs8(&der)
            .map_err(|_| anyhow!("{} n’est pas une clé de signature", path.display()))?;
        let mut trusted = vec![pair.public_key().as_ref().to_vec()];
        let list = dir.join(TRUSTED);
        if list.exists() {
            let text = fs::read_to_string(&list)
                .with_context(|| format!("lecture de {}", list.display()))?;
            for line in text.lines().map(str::trim).filter(|l| !l.is_empty()) {
                match unhex(line).filter(|key| key.len() == 32) {
                    Some(key) => trusted.push(key),
                    None => bail!("{} : clé illisible « {line} »", list.display()),
                }
            }
        }
        Ok(Self { pair, trusted })
    }

    pub fn public(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    pub fn sign(&self, text: &str) -> Vec<u8> {
        self.pair.sign(text.as_bytes()).as_ref().to_vec()
    }

    /// Whether this machine knows whose key it is.
    pub fn trusts(&self, public: &[u8]) -> bool {
        self.trusted.iter().any(|key| key == public)
    }
}

pub fn is_signed(public: &[u8], text: &str, signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, public).verify(text.as_bytes(), signature).is_ok()
}

/// Whole or not at all, and never over another: two processes may start at once.
fn create(dir: &Path, path: &Path) -> Result<()> {
    let der = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
        .map_err(|_| anyhow!("no randomness"))?;
    let draft = dir.join(format!("{FILE}.{}", uuid::Uuid::new_v4()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(der.as_ref())?;
    file.sync_all()?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Err(err) if err.kind() != std::io::ErrorKind::AlreadyExists => Err(err.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn made_once_for_its_account_alone() {
        let dir = std::env::temp_dir().join(format!("opstracker-key-{}", uuid::Uuid::new_v4()));
        fs::create_dir_all(&dir).unwrap();
        let first = SigningKey::open(&dir).unwrap();
        assert_eq!(first.public(), SigningKey::open(&dir).unwrap().public());
        let mode = fs::metadata(dir.join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 1, "no draft is left");
        let signature = first.sign("a");
        assert!(is_signed(first.public(), "a", &signature));
        assert!(!is_signed(first.public(), "b", &signature));

        fs::write(dir.join(TRUSTED), format!("{}\n", "07".repeat(32))).unwrap();
        assert!(SigningKey::open(&dir).unwrap().trusts(&[7; 32]));
        assert!(!first.trusts(&[7; 32]));
        fs::write(dir.join(TRUSTED), "pas une clé").unwrap();
        assert!(SigningKey::open(&dir).is_err());
        fs::remove_dir_all(&dir).unwrap();
    }
}
