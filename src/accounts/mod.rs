// SPDX-License-Identifier: EUPL-1.2
//! People who have an account: roles, sessions, passwords, links (01 §1).
mod hashing;
pub mod links;
mod login;
mod model;
pub mod password;
mod roles;
pub mod sessions;
#[cfg(test)]
mod tests;
pub mod throttle;
pub mod tokens;

pub use self::{
    links::Purpose,
    hashing::hash as hash_password,
    model::{User, brief_name, display_name, find, initials},
    roles::{Role, Roles},
};
use crate::web::{Access::Public, Routes};

pub fn routes() -> Routes {
    Routes::default()
        .get("/", Public, login::home)
        .get("/connexion", Public, login::page)
        .post("/connexion", Public, login::create)
        .post("/deconnexion", Public, login::destroy)
}

#[derive(clap::Subcommand)]
pub enum Cli {
    /// Crée le premier administrateur
    Create { #[arg(long)] email: String },
}

impl Cli {
    pub async fn run(self, _app: crate::app::App) -> anyhow::Result<()> {
        Ok(())
    }
}

/// The one-time set-up link, while no administrator exists (RG-008).
pub async fn setup_link(_app: &crate::app::App, _now: chrono::DateTime<chrono::Utc>) -> anyhow::Result<Option<String>> {
    Ok(None)
}
