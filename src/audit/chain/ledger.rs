// SPDX-License-Identifier: EUPL-1.2
//! The checkpoints once more, in a file of the data directory (03 §12.2): who can write the base
//! alone cannot take them back. One a line, as it is committed; nothing here ever removes one.
use super::{
    checkpoint::Checkpoint,
    form::{hex, instant, unhex},
};
use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use std::{
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

const FILE: &str = "audit-points-de-controle.txt";

/// # Errors
/// The directory cannot be written.
pub fn append(dir: &Path, checkpoint: &Checkpoint) -> Result<()> {
    let path = dir.join(FILE);
    let write = || {
        let mut file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path)?;
        // One call: two processes do not mix their lines.
        file.write_all(line(checkpoint).as_bytes())?;
        file.sync_data()
    };
    write().with_context(|| format!("écriture de {}", path.display()))
}

/// The furthest checkpoint of the file; a line cut short by a power failure is not one.
///
/// # Errors
/// The file is there and cannot be read.
pub fn furthest(dir: &Path) -> Result<Option<Checkpoint>> {
    let path = dir.join(FILE);
    let file = match File::open(&path) {
        Err(err) if err.kind() == ErrorKind::NotFound => return Ok(None),
        file => file.with_context(|| format!("lecture de {}", path.display()))?,
    };
    let mut furthest: Option<Checkpoint> = None;
    for line in BufReader::new(file).lines() {
        let line = line.with_context(|| format!("lecture de {}", path.display()))?;
        match read(&line) {
            Some(read) if furthest.as_ref().is_none_or(|known| known.position <= read.position) => {
                furthest = Some(read);
            }
            Some(_) => {}
            None => tracing::warn!(line, "{} : ligne illisible", path.display()),
        }
    }
    Ok(furthest)
}

fn line(checkpoint: &Checkpoint) -> String {
    let Checkpoint { position, hash, at, public_key, signature } = checkpoint;
    let (hash, at, key, signature) = (hex(hash), instant(*at), hex(public_key), hex(signature));
    format!("{position};{hash};{at};{key};{signature}\n")
}

fn read(line: &str) -> Option<Checkpoint> {
    let cells: Vec<&str> = line.split(';').collect();
    let &[position, hash, at, key, signature] = cells.as_slice() else { return None };
    Some(Checkpoint {
        position: position.parse().ok()?,
        hash: unhex(hash)?,
        at: DateTime::parse_from_rfc3339(at).ok()?.with_timezone(&Utc),
        public_key: unhex(key)?,
        signature: unhex(signature)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::PermissionsExt};

    #[test]
    fn the_furthest_is_found_and_a_cut_line_is_passed_over() {
        let dir = std::env::temp_dir().join(format!("opstracker-ledger-{}", uuid::Uuid::new_v4()));
        fs::create_dir_all(&dir).unwrap();
        assert!(furthest(&dir).unwrap().is_none());
        let at = |position| Checkpoint {
            position,
            hash: vec![7; 32],
            at: DateTime::from_timestamp_micros(1_767_225_600_123_456).unwrap(),
            public_key: vec![1; 32],
            signature: vec![2; 64],
        };
        for position in [3, 12, 9] {
            append(&dir, &at(position)).unwrap();
        }
        let path = dir.join(FILE);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{text}20;0707")).unwrap();
        let found = furthest(&dir).unwrap().unwrap();
        assert_eq!(line(&found), line(&at(12)));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::remove_dir_all(&dir).unwrap();
    }
}
