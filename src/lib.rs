// SPDX-License-Identifier: EUPL-1.2
//! OpsTracker: mass IT operations for public organisations. Start with `app.rs`, then
//! `campaigns/` (the slice to copy), then `db/tx.rs` (how anything is ever changed).
pub mod accounts;
pub mod app;
pub mod audit;
pub mod campaigns;
pub mod checklists;
pub mod clock;
pub mod config;
pub mod configuration;
pub mod dashboard;
pub mod db;
pub mod demo;
pub mod documents;
mod health;
pub mod help;
pub mod imports;
pub mod jobs;
pub mod live;
pub mod mail;
pub mod onsite;
pub mod operation_types;
pub mod operations;
pub mod prerequisites;
pub mod segments;
pub mod serve;
pub mod settings;
pub mod sharing;
#[cfg(test)]
mod testing;
pub mod text;
pub mod web;
pub mod workflows;

pub use db::MIGRATOR;
