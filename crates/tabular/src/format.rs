// SPDX-License-Identifier: EUPL-1.2
//! What kind of file this is: by its content first, then by its extension.

use std::fs::File;
use std::path::Path;

use memchr::memmem;
use serde::{Deserialize, Serialize};

use crate::encoding::read_full;
use crate::package::Package;
use crate::{Error, Limits};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// CSV, TSV and TXT.
    Csv,
    Xlsx,
    Ods,
}

/// Signatures of what people attach instead of a table and that may hold no zero byte.
const FOREIGN: [&[u8]; 10] = [
    b"%PDF-",
    b"%!PS",
    b"\x89PNG",
    b"GIF8",
    b"\xff\xd8\xff",
    b"{\\rtf",
    b"\x1f\x8b",
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!\x1a",
    b"BZh91AY",
];

/// Pages and documents in XML, which some programs call `.xls`.
const MARKUP: [&str; 4] = ["<!doctype", "<html", "<?xml", "<table"];

const ZIP: &[u8] = b"PK";
const OLE: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

/// `file_name` is what the person calls the file; `path` may be anything.
pub(crate) fn recognise(path: &Path, file_name: &str, limits: &Limits) -> Result<Format, Error> {
    let mut head = [0; 512];
    let length = read_full(&mut File::open(path)?, &mut head)?;
    let head = &head[..length];
    let extension = Path::new(file_name).extension().and_then(|name| name.to_str());
    let extension = extension.unwrap_or("").to_ascii_lowercase();
    if head.starts_with(ZIP) && matches!(head.get(2..4), Some([3, 4] | [5, 6] | [7, 8])) {
        return workbook(&Package::open(path, limits)?);
    }
    if head.starts_with(OLE) {
        return Err(compound_file(&mut File::open(path)?, &extension)?);
    }
    if FOREIGN.iter().any(|signature| head.starts_with(signature)) {
        return Err(Error::Unsupported);
    }
    if is_markup(head) {
        return Err(if extension == "xls" { Error::OldFormat } else { Error::Unsupported });
    }
    // A text: many programs export one under the name of a workbook.
    match extension.as_str() {
        "csv" | "tsv" | "txt" | "xls" | "xlsx" | "ods" | "" => Ok(Format::Csv),
        _ => Err(Error::Unsupported),
    }
}

/// By the parts that the archive holds.
fn workbook(package: &Package) -> Result<Format, Error> {
    const TYPES: &str = "[Content_Types].xml";
    let declares = |part, word| -> Result<bool, Error> {
        Ok(package.has(part) && package.head(part, 1 << 20)?.contains(word))
    };
    let has_macros = package.names().any(|name| name.ends_with("vbaProject.bin"));
    if has_macros || package.has("xl/workbook.bin") || declares(TYPES, "macroEnabled")? {
        Err(Error::OldFormat)
    } else if package.has("xl/workbook.xml") || declares(TYPES, "spreadsheetml.sheet.main")? {
        Ok(Format::Xlsx)
    } else if declares("mimetype", "opendocument.spreadsheet")? {
        Ok(Format::Ods)
    } else {
        Err(Error::Unsupported)
    }
}

/// The container of old Office files, and of encrypted new ones: told by the names it holds.
fn compound_file(file: &mut File, extension: &str) -> Result<Error, Error> {
    let name = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let encrypted = name("EncryptedPackage");
    let sheets = [name("Workbook"), name("Book\0")];
    let mut is_sheet = extension.starts_with("xl");
    let mut block = vec![0; 1 << 16];
    let mut kept = 0;
    loop {
        let length = kept + read_full(file, &mut block[kept..])?;
        let seen = &block[..length];
        if memmem::find(seen, &encrypted).is_some() {
            return Ok(Error::Encrypted);
        }
        is_sheet = is_sheet || sheets.iter().any(|name| memmem::find(seen, name).is_some());
        if length < block.len() {
            return Ok(if is_sheet { Error::OldFormat } else { Error::Unsupported });
        }
        // A name may stand across two blocks.
        kept = encrypted.len();
        block.copy_within(length - kept.., 0);
    }
}

fn is_markup(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    MARKUP.iter().any(|tag| {
        head.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag.as_bytes()))
    })
}
