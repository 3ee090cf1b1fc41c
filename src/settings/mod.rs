// SPDX-License-Identifier: EUPL-1.2
//! The instance's own settings: organisation, contacts, texts, security, mail; the administration's
//! first page, the state of the system and the pages that the law asks for.
mod accessibility;
mod administration;
mod legal;
mod model;
mod organisation;
mod relay;
mod security;
mod state;
#[cfg(test)]
mod tests;
mod texts;

pub use self::{
    model::{Settings, load, save},
    organisation::read as read_organisation,
};
use crate::{
    accounts::Role,
    web::{
        Access::{self, Public, Roles},
        Routes, Shell, Tab,
    },
};

const ADMIN: Access = Roles(&[Role::Admin]);

/// The pages of settings: label, address.
const SECTIONS: [(&str, &str); 4] = [
    ("Organisation", "/administration/parametres/organisation"),
    ("Textes", "/administration/parametres/textes"),
    ("Sécurité", "/administration/parametres/securite"),
    ("Messagerie", "/administration/parametres/messagerie"),
];

/// What surrounds a page of settings.
fn section(shell: Shell) -> Shell {
    let tabs = SECTIONS.map(|(label, url)| Tab {
        label,
        url: url.to_owned(),
        current: shell.path.starts_with(url),
    });
    shell.under("Administration", "/administration").with_tabs(tabs.to_vec())
}

pub fn routes() -> Routes {
    Routes::default()
        .get("/administration", ADMIN, administration::page)
        .get("/administration/parametres", ADMIN, organisation::home)
        .get("/administration/parametres/organisation", ADMIN, organisation::page)
        .post("/administration/parametres/organisation", ADMIN, organisation::update)
        .get("/administration/parametres/textes", ADMIN, texts::page)
        .post("/administration/parametres/textes", ADMIN, texts::update)
        .get("/administration/parametres/securite", ADMIN, security::page)
        .post("/administration/parametres/securite", ADMIN, security::update)
        .get("/administration/parametres/messagerie", ADMIN, relay::page)
        .post("/administration/parametres/messagerie/essai", ADMIN, relay::try_it)
        .get("/administration/etat", ADMIN, state::page)
        .get("/accessibilite", Public, accessibility::page)
        .get("/mentions-legales", Public, legal::notice)
        .get("/donnees-personnelles", Public, legal::privacy)
}
