// SPDX-License-Identifier: EUPL-1.2
//! Segments: buildings, services, sites; a group of operations (RG-093, RG-095).
//!
//! A command locks the segment it changes, never its campaign. Deleting one moves its operations
//! first, in one statement, each with its event.
use super::{Campaign, Configure};
use crate::{
    accounts::User,
    audit::{Entry, only_changed},
    db::{Id, Tx, unless_taken},
    text::{clean, norm},
    web::{Error, Result, auth::Allowed},
};
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

#[derive(Clone, Debug)]
pub struct Segment {
    pub id: Id<Segment>,
    pub name: String,
    pub name_norm: String,
    pub color: Option<String>,
}

/// Shown for operations without segment.
pub const NO_SEGMENT: &str = "Sans segment";

pub const NAME_TAKEN: &str = "Un segment de cette campagne porte déjà ce nom";

/// The colours of 05 §2 by name: (code, name, class that sets it).
pub const COLORS: [(&str, &str, &str); 7] = [
    ("primary", "Bleu vif", "primary"),
    ("info", "Bleu", "planned"),
    ("complete", "Violet", "in-progress"),
    ("success", "Vert", "done"),
    ("warning", "Ocre", "postponed"),
    ("danger", "Rouge", "blocked"),
    ("muted", "Gris", "cancelled"),
];

/// The class of a colour, which a swatch beside the name wears; the name never depends on it.
pub fn color_class(code: Option<&str>) -> Option<&'static str> {
    COLORS.iter().find(|color| Some(color.0) == code).map(|color| color.2)
}

impl Segment {
    pub fn swatch(&self) -> Option<&'static str> {
        color_class(self.color.as_deref())
    }
}

/// The segments of a campaign in the order of its lists.
pub async fn segments(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
) -> sqlx::Result<Vec<Segment>> {
    sqlx::query_as!(
        Segment,
        "select id, name, name_norm, color from segments where campaign_id = $1 order by position, id",
        campaign as _
    )
    .fetch_all(conn)
    .await
}

/// What a person says of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub name: String,
    pub color: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    Done,
    Unchanged,
    /// Another one is called so, whatever its case and accents.
    NameTaken,
}

/// A name typed by a person: 2 to 100 characters (RG-095); data may name one « 0 » (RG-093).
///
/// # Errors
/// Why it cannot be one, in French.
pub fn check_name(text: &str) -> Result<String, String> {
    let name = clean(text);
    if !(2..=100).contains(&name.chars().count()) || norm(&name).is_empty() {
        return Err("Le nom d’un segment doit compter de 2 à 100 caractères".into());
    }
    if norm(&name) == norm(NO_SEGMENT) {
        return Err(format!("« {NO_SEGMENT} » désigne déjà les opérations qui n’en ont pas"));
    }
    Ok(name)
}

/// Locks a segment of this campaign: what is read is still so when it is written.
///
/// # Errors
/// `NotFound` for a segment of another campaign.
pub async fn lock_segment(
    tx: &mut Tx,
    campaign: &Allowed<Configure, Campaign>,
    id: Id<Segment>,
) -> Result<Segment> {
    Ok(sqlx::query_as!(
        Segment,
        "select id, name, name_norm, color from segments where id = $1 and campaign_id = $2 for update",
        id as _,
        campaign.id as _
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Adds a segment, after the others.
///
/// # Errors
/// The base.
pub async fn create_segment(
    tx: &mut Tx,
    campaign: &Allowed<Configure, Campaign>,
    new: &Wanted,
) -> Result<Option<Id<Segment>>> {
    let id = Id::<Segment>::new();
    let statement = sqlx::query!(
        "insert into segments (id, campaign_id, name, name_norm, color) values ($1, $2, $3, $4, $5)",
        id as _,
        campaign.id as _,
        new.name,
        norm(&new.name),
        new.color
    );
    if !unless_taken(tx.conn(), statement).await? {
        return Ok(None);
    }
    let changes = json!({ "name": [null, new.name], "color": [null, new.color] });
    traced(tx, campaign, "segment.created", id, only_changed(changes)).await?;
    Ok(Some(id))
}

/// Renames or recolours a segment; its operations follow.
///
/// # Errors
/// The base.
pub async fn edit_segment(
    tx: &mut Tx,
    campaign: &Allowed<Configure, Campaign>,
    segment: &Segment,
    new: &Wanted,
) -> Result<Saved> {
    if segment.name == new.name && segment.color == new.color {
        return Ok(Saved::Unchanged);
    }
    let statement = sqlx::query!(
        "update segments set name = $2, name_norm = $3, color = $4, version = version + 1 where id = $1",
        segment.id as _,
        new.name,
        norm(&new.name),
        new.color
    );
    if !unless_taken(tx.conn(), statement).await? {
        return Ok(Saved::NameTaken);
    }
    let changes = json!({ "name": [segment.name, new.name], "color": [segment.color, new.color] });
    traced(tx, campaign, "segment.edited", segment.id, only_changed(changes)).await?;
    Ok(Saved::Done)
}

/// One place up or down in every list.
///
/// # Errors
/// `Refused` at either end.
pub async fn move_segment(
    tx: &mut Tx,
    campaign: &Allowed<Configure, Campaign>,
    segment: Id<Segment>,
    up: bool,
) -> Result<()> {
    // All of them first, in one order for everybody; then the places as they are now.
    sqlx::query!(
        "select 1 as one from segments where campaign_id = $1 order by id for update",
        campaign.id as _
    )
    .fetch_all(tx.conn())
    .await?;
    let mut order = sqlx::query_scalar!(
        "select id from segments where campaign_id = $1 order by position, id",
        campaign.id as _
    )
    .fetch_all(tx.conn())
    .await?;
    let at = order.iter().position(|id| *id == segment).ok_or(Error::NotFound)?;
    let to = if up { at.checked_sub(1) } else { Some(at + 1).filter(|to| *to < order.len()) };
    let Some(to) = to else {
        return Err(Error::Refused("Ce segment est déjà à l’extrémité de la liste.".into()));
    };
    order.swap(at, to);
    sqlx::query!(
        "update segments s set position = n.position from unnest($1::uuid[]) with ordinality n (id, position) where s.id = n.id",
        &order as _
    )
    .execute(tx.conn())
    .await?;
    let changes = json!({ "position": [at + 1, to + 1] });
    traced(tx, campaign, "segment.reordered", segment, changes).await
}

/// Where the operations of a deleted segment go.
#[derive(Clone, Debug)]
pub struct Destination {
    pub id: Option<Id<Segment>>,
    pub name: String,
}

/// Deletes a segment, its prerequisites with it, and moves its operations; how many moved.
///
/// # Errors
/// `Refused` when the destination went away meanwhile.
pub async fn delete_segment(
    tx: &mut Tx,
    campaign: &Allowed<Configure, Campaign>,
    segment: Id<Segment>,
    to: Option<Id<Segment>>,
) -> Result<u64> {
    // Operations first, as everybody does: a transition holds its row when it asks for its segment.
    sqlx::query!(
        "select 1 as one from operations where campaign_id = $1 and segment_sort = $2 and deleted_at is null order by id for update",
        campaign.id as _,
        segment as _
    )
    .fetch_all(tx.conn())
    .await?;
    let former = lock_segment(tx, campaign, segment).await?;
    let to = match to {
        None => Destination { id: None, name: NO_SEGMENT.into() },
        Some(id) if id == segment => return Err(gone()),
        Some(id) => match lock_segment(tx, campaign, id).await {
            Ok(found) => Destination { id: Some(found.id), name: found.name },
            Err(Error::NotFound) => return Err(gone()),
            Err(err) => return Err(err),
        },
    };
    let moved = move_operations(tx, campaign, &former, &to).await?;
    let prerequisites = sqlx::query!(
        "delete from prerequisites where campaign_id = $1 and segment_id = $2",
        campaign.id as _,
        segment as _
    )
    .execute(tx.conn())
    .await?
    .rows_affected();
    sqlx::query!("delete from segments where id = $1", segment as _).execute(tx.conn()).await?;
    let changes = json!({ "name": [former.name, null], "moved_to": to.name, "operations": moved, "prerequisites": prerequisites });
    traced(tx, campaign, "segment.deleted", segment, changes).await?;
    Ok(moved)
}

fn gone() -> Error {
    Error::Refused("Le segment de destination n’existe plus. Choisissez-en un autre.".into())
}

/// One statement, one event an operation.
async fn move_operations(
    tx: &mut Tx,
    campaign: &Campaign,
    from: &Segment,
    to: &Destination,
) -> Result<u64> {
    let (now, actor, user) = (tx.now(), tx.actor().kind(), tx.actor().user_id());
    let changes = json!({ "Segment": [from.name, to.name] });
    let touched = sqlx::query!(
        r#"with moved as (
             update operations set segment_id = $3, version = version + 1, updated_at = $4, updated_by = $6
             where campaign_id = $1 and segment_sort = $2 and deleted_at is null
             returning id, campaign_id, assignee_id, planned_at),
           told as (
             insert into operation_events (operation_id, campaign_id, at, actor_kind, actor_id, kind, assignee_id, planned_before, planned_after, changes, batch_id)
             select id, campaign_id, $4, $5, $6, 'moved', assignee_id, planned_at, planned_at, $7, $8 from moved)
           select assignee_id as "assignee: Id<User>", count(*) as "n!" from moved group by assignee_id"#,
        campaign.id as _,
        from.id as _,
        to.id as _,
        now,
        actor,
        user as _,
        changes,
        Uuid::now_v7()
    )
    .fetch_all(tx.conn())
    .await?;
    for row in &touched {
        tx.touch_person(row.assignee).await?;
    }
    Ok(touched.iter().map(|row| row.n.unsigned_abs()).sum())
}

async fn traced(
    tx: &mut Tx,
    campaign: &Campaign,
    action: &'static str,
    segment: Id<Segment>,
    changes: serde_json::Value,
) -> Result<()> {
    let entry = Entry::on(action, "segment", segment.uuid());
    tx.record(entry.campaign(campaign.id).changes(changes)).await?;
    tx.touch_campaign(campaign.id).await?;
    Ok(())
}
