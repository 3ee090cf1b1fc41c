// SPDX-License-Identifier: EUPL-1.2
//! « Groupes » of users, for administrators (US-110). A group receives rights on campaigns as a
//! person does (RG-115): what changes here is true at each member's next request.
mod index;
mod model;
mod show;

pub use self::model::{Group, named, names};
use super::Role;
use crate::web::{Access, Access::Roles, Routes};

const ADMIN: Access = Roles(&[Role::Admin]);

pub fn routes() -> Routes {
    Routes::default()
        .get("/administration/groupes", ADMIN, index::page)
        .post("/administration/groupes", ADMIN, index::create)
        .get("/administration/groupes/{group}", ADMIN, show::page)
        .post("/administration/groupes/{group}", ADMIN, show::rename)
        .post("/administration/groupes/{group}/membres", ADMIN, show::add)
        .post("/administration/groupes/{group}/membres/{user}/retrait", ADMIN, show::remove)
        .get("/administration/groupes/{group}/suppression", ADMIN, show::confirm)
        .post("/administration/groupes/{group}/suppression", ADMIN, show::destroy)
}
