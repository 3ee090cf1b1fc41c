// SPDX-License-Identifier: EUPL-1.2
//! What is written is read back as it was, whatever the texts: never a formula.

mod common;

use chrono::{NaiveDate, NaiveTime};
use common::file;
use proptest::prelude::*;
use std::io::Cursor;
use tabular::{Column, Value, write_ods, write_xlsx};

fn columns(labels: &[&str]) -> Vec<Column> {
    labels.iter().map(|label| Column { label: (*label).to_owned(), width: 20 }).collect()
}

fn written(ods: bool, columns: &[Column], rows: Vec<Vec<Value>>) -> Vec<u8> {
    let mut to = Cursor::new(Vec::new());
    let count = rows.len();
    let done = if ods {
        write_ods("Opérations & co", columns, rows.into_iter(), &mut to)
    } else {
        write_xlsx("Opérations & co", columns, rows.into_iter(), &mut to)
    };
    assert_eq!(done.unwrap() as usize, count);
    to.into_inner()
}

#[test]
fn typed_cells_come_back_as_people_read_them() {
    let day = NaiveDate::from_ymd_opt(2026, 3, 12).unwrap();
    let half_past_two = NaiveTime::from_hms_opt(14, 30, 0).unwrap();
    let row = vec![
        Value::Text("PÔ-01 <&> \"x\"".into()),
        Value::Number(12.5),
        Value::Number(-3.0),
        Value::Date(day),
        Value::Time(half_past_two),
        Value::Moment(day.and_time(half_past_two)),
        Value::Empty,
        Value::Filled("Réalisé".into(), 0x00DC_FCE7),
        Value::Text("=1+1".into()),
        Value::Text("deux\nlignes  et\ttab".into()),
    ];
    let labels = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
    for (ods, name) in [(false, "x.xlsx"), (true, "x.ods")] {
        let made = file(written(ods, &columns(&labels), vec![row.clone()]));
        let inspection = made.inspect(name).unwrap();
        assert_eq!(inspection.header, labels, "{name}");
        assert_eq!(inspection.data_rows, 1);
        let read = &made.lines(&inspection)[0].1;
        let shown: Vec<String> = row.iter().map(Value::shown).collect();
        for (i, (read, shown)) in read.iter().zip(&shown).enumerate() {
            assert_eq!(&read.replace('.', ","), shown, "{name}, column {i}");
        }
    }
}

/// LibreOffice opens ZIP64 since 24.2 only; Debian 12 has an older one.
#[test]
fn ods_entries_are_plain_zip() {
    let made = written(true, &columns(&["a"]), vec![vec![Value::Number(1.0)]]);
    let name = b"content.xml";
    let at = made.windows(name.len()).position(|window| window == name).unwrap();
    assert_eq!(&made[at - 30..at - 26], b"PK\x03\x04", "the local header of the content");
    assert_eq!(&made[at - 2..at], [0, 0], "without an extra field");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_text_survives(texts in prop::collection::vec("[ -~éœ€=+@'\u{a0}\t\n]{1,40}", 1..12)) {
        let texts: Vec<String> = texts.into_iter().map(|t| format!("x{t}x")).collect();
        let rows: Vec<_> = texts.iter().map(|t| vec![Value::Text("k".into()), Value::Text(t.clone())]).collect();
        for (ods, name) in [(false, "x.xlsx"), (true, "x.ods")] {
            let made = file(written(ods, &columns(&["Clé", "Texte"]), rows.clone()));
            let found = made.inspect(name).unwrap();
            let read: Vec<String> =
                made.lines(&found).into_iter().map(|(_, row)| row[1].clone()).collect();
            prop_assert_eq!(&read, &texts, "{}", name);
        }
    }
}
