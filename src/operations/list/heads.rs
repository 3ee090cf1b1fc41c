// SPDX-License-Identifier: EUPL-1.2
//! The heads of the columns shown, which sort, and the columns that can be chosen.
use super::{
    address::Address,
    columns,
    sort::{Key, Sort},
};
use crate::campaigns::{self, Field};

/// Which of the columns that are not fields are shown.
pub struct Shown {
    pub status: bool,
    pub technician: bool,
    pub planned: bool,
    pub updated: bool,
    pub steps: bool,
}

impl Shown {
    pub fn of(codes: &[String]) -> Self {
        let has = |key: Key| codes.contains(&key.code());
        Self {
            status: has(Key::Status),
            technician: has(Key::Technician),
            planned: has(Key::Planned),
            updated: has(Key::Updated),
            steps: has(Key::Steps),
        }
    }
}

pub struct Head {
    pub label: String,
    /// Absent when the list cannot be sorted by it.
    pub url: Option<String>,
    pub aria: Option<&'static str>,
    pub icon: &'static str,
}

pub fn heads(
    fields: &[Field],
    columns: &[&Field],
    shown: &[String],
    sort: Sort,
    address: &Address,
) -> Vec<Head> {
    let head = |key: Key, label: &str| {
        let turned = if sort.key == key && !sort.descending {
            address.with("sens", "desc")
        } else {
            address.without("sens")
        };
        let aria = sort.aria(key);
        Head {
            label: label.to_owned(),
            url: Some(turned.with("tri", key.code()).url("operations")),
            aria,
            icon: match aria {
                None => "sort",
                Some("ascending") => "sort-up",
                Some(_) => "sort-down",
            },
        }
    };
    let fixed = [campaigns::Usage::Identifier, campaigns::Usage::Label]
        .into_iter()
        .filter_map(|usage| fields.iter().find(|f| f.is(usage)));
    let own =
        columns::OWN.iter().filter(|(key, _)| shown.contains(&key.code())).map(|(key, label)| {
            match head(*key, label) {
                head if *key == Key::Steps => Head { url: None, ..head },
                head => head,
            }
        });
    fixed
        .chain(columns.iter().copied())
        .map(|f| match head(Key::of_field(f), &f.label) {
            head if Key::is_offered(f) => head,
            head => Head { url: None, ..head },
        })
        .chain(own)
        .collect()
}

/// A column that can be chosen: code, label, chosen.
pub fn choices(fields: &[Field], shown: &[String]) -> Vec<(String, String, bool)> {
    let own = columns::OWN.iter().map(|(key, label)| (key.code(), (*label).to_owned()));
    let all = columns::offered(fields).map(|f| (f.input(), f.label.clone())).chain(own);
    all.map(|(code, label)| (shown.contains(&code), code, label))
        .map(|(on, code, label)| (code, label, on))
        .collect()
}
