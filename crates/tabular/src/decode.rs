// SPDX-License-Identifier: EUPL-1.2
//! A text file given as blocks of UTF-8.
//! What cannot be decoded becomes U+FFFD and reading goes on; memory is two fixed buffers.

use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::path::Path;

use encoding_rs::{Decoder, ISO_8859_15, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::Error;
use crate::encoding::{Encoding, mark_length, read_full};

const BLOCK: usize = 1 << 16;

pub(crate) struct Decoded {
    file: File,
    /// `None`: ISO-8859-1 as such, which the WHATWG takes for windows-1252.
    decoder: Option<Decoder>,
    raw: Vec<u8>,
    ended: bool,
}

impl Decoded {
    pub fn open(path: &Path, encoding: Encoding) -> Result<Self, Error> {
        let mut file = File::open(path)?;
        let mut head = [0; 4];
        let length = read_full(&mut file, &mut head)?;
        file.seek(SeekFrom::Start(mark_length(&head[..length], encoding) as u64))?;
        let decoder = match encoding {
            Encoding::Utf8 => Some(UTF_8),
            Encoding::Utf16Le => Some(UTF_16LE),
            Encoding::Utf16Be => Some(UTF_16BE),
            Encoding::Windows1252 => Some(WINDOWS_1252),
            Encoding::Iso8859_15 => Some(ISO_8859_15),
            Encoding::Iso8859_1 => None,
        };
        let decoder = decoder.map(|whatwg| whatwg.new_decoder_without_bom_handling());
        Ok(Decoded { file, decoder, raw: vec![0; BLOCK], ended: false })
    }

    /// Puts the next text in `block` instead of what it held; false at the end of the file.
    pub fn next_block(&mut self, block: &mut String) -> Result<bool, Error> {
        block.clear();
        while block.is_empty() && !self.ended {
            let length = read_full(&mut self.file, &mut self.raw)?;
            self.ended = length < self.raw.len();
            self.decode(length, block)?;
        }
        Ok(!block.is_empty())
    }

    fn decode(&mut self, length: usize, block: &mut String) -> Result<(), Error> {
        let raw = &self.raw[..length];
        let Some(decoder) = &mut self.decoder else {
            block.push_str(&encoding_rs::mem::decode_latin1(raw));
            return Ok(());
        };
        let needed = decoder.max_utf8_buffer_length(length);
        block.reserve(needed.ok_or_else(|| Error::damaged("block too long"))?);
        let _ = decoder.decode_to_string(raw, block, self.ended);
        Ok(())
    }
}
