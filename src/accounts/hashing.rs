// SPDX-License-Identifier: EUPL-1.2
//! Argon2id on a blocking thread, two at a time, so that hashing bounds neither memory nor pages (S-09).
use crate::app::App;
use anyhow::{Context, anyhow};
use argon2::{
    Argon2, Params,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};

/// What an unknown address is checked against, so that it takes the same time (RG-006):
/// the present parameters, and a digest that no password has.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$b3BzdHJhY2tlci1ub2JvZA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

pub struct Verdict {
    pub right: bool,
    /// The hash was made with weaker parameters than today's.
    pub outdated: bool,
}

/// Checks a password against a stored hash; `None` takes as long and is never right.
///
/// # Errors
/// The stored hash is unreadable.
pub async fn verify(
    app: &App,
    stored: Option<String>,
    password: String,
) -> anyhow::Result<Verdict> {
    on_a_thread(app, move || {
        let text = stored.as_deref().unwrap_or(NOBODY);
        let parsed =
            PasswordHash::new(text).map_err(|err| anyhow!("unreadable password hash: {err}"))?;
        let right = Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok();
        Ok(Verdict { right: right && stored.is_some(), outdated: is_outdated(&parsed) })
    })
    .await
}

/// Hashes a password that the rules have accepted.
///
/// # Errors
/// The system has no source of randomness.
pub async fn hash(app: &App, password: String) -> anyhow::Result<String> {
    on_a_thread(app, move || hash_now(&password)).await
}

pub(super) fn hash_now(password: &str) -> anyhow::Result<String> {
    let hash = Argon2::default()
        .hash_password(password.as_bytes())
        .map_err(|err| anyhow!("password hash: {err}"))?;
    Ok(hash.to_string())
}

fn is_outdated(hash: &PasswordHash) -> bool {
    Params::try_from(hash).map_or(true, |params| {
        params.m_cost() < Params::DEFAULT_M_COST || params.t_cost() < Params::DEFAULT_T_COST
    })
}

async fn on_a_thread<T: Send + 'static>(
    app: &App,
    work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
) -> anyhow::Result<T> {
    let _turn = app.hashing.acquire().await.context("hashing is over")?;
    tokio::task::spawn_blocking(work).await.context("hashing thread")?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_argon2id_with_the_parameters_of_the_rule() {
        let hash = hash_now("KLMtruite7%oie").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let parsed = PasswordHash::new(&hash).unwrap();
        assert!(Argon2::default().verify_password(b"KLMtruite7%oie", &parsed).is_ok());
        assert!(Argon2::default().verify_password(b"KLMtruite7%oi", &parsed).is_err());
        assert!(!is_outdated(&parsed));
        assert!(!is_outdated(&PasswordHash::new(NOBODY).unwrap()));
        let weak = hash.replace("m=19456", "m=8192");
        assert!(is_outdated(&PasswordHash::new(&weak).unwrap()));
    }
}
