// SPDX-License-Identifier: EUPL-1.2
//! Why a file is refused.
//! `Display` is a French sentence fit for the screen; nothing here speaks of Rust or of libraries.

use std::io;

use crate::text::{count, thousands};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Pictures, PDF, programs, other archives: whatever is no table.
    #[error("Format non supporté. Utilisez un fichier .csv, .xlsx ou .ods")]
    Unsupported,
    /// Binary `.xls`, `.xlsb` and workbooks with macros.
    #[error("Enregistrez le fichier au format .xlsx, .ods ou .csv")]
    OldFormat,
    #[error(
        "Ce classeur est protégé par un mot de passe\u{a0}: enregistrez-le sans mot de passe puis \
         recommencez"
    )]
    Encrypted,
    #[error("Fichier trop volumineux (max {}\u{a0}Mo)", max / 1_048_576)]
    TooManyBytes { max: u64, found: u64 },
    /// Counting stops at [`Error::COUNT_STOPS_AT`].
    #[error("Fichier trop volumineux (max {} lignes)\u{a0}: {}", thousands(*max), counted_rows(*counted))]
    TooManyRows { max: u64, counted: u64 },
    #[error("Trop de colonnes\u{a0}: {} (maximum {})", thousands(*found), thousands(*max))]
    TooManyColumns { max: u64, found: u64 },
    #[error("L’en-tête de la colonne {column} est trop long ({} caractères maximum)", thousands(*max))]
    HeaderTooLong { column: usize, max: u64 },
    #[error("Le fichier ne contient aucune ligne de données")]
    NoData,
    #[error("Un guillemet ouvert à la ligne {} n’est jamais refermé", thousands(*line))]
    UnterminatedQuote { line: u64 },
    #[error("La ligne {} est trop longue pour être lue", thousands(*line))]
    RecordTooLong { line: u64 },
    #[error("La ligne {} n’existe pas ou est vide\u{a0}: elle ne peut pas servir d’en-tête", thousands(*line))]
    NoHeader { line: u64 },
    #[error("Séparateur non pris en charge")]
    Delimiter,
    #[error("La feuille «\u{a0}{name}\u{a0}» n’existe pas dans ce classeur")]
    NoSheet { name: String },
    /// Decompression bomb: too much inflated, too high a ratio, too many entries.
    #[error(
        "Ce classeur est refusé par sécurité\u{a0}: son contenu décompressé est anormalement \
         volumineux"
    )]
    Bomb,
    /// What was found is for the log, not for the screen.
    #[error(
        "Ce fichier est abîmé ou incomplet\u{a0}: ouvrez-le, enregistrez-le à nouveau puis recommencez"
    )]
    Damaged(String),
    #[error("Lecture interrompue")]
    Cancelled,
    #[error("Le fichier ne peut pas être lu")]
    Io(#[from] io::Error),
}

impl Error {
    /// Lines counted past the limit before giving up on the exact number.
    pub const COUNT_STOPS_AT: u64 = 1_000_000;

    pub(crate) fn damaged(what: impl ToString) -> Self {
        Error::Damaged(what.to_string())
    }
}

fn counted_rows(counted: u64) -> String {
    match counted {
        n if n > Error::COUNT_STOPS_AT => {
            format!("plus de {} lignes comptées", thousands(Error::COUNT_STOPS_AT))
        }
        n => count(n, "ligne comptée", "lignes comptées"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_follow_the_specification() {
        let too_many = |counted| Error::TooManyRows { max: 100_000, counted }.to_string();
        assert_eq!(
            too_many(100_001),
            "Fichier trop volumineux (max 100\u{202f}000 lignes)\u{a0}: 100\u{202f}001 lignes comptées"
        );
        assert!(too_many(1_000_001).ends_with("plus de 1\u{202f}000\u{202f}000 lignes comptées"));
        assert_eq!(
            Error::TooManyBytes { max: 52_428_800, found: 60_000_000 }.to_string(),
            "Fichier trop volumineux (max 50\u{a0}Mo)"
        );
    }
}
