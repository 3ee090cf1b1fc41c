// SPDX-License-Identifier: EUPL-1.2
//! Deleting an operation and bringing it back for thirty days (US-309, RG-019): its identifier is
//! free meanwhile, and another is asked for when it was taken.
mod commands;
mod delete;
mod list;
#[cfg(test)]
mod tests;

use crate::web::{Access, Right, Routes};

pub fn routes() -> Routes {
    const CONFIGURE: Access = Access::Campaign(Right::Configure);
    Routes::default()
        .get("/campagnes/{id}/operations/{op}/suppression", CONFIGURE, delete::page)
        .post("/campagnes/{id}/operations/{op}/suppression", CONFIGURE, delete::delete)
        .get("/campagnes/{id}/parametres/corbeille", CONFIGURE, list::page)
        .post("/campagnes/{id}/parametres/corbeille", CONFIGURE, list::restore)
}
