// SPDX-License-Identifier: EUPL-1.2
//! What a person may ask for.
use crate::web::Form;
use tabular::CsvStyle;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Csv(CsvStyle),
    Xlsx,
    Ods,
}

/// Code, name, explanation.
pub const FORMATS: [(&str, &str, &str); 3] = [
    ("csv", "CSV", "Texte, pour Excel ou un autre outil"),
    ("xlsx", "Excel (.xlsx)", "Dates et nombres typés, statuts en couleur"),
    ("ods", "OpenDocument (.ods)", "Le même classeur, pour LibreOffice"),
];

pub const COLUMNS: [(&str, &str, &str); 2] = [
    ("affichees", "Colonnes affichées", "Celles de votre liste"),
    ("toutes", "Toutes", "Toutes les données, tous les champs de la campagne"),
];

impl Format {
    /// A CSV unless another is asked for.
    pub fn of(form: &Form) -> Self {
        match form.raw("format") {
            "xlsx" => Self::Xlsx,
            "ods" => Self::Ods,
            _ => Self::Csv(CsvStyle {
                delimiter: if form.raw("separateur") == "," { ',' } else { ';' },
                byte_order_mark: form.raw("marque") != "non",
            }),
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        match code {
            "csv" => Some(Self::Csv(CsvStyle::default())),
            "xlsx" => Some(Self::Xlsx),
            "ods" => Some(Self::Ods),
            _ => None,
        }
    }

    /// The word of the form, of the base, and the end of the file's name.
    pub fn code(self) -> &'static str {
        match self {
            Self::Csv(_) => "csv",
            Self::Xlsx => "xlsx",
            Self::Ods => "ods",
        }
    }

    pub fn media_type(self) -> &'static str {
        match self {
            Self::Csv(_) => "text/csv; charset=utf-8",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Ods => "application/vnd.oasis.opendocument.spreadsheet",
        }
    }
}
