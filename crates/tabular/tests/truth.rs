// SPDX-License-Identifier: EUPL-1.2
//! Every real file of `shared/data/imports`, against what other readers found in it.
//! Passes over in silence only where the folder is absent; then it asserts nothing at all.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tabular::{Encoding, Format, Inspection, Limits, Options, Row, inspect, rows};

/// The files lie beside the repository, not in it.
fn truth() -> Option<(PathBuf, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/imports");
    let text = fs::read_to_string(folder.join("TRUTH.json")).ok()?;
    Some((folder, serde_json::from_str(&text).unwrap()))
}

fn read(path: &Path, sheet: Option<&str>) -> Inspection {
    let name = path.file_name().unwrap().to_str().unwrap();
    let options = Options { sheet: sheet.map(str::to_owned), ..Options::default() };
    // Real files, among which two of more than 100 000 lines.
    let found = inspect(path, name, &options, &Limits::command_line(), &mut |_| true);
    found.unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn texts(row: &Row) -> Vec<String> {
    row.cells().map(|cell| cell.text.to_owned()).collect()
}

/// All the data lines: how many, the first and the last.
fn streamed(path: &Path, found: &Inspection) -> (u64, Vec<String>, Vec<String>) {
    let mut rows = rows(path, &found.layout()).unwrap();
    let mut row = Row::new();
    let (mut count, mut first, mut last) = (0, Vec::new(), Vec::new());
    while rows.next(&mut row).unwrap() {
        count += 1;
        if count == 1 {
            first = texts(&row);
        }
        last = texts(&row);
    }
    (count, first, last)
}

/// No file of the folder goes untold.
fn present(folder: &Path, extensions: &[&str]) -> usize {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let is_one = |path: &PathBuf| {
        path.extension().is_some_and(|name| extensions.contains(&name.to_str().unwrap()))
    };
    files.filter(is_one).count()
}

fn strings(value: &Value) -> Vec<String> {
    let cells = value.as_array().unwrap().iter();
    cells.map(|cell| cell.as_str().unwrap_or_default().to_owned()).collect()
}

fn without_empty_end(mut cells: Vec<String>) -> Vec<String> {
    while cells.last().is_some_and(|cell| cell.trim().is_empty()) {
        cells.pop();
    }
    cells
}

/// LibreOffice wrote its CSV in an American locale: `10/29/2025`.
fn french_date(text: String) -> String {
    match text.split('/').collect::<Vec<_>>().as_slice() {
        [month, day, year] if day.parse::<u8>().is_ok_and(|day| day > 12) => {
            format!("{day}/{month}/{year}")
        }
        _ => text,
    }
}

#[test]
fn text_files() {
    let Some((folder, truth)) = truth() else { return };
    let files = truth["csv"].as_object().unwrap();
    assert_eq!(files.len(), present(&folder, &["csv"]));
    for (name, expected) in files {
        let path = folder.join(name);
        let found = read(&path, None);
        let encoding = match expected["encoding"].as_str().unwrap() {
            "utf-8" | "utf-8-sig" => Encoding::Utf8,
            "utf-16" => Encoding::Utf16Le,
            "cp1252" | "latin-1" => Encoding::Windows1252,
            other => panic!("{other}"),
        };
        assert_eq!(found.format, Format::Csv, "{name}");
        assert_eq!(found.encoding, Some(encoding), "{name}");
        assert_eq!(
            found.delimiter,
            expected["delimiter"].as_str().unwrap().chars().next(),
            "{name}"
        );
        assert_eq!(
            found.lines_above,
            expected["records_before_header"].as_u64().unwrap(),
            "{name}"
        );
        let header: Vec<String> =
            strings(&expected["header"]).iter().map(|cell| cell.trim().to_owned()).collect();
        assert_eq!(found.header, without_empty_end(header), "{name}");
        let data = expected["data_records_with_content"].as_u64().unwrap();
        assert_eq!(found.data_rows, data, "{name}");
        let blank = &expected["blank_lines_after_header"];
        let empty = expected["all_empty_records"].as_u64().unwrap() + blank.as_u64().unwrap();
        assert_eq!(found.empty_rows, empty, "{name}");
        assert_eq!(found.unreadable_cells, 0, "{name}");
        assert_eq!(found.long_rows, expected["long_records"].as_u64().unwrap(), "{name}");

        let (count, first, last) = streamed(&path, &found);
        assert_eq!(count, data, "{name}");
        let start = strings(&expected["first_record"]);
        assert_eq!(first[..start.len()], start, "{name}");
        let end = strings(&expected["last_record"]);
        if end.iter().any(|cell| !cell.is_empty()) {
            assert_eq!(last[..end.len()], end, "{name}");
        }
    }
}

#[test]
fn workbooks() {
    let Some((folder, truth)) = truth() else { return };
    let files = truth["sheets"].as_object().unwrap();
    assert_eq!(files.len(), present(&folder, &["xlsx", "ods"]));
    let mut seen = 0;
    for (name, engines) in files {
        let path = folder.join(name);
        let names: Vec<&String> = engines["calamine"].as_object().unwrap().keys().collect();
        for sheet in names {
            let expected = &engines["calamine"][sheet];
            let libreoffice = engines["libreoffice"].as_object().unwrap();
            let twin =
                libreoffice.iter().find(|(file, _)| file.ends_with(&format!("-{sheet}.csv")));
            let (_, twin) = twin.unwrap();
            let nonempty = expected["nonempty"].as_u64().unwrap();
            assert_eq!(nonempty, twin["nonempty"].as_u64().unwrap(), "{name} {sheet}");

            let found = read(&path, Some(sheet));
            assert_eq!(found.sheet.as_deref(), Some(sheet.as_str()));
            assert!(found.sheets.contains(sheet));
            let (above, header_line) = match (name.starts_with("insee"), sheet.as_str()) {
                // Four lines of titles, then the names; one column of prose has no header to find.
                (true, "Documentation") => (0, 1),
                (true, "Variables") => (4, 6),
                (true, _) => (4, 5),
                // Its first row is empty.
                (false, "REI_1987") => (0, 2),
                (false, _) => (0, 1),
            };
            assert_eq!(found.lines_above, above, "{name} {sheet} {:?}", found.header);
            assert_eq!(found.header_line, header_line, "{name} {sheet}");
            assert_eq!(found.data_rows, nonempty - 1 - above, "{name} {sheet}");
            let width = expected["width"].as_u64().unwrap() as usize;
            assert_eq!(found.header.len(), width, "{name} {sheet}");
            if above == 0 {
                let header = strings(&expected["first"]);
                assert_eq!(found.header[..header.len()], header, "{name} {sheet}");
                let second = without_empty_end(strings(&twin["second"]));
                let second: Vec<String> = second.into_iter().map(french_date).collect();
                assert_eq!(texts(&found.preview[0])[..second.len()], second, "{name} {sheet}");
            }
            assert_eq!(streamed(&path, &found).0, found.data_rows, "{name} {sheet}");
            seen += 1;
        }
    }
    assert!(seen >= 9);
}

#[test]
fn the_screens_refuse_what_is_too_long_with_its_true_count() {
    let Some((folder, _)) = truth() else { return };
    let path = folder.join("geonames_rg_cities1000.csv");
    let found =
        inspect(&path, "villes.csv", &Options::default(), &Limits::screens(), &mut |_| true);
    let sentence = found.unwrap_err().to_string();
    assert!(sentence.contains("144\u{202f}563 lignes"), "{sentence}");
}
