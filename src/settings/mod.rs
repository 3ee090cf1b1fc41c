// SPDX-License-Identifier: EUPL-1.2
//! The instance's own settings: organisation, contacts, password threshold.
use crate::web::Routes;
use sqlx::PgPool;

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
}
