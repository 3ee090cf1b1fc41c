// SPDX-License-Identifier: EUPL-1.2
//! Files made on the spot, and everything the reader says of them.

#![allow(dead_code, reason = "each test program uses its part")]

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use tabular::{Error, Inspection, Limits, Options, Row, inspect, rows};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// A file that disappears with the test.
pub struct Made(PathBuf);

impl Drop for Made {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

impl Made {
    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn inspect(&self, name: &str) -> Result<Inspection, Error> {
        self.inspect_with(name, &Options::default())
    }

    pub fn inspect_with(&self, name: &str, options: &Options) -> Result<Inspection, Error> {
        inspect(&self.0, name, options, &Limits::screens(), &mut |_| true)
    }

    /// The line number and the texts of every data line.
    pub fn lines(&self, found: &Inspection) -> Vec<(u64, Vec<String>)> {
        let mut rows = rows(&self.0, &found.layout()).unwrap();
        let mut row = Row::new();
        let mut lines = Vec::new();
        while rows.next(&mut row).unwrap() {
            lines.push((row.line, row.cells().map(|cell| cell.text.to_owned()).collect()));
        }
        lines
    }
}

fn path() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let rank = NEXT.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("tabular-{}-{rank}", std::process::id()))
}

pub fn file(content: impl AsRef<[u8]>) -> Made {
    let path = path();
    fs::write(&path, content).unwrap();
    Made(path)
}

pub fn archive<'a>(entries: impl IntoIterator<Item = (&'a str, &'a str)>) -> Made {
    let path = path();
    let mut zip = ZipWriter::new(File::create(&path).unwrap());
    for (name, content) in entries {
        // Deflating much takes long in a test program.
        let method = match content.len() {
            0..0x80_0000 => CompressionMethod::Deflated,
            _ => CompressionMethod::Stored,
        };
        let options = SimpleFileOptions::default().compression_method(method);
        zip.start_file(name, options).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap();
    Made(path)
}

const RELATIONS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Id="s1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/>
<Relationship Id="s2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="/xl/worksheets/sheet2.xml"/>
<Relationship Id="st" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/>
<Relationship Id="sh" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/>
</Relationships>"#;

const STYLES: &str = r#"<styleSheet><numFmts><numFmt numFmtId="164" formatCode="00000"/><numFmt numFmtId="165" formatCode="dd/mm/yyyy\ hh:mm"/></numFmts>
<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>
<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="165"/></cellXfs></styleSheet>"#;

const STRINGS: &str = r#"<sst><si><t>Nom</t></si><si><t xml:space="preserve"> Zoé </t></si><si><r><t>ri</t></r><r><t>che &amp; beau</t></r><rPh><t>non</t></rPh></si><si/><si><t>a_x000D_b</t></si></sst>"#;

/// A workbook whose first sheet is hidden and whose second holds these rows.
pub fn xlsx(rows: &str, workbook_properties: &str) -> Made {
    let workbook = format!(
        r#"<workbook xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">{workbook_properties}<sheets><sheet name="Cachée" state="hidden" r:id="s1"/><sheet name="Vue" r:id="s2"/></sheets></workbook>"#
    );
    let sheet = format!("<worksheet><sheetData>{rows}</sheetData></worksheet>");
    archive([
        ("[Content_Types].xml", "<Types/>"),
        ("xl/workbook.xml", workbook.as_str()),
        ("xl/_rels/workbook.xml.rels", RELATIONS),
        ("xl/styles.xml", STYLES),
        ("xl/sharedStrings.xml", STRINGS),
        ("xl/worksheets/sheet1.xml", "<worksheet><sheetData/></worksheet>"),
        ("xl/worksheets/sheet2.xml", sheet.as_str()),
    ])
}

pub fn ods(tables: &str) -> Made {
    let content = format!(
        r#"<?xml version="1.0"?><office:document-content xmlns:office="o" xmlns:table="t" xmlns:text="x" xmlns:style="s" xmlns:calcext="c"><office:automatic-styles><style:style style:name="ta0"><style:table-properties table:display="false"/></style:style><style:style style:name="ta1"><style:table-properties table:display="true"/></style:style></office:automatic-styles><office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body></office:document-content>"#
    );
    archive([
        ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
        ("content.xml", content.as_str()),
    ])
}
