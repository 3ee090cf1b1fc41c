// SPDX-License-Identifier: EUPL-1.2
//! The figures of a campaign: one grouped reading of the base, from which every screen takes its own.
use super::{
    Counts,
    activity::{self, Line},
};
use crate::{
    accounts::{self, User},
    campaigns::{self, Campaign, NO_SEGMENT, Segment},
    clock,
    db::Id,
    web::Result,
    workflows::{Category, Workflow},
};
use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};
use sqlx::PgConnection;
use std::sync::Arc;
use uuid::Uuid;

/// Lines of activity on the dashboard (RG-202).
const LATEST: i64 = 5;

/// How many operations of a segment are in a status.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    pub segment: Option<Id<Segment>>,
    pub status: i32,
    pub count: u64,
}

#[derive(Clone, Debug)]
pub struct SegmentFigures {
    /// `None`: « Sans segment ».
    pub id: Option<Id<Segment>>,
    pub name: String,
    pub counts: Counts,
}

impl SegmentFigures {
    /// A name that need not wrap.
    pub fn is_short(&self) -> bool {
        self.name.chars().count() <= 24
    }

    /// What the list's filter calls it.
    pub fn code(&self) -> String {
        self.id.map_or_else(|| "aucun".into(), |id| id.to_string())
    }
}

/// One assigned technician (RG-203): operations of the scope only.
#[derive(Clone, Debug)]
pub struct Member {
    pub id: Id<User>,
    pub name: String,
    pub initials: String,
    pub counts: Counts,
}

#[derive(Debug)]
pub struct Figures {
    pub workflow: Arc<Workflow>,
    pub start: NaiveDate,
    pub end: NaiveDate,
    /// The whole campaign, by category.
    pub counts: Counts,
    /// In the order of the lists; « Sans segment » last, when it has operations.
    pub segments: Vec<SegmentFigures>,
    /// By name, no ranking.
    pub team: Vec<Member>,
    pub done_today: u64,
    /// Entries in « Reporté » since Monday, those undone left out.
    pub postponed_this_week: u64,
    /// The last events, newest first.
    pub latest: Vec<Line>,
    pub counted_at: DateTime<Utc>,
    cells: Vec<Cell>,
}

impl Figures {
    /// Counts the campaign now, from committed rows: not to be called inside a unit of work that wrote.
    ///
    /// # Errors
    /// The campaign does not exist.
    pub async fn count(
        conn: &mut PgConnection,
        campaign: Id<Campaign>,
        now: DateTime<Utc>,
    ) -> Result<Self> {
        let found = sqlx::query!(
            "select start_date, end_date, workflow_version_id from campaigns where id = $1",
            campaign as _
        )
        .fetch_one(&mut *conn)
        .await?;
        let workflow = Workflow::load(conn, found.workflow_version_id).await?;
        let cells = cells(conn, campaign).await?;
        let known = campaigns::segments(conn, campaign).await?;
        let team = team(conn, campaign).await?;
        let (done_today, postponed_this_week) =
            recent(conn, campaign, &workflow, clock::day(now)).await?;
        let mut latest =
            activity::feed(conn, campaign, &workflow, &activity::Wanted::default(), LATEST)
                .await?
                .lines;
        latest.truncate(usize::try_from(LATEST).unwrap_or_default());
        let segments = by_segment(&known, &cells, &workflow);
        Ok(Self {
            counts: segments.iter().map(|s| s.counts).sum(),
            workflow,
            start: found.start_date,
            end: found.end_date,
            segments,
            team,
            done_today,
            postponed_this_week,
            latest,
            counted_at: now,
            cells,
        })
    }

    /// One count per segment and status that has operations, for the filters and groups of the list.
    pub fn by_segment_status(&self) -> &[Cell] {
        &self.cells
    }

    /// Operations in this status, over all segments.
    pub fn in_status(&self, status: i32) -> u64 {
        self.cells.iter().filter(|cell| cell.status == status).map(|cell| cell.count).sum()
    }

    /// The categories that this workflow has, in display order (RG-043).
    pub fn categories(&self) -> impl Iterator<Item = Category> {
        Category::ALL.into_iter().filter(|category| self.workflow.has(*category))
    }

    pub fn is_late(&self, counts: &Counts, now: DateTime<Utc>) -> bool {
        counts.is_late(self.start, self.end, now)
    }
}

async fn cells(conn: &mut PgConnection, campaign: Id<Campaign>) -> sqlx::Result<Vec<Cell>> {
    let rows = sqlx::query!(
        r#"select segment_sort, status_id, count(*) as "count!" from operations
           where campaign_id = $1 and deleted_at is null group by segment_sort, status_id order by segment_sort, status_id"#,
        campaign as _
    )
    .fetch_all(conn)
    .await?;
    let cell = |sort: Uuid, status, count: i64| Cell {
        segment: (!sort.is_max()).then(|| sort.into()),
        status,
        count: count.unsigned_abs(),
    };
    Ok(rows.into_iter().map(|row| cell(row.segment_sort, row.status_id, row.count)).collect())
}

fn by_segment(known: &[Segment], cells: &[Cell], workflow: &Workflow) -> Vec<SegmentFigures> {
    let of = |segment: Option<Id<Segment>>| {
        let mut counts = Counts::default();
        for cell in cells.iter().filter(|cell| cell.segment == segment) {
            if let Ok(status) = workflow.status(cell.status) {
                counts.add(status.category, cell.count);
            }
        }
        counts
    };
    let named = known.iter().map(|s| SegmentFigures {
        id: Some(s.id),
        name: s.name.clone(),
        counts: of(Some(s.id)),
    });
    let none = SegmentFigures { id: None, name: NO_SEGMENT.to_owned(), counts: of(None) };
    named.chain(Some(none).filter(|none| none.counts.total() > 0)).collect()
}

async fn team(conn: &mut PgConnection, campaign: Id<Campaign>) -> sqlx::Result<Vec<Member>> {
    let rows = sqlx::query!(
        r#"select u.id, u.first_name, u.last_name, a.category as "category!: Category", a.count as "count!"
           from (select assignee_id, category, count(*) from operations
                 where campaign_id = $1 and deleted_at is null and assignee_id is not null and category <> 'cancelled'
                 group by assignee_id, category) a
           join users u on u.id = a.assignee_id order by u.name_norm, u.id"#,
        campaign as _
    )
    .fetch_all(conn)
    .await?;
    let mut team: Vec<Member> = Vec::new();
    for row in rows {
        if team.last().is_none_or(|last| last.id != row.id) {
            team.push(Member {
                id: row.id,
                name: accounts::display_name(&row.first_name, &row.last_name),
                initials: accounts::initials(&row.first_name, &row.last_name),
                counts: Counts::default(),
            });
        }
        if let Some(member) = team.last_mut() {
            member.counts.add(row.category, row.count.unsigned_abs());
        }
    }
    Ok(team)
}

/// « +n aujourd'hui », « +n cette semaine ».
async fn recent(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
    workflow: &Workflow,
    today: NaiveDate,
) -> sqlx::Result<(u64, u64)> {
    let monday = today - Days::new(u64::from(today.weekday().num_days_from_monday()));
    let postponed: Vec<i32> = workflow
        .statuses
        .iter()
        .filter(|s| s.category == Category::Postponed)
        .map(|s| s.id)
        .collect();
    let row = sqlx::query!(
        r#"select (select count(*) from operations where campaign_id = $1 and done_at >= $2 and deleted_at is null) as "done!",
                  (select count(*) filter (where kind <> 'undo' and to_status = any ($4))
                          - count(*) filter (where kind = 'undo' and from_status = any ($4))
                   from operation_events
                   where campaign_id = $1 and at >= $3 and kind in ('transition', 'correction', 'undo')) as "postponed!""#,
        campaign as _,
        clock::start_of(today),
        clock::start_of(monday),
        &postponed
    )
    .fetch_one(conn)
    .await?;
    Ok((row.done.unsigned_abs(), u64::try_from(row.postponed).unwrap_or_default()))
}
