// SPDX-License-Identifier: EUPL-1.2
//! Share links: the dashboard of a campaign, read-only, for who has no account (US-605, RG-041).
//!
//! The page that a link opens names nobody, shows no field, leads nowhere in the application.
//! A secret of this table opens nothing else, and no other secret opens it (P-027).
mod links;
mod public;
mod settings;

#[cfg(test)]
mod tests;

pub use self::links::{Shared, active, is_living, living, revoke_all};
use crate::web::{Access, Right, Routes};

pub fn routes() -> Routes {
    const CONFIGURE: Access = Access::Campaign(Right::Configure);
    Routes::default()
        .get("/campagnes/{id}/parametres/partage", CONFIGURE, settings::page)
        .post("/campagnes/{id}/parametres/partage", CONFIGURE, settings::create)
        .post(
            "/campagnes/{id}/parametres/partage/{share_link}/revocation",
            CONFIGURE,
            settings::revoke,
        )
        .get("/partage/{token}", Access::Public, public::page)
}
