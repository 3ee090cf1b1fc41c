// SPDX-License-Identifier: EUPL-1.2
//! Operation types: the fields, the workflow and the look that a new campaign starts from
//! (US-801, 802, 805; RG-060, 061). A campaign copies them: later edits never touch it.
mod commands;
mod field;
mod field_commands;
mod index;
mod model;
mod show;
#[cfg(test)]
mod tests;
mod whole;

pub use self::{
    commands::Information,
    field::parse as read_field,
    model::{COLORS, ICONS, OperationType, TypeField, type_fields},
    whole::{Whole, WholeField, create_whole, replace_whole},
};

use crate::{
    accounts::Role,
    web::{Access, Access::Roles, Routes},
};

const ADMIN: Access = Roles(&[Role::Admin]);

pub fn routes() -> Routes {
    Routes::default()
        .get("/administration/types", ADMIN, index::page)
        .get("/administration/types/nouveau", ADMIN, show::new_page)
        .post("/administration/types", ADMIN, show::create)
        .get("/administration/types/{type}", ADMIN, show::page)
        .post("/administration/types/{type}", ADMIN, show::update)
        .post("/administration/types/{type}/copie", ADMIN, show::duplicate)
        .post("/administration/types/{type}/activation", ADMIN, show::activate)
        .get("/administration/types/{type}/suppression", ADMIN, show::delete_page)
        .post("/administration/types/{type}/suppression", ADMIN, show::delete)
        .get("/administration/types/{type}/champs/nouveau", ADMIN, field::new_page)
        .post("/administration/types/{type}/champs/nouveau", ADMIN, field::create)
        .get("/administration/types/{type}/champs/{field}", ADMIN, field::page)
        .post("/administration/types/{type}/champs/{field}", ADMIN, field::update)
        .post("/administration/types/{type}/champs/{field}/position", ADMIN, field::reorder)
        .get("/administration/types/{type}/champs/{field}/suppression", ADMIN, field::delete_page)
        .post("/administration/types/{type}/champs/{field}/suppression", ADMIN, field::delete)
}
