// SPDX-License-Identifier: EUPL-1.2
//! The rules of CSV, TSV and TXT files, one after the other (exchange specification, 1.2 to 1.4).

mod common;

use common::{Made, file};
use proptest::prelude::*;
use tabular::{CsvWriter, Encoding, Error, Format, Limits, Options, inspect};

fn lines(content: &str) -> Vec<(u64, Vec<String>)> {
    let made = file(content);
    let found = made.inspect("x.csv").unwrap();
    made.lines(&found)
}

fn texts(lines: Vec<(u64, Vec<String>)>) -> Vec<Vec<String>> {
    lines.into_iter().map(|(_, texts)| texts).collect()
}

#[test]
fn delimiters() {
    for (content, delimiter) in [
        ("a;b\n1;2\n", ';'),
        ("a,b\n1,2\n", ','),
        ("a\tb\n1\t2\n", '\t'),
        ("a|b\n1|2\n", '|'),
        // P-059: what is quoted counts for nothing.
        ("\"Dupont, Jean\";\"a;b\"\n\"Durand, Zoé\";\"c;d\"\n", ';'),
        ("nom;prix\na;1,5\nb;2\n", ';'),
        // A tie.
        ("a;b,c\n1;2,3\n", ';'),
        ("seul\nA\nB\n", ';'),
        ("nom\nDupont, Jean\nDurand\nDuval\n", ';'),
        ("sep=|\na|b;c;d\n1|2;3;4\n", '|'),
        ("sep=^\na^b\n1^2\n", '^'),
    ] {
        let found = file(content).inspect("x.csv").unwrap();
        assert_eq!(found.delimiter, Some(delimiter), "{content:?}");
    }
}

#[test]
fn a_delimiter_can_be_chosen() {
    let options = Options { delimiter: Some(b','), ..Options::default() };
    let found = file("a;b,c\n1;2,3\n").inspect_with("x.txt", &options).unwrap();
    assert_eq!(found.header, ["a;b", "c"]);
    for delimiter in [b'"', b'\n', 0xe9] {
        let options = Options { delimiter: Some(delimiter), ..Options::default() };
        let refused = file("a;b\n1;2\n").inspect_with("x.csv", &options);
        assert!(matches!(refused, Err(Error::Delimiter)));
    }
}

#[test]
fn the_declaration_of_a_delimiter_is_no_title() {
    let made = file("sep=;\r\nnom;site\r\nA;B\r\n");
    let found = made.inspect("x.csv").unwrap();
    assert_eq!((found.header_line, found.lines_above), (2, 0));
    assert_eq!(made.lines(&found), [(3, vec!["A".to_owned(), "B".to_owned()])]);
}

#[test]
fn quotes_and_physical_lines() {
    for end in ["\n", "\r\n", "\r"] {
        let content =
            ["a;b", "\"1", "2\";x", "", "\"dit \"\"oui\"\"\";5\" de plus", "\"c\"d;e"].join(end);
        let expected = vec![
            (2, vec![format!("1{end}2"), "x".to_owned()]),
            (5, vec!["dit \"oui\"".to_owned(), "5\" de plus".to_owned()]),
            (6, vec!["cd".to_owned(), "e".to_owned()]),
        ];
        assert_eq!(lines(&content), expected, "{end:?}");
    }
}

#[test]
fn records_and_line_ends_across_the_edges_of_blocks() {
    for before in (1 << 16) - 12..(1 << 16) + 2 {
        let padding = "p".repeat(before);
        let content = format!("a;b\r\n{padding};\"é\r\n\"\"€\r\n\"\r\nfin;x\r\n");
        let expected = vec![
            (2, vec![padding, "é\r\n\"€\r\n".to_owned()]),
            (5, vec!["fin".to_owned(), "x".to_owned()]),
        ];
        assert_eq!(lines(&content), expected, "{before}");
    }
}

#[test]
fn an_unterminated_quote_names_the_line_where_it_opens() {
    let made = file("a;b\n1;2\n3;\"ouvert\n4;5\n");
    let error = made.inspect("x.csv").unwrap_err();
    assert!(matches!(error, Error::UnterminatedQuote { line: 3 }), "{error}");
    assert!(error.to_string().contains("ligne 3"));
    // In bounded memory: not the whole rest of a long file.
    let long = format!("a;b\n1;\"{}", "x;y\n".repeat(2_100_000));
    let error = file(long).inspect("x.csv").unwrap_err();
    assert!(matches!(error, Error::UnterminatedQuote { line: 2 }), "{error}");
}

#[test]
fn encodings() {
    let text = "Prénom;Coût\r\nZoé;5 € – œuf\r\n";
    let utf16 =
        |order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect::<Vec<u8>>();
    let windows = b"Pr\xe9nom;Co\xfbt\r\nZo\xe9;5 \x80 \x96 \x9cuf\r\n".to_vec();
    for (content, encoding) in [
        (text.as_bytes().to_vec(), Encoding::Utf8),
        ([b"\xef\xbb\xbf", text.as_bytes()].concat(), Encoding::Utf8),
        (utf16(u16::to_le_bytes), Encoding::Utf16Le),
        (utf16(u16::to_be_bytes), Encoding::Utf16Be),
        ([b"\xff\xfe".to_vec(), utf16(u16::to_le_bytes)].concat(), Encoding::Utf16Le),
        ([b"\xfe\xff".to_vec(), utf16(u16::to_be_bytes)].concat(), Encoding::Utf16Be),
        (windows, Encoding::Windows1252),
    ] {
        let made = file(content);
        let found = made.inspect("x.csv").unwrap();
        assert_eq!(found.encoding, Some(encoding));
        assert_eq!(found.header, ["Prénom", "Coût"], "{encoding:?}");
        let cells = vec!["Zoé".to_owned(), "5 € – œuf".to_owned()];
        assert_eq!(made.lines(&found), [(2, cells)], "{encoding:?}");
    }
}

#[test]
fn a_first_accent_after_a_megabyte() {
    for accent in ["é".as_bytes(), b"\xe9"] {
        let mut content = b"nom;x\n".to_vec();
        content.extend(b"abcdefg;1\n".repeat(120_000));
        content.truncate(content.len() - 40_000 * 10);
        content.extend(b"fin");
        content.extend(accent);
        content.extend(b";2\n");
        let made = file(content);
        let found = made.inspect("x.csv").unwrap();
        assert_eq!(made.lines(&found).last().unwrap().1[0], "finé");
    }
}

#[test]
fn an_unreadable_byte_marks_its_cell_and_no_other() {
    let utf8 = Options { encoding: Some(Encoding::Utf8), ..Options::default() };
    let windows = Options { encoding: Some(Encoding::Windows1252), ..Options::default() };
    for (content, options) in [
        (&b"nom;site\nZo\xe9;A\nB;C\n"[..], utf8),
        (b"nom;site\nZo\x81;A\nB;C\n", windows),
        (b"nom;site\nZo\x81;A\nB;C\n", Options::default()),
    ] {
        let found = file(content).inspect_with("x.csv", &options).unwrap();
        assert_eq!((found.data_rows, found.unreadable_cells), (2, 1));
        let flags: Vec<bool> = found.preview[0].cells().map(|cell| cell.unreadable).collect();
        assert_eq!(flags, [true, false]);
        assert!(found.warnings.iter().any(|warning| warning.contains("illisible")));
    }
}

#[test]
fn encodings_can_be_chosen() {
    for (encoding, read) in [
        (Encoding::Iso8859_15, "10 €"),
        (Encoding::Iso8859_1, "10 ¤"),
        (Encoding::Windows1252, "10 ¤"),
    ] {
        let options = Options { encoding: Some(encoding), ..Options::default() };
        let made = file(b"nom;prix\nA;10 \xa4\n");
        let found = made.inspect_with("x.csv", &options).unwrap();
        assert_eq!(made.lines(&found)[0].1[1], read);
    }
    // « UTF-16 » is one choice: the mark says the byte order.
    let big: Vec<u8> = "\u{feff}a;b\n1;2\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
    let options = Options { encoding: Encoding::named("UTF-16"), ..Options::default() };
    let found = file(big).inspect_with("x.csv", &options).unwrap();
    assert_eq!(found.encoding, Some(Encoding::Utf16Be));
    assert_eq!(found.header, ["a", "b"]);
}

#[test]
fn text_is_composed() {
    let made = file("E\u{301}tage;b\nAgne\u{300}s;x\n");
    let found = made.inspect("x.csv").unwrap();
    assert_eq!(found.header[0], "Étage");
    assert_eq!(made.lines(&found)[0].1, ["Agnès", "x"]);
}

#[test]
fn headers() {
    let header = |content: &str| file(content).inspect("x.csv").unwrap().header;
    assert_eq!(header("Liste du parc\n\nnom;site;date\nA;B;C\nD;E;F\n"), ["nom", "site", "date"]);
    assert_eq!(header("nom;;date\nA;B;C\nD;E;F\n"), ["nom", "Colonne 2", "date"]);
    assert_eq!(header("nom;site;;\nA;B;;\nD;E;;\n"), ["nom", "site"]);
    assert_eq!(
        header("nom;site;;\nA;B;;\nC;D;;\nE;F;;G\n"),
        ["nom", "site", "Colonne 3", "Colonne 4"]
    );
    assert_eq!(header("nom;nom;nom (2);nom\nA;B;C;D\n"), ["nom", "nom (3)", "nom (2)", "nom (4)"]);
    assert_eq!(header("\u{feff}\u{feff}nom;site\nA;B\n"), ["nom", "site"]);
    assert_eq!(header("\"nom\nde l’agent\";site\nA;B\n"), ["nom de l’agent", "site"]);
}

#[test]
fn what_is_strange_is_said() {
    let made = file("Titre\nnom;nom\nA;B\n;\n  ;\nC\nD;E;;\nF;G;H\n");
    let found = made.inspect("x.csv").unwrap();
    assert_eq!((found.header_line, found.lines_above, found.data_rows), (2, 1, 4));
    assert_eq!((found.empty_rows, found.short_rows, found.long_rows), (2, 1, 1));
    assert_eq!(
        found.warnings,
        [
            "1 ligne ignorée au-dessus de l’en-tête",
            "En-tête en double\u{a0}: la colonne 2 «\u{a0}nom\u{a0}» est renommée «\u{a0}nom (2)\u{a0}»",
            "2 lignes vides ignorées",
            "1 ligne a des valeurs au-delà de la dernière colonne de l’en-tête (la première\u{a0}: ligne 8)",
        ]
    );
    assert_eq!(made.lines(&found)[1], (6, vec!["C".to_owned()]));
    assert_eq!(found.preview[1].cell(1).text, "");
}

#[test]
fn another_header_can_be_chosen() {
    let made = file("a;b\nc;d\ne;f\n");
    let at = |line| Options { header_line: Some(line), ..Options::default() };
    let found = made.inspect_with("x.csv", &at(2)).unwrap();
    assert_eq!((found.header.join(""), found.data_rows), ("cd".to_owned(), 1));
    assert_eq!(made.lines(&found)[0].0, 3);
    assert!(matches!(made.inspect_with("x.csv", &at(9)), Err(Error::NoHeader { line: 9 })));
    assert!(matches!(made.inspect_with("x.csv", &at(0)), Err(Error::NoHeader { line: 0 })));
    assert!(matches!(made.inspect_with("x.csv", &at(3)), Err(Error::NoData)));
}

#[test]
fn limits() {
    let wide = |columns: usize| {
        let line = |cell: &str| [cell].repeat(columns).join(";");
        file(format!("{}\n{}\n", line("h"), line("x")))
    };
    assert_eq!(wide(200).inspect("x.csv").unwrap().header.len(), 200);
    let refused = wide(201).inspect("x.csv");
    assert!(matches!(refused, Err(Error::TooManyColumns { max: 200, found: 201 })));

    let header = |length| file(format!("{};b\n1;2\n", "é".repeat(length))).inspect("x.csv");
    assert!(header(255).is_ok());
    assert!(matches!(header(256), Err(Error::HeaderTooLong { column: 1, max: 255 })));

    let cell = |length| file(format!("a;b\n{};2\n", "é".repeat(length))).inspect("x.csv").unwrap();
    assert!(!cell(10_000).preview[0].cell(0).too_long);
    assert!(cell(10_001).preview[0].cell(0).too_long);

    let made = file("a;b\n1;2\n");
    let tiny = Limits { max_bytes: Some(4), ..Limits::screens() };
    let refused = inspect(made.path(), "x.csv", &Options::default(), &tiny, &mut |_| true);
    assert!(matches!(refused, Err(Error::TooManyBytes { max: 4, found: 8 })));
}

#[test]
fn one_line_too_many_is_refused_with_the_true_count() {
    let rows = |rows: usize| file(format!("a;b\n{}", "1;2\n;\n".repeat(rows)));
    assert_eq!(rows(100_000).inspect("x.csv").unwrap().data_rows, 100_000);
    let error = rows(100_001).inspect("x.csv").unwrap_err();
    assert!(matches!(error, Error::TooManyRows { max: 100_000, counted: 100_001 }));
    let error = rows(1_200_000).inspect("x.csv").unwrap_err();
    assert!(error.to_string().contains("plus de 1\u{202f}000\u{202f}000"), "{error}");
}

#[test]
fn reading_can_be_stopped() {
    let made = file(format!("a;b\n{}", "1;2\n".repeat(5_000)));
    let stop = |at: u64| {
        let options = Options::default();
        inspect(made.path(), "x.csv", &options, &Limits::screens(), &mut |rows| rows < at)
    };
    assert!(matches!(stop(2_000), Err(Error::Cancelled)));
    assert!(stop(6_000).is_ok());
}

#[test]
fn rows_can_be_read_on_another_thread() {
    fn is_send<T: Send>() {}
    is_send::<tabular::Rows>();
    is_send::<tabular::Row>();
    is_send::<Error>();
}

#[test]
fn an_inspection_is_kept_in_json() {
    let made = file("a;b\n1;2\n");
    let found = made.inspect("x.csv").unwrap();
    let json = serde_json::to_string(&found).unwrap();
    assert!(json.contains(r#""format":"csv","encoding":"UTF-8","delimiter":";""#), "{json}");
    let back: tabular::Inspection = serde_json::from_str(&json).unwrap();
    assert_eq!(back.layout(), found.layout());
    assert_eq!(back.preview[0].cell(1).text, "2");
    assert_eq!(back.preview[0].filled(), 2);
}

#[test]
fn nothing_to_read() {
    for content in
        ["", "\n\n", "nom;site\n", "nom;site", "nom;site\n;\n ;\n", "\u{feff}", ";;\n;;\n"]
    {
        let error = file(content).inspect("x.csv").unwrap_err();
        assert!(matches!(error, Error::NoData), "{content:?}: {error:?}");
    }
}

#[test]
fn names_of_text_files() {
    for name in ["x.csv", "X.TSV", "x.txt", "x", "x.xlsx", "x.xls"] {
        assert_eq!(file("a;b\n1;2\n").inspect(name).unwrap().format, Format::Csv);
    }
    for name in ["x.docx", "x.json", "x.png"] {
        assert!(matches!(file("a;b\n1;2\n").inspect(name), Err(Error::Unsupported)));
    }
}

/// What `CsvWriter` makes of these records.
fn written(records: &[Vec<String>]) -> Made {
    let mut writer = CsvWriter::new(Vec::new()).unwrap();
    for record in records {
        writer.record(record.iter().map(String::as_str)).unwrap();
    }
    file(writer.into_inner())
}

#[test]
fn exported_files_are_as_spreadsheets_like_them() {
    let mut writer = CsvWriter::new(Vec::new()).unwrap();
    writer.record(["Nom", "Coût"]).unwrap();
    writer.text("=1+1").unwrap();
    writer.value("-5").unwrap();
    writer.end_record().unwrap();
    writer.record([""]).unwrap();
    let text = String::from_utf8(writer.into_inner()).unwrap();
    assert_eq!(text, "\u{feff}Nom;Coût\r\n\"'=1+1\";-5\r\n\"\"\r\n");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Export then import is the identity, whatever people write.
    #[test]
    fn export_then_import_is_the_identity(
        cells in prop::collection::vec(prop::collection::vec("[-=+@'＝ \t\r\n;,|\"aé€]{0,8}", 3), 1..5)
    ) {
        let header = ["un", "deux", "trois"].map(str::to_owned).to_vec();
        let records = [vec![header], cells.clone()].concat();
        let made = written(&records);
        let options = Options { delimiter: Some(b';'), header_line: Some(1), ..Options::default() };
        let full: Vec<Vec<String>> =
            cells.into_iter().filter(|row| row.iter().any(|cell| !cell.trim().is_empty())).collect();
        match made.inspect_with("x.csv", &options) {
            Ok(found) => prop_assert_eq!(texts(made.lines(&found)), full),
            Err(error) => prop_assert!(matches!(error, Error::NoData) && full.is_empty(), "{error}"),
        }
    }

    /// The `csv` crate reads the same cells from anything but blank lines.
    #[test]
    fn another_reader_agrees(content in "[a\"; \r\n]{0,40}") {
        let whole = format!("h;i\n{content}");
        let mut other = csv::ReaderBuilder::new()
            .delimiter(b';').flexible(true).has_headers(false).from_reader(whole.as_bytes());
        let expected: Vec<Vec<String>> = other
            .records()
            .skip(1)
            .map(|record| record.unwrap().iter().map(str::to_owned).collect())
            .filter(|record: &Vec<String>| record.iter().any(|cell| !cell.trim().is_empty()))
            .collect();
        let made = file(&whole);
        let options = Options { delimiter: Some(b';'), header_line: Some(1), ..Options::default() };
        match made.inspect_with("x.csv", &options) {
            Ok(found) => prop_assert_eq!(texts(made.lines(&found)), expected),
            Err(Error::NoData) => prop_assert!(expected.is_empty()),
            Err(Error::UnterminatedQuote { .. }) => {}
            Err(error) => prop_assert!(false, "{error}"),
        }
    }
}
