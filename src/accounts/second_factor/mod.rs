// SPDX-License-Identifier: EUPL-1.2
//! Second factor: a code of six digits from an application (TOTP), ten recovery codes (US-111,
//! RG-128).
//!
//! The secret is sealed with the key of the data directory and never leaves after the enrolment;
//! recovery codes are stored hashed. Without the second step there is no session, and so no
//! « Rester connecté » either: between the two stands only a pending sign-in of ten minutes.
mod enrol;
mod model;
mod pending;
mod seal;
mod step;
#[cfg(test)]
mod tests;
mod totp;

pub use self::model::reset;
pub(super) use self::{
    model::{State, state},
    pending::{Needed, needed, wait},
};
use crate::web::{
    Access::{Public, SignedIn},
    Routes,
};

pub fn routes() -> Routes {
    Routes::default()
        .get("/connexion/code", Public, step::page)
        .post("/connexion/code", Public, step::create)
        .get("/connexion/double-authentification", Public, step::enrol_page)
        .post("/connexion/double-authentification", Public, step::enrol)
        .get("/profil/double-authentification", SignedIn, enrol::page)
        .post("/profil/double-authentification", SignedIn, enrol::begin)
        .post("/profil/double-authentification/confirmation", SignedIn, enrol::confirm)
        .post("/profil/double-authentification/abandon", SignedIn, enrol::abandon)
        .post("/profil/double-authentification/codes", SignedIn, enrol::new_codes)
        .post("/profil/double-authentification/retrait", SignedIn, enrol::remove)
}
