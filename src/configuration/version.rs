// SPDX-License-Identifier: EUPL-1.2
//! The format of the archive through its versions (RG-102).
use super::{sheets::TYPES, table::Table};
use crate::text::norm;
use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    major: u16,
    minor: u16,
}

/// What this program writes.
pub const CURRENT: Version = Version { major: 1, minor: 0 };

/// The tables of an archive, by name.
pub type Tables = BTreeMap<&'static str, Table>;

type Step = fn(&mut Tables);

/// What each older version needs to become the next one, oldest first.
const MIGRATIONS: [(Version, Step); 1] = [(Version { major: 0, minor: 9 }, give_codes)];

impl Version {
    pub fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.split_once('.')?;
        Some(Self { major: major.parse().ok()?, minor: minor.parse().ok()? })
    }

    /// # Errors
    /// The sentence of a version that this program cannot read.
    pub fn readable(self) -> Result<(), String> {
        if self.major > CURRENT.major {
            return Err(
                "Configuration issue d’une version plus récente. Mettez à jour l’instance.".into(),
            );
        }
        if self < MIGRATIONS[0].0 {
            return Err(format!("Configuration issue d’une version trop ancienne (v{self})."));
        }
        Ok(())
    }

    /// Brings the tables to the current version; the sentence that says it was needed.
    pub fn migrate(self, tables: &mut Tables) -> Option<String> {
        for (_, step) in MIGRATIONS.iter().filter(|(from, _)| *from >= self) {
            step(tables);
        }
        (self < CURRENT).then(|| {
            format!("Configuration exportée depuis v{self}, version actuelle v{CURRENT}. Migration automatique appliquée.")
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// 0.9: fields had no code of their own; it was made of their label.
fn give_codes(tables: &mut Tables) {
    let Some(table) = tables.get_mut(TYPES).filter(|table| table.column("code").is_none()) else {
        return;
    };
    let mut taken: HashMap<String, Vec<String>> = HashMap::new();
    let codes: Vec<String> = table
        .rows
        .iter()
        .map(|row| {
            let label = table.cell(row, "libellé");
            if label.trim().is_empty() {
                return String::new();
            }
            let taken = taken.entry(norm(table.cell(row, "type"))).or_default();
            let code = super::code_of(label, taken);
            taken.push(code.clone());
            code
        })
        .collect();
    table.widen("code", codes.into_iter());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rg_102_older_is_migrated_newer_minor_accepted_newer_major_refused() {
        let version = |text| Version::parse(text).unwrap();
        assert!(version("2.0").readable().unwrap_err().contains("version plus récente"));
        assert!(version("0.8").readable().unwrap_err().contains("trop ancienne (v0.8)"));
        for readable in ["0.9", "1.0", "1.7"] {
            assert_eq!(version(readable).readable(), Ok(()), "{readable}");
        }
        assert_eq!(Version::parse("1"), None);
        assert_eq!(Version::parse("un.zéro"), None);
        assert_eq!(version("1.7").migrate(&mut Tables::new()), None);
    }

    #[test]
    fn rg_102_a_field_without_code_takes_that_of_its_label() {
        let mut table = Table::new(&["type", "libellé"]);
        for (kind, label) in [
            ("A", ""),
            ("A", "Photo à refaire"),
            ("A", "Photo a refaire"),
            ("B", "Photo à refaire"),
        ] {
            table.push(&[("type", kind), ("libellé", label)]);
        }
        let mut tables = Tables::from([(TYPES, table)]);
        let said = Version::parse("0.9").unwrap().migrate(&mut tables).unwrap();
        assert!(said.starts_with("Configuration exportée depuis v0.9, version actuelle v1.0."));
        let table = &tables[TYPES];
        let codes: Vec<_> = table.rows.iter().map(|row| table.cell(row, "code")).collect();
        assert_eq!(codes, ["", "photo_a_refaire", "photo_a_refaire_2", "photo_a_refaire"]);
    }
}
