// SPDX-License-Identifier: EUPL-1.2
//! A table on its way out: columns, and typed cells that no spreadsheet takes for a formula.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use std::io;

pub struct Column {
    pub label: String,
    /// In characters.
    pub width: u16,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Empty,
    Text(String),
    Number(f64),
    Date(NaiveDate),
    Time(NaiveTime),
    Moment(NaiveDateTime),
    /// A text on a background, `0xRRGGBB`.
    Filled(String, u32),
}

#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("le fichier ne peut pas être écrit : {0}")]
    Io(#[from] io::Error),
    /// More than 1 048 576 rows, a cell of more than 32 767 characters…
    #[error("le classeur ne peut pas être écrit : {0}")]
    Workbook(String),
}

impl Value {
    /// What a person reads in the cell: dates `jj/mm/aaaa`, decimals with a comma.
    pub fn shown(&self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Text(text) | Self::Filled(text, _) => text.clone(),
            Self::Number(number) => number.to_string().replace('.', ","),
            Self::Date(date) => date.format("%d/%m/%Y").to_string(),
            Self::Time(time) => time.format("%H:%M").to_string(),
            Self::Moment(at) => at.format("%d/%m/%Y %H:%M").to_string(),
        }
    }

    /// Whether a spreadsheet could run it: what is typed cannot.
    pub fn is_text(&self) -> bool {
        matches!(self, Self::Text(_) | Self::Filled(..))
    }
}
