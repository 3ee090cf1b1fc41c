// SPDX-License-Identifier: EUPL-1.2
//! What an administrator prepares for every campaign: who may, what the editors share (RG-060 to
//! 062, 01 §8), and the archive that carries it to another instance (US-806, RG-100 to 102).
mod apply;
mod archive;
mod content;
#[cfg(test)]
mod exchange_tests;
#[cfg(test)]
mod hostile_tests;
mod judge;
pub mod ordering;
mod page;
mod plan;
mod read_types;
mod read_workflows;
mod review;
mod sheets;
mod table;
mod version;
mod waiting;

pub use waiting::forget_old as forget_old_imports;

use crate::{
    accounts::{Role, User},
    db::Tx,
    web::{Access, Access::Roles, Error, Result, Routes},
};
use axum::{extract::DefaultBodyLimit, routing::post};

const ADMIN: Access = Roles(&[Role::Admin]);
/// An archive with its multipart envelope.
const UPLOAD_LIMIT: usize = archive::MAX_ARCHIVE + (1 << 20);

pub fn routes() -> Routes {
    Routes::default()
        .get("/administration/configuration", ADMIN, page::page)
        .post("/administration/configuration/export", ADMIN, page::export)
        .add(
            "POST",
            "/administration/configuration/imports",
            ADMIN,
            post(page::receive).layer(DefaultBodyLimit::max(UPLOAD_LIMIT)),
        )
        .get("/administration/configuration/imports/{import}", ADMIN, review::page)
        .post("/administration/configuration/imports/{import}", ADMIN, review::confirm)
        .post("/administration/configuration/imports/{import}/abandon", ADMIN, review::abandon)
}

/// The proof that the commands of types and workflows ask for (RG-117: administrators only).
pub struct Administer(());

impl Administer {
    /// # Errors
    /// `Forbidden` to anybody but an administrator.
    pub fn check(user: &User) -> Result<Self, Error> {
        if user.is_admin() { Ok(Self(())) } else { Err(Error::Forbidden) }
    }

    /// # Errors
    /// As [`Administer::check`], for the person of this unit of work.
    pub fn of(tx: &Tx) -> Result<Self, Error> {
        Self::check(tx.user()?)
    }
}

/// « X (copie) », then « X (copie 2) »…: the first name that is not among `taken`, which are norms.
pub fn copy_name(name: &str, taken: &[String], max: usize) -> String {
    (1..)
        .map(|n: u32| {
            let suffix = if n == 1 { " (copie)".to_owned() } else { format!(" (copie {n})") };
            let kept: String = name.chars().take(max - suffix.chars().count()).collect();
            format!("{}{suffix}", kept.trim_end())
        })
        .find(|name| !taken.contains(&crate::text::norm(name)))
        .unwrap_or_default()
}

/// A code for a name: « Photo prise » → `photo_prise`; never empty, and not among `taken`.
pub fn code_of(name: &str, taken: &[String]) -> String {
    let words: String = crate::text::norm(name)
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { ' ' })
        .collect();
    let code: String = words.split_whitespace().collect::<Vec<_>>().join("_");
    let code: String = code.chars().take(80).collect();
    let code = if code.is_empty() { "element".to_owned() } else { code };
    (1..)
        .map(|n: u32| if n == 1 { code.clone() } else { format!("{code}_{n}") })
        .find(|code| !taken.contains(code))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_a_name_of_its_own() {
        assert_eq!(copy_name("Badge", &[], 100), "Badge (copie)");
        let taken = ["badge (copie)".to_owned(), "badge (copie 2)".to_owned()];
        assert_eq!(copy_name("Badge", &taken, 100), "Badge (copie 3)");
        assert_eq!(copy_name(&"a".repeat(100), &[], 100).chars().count(), 100);
    }

    #[test]
    fn a_code_is_made_of_a_name() {
        assert_eq!(code_of("Photo à refaire", &[]), "photo_a_refaire");
        assert_eq!(code_of("«\u{a0}»", &[]), "element");
        assert_eq!(code_of("Prêt", &["pret".into()]), "pret_2");
    }
}
