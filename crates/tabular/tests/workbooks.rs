// SPDX-License-Identifier: EUPL-1.2
//! The rules of XLSX and ODS sheets (exchange specification, 1.5).

mod common;

use common::{ods, xlsx};
use tabular::{Error, Format, Options};

const HEADER: &str =
    r#"<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="str"><v>b</v></c></row>"#;

/// The second row of a sheet whose only other row is a header.
fn cell(cell: &str, properties: &str) -> (String, bool, bool) {
    let row = format!(r#"{HEADER}<row r="2"><c r="A2" {cell}</c></row>"#);
    let found = xlsx(&row, properties).inspect("x.xlsx").unwrap();
    let cell = found.preview[0].cell(0);
    (cell.text.to_owned(), cell.numeric, cell.error)
}

#[test]
fn cells_of_every_type() {
    for (xml, text, numeric, error) in [
        (r#"t="s"><v>1</v>"#, " Zoé ", false, false),
        (r#"t="s"><v>2</v>"#, "riche & beau", false, false),
        (r#"t="s"><v>4</v>"#, "a\rb", false, false),
        (
            r#"t="inlineStr"><is><r><t>en </t></r><r><t>ligne</t></r></is>"#,
            "en ligne",
            false,
            false,
        ),
        (r#"t="str"><f>A1&amp;"x"</f><v>calculé</v>"#, "calculé", false, false),
        ("><f>1+1</f><v>2</v>", "2", true, false),
        ("><v>1.23456789E+8</v>", "123456789", true, false),
        ("><v>0.1</v>", "0.1", true, false),
        (r#"s="2"><v>1009</v>"#, "01009", false, false),
        (r#"s="1"><v>45000</v>"#, "15/03/2023", false, false),
        (r#"s="3"><v>45000.604166666664</v>"#, "15/03/2023 14:30", false, false),
        (r#"t="d"><v>2023-03-15T14:30:00</v>"#, "15/03/2023 14:30", false, false),
        (r#"t="b"><v>1</v>"#, "VRAI", false, false),
        (r#"t="e"><f>1/0</f><v>#DIV/0!</v>"#, "#DIV/0!", false, true),
        // Typed: neither run nor changed.
        (r#"t="str"><v>'=1+1</v>"#, "'=1+1", false, false),
        (r#"t="str"><v><![CDATA[<a>]]></v>"#, "<a>", false, false),
    ] {
        assert_eq!(cell(xml, ""), (text.to_owned(), numeric, error), "{xml}");
    }
    let (date, ..) = cell(r#"s="1"><v>43538</v>"#, r#"<workbookPr date1904="1"/>"#);
    assert_eq!(date, "15/03/2023");
}

#[test]
fn rows_columns_and_gaps() {
    let rows = format!(
        r#"{HEADER}<row r="2" hidden="1"><c r="B2"><v>2</v></c></row><row r="5"><c><v>1</v></c><c/><c><v>3</v></c></row><row><c t="str"><v>suit</v></c></row><row r="900"><c s="1"/></row>"#
    );
    let made = xlsx(&rows, "");
    let found = made.inspect("x.xlsx").unwrap();
    assert_eq!(found.format, Format::Xlsx);
    assert_eq!(found.header, ["Nom", "b", "Colonne 3"]);
    assert_eq!(found.numeric_columns, [true, true, true]);
    // Rows 3 and 4; what follows the last filled row is no row at all.
    assert_eq!((found.data_rows, found.empty_rows), (3, 2));
    let lines: Vec<(u64, String)> =
        made.lines(&found).into_iter().map(|(line, cells)| (line, cells.join("|"))).collect();
    assert_eq!(lines, [(2, "|2".to_owned()), (5, "1||3".to_owned()), (6, "suit".to_owned())]);
}

#[test]
fn the_first_visible_sheet_or_the_one_chosen() {
    let made = xlsx(&format!(r#"{HEADER}<row r="2"><c><v>1</v></c></row>"#), "");
    let found = made.inspect("x.xlsx").unwrap();
    assert_eq!(found.sheets, ["Cachée", "Vue"]);
    assert_eq!(found.sheet.as_deref(), Some("Vue"));
    let sheet = |name: &str| Options { sheet: Some(name.to_owned()), ..Options::default() };
    assert!(matches!(made.inspect_with("x.xlsx", &sheet("Cachée")), Err(Error::NoData)));
    let refused = made.inspect_with("x.xlsx", &sheet("Perdue"));
    assert!(matches!(refused, Err(Error::NoSheet { name }) if name == "Perdue"));
}

#[test]
fn content_comes_before_the_name() {
    let made = xlsx(&format!(r#"{HEADER}<row r="2"><c><v>1</v></c></row>"#), "");
    assert_eq!(made.inspect("export.csv").unwrap().format, Format::Xlsx);
}

fn table(rows: &str) -> String {
    let header = "<table:table-row><table:table-cell><text:p>a</text:p></table:table-cell><table:table-cell><text:p>b</text:p></table:table-cell></table:table-row>";
    format!(
        r#"<table:table table:name="Cachée" table:style-name="ta0"/><table:table table:name="Vue" table:style-name="ta1">{header}{rows}</table:table>"#
    )
}

#[test]
fn cells_of_open_documents() {
    for (xml, text, numeric, error) in [
        (
            r#"office:value-type="float" office:value="1.5E3"><text:p>1 500</text:p>"#,
            "1500",
            true,
            false,
        ),
        (
            r#"office:value-type="float" office:value="1009"><text:p>01009</text:p>"#,
            "01009",
            false,
            false,
        ),
        (
            r#"office:value-type="percentage" office:value="0.5"><text:p>50 %</text:p>"#,
            "0.5",
            true,
            false,
        ),
        (
            r#"office:value-type="date" office:date-value="2012-05-29"><text:p>29 mai</text:p>"#,
            "29/05/2012",
            false,
            false,
        ),
        (
            r#"office:value-type="date" office:date-value="2012-05-29T14:30:00"><text:p/>"#,
            "29/05/2012 14:30",
            false,
            false,
        ),
        (
            r#"office:value-type="time" office:time-value="PT09H05M00S"><text:p>9h05</text:p>"#,
            "09:05",
            false,
            false,
        ),
        (
            r#"office:value-type="boolean" office:boolean-value="true"><text:p>VRAI</text:p>"#,
            "VRAI",
            false,
            false,
        ),
        (
            r#"office:value-type="string" office:string-value="" calcext:value-type="error"><text:p>#N/D</text:p>"#,
            "#N/D",
            false,
            true,
        ),
        (
            r#"office:value-type="string"><text:p>un<text:s text:c="2"/>deux<text:tab/><text:span>gras</text:span></text:p><text:p>suite &amp; fin</text:p>"#,
            "un  deux\tgras\nsuite & fin",
            false,
            false,
        ),
        (
            r#"office:value-type="string"><office:annotation><text:p>note</text:p></office:annotation><text:p>x</text:p>"#,
            "x",
            false,
            false,
        ),
    ] {
        let row = format!(
            "<table:table-row><table:table-cell {xml}</table:table-cell></table:table-row>"
        );
        let found = ods(&table(&row)).inspect("x.ods").unwrap();
        assert_eq!(found.sheet.as_deref(), Some("Vue"));
        let cell = found.preview[0].cell(0);
        assert_eq!((cell.text, cell.numeric, cell.error), (text, numeric, error), "{xml}");
    }
}

#[test]
fn a_sheet_without_rows() {
    let made = ods(&table(""));
    let hidden = Options { sheet: Some("Cachée".to_owned()), ..Options::default() };
    assert!(matches!(made.inspect_with("x.ods", &hidden), Err(Error::NoData)));
    assert!(matches!(made.inspect("x.ods"), Err(Error::NoData)));
}

#[test]
fn repetitions() {
    let filled = "<table:table-cell><text:p>x</text:p></table:table-cell>";
    let rows = format!(
        r#"<table:table-row table:number-rows-repeated="3"/><table:table-row table:number-rows-repeated="2"><table:table-cell table:number-columns-repeated="2"><text:p>x</text:p></table:table-cell><table:table-cell table:number-columns-repeated="16382"/></table:table-row><table:table-header-rows><table:table-row><table:covered-table-cell><text:p>caché</text:p></table:covered-table-cell>{filled}</table:table-row></table:table-header-rows><table:table-row table:number-rows-repeated="1048000"><table:table-cell table:number-columns-repeated="16384"/></table:table-row>"#
    );
    let made = ods(&table(&rows));
    let found = made.inspect("x.ods").unwrap();
    assert_eq!(found.format, Format::Ods);
    assert_eq!((found.data_rows, found.empty_rows), (3, 3));
    let lines: Vec<(u64, String)> =
        made.lines(&found).into_iter().map(|(line, cells)| (line, cells.join("|"))).collect();
    assert_eq!(lines, [(5, "x|x".to_owned()), (6, "x|x".to_owned()), (7, "|x".to_owned())]);
}

#[test]
fn a_million_filled_rows_are_counted_not_kept() {
    let rows = r#"<table:table-row table:number-rows-repeated="1048575"><table:table-cell><text:p>x</text:p></table:table-cell></table:table-row>"#;
    let error = ods(&table(rows)).inspect("x.ods").unwrap_err();
    assert!(matches!(error, Error::TooManyRows { .. }), "{error:?}");
    let rows = rows.replace("1048575", "100000");
    assert_eq!(ods(&table(&rows)).inspect("x.ods").unwrap().data_rows, 100_000);
}
