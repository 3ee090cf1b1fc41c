// SPDX-License-Identifier: EUPL-1.2
//! One line of the audit.
use crate::{campaigns::Campaign, db::Id};
use serde_json::{Value, json};
use uuid::Uuid;

pub struct Entry {
    /// `noun.verb`: `campaign.archived`.
    pub action: &'static str,
    pub object: (&'static str, Option<Uuid>),
    pub campaign: Option<Id<Campaign>>,
    /// `{"field": [old, new]}`; other keys for counts and parameters.
    pub changes: Value,
    pub reason: Option<String>,
}

impl Entry {
    pub fn on(action: &'static str, kind: &'static str, id: Uuid) -> Self {
        Self { action, object: (kind, Some(id)), campaign: None, changes: json!({}), reason: None }
    }

    /// On no object in particular: a failed sign-in, an instance setting.
    pub fn about(action: &'static str, kind: &'static str) -> Self {
        Self { action, object: (kind, None), campaign: None, changes: json!({}), reason: None }
    }

    pub fn campaign(mut self, campaign: Id<Campaign>) -> Self {
        self.campaign = Some(campaign);
        self
    }

    pub fn changes(mut self, changes: Value) -> Self {
        self.changes = changes;
        self
    }

    pub fn reason(mut self, reason: Option<String>) -> Self {
        self.reason = reason;
        self
    }
}
