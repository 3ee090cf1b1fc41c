// SPDX-License-Identifier: EUPL-1.2
//! One gesture on many operations (US-310, RG-028): a selection, a preview with what does not
//! apply and why, a job, its log, its undo. Each operation goes through the command that changes
//! one, under the rights of the person who asked.
mod ask;
mod gesture;
mod job;
mod model;
mod show;

#[cfg(test)]
mod tests;

pub use self::{
    gesture::{Applied, Gesture},
    job::Work,
    model::forget_old,
};
use crate::web::{Access, Right, Routes};

pub fn routes() -> Routes {
    let access = Access::Campaign(Right::Configure);
    Routes::default()
        .get("/campagnes/{id}/operations/lot", access, ask::page)
        .post("/campagnes/{id}/operations/lot", access, ask::create)
        .get("/campagnes/{id}/lots/{lot}", access, show::page)
        .post("/campagnes/{id}/lots/{lot}/application", access, show::confirm)
        .post("/campagnes/{id}/lots/{lot}/annulation", access, show::cancel)
}
