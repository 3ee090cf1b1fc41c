// SPDX-License-Identifier: EUPL-1.2
//! Changing the fields of a campaign without touching what they hold (US-219, RG-015, RG-061).
use super::{Campaign, Configure, Declaration, Field, SortIndexes, Usage, fields};
use crate::{
    audit::Entry,
    db::{Id, Tx, sqlstate, unless_taken},
    operations::values::{Checker, display},
    text::norm,
    web::{Error, Result, auth::Allowed},
};
use chrono::Duration;
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

/// How long a deleted field keeps its values.
pub const KEPT: Duration = Duration::days(30);

/// Adds a field at the end; `false` when the label is taken.
pub async fn add_field(
    tx: &mut Tx,
    campaign: &Allowed<Configure, Campaign>,
    new: &Declaration,
) -> Result<bool> {
    let id = Uuid::now_v7();
    let statement = sqlx::query!(
        "insert into campaign_fields (id, campaign_id, number, label, label_norm, kind, required, searchable, in_list, sortable, hidden, pattern, hint, choices, position)
         select $1, $2, coalesce(max(number), 0) + 1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, coalesce(max(position), 0) + 1
         from campaign_fields where campaign_id = $2",
        id,
        campaign.id as _,
        new.label,
        norm(&new.label),
        new.kind as _,
        new.required,
        new.searchable,
        new.in_list,
        new.sortable,
        new.hidden,
        new.pattern,
        new.hint,
        &new.choices,
    );
    if !unless_taken(tx.conn(), statement).await? {
        return Ok(false);
    }
    if new.sortable {
        tx.enqueue(SortIndexes { campaign: campaign.id.uuid() }).await?;
    }
    traced(tx, campaign, "field.added", id, new.trace(None)).await?;
    Ok(true)
}

/// A value that the new declaration refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub value: String,
    pub count: i64,
    pub why: String,
}

#[derive(Debug)]
pub enum Edited {
    Saved {
        changed: bool,
    },
    LabelTaken,
    /// Nothing was written: these values do not convert, and nobody accepted that.
    Unconverted(Vec<Refused>),
}

/// Renames, hides, or changes the kind of a field. Values that convert are stored in their new
/// form; the others stay as they are, to be corrected, if `accept`.
pub async fn edit_field(
    tx: &mut Tx,
    campaign: &Allowed<Configure, Campaign>,
    field: &Field,
    new: &Declaration,
    accept: bool,
) -> Result<Edited> {
    let before = Declaration::of(field);
    if before == *new {
        return Ok(Edited::Saved { changed: false });
    }
    let mut trace = new.trace(Some(&before));
    if (new.kind, &new.pattern, &new.choices) != (before.kind, &before.pattern, &before.choices) {
        let (converted, refused) = convert(tx.conn(), campaign.id, field, new).await?;
        if !refused.is_empty() && !accept {
            return Ok(Edited::Unconverted(refused));
        }
        if !refused.is_empty() {
            trace["invalid"] = json!(refused.iter().map(|r| r.count).sum::<i64>());
        }
        rewrite(tx, campaign.id, field, converted).await?;
    }
    if !write(tx, field, new).await? {
        return Ok(Edited::LabelTaken);
    }
    if (new.searchable, new.kind) != (before.searchable, before.kind) {
        tx.enqueue(super::reindex::Reindex { campaign: campaign.id.uuid() }).await?;
    }
    let order = |of: &Declaration| (of.sortable, of.kind, of.hidden);
    if order(new) != order(&before) && (new.sortable || before.sortable) {
        tx.enqueue(SortIndexes { campaign: campaign.id.uuid() }).await?;
    }
    traced(tx, campaign, "field.edited", field.id, trace).await?;
    Ok(Edited::Saved { changed: true })
}

async fn write(tx: &mut Tx, field: &Field, new: &Declaration) -> Result<bool> {
    let statement = sqlx::query!(
        "update campaign_fields set label = $2, label_norm = $3, kind = $4, required = $5, searchable = $6, in_list = $7, sortable = $8, hidden = $9,
                pattern = $10, hint = $11, choices = $12 where id = $1",
        field.id,
        new.label,
        norm(&new.label),
        new.kind as _,
        new.required,
        new.searchable,
        new.in_list,
        new.sortable,
        new.hidden,
        new.pattern,
        new.hint,
        &new.choices,
    );
    Ok(unless_taken(tx.conn(), statement).await?)
}

/// Each distinct value against the new declaration: (old text, new text) of those whose form
/// changes, and those refused, most frequent first.
async fn convert(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
    field: &Field,
    new: &Declaration,
) -> Result<(Vec<(String, String)>, Vec<Refused>)> {
    let checker = Checker::new(
        new.kind,
        &new.label,
        false,
        new.pattern.as_deref(),
        new.hint.as_deref(),
        &new.choices,
    );
    let (mut converted, mut refused) = (Vec::new(), Vec::new());
    for (text, count) in distinct_values(conn, campaign, field).await? {
        // Another kind reads the value as people see it: a date jj/mm/aaaa, a number with a comma.
        let read = if new.kind == field.kind {
            text.clone()
        } else {
            display(field.kind, &text).replace('\u{a0}', " ")
        };
        match checker.check(&read) {
            Ok(Some(accepted)) if accepted.stored != text => {
                converted.push((text, accepted.stored.into_owned()))
            }
            Ok(_) => {}
            Err(why) => refused.push(Refused { value: read, count, why }),
        }
    }
    Ok((converted, refused))
}

async fn distinct_values(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
    field: &Field,
) -> sqlx::Result<Vec<(String, i64)>> {
    let rows = sqlx::query!(
        r#"select v.text as "text!", count(*) as "n!"
           from operations o cross join lateral (select case when $3 then o.identifier when $4 then o.label else o.values ->> $2::text end) v (text)
           where o.campaign_id = $1 and o.deleted_at is null and v.text <> '' group by v.text order by 2 desc, 1"#,
        campaign as _,
        field.key(),
        field.is(Usage::Identifier),
        field.is(Usage::Label),
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.text, row.n)).collect())
}

/// How many live operations hold a value in it.
pub async fn count_values(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
    field: &Field,
) -> sqlx::Result<i64> {
    Ok(distinct_values(conn, campaign, field).await?.iter().map(|(_, n)| n).sum())
}

/// One statement, whatever the number of operations.
async fn rewrite(
    tx: &mut Tx,
    campaign: Id<Campaign>,
    field: &Field,
    converted: Vec<(String, String)>,
) -> Result<()> {
    if converted.is_empty() || field.is_column() {
        return Ok(());
    }
    let (now, user) = (tx.now(), tx.actor().user_id());
    let (old, new): (Vec<_>, Vec<_>) = converted.into_iter().unzip();
    sqlx::query!(
        "update operations o set values = jsonb_set(o.values, array[$2::text], to_jsonb(n.new)), version = version + 1, updated_at = $5, updated_by = $6
         from unnest($3::text[], $4::text[]) n (old, new) where o.campaign_id = $1 and o.values ->> $2::text = n.old",
        campaign as _,
        field.key(),
        &old,
        &new,
        now,
        user as _
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// One place up or down in lists and forms.
pub async fn move_field(
    tx: &mut Tx,
    campaign: &Allowed<Configure, Campaign>,
    field: &Field,
    up: bool,
) -> Result<()> {
    let mut order = fields(tx.conn(), campaign.id).await?;
    let at = order.iter().position(|f| f.id == field.id).ok_or(Error::NotFound)?;
    let to = if up { at.checked_sub(1) } else { Some(at + 1).filter(|to| *to < order.len()) };
    let Some(to) = to else {
        return Err(Error::Refused("Ce champ est déjà à l’extrémité de la liste.".into()));
    };
    order.swap(at, to);
    let ids: Vec<Uuid> = order.iter().map(|f| f.id).collect();
    sqlx::query!(
        "update campaign_fields f set position = n.position from unnest($1::uuid[]) with ordinality n (id, position) where f.id = n.id",
        &ids
    )
    .execute(tx.conn())
    .await?;
    traced(tx, campaign, "field.moved", field.id, json!({ "position": [at + 1, to + 1] })).await
}

/// Kept with its values for 30 days.
///
/// # Errors
/// The identifier or the label: an operation always has both.
pub async fn delete_field(
    tx: &mut Tx,
    campaign: &Allowed<Configure, Campaign>,
    field: &Field,
) -> Result<()> {
    if field.is_column() {
        return Err(Error::Refused("L’identifiant et le libellé ne se suppriment pas. Donnez d’abord cet usage à un autre champ.".into()));
    }
    let now = tx.now();
    sqlx::query!("update campaign_fields set deleted_at = $2 where id = $1", field.id, now)
        .execute(tx.conn())
        .await?;
    if field.sortable {
        tx.enqueue(SortIndexes { campaign: campaign.id.uuid() }).await?;
    }
    traced(tx, campaign, "field.deleted", field.id, json!({ "label": [field.label, null] })).await
}

/// (id, label, when) of the fields that can still be brought back.
pub async fn deleted_fields(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
    since: chrono::DateTime<chrono::Utc>,
) -> sqlx::Result<Vec<Deleted>> {
    sqlx::query_as!(
        Deleted,
        r#"select id, label, deleted_at as "deleted_at!" from campaign_fields where campaign_id = $1 and deleted_at > $2 order by deleted_at desc"#,
        campaign as _,
        since
    )
    .fetch_all(conn)
    .await
}

pub struct Deleted {
    pub id: Uuid,
    pub label: String,
    pub deleted_at: chrono::DateTime<chrono::Utc>,
}

/// Brings a deleted field back, with its values; without its usages that another field took, nor the
/// order that five others give meanwhile.
///
/// # Errors
/// A label that another field took; a field deleted for too long.
pub async fn restore_field(
    tx: &mut Tx,
    campaign: &Allowed<Configure, Campaign>,
    id: Uuid,
) -> Result<()> {
    let since = tx.now() - KEPT;
    let restored = sqlx::query_scalar!(
        "update campaign_fields set deleted_at = null,
                usages = (select coalesce(array_agg(u), '{}') from unnest(usages) u where u not in ('identifier', 'label')),
                sortable = sortable and (select count(*) from campaign_fields f where f.campaign_id = $2 and f.sortable and f.deleted_at is null) < $4
         where id = $1 and campaign_id = $2 and deleted_at > $3 returning label",
        id,
        campaign.id as _,
        since,
        super::SORTABLE as i64
    )
    .fetch_one(tx.conn())
    .await
    .map_err(|err| match sqlstate(&err).as_deref() {
        Some("23505") => Error::Refused("Un autre champ porte déjà ce nom : renommez-le d’abord.".into()),
        _ => err.into(),
    })?;
    tx.enqueue(SortIndexes { campaign: campaign.id.uuid() }).await?;
    traced(tx, campaign, "field.restored", id, json!({ "label": [null, restored] })).await
}

pub(super) async fn traced(
    tx: &mut Tx,
    campaign: &Campaign,
    action: &'static str,
    id: Uuid,
    changes: Value,
) -> Result<()> {
    tx.record(Entry::on(action, "field", id).campaign(campaign.id).changes(changes)).await?;
    tx.touch_campaign(campaign.id).await?;
    Ok(())
}
