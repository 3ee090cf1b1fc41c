// SPDX-License-Identifier: EUPL-1.2
//! ODS out (OpenDocument 1.3): the content is deflated as the rows come. The libraries that write
//! ODS hold the whole sheet, far beyond the 32 MB an export may take.

use crate::sheet::{Column, Value, WriteError};
use std::fmt::Write as _;
use std::io::{Seek, Write};
use zip::{CompressionMethod, ZipWriter, result::ZipError, write::SimpleFileOptions};

const MIMETYPE: &str = "application/vnd.oasis.opendocument.spreadsheet";
/// Rows written to the archive at once.
const BLOCK: usize = 64 * 1024;
/// Rows that LibreOffice and Excel open.
const MOST: u32 = 1_048_575;

/// Writes the rows as they come; returns how many.
///
/// # Errors
/// The disk, or more rows than a spreadsheet opens.
pub fn write_ods<W: Write + Seek + Send>(
    name: &str,
    columns: &[Column],
    rows: impl Iterator<Item = Vec<Value>>,
    to: W,
) -> Result<u32, WriteError> {
    let mut archive = ZipWriter::new(to);
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let deflated = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    archive.start_file("mimetype", stored)?; // first and bare: how the format is recognised
    archive.write_all(MIMETYPE.as_bytes())?;
    archive.start_file("META-INF/manifest.xml", deflated)?;
    archive.write_all(manifest().as_bytes())?;
    archive.start_file("settings.xml", deflated)?;
    archive.write_all(settings(name).as_bytes())?;
    // Not ZIP64, which LibreOffice before 24.2 does not open: beyond 4 GB, the writer refuses.
    archive.start_file("content.xml", deflated)?;

    let mut fills = Fills::default();
    let mut text = head(name, columns);
    let mut count = 0;
    for cells in rows {
        count += 1;
        if count > MOST {
            return Err(WriteError::Workbook("plus de 1 048 576 lignes".into()));
        }
        text.push_str("<table:table-row>");
        for cell in &cells {
            push_cell(&mut text, cell, &mut fills);
        }
        text.push_str("</table:table-row>\n");
        if text.len() >= BLOCK {
            archive.write_all(text.as_bytes())?;
            text.clear();
        }
    }
    push_foot(&mut text, name, columns.len(), count);
    archive.write_all(text.as_bytes())?;
    archive.start_file("styles.xml", deflated)?;
    archive.write_all(fills.styles().as_bytes())?;
    archive.finish()?;
    Ok(count)
}

/// Backgrounds seen so far, declared after the content as common styles.
#[derive(Default)]
struct Fills(Vec<u32>);

impl Fills {
    fn name(&mut self, colour: u32) -> String {
        if !self.0.contains(&colour) {
            self.0.push(colour);
        }
        format!("fond-{colour:06x}")
    }

    fn styles(&self) -> String {
        let mut text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<office:document-styles {NAMESPACES} office:version=\"1.3\"><office:styles>"
        );
        for colour in &self.0 {
            let _ = write!(
                text,
                "<style:style style:name=\"fond-{colour:06x}\" style:family=\"table-cell\"><style:table-cell-properties fo:background-color=\"#{colour:06x}\"/></style:style>"
            );
        }
        text + "</office:styles></office:document-styles>"
    }
}

const NAMESPACES: &str = "xmlns:office=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\" \
xmlns:table=\"urn:oasis:names:tc:opendocument:xmlns:table:1.0\" \
xmlns:text=\"urn:oasis:names:tc:opendocument:xmlns:text:1.0\" \
xmlns:style=\"urn:oasis:names:tc:opendocument:xmlns:style:1.0\" \
xmlns:number=\"urn:oasis:names:tc:opendocument:xmlns:datastyle:1.0\" \
xmlns:fo=\"urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0\"";

const DAY: &str = "<number:day number:style=\"long\"/><number:text>/</number:text><number:month number:style=\"long\"/><number:text>/</number:text><number:year number:style=\"long\"/>";
const HOUR: &str = "<number:hours number:style=\"long\"/><number:text>:</number:text><number:minutes number:style=\"long\"/>";

fn manifest() -> String {
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<manifest:manifest xmlns:manifest=\"urn:oasis:names:tc:opendocument:xmlns:manifest:1.0\" manifest:version=\"1.3\"><manifest:file-entry manifest:full-path=\"/\" manifest:version=\"1.3\" manifest:media-type=\"{MIMETYPE}\"/>"
    );
    for part in ["content.xml", "styles.xml", "settings.xml"] {
        let _ = write!(
            text,
            "<manifest:file-entry manifest:full-path=\"{part}\" manifest:media-type=\"text/xml\"/>"
        );
    }
    text + "</manifest:manifest>"
}

/// The head stays in sight.
fn settings(name: &str) -> String {
    let mut text = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<office:document-settings xmlns:office=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\" xmlns:config=\"urn:oasis:names:tc:opendocument:xmlns:config:1.0\" xmlns:ooo=\"http://openoffice.org/2004/office\" office:version=\"1.3\"><office:settings><config:config-item-set config:name=\"ooo:view-settings\"><config:config-item-map-indexed config:name=\"Views\"><config:config-item-map-entry><config:config-item-map-named config:name=\"Tables\"><config:config-item-map-entry config:name=\"",
    );
    push_escaped(&mut text, name);
    text + "\"><config:config-item config:name=\"VerticalSplitMode\" config:type=\"short\">2</config:config-item><config:config-item config:name=\"VerticalSplitPosition\" config:type=\"int\">1</config:config-item><config:config-item config:name=\"ActiveSplitRange\" config:type=\"short\">2</config:config-item><config:config-item config:name=\"PositionBottom\" config:type=\"int\">1</config:config-item></config:config-item-map-entry></config:config-item-map-named></config:config-item-map-entry></config:config-item-map-indexed></config:config-item-set></office:settings></office:document-settings>"
}

fn head(name: &str, columns: &[Column]) -> String {
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<office:document-content {NAMESPACES} office:version=\"1.3\"><office:automatic-styles>\
         <style:style style:name=\"tete\" style:family=\"table-cell\"><style:text-properties fo:font-weight=\"bold\"/></style:style>\
         <number:date-style style:name=\"jour-n\">{DAY}</number:date-style><style:style style:name=\"jour\" style:family=\"table-cell\" style:data-style-name=\"jour-n\"/>\
         <number:time-style style:name=\"heure-n\">{HOUR}</number:time-style><style:style style:name=\"heure\" style:family=\"table-cell\" style:data-style-name=\"heure-n\"/>\
         <number:date-style style:name=\"instant-n\">{DAY}<number:text> </number:text>{HOUR}</number:date-style><style:style style:name=\"instant\" style:family=\"table-cell\" style:data-style-name=\"instant-n\"/>"
    );
    for (i, column) in columns.iter().enumerate() {
        let width = f32::from(column.width) * 0.22;
        let _ = write!(
            text,
            "<style:style style:name=\"c{i}\" style:family=\"table-column\"><style:table-column-properties style:column-width=\"{width:.2}cm\"/></style:style>"
        );
    }
    text.push_str(
        "</office:automatic-styles><office:body><office:spreadsheet><table:table table:name=\"",
    );
    push_escaped(&mut text, name);
    text.push_str("\">");
    for i in 0..columns.len() {
        let _ = write!(text, "<table:table-column table:style-name=\"c{i}\"/>");
    }
    text.push_str("<table:table-header-rows><table:table-row>");
    for column in columns {
        text.push_str(
            "<table:table-cell table:style-name=\"tete\" office:value-type=\"string\"><text:p>",
        );
        push_escaped(&mut text, &column.label);
        text.push_str("</text:p></table:table-cell>");
    }
    text.push_str("</table:table-row></table:table-header-rows>\n");
    text
}

fn push_cell(text: &mut String, cell: &Value, fills: &mut Fills) {
    let shown = cell.shown();
    let _ = match cell {
        Value::Empty => {
            text.push_str("<table:table-cell/>");
            return;
        }
        Value::Text(_) => {
            text.push_str("<table:table-cell office:value-type=\"string\">");
            Ok(())
        }
        Value::Filled(_, colour) => write!(
            text,
            "<table:table-cell table:style-name=\"{}\" office:value-type=\"string\">",
            fills.name(*colour)
        ),
        Value::Number(number) => {
            write!(text, "<table:table-cell office:value-type=\"float\" office:value=\"{number}\">")
        }
        Value::Date(day) => write!(
            text,
            "<table:table-cell table:style-name=\"jour\" office:value-type=\"date\" office:date-value=\"{day}\">"
        ),
        Value::Time(hour) => write!(
            text,
            "<table:table-cell table:style-name=\"heure\" office:value-type=\"time\" office:time-value=\"{}\">",
            hour.format("PT%HH%MM%SS")
        ),
        Value::Moment(at) => write!(
            text,
            "<table:table-cell table:style-name=\"instant\" office:value-type=\"date\" office:date-value=\"{}\">",
            at.format("%Y-%m-%dT%H:%M:%S")
        ),
    };
    for line in shown.split('\n') {
        text.push_str("<text:p>");
        push_line(text, line.trim_end_matches('\r'));
        text.push_str("</text:p>");
    }
    text.push_str("</table:table-cell>");
}

/// Filters on every column.
fn push_foot(text: &mut String, name: &str, columns: usize, rows: u32) {
    text.push_str("</table:table><table:database-ranges><table:database-range table:name=\"filtres\" table:display-filter-buttons=\"true\" table:target-range-address=\"'");
    push_escaped(text, &name.replace('\'', "''"));
    text.push_str("'.A1:'");
    push_escaped(text, &name.replace('\'', "''"));
    let _ = write!(
        text,
        "'.{}{}\"/></table:database-ranges></office:spreadsheet></office:body></office:document-content>",
        letters(columns.max(1) - 1),
        rows + 1
    );
}

/// The name of a column: A, …, Z, AA…
fn letters(mut index: usize) -> String {
    let mut name = Vec::new();
    loop {
        name.insert(0, b'A' + u8::try_from(index % 26).unwrap_or_default());
        if index < 26 {
            return String::from_utf8_lossy(&name).into_owned();
        }
        index = index / 26 - 1;
    }
}

/// Runs of spaces and tabs are elements: bare, a reader would take them for one space.
fn push_line(text: &mut String, line: &str) {
    let mut after_space = true; // a space at the beginning counts too
    let mut buffer = [0; 4];
    for c in line.chars() {
        match c {
            ' ' if after_space => text.push_str("<text:s/>"),
            '\t' => text.push_str("<text:tab/>"),
            c => push_escaped(text, c.encode_utf8(&mut buffer)),
        }
        after_space = c == ' ';
    }
}

/// Characters that XML cannot hold at all are left out.
fn push_escaped(text: &mut String, raw: &str) {
    for c in raw.chars() {
        match c {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            '\t' => text.push_str("&#9;"),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
            c => text.push(c),
        }
    }
}

impl From<ZipError> for WriteError {
    fn from(err: ZipError) -> Self {
        match err {
            ZipError::Io(err) => Self::Io(err),
            err => Self::Workbook(err.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn columns_are_named_as_spreadsheets_do() {
        for (index, name) in [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA"), (702, "AAA")]
        {
            assert_eq!(super::letters(index), name);
        }
    }
}
