// SPDX-License-Identifier: EUPL-1.2
//! « Utilisateurs », for administrators: the list, one account, its life.
mod index;
mod lifecycle;
mod new;
mod show;

use super::Role;
use crate::web::{Access, Access::Roles, Routes};

const ADMIN: Access = Roles(&[Role::Admin]);

pub fn routes() -> Routes {
    Routes::default()
        .get("/administration/utilisateurs", ADMIN, index::page)
        .get("/administration/utilisateurs/nouveau", ADMIN, new::page)
        .post("/administration/utilisateurs", ADMIN, new::create)
        .get("/administration/utilisateurs/{user}", ADMIN, show::page)
        .post("/administration/utilisateurs/{user}", ADMIN, show::update)
        .get("/administration/utilisateurs/{user}/desactivation", ADMIN, lifecycle::confirm)
        .post("/administration/utilisateurs/{user}/desactivation", ADMIN, lifecycle::deactivate)
        .post("/administration/utilisateurs/{user}/reactivation", ADMIN, lifecycle::reactivate)
        .post("/administration/utilisateurs/{user}/deverrouillage", ADMIN, lifecycle::unlock)
        .post("/administration/utilisateurs/{user}/deconnexion", ADMIN, lifecycle::disconnect)
        .post("/administration/utilisateurs/{user}/lien", ADMIN, lifecycle::link)
        .post("/administration/utilisateurs/{user}/second-facteur", ADMIN, lifecycle::reset_factor)
}
