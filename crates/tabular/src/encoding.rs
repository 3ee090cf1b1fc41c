// SPDX-License-Identifier: EUPL-1.2
//! Which encoding a text file is in, decided on the whole of it.
//! One pass over the bytes in constant memory; nothing is decoded here.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::str;

use serde::{Deserialize, Serialize};

use crate::Error;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Encoding {
    #[serde(rename = "UTF-8")]
    Utf8,
    #[serde(rename = "UTF-16LE")]
    Utf16Le,
    #[serde(rename = "UTF-16BE")]
    Utf16Be,
    #[serde(rename = "windows-1252")]
    Windows1252,
    #[serde(rename = "ISO-8859-1")]
    Iso8859_1,
    #[serde(rename = "ISO-8859-15")]
    Iso8859_15,
}

impl Encoding {
    /// Those offered when the one found is not right, the byte order of UTF-16 being found.
    pub const CHOICES: [Encoding; 5] = [
        Encoding::Utf8,
        Encoding::Utf16Le,
        Encoding::Windows1252,
        Encoding::Iso8859_1,
        Encoding::Iso8859_15,
    ];

    /// The WHATWG name.
    pub const fn name(self) -> &'static str {
        match self {
            Encoding::Utf8 => "UTF-8",
            Encoding::Utf16Le => "UTF-16LE",
            Encoding::Utf16Be => "UTF-16BE",
            Encoding::Windows1252 => "windows-1252",
            Encoding::Iso8859_1 => "ISO-8859-1",
            Encoding::Iso8859_15 => "ISO-8859-15",
        }
    }

    /// The name shown in a list of choices.
    pub const fn label(self) -> &'static str {
        match self {
            Encoding::Utf16Le | Encoding::Utf16Be => "UTF-16",
            Encoding::Windows1252 => "Windows-1252",
            other => other.name(),
        }
    }

    /// By its name or label, whatever the case; « UTF-16 » is read as little-endian.
    pub fn named(name: &str) -> Option<Self> {
        let all = [Encoding::CHOICES.as_slice(), &[Encoding::Utf16Be]].concat();
        let is = |found: &str| found.eq_ignore_ascii_case(name.trim());
        all.into_iter().find(|encoding| is(encoding.name()) || is(encoding.label()))
    }

    /// Bytes 0x80 to 0x9F that mean nothing come out as C1 controls.
    pub(crate) const fn is_single_byte(self) -> bool {
        matches!(self, Encoding::Windows1252 | Encoding::Iso8859_1 | Encoding::Iso8859_15)
    }

    const fn is_utf16(self) -> bool {
        matches!(self, Encoding::Utf16Le | Encoding::Utf16Be)
    }
}

/// A mark at the beginning of the file, and its length.
fn byte_order_mark(head: &[u8]) -> Option<(Encoding, usize)> {
    match head {
        [0xef, 0xbb, 0xbf, ..] => Some((Encoding::Utf8, 3)),
        [0xff, 0xfe, ..] => Some((Encoding::Utf16Le, 2)),
        [0xfe, 0xff, ..] => Some((Encoding::Utf16Be, 2)),
        _ => None,
    }
}

/// The bytes to skip when the file is read in this encoding: a mark never becomes a header.
pub(crate) fn mark_length(head: &[u8], encoding: Encoding) -> usize {
    match byte_order_mark(head) {
        Some((marked, length)) if marked.is_utf16() == encoding.is_utf16() => length,
        _ => 0,
    }
}

/// What the reader chose, or was told. A mark still says the byte order of a chosen UTF-16.
pub(crate) fn decide(
    path: &Path,
    chosen: Option<Encoding>,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<Encoding, Error> {
    let mut file = File::open(path)?;
    let mut head = [0; 4];
    let length = read_full(&mut file, &mut head)?;
    let marked = byte_order_mark(&head[..length]).map(|(encoding, _)| encoding);
    match (chosen, marked) {
        (Some(chosen), Some(marked)) if chosen.is_utf16() && marked.is_utf16() => Ok(marked),
        (Some(chosen), _) => Ok(chosen),
        // The mark of UTF-32 begins like that of UTF-16LE.
        (None, Some(_)) if head == [0xff, 0xfe, 0, 0] => Err(Error::Unsupported),
        (None, Some(marked)) => Ok(marked),
        (None, None) => scan(&mut File::open(path)?, go_on),
    }
}

fn scan(file: &mut impl Read, go_on: &mut dyn FnMut() -> bool) -> Result<Encoding, Error> {
    let mut block = vec![0; 1 << 18];
    let mut seen = Seen::default();
    loop {
        let length = read_full(file, &mut block)?;
        if length == 0 {
            return seen.verdict();
        }
        if !go_on() {
            return Err(Error::Cancelled);
        }
        seen.add(&block[..length]);
    }
}

#[derive(Default)]
struct Seen {
    bytes: u64,
    /// Zero bytes at even and at odd offsets.
    zeros: [u64; 2],
    not_utf8: bool,
    /// The beginning of a character cut by the edge of a block.
    cut: Vec<u8>,
}

impl Seen {
    fn add(&mut self, block: &[u8]) {
        for at in memchr::memchr_iter(0, block) {
            self.zeros[((self.bytes + at as u64) % 2) as usize] += 1;
        }
        self.bytes += block.len() as u64;
        if !self.not_utf8 {
            self.add_utf8(block);
        }
    }

    fn add_utf8(&mut self, mut block: &[u8]) {
        while !self.cut.is_empty() && !block.is_empty() {
            self.cut.push(block[0]);
            block = &block[1..];
            match str::from_utf8(&self.cut) {
                Ok(_) => self.cut.clear(),
                Err(error) if error.error_len().is_none() => {}
                Err(_) => return self.not_utf8 = true,
            }
        }
        if let Err(error) = str::from_utf8(block) {
            match error.error_len() {
                None => self.cut.extend(&block[error.valid_up_to()..]),
                Some(_) => self.not_utf8 = true,
            }
        }
    }

    fn verdict(&self) -> Result<Encoding, Error> {
        let [even, odd] = self.zeros.map(|zeros| zeros * 10 > self.bytes / 2 * 3);
        match (even, odd) {
            (false, true) => Ok(Encoding::Utf16Le),
            (true, false) => Ok(Encoding::Utf16Be),
            _ if self.zeros != [0, 0] => Err(Error::Unsupported),
            _ if self.not_utf8 || !self.cut.is_empty() => Ok(Encoding::Windows1252),
            _ => Ok(Encoding::Utf8),
        }
    }
}

/// Reads until the buffer is full or the file ends.
pub(crate) fn read_full(from: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match from.read(&mut buffer[length..]) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(bytes: &[u8]) -> Option<Encoding> {
        scan(&mut &bytes[..], &mut || true).ok()
    }

    fn utf16(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(order).collect()
    }

    #[test]
    fn encodings_are_found_without_a_mark() {
        for (bytes, expected) in [
            (b"nom;site".to_vec(), Some(Encoding::Utf8)),
            ("prénom".as_bytes().to_vec(), Some(Encoding::Utf8)),
            (b"pr\xe9nom \x80 \x9c".to_vec(), Some(Encoding::Windows1252)),
            (b"tronqu\xc3".to_vec(), Some(Encoding::Windows1252)),
            (utf16("Nom;Prénom", u16::to_le_bytes), Some(Encoding::Utf16Le)),
            (utf16("Nom;Prénom", u16::to_be_bytes), Some(Encoding::Utf16Be)),
            (b"abc\0def, and no other zero byte".to_vec(), None),
            (vec![0; 64], None),
        ] {
            assert_eq!(found(&bytes), expected, "{bytes:?}");
        }
    }

    #[test]
    fn the_whole_file_counts_and_edges_cut_no_character() {
        let mut late = vec![b'a'; 1 << 20];
        late.extend("é".as_bytes());
        assert_eq!(found(&late), Some(Encoding::Utf8));
        late.push(0xe9);
        assert_eq!(found(&late), Some(Encoding::Windows1252));
        for before in (1 << 18) - 4..(1 << 18) {
            let text = "a".repeat(before) + "é€😀 fin";
            assert_eq!(found(text.as_bytes()), Some(Encoding::Utf8), "{before}");
        }
    }

    #[test]
    fn names_are_read_back() {
        for encoding in Encoding::CHOICES {
            assert_eq!(Encoding::named(encoding.name()), Some(encoding));
            assert_eq!(Encoding::named(encoding.label()), Some(encoding));
        }
        assert_eq!(Encoding::named("klingon"), None);
    }
}
