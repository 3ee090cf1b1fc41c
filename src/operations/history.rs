// SPDX-License-Identifier: EUPL-1.2
//! What happened to an operation, in French sentences, newest first (US-311).
use super::{Operation, values};
use crate::{accounts, campaigns::Field, db::Id, web::format, workflows::Category};
use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;

/// As many as a page shows; older ones are in the campaign's history.
const LINES: i64 = 200;

pub struct Line {
    pub at: DateTime<Utc>,
    pub who: String,
    pub icon: &'static str,
    /// Colour of the status it led to.
    pub class: &'static str,
    pub text: String,
    /// « Poste : PC-1 → PC-2 »
    pub details: Vec<String>,
}

struct Event {
    at: DateTime<Utc>,
    actor_kind: String,
    first_name: Option<String>,
    last_name: Option<String>,
    kind: String,
    from_name: Option<String>,
    to_name: Option<String>,
    to_category: Option<Category>,
    planned_before: Option<DateTime<Utc>>,
    planned_after: Option<DateTime<Utc>>,
    reason: Option<String>,
    changes: Option<Value>,
}

pub async fn lines(
    conn: &mut PgConnection,
    operation: Id<Operation>,
    fields: &[Field],
) -> sqlx::Result<Vec<Line>> {
    let events = sqlx::query_as!(
        Event,
        r#"select e.at, e.actor_kind, u.first_name as "first_name?", u.last_name as "last_name?", e.kind,
                  f.name as "from_name?", t.name as "to_name?", t.category as "to_category?: Category",
                  e.planned_before, e.planned_after, e.reason, e.changes
           from operation_events e left join users u on u.id = e.actor_id
           left join workflow_statuses f on f.id = e.from_status left join workflow_statuses t on t.id = e.to_status
           where e.operation_id = $1 order by e.seq desc limit $2"#,
        operation as _,
        LINES
    )
    .fetch_all(conn)
    .await?;
    Ok(events.into_iter().map(|event| event.line(fields)).collect())
}

impl Event {
    fn line(self, fields: &[Field]) -> Line {
        let name = |name: &Option<String>| name.clone().unwrap_or_else(|| "?".into());
        let (from, to) = (name(&self.from_name), name(&self.to_name));
        let moves = matches!(self.kind.as_str(), "transition" | "correction" | "undo");
        let (icon, text) = match self.kind.as_str() {
            "transition" => ("check", format!("Statut : {from} → {to}")),
            "correction" => ("edit", format!("Statut corrigé : {from} → {to}")),
            "undo" => ("undo", format!("Action annulée : {from} → {to}")),
            "created" => ("plus", "Intervention ajoutée".into()),
            "imported" => ("upload", "Importée".into()),
            "planned" => ("calendar", "Date prévue modifiée".into()),
            "assigned" => ("user", "Technicien modifié".into()),
            "moved" => ("building", "Segment modifié".into()),
            "edited" => ("edit", "Données modifiées".into()),
            "remapped" => ("rotate", format!("Nouveau workflow : {from} → {to}")),
            "note" => ("message", "Note ajoutée".into()),
            "ticked" => ("check", format!("Étape cochée : {}", self.step())),
            "unticked" => ("undo", format!("Étape décochée : {}", self.step())),
            "checklist_moved" => {
                ("list-checks", "Checklist remplacée par une autre version".into())
            }
            "deleted" => ("trash", "Supprimée".into()),
            "restored" => ("undo", "Restaurée".into()),
            _ => ("undo", "Import annulé".into()),
        };
        let to_category = self.to_category.filter(|_| moves);
        Line {
            at: self.at,
            icon: to_category
                .map_or(icon, |c| if self.kind == "transition" { c.icon() } else { icon }),
            class: to_category.map_or("", Category::code),
            details: self.details(moves, fields),
            who: self.who(),
            text,
        }
    }

    /// The label of the step, as it was then.
    fn step(&self) -> &str {
        self.changes.as_ref().and_then(|c| c["step"].as_str()).unwrap_or("?")
    }

    fn who(&self) -> String {
        match (&self.first_name, &self.last_name, self.actor_kind.as_str()) {
            (Some(first), Some(last), _) => accounts::display_name(first, last),
            (.., "command_line") => "ligne de commande".into(),
            _ => "OpsTracker".into(),
        }
    }

    fn details(&self, moves: bool, fields: &[Field]) -> Vec<String> {
        let mut details = Vec::new();
        if let Some(reason) = &self.reason {
            details.push(format!("Motif : {reason}"));
        }
        if self.planned_before != self.planned_after
            || (self.kind == "created" && self.planned_after.is_some())
        {
            let date =
                |at: Option<DateTime<Utc>>| at.map_or("sans date".to_owned(), format::instant);
            details.push(format!(
                "Date prévue : {} → {}",
                date(self.planned_before),
                date(self.planned_after)
            ));
        }
        let fields_changed = !moves && self.kind != "planned";
        if let Some(Value::Object(changes)) = self.changes.as_ref().filter(|_| fields_changed) {
            for (label, pair) in changes {
                if let Value::Array(pair) = pair
                    && let [before, after] = pair.as_slice()
                {
                    details.push(format!(
                        "{label} : {} → {}",
                        said(before, label, fields),
                        said(after, label, fields)
                    ));
                }
            }
        }
        details
    }
}

/// A value as the field shows it.
fn said(value: &Value, label: &str, fields: &[Field]) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    if text.is_empty() {
        return "(vide)".into();
    }
    fields
        .iter()
        .find(|f| f.label == label)
        .map_or_else(|| text.clone(), |f| values::display(f.kind, &text))
}
