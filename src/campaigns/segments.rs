// SPDX-License-Identifier: EUPL-1.2
//! Segments: buildings, services, sites; a group of operations (RG-093, RG-095).
use super::{Campaign, Configure};
use crate::{
    audit::Entry,
    db::{Id, Tx, sqlstate},
    text::{clean, norm},
    web::{Error, Result, auth::Allowed},
};
use serde_json::json;
use sqlx::PgConnection;

#[derive(Clone, Debug)]
pub struct Segment {
    pub id: Id<Segment>,
    pub name: String,
    pub name_norm: String,
}

/// Shown for operations without segment.
pub const NO_SEGMENT: &str = "Sans segment";

/// The segments of a campaign in the order of its lists.
pub async fn segments(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
) -> sqlx::Result<Vec<Segment>> {
    sqlx::query_as!(
        Segment,
        "select id, name, name_norm from segments where campaign_id = $1 order by id",
        campaign as _
    )
    .fetch_all(conn)
    .await
}

/// Adds a segment, after the others.
///
/// # Errors
/// A name that is empty, too long or taken, whatever its case and accents (RG-093).
pub async fn create_segment(
    tx: &mut Tx,
    campaign: &Allowed<Configure, Campaign>,
    name: &str,
) -> Result<Id<Segment>> {
    let name = check_name(name)?;
    let id = Id::<Segment>::new();
    sqlx::query!(
        "insert into segments (id, campaign_id, name, name_norm, position)
         select $1, $2, $3, $4, coalesce(max(position), 0) + 1 from segments where campaign_id = $2",
        id as _,
        campaign.id as _,
        name,
        norm(&name)
    )
    .execute(tx.conn())
    .await
    .map_err(taken)?;
    tx.record(
        Entry::on("segment.created", "segment", id.uuid())
            .campaign(campaign.id)
            .changes(json!({ "name": [null, name] })),
    )
    .await?;
    tx.touch_campaign(campaign.id).await?;
    Ok(id)
}

/// Renames a segment; its operations follow.
///
/// # Errors
/// As [`create_segment`]; `NotFound` for a segment of another campaign.
pub async fn rename_segment(
    tx: &mut Tx,
    campaign: &Allowed<Configure, Campaign>,
    segment: Id<Segment>,
    name: &str,
) -> Result<()> {
    let name = check_name(name)?;
    let former = sqlx::query_scalar!(
        "select name from segments where id = $1 and campaign_id = $2 for update",
        segment as _,
        campaign.id as _
    )
    .fetch_one(tx.conn())
    .await?;
    sqlx::query!(
        "update segments set name = $2, name_norm = $3, version = version + 1 where id = $1",
        segment as _,
        name,
        norm(&name)
    )
    .execute(tx.conn())
    .await
    .map_err(taken)?;
    tx.record(
        Entry::on("segment.renamed", "segment", segment.uuid())
            .campaign(campaign.id)
            .changes(json!({ "name": [former, name] })),
    )
    .await?;
    tx.touch_campaign(campaign.id).await?;
    Ok(())
}

fn check_name(name: &str) -> Result<String> {
    let name = clean(name);
    if !(1..=100).contains(&name.chars().count()) || norm(&name).is_empty() {
        return Err(Error::Refused(
            "Le nom d’un segment doit compter de 1 à 100 caractères.".into(),
        ));
    }
    if norm(&name) == norm(NO_SEGMENT) {
        return Err(Error::Refused(format!(
            "« {NO_SEGMENT} » désigne déjà les opérations qui n’en ont pas."
        )));
    }
    Ok(name)
}

fn taken(err: sqlx::Error) -> Error {
    match sqlstate(&err).as_deref() {
        Some("23505") => Error::Refused("Un segment de cette campagne porte déjà ce nom.".into()),
        _ => err.into(),
    }
}
