// SPDX-License-Identifier: EUPL-1.2
//! `opstracker audit`: the integrity of the chain, and the key that signs it.
use super::{
    Entry,
    chain::{self, Outcome, Walk, hex},
};
use crate::{
    app::App,
    clock,
    db::{Actor, Tx},
};
use anyhow::{Result, bail};
use serde_json::{Value, json};
use std::io::{IsTerminal, Write};

#[derive(clap::Subcommand)]
pub enum Cli {
    /// Vérifie toute la chaîne ; sort en erreur à la première entrée rompue
    Verify,
    /// Affiche la clé publique qui signe les points de contrôle
    Key,
}

impl Cli {
    pub async fn run(self, app: App) -> Result<()> {
        match self {
            Self::Key => {
                println!("{}", hex(app.audit_key.public()));
                Ok(())
            }
            Self::Verify => {
                let now = clock::now();
                chain::seal(&app, now).await?;
                let mut walk = Walk::begin(&app).await?;
                let outcome = loop {
                    if let Some(outcome) = walk.step().await? {
                        break outcome;
                    }
                    show(walk.position(), walk.total);
                };
                drop(walk);
                let mut tx = Tx::begin(&app, Actor::CommandLine, now).await?;
                tx.record(trace(&outcome)).await?;
                tx.commit().await?;
                if !outcome.is_intact() {
                    bail!("{}", outcome.sentence());
                }
                println!("{}", outcome.sentence());
                Ok(())
            }
        }
    }
}

/// How far, for who watches.
fn show(at: i64, of: i64) {
    let mut screen = std::io::stderr();
    if screen.is_terminal() {
        let _ = write!(screen, "\r{} %", at * 100 / of.max(1));
        let _ = screen.flush();
        if at == of {
            let _ = write!(screen, "\r\x1b[K");
        }
    }
}

/// The entry of a verification: what it found.
pub fn trace(outcome: &Outcome) -> Entry {
    let changes = match outcome {
        Outcome::Intact { entries, until, .. } => {
            json!({ "intact": true, "entries": entries, "until": until.map(chain::instant) })
        }
        Outcome::Broken { position, entry, why } => {
            json!({ "intact": false, "position": position, "entry": entry, "fault": Value::from(why.as_str()) })
        }
    };
    Entry::about("audit.verified", "audit").changes(changes)
}
