// SPDX-License-Identifier: EUPL-1.2
//! What is done to a prerequisite. A command locks its row, never the campaign's.
use super::{
    gates,
    model::{Declared, Prerequisite, State, find},
};
use crate::{
    audit::Entry,
    campaigns::{Campaign, Configure, Segment},
    db::{Id, Tx},
    web::{Error, Result, auth::Allowed},
};
use serde_json::{Value, json};
use sqlx::PgConnection;

/// Adds one at the end of its scope, « À faire ».
pub async fn create(
    tx: &mut Tx,
    campaign: &Allowed<Configure, Campaign>,
    segment: Option<Id<Segment>>,
    new: &Declared,
) -> Result<Id<Prerequisite>> {
    let id = Id::<Prerequisite>::new();
    let (now, user) = (tx.now(), tx.actor().user_id());
    sqlx::query!(
        "insert into prerequisites (id, campaign_id, segment_id, label, responsible, target_date, gate_booking, gate_start, note, position, created_at, created_by, updated_at, updated_by)
         select $1, $2, $3, $4, $5, $6, $7, $8, $9, coalesce(max(position), 0) + 1, $10, $11, $10, $11
         from prerequisites where campaign_id = $2 and segment_id is not distinct from $3",
        id as _,
        campaign.id as _,
        segment as _,
        new.label,
        new.responsible,
        new.target,
        new.gate_booking,
        new.gate_start,
        new.note,
        now,
        user as _
    )
    .execute(tx.conn())
    .await?;
    traced(tx, campaign, "prerequisite.created", id, new.trace(None)).await?;
    Ok(id)
}

/// Changes what it says. A gate that was forced is plain again when it blocks something else than
/// what was let pass, or nothing. Whether anything changed.
pub async fn edit(
    tx: &mut Tx,
    campaign: &Allowed<Configure, Campaign>,
    stored: &Prerequisite,
    new: &Declared,
) -> Result<bool> {
    let before = stored.declared();
    if before == *new {
        return Ok(false);
    }
    let (now, user) = (tx.now(), tx.actor().user_id());
    let blocks_more =
        (new.gate_booking && !before.gate_booking) || (new.gate_start && !before.gate_start);
    let stays_forced = (new.gate_booking || new.gate_start) && !blocks_more;
    sqlx::query!(
        "update prerequisites set label = $2, responsible = $3, target_date = $4, gate_booking = $5, gate_start = $6, note = $7,
                forced_at = case when $10 then forced_at end, forced_by = case when $10 then forced_by end,
                forced_reason = case when $10 then forced_reason end,
                version = version + 1, updated_at = $8, updated_by = $9 where id = $1",
        stored.id as _,
        new.label,
        new.responsible,
        new.target,
        new.gate_booking,
        new.gate_start,
        new.note,
        now,
        user as _,
        stays_forced
    )
    .execute(tx.conn())
    .await?;
    traced(tx, campaign, "prerequisite.edited", stored.id, new.trace(Some(&before))).await?;
    Ok(true)
}

/// What is done blocks no more, and a gate that was forced is plain again if it falls back.
pub async fn set_state(
    tx: &mut Tx,
    campaign: &Allowed<Configure, Campaign>,
    stored: &Prerequisite,
    to: State,
) -> Result<()> {
    let (now, user) = (tx.now(), tx.actor().user_id());
    sqlx::query!(
        "update prerequisites set status = $2,
                forced_at = case when $2 <> 'done' then forced_at end, forced_by = case when $2 <> 'done' then forced_by end,
                forced_reason = case when $2 <> 'done' then forced_reason end,
                version = version + 1, updated_at = $3, updated_by = $4 where id = $1",
        stored.id as _,
        to.code(),
        now,
        user as _
    )
    .execute(tx.conn())
    .await?;
    let changes = json!({ "label": [stored.label, stored.label], "state": [stored.state.label(), to.label()] });
    traced(tx, campaign, "prerequisite.status_changed", stored.id, changes).await
}

/// One place up or down in its scope: (place, of how many).
pub async fn move_one(
    tx: &mut Tx,
    campaign: &Allowed<Configure, Campaign>,
    stored: &Prerequisite,
    up: bool,
) -> Result<(usize, usize)> {
    // All of them first, in one order for everybody; then the places as they are now.
    sqlx::query!(
        "select 1 as one from prerequisites where campaign_id = $1 and segment_id is not distinct from $2 order by id for update",
        campaign.id as _,
        stored.segment as _
    )
    .fetch_all(tx.conn())
    .await?;
    let mut order = sqlx::query_scalar!(
        r#"select id as "id: Id<Prerequisite>" from prerequisites where campaign_id = $1 and segment_id is not distinct from $2
           order by position, id"#,
        campaign.id as _,
        stored.segment as _
    )
    .fetch_all(tx.conn())
    .await?;
    let at = order.iter().position(|id| *id == stored.id).ok_or(Error::NotFound)?;
    let to = if up { at.checked_sub(1) } else { Some(at + 1).filter(|to| *to < order.len()) };
    let Some(to) = to else {
        return Err(Error::Refused("Ce prérequis est déjà à l’extrémité de la liste.".into()));
    };
    order.swap(at, to);
    sqlx::query!(
        "update prerequisites p set position = n.position from unnest($1::uuid[]) with ordinality n (id, position) where p.id = n.id",
        &order as _
    )
    .execute(tx.conn())
    .await?;
    let changes = json!({ "position": [at + 1, to + 1] });
    traced(tx, campaign, "prerequisite.reordered", stored.id, changes).await?;
    Ok((to + 1, order.len()))
}

pub async fn delete(
    tx: &mut Tx,
    campaign: &Allowed<Configure, Campaign>,
    stored: &Prerequisite,
) -> Result<()> {
    sqlx::query!("delete from prerequisites where id = $1", stored.id as _)
        .execute(tx.conn())
        .await?;
    let changes = json!({ "label": [stored.label, null], "state": [stored.state.label(), null] });
    traced(tx, campaign, "prerequisite.deleted", stored.id, changes).await
}

/// « 3 opérations déjà démarrées continuent. » when a gate that was open blocks again.
pub async fn warning(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
    before: Option<&Prerequisite>,
    after: Id<Prerequisite>,
) -> Result<String> {
    let after = find(conn, campaign, after).await?;
    let blocked = before.is_some_and(|p| p.gate_start && p.blocks());
    if blocked || !after.gate_start || !after.blocks() {
        return Ok(String::new());
    }
    let running = gates::running(conn, campaign, after.segment).await?;
    Ok(match running {
        0 => " Il bloque désormais le démarrage.".into(),
        1 => " Il bloque désormais le démarrage ; une opération déjà démarrée continue.".into(),
        n => format!(
            " Il bloque désormais le démarrage ; {} opérations déjà démarrées continuent.",
            crate::text::number(n)
        ),
    })
}

pub(super) async fn traced(
    tx: &mut Tx,
    campaign: &Campaign,
    action: &'static str,
    id: Id<Prerequisite>,
    changes: Value,
) -> Result<()> {
    let entry = Entry::on(action, "prerequisite", id.uuid());
    tx.record(entry.campaign(campaign.id).changes(changes)).await?;
    tx.touch_campaign(campaign.id).await?;
    Ok(())
}
