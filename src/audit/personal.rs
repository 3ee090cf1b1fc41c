// SPDX-License-Identifier: EUPL-1.2
//! What an entry says of persons, kept apart (03 §12.4): the entry holds a salted commitment, the
//! value lies in `audit_personal` under its subject. Erasing deletes value and salt, and the chain
//! still verifies.
use super::{
    chain::{commitment, hex},
    lines::Stored,
};
use serde_json::{Map, Value, json};
use sqlx::PgConnection;
use std::collections::HashMap;
use uuid::Uuid;

/// Whose data it is: `("operation", id)`, `("user", id)`, `("campaign", id)`…
pub type Subject = (String, Option<Uuid>);

/// Keys that name somebody, whatever the entry is about.
const ANYWHERE: [&str; 10] = [
    "first_name",
    "last_name",
    "email",
    "phone",
    "who",
    "owner",
    "responsible",
    "recipient",
    "gesture",
    "filters",
];

/// Objects that stand for a person: all that is said of them is personal, save [`STRUCTURE`].
const PERSONS: [&str; 5] = ["operation", "agent", "booking", "checklist", "population"];

const STRUCTURE: [&str; 5] = ["status", "planned_at", "length", "Date prévue", "Segment"];

/// Whether what an entry says under this key goes apart.
pub fn is_personal(object_kind: &str, key: &str) -> bool {
    ANYWHERE.contains(&key) || (PERSONS.contains(&object_kind) && !STRUCTURE.contains(&key))
}

/// The key of a reason that went apart.
pub const REASON: &str = "reason";

/// Values on their way to `audit_personal`.
#[derive(Debug, Default)]
pub struct Parts {
    pub keys: Vec<String>,
    pub salts: Vec<Vec<u8>>,
    pub values: Vec<String>,
}

/// Takes the personal parts out of an entry.
///
/// # Errors
/// The machine gives no randomness.
pub fn split(
    object_kind: &str,
    changes: &mut Value,
    reason: &mut Option<String>,
) -> Result<Parts, getrandom::Error> {
    let mut parts = Parts::default();
    let Value::Object(map) = changes else { return Ok(parts) };
    if PERSONS.contains(&object_kind)
        && let Some(reason) = reason.take()
    {
        map.insert(REASON.into(), reason.into());
    }
    for (key, value) in map.iter_mut() {
        if is_personal(object_kind, key) && !value.is_null() {
            let (mut salt, text) = (vec![0; 32], value.to_string());
            getrandom::fill(&mut salt)?;
            *value = json!({ "commitment": hex(&commitment(&salt, &text)) });
            parts.keys.push(key.clone());
            parts.salts.push(salt);
            parts.values.push(text);
        }
    }
    Ok(parts)
}

/// Whose the personal parts are when the writer says nothing else.
pub fn subject(object: (&str, Option<Uuid>), campaign: Option<Uuid>) -> Subject {
    match (object, campaign) {
        ((kind, id), None) => (kind.to_owned(), id),
        ((kind, id), _) if PERSONS.contains(&kind) || kind == "user" => (kind.to_owned(), id),
        (_, Some(campaign)) => ("campaign".into(), Some(campaign)),
    }
}

/// Puts back what is kept apart, in one query; what was erased stays a commitment.
pub async fn restore(conn: &mut PgConnection, entries: &mut [Stored]) -> sqlx::Result<()> {
    let held: Vec<i64> =
        entries.iter().filter(|e| has_commitment(&e.changes)).map(|e| e.seq).collect();
    if held.is_empty() {
        return Ok(());
    }
    let rows =
        sqlx::query!("select entry, key, value from audit_personal where entry = any($1)", &held)
            .fetch_all(conn)
            .await?;
    let mut values: HashMap<i64, Map<String, Value>> = HashMap::new();
    for row in rows {
        let value = serde_json::from_str(&row.value).unwrap_or_default();
        values.entry(row.entry).or_default().insert(row.key, value);
    }
    for entry in entries {
        if let (Value::Object(map), Some(values)) = (&mut entry.changes, values.remove(&entry.seq))
        {
            map.extend(values);
        }
        if PERSONS.contains(&entry.object_kind.as_str()) && entry.changes.get(REASON).is_some() {
            let reason = entry.changes.as_object_mut().and_then(|map| map.remove(REASON));
            entry.reason = reason.map(|r| r.as_str().map_or_else(|| ERASED.into(), str::to_owned));
        }
    }
    Ok(())
}

/// What the screen shows in the place of an erased value.
pub const ERASED: &str = "donnée effacée";

pub fn is_commitment(value: &Value) -> bool {
    value.as_object().is_some_and(|map| map.len() == 1 && map.contains_key("commitment"))
}

fn has_commitment(changes: &Value) -> bool {
    changes.as_object().is_some_and(|map| map.values().any(is_commitment))
}

/// Forgets all that the audit says of a subject: value and salt are deleted, entries stay. Gives how
/// many values went. A campaign goes with all that its entries say of persons.
pub async fn erase(conn: &mut PgConnection, kind: &str, id: Uuid) -> sqlx::Result<u64> {
    let mut gone = sqlx::query!(
        "delete from audit_personal where subject_kind = $1 and subject_id = $2",
        kind,
        id
    )
    .execute(&mut *conn)
    .await?
    .rows_affected();
    if kind == "campaign" {
        gone += sqlx::query!(
            "delete from audit_personal where entry in (select seq from audit_entries where campaign_id = $1)",
            id
        )
        .execute(conn)
        .await?
        .rows_affected();
    }
    Ok(gone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_go_apart_and_the_structure_stays() {
        let mut changes = json!({ "status": [1, 2], "label": [null, "MOREAU Anne"], "Poste": ["a", "b"], "email": null });
        let mut reason = Some("Anne est absente".to_owned());
        let parts = split("operation", &mut changes, &mut reason).unwrap();
        assert_eq!(parts.keys, ["Poste", "label", "reason"]);
        assert_eq!(changes["status"], json!([1, 2]));
        assert_eq!((reason, changes["email"].clone()), (None, Value::Null));
        assert!(!changes.to_string().contains("Anne") && is_commitment(&changes["label"]));
        for (key, salt, value) in
            parts.keys.iter().zip(&parts.salts).zip(&parts.values).map(|((k, s), v)| (k, s, v))
        {
            assert_eq!(changes[key]["commitment"], json!(hex(&commitment(salt, value))));
        }

        let mut changes = json!({ "name": ["a", "b"], "owner": ["A", "B"] });
        let mut reason = Some("Motif".to_owned());
        assert_eq!(split("campaign", &mut changes, &mut reason).unwrap().keys, ["owner"]);
        assert_eq!(reason.as_deref(), Some("Motif"));

        for (kind, key) in [("prerequisite", "responsible"), ("instance", "recipient")] {
            let mut changes = json!({ key: "Anne", "name": "a" });
            assert_eq!(split(kind, &mut changes, &mut None).unwrap().keys, [key]);
        }
    }

    #[test]
    fn a_value_committed_twice_does_not_look_the_same() {
        let committed = || {
            let mut changes = json!({ "email": [null, "anne@ops.test"] });
            split("user", &mut changes, &mut None).unwrap();
            changes
        };
        assert_ne!(committed(), committed());
    }

    #[test]
    fn the_subject_is_the_person_or_the_campaign() {
        let (id, campaign) = (Uuid::now_v7(), Uuid::now_v7());
        let of = |kind, campaign| subject((kind, Some(id)), campaign);
        assert_eq!(of("operation", Some(campaign)), ("operation".into(), Some(id)));
        assert_eq!(of("grant", Some(campaign)), ("campaign".into(), Some(campaign)));
        assert_eq!(of("user", None), ("user".into(), Some(id)));
    }
}
