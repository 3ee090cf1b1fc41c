// SPDX-License-Identifier: EUPL-1.2
//! The command line: one binary serves, migrates, imports.
use anyhow::Result;
use clap::{Parser, Subcommand};
use opstracker::{accounts, audit, config::Config, demo, imports, serve};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "opstracker", version, about = "Conduite d’opérations de masse")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Sert les pages et exécute les travaux ; démarre sa propre base sans DATABASE_URL
    Serve {
        /// Charge les données de démonstration si la base est vide
        #[arg(long)]
        demo_if_empty: bool,
    },
    /// Met la base à la version du programme
    Migrate,
    /// Comptes d’administration
    #[command(subcommand)]
    Admin(accounts::Cli),
    /// Données de démonstration
    #[command(subcommand)]
    Demo(demo::Cli),
    /// Lecture et import de fichiers
    #[command(subcommand)]
    Import(imports::Cli),
    /// Journal d’audit : intégrité et clé de signature
    #[command(subcommand)]
    Audit(audit::Cli),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("OPSTRACKER_LOG")
                .unwrap_or_else(|_| "warn,audit=info".into()),
        )
        .with_writer(std::io::stderr)
        .init();
    match run(arguments.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            eprintln!("{err:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    if let Command::Import(imports::Cli::Inspect(inspect)) = command {
        return inspect.run();
    }
    if let Command::Demo(demo::Cli::Files(files)) = command {
        return files.run();
    }
    let config = Config::from_env()?;
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async move {
        match command {
            Command::Serve { demo_if_empty } => serve::serve(config, demo_if_empty).await,
            Command::Migrate => serve::migrate(config).await,
            Command::Admin(cli) => serve::with_app(config, |app| cli.run(app)).await,
            Command::Demo(cli) => serve::with_app(config, |app| cli.run(app)).await,
            Command::Import(cli) => serve::with_app(config, |app| cli.run(app)).await,
            Command::Audit(cli) => serve::with_app(config, |app| cli.run(app)).await,
        }
    })
}
