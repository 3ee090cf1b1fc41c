// SPDX-License-Identifier: EUPL-1.2
//! Which files are accepted: the last extension says the kind, and the content must be of it
//! (RG-050). A few bytes at known places tell; nothing is unpacked, nothing is held in memory.
use std::io::{BufRead, BufReader, ErrorKind, Read, Result, Seek, SeekFrom};

#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    pub extension: &'static str,
    pub label: &'static str,
    pub icon: &'static str,
    pub media_type: &'static str,
    shape: Shape,
}

/// How the content shows what it is.
#[derive(Debug, PartialEq, Eq)]
enum Shape {
    Pdf,
    /// An OLE file that holds one of these streams.
    Ole(&'static [&'static str]),
    Msi,
    /// A ZIP of Office, whose parts are in this folder.
    Office(&'static str),
    /// A ZIP that begins by saying this.
    OpenDocument(&'static str),
    Zip,
    Exe,
    Begins(&'static [u8]),
    Text,
}

const fn kind(
    extension: &'static str,
    label: &'static str,
    icon: &'static str,
    media_type: &'static str,
    shape: Shape,
) -> Kind {
    Kind { extension, label, icon, media_type, shape }
}

const WORD: &str = "application/msword";
const EXCEL: &str = "application/vnd.ms-excel";
const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const ODT: &str = "application/vnd.oasis.opendocument.text";
const ODS: &str = "application/vnd.oasis.opendocument.spreadsheet";
const BYTES: &str = "application/octet-stream";
const TEXT: &str = "text/plain";

/// In the order of the filter.
pub static ALL: [Kind; 17] = [
    kind("pdf", "PDF", "file", "application/pdf", Shape::Pdf),
    kind("docx", "Document Word", "file", DOCX, Shape::Office("word/")),
    kind("doc", "Document Word 97", "file", WORD, Shape::Ole(&["WordDocument"])),
    kind("odt", "Texte OpenDocument", "file", ODT, Shape::OpenDocument(ODT)),
    kind("xlsx", "Classeur Excel", "chart", XLSX, Shape::Office("xl/")),
    kind("xls", "Classeur Excel 97", "chart", EXCEL, Shape::Ole(&["Workbook", "Book"])),
    kind("ods", "Classeur OpenDocument", "chart", ODS, Shape::OpenDocument(ODS)),
    kind("txt", "Texte", "list-checks", TEXT, Shape::Text),
    kind("md", "Texte Markdown", "list-checks", TEXT, Shape::Text),
    kind("png", "Image PNG", "eye", "image/png", Shape::Begins(b"\x89PNG\r\n\x1a\n")),
    kind("jpg", "Image JPEG", "eye", "image/jpeg", Shape::Begins(b"\xff\xd8\xff")),
    kind("zip", "Archive ZIP", "archive", "application/zip", Shape::Zip),
    kind("exe", "Programme Windows", "monitor", BYTES, Shape::Exe),
    kind("msi", "Installateur Windows", "monitor", BYTES, Shape::Msi),
    kind("ps1", "Script PowerShell", "monitor", BYTES, Shape::Text),
    kind("bat", "Script de commandes", "monitor", BYTES, Shape::Text),
    kind("cmd", "Script de commandes", "monitor", BYTES, Shape::Text),
];

impl Kind {
    pub fn find(extension: &str) -> Option<&'static Self> {
        ALL.iter().find(|kind| kind.extension == extension)
    }

    /// That of a file name: the last extension counts.
    pub fn of_name(name: &str) -> Option<&'static Self> {
        let (_, extension) = name.rsplit_once('.')?;
        Self::find(&extension.to_ascii_lowercase())
    }

    pub fn is_executable(&self) -> bool {
        matches!(self.extension, "exe" | "msi" | "ps1" | "bat" | "cmd")
    }

    /// Whether this content is what the extension says.
    ///
    /// # Errors
    /// The file cannot be read. One that ends too early is only another kind.
    pub fn agrees(&self, file: &mut (impl Read + Seek)) -> Result<bool> {
        file.rewind()?;
        let judged = match &self.shape {
            Shape::Pdf => begins_as_pdf(file),
            Shape::Ole(streams) => ole(file, streams),
            Shape::Msi => Ok(ole_class(file)? == Some(INSTALLER)),
            Shape::Office(folder) => office(file, folder),
            Shape::OpenDocument(media_type) => open_document(file, media_type),
            Shape::Zip => head::<4>(file).map(|head| &head == ENTRY || &head == END),
            Shape::Exe => exe(file),
            Shape::Begins(bytes) => begins(file, bytes),
            Shape::Text => text(file),
        };
        match judged {
            Err(err) if err.kind() == ErrorKind::UnexpectedEof => Ok(false),
            judged => judged,
        }
    }
}

const ENTRY: &[u8; 4] = b"PK\x03\x04";
const END: &[u8; 4] = b"PK\x05\x06";

fn head<const N: usize>(file: &mut impl Read) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn at<const N: usize>(file: &mut (impl Read + Seek), place: u64) -> Result<[u8; N]> {
    file.seek(SeekFrom::Start(place))?;
    head(file)
}

fn begins(file: &mut impl Read, bytes: &[u8]) -> Result<bool> {
    let mut found = Vec::new();
    file.take(bytes.len() as u64).read_to_end(&mut found)?;
    Ok(found == bytes)
}

/// At the very beginning: readers allow it later, and so do files with two natures.
fn begins_as_pdf(file: &mut impl Read) -> Result<bool> {
    let mut found = Vec::new();
    file.take(16).read_to_end(&mut found)?;
    let found = found.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&found);
    Ok(found.trim_ascii_start().starts_with(b"%PDF-"))
}

fn exe(file: &mut (impl Read + Seek)) -> Result<bool> {
    if &head::<2>(file)? != b"MZ" {
        return Ok(false);
    }
    let place = u32::from_le_bytes(at(file, 0x3c)?);
    let mark = at::<4>(file, u64::from(place))?;
    Ok(&mark == b"PE\0\0" || mark.starts_with(b"NE"))
}

/// Of installers, in the root of an OLE file. Patches and transforms differ by the first byte.
const INSTALLER: [u8; 16] = [0x84, 0x10, 0x0c, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46];

/// The class of the root of an OLE file; `None` for another file.
fn ole_class(file: &mut (impl Read + Seek)) -> Result<Option<[u8; 16]>> {
    let head = match head::<52>(file) {
        Err(err) if err.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        head => head?,
    };
    let shift = u16::from_le_bytes([head[30], head[31]]);
    if !head.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") || !matches!(shift, 9 | 12) {
        return Ok(None);
    }
    let sector = u32::from_le_bytes([head[48], head[49], head[50], head[51]]);
    let root = at::<96>(file, (u64::from(sector) + 1) << shift);
    Ok(root.ok().and_then(|root| root[80..96].try_into().ok()))
}

/// Entries of its directory are 128 bytes long, at multiples of 128.
fn ole(file: &mut (impl Read + Seek), streams: &[&str]) -> Result<bool> {
    const ENTRY: usize = 128;
    const STREAM: u8 = 2;
    let Some(class) = ole_class(file)? else { return Ok(false) };
    if class[1..] == INSTALLER[1..] {
        return Ok(false);
    }
    let names: Vec<Vec<u8>> = streams
        .iter()
        .map(|name| name.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect())
        .collect();
    file.rewind()?;
    let mut reader = BufReader::with_capacity(64 << 10, file);
    loop {
        let Ok(entry) = head::<ENTRY>(&mut reader) else { return Ok(false) };
        let length = usize::from(u16::from_le_bytes([entry[64], entry[65]]));
        let named = |name: &Vec<u8>| length == name.len() && entry.starts_with(name);
        if entry[66] == STREAM && names.iter().any(named) {
            return Ok(true);
        }
    }
}

fn open_document(file: &mut (impl Read + Seek), media_type: &str) -> Result<bool> {
    let head = head::<38>(file)?;
    let stored = head[8..10] == [0, 0] && head[28..30] == [0, 0];
    if !head.starts_with(ENTRY) || !stored || &head[30..38] != b"mimetype" {
        return Ok(false);
    }
    let length = u32::from_le_bytes([head[18], head[19], head[20], head[21]]);
    Ok(length as usize == media_type.len() && begins(file, media_type.as_bytes())?)
}

/// The names in the directory of the ZIP, read one after the other: the list of parts, the
/// folder, and no macro.
fn office(file: &mut (impl Read + Seek), folder: &str) -> Result<bool> {
    if &head::<4>(file)? != ENTRY {
        return Ok(false);
    }
    let Some((entries, place)) = zip_directory(file)? else { return Ok(false) };
    file.seek(SeekFrom::Start(place))?;
    let mut reader = BufReader::with_capacity(64 << 10, file);
    let (mut lists, mut holds) = (false, false);
    for _ in 0..entries {
        let head = head::<46>(&mut reader)?;
        if !head.starts_with(b"PK\x01\x02") {
            return Ok(false);
        }
        let length = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
        let mut name = vec![0; usize::from(length(28))];
        reader.read_exact(&mut name)?;
        let name = String::from_utf8_lossy(&name).to_ascii_lowercase();
        lists |= name == "[content_types].xml";
        holds |= name.starts_with(folder);
        if name.ends_with("vbaproject.bin") {
            return Ok(false);
        }
        reader.seek_relative(i64::from(length(30)) + i64::from(length(32)))?;
    }
    Ok(lists && holds)
}

/// How many entries, and where their list begins. The end record has a comment after it.
fn zip_directory(file: &mut (impl Read + Seek)) -> Result<Option<(u16, u64)>> {
    const RECORD: u64 = 22;
    let size = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(size.saturating_sub(RECORD + 65_535)))?;
    let mut tail = Vec::new();
    file.take(RECORD + 65_535).read_to_end(&mut tail)?;
    let Some(end) = tail.windows(4).rposition(|bytes| bytes == END) else { return Ok(None) };
    let Some(end) = tail.get(end..end + RECORD as usize) else { return Ok(None) };
    let entries = u16::from_le_bytes([end[10], end[11]]);
    let place = u32::from_le_bytes([end[16], end[17], end[18], end[19]]);
    Ok(Some((entries, u64::from(place))))
}

/// No byte that a text does not have; UTF-16 when it says so first.
fn text(file: &mut impl Read) -> Result<bool> {
    let mut first = Vec::new();
    file.take(5).read_to_end(&mut first)?;
    let mut rest = first.as_slice().chain(BufReader::with_capacity(64 << 10, file));
    match first.as_slice() {
        b"%PDF-" => return Ok(false),
        [0xff, 0xfe, ..] => return utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, ..] => return utf16(rest, u16::from_be_bytes),
        _ => {}
    }
    loop {
        let block = rest.fill_buf()?;
        if block.is_empty() {
            return Ok(true);
        }
        if block.iter().any(|byte| is_binary(u16::from(*byte))) {
            return Ok(false);
        }
        let read = block.len();
        rest.consume(read);
    }
}

/// Control characters, save tabulation, line ends, page break, end of file of DOS and escape.
fn is_binary(unit: u16) -> bool {
    matches!(unit, 0..=8 | 0x0b | 0x0e..=0x19 | 0x1c..=0x1f | 0x7f)
}

fn utf16(reader: impl BufRead, order: fn([u8; 2]) -> u16) -> Result<bool> {
    let mut bytes = reader.bytes();
    let mut waiting = false; // for the second half of a pair
    while let Some(first) = bytes.next().transpose()? {
        let Some(second) = bytes.next().transpose()? else { return Ok(false) };
        let unit = order([first, second]);
        if is_binary(unit) || (0xdc00..0xe000).contains(&unit) != waiting {
            return Ok(false);
        }
        waiting = (0xd800..0xdc00).contains(&unit);
    }
    Ok(!waiting)
}

#[cfg(test)]
pub mod samples {
    //! The smallest files of each kind.
    use super::{END, ENTRY, INSTALLER};

    pub fn exe() -> Vec<u8> {
        let mut file = vec![0; 0x48];
        file[..2].copy_from_slice(b"MZ");
        file[0x3c] = 0x40;
        file[0x40..0x44].copy_from_slice(b"PE\0\0");
        file
    }

    /// An OLE file: its header, then a directory of the root and of this stream.
    pub fn ole(stream: &str, installer: bool) -> Vec<u8> {
        let mut file = vec![0; 1024];
        file[..8].copy_from_slice(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
        file[30] = 9;
        if installer {
            file[592..608].copy_from_slice(&INSTALLER);
        }
        let name: Vec<u8> = stream.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
        file[640..640 + name.len()].copy_from_slice(&name);
        file[704] = name.len() as u8;
        file[706] = 2;
        file
    }

    pub fn zip(names: &[&str]) -> Vec<u8> {
        let mut file = Vec::new();
        let mut list = Vec::new();
        for name in names {
            let length = (name.len() as u16).to_le_bytes();
            file.extend_from_slice(ENTRY);
            file.extend_from_slice(&[0; 22]);
            file.extend_from_slice(&length);
            file.extend_from_slice(&[0; 2]);
            file.extend_from_slice(name.as_bytes());
            list.extend_from_slice(b"PK\x01\x02");
            list.extend_from_slice(&[0; 24]);
            list.extend_from_slice(&length);
            list.extend_from_slice(&[0; 16]);
            list.extend_from_slice(name.as_bytes());
        }
        let place = file.len() as u32;
        file.extend_from_slice(&list);
        file.extend_from_slice(END);
        file.extend_from_slice(&[0; 6]);
        file.extend_from_slice(&(names.len() as u16).to_le_bytes());
        file.extend_from_slice(&(list.len() as u32).to_le_bytes());
        file.extend_from_slice(&place.to_le_bytes());
        file.extend_from_slice(&[0; 2]);
        file
    }

    pub fn open_document(media_type: &str) -> Vec<u8> {
        let mut file = ENTRY.to_vec();
        file.extend_from_slice(&[0; 14]);
        file.extend_from_slice(&(media_type.len() as u32).to_le_bytes());
        file.extend_from_slice(&(media_type.len() as u32).to_le_bytes());
        file.extend_from_slice(&[8, 0, 0, 0]);
        file.extend_from_slice(b"mimetype");
        file.extend_from_slice(media_type.as_bytes());
        file
    }

    /// (extension, a file of it)
    pub fn all() -> Vec<(&'static str, Vec<u8>)> {
        vec![
            ("pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec()),
            ("docx", zip(&["[Content_Types].xml", "word/document.xml"])),
            ("doc", ole("WordDocument", false)),
            ("odt", open_document(super::ODT)),
            ("xlsx", zip(&["xl/workbook.xml", "[Content_Types].xml"])),
            ("xls", ole("Workbook", false)),
            ("ods", open_document(super::ODS)),
            ("png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec()),
            ("jpg", b"\xff\xd8\xff\xe0\0\x10JFIF\0".to_vec()),
            ("zip", zip(&["a.txt"])),
            ("exe", exe()),
            ("msi", ole("Property", true)),
            ("txt", "Procédure\r\n\té".as_bytes().to_vec()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn agrees(extension: &str, content: &[u8]) -> bool {
        Kind::find(extension).unwrap().agrees(&mut Cursor::new(content)).unwrap()
    }

    #[test]
    fn rg_050_a_content_is_of_its_extension_and_of_no_other() {
        let samples = samples::all();
        for (of, content) in &samples {
            for kind in &ALL {
                let same = kind.extension == *of
                    || (kind.extension == "zip" && ["docx", "xlsx", "odt", "ods"].contains(of))
                    || (*of == "txt" && kind.shape == Shape::Text);
                assert_eq!(agrees(kind.extension, content), same, "{of} as {}", kind.extension);
            }
            for cut in 0..content.len().min(64) {
                let _ = agrees(of, &content[..cut]); // never an error, never a panic
            }
        }
    }

    #[test]
    fn rg_050_what_hides_macros_or_two_natures_is_refused() {
        let macros = ["[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"];
        assert!(!agrees("docx", &samples::zip(&macros)));
        assert!(!agrees("pdf", b"MZ\0\0%PDF-1.7"));
        assert!(!agrees("txt", b"%PDF-1.7\n"), "a PDF of plain text");
        assert!(!agrees("txt", &samples::exe()));
        assert!(agrees("ps1", b"\xff\xfeW\0r\0i\0t\0e\0"), "PowerShell writes UTF-16");
        assert!(!agrees("ps1", b"\xff\xfe\0\0"));
        assert!(!agrees("ps1", b"\xff\xfe\0\xd8a\0"), "half a pair");
        assert!(agrees("bat", b"@echo off\r\nrem \x82t\x82\r\n\x1a"), "an old code page");
        assert!(agrees("txt", b"M") && agrees("bat", b"%PATH%"));
    }

    #[test]
    fn rg_050_the_last_extension_counts() {
        for (name, kind) in [
            ("facture.php.png", Some("png")),
            ("RAPPORT.PDF", Some("pdf")),
            ("notes.txt.exe", Some("exe")),
            ("film.mp4", None),
            ("sans extension", None),
            ("point.", None),
            ("pdf", None),
        ] {
            assert_eq!(Kind::of_name(name).map(|kind| kind.extension), kind, "{name}");
        }
    }
}
