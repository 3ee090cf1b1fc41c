// SPDX-License-Identifier: EUPL-1.2
//! Finds the PostgreSQL programs of the machine, of the version that the data ask for.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, anyhow, bail};

use crate::MINIMUM_MAJOR;

#[derive(Clone, Debug)]
pub struct Binaries {
    pub directory: PathBuf,
    pub major: u32,
}

/// Where packages put one directory per major version: a root, then the tail inside the version.
const VERSIONED: [(&str, &str); 6] = [
    ("/usr/lib/postgresql", "bin"), // Debian, Ubuntu
    ("/usr", "bin"),                // /usr/pgsql-17: Fedora, RHEL from postgresql.org
    ("/opt/homebrew/opt", "bin"),
    ("/usr/local/opt", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "bin"),
    ("/Library/PostgreSQL", "bin"),
];

impl Binaries {
    /// `data_major` is the version of existing data: no other can read them.
    pub fn find(chosen: Option<&Path>, data_major: Option<u32>, data: &Path) -> Result<Self> {
        let directories = match chosen {
            Some(directory) => vec![directory.to_owned()],
            None => candidates(),
        };
        let found: Vec<Self> = directories
            .into_iter()
            .filter(|d| d.join("postgres").is_file() && d.join("initdb").is_file())
            .filter_map(|directory| Some(Self { major: major_of(&directory)?, directory }))
            .collect();
        let fits = |binaries: &&Self| match data_major {
            Some(major) => binaries.major == major,
            None => binaries.major >= MINIMUM_MAJOR,
        };
        if let Some(binaries) = found.iter().find(fits) {
            return Ok(binaries.clone());
        }
        let present = match (list(&found), chosen) {
            (Some(list), _) => format!("présent : PostgreSQL {list}"),
            (None, Some(directory)) => {
                format!("OPSTRACKER_PG_BIN désigne {}, où il n'est pas", directory.display())
            }
            (None, None) => "aucun PostgreSQL trouvé".to_owned(),
        };
        match data_major {
            Some(major) => Err(other_major(major, &present, data)),
            None => bail!(
                "Il manque PostgreSQL {MINIMUM_MAJOR} ou plus récent ({present}). Installez-le \
                 (Debian, Ubuntu : apt install postgresql), indiquez le répertoire de ses \
                 programmes par OPSTRACKER_PG_BIN, ou donnez une base existante par DATABASE_URL."
            ),
        }
    }

    pub fn program(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }
}

fn other_major(major: u32, present: &str, data: &Path) -> anyhow::Error {
    anyhow!(
        "Les données de {data} ont été créées par PostgreSQL {major}, qui n'est pas sur cette \
         machine ({present}). Elles n'ont pas été touchées. Remettez PostgreSQL {major} \
         (paquet postgresql-{major}) ou indiquez ses programmes par OPSTRACKER_PG_BIN ; pour \
         changer de version, sauvegardez avec l'ancienne (pg_dump) et restaurez dans un \
         répertoire neuf, ou convertissez avec pg_upgrade.",
        data = data.display()
    )
}

fn list(found: &[Binaries]) -> Option<String> {
    let mut majors: Vec<u32> = found.iter().map(|binaries| binaries.major).collect();
    majors.sort_unstable();
    majors.dedup();
    let texts: Vec<String> = majors.iter().map(u32::to_string).collect();
    (!texts.is_empty()).then(|| texts.join(", "))
}

/// Directories that may hold the programs, best first.
fn candidates() -> Vec<PathBuf> {
    let mut directories = Vec::new();
    let executable = env::current_exe().and_then(|path| path.canonicalize());
    if let Some(beside) = executable.ok().as_deref().and_then(Path::parent) {
        directories.push(beside.join("pgsql/bin"));
        directories.push(beside.join("../lib/opstracker/pgsql/bin"));
    }
    for (root, tail) in VERSIONED {
        directories.extend(versions(Path::new(root)).into_iter().map(|path| path.join(tail)));
    }
    directories.extend(env::var_os("PATH").iter().flat_map(env::split_paths));
    directories
}

/// The versions under a directory, highest first.
fn versions(root: &Path) -> Vec<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir(root)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((directory_major(entry.file_name().to_str()?)?, entry.path())))
        .collect();
    versions.sort_by_key(|(major, _)| std::cmp::Reverse(*major));
    versions.into_iter().map(|(_, path)| path).collect()
}

/// `17`, `pgsql-17`, `postgresql@17`: 17.
fn directory_major(name: &str) -> Option<u32> {
    let digits = ["pgsql-", "postgresql@", "postgresql-"]
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix))
        .unwrap_or(name);
    digits.split('.').next()?.parse().ok()
}

fn major_of(directory: &Path) -> Option<u32> {
    let output = Command::new(directory.join("postgres")).arg("--version").output().ok()?;
    version_major(&String::from_utf8_lossy(&output.stdout))
}

/// `postgres (PostgreSQL) 15.20 (Debian …)`: 15; `… 19beta1`: 19.
fn version_major(text: &str) -> Option<u32> {
    let word =
        text.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    word.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_names_and_from_the_program() {
        let names = ["17", "pgsql-17", "postgresql@17", "lib", "bin", "postgresql"];
        assert_eq!(names.map(directory_major), [Some(17), Some(17), Some(17), None, None, None]);
        assert_eq!(version_major("postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)"), Some(15));
        assert_eq!(version_major("postgres (PostgreSQL) 19beta1"), Some(19));
        assert_eq!(version_major("sh: not found"), None);
    }
}
