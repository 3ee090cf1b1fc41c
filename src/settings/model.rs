// SPDX-License-Identifier: EUPL-1.2
//! The one row of settings: read by every process, written as a whole with the trace of what changed.
use crate::{accounts::Role, audit::Entry, db::Tx, web::Result};
use serde_json::{Value, json};
use sqlx::{PgExecutor, PgPool};

#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub organisation: String,
    pub contact: String,
    /// Where the requests of `/contact` are sent; empty: they are only stored.
    pub contact_email: String,
    pub dpo: String,
    /// Where the source of this program is published (08 L-01).
    pub source_url: String,
    pub legal_notice: String,
    pub privacy_notice: String,
    /// Estimated strength asked of passwords, in bits (RG-001).
    pub password_bits: i32,
    pub password_families: bool,
    /// Codes of the roles that require a second factor (RG-128).
    pub second_factor_roles: Vec<String>,
    pub is_demo: bool,
}

impl Settings {
    pub fn requires_second_factor(&self, role: Role) -> bool {
        self.second_factor_roles.iter().any(|code| code == role.code())
    }
}

pub async fn load(db: &PgPool) -> sqlx::Result<Settings> {
    read(db).await
}

async fn read<'e>(executor: impl PgExecutor<'e>) -> sqlx::Result<Settings> {
    sqlx::query_as!(
        Settings,
        "select organisation, contact, contact_email, dpo, source_url, legal_notice, privacy_notice, password_bits, password_families,
                second_factor_roles, is_demo
         from instance_settings"
    )
    .fetch_one(executor)
    .await
}

/// Changes the settings as they are at this moment, which another process may have changed since
/// ours last read them; writes and traces what differs.
pub async fn save(tx: &mut Tx, change: impl FnOnce(&mut Settings)) -> Result<()> {
    let now = tx.now();
    sqlx::query!("select 1 as one from instance_settings for update").fetch_one(tx.conn()).await?;
    let former = read(tx.conn()).await?;
    let mut settings = former.clone();
    change(&mut settings);
    sqlx::query!(
        "update instance_settings set organisation = $1, contact = $2, contact_email = $3, dpo = $4, source_url = $5, legal_notice = $6,
           privacy_notice = $7, password_bits = $8, password_families = $9, second_factor_roles = $10, version = version + 1, updated_at = $11",
        settings.organisation,
        settings.contact,
        settings.contact_email,
        settings.dpo,
        settings.source_url,
        settings.legal_notice,
        settings.privacy_notice,
        settings.password_bits,
        settings.password_families,
        &settings.second_factor_roles,
        now
    )
    .execute(tx.conn())
    .await?;
    let (before, after) = (facts(&former), facts(&settings));
    let changes: Value = before
        .into_iter()
        .zip(after)
        .filter(|((_, old), (_, new))| old != new)
        .map(|((name, old), (_, new))| (name.to_owned(), json!([old, new])))
        .collect();
    tx.record(Entry::about("settings.changed", "instance").changes(changes)).await?;
    Ok(())
}

fn facts(settings: &Settings) -> [(&'static str, Value); 10] {
    [
        ("organisation", json!(settings.organisation)),
        ("contact", json!(settings.contact)),
        ("contact_email", json!(settings.contact_email)),
        ("dpo", json!(settings.dpo)),
        ("source_url", json!(settings.source_url)),
        ("legal_notice", json!(settings.legal_notice)),
        ("privacy_notice", json!(settings.privacy_notice)),
        ("password_bits", json!(settings.password_bits)),
        ("password_families", json!(settings.password_families)),
        ("second_factor_roles", json!(settings.second_factor_roles)),
    ]
}
