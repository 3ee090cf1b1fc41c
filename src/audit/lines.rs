// SPDX-License-Identifier: EUPL-1.2
//! Entries of the audit as a person reads them: author, sentence, object, old → new, reason.
//! The names of what they mention are found by one query a kind, never one a line.
use super::{personal, sentences};
use crate::{accounts::display_name, web::format};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde_json::{Map, Value};
use sqlx::PgConnection;
use std::collections::HashMap;
use uuid::Uuid;

/// One row of `audit_entries`, with its author's name.
#[derive(Debug, sqlx::FromRow)]
pub struct Stored {
    pub seq: i64,
    pub at: DateTime<Utc>,
    pub actor_kind: String,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub action: String,
    pub object_kind: String,
    pub object_id: Option<Uuid>,
    pub campaign_id: Option<Uuid>,
    pub changes: Value,
    pub reason: Option<String>,
}

/// The columns of [`Stored`]; `a` is the entry, `u` its author.
pub const COLUMNS: &str = "a.seq, a.at, a.actor_kind, u.first_name, u.last_name, a.action, a.object_kind, a.object_id, a.campaign_id, a.changes, a.reason";

pub struct Line {
    pub seq: i64,
    pub at: DateTime<Utc>,
    pub author: String,
    pub sentence: String,
    pub object: String,
    pub url: Option<String>,
    pub changes: Vec<Change>,
    pub reason: Option<String>,
}

/// A field, before and after; `before` is absent for a plain fact (« Créées : 844 »).
#[derive(Debug, PartialEq, Eq)]
pub struct Change {
    pub field: String,
    pub before: Option<String>,
    pub after: String,
}

/// « Début : 01/03/2026 → 02/03/2026 »
impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.before {
            Some(before) => write!(f, "{} : {before} → {}", self.field, self.after),
            None => write!(f, "{} : {}", self.field, self.after),
        }
    }
}

/// What entries mention by identifier only.
#[derive(Default)]
struct Names {
    objects: HashMap<Uuid, String>,
    statuses: HashMap<i64, String>,
    fields: HashMap<(Uuid, String), String>,
}

impl Names {
    async fn of(conn: &mut PgConnection, entries: &[Stored]) -> sqlx::Result<Self> {
        let ids: Vec<Uuid> = entries.iter().filter_map(|e| e.object_id).collect();
        let campaigns: Vec<Uuid> = entries.iter().filter_map(|e| e.campaign_id).collect();
        let statuses: Vec<i32> = entries
            .iter()
            .filter_map(|e| e.changes.get("status"))
            .filter_map(Value::as_array)
            .flatten()
            .filter_map(|v| v.as_i64().and_then(|n| i32::try_from(n).ok()))
            .collect();
        let objects = sqlx::query!(
            r#"select id as "id!: Uuid", identifier || ' (' || label || ')' as "name!" from operations where id = any($1)
               union all select id, name from campaigns where id = any($1)
               union all select id, label from campaign_fields where id = any($1)
               union all select id, name from segments where id = any($1)
               union all select id, file_name from imports where id = any($1)
               union all select id, first_name || ' ' || upper(last_name) from users where id = any($1)"#,
            &ids
        )
        .fetch_all(&mut *conn)
        .await?;
        let named =
            sqlx::query!("select id, name from workflow_statuses where id = any($1)", &statuses)
                .fetch_all(&mut *conn)
                .await?;
        let fields = sqlx::query!(
            "select campaign_id, number, label from campaign_fields where campaign_id = any($1)",
            &campaigns
        )
        .fetch_all(conn)
        .await?;
        Ok(Self {
            objects: objects.into_iter().map(|row| (row.id, row.name)).collect(),
            statuses: named.into_iter().map(|row| (i64::from(row.id), row.name)).collect(),
            fields: fields
                .into_iter()
                .map(|row| ((row.campaign_id, row.number.to_string()), row.label))
                .collect(),
        })
    }
}

/// These entries in French.
pub async fn lines(conn: &mut PgConnection, mut entries: Vec<Stored>) -> sqlx::Result<Vec<Line>> {
    personal::restore(conn, &mut entries).await?;
    let names = Names::of(conn, &entries).await?;
    Ok(entries.into_iter().map(|entry| line(entry, &names)).collect())
}

fn line(entry: Stored, names: &Names) -> Line {
    let author = match (entry.first_name, entry.last_name) {
        (Some(first), Some(last)) => display_name(&first, &last),
        _ => match entry.actor_kind.as_str() {
            "command_line" => "Ligne de commande",
            "anonymous" => "Visiteur non connecté",
            _ => "OpsTracker",
        }
        .to_owned(),
    };
    let name = entry.object_id.and_then(|id| names.objects.get(&id)).cloned();
    let name = name.or_else(|| entry.changes.get("who").and_then(Value::as_str).map(str::to_owned));
    let kind = sentences::object(&entry.object_kind);
    Line {
        seq: entry.seq,
        at: entry.at,
        author,
        sentence: sentences::sentence(&entry.action).to_owned(),
        object: name.map_or_else(|| kind.to_owned(), |name| format!("{kind} {name}")),
        url: url(&entry.object_kind, entry.object_id, entry.campaign_id),
        changes: changes(&entry.changes, entry.campaign_id, names),
        reason: entry.reason,
    }
}

/// Where the object can be seen.
fn url(kind: &str, id: Option<Uuid>, campaign: Option<Uuid>) -> Option<String> {
    let (id, campaign) = (id?, campaign?);
    match kind {
        "operation" => Some(format!("/campagnes/{campaign}/operations/{id}")),
        "import" => Some(format!("/campagnes/{campaign}/imports/{id}")),
        _ => None,
    }
}

fn changes(stored: &Value, campaign: Option<Uuid>, names: &Names) -> Vec<Change> {
    let Value::Object(map) = stored else { return Vec::new() };
    let mut out = Vec::new();
    push(map, campaign, names, &mut out);
    out
}

/// Plain facts worth reading; the others (digests, sizes, mappings) serve inquiries, not readers.
const FACTS: [&str; 15] = [
    "file",
    "read",
    "created",
    "updated",
    "unchanged",
    "rejected",
    "removed",
    "restored",
    "kept",
    "invalid",
    "rows",
    "gesture",
    "intact",
    "entries",
    "fault",
];

fn push(map: &Map<String, Value>, campaign: Option<Uuid>, names: &Names, out: &mut Vec<Change>) {
    for (key, value) in map {
        match (key.as_str(), value) {
            ("who", _) => {}
            (key, value) if personal::is_commitment(value) => out.push(Change {
                field: sentences::field(key).to_owned(),
                before: None,
                after: personal::ERASED.into(),
            }),
            ("values", Value::Array(pair)) => {
                if let Some(Value::Object(values)) = pair.get(1) {
                    out.extend(values.iter().map(|(number, value)| {
                        Change {
                            field: campaign
                                .and_then(|c| names.fields.get(&(c, number.clone())))
                                .cloned()
                                .unwrap_or_else(|| number.clone()),
                            before: Some(String::new()),
                            after: said(number, value, names),
                        }
                    }));
                }
            }
            (_, Value::Array(pair)) if pair.len() == 2 => {
                let (before, after) = (said(key, &pair[0], names), said(key, &pair[1], names));
                if before != after {
                    out.push(Change {
                        field: sentences::field(key).to_owned(),
                        before: Some(before),
                        after,
                    });
                }
            }
            ("counters", Value::Object(inner)) => push(inner, campaign, names, out),
            (key, Value::Number(_) | Value::String(_) | Value::Bool(_)) if FACTS.contains(&key) => {
                out.push(Change {
                    field: sentences::field(key).to_owned(),
                    before: None,
                    after: said(key, value, names),
                });
            }
            _ => {}
        }
    }
}

/// A stored value in words.
fn said(key: &str, value: &Value, names: &Names) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(yes) if key == "is_public" => {
            if *yes { "Publique" } else { "Restreinte" }.into()
        }
        Value::Bool(yes) => if *yes { "Oui" } else { "Non" }.into(),
        Value::Number(n) if key == "status" => n
            .as_i64()
            .and_then(|id| names.statuses.get(&id))
            .cloned()
            .unwrap_or_else(|| n.to_string()),
        Value::Number(n) => n.as_u64().map_or_else(|| n.to_string(), crate::text::number),
        Value::String(text) => words(key, text),
        Value::Array(items) => {
            items.iter().map(|item| said(key, item, names)).collect::<Vec<_>>().join(", ")
        }
        Value::Object(_) => "…".into(),
    }
}

fn words(key: &str, text: &str) -> String {
    if key == "finish_level" {
        return match text {
            "free" => "Libre",
            "block" => "Bloquer",
            _ => "Avertir",
        }
        .into();
    }
    if key == "roles" {
        return crate::accounts::Role::from_code(text)
            .map_or_else(|| text.to_owned(), |role| role.label().to_owned());
    }
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return format::instant(at.to_utc());
    }
    if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return format::short(date);
    }
    if key == "default_time"
        && let Ok(time) = text.parse::<NaiveTime>()
    {
        return format::time(time);
    }
    text.to_owned()
}

/// The history of one object, newest first: for its own page.
pub async fn history_of(
    conn: &mut PgConnection,
    kind: &str,
    id: Uuid,
    limit: i64,
) -> sqlx::Result<Vec<Line>> {
    let entries = sqlx::QueryBuilder::new("select ")
        .push(COLUMNS)
        .push(" from audit_entries a left join users u on u.id = a.actor_id where a.object_kind = ")
        .push_bind(kind)
        .push(" and a.object_id = ")
        .push_bind(id)
        .push(" order by a.at desc, a.seq desc limit ")
        .push_bind(limit)
        .build_query_as::<Stored>()
        .fetch_all(&mut *conn)
        .await?;
    lines(conn, entries).await
}

/// « Karim BENALI a modifié ce segment le 12/03/2026 à 14 h 30 »: whose change a form that was
/// overtaken meets (RG-180). `called` names the object: « ce segment ».
pub async fn last_editor(
    conn: &mut PgConnection,
    kind: &str,
    id: Uuid,
    called: &str,
) -> sqlx::Result<String> {
    let last = history_of(conn, kind, id, 1).await?;
    Ok(last.first().map_or_else(
        || format!("Entre-temps, quelqu’un a modifié {called}"),
        |line| format!("{} a modifié {called} le {}", line.author, format::instant(line.at)),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn changes_read_in_french() {
        let names = Names {
            statuses: [(3, "En cours".into()), (4, "Réalisé".into())].into(),
            ..Names::default()
        };
        let said = |value| {
            changes(&value, None, &names)
                .into_iter()
                .map(|c| {
                    format!(
                        "{} : {} → {}",
                        c.field,
                        c.before.unwrap_or_else(|| "·".into()),
                        c.after
                    )
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(
            said(json!({ "status": [3, 4], "planned_at": [null, null] })),
            ["Statut : En cours → Réalisé"]
        );
        assert_eq!(
            said(json!({ "start_date": ["2026-03-01", "2026-03-02"] })),
            ["Début : 01/03/2026 → 02/03/2026"]
        );
        assert_eq!(
            said(json!({ "is_public": [false, true] })),
            ["Visibilité : Restreinte → Publique"]
        );
        assert_eq!(
            said(json!({ "planned_at": ["2026-03-12T13:30:00Z", null] })),
            ["Date prévue : 12/03/2026 à 14\u{a0}h\u{a0}30 → "]
        );
        assert_eq!(
            said(json!({ "sha256": "ab", "counters": { "created": 1200, "lines": 3 } })),
            ["Créées : · → 1\u{202f}200"]
        );
    }
}
