// SPDX-License-Identifier: EUPL-1.2
//! `opstracker admin create`: an administrator without the web (US-112.2).
use super::{
    Identity, Purpose, Role, account, identity, links,
    password::{Context, Password, Rules},
    setup,
};
use crate::{
    app::App,
    audit::Entry,
    clock,
    db::{Actor, Tx},
};
use anyhow::{anyhow, bail};
use std::io::Read;

#[derive(clap::Subcommand)]
pub enum Cli {
    /// Crée un administrateur ; sans mot de passe, affiche un lien à usage unique
    Create {
        /// Adresse de connexion
        #[arg(long)]
        email: String,
        /// Prénom
        #[arg(long)]
        first_name: String,
        /// Nom
        #[arg(long)]
        last_name: String,
        /// Lit le mot de passe sur l’entrée standard
        #[arg(long)]
        password_stdin: bool,
    },
}

impl Cli {
    pub async fn run(self, app: App) -> anyhow::Result<()> {
        let Self::Create { email, first_name, last_name, password_stdin } = self;
        let mut password = String::new();
        if password_stdin {
            std::io::stdin().read_to_string(&mut password)?;
        }
        let typed = password_stdin.then(|| password.trim_end_matches(['\r', '\n']));
        println!("{}", create(&app, &email, &first_name, &last_name, typed).await?);
        Ok(())
    }
}

/// Returns the sentence to print.
pub(super) async fn create(
    app: &App,
    email: &str,
    first: &str,
    last: &str,
    password: Option<&str>,
) -> anyhow::Result<String> {
    let identity = Identity {
        first_name: crate::text::clean(first),
        last_name: crate::text::clean(last),
        email: crate::text::clean(email).to_lowercase(),
        roles: [Role::Admin].into_iter().collect(),
    };
    if !identity::is_email(&identity.email)
        || identity.first_name.is_empty()
        || identity.last_name.is_empty()
    {
        bail!("Indiquez une adresse e-mail valide, un prénom et un nom.");
    }
    let now = clock::now();
    let mut tx = Tx::begin(app, Actor::CommandLine, now).await?;
    let taken = || anyhow!(account::EMAIL_TAKEN);
    let Some(password) = password else {
        let id = account::create_account(tx.conn(), &identity, true, None, now).await.map_err(
            |err| {
                if crate::db::sqlstate(&err).as_deref() == Some("23505") {
                    taken()
                } else {
                    err.into()
                }
            },
        )?;
        tx.record(
            Entry::on("user.created", "user", id.uuid())
                .changes(serde_json::json!({ "roles": [null, identity.roles.codes()] })),
        )
        .await?;
        let link = links::issue(tx.conn(), app, Purpose::Activation, Some(id), now).await?;
        tx.record(
            Entry::on("link.shown", "user", id.uuid())
                .changes(serde_json::json!({ "purpose": "activation" })),
        )
        .await?;
        tx.commit().await?;
        return Ok(format!(
            "Administrateur {} créé. Lien à usage unique, valable 72 heures : {link}",
            identity.email
        ));
    };
    let context = Context::new(&identity.email, &identity.first_name, &identity.last_name);
    let password = Password::new(password, &context, Rules::from(&*app.settings()))
        .map_err(|weak| anyhow!(weak.to_string()))?;
    setup::first_admin(&mut tx, &identity, &password.hash_now()?).await?.ok_or_else(taken)?;
    tx.commit().await?;
    Ok(format!("Administrateur {} créé.", identity.email))
}
