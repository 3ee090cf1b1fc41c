// SPDX-License-Identifier: EUPL-1.2
//! People who have an account: roles, sessions, passwords, links (01 §1).
mod account;
mod activation;
mod chosen;
mod cli;
mod forgotten;
mod groups;
mod hashing;
mod identity;
pub mod links;
mod login;
mod model;
mod my_sessions;
pub mod password;
mod profile;
mod roles;
mod second_factor;
pub mod sessions;
mod setup;
#[cfg(test)]
mod tests;
pub mod throttle;
pub mod tokens;
mod users;

pub use self::{
    account::{Account, Identity, Manage, create_account},
    chosen::strength as strength_of,
    cli::Cli,
    forgotten::PasswordForgotten,
    groups::{Group, named as group_named, names as group_names},
    links::Purpose,
    model::{User, brief_name, display_name, find, initials, people_called},
    password::hash_password,
    roles::{Role, Roles},
    setup::setup_link,
};
use crate::web::{
    Access::{Public, SignedIn},
    Routes,
};

pub fn routes() -> Routes {
    Routes::default()
        .get("/", Public, login::home)
        .get("/connexion", Public, login::page)
        .post("/connexion", Public, login::create)
        .post("/deconnexion", Public, login::destroy)
        .post("/session/prolongation", SignedIn, sessions::prolong)
        .get("/mot-de-passe-oublie", Public, forgotten::page)
        .post("/mot-de-passe-oublie", Public, forgotten::create)
        .post("/force-du-mot-de-passe", Public, chosen::measure)
        .get("/activation/{token}", Public, activation::page)
        .post("/activation/{token}", Public, activation::create)
        .get("/mot-de-passe/{token}", Public, activation::reset_page)
        .post("/mot-de-passe/{token}", Public, activation::reset)
        .get("/installation/{token}", Public, setup::page)
        .post("/installation/{token}", Public, setup::create)
        .get("/profil", SignedIn, profile::page)
        .post("/profil", SignedIn, profile::update)
        .get("/profil/mot-de-passe", SignedIn, profile::password_page)
        .post("/profil/mot-de-passe", SignedIn, profile::change_password)
        .get("/profil/sessions", SignedIn, my_sessions::page)
        .post("/profil/sessions/fermeture", SignedIn, my_sessions::close_all)
        .post("/profil/sessions/{session}/fermeture", SignedIn, my_sessions::close)
        .merge(second_factor::routes())
        .merge(users::routes())
        .merge(groups::routes())
}
