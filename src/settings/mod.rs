// SPDX-License-Identifier: EUPL-1.2
//! The instance's own settings: organisation, contacts, password threshold; the administration's
//! first page and the statement of accessibility.
mod accessibility;
mod administration;
mod organisation;
#[cfg(test)]
mod tests;

pub use self::organisation::{read as read_organisation, save};
use crate::{
    accounts::Role,
    web::{
        Access::{self, Public, Roles},
        Routes,
    },
};
use sqlx::PgPool;

const ADMIN: Access = Roles(&[Role::Admin]);

#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub organisation: String,
    pub contact: String,
    pub dpo: String,
    /// Estimated strength asked of passwords, in bits (RG-001).
    pub password_bits: i32,
    pub password_families: bool,
    pub is_demo: bool,
}

pub async fn load(db: &PgPool) -> sqlx::Result<Settings> {
    sqlx::query_as!(
        Settings,
        "select organisation, contact, dpo, password_bits, password_families, is_demo from instance_settings"
    )
    .fetch_one(db)
    .await
}

pub fn routes() -> Routes {
    Routes::default()
        .get("/administration", ADMIN, administration::page)
        .get("/administration/parametres", ADMIN, organisation::home)
        .get("/administration/parametres/organisation", ADMIN, organisation::page)
        .post("/administration/parametres/organisation", ADMIN, organisation::update)
        .get("/accessibilite", Public, accessibility::page)
}
