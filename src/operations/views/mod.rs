// SPDX-License-Identifier: EUPL-1.2
//! Saved views of the list (US-312): filters, order, columns and mode under a name, for oneself or
//! for everybody who sees the campaign. A view gives no right: opening it asks the list.
mod delete;
mod index;
mod model;
mod new;

#[cfg(test)]
mod tests;

pub use self::model::{SavedView, find, visible};
use crate::web::{Access, Right, Routes};

pub fn routes() -> Routes {
    const VIEW: Access = Access::Campaign(Right::View);
    Routes::default()
        .get("/campagnes/{id}/vues", VIEW, index::page)
        .get("/campagnes/{id}/vues/nouvelle", VIEW, new::page)
        .post("/campagnes/{id}/vues/nouvelle", VIEW, new::create)
        .get("/campagnes/{id}/vues/{view}", VIEW, index::open)
        .get("/campagnes/{id}/vues/{view}/suppression", VIEW, delete::page)
        .post("/campagnes/{id}/vues/{view}/suppression", VIEW, delete::delete)
}
