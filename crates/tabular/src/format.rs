// SPDX-License-Identifier: EUPL-1.2
//! What kind of file this is: by its content first, then by its extension.

use std::fs::File;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::encoding::read_full;

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
pub(crate) fn recognise(path: &Path, file_name: &str) -> Result<Format, Error> {
    let mut head = [0; 512];
    let length = read_full(&mut File::open(path)?, &mut head)?;
    let head = &head[..length];
    let extension = Path::new(file_name).extension().and_then(|name| name.to_str());
    let extension = extension.unwrap_or("").to_ascii_lowercase();
    if head.starts_with(ZIP) && matches!(head.get(2..4), Some([3, 4] | [5, 6] | [7, 8])) {
        return Err(Error::Unsupported);
    }
    if head.starts_with(OLE) {
        return Err(Error::OldFormat);
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

fn is_markup(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    MARKUP.iter().any(|tag| {
        head.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag.as_bytes()))
    })
}
