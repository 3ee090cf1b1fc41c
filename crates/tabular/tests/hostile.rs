// SPDX-License-Identifier: EUPL-1.2
//! What is no table, and what would harm the machine: refused in a sentence, never read whole.

mod common;

use common::{archive, file, ods, xlsx};
use proptest::prelude::*;
use tabular::Error;

#[test]
fn other_files_are_refused() {
    for (name, content) in [
        ("x.png", &b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..]),
        ("x.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
        ("x.csv", b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n"),
        ("x.csv", b"\xff\xd8\xff\xe0JFIF"),
        ("x.csv", b"GIF89a;a;b\n1;2\n"),
        ("x.csv", b"{\\rtf1 a;b}\n"),
        ("x.csv", b"\x1f\x8b\x08abc"),
        ("x.csv", b"<!DOCTYPE html>\n<html>a;b</html>\n"),
        ("x.csv", b"a;b\n1;\0\n3;4 and some more text to make zero bytes rare\n"),
        ("x.csv", b"\xff\xfe\0\0a\0\0\0;\0\0\0b\0\0\0"),
    ] {
        let error = file(content).inspect(name).unwrap_err();
        assert!(matches!(error, Error::Unsupported), "{content:?}: {error:?}");
        assert_eq!(
            error.to_string(),
            "Format non supporté. Utilisez un fichier .csv, .xlsx ou .ods"
        );
    }
    let document = archive([("[Content_Types].xml", "<Types/>"), ("word/document.xml", "<x/>")]);
    assert!(matches!(document.inspect("x.docx"), Err(Error::Unsupported)));
}

fn compound(stream: &str) -> Vec<u8> {
    let mut content = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
    content.resize((1 << 16) - 9, 0);
    content.extend(stream.encode_utf16().flat_map(u16::to_le_bytes));
    content.resize(content.len() + 700, 0);
    content
}

#[test]
fn old_and_encrypted_workbooks_have_their_sentence() {
    let macros = archive([
        ("[Content_Types].xml", "<Types/>"),
        ("xl/workbook.xml", "<workbook/>"),
        ("xl/vbaProject.bin", "x"),
    ]);
    let binary = archive([("[Content_Types].xml", "<Types/>"), ("xl/workbook.bin", "x")]);
    for (made, name) in [
        (file(compound("Workbook")), "x.xls"),
        (file(compound("Book")), "parc.xls"),
        (file("<html><table>"), "x.xls"),
        (macros, "x.xlsx"),
        (binary, "x.xlsb"),
    ] {
        let error = made.inspect(name).unwrap_err();
        assert!(matches!(error, Error::OldFormat), "{name}: {error:?}");
        assert_eq!(error.to_string(), "Enregistrez le fichier au format .xlsx, .ods ou .csv");
    }
    let error = file(compound("EncryptedPackage")).inspect("x.xlsx").unwrap_err();
    assert!(error.to_string().contains("mot de passe"), "{error}");
    let manifest = r#"<manifest:manifest><manifest:file-entry manifest:full-path="content.xml"><manifest:encryption-data/></manifest:file-entry></manifest:manifest>"#;
    let encrypted = archive([
        ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
        ("META-INF/manifest.xml", manifest),
        ("content.xml", "\u{1}\u{2}"),
    ]);
    assert!(matches!(encrypted.inspect("x.ods"), Err(Error::Encrypted)));
    assert!(matches!(file(compound("WordDocument")).inspect("x.doc"), Err(Error::Unsupported)));
}

#[test]
fn decompression_bombs() {
    let zeros = " ".repeat(2 << 20);
    assert!(matches!(xlsx(&zeros, "").inspect("x.xlsx"), Err(Error::Bomb)));
    let names: Vec<String> = (0..1_001).map(|i| format!("xl/media/{i}")).collect();
    let many = archive(names.iter().map(|name| (name.as_str(), "")));
    assert!(matches!(many.inspect("x.xlsx"), Err(Error::Bomb)));
}

#[test]
fn a_bomb_that_hides_its_size() {
    let rows: String =
        (1..2_000).map(|i| format!(r#"<row><c t="str"><v>{}</v></c></row>"#, i * 7919)).collect();
    let made = xlsx(&rows, "");
    let mut bytes = std::fs::read(made.path()).unwrap();
    // The size that the central directory declares for the sheet becomes 100.
    let name = b"xl/worksheets/sheet2.xml";
    let at = bytes.windows(name.len()).rposition(|window| window == name).unwrap() - 46;
    assert_eq!(bytes[at..at + 4], *b"PK\x01\x02");
    bytes[at + 24..at + 28].copy_from_slice(&100_u32.to_le_bytes());
    let error = file(bytes).inspect("x.xlsx").unwrap_err();
    assert!(matches!(error, Error::Bomb), "{error:?}");
}

#[test]
fn entities_and_huge_tokens() {
    let content =
        r#"<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><office:document-content/>"#;
    let made = archive([
        ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
        ("content.xml", content),
    ]);
    assert!(matches!(made.inspect("x.ods"), Err(Error::Damaged(_))));
    let made = xlsx(r#"<row><c t="str"><v>&unknown;</v></c></row>"#, "");
    assert!(matches!(made.inspect("x.xlsx"), Err(Error::Damaged(_))));
    let digits = "123456789".repeat(2_000_000);
    let made = xlsx(&format!(r#"<row><c t="str"><v>{digits}</v></c></row>"#), "");
    assert!(matches!(made.inspect("x.xlsx"), Err(Error::Bomb)));
}

#[test]
fn damaged_workbooks() {
    let whole = std::fs::read(xlsx("<row><c><v>1</v></c></row>", "").path()).unwrap();
    for length in [4, 100, whole.len() / 2, whole.len() - 5] {
        let error = file(&whole[..length]).inspect("x.xlsx").unwrap_err();
        assert!(matches!(error, Error::Damaged(_)), "{length}: {error:?}");
    }
    let cut = xlsx("<row><c><v>1</v>", "");
    assert!(matches!(cut.inspect("x.xlsx"), Err(Error::Damaged(_))));
}

#[test]
fn a_workbook_without_data() {
    for rows in ["", "<row/>", r#"<row r="5"><c s="1"/></row>"#, "<row><c><v>1</v></c></row>"] {
        assert!(matches!(xlsx(rows, "").inspect("x.xlsx"), Err(Error::NoData)), "{rows}");
    }
    assert!(matches!(ods("").inspect("x.ods"), Err(Error::NoData)));
}

#[test]
fn columns_out_of_any_sheet() {
    let made = xlsx(r#"<row><c r="ZZZZ1"><v>1</v></c></row>"#, "");
    assert!(matches!(made.inspect("x.xlsx"), Err(Error::TooManyColumns { .. })));
    let cell = r#"<table:table-cell table:number-columns-repeated="99999999999"><text:p>x</text:p></table:table-cell>"#;
    let made = ods(&format!(
        r#"<table:table table:name="F"><table:table-row>{cell}</table:table-row></table:table>"#
    ));
    assert!(matches!(made.inspect("x.ods"), Err(Error::TooManyColumns { .. })));
    let rows = r#"<table:table-row table:number-rows-repeated="99999999999"><table:table-cell><text:p>x</text:p></table:table-cell></table:table-row>"#;
    let made = ods(&format!(r#"<table:table table:name="F">{rows}</table:table>"#));
    assert!(matches!(made.inspect("x.ods"), Err(Error::Damaged(_))));
}

/// Pieces of sheets in any order: a sentence or a table, never a panic.
fn soup() -> impl Strategy<Value = String> {
    let pieces = [
        "<row>",
        "</row>",
        "<row r=\"9\">",
        "<row r=\"x\"/>",
        "<c>",
        "</c>",
        "<c r=\"B2\" t=\"s\">",
        "<c t=\"inlineStr\">",
        "<c s=\"99\">",
        "<c s=\"1\" t=\"n\"/>",
        "<v>",
        "</v>",
        "<is>",
        "<t>",
        "</t>",
        "</is>",
        "1",
        "1e309",
        "-1e5",
        "99999999999",
        "NaN",
        "&amp;",
        "&#x0;",
        "_x0041_",
        "</sheetData>",
        "<table:table-row>",
        "</table:table-row>",
        "<table:table-cell>",
        "<table:table-cell table:number-columns-repeated=\"3\">",
        "</table:table-cell>",
        "<text:p>",
        "</text:p>",
        "<office:annotation>",
        "</office:annotation>",
        "<text:s text:c=\"9\"/>",
        "<table:table-cell office:value-type=\"float\" office:value=\"1e300\"/>",
        "<table:table-row table:number-rows-repeated=\"4\">",
        "<table:table>",
        "</table:table>",
        "<table:table-cell office:value-type=\"date\" office:date-value=\"é-é-é\"/>",
        "<table:table-cell office:value-type=\"date\" office:date-value=\"2020-01-01Té:00\"/>",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..30)
        .prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_markup_is_survived(soup in soup()) {
        let sheet = format!(r#"<row><c><v>1</v></c></row>{soup}<row><c t="str"><v>fin</v></c></row>"#);
        let made = xlsx(&sheet, "");
        if let Ok(found) = made.inspect("x.xlsx") {
            prop_assert_eq!(made.lines(&found).len() as u64, found.data_rows);
        }
        let row = "<table:table-row><table:table-cell><text:p>x</text:p></table:table-cell></table:table-row>";
        let made = ods(&format!(r#"<table:table table:name="F">{row}{row}{soup}{row}</table:table>"#));
        if let Ok(found) = made.inspect("x.ods") {
            prop_assert_eq!(made.lines(&found).len() as u64, found.data_rows);
        }
    }

    #[test]
    fn any_damage_is_survived(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let row = r#"<row><c t="s"><v>1</v></c><c s="1"><v>45000</v></c></row>"#.repeat(3);
        let mut bytes = std::fs::read(xlsx(&row, "").path()).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let made = file(bytes);
        if let Ok(found) = made.inspect("x.xlsx") {
            prop_assert_eq!(made.lines(&found).len() as u64, found.data_rows);
        }
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let made = file(bytes);
        if let Ok(found) = made.inspect("x.csv") {
            prop_assert_eq!(made.lines(&found).len() as u64, found.data_rows);
        }
    }
}
