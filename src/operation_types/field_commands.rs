// SPDX-License-Identifier: EUPL-1.2
//! The fields of a type: proposed, added, changed, ordered, removed (US-802, RG-061).
use super::{
    commands::{free_code, traced},
    model::{TypeField, type_fields},
};
use crate::{
    campaigns::{Declaration, FieldKind, Usage},
    configuration::{Administer, ordering::Move},
    db::{Tx, unless_taken},
    text::norm,
    web::{Error, Result},
};
use serde_json::{Value, json};
use uuid::Uuid;

/// A field as declared, with what it is for.
#[derive(Clone, Debug, PartialEq)]
pub struct Declared {
    pub field: Declaration,
    /// Codes of [`Usage`], in their order.
    pub usages: Vec<String>,
}

/// The five fields of RG-060, for a new type.
pub async fn propose(tx: &mut Tx, kind: Uuid) -> Result<()> {
    let proposed = [
        ("Matricule", FieldKind::ShortText, true, &[Usage::Identifier, Usage::AgentKey][..]),
        ("Nom utilisateur", FieldKind::ShortText, true, &[Usage::Label]),
        ("Équipement", FieldKind::ShortText, false, &[Usage::Equipment]),
        ("Localisation", FieldKind::ShortText, false, &[Usage::Location]),
        ("Contact", FieldKind::Phone, false, &[Usage::Contact]),
    ];
    for (label, field_kind, required, usages) in proposed {
        let new = Declared {
            field: Declaration {
                label: label.into(),
                kind: field_kind,
                required,
                searchable: true,
                in_list: true,
                sortable: usages.contains(&Usage::Location),
                hidden: false,
                pattern: None,
                hint: None,
                choices: Vec::new(),
            },
            usages: usages.iter().map(|usage| usage.code().to_owned()).collect(),
        };
        insert(tx, kind, &new).await?;
    }
    Ok(())
}

async fn insert(tx: &mut Tx, kind: Uuid, new: &Declared) -> Result<bool> {
    let code = free_code(tx, kind, &new.field.label).await?;
    let field = &new.field;
    let statement = sqlx::query!(
        "insert into type_fields (id, type_id, code, label, label_norm, kind, required, searchable, in_list, sortable, pattern, hint, choices, usages, position)
         select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, coalesce(max(position), 0) + 1 from type_fields where type_id = $2",
        Uuid::now_v7(),
        kind,
        code,
        field.label,
        norm(&field.label),
        field.kind as _,
        field.required,
        field.searchable,
        field.in_list,
        field.sortable,
        field.pattern,
        field.hint,
        &field.choices,
        &new.usages,
    );
    Ok(unless_taken(tx.conn(), statement).await?)
}

/// Locks the type: two edits of its fields wait for each other, and usages stay unique.
pub async fn lock(tx: &mut Tx, kind: Uuid) -> Result<()> {
    sqlx::query!("select 1 as one from operation_types where id = $1 for update", kind)
        .fetch_optional(tx.conn())
        .await?
        .ok_or(Error::NotFound)
        .map(drop)
}

/// Adds a field at the end; `false` when the label is taken.
pub async fn add(tx: &mut Tx, _may: &Administer, kind: Uuid, new: &Declared) -> Result<bool> {
    lock(tx, kind).await?;
    take_usages(tx, kind, None, &new.usages).await?;
    if !insert(tx, kind, new).await? {
        return Ok(false);
    }
    let mut trace = new.field.trace(None);
    trace["usages"] = json!([Value::Null, new.usages]);
    traced(tx, "type.field_added", kind, trace).await?;
    Ok(true)
}

/// A usage belongs to one field: giving it here takes it from the other (RG-015).
async fn take_usages(
    tx: &mut Tx,
    kind: Uuid,
    except: Option<Uuid>,
    usages: &[String],
) -> Result<()> {
    sqlx::query!(
        "update type_fields set usages = array(select u from unnest(usages) u where u <> all ($3))
         where type_id = $1 and id is distinct from $2 and usages && $3",
        kind,
        except,
        usages
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

#[derive(Debug, PartialEq, Eq)]
pub enum Edited {
    Saved {
        changed: bool,
    },
    LabelTaken,
    /// The identifier or the label would belong to no field.
    UsageLost(Usage),
}

/// Changes a field of the type; campaigns keep theirs (US-801.3).
pub async fn edit(
    tx: &mut Tx,
    _may: &Administer,
    kind: Uuid,
    field: &TypeField,
    new: &Declared,
) -> Result<Edited> {
    let before = Declared { field: field.declaration(), usages: field.usages.clone() };
    if before == *new {
        return Ok(Edited::Saved { changed: false });
    }
    for usage in [Usage::Identifier, Usage::Label] {
        if field.is(usage) && !new.usages.iter().any(|code| code == usage.code()) {
            return Ok(Edited::UsageLost(usage));
        }
    }
    take_usages(tx, kind, Some(field.id), &new.usages).await?;
    let declared = &new.field;
    let statement = sqlx::query!(
        "update type_fields set label = $2, label_norm = $3, kind = $4, required = $5, searchable = $6, in_list = $7, sortable = $8, pattern = $9,
                hint = $10, choices = $11, usages = $12 where id = $1",
        field.id,
        declared.label,
        norm(&declared.label),
        declared.kind as _,
        declared.required,
        declared.searchable,
        declared.in_list,
        declared.sortable,
        declared.pattern,
        declared.hint,
        &declared.choices,
        &new.usages,
    );
    if !unless_taken(tx.conn(), statement).await? {
        return Ok(Edited::LabelTaken);
    }
    let mut trace = declared.trace(Some(&before.field));
    if before.usages != new.usages {
        trace["usages"] = json!([before.usages, new.usages]);
    }
    trace["field"] = json!(field.label);
    traced(tx, "type.field_edited", kind, trace).await?;
    Ok(Edited::Saved { changed: true })
}

/// Its new rank, from 1, and the number of fields.
pub async fn reorder(
    tx: &mut Tx,
    _may: &Administer,
    kind: Uuid,
    field: &TypeField,
    how: Move,
) -> Result<(usize, usize)> {
    let mut order: Vec<Uuid> =
        type_fields(tx.conn(), kind).await?.into_iter().map(|f| f.id).collect();
    let from = order.iter().position(|id| *id == field.id).ok_or(Error::NotFound)?;
    let to = how.apply(&mut order, from);
    sqlx::query!(
        "update type_fields f set position = n.rank::int from unnest($1::uuid[]) with ordinality n (id, rank)
         where f.id = n.id and f.position <> n.rank",
        &order
    )
    .execute(tx.conn())
    .await?;
    let changes = json!({ "position": [from + 1, to + 1], "field": field.label });
    traced(tx, "type.field_moved", kind, changes).await?;
    Ok((to + 1, order.len()))
}

/// # Errors
/// The identifier and the label are always there.
pub async fn delete(tx: &mut Tx, _may: &Administer, kind: Uuid, field: &TypeField) -> Result<()> {
    if field.is_column() {
        return Err(Error::Refused(
            "Un type a toujours un identifiant et un libellé : donnez d’abord cet usage à un autre champ."
                .into(),
        ));
    }
    sqlx::query!("delete from type_fields where id = $1", field.id).execute(tx.conn()).await?;
    traced(tx, "type.field_deleted", kind, json!({ "field": field.label })).await
}
