// SPDX-License-Identifier: EUPL-1.2
//! One segment: its figures by category, its flags, its operations (US-906).
use super::{edit::find, under_list};
use crate::{
    campaigns::{Campaign, Configure, Segment, View},
    dashboard::{self, Counts, Figures, Flag},
    db::{Id, Read},
    operations::Operation,
    prerequisites::{self, Prerequisite},
    text::{count, number},
    web::{Page, Result, Shell, auth::Allowed, format},
    workflows::{Category, Status},
};
use askama::Template;
use axum::extract::Path;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use std::sync::Arc;

/// Operations shown before « Voir les … ».
const SAMPLE: i64 = 10;

#[derive(Template)]
#[template(path = "segments/show.html")]
pub struct Show {
    shell: Shell,
    campaign: Allowed<View, Campaign>,
    segment: Segment,
    figures: Arc<Figures>,
    counts: Counts,
    rows: Vec<Row>,
    prerequisites: Vec<Prerequisite>,
    now: DateTime<Utc>,
    can_configure: bool,
}

struct Row {
    id: Id<Operation>,
    identifier: String,
    label: String,
    status_id: i32,
    planned_at: Option<DateTime<Utc>>,
}

impl Show {
    fn flags(&self) -> Vec<Flag> {
        dashboard::flags(&self.counts, self.figures.is_late(&self.counts, self.now))
    }

    fn list(&self, category: &Category) -> String {
        format!(
            "{}?segment={}&categorie={}",
            self.campaign.path("operations"),
            self.segment.id,
            category.code()
        )
    }

    fn status(&self, row: &Row) -> Option<&Status> {
        self.figures.workflow.statuses.iter().find(|s| s.id == row.status_id)
    }

    fn date(&self, row: &Row) -> String {
        row.planned_at.map_or_else(|| "Sans date".into(), |at| format::compact(at, self.now))
    }
}

pub async fn page(
    mut read: Read,
    Path((id, segment)): Path<(Id<Campaign>, Id<Segment>)>,
) -> Result<Page<Show>> {
    let campaign = read.authorize(View, id).await?;
    let segment = find(read.conn(), id, segment).await?;
    let figures = dashboard::figures(&mut read, id).await?;
    let known = figures.segments.iter().find(|s| s.id == Some(segment.id));
    let counts = known.map(|s| s.counts).unwrap_or_default();
    let rows = rows(read.conn(), id, segment.id).await?;
    let prerequisites = prerequisites::of_segment(read.conn(), id, segment.id).await?;
    let mut shell = under_list(read.shell(&segment.name), &campaign, read.user())
        .live(format!("campagne-{id}"));
    shell.announce = format!(
        "{} sur {}",
        count(counts.done(), "opération réalisée", "opérations réalisées"),
        number(counts.scope())
    );
    let can_configure = campaign.may(Configure) && !campaign.is_archived;
    let now = read.now();
    Ok(Page(Show {
        shell,
        campaign,
        segment,
        figures,
        counts,
        rows,
        prerequisites,
        now,
        can_configure,
    }))
}

/// The first of the list's order.
async fn rows(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
    segment: Id<Segment>,
) -> sqlx::Result<Vec<Row>> {
    sqlx::query_as!(
        Row,
        "select id, identifier, label, status_id, planned_at from operations
         where campaign_id = $1 and segment_sort = $2 and deleted_at is null order by label_norm, identifier_norm limit $3",
        campaign as _,
        segment as _,
        SAMPLE
    )
    .fetch_all(conn)
    .await
}
