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
    io::{self, BufRead, BufReader, ErrorKind, Read, Write},
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

/// The checkpoints of the file as it stands now, in the order of its lines; one cut short by a power
/// failure is not one. All of them count: after the chain was made anew, the sealer signs it too.
pub type Points = Box<dyn Iterator<Item = io::Result<Checkpoint>> + Send>;

/// # Errors
/// The file is there and cannot be read.
pub fn points(dir: &Path) -> Result<Points> {
    let path = dir.join(FILE);
    let reading = || format!("lecture de {}", path.display());
    let file = match File::open(&path) {
        Err(err) if err.kind() == ErrorKind::NotFound => return Ok(Box::new(std::iter::empty())),
        file => file.with_context(reading)?,
    };
    let length = file.metadata().with_context(reading)?.len();
    let lines = BufReader::new(file.take(length)).lines();
    Ok(Box::new(lines.filter_map(|line| line.map(|line| read(&line)).transpose())))
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
    fn lines_are_read_back_and_one_cut_short_is_passed_over() {
        let dir = std::env::temp_dir().join(format!("opstracker-ledger-{}", uuid::Uuid::new_v4()));
        fs::create_dir_all(&dir).unwrap();
        assert_eq!(points(&dir).unwrap().count(), 0);
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
        let earlier = points(&dir).unwrap();
        append(&dir, &at(30)).unwrap();
        let found: Vec<_> = earlier.map(|point| point.unwrap().position).collect();
        assert_eq!(found, [3, 12, 9], "what is appended later is for a later walk");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::remove_dir_all(&dir).unwrap();
    }
}
