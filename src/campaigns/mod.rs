// SPDX-License-Identifier: EUPL-1.2
//! Campaigns: what they are, who may do what with them, their fields and segments (01 §2).
mod bin;
mod commands;
mod copy;
mod counts;
mod declaration;
#[cfg(test)]
mod depth_tests;
mod favourites;
mod field_commands;
mod fields;
mod forced;
mod general;
pub mod grants;
mod index;
mod lifecycle;
#[cfg(test)]
mod matrix_tests;
mod model;
mod ownership;
mod policy;
mod reindex;
mod rights;
mod segments;
pub mod settings;
#[cfg(test)]
mod settings_tests;
mod sorting;
pub mod status;
#[cfg(test)]
pub(crate) mod tests;
mod usages;
mod wizard;

pub use self::{
    counts::{Counts, counts, progress},
    declaration::{Declaration, is_sensitive},
    favourites::{Pin, is_pinned, pins},
    fields::{Field, FieldKind, Usage, copy_from_type, fields},
    model::{Campaign, tabs},
    policy::{Audit, Configure, Create, Export, Grantable, Own, Restore, View, among, visible},
    reindex::Reindex,
    segments::{
        COLORS, NAME_TAKEN as SEGMENT_NAME_TAKEN, NO_SEGMENT, Saved, Segment, Wanted,
        check_name as check_segment_name, color_class, create_segment, delete_segment,
        edit_segment, lock_segment, move_segment, segments,
    },
    sorting::{SORTABLE, SortIndexes, TOO_MANY_SORTABLE},
    status::Status,
    wizard::STEPS,
};
use crate::{
    accounts::Role,
    web::{Access, Right, Routes},
};

pub fn routes() -> Routes {
    const CREATORS: Access = Access::Roles(&[Role::Admin, Role::CampaignManager]);
    const CONFIGURE: Access = Access::Campaign(Right::Configure);
    const OWN: Access = Access::Campaign(Right::Own);
    Routes::default()
        .get("/campagnes", Access::SignedIn, index::page)
        .get("/campagnes/nouvelle", CREATORS, wizard::information::new_page)
        .post("/campagnes/nouvelle", CREATORS, wizard::information::create)
        .get("/campagnes/{id}/assistant/1", CONFIGURE, wizard::information::edit_page)
        .post("/campagnes/{id}/assistant/1", CONFIGURE, wizard::information::update)
        .post("/campagnes/{id}/assistant/manuel", CONFIGURE, wizard::by_hand)
        .get("/campagnes/{id}/assistant/4", CONFIGURE, wizard::configuration::page)
        .post("/campagnes/{id}/assistant/4", CONFIGURE, wizard::configuration::create)
        .get("/campagnes/{id}/archivage", OWN, lifecycle::archive_page)
        .post("/campagnes/{id}/archivage", OWN, lifecycle::archive)
        .get("/campagnes/{id}/restauration", OWN, lifecycle::restore_page)
        .post("/campagnes/{id}/restauration", OWN, lifecycle::restore)
        .get("/campagnes/corbeille", CREATORS, bin::page)
        .post("/campagnes/corbeille/{campaign}/retablissement", CREATORS, bin::restore)
        .get("/campagnes/{id}/suppression", OWN, bin::delete_page)
        .post("/campagnes/{id}/suppression", OWN, bin::delete)
        .get("/campagnes/{id}/copie", Access::Campaign(Right::Copy), copy::page)
        .post("/campagnes/{id}/copie", Access::Campaign(Right::Copy), copy::create)
        .post("/campagnes/{id}/favori", Access::Campaign(Right::View), favourites::toggle)
        .get("/campagnes/{id}/parametres/statut", OWN, settings::status::page)
        .post("/campagnes/{id}/parametres/statut", OWN, settings::status::update)
        .get("/campagnes/{id}/parametres/general", CONFIGURE, settings::general::page)
        .post("/campagnes/{id}/parametres/general", CONFIGURE, settings::general::update)
        .get("/campagnes/{id}/parametres/champs", CONFIGURE, settings::fields::page)
        .post("/campagnes/{id}/parametres/champs/usages", CONFIGURE, settings::fields::set_usages)
        .get("/campagnes/{id}/parametres/champs/nouveau", CONFIGURE, settings::field::new_page)
        .post("/campagnes/{id}/parametres/champs/nouveau", CONFIGURE, settings::field::create)
        .get("/campagnes/{id}/parametres/champs/{field}", CONFIGURE, settings::field::page)
        .post("/campagnes/{id}/parametres/champs/{field}", CONFIGURE, settings::field::update)
        .post(
            "/campagnes/{id}/parametres/champs/{field}/position",
            CONFIGURE,
            settings::fields::reorder,
        )
        .get(
            "/campagnes/{id}/parametres/champs/{field}/suppression",
            CONFIGURE,
            settings::fields::delete_page,
        )
        .post(
            "/campagnes/{id}/parametres/champs/{field}/suppression",
            CONFIGURE,
            settings::fields::delete,
        )
        .post(
            "/campagnes/{id}/parametres/champs/{field}/retablissement",
            CONFIGURE,
            settings::fields::restore,
        )
        .get("/campagnes/{id}/parametres/habilitations", CONFIGURE, settings::grants::page)
        .post("/campagnes/{id}/parametres/habilitations", CONFIGURE, settings::grants::create)
        .post(
            "/campagnes/{id}/parametres/habilitations/droits",
            CONFIGURE,
            settings::grants::update,
        )
        .post(
            "/campagnes/{id}/parametres/habilitations/{grant}/retrait",
            CONFIGURE,
            settings::grants::destroy,
        )
        .get("/campagnes/{id}/parametres/proprietaire", OWN, settings::owner::page)
        .post("/campagnes/{id}/parametres/proprietaire", OWN, settings::owner::update)
        .get("/campagnes/{id}/parametres/visibilite", CONFIGURE, settings::visibility::page)
        .post("/campagnes/{id}/parametres/visibilite", CONFIGURE, settings::visibility::update)
}
