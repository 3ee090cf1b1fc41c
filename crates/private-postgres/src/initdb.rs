// SPDX-License-Identifier: EUPL-1.2
//! The first start: creates the cluster, whole or not at all.

use std::{
    fs::{self, File},
    path::Path,
};

use anyhow::{Context, Result, bail};

use crate::{
    Durability, NAME,
    binaries::Binaries,
    directory::{Directory, remove},
    leftovers,
};

/// Made aside, then renamed: a kill half-way leaves nothing that looks like data.
pub fn create(directory: &Directory, binaries: &Binaries, durability: Durability) -> Result<()> {
    tracing::info!("Création de la base de données dans {}", directory.data().display());
    let aside = directory.base.join("pg.init");
    leftovers::kill_creation(&aside);
    directory.account.write_secret(&directory.password_file(), &random_password()?)?;
    // French order of words when this PostgreSQL was built with ICU, else the order of bytes.
    let icu = ["--locale-provider=icu", "--icu-locale=fr-FR", "--locale=C"];
    if run(directory, binaries, durability, &aside, &icu).is_err() {
        run(directory, binaries, durability, &aside, &["--locale=C.UTF-8"])?;
    }
    fs::rename(&aside, directory.data())?;
    File::open(&directory.base)?.sync_all()?;
    Ok(())
}

fn run(
    directory: &Directory,
    binaries: &Binaries,
    durability: Durability,
    aside: &Path,
    locale: &[&str],
) -> Result<()> {
    remove(aside);
    directory.account.create_dir(aside)?;
    // One that outlived us would write under the feet of the next.
    let mut command = directory.account.tied_command("KILL", &binaries.program("initdb"));
    command
        .arg("-D")
        .arg(aside)
        .args(["-U", NAME, "-E", "UTF8", "--auth=scram-sha-256", "--data-checksums"])
        .arg("--pwfile")
        .arg(directory.password_file())
        .args(locale);
    if durability == Durability::Fast {
        command.arg("--no-sync");
    }
    let program = binaries.program("initdb");
    let output =
        command.output().with_context(|| format!("Impossible de lancer {}", program.display()))?;
    if !output.status.success() {
        bail!(
            "PostgreSQL n'a pas pu créer sa base dans {} :\n{}",
            directory.base.display(),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}

fn random_password() -> Result<String> {
    let mut bytes = [0; 24];
    getrandom::fill(&mut bytes).context("le système ne donne pas d'aléa")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
