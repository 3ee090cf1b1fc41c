// SPDX-License-Identifier: EUPL-1.2
//! Checklists (US-501 to 505, 509; RG-030 to 036): templates with immutable numbered versions, the
//! version that an operation keeps for life, and ticks that commute.
//!
//! The base freezes a version with each operation that is created (`migrations/0022`); only a campaign's
//! explicit upgrade moves those where nothing was ever ticked (RG-034).
mod campaign;
mod definition;
mod draft;
mod frozen;
mod index;
mod show;
mod templates;
mod ticks;

#[cfg(test)]
mod tests;

pub use self::{
    campaign::{choices, freeze, latest},
    definition::{Definition, Fault, Phase, Step},
    frozen::{
        Frozen, Progress, ShownPhase, ShownStep, frozen, is_followed, progress_among, progress_of,
    },
    templates::{
        create as create_template, publish as publish_template, write_draft as save_template_draft,
    },
    ticks::{Refusal as StepRefusal, Tick, tick},
};

use crate::{
    accounts::{Role, User},
    db::{Actor, Tx},
    web::{Access, Access::Roles, Error, Result, Right, Routes},
};

const AUTHORS: Access = Roles(&[Role::Admin, Role::CampaignManager]);
const CONFIGURE: Access = Access::Campaign(Right::Configure);

pub fn routes() -> Routes {
    Routes::default()
        .get("/checklists", AUTHORS, index::page)
        .get("/checklists/nouveau", AUTHORS, index::new_page)
        .post("/checklists", AUTHORS, index::create)
        .get("/checklists/{template}", AUTHORS, show::page)
        .get("/checklists/{template}/versions/{number}", AUTHORS, show::version_page)
        .post("/checklists/{template}/copie", AUTHORS, show::duplicate)
        .post("/checklists/{template}/activation", AUTHORS, show::activate)
        .get("/checklists/{template}/brouillon", AUTHORS, draft::page)
        .post("/checklists/{template}/brouillon", AUTHORS, draft::save)
        .post("/checklists/{template}/brouillon/ouverture", AUTHORS, draft::open)
        .get("/checklists/{template}/brouillon/abandon", AUTHORS, draft::discard_page)
        .post("/checklists/{template}/brouillon/abandon", AUTHORS, draft::discard)
        .get("/campagnes/{id}/parametres/checklist", CONFIGURE, campaign::page)
        .post("/campagnes/{id}/parametres/checklist", CONFIGURE, campaign::apply)
        .post("/terrain/{op}/etapes/{step}", Access::OwnOperation, ticks::create_onsite)
        .post("/campagnes/{id}/operations/{op}/etapes/{step}", CONFIGURE, ticks::create)
}

/// The proof that the commands of templates ask for: gestionnaires and administrators (05 §10).
pub struct Compose(());

impl Compose {
    /// # Errors
    /// `Forbidden` to anybody else.
    pub fn check(user: &User) -> Result<Self, Error> {
        if user.is_admin() || user.roles.has(Role::CampaignManager) {
            Ok(Self(()))
        } else {
            Err(Error::Forbidden)
        }
    }

    /// # Errors
    /// `Forbidden` when whoever acts may not.
    pub fn of(tx: &Tx) -> Result<Self, Error> {
        match tx.actor() {
            Actor::System | Actor::CommandLine => Ok(Self(())),
            _ => Self::check(tx.user()?),
        }
    }
}
