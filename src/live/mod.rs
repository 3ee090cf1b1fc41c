// SPDX-License-Identifier: EUPL-1.2
//! Live screens (RG-040): a stream says only « changed »; the page refreshes itself under its own rights.
//!
//! Events are rows written in the business transaction. After the commit the process that wrote
//! notifies the others, once per topic and burst; every process also reads new rows every second,
//! so that a crash between commit and notification loses nothing (10-decisions 4).
mod hub;
mod listener;
mod stream;

#[cfg(test)]
mod tests;

pub use self::{
    hub::{Hub, Notice, Topic},
    listener::run,
};
use crate::web::{Access, Routes};

pub fn routes() -> Routes {
    Routes::default().get("/flux", Access::SignedIn, stream::page).get(
        "/partage/{token}/flux",
        Access::Public,
        stream::shared,
    )
}
