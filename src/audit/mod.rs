// SPDX-License-Identifier: EUPL-1.2
//! The trace of every change: who, when, from where, what, before and after (RG-070).
//! Never a password, a secret or a message's body.
mod entry;

pub use self::entry::Entry;

pub fn routes() -> crate::web::Routes {
    crate::web::Routes::default()
}
