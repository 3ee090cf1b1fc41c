// SPDX-License-Identifier: EUPL-1.2
//! Segments: buildings, services, sites; a group of operations (RG-093, RG-095).
use super::Campaign;
use crate::db::Id;
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
pub async fn segments(conn: &mut PgConnection, campaign: Id<Campaign>) -> sqlx::Result<Vec<Segment>> {
    sqlx::query_as!(
        Segment,
        "select id, name, name_norm from segments where campaign_id = $1 order by id",
        campaign as _
    )
    .fetch_all(conn)
    .await
}
