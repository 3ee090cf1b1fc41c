// SPDX-License-Identifier: EUPL-1.2
//! A published version of a workflow, as campaigns use it. Versions never change, so they are
//! loaded once a process and shared.
use super::Category;
use crate::web::Error;
use anyhow::anyhow;
use sqlx::PgConnection;
use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, RwLock},
};
use uuid::Uuid;

#[derive(Clone, Debug)]
pub struct Status {
    pub id: i32,
    pub code: String,
    pub name: String,
    pub category: Category,
    pub is_initial: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReasonMode {
    None,
    Optional,
    Required,
}

impl ReasonMode {
    pub const ALL: [Self; 3] = [Self::None, Self::Optional, Self::Required];

    /// The word stored.
    pub fn code(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Optional => "optional",
            Self::Required => "required",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.code() == code)
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::None => "Sans motif",
            Self::Optional => "Motif facultatif",
            Self::Required => "Motif obligatoire",
        }
    }
}

/// What a transition does to the planned date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateMode {
    Untouched,
    /// A new date may be given; without one the date is cleared when postponing, kept otherwise.
    Optional,
    Required,
    Cleared,
}

impl DateMode {
    pub const ALL: [Self; 4] = [Self::Untouched, Self::Optional, Self::Required, Self::Cleared];

    /// The word stored.
    pub fn code(self) -> &'static str {
        match self {
            Self::Untouched => "untouched",
            Self::Optional => "optional",
            Self::Required => "required",
            Self::Cleared => "cleared",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.code() == code)
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Untouched => "Date inchangée",
            Self::Optional => "Nouvelle date facultative",
            Self::Required => "Date obligatoire",
            Self::Cleared => "Date effacée",
        }
    }
}

#[derive(Clone, Debug)]
pub struct Transition {
    pub code: String,
    pub label: String,
    pub from: i32,
    pub to: i32,
    /// The assigned technician may.
    pub for_technician: bool,
    /// The owner, an admin or a holder of « configurer » may.
    pub for_manager: bool,
    pub reason: ReasonMode,
    pub date: DateMode,
}

#[derive(Debug)]
pub struct Workflow {
    pub version: Uuid,
    pub id: Uuid,
    pub name: String,
    /// 1, 2, 3… of the published versions.
    pub number: i32,
    /// In display order.
    pub statuses: Vec<Status>,
    pub transitions: Vec<Transition>,
}

static LOADED: LazyLock<RwLock<HashMap<Uuid, Arc<Workflow>>>> = LazyLock::new(RwLock::default);

impl Workflow {
    /// # Errors
    /// An unknown version: campaigns always name one that exists.
    pub async fn load(conn: &mut PgConnection, version: Uuid) -> Result<Arc<Self>, Error> {
        if let Some(known) = LOADED.read().ok().and_then(|map| map.get(&version).cloned()) {
            return Ok(known);
        }
        let head = sqlx::query!(
            "select w.id, w.name, v.number from workflow_versions v join workflows w on w.id = v.workflow_id where v.id = $1",
            version
        )
        .fetch_one(&mut *conn)
        .await?;
        let statuses = sqlx::query_as!(
            Status,
            "select id, code, name, category, is_initial from workflow_statuses where version_id = $1 order by position",
            version
        )
        .fetch_all(&mut *conn)
        .await?;
        let transitions = sqlx::query!(
            "select code, label, from_status, to_status, for_technician, for_manager, reason_mode, date_mode
             from workflow_transitions where version_id = $1 order by from_status, position",
            version
        )
        .fetch_all(conn)
        .await?
        .into_iter()
        .map(|row| Transition {
            code: row.code,
            label: row.label,
            from: row.from_status,
            to: row.to_status,
            for_technician: row.for_technician,
            for_manager: row.for_manager,
            reason: ReasonMode::from_code(&row.reason_mode).unwrap_or(ReasonMode::None),
            date: DateMode::from_code(&row.date_mode).unwrap_or(DateMode::Untouched),
        })
        .collect();
        let loaded = Arc::new(Self {
            version,
            id: head.id,
            name: head.name,
            number: head.number,
            statuses,
            transitions,
        });
        if let Ok(mut map) = LOADED.write() {
            map.insert(version, loaded.clone());
        }
        Ok(loaded)
    }

    /// # Errors
    /// A status of another workflow: the base forbids it.
    pub fn status(&self, id: i32) -> Result<&Status, Error> {
        self.statuses
            .iter()
            .find(|s| s.id == id)
            .ok_or_else(|| anyhow!("status {id} is not in this workflow").into())
    }

    /// # Errors
    /// A workflow without an initial status: the base forbids it.
    pub fn initial(&self) -> Result<&Status, Error> {
        self.statuses
            .iter()
            .find(|s| s.is_initial)
            .ok_or_else(|| anyhow!("workflow without initial status").into())
    }

    pub fn has(&self, category: Category) -> bool {
        self.statuses.iter().any(|s| s.category == category)
    }

    /// The transitions that leave a status, whoever may do them.
    pub fn leaving(&self, status: i32) -> impl Iterator<Item = &Transition> {
        self.transitions.iter().filter(move |t| t.from == status)
    }
}

/// The workflows a new campaign can take: latest version and name.
pub async fn choices(conn: &mut PgConnection) -> sqlx::Result<Vec<(Uuid, String)>> {
    let rows = sqlx::query!(
        "select distinct on (w.name) v.id, w.name from workflows w join workflow_versions v on v.workflow_id = w.id
         where w.active order by w.name, v.number desc"
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}

/// The workflows a type can name: (id, name), the active ones and `own`.
pub async fn offered(
    conn: &mut PgConnection,
    own: Option<Uuid>,
) -> sqlx::Result<Vec<(String, String)>> {
    let rows = sqlx::query!(
        "select id, name from workflows w where (active or id = $1)
           and exists (select 1 from workflow_versions v where v.workflow_id = w.id) order by name",
        own
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id.to_string(), row.name)).collect())
}
