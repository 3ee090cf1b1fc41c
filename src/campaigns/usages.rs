// SPDX-License-Identifier: EUPL-1.2
//! Which field is the identifier, the label, and so on (RG-015, US-219.2).
//!
//! The identifier and the label live in columns of their own, the other values in JSON by field
//! number: giving these usages to other fields swaps the texts of every operation at once.
use super::{Campaign, Configure, Field, FieldKind, Usage, field_commands::traced, fields};
use crate::{
    db::{Id, Tx},
    operations::{Operation, search_text},
    text::norm,
    web::{Error, Result, auth::Allowed},
};
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// The field of each usage, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usages {
    pub identifier: i32,
    pub label: i32,
    pub equipment: Option<i32>,
    pub location: Option<i32>,
    pub contact: Option<i32>,
    pub agent_key: Option<i32>,
}

impl Usages {
    pub fn of(fields: &[Field]) -> Option<Self> {
        let number = |usage| fields.iter().find(|f| f.is(usage)).map(|f| f.number);
        Some(Self {
            identifier: number(Usage::Identifier)?,
            label: number(Usage::Label)?,
            equipment: number(Usage::Equipment),
            location: number(Usage::Location),
            contact: number(Usage::Contact),
            agent_key: number(Usage::AgentKey),
        })
    }

    pub fn get(&self, usage: Usage) -> Option<i32> {
        match usage {
            Usage::Identifier => Some(self.identifier),
            Usage::Label => Some(self.label),
            Usage::Equipment => self.equipment,
            Usage::Location => self.location,
            Usage::Contact => self.contact,
            Usage::AgentKey => self.agent_key,
        }
    }

    fn codes(&self, number: i32) -> Vec<String> {
        Usage::ALL
            .into_iter()
            .filter(|usage| self.get(*usage) == Some(number))
            .map(|usage| usage.code().to_owned())
            .collect()
    }
}

/// Why a field cannot become the identifier or the label: at most a page of examples.
#[derive(Debug, Default)]
pub struct Obstacles {
    /// Operations (identifier, label) whose value would be empty.
    pub empty: Vec<(String, String)>,
    pub empty_count: usize,
    /// (value, how many operations share it)
    pub duplicates: Vec<(String, usize)>,
}

impl Obstacles {
    pub fn is_empty(&self) -> bool {
        self.empty_count == 0 && self.duplicates.is_empty()
    }
}

const EXAMPLES: usize = 50;

/// Gives the usages to these fields, for every operation at once; what prevents it comes back.
///
/// # Errors
/// One field for both identifier and label, or a kind that is not a short text.
pub async fn set_usages(
    tx: &mut Tx,
    campaign: &Allowed<Configure, Campaign>,
    new: Usages,
) -> Result<Obstacles> {
    let known = fields(tx.conn(), campaign.id).await?;
    let before = Usages::of(&known)
        .ok_or_else(|| anyhow::anyhow!("campaign without identifier or label"))?;
    if new == before {
        return Ok(Obstacles::default());
    }
    check(&known, new)?;
    let after: Vec<Field> = known
        .iter()
        .cloned()
        .map(|field| Field { usages: new.codes(field.number), ..field })
        .collect();
    if (new.identifier, new.label) != (before.identifier, before.label) {
        let obstacles = swap(tx, campaign.id, before, new, &after).await?;
        if !obstacles.is_empty() {
            return Ok(obstacles);
        }
    }
    write(tx, campaign.id, &after).await?;
    tx.enqueue(super::SortIndexes { campaign: campaign.id.uuid() }).await?;
    let name = |number: Option<i32>| {
        number.and_then(|n| known.iter().find(|f| f.number == n)).map(|f| f.label.clone())
    };
    let changes: Map<String, Value> = Usage::ALL
        .into_iter()
        .filter(|usage| before.get(*usage) != new.get(*usage))
        .map(|usage| {
            (usage.label().to_owned(), json!([name(before.get(usage)), name(new.get(usage))]))
        })
        .collect();
    traced(tx, campaign, "field.usages_changed", campaign.id.uuid(), changes.into()).await?;
    Ok(Obstacles::default())
}

fn check(known: &[Field], new: Usages) -> Result<()> {
    if new.identifier == new.label {
        return Err(Error::Refused(
            "L’identifiant et le libellé doivent être deux champs différents.".into(),
        ));
    }
    for usage in Usage::ALL {
        let Some(number) = new.get(usage) else { continue };
        let field = known.iter().find(|f| f.number == number).ok_or(Error::NotFound)?;
        if matches!(usage, Usage::Identifier | Usage::Label) && field.kind != FieldKind::ShortText {
            return Err(Error::Refused(format!(
                "« {} » ne peut pas être l'{} : choisissez un champ « Texte court ».",
                field.label,
                usage.label().to_lowercase()
            )));
        }
    }
    Ok(())
}

/// Usages first leave their fields, then join the new ones: each is unique at every moment.
async fn write(tx: &mut Tx, campaign: Id<Campaign>, after: &[Field]) -> Result<()> {
    sqlx::query!(
        "update campaign_fields set usages = '{}' where campaign_id = $1 and deleted_at is null",
        campaign as _
    )
    .execute(tx.conn())
    .await?;
    let (ids, codes): (Vec<_>, Vec<_>) = after.iter().map(|f| (f.id, f.usages.join(","))).unzip();
    sqlx::query!(
        "update campaign_fields f set usages = string_to_array(nullif(n.codes, ''), ','),
                required = f.required or 'identifier' = any (string_to_array(n.codes, ',')) or 'label' = any (string_to_array(n.codes, ',')),
                sortable = f.sortable and not ('identifier' = any (string_to_array(n.codes, ',')) or 'label' = any (string_to_array(n.codes, ','))),
                hidden = f.hidden and not ('identifier' = any (string_to_array(n.codes, ',')) or 'label' = any (string_to_array(n.codes, ',')))
         from unnest($1::uuid[], $2::text[]) n (id, codes) where f.id = n.id and n.codes <> ''",
        &ids,
        &codes
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// One row as it will be.
struct Swapped {
    id: Id<Operation>,
    identifier_norm: String,
    label_norm: String,
    search: String,
}

async fn swap(
    tx: &mut Tx,
    campaign: Id<Campaign>,
    before: Usages,
    new: Usages,
    after: &[Field],
) -> Result<Obstacles> {
    let rows = sqlx::query!(
        "select id, identifier, identifier_norm, label, values, deleted_at is not null as \"deleted!\" from operations
         where campaign_id = $1 order by id for update",
        campaign as _
    )
    .fetch_all(tx.conn())
    .await?;
    let (mut obstacles, mut seen, mut swapped) =
        (Obstacles::default(), HashMap::<String, (String, usize)>::new(), Vec::new());
    let mut formers = HashMap::new();
    for row in rows {
        let Value::Object(mut values) = row.values else { continue };
        formers.insert(row.identifier_norm, row.id);
        values.insert(before.identifier.to_string(), json!(row.identifier));
        values.insert(before.label.to_string(), json!(row.label));
        let mut take = |number: i32| {
            values
                .remove(&number.to_string())
                .and_then(|v| v.as_str().map(str::to_owned))
                .unwrap_or_default()
        };
        let (mut identifier, label) = (take(new.identifier), take(new.label));
        if !row.deleted {
            if identifier.is_empty() || label.is_empty() {
                obstacles.empty_count += 1;
                if obstacles.empty.len() < EXAMPLES {
                    obstacles.empty.push((row.identifier.clone(), row.label.clone()));
                }
            }
            if !identifier.is_empty() {
                seen.entry(norm(&identifier)).or_insert_with(|| (identifier.clone(), 0)).1 += 1;
            }
        }
        if identifier.is_empty() {
            identifier = row.identifier;
        }
        let search = search_text(&identifier, &label, &values, after);
        swapped.push(Swapped {
            id: row.id,
            identifier_norm: norm(&identifier),
            label_norm: norm(&label),
            search,
        });
    }
    obstacles.duplicates = seen.into_values().filter(|(_, n)| *n > 1).collect();
    obstacles.duplicates.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    obstacles.duplicates.truncate(EXAMPLES);
    if obstacles.is_empty() {
        if swapped
            .iter()
            .any(|row| formers.get(&row.identifier_norm).is_some_and(|former| *former != row.id))
        {
            make_room(tx, campaign).await?;
        }
        apply(tx, campaign, before, new, &swapped).await?;
    }
    Ok(obstacles)
}

/// A new identifier may be another row's former one: unique indexes are checked row by row.
async fn make_room(tx: &mut Tx, campaign: Id<Campaign>) -> sqlx::Result<()> {
    sqlx::query!(
        "update operations set identifier_norm = id::text where campaign_id = $1",
        campaign as _
    )
    .execute(tx.conn())
    .await
    .map(drop)
}

async fn apply(
    tx: &mut Tx,
    campaign: Id<Campaign>,
    before: Usages,
    new: Usages,
    rows: &[Swapped],
) -> sqlx::Result<()> {
    let (now, user) = (tx.now(), tx.actor().user_id());
    let ids: Vec<_> = rows.iter().map(|r| r.id.uuid()).collect();
    let identifiers: Vec<_> = rows.iter().map(|r| r.identifier_norm.clone()).collect();
    let labels: Vec<_> = rows.iter().map(|r| r.label_norm.clone()).collect();
    let searches: Vec<_> = rows.iter().map(|r| r.search.clone()).collect();
    sqlx::query!(
        "update operations o set
           identifier = coalesce(nullif((o.values || jsonb_build_object($6::text, o.identifier, $7::text, o.label)) ->> $8::text, ''), o.identifier),
           label = coalesce((o.values || jsonb_build_object($6::text, o.identifier, $7::text, o.label)) ->> $9::text, ''),
           values = (o.values || jsonb_strip_nulls(jsonb_build_object($6::text, nullif(o.identifier, ''), $7::text, nullif(o.label, '')))) - $8::text - $9::text,
           identifier_norm = n.identifier_norm, label_norm = n.label_norm, search_text = n.search,
           version = o.version + 1, updated_at = $10, updated_by = $11
         from unnest($2::uuid[], $3::text[], $4::text[], $5::text[]) n (id, identifier_norm, label_norm, search)
         where o.id = n.id and o.campaign_id = $1",
        campaign as _,
        &ids,
        &identifiers,
        &labels,
        &searches,
        before.identifier.to_string(),
        before.label.to_string(),
        new.identifier.to_string(),
        new.label.to_string(),
        now,
        user as _,
    )
    .execute(tx.conn())
    .await
    .map(drop)
}
