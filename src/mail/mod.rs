// SPDX-License-Identifier: EUPL-1.2
//! Mail: the outbox row is written in the business transaction, delivered by the worker (RG-145).
use crate::{app::App, config::Config, web::Routes};
use chrono::{DateTime, Utc};

#[derive(Clone)]
pub struct Mailer;

impl Mailer {
    pub fn new(_config: &Config) -> anyhow::Result<Self> {
        Ok(Self)
    }
}

pub async fn deliver_due(_app: &App, _now: DateTime<Utc>) -> anyhow::Result<()> {
    Ok(())
}

pub fn routes() -> Routes {
    Routes::default()
}
