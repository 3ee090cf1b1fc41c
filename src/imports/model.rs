// SPDX-License-Identifier: EUPL-1.2
//! One import: its state (03 §1.6), what was found in the file, what was decided, what came of it.
use super::{mapping::Column, stats::ColumnStats};
use crate::{
    campaigns::Campaign,
    db::Id,
    web::{Error, Result},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Received,
    Analysed,
    Validated,
    Running,
    Done,
    Failed,
    Cancelled,
    Undone,
}

impl State {
    pub fn from_code(code: &str) -> Self {
        match code {
            "analysed" => Self::Analysed,
            "validated" => Self::Validated,
            "running" => Self::Running,
            "done" => Self::Done,
            "failed" => Self::Failed,
            "cancelled" => Self::Cancelled,
            "undone" => Self::Undone,
            _ => Self::Received,
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Received => "Reçu",
            Self::Analysed => "Analysé",
            Self::Validated => "Vérifié",
            Self::Running => "En cours",
            Self::Done => "Terminé",
            Self::Failed => "Échec",
            Self::Cancelled => "Annulé",
            Self::Undone => "Annulé après coup",
        }
    }

    /// Icon and colour class.
    pub fn look(self) -> (&'static str, &'static str) {
        match self {
            Self::Received | Self::Running => ("refresh", "in-progress"),
            Self::Analysed | Self::Validated => ("clock", "planned"),
            Self::Done => ("check", "done"),
            Self::Failed => ("octagon-alert", "blocked"),
            Self::Cancelled | Self::Undone => ("slash", "cancelled"),
        }
    }
}

/// The work that the import waits for; `idle` when it waits for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Analyse,
    Validate,
    Commit,
    Undo,
    Idle,
}

impl Stage {
    pub fn from_code(code: &str) -> Self {
        match code {
            "analyse" => Self::Analyse,
            "validate" => Self::Validate,
            "commit" => Self::Commit,
            "undo" => Self::Undo,
            _ => Self::Idle,
        }
    }

    pub fn code(self) -> &'static str {
        match self {
            Self::Analyse => "analyse",
            Self::Validate => "validate",
            Self::Commit => "commit",
            Self::Undo => "undo",
            Self::Idle => "idle",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Analyse => "Lecture du fichier",
            Self::Validate => "Vérification des lignes",
            Self::Commit => "Import des lignes",
            Self::Undo => "Annulation de l’import",
            Self::Idle => "En attente",
        }
    }
}

/// What the analysis found: the file's own description and the values of each column.
#[derive(Clone, Serialize, Deserialize)]
pub struct Analysis {
    pub file: tabular::Inspection,
    pub columns: Vec<ColumnStats>,
    pub proposed: Vec<Column>,
}

/// Counts of 03 §2.4; always read = created + updated + unchanged + rejected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counters {
    pub read: i64,
    pub created: i64,
    pub updated: i64,
    pub unchanged: i64,
    pub rejected: i64,
    /// Lines imported although something was said about them.
    pub warnings: i64,
    /// Issues of level error.
    pub errors: i64,
    pub empty: i64,
    /// Cells where the human's value stands against the file's.
    pub conflicts: i64,
    /// Operations of the campaign that the file does not name.
    pub missing: i64,
    /// Identifiers of the file that exist only in the bin.
    pub binned: i64,
    /// Of those, brought back by the import.
    pub restored: i64,
    /// Operations missing from the file that the import cancelled.
    pub cancelled: i64,
}

/// What is shown before « Importer », and needed by it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Preview {
    /// Distinct segments of the file, by rank.
    pub segments: Vec<String>,
    pub new_segments: Vec<String>,
    /// Fields that the import will create: (number, label, kind code, choices).
    pub new_fields: Vec<(i32, String, String, Vec<String>)>,
    pub label_from_identifier: bool,
    /// Digest of the declarations that the lines were checked against.
    #[serde(default)]
    pub fields: String,
    /// Values that join the lists of existing fields: (number, values).
    #[serde(default)]
    pub new_choices: Vec<(i32, Vec<String>)>,
}

#[derive(Clone)]
pub struct Import {
    pub id: Id<Import>,
    pub campaign_id: Id<Campaign>,
    pub author_id: Option<uuid::Uuid>,
    pub author_name: Option<String>,
    pub file_name: String,
    pub file_key: Option<String>,
    pub file_size: i64,
    pub state: State,
    pub stage: Stage,
    pub cancel_requested: bool,
    pub options: tabular::Options,
    pub analysis: Option<Analysis>,
    pub mapping: Option<Vec<Column>>,
    pub counters: Option<Counters>,
    pub preview: Option<Preview>,
    /// Moves at each decision: a form seen before another decision is refused.
    pub version: i32,
    pub progress: i64,
    pub total: i64,
    pub error: Option<String>,
    pub created_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
}

impl Import {
    pub fn url(&self) -> String {
        format!("/campagnes/{}/imports/{}", self.campaign_id, self.id)
    }

    pub fn is_working(&self) -> bool {
        self.stage != Stage::Idle
    }

    /// « 73 % »
    pub fn percent_label(&self) -> String {
        crate::web::format::percent(u8::try_from(self.percent()).unwrap_or(100))
    }

    /// 0 to 100, for the bar.
    pub fn percent(&self) -> i64 {
        if self.total == 0 { 0 } else { (self.progress * 100 / self.total).clamp(0, 100) }
    }
}

/// # Errors
/// `NotFound` when the import does not exist or belongs to another campaign.
pub async fn find(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
    id: Id<Import>,
) -> Result<Import> {
    load(conn, id).await?.filter(|import| import.campaign_id == campaign).ok_or(Error::NotFound)
}

/// Finds it under a lock: one decision at a time. The lock lets the work under way go on.
///
/// # Errors
/// As [`find`].
pub async fn find_to_decide(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
    id: Id<Import>,
) -> Result<Import> {
    sqlx::query!("select 1 as one from imports where id = $1 for no key update", id as _)
        .fetch_optional(&mut *conn)
        .await?;
    find(conn, campaign, id).await
}

pub async fn load(conn: &mut PgConnection, id: Id<Import>) -> Result<Option<Import>> {
    let row = sqlx::query!(
        r#"select i.id, i.campaign_id, i.author_id, u.first_name || ' ' || upper(u.last_name) as author_name, i.file_name, i.file_key,
                  i.file_size, i.state, i.stage, i.cancel_requested, i.options, i.inspection, i.mapping, i.counters, i.preview,
                  i.version, i.progress, i.total, i.error, i.created_at, i.finished_at
           from imports i left join users u on u.id = i.author_id where i.id = $1"#,
        id as _
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    fn read<T: serde::de::DeserializeOwned>(value: Option<serde_json::Value>) -> Result<Option<T>> {
        value.map(serde_json::from_value).transpose().map_err(|err| Error::Internal(err.into()))
    }
    Ok(Some(Import {
        id: row.id,
        campaign_id: row.campaign_id,
        author_id: row.author_id,
        author_name: row.author_name,
        file_name: row.file_name,
        file_key: row.file_key,
        file_size: row.file_size,
        state: State::from_code(&row.state),
        stage: Stage::from_code(&row.stage),
        cancel_requested: row.cancel_requested,
        options: read(Some(row.options))?.unwrap_or_default(),
        analysis: read(row.inspection)?,
        mapping: read(row.mapping)?,
        counters: read(row.counters)?,
        preview: read(row.preview)?,
        version: row.version,
        progress: row.progress,
        total: row.total,
        error: row.error,
        created_at: row.created_at,
        finished_at: row.finished_at,
    }))
}
