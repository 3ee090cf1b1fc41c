// SPDX-License-Identifier: EUPL-1.2
//! The zip archive that a workbook is, and its entries inflated as streams.
//! The limits are checked on what the directory declares, then no entry may inflate to more than
//! it declared: a bomb is refused whether it is honest or not.

use std::collections::HashMap;
use std::error;
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Take};
use std::path::{Path, PathBuf};

use flate2::bufread::DeflateDecoder;
use zip::{CompressionMethod, ZipArchive};

use crate::{Error, Limits};

/// Below this, the ratio of an entry says nothing.
const SMALL: u64 = 1 << 20;
/// The end record of an archive and the longest comment after it.
const TAIL: u64 = 22 + 65_535;

pub(crate) struct Package {
    path: PathBuf,
    entries: HashMap<String, Entry>,
}

#[derive(Clone, Copy)]
struct Entry {
    start: u64,
    compressed: u64,
    inflated: u64,
    stored: bool,
}

impl Package {
    pub fn open(path: &Path, limits: &Limits) -> Result<Self, Error> {
        let mut file = File::open(path)?;
        if entry_count(&mut file)? > limits.max_entries as u64 {
            return Err(Error::Bomb);
        }
        let mut archive = ZipArchive::new(BufReader::new(file)).map_err(Error::damaged)?;
        let mut entries = HashMap::new();
        let mut total = 0_u64;
        for i in 0..archive.len() {
            let entry = archive.by_index_raw(i).map_err(Error::damaged)?;
            if entry.encrypted() {
                return Err(Error::Encrypted);
            }
            let (compressed, inflated) = (entry.compressed_size(), entry.size());
            total = total.saturating_add(inflated);
            let ratio_passed = inflated / limits.max_ratio > compressed;
            if total > limits.max_inflated || (inflated > SMALL && ratio_passed) {
                return Err(Error::Bomb);
            }
            let stored = match entry.compression() {
                CompressionMethod::Stored => true,
                CompressionMethod::Deflated => false,
                _ => continue,
            };
            let start = entry.data_start().ok_or_else(|| Error::damaged("entry without data"))?;
            entries.insert(
                entry.name().map_err(Error::damaged)?.trim_start_matches('/').to_owned(),
                Entry { start, compressed, inflated, stored },
            );
        }
        Ok(Package { path: path.to_owned(), entries })
    }

    pub fn has(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    pub fn read(&self, name: &str) -> Result<EntryReader, Error> {
        let entry = self.entries.get(name);
        let entry = *entry.ok_or_else(|| Error::damaged(format!("no entry {name}")))?;
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(entry.start))?;
        let raw = BufReader::with_capacity(1 << 16, file.take(entry.compressed));
        let content = if entry.stored {
            Content::Stored(raw)
        } else {
            Content::Deflated(Box::new(DeflateDecoder::new(raw)))
        };
        Ok(EntryReader { content, left: entry.inflated })
    }

    /// The beginning of a small entry, as text.
    pub fn head(&self, name: &str, length: u64) -> Result<String, Error> {
        let mut bytes = Vec::new();
        self.read(name)?.take(length).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// How many entries the archive says it has, before anything is allocated for them.
fn entry_count(file: &mut File) -> Result<u64, Error> {
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut tail = Vec::new();
    Read::by_ref(file).take(TAIL).read_to_end(&mut tail)?;
    let end = memchr::memmem::rfind(&tail, b"PK\x05\x06");
    let end = end.ok_or_else(|| Error::damaged("archive without end"))?;
    let short = tail.get(end + 10..end + 12).and_then(|bytes| bytes.try_into().ok());
    let short = short.map(u16::from_le_bytes).ok_or_else(|| Error::damaged("archive cut short"))?;
    if short < u16::MAX {
        return Ok(short.into());
    }
    // Zip64: the true number stands in a longer record, just before.
    let long = memchr::memmem::rfind(&tail[..end], b"PK\x06\x06");
    let long = long.and_then(|at| tail.get(at + 32..at + 40)?.try_into().ok());
    Ok(long.map_or(u64::from(short), u64::from_le_bytes))
}

pub(crate) struct EntryReader {
    content: Content,
    left: u64,
}

enum Content {
    Stored(BufReader<Take<File>>),
    Deflated(Box<DeflateDecoder<BufReader<Take<File>>>>),
}

impl Read for EntryReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = match &mut self.content {
            Content::Stored(raw) => raw.read(buffer)?,
            Content::Deflated(inflating) => inflating.read(buffer)?,
        };
        self.left = self.left.checked_sub(length as u64).ok_or_else(|| io::Error::other(Excess))?;
        Ok(length)
    }
}

/// Travels through the XML reader as the cause of an `io::Error`.
#[derive(Debug)]
pub(crate) struct Excess;

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("more content than a workbook may have")
    }
}

impl error::Error for Excess {}
