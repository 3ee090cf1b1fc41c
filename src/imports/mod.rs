// SPDX-License-Identifier: EUPL-1.2
//! Importing operations from a file of real life (03 §1, §2).
use crate::{app::App, jobs::Job, web::Routes};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One import of one file.
pub struct Import;

/// The step that an import waits for.
#[derive(Serialize, Deserialize)]
pub struct Work {
    pub import: Uuid,
}

impl Job for Work {
    const KIND: &'static str = "import.work";

    async fn run(self, _app: &App, _now: DateTime<Utc>) -> anyhow::Result<()> {
        Ok(())
    }
}

/// Files of imports that nobody finished disappear within a day (RG-098).
pub async fn forget_old_files(_app: &App, _now: DateTime<Utc>) -> anyhow::Result<()> {
    Ok(())
}

pub fn routes() -> Routes {
    Routes::default()
}

#[derive(clap::Subcommand)]
pub enum Cli {
    /// Lit un fichier sans rien écrire
    Inspect(Inspect),
}

#[derive(clap::Args)]
pub struct Inspect {}

impl Inspect {
    pub fn run(self) -> anyhow::Result<()> {
        Ok(())
    }
}

impl Cli {
    pub async fn run(self, _app: App) -> anyhow::Result<()> {
        Ok(())
    }
}
