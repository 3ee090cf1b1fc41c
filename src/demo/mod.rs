// SPDX-License-Identifier: EUPL-1.2
//! Demonstration data (09): fictitious, seeded, relative to the day of loading; passwords are drawn
//! at loading, printed once, and only hashed in the base. Nothing of it mixes with real data: an
//! instance that has an account refuses it, unless told otherwise.
mod accounts;
mod calendar;
mod campaign;
mod checklists;
pub mod files;
mod others;
mod passwords;
mod people;
mod seed;
mod store;
mod story;
mod targets;
#[cfg(test)]
mod tests;
mod types;
mod visits;
mod waiting;
mod windows11;

use crate::{
    accounts::{Roles, User, sessions},
    app::App,
    audit::Entry,
    campaigns::SortIndexes,
    db::{Actor, Id, Tx},
};
use anyhow::{Result, ensure};
use chrono::{DateTime, Utc};
use serde_json::json;
use std::path::PathBuf;

#[derive(clap::Subcommand)]
pub enum Cli {
    /// Charge la démonstration sur une base vide
    Load {
        /// Charge même si l’instance contient déjà des données
        #[arg(long)]
        force: bool,
    },
    /// Donne de nouveaux mots de passe aux comptes de démonstration et les affiche
    Passwords,
    /// Écrit les fichiers d’exemple dans un dossier
    Files(Files),
}

#[derive(clap::Args)]
pub struct Files {
    dir: PathBuf,
}

impl Files {
    /// Needs no base: run before one is opened.
    pub fn run(self) -> Result<()> {
        for name in files::write(&self.dir)? {
            println!("{}", self.dir.join(name).display());
        }
        Ok(())
    }
}

impl Cli {
    pub async fn run(self, app: App) -> Result<()> {
        let now = crate::clock::now();
        let lines = match self {
            Self::Load { force } => {
                ensure!(
                    force || is_empty(&app).await?,
                    "Cette instance contient déjà des données : la démonstration ne s’y mélange pas. Pour la charger quand même : --force"
                );
                fill(&app, now).await?
            }
            Self::Passwords => renew(&app, now).await?,
            Self::Files(files) => return files.run(),
        };
        lines.iter().for_each(|line| println!("{line}"));
        Ok(())
    }
}

/// Whether nobody has an account yet.
pub async fn is_empty(app: &App) -> Result<bool> {
    Ok(sqlx::query_scalar!(r#"select not exists (select 1 from users) as "empty!""#)
        .fetch_one(&app.db)
        .await?)
}

/// Loads the set of 09 and gives the lines to print: a sentence, then one line an account.
///
/// # Errors
/// « Cette instance contient déjà des données… »
pub async fn load(app: &App, now: DateTime<Utc>) -> Result<Vec<String>> {
    ensure!(
        is_empty(app).await?,
        "Cette instance contient déjà des données : la démonstration ne s’y mélange pas."
    );
    fill(app, now).await
}

async fn fill(app: &App, now: DateTime<Utc>) -> Result<Vec<String>> {
    let already = sqlx::query_scalar!(
        r#"select exists (select 1 from users where email = any($1)) as "already!""#,
        &accounts::addresses()
    )
    .fetch_one(&app.db)
    .await?;
    ensure!(
        !already,
        "Cette instance contient déjà des données : la démonstration y est déjà chargée."
    );
    let cal = calendar::Calendar::new(now);
    let secrets = passwords::make(app, accounts::COUNT).await?;
    let mut tx = Tx::begin(app, Actor::CommandLine, now).await?;
    let lines = tell(&mut tx, &cal, secrets).await?;
    tx.commit().await?;
    waiting::receive_phones(app, now).await?;
    Ok(announce(
        "Données de démonstration chargées. Ces mots de passe ne sont affichés qu’une fois :",
        lines,
    ))
}

/// Writes everything, the same whatever the passwords; gives the line of each account.
async fn tell(
    tx: &mut Tx,
    cal: &calendar::Calendar,
    secrets: Vec<(String, String)>,
) -> Result<Vec<String>> {
    let mut told = story::Chronicle::default();
    let (cast, lines) = accounts::write(tx.conn(), cal, secrets, &mut told).await?;
    let badges = types::write(tx.conn()).await?;
    windows11::write(tx.conn(), cal, &cast, &mut told).await?;
    let (template, definition) = checklists::write(tx).await?;
    checklists::tell(&mut told, &definition);
    let (archived, when) = others::write(tx.conn(), cal, &cast, &badges, &mut told).await?;
    let operations = told.operations.len();
    store::write(tx.conn(), told).await?;
    checklists::give(tx, template, &definition).await?;
    campaign::archive(tx.conn(), archived, when).await?;
    let open = sqlx::query_scalar!("select id from campaigns where archived_at is null")
        .fetch_all(tx.conn())
        .await?;
    for campaign in open {
        tx.enqueue(SortIndexes { campaign: campaign.uuid() }).await?;
    }
    name_instance(tx).await?;
    tx.record(
        Entry::about("demo.loaded", "instance")
            .changes(json!({ "accounts": lines.len(), "operations": operations })),
    )
    .await?;
    Ok(lines)
}

/// The banner, the organisation and its contacts; those of a real instance stay.
async fn name_instance(tx: &mut Tx) -> sqlx::Result<()> {
    sqlx::query!(
        "update instance_settings set is_demo = true, version = version + 1, updated_at = now(),
           organisation = case organisation when '' then 'Organisation de démonstration' else organisation end,
           contact = case contact when '' then 'assistance@demo.example' else contact end,
           dpo = case dpo when '' then 'dpo@demo.example' else dpo end"
    )
    .execute(tx.conn())
    .await
    .map(drop)
}

/// New passwords for the active accounts of the demonstration; their sessions end.
async fn renew(app: &App, now: DateTime<Utc>) -> Result<Vec<String>> {
    let people = sqlx::query!(
        "select id, email, roles from users where active and email = any($1) order by created_at, email",
        &accounts::addresses()
    )
    .fetch_all(&app.db)
    .await?;
    ensure!(!people.is_empty(), "Cette instance ne contient pas de compte de démonstration.");
    let secrets = passwords::make(app, people.len()).await?;
    let mut tx = Tx::begin(app, Actor::CommandLine, now).await?;
    let mut lines = Vec::new();
    for (person, (password, hash)) in people.into_iter().zip(secrets) {
        change_password(&mut tx, person.id, &hash).await?;
        lines.push(accounts::line(&person.email, &password, Roles::from(person.roles)));
    }
    tx.commit().await?;
    Ok(announce("Nouveaux mots de passe ; les sessions ouvertes sont fermées :", lines))
}

async fn change_password(tx: &mut Tx, user: Id<User>, hash: &str) -> sqlx::Result<()> {
    let now = tx.now();
    sqlx::query!(
        "update users set password_hash = $2, password_changed_at = $3, version = version + 1, updated_at = $3 where id = $1",
        user as _,
        hash,
        now
    )
    .execute(tx.conn())
    .await?;
    sessions::revoke(tx, user, None).await?;
    tx.record(Entry::on("user.password_changed", "user", user.uuid())).await
}

fn announce(sentence: &str, lines: Vec<String>) -> Vec<String> {
    std::iter::once(sentence.to_owned()).chain(lines).collect()
}
