// SPDX-License-Identifier: EUPL-1.2
//! Help, the map of the site and the contact form: what every visitor may open, signed in or not
//! (US-606, US-1601). Articles are Markdown files in the binary, one a screen.
mod articles;
mod contact;
mod pages;
mod requests;
mod site;
#[cfg(test)]
mod tests;

pub use self::articles::article_of;
use crate::{
    accounts::Role,
    web::{
        Access::{Public, Roles},
        Routes,
    },
};

pub fn routes() -> Routes {
    const ADMIN: crate::web::Access = Roles(&[Role::Admin]);
    Routes::default()
        .get("/aide", Public, pages::index)
        .get("/aide/tout", Public, pages::all)
        .get("/aide/{article}", Public, pages::show)
        .get("/plan-du-site", Public, site::page)
        .get("/contact", Public, contact::page)
        .post("/contact", Public, contact::create)
        .get("/administration/demandes", ADMIN, requests::page)
        .post("/administration/demandes/{request}/traitement", ADMIN, requests::handle)
}
