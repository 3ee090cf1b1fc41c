// SPDX-License-Identifier: EUPL-1.2
//! The ZIP itself, written and read in memory (RG-100, RG-101). An archive is somebody else's
//! file: nothing that its headers say is believed, nothing of it reaches the disk.
use super::{
    sheets::{SEGMENTS, TEMPLATES, TYPE_COLUMNS, TYPES, WORKFLOW_COLUMNS, WORKFLOWS},
    table::{Fault, Table},
    version::{CURRENT, Tables, Version},
};
use crate::text::clean;
use chrono::{DateTime, Datelike, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    io::{Cursor, Read, Write},
};
use zip::{CompressionMethod, ZipArchive, ZipWriter, read::ZipFile, write::SimpleFileOptions};

pub const METADATA: &str = "config_metadata.json";
/// Of the file received.
pub const MAX_ARCHIVE: usize = 20 << 20;
/// Of all its entries, once decompressed.
const MAX_TOTAL: u64 = 100 << 20;
/// Of one table: it is held in memory as rows of cells, several times its size.
const MAX_TABLE: usize = 5 << 20;
const MAX_ENTRIES: usize = 50;
const MAX_METADATA: usize = 1 << 20;
/// A header of the directory, and more than any of ours says after it.
const MAX_HEADER: u32 = 46 + 512;
/// Of the text that the metadata gives.
const MAX_TEXT: usize = 200;
/// Of an export; beyond, no page could write the date.
const YEARS: std::ops::Range<i32> = 2000..2101;
const END: &[u8] = b"PK\x05\x06";

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Metadata {
    pub format_version: String,
    pub product_version: String,
    pub exported_at: DateTime<Utc>,
    pub author: String,
    /// Of each other entry.
    pub sha256: BTreeMap<String, String>,
}

impl Metadata {
    /// What somebody else wrote, fit to be kept and shown; `None` when its date is not one.
    fn presentable(self) -> Option<Self> {
        let text = |text: &str| clean(text).chars().take(MAX_TEXT).collect();
        YEARS.contains(&self.exported_at.year()).then(|| Self {
            product_version: text(&self.product_version),
            author: text(&self.author),
            ..self
        })
    }
}

/// # Errors
/// Writing to memory does not fail.
pub fn pack(
    tables: &[(&'static str, Table)],
    author: String,
    now: DateTime<Utc>,
) -> anyhow::Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    let mut metadata = Metadata {
        format_version: CURRENT.to_string(),
        product_version: env!("CARGO_PKG_VERSION").to_owned(),
        exported_at: now,
        author,
        sha256: BTreeMap::new(),
    };
    for (name, table) in tables {
        let bytes = table.write()?;
        metadata.sha256.insert((*name).to_owned(), hex(&Sha256::digest(&bytes)));
        zip.start_file(*name, options)?;
        zip.write_all(&bytes)?;
    }
    zip.start_file(METADATA, options)?;
    zip.write_all(&serde_json::to_vec_pretty(&metadata)?)?;
    Ok(zip.finish()?.into_inner())
}

/// What an archive holds, once its envelope is sound.
pub struct Opened {
    pub metadata: Metadata,
    pub version: Version,
    pub tables: Tables,
}

/// Why an archive is refused.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    Whole(String),
    Table(Fault),
}

impl Refusal {
    pub fn sentence(&self) -> String {
        match self {
            Self::Whole(why) => why.clone(),
            Self::Table(fault) => fault.sentence(),
        }
    }
}

fn refused<T>(why: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::Whole(why.into()))
}

fn damaged<E>(_: E) -> Refusal {
    Refusal::Whole("Ce fichier n’est pas une archive ZIP lisible".into())
}

/// Reads the envelope twice: first to measure and to digest, keeping nothing; then the tables,
/// which by then are known not to be too large.
///
/// # Errors
/// The sentence that says why it is refused.
pub fn open(bytes: &[u8]) -> Result<Opened, Refusal> {
    measured(bytes)?;
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
    if archive.has_duplicate_names() {
        return refused("L’archive contient deux fois le même fichier");
    }
    let (digests, metadata) = measure(&mut archive)?;
    let Some(metadata) = metadata else {
        return refused(format!(
            "« {METADATA} » manque : ce n’est pas une archive de configuration"
        ));
    };
    let unreadable = |()| Refusal::Whole(format!("« {METADATA} » est illisible"));
    let metadata: Metadata = serde_json::from_slice(&metadata).map_err(|_| unreadable(()))?;
    let metadata = metadata.presentable().ok_or(()).map_err(unreadable)?;
    let version = Version::parse(&metadata.format_version).ok_or(()).map_err(unreadable)?;
    version.readable().map_err(Refusal::Whole)?;
    if let Some(name) = differing(&metadata.sha256, &digests) {
        return refused(format!(
            "L’empreinte de « {name} » n’est pas celle annoncée : l’archive a été modifiée"
        ));
    }
    let tables = tables(&mut archive)?;
    Ok(Opened { metadata, version, tables })
}

/// Reads the end record before the library allocates anything for what it announces. Only one is
/// admitted, since the library falls back on another when the last does not hold, and no ZIP64:
/// its true numbers would stand elsewhere.
fn measured(bytes: &[u8]) -> Result<(), Refusal> {
    let mut ends = bytes.windows(END.len()).enumerate().filter(|(_, four)| *four == END);
    let (Some((at, _)), None) = (ends.next(), ends.next()) else { return Err(damaged(())) };
    let record = bytes.get(at..at + 22).ok_or(()).map_err(damaged)?;
    let short = |at: usize| u16::from_le_bytes([record[at], record[at + 1]]);
    let long = |at: usize| u32::from(short(at + 2)) << 16 | u32::from(short(at));
    if [4, 6, 8, 10].into_iter().any(|at| usize::from(short(at)) > MAX_ENTRIES) {
        return refused(format!("L’archive compte plus de {MAX_ENTRIES} fichiers"));
    }
    let (size, offset) = (long(12), long(16));
    if size > MAX_ENTRIES as u32 * MAX_HEADER || offset == u32::MAX {
        return Err(damaged(()));
    }
    Ok(())
}

type Digests = BTreeMap<String, String>;

/// The digest of each entry but the metadata, whose bytes come apart.
fn measure(archive: &mut ZipArchive<Cursor<&[u8]>>) -> Result<(Digests, Option<Vec<u8>>), Refusal> {
    let (mut digests, mut metadata, mut total) = (Digests::new(), None, 0);
    for n in 0..archive.len() {
        let mut entry = archive.by_index(n).map_err(damaged)?;
        let name = entry.name().map_err(damaged)?.into_owned();
        if name.is_empty() || name.contains(['/', '\\', '\0', ':']) || name.contains("..") {
            return refused(
                "L’archive contient un chemin : seuls des fichiers à sa racine sont admis",
            );
        }
        let (digest, kept) = digest(&mut entry, &mut total, name == METADATA)?;
        if name == METADATA {
            metadata = Some(kept);
        } else {
            digests.insert(name, digest);
        }
    }
    Ok((digests, metadata))
}

/// Decompresses an entry, counting what comes out; its bytes are kept only when asked for.
fn digest(
    entry: &mut ZipFile<'_, Cursor<&[u8]>>,
    total: &mut u64,
    keep: bool,
) -> Result<(String, Vec<u8>), Refusal> {
    let (mut hash, mut kept, mut buffer) = (Sha256::new(), Vec::new(), vec![0; 64 << 10]);
    loop {
        let read = entry.read(&mut buffer).map_err(damaged)?;
        if read == 0 {
            return Ok((hex(&hash.finalize()), kept));
        }
        *total += read as u64;
        if *total > MAX_TOTAL {
            return refused("L’archive dépasse 100 Mo une fois décompressée");
        }
        hash.update(&buffer[..read]);
        if keep {
            kept.extend_from_slice(&buffer[..read]);
            if kept.len() > MAX_METADATA {
                return refused(format!("« {METADATA} » est illisible"));
            }
        }
    }
}

/// The first entry that is not as announced, on one side or the other.
fn differing<'a>(announced: &'a Digests, found: &'a Digests) -> Option<&'a str> {
    let same = |name: &str| match (announced.get(name), found.get(name)) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
        _ => false,
    };
    announced.keys().chain(found.keys()).map(String::as_str).find(|name| !same(name))
}

fn tables(archive: &mut ZipArchive<Cursor<&[u8]>>) -> Result<Tables, Refusal> {
    let mut tables = Tables::new();
    for (file, needed) in [
        (TYPES, &always()[..]),
        (WORKFLOWS, &WORKFLOW_COLUMNS[..]),
        (SEGMENTS, &[]),
        (TEMPLATES, &[]),
    ] {
        let Some(n) = archive.index_for_name(file) else {
            if needed.is_empty() {
                continue;
            }
            return refused(format!("« {file} » manque dans l’archive"));
        };
        let mut bytes = Vec::new();
        let entry = archive.by_index(n).map_err(damaged)?;
        entry.take(MAX_TABLE as u64 + 1).read_to_end(&mut bytes).map_err(damaged)?;
        if bytes.len() > MAX_TABLE {
            return refused(format!("« {file} » dépasse 5 Mo"));
        }
        tables.insert(file, Table::read(file, &bytes, needed).map_err(Refusal::Table)?);
    }
    Ok(tables)
}

/// The columns that every version has.
fn always() -> Vec<&'static str> {
    TYPE_COLUMNS.into_iter().filter(|name| !["code", "tri"].contains(name)).collect()
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
