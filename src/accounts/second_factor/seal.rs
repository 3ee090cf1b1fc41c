// SPDX-License-Identifier: EUPL-1.2
//! The key of the data directory, and what is written under it: whoever reads the base alone learns
//! no secret. Made at its first use, 32 random bytes readable by the program only (10-decisions 8).
use crate::config::Config;
use anyhow::{Context, anyhow, bail};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};
use uuid::Uuid;

const FILE: &str = "secret.key";
const LENGTH: usize = 32;

/// `owner` is bound to the text: under another's name it does not open.
///
/// # Errors
/// The key cannot be read or made.
pub fn seal(config: &Config, owner: Uuid, secret: &[u8]) -> anyhow::Result<Vec<u8>> {
    let key = key(&config.data_dir)?;
    let mut nonce = [0u8; NONCE_LEN];
    getrandom::fill(&mut nonce).map_err(|err| anyhow!("no randomness: {err}"))?;
    let mut text = secret.to_vec();
    key.seal_in_place_append_tag(
        Nonce::assume_unique_for_key(nonce),
        Aad::from(owner.as_bytes()),
        &mut text,
    )
    .map_err(|_| anyhow!("sealing failed"))?;
    Ok([&nonce[..], &text].concat())
}

/// # Errors
/// The key is not the one that sealed it, or the text was changed.
pub fn open(config: &Config, owner: Uuid, sealed: &[u8]) -> anyhow::Result<Vec<u8>> {
    let (nonce, text) = sealed.split_at_checked(NONCE_LEN).context("sealed text too short")?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| anyhow!("no nonce"))?;
    let mut text = text.to_vec();
    let opened = key(&config.data_dir)?
        .open_in_place(nonce, Aad::from(owner.as_bytes()), &mut text)
        .map_err(|_| anyhow!("{FILE} is not the key that sealed this secret"))?;
    Ok(opened.to_vec())
}

fn key(dir: &Path) -> anyhow::Result<LessSafeKey> {
    let path = dir.join(FILE);
    let bytes = match fs::read(&path) {
        Err(err) if err.kind() == ErrorKind::NotFound => make(&path)?,
        read => read.with_context(|| format!("{}", path.display()))?,
    };
    if bytes.len() != LENGTH {
        bail!("{} : {LENGTH} octets attendus", path.display());
    }
    let key = UnboundKey::new(&CHACHA20_POLY1305, &bytes).map_err(|_| anyhow!("bad key"))?;
    Ok(LessSafeKey::new(key))
}

/// Two processes may begin together: the file appears whole, once, and both read the same.
fn make(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = vec![0u8; LENGTH];
    getrandom::fill(&mut bytes).map_err(|err| anyhow!("no randomness: {err}"))?;
    let draft = path.with_extension(Uuid::new_v4().simple().to_string());
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Err(err) if err.kind() == ErrorKind::AlreadyExists => Ok(fs::read(path)?),
        linked => linked.map(|()| bytes).with_context(|| format!("{}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_is_sealed_opens_for_its_owner_alone() {
        let dir = std::env::temp_dir().join(format!("opstracker-seal-{}", Uuid::new_v4()));
        fs::create_dir_all(&dir).unwrap();
        let config = Config::for_tests(dir.clone());
        let (sophie, karim) = (Uuid::new_v4(), Uuid::new_v4());
        let sealed = seal(&config, sophie, b"un secret").unwrap();
        assert!(!sealed.windows(9).any(|w| w == b"un secret"));
        assert_ne!(seal(&config, sophie, b"un secret").unwrap(), sealed, "never twice the same");
        assert_eq!(open(&config, sophie, &sealed).unwrap(), b"un secret");
        assert!(open(&config, karim, &sealed).is_err());
        let mode = fs::metadata(dir.join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::write(dir.join(FILE), [7u8; LENGTH]).unwrap();
        assert!(open(&config, sophie, &sealed).is_err(), "another key");
        fs::write(dir.join(FILE), b"court").unwrap();
        assert!(seal(&config, sophie, b"x").unwrap_err().to_string().contains("32 octets"));
        fs::remove_dir_all(dir).unwrap();
    }
}
