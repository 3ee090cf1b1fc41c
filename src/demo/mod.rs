// SPDX-License-Identifier: EUPL-1.2
//! Demonstration data (09): fictitious, seeded, relative to the day of loading.
use crate::app::App;
use anyhow::Result;
use chrono::{DateTime, Utc};

#[derive(clap::Subcommand)]
pub enum Cli {
    /// Charge la démonstration sur une base vide
    Load,
    /// Donne de nouveaux mots de passe aux comptes de démonstration et les affiche
    Passwords,
}

impl Cli {
    pub async fn run(self, _app: App) -> Result<()> {
        Ok(())
    }
}

/// Whether nobody has an account yet.
pub async fn is_empty(app: &App) -> Result<bool> {
    Ok(sqlx::query_scalar!(r#"select not exists (select 1 from users) as "empty!""#).fetch_one(&app.db).await?)
}

/// Loads the set of 09 and gives the lines to print: address, one line an account.
pub async fn load(_app: &App, _now: DateTime<Utc>) -> Result<Vec<String>> {
    Ok(Vec::new())
}
