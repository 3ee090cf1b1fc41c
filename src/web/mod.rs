// SPDX-License-Identifier: EUPL-1.2
//! What all pages share. Knows no slice but the person who asks.
pub mod assets;
pub mod auth;
pub mod body;
pub mod cookies;
pub mod download;
mod error;
#[cfg(test)]
mod error_tests;
pub mod forgery;
pub mod format;
pub mod forms;
pub mod headers;
mod page;
pub mod reconcile;
mod routes;
pub mod session;
mod shell;

pub use self::{
    error::{Error, Result, render as render_errors},
    forms::Form,
    page::{Again, Conflict, Page, Redirect, local},
    routes::{Access, Declared, Right, Routes},
    shell::{Crumb, Shell, Tab},
};
