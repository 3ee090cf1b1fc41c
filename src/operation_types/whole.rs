// SPDX-License-Identifier: EUPL-1.2
//! A type written with all its fields at once, as the configuration archive brings it (US-806).
use super::{
    commands::{Information, edit, insert, traced},
    model::{OperationType, TypeField},
};
use crate::{
    campaigns::{FieldKind, Usage},
    configuration::Administer,
    db::Tx,
    text::norm,
    web::{Error, Result},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

/// A field with the code it keeps for life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WholeField {
    pub code: String,
    pub label: String,
    pub kind: FieldKind,
    pub required: bool,
    pub searchable: bool,
    pub in_list: bool,
    /// Absent from archives made before it existed.
    #[serde(default)]
    pub sortable: bool,
    pub pattern: Option<String>,
    pub hint: Option<String>,
    pub choices: Vec<String>,
    /// Codes of [`Usage`].
    pub usages: Vec<String>,
}

impl WholeField {
    pub fn has(&self, usage: Usage) -> bool {
        self.usages.iter().any(|code| code == usage.code())
    }
}

impl From<TypeField> for WholeField {
    fn from(field: TypeField) -> Self {
        Self {
            code: field.code,
            label: field.label,
            kind: field.kind,
            required: field.required,
            searchable: field.searchable,
            in_list: field.in_list,
            sortable: field.sortable,
            pattern: field.pattern,
            hint: field.hint,
            choices: field.choices,
            usages: field.usages,
        }
    }
}

/// A type and its fields, checked.
pub struct Whole<'a> {
    pub information: Information,
    pub active: bool,
    pub fields: &'a [WholeField],
}

const TAKEN: &str = "Un type porte déjà ce nom. Recommencez.";

/// Adds it after the others.
///
/// # Errors
/// `Refused` when its name is taken.
pub async fn create_whole(tx: &mut Tx, _may: &Administer, new: &Whole<'_>) -> Result<Uuid> {
    let id = Uuid::now_v7();
    if !insert(tx, id, &new.information).await? {
        return Err(Error::Refused(TAKEN.into()));
    }
    write_active(tx, id, new.active).await?;
    write_fields(tx, id, new.fields).await?;
    let mut trace = new.information.trace(None);
    trace["fields"] = json!([Value::Null, new.fields.len()]);
    traced(tx, "type.created", id, trace).await?;
    Ok(id)
}

/// Gives a type other information and other fields; campaigns keep what they copied (US-801.3).
///
/// # Errors
/// `Refused` when its name is taken.
pub async fn replace_whole(
    tx: &mut Tx,
    may: &Administer,
    kind: &OperationType,
    new: &Whole<'_>,
) -> Result<()> {
    let Some(_) = edit(tx, may, kind, &new.information).await? else {
        return Err(Error::Refused(TAKEN.into()));
    };
    write_active(tx, kind.id, new.active).await?;
    write_fields(tx, kind.id, new.fields).await?;
    let changes = json!({ "active": [kind.active, new.active], "fields": [kind.fields, new.fields.len()], "replaced": true });
    traced(tx, "type.edited", kind.id, changes).await
}

async fn write_active(tx: &mut Tx, kind: Uuid, active: bool) -> Result<()> {
    sqlx::query!(
        "update operation_types set active = $2, version = version + 1 where id = $1 and active <> $2",
        kind,
        active
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

async fn write_fields(tx: &mut Tx, kind: Uuid, fields: &[WholeField]) -> Result<()> {
    let rows: Vec<Value> = fields
        .iter()
        .enumerate()
        .map(|(n, field)| {
            let mut row = json!(field);
            row["label_norm"] = norm(&field.label).into();
            row["position"] = (n + 1).into();
            row
        })
        .collect();
    sqlx::query!("delete from type_fields where type_id = $1", kind).execute(tx.conn()).await?;
    sqlx::query!(
        "insert into type_fields (id, type_id, code, label, label_norm, kind, required, searchable, in_list, sortable, pattern, hint, choices, usages, position)
         select gen_random_uuid(), $1, f.code, f.label, f.label_norm, f.kind, f.required, f.searchable, f.in_list, f.sortable, f.pattern, f.hint,
                array(select jsonb_array_elements_text(f.choices)), array(select jsonb_array_elements_text(f.usages)), f.position
         from jsonb_to_recordset($2) as f (code text, label text, label_norm text, kind field_kind, required boolean, searchable boolean,
              in_list boolean, sortable boolean, pattern text, hint text, choices jsonb, usages jsonb, position int)",
        kind,
        Value::Array(rows)
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
