// SPDX-License-Identifier: EUPL-1.2
//! Workflows are data (RG-017): statuses, transitions, who may do them, and with what.
//! Code decides on categories only.
mod apply;
mod definition;
mod draft;
mod drafts;
mod graph;
mod index;
mod model;
mod remap;
mod show;
#[cfg(test)]
mod tests;

pub use self::{
    definition::{Definition, Fault, MAX_STATUSES, MAX_TRANSITIONS, StatusDraft, TransitionDraft},
    drafts::{
        Summary as WorkflowSummary, create as create_workflow, publish_definition, unique_name,
    },
    model::{DateMode, ReasonMode, Status, Transition, Workflow, choices, offered},
};

use crate::{
    accounts::Role,
    web::{Access, Access::Roles, Right, Routes},
};

const ADMIN: Access = Roles(&[Role::Admin]);
const CONFIGURE: Access = Access::Campaign(Right::Configure);

pub fn routes() -> Routes {
    Routes::default()
        .get("/administration/workflows", ADMIN, index::page)
        .get("/administration/workflows/nouveau", ADMIN, index::new_page)
        .post("/administration/workflows", ADMIN, index::create)
        .get("/administration/workflows/{workflow}", ADMIN, show::page)
        .get("/administration/workflows/{workflow}/versions/{version}", ADMIN, show::version_page)
        .post("/administration/workflows/{workflow}/copie", ADMIN, show::duplicate)
        .post("/administration/workflows/{workflow}/activation", ADMIN, show::activate)
        .get("/administration/workflows/{workflow}/suppression", ADMIN, show::delete_page)
        .post("/administration/workflows/{workflow}/suppression", ADMIN, show::delete)
        .get("/administration/workflows/{workflow}/brouillon", ADMIN, draft::page)
        .post("/administration/workflows/{workflow}/brouillon", ADMIN, draft::save)
        .post("/administration/workflows/{workflow}/brouillon/ouverture", ADMIN, draft::open)
        .get("/administration/workflows/{workflow}/brouillon/abandon", ADMIN, draft::discard_page)
        .post("/administration/workflows/{workflow}/brouillon/abandon", ADMIN, draft::discard)
        .get("/campagnes/{id}/parametres/workflow", CONFIGURE, apply::page)
        .post("/campagnes/{id}/parametres/workflow", CONFIGURE, apply::apply)
}

/// What a status means to dashboards, indicators and field screens; the list is fixed.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    sqlx::Type,
    serde::Serialize,
    serde::Deserialize,
)]
#[sqlx(type_name = "status_category", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Category {
    Todo,
    Planned,
    InProgress,
    Done,
    Postponed,
    Blocked,
    Cancelled,
}

impl Category {
    pub const ALL: [Self; 7] = [
        Self::Todo,
        Self::Planned,
        Self::InProgress,
        Self::Done,
        Self::Postponed,
        Self::Blocked,
        Self::Cancelled,
    ];

    /// The word in addresses and style sheets.
    pub fn code(self) -> &'static str {
        match self {
            Self::Todo => "todo",
            Self::Planned => "planned",
            Self::InProgress => "in-progress",
            Self::Done => "done",
            Self::Postponed => "postponed",
            Self::Blocked => "blocked",
            Self::Cancelled => "cancelled",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|category| category.code() == code)
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Todo => "À planifier",
            Self::Planned => "Planifié",
            Self::InProgress => "En cours",
            Self::Done => "Réalisé",
            Self::Postponed => "Reporté",
            Self::Blocked => "Bloqué",
            Self::Cancelled => "Annulé",
        }
    }

    /// Agreed with « opérations »: « réalisées ».
    pub fn plural(self) -> &'static str {
        match self {
            Self::Todo => "à planifier",
            Self::Planned => "planifiées",
            Self::InProgress => "en cours",
            Self::Done => "réalisées",
            Self::Postponed => "reportées",
            Self::Blocked => "bloquées",
            Self::Cancelled => "annulées",
        }
    }

    pub fn icon(self) -> &'static str {
        match self {
            Self::Todo => "circle",
            Self::Planned => "calendar",
            Self::InProgress => "play",
            Self::Done => "check",
            Self::Postponed => "rotate",
            Self::Blocked => "octagon-alert",
            Self::Cancelled => "slash",
        }
    }

    /// Left only by an undo or a correction (RG-017).
    pub fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Cancelled)
    }
}
