// SPDX-License-Identifier: EUPL-1.2
//! Settings from the environment, read once; every fault is listed before the program refuses to start.
use anyhow::bail;
use std::{collections::HashMap, net::SocketAddr, path::PathBuf};

#[derive(Clone, Debug)]
pub struct Config {
    pub listen: SocketAddr,
    pub data_dir: PathBuf,
    /// Without slash at the end: `https://ops.exemple.fr`.
    pub public_url: String,
    /// `None`: the program owns a private cluster in its data directory.
    pub database_url: Option<Secret>,
    pub smtp: Option<Smtp>,
    /// Trusts the last address of `X-Forwarded-For`.
    pub behind_proxy: bool,
    /// RG-008: refuses anything but https addresses.
    pub production: bool,
}

#[derive(Clone, Debug)]
pub struct Smtp {
    /// `smtp://`, `smtps://` or `smtp://…?tls=required`, with the user and password inside.
    pub url: Secret,
    pub from: String,
}

/// A text that does not print.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

impl Config {
    /// # Errors
    /// One sentence a fault, all of them.
    pub fn from_env() -> anyhow::Result<Self> {
        Self::read(&std::env::vars().collect())
    }

    fn read(env: &HashMap<String, String>) -> anyhow::Result<Self> {
        let mut faults = Vec::new();
        let get = |name: &str| env.get(name).map(|v| v.trim()).filter(|v| !v.is_empty());
        let listen_text = get("OPSTRACKER_LISTEN").unwrap_or("127.0.0.1:8080");
        let listen = listen_text.parse().unwrap_or_else(|_| {
            faults.push(format!("OPSTRACKER_LISTEN = « {listen_text} » : attendu adresse:port, par exemple 127.0.0.1:8080"));
            SocketAddr::from(([127, 0, 0, 1], 8080))
        });
        let public_url = get("OPSTRACKER_PUBLIC_URL")
            .map_or_else(|| format!("http://{listen}"), |url| url.trim_end_matches('/').to_owned());
        if !(public_url.starts_with("http://") || public_url.starts_with("https://"))
            || public_url
                .split("://")
                .nth(1)
                .is_none_or(|host| host.is_empty() || host.contains('/'))
        {
            faults.push(format!("OPSTRACKER_PUBLIC_URL = « {public_url} » : attendu https://nom-du-serveur, sans chemin"));
        }
        let data_dir =
            get("OPSTRACKER_DATA_DIR").map_or_else(|| default_data_dir(env), PathBuf::from);
        let database_url = get("DATABASE_URL").map(Secret::new);
        if database_url.as_ref().is_some_and(|url| !url.expose().starts_with("postgres")) {
            faults
                .push("DATABASE_URL : attendu postgres://utilisateur:motdepasse@hôte/base".into());
        }
        let mut flag = |name: &str| match get(name) {
            None | Some("0" | "non" | "false") => false,
            Some("1" | "oui" | "true") => true,
            Some(other) => {
                faults.push(format!("{name} = « {other} » : attendu oui ou non"));
                false
            }
        };
        let behind_proxy = flag("OPSTRACKER_BEHIND_PROXY");
        let production = flag("OPSTRACKER_PRODUCTION");
        if production && !public_url.starts_with("https://") {
            faults.push(
                "OPSTRACKER_PRODUCTION = oui : OPSTRACKER_PUBLIC_URL doit commencer par https://"
                    .into(),
            );
        }
        let smtp = match (get("OPSTRACKER_SMTP_URL"), get("OPSTRACKER_MAIL_FROM")) {
            (None, _) => None,
            (Some(_), None) => {
                faults.push("OPSTRACKER_SMTP_URL sans OPSTRACKER_MAIL_FROM : indiquez l’adresse de la boîte de service".into());
                None
            }
            (Some(url), Some(from)) => {
                if !(url.starts_with("smtp://") || url.starts_with("smtps://")) {
                    faults.push("OPSTRACKER_SMTP_URL : attendu smtp:// ou smtps://".into());
                }
                Some(Smtp { url: Secret::new(url), from: from.to_owned() })
            }
        };
        if !faults.is_empty() {
            bail!("Réglages refusés :\n  - {}", faults.join("\n  - "));
        }
        Ok(Self { listen, data_dir, public_url, database_url, smtp, behind_proxy, production })
    }

    pub fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }

    /// Uploaded files, under random names.
    pub fn files_dir(&self) -> PathBuf {
        self.data_dir.join("files")
    }

    /// For tests: nothing is read from the environment.
    #[cfg(test)]
    pub fn for_tests(data_dir: PathBuf) -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            data_dir,
            public_url: "http://ops.test".into(),
            database_url: None,
            smtp: None,
            behind_proxy: false,
            production: false,
        }
    }
}

fn default_data_dir(env: &HashMap<String, String>) -> PathBuf {
    if rustix::process::geteuid().is_root() {
        return PathBuf::from("/var/lib/opstracker");
    }
    let home = env.get("HOME").map_or_else(|| PathBuf::from("."), PathBuf::from);
    env.get("XDG_DATA_HOME")
        .map_or_else(|| home.join(".local/share"), PathBuf::from)
        .join("opstracker")
}

#[cfg(test)]
mod tests {
    use super::Config;
    use std::collections::HashMap;

    fn read(pairs: &[(&str, &str)]) -> Result<Config, String> {
        let env: HashMap<_, _> =
            pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Config::read(&env).map_err(|err| err.to_string())
    }

    #[test]
    fn all_faults_at_once() {
        let faults = read(&[
            ("OPSTRACKER_LISTEN", "partout"),
            ("OPSTRACKER_PUBLIC_URL", "ops.test"),
            ("DATABASE_URL", "mysql://x"),
            ("OPSTRACKER_PRODUCTION", "oui"),
            ("OPSTRACKER_SMTP_URL", "smtp://relais"),
        ])
        .unwrap_err();
        for name in [
            "OPSTRACKER_LISTEN",
            "OPSTRACKER_PUBLIC_URL",
            "DATABASE_URL",
            "OPSTRACKER_PRODUCTION",
            "OPSTRACKER_MAIL_FROM",
        ] {
            assert!(faults.contains(name), "{faults}");
        }
    }

    #[test]
    fn usable_without_any_setting() {
        let config = read(&[("HOME", "/home/sophie")]).unwrap();
        assert_eq!(config.public_url, "http://127.0.0.1:8080");
        assert!(!config.is_https());
    }

    #[test]
    fn secrets_do_not_print() {
        let config = read(&[("DATABASE_URL", "postgres://u:motdepasse@h/b")]).unwrap();
        assert!(!format!("{config:?}").contains("motdepasse"));
    }
}
