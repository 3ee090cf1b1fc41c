// SPDX-License-Identifier: EUPL-1.2
//! The figures of a campaign: one grouped reading of the base, from which every screen takes its own.
use super::{
    Counts,
    activity::{self, Line},
    pace::Pace,
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
use std::{collections::HashMap, sync::Arc};
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
    pub color: Option<String>,
    pub counts: Counts,
}

impl SegmentFigures {
    /// The class of its colour.
    pub fn swatch(&self) -> Option<&'static str> {
        campaigns::color_class(self.color.as_deref())
    }

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
    /// What was done each day of the last thirty, and what that promises.
    pub pace: Pace,
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
        let held = count(conn, campaign).await?;
        let cells = cells(&held);
        let known = campaigns::segments(conn, campaign).await?;
        let team = team(conn, &held, &workflow).await?;
        let postponed_this_week = postponed(conn, campaign, &workflow, clock::day(now)).await?;
        let mut latest =
            activity::feed(conn, campaign, &activity::Wanted::default(), LATEST).await?.lines;
        latest.truncate(usize::try_from(LATEST).unwrap_or_default());
        let segments = by_segment(&known, &cells, &workflow);
        let counts: Counts = segments.iter().map(|s| s.counts).sum();
        let pace = Pace::read(conn, campaign, now, counts.remaining(), found.end_date).await?;
        Ok(Self {
            counts,
            workflow,
            start: found.start_date,
            end: found.end_date,
            segments,
            team,
            pace,
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

    /// Where a segment stands in the lists: one that these figures do not know yet comes after the
    /// others, « Sans segment » last.
    pub fn rank(&self, segment: Uuid) -> (usize, Uuid) {
        let named = self.segments.iter().filter_map(|s| s.id).map(Id::uuid);
        let count = self.segments.iter().filter(|s| s.id.is_some()).count();
        (named.into_iter().position(|id| id == segment).unwrap_or(count), segment)
    }

    pub fn is_late(&self, counts: &Counts, now: DateTime<Utc>) -> bool {
        counts.is_late(self.start, self.end, now)
    }
}

/// How many operations of a segment are in a status in somebody's hands.
struct Held {
    segment: Uuid,
    status: i32,
    assignee: Option<Id<User>>,
    count: u64,
}

/// The one reading of all operations, served by the index `operations_counts` alone.
async fn count(conn: &mut PgConnection, campaign: Id<Campaign>) -> sqlx::Result<Vec<Held>> {
    let rows = sqlx::query!(
        r#"select segment_sort, status_id, assignee_id as "assignee: Id<User>", count(*) as "count!" from operations
           where campaign_id = $1 and deleted_at is null
           group by segment_sort, status_id, assignee_id order by segment_sort, status_id, assignee_id"#,
        campaign as _
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Held {
            segment: row.segment_sort,
            status: row.status_id,
            assignee: row.assignee,
            count: row.count.unsigned_abs(),
        })
        .collect())
}

fn cells(held: &[Held]) -> Vec<Cell> {
    held.chunk_by(|a, b| (a.segment, a.status) == (b.segment, b.status))
        .map(|same| Cell {
            segment: (!same[0].segment.is_max()).then(|| same[0].segment.into()),
            status: same[0].status,
            count: same.iter().map(|held| held.count).sum(),
        })
        .collect()
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
        color: s.color.clone(),
        counts: of(Some(s.id)),
    });
    let none =
        SegmentFigures { id: None, name: NO_SEGMENT.to_owned(), color: None, counts: of(None) };
    named.chain(Some(none).filter(|none| none.counts.total() > 0)).collect()
}

/// Cancelled operations are in nobody's hands.
async fn team(
    conn: &mut PgConnection,
    held: &[Held],
    workflow: &Workflow,
) -> sqlx::Result<Vec<Member>> {
    let mut counts: HashMap<Id<User>, Counts> = HashMap::new();
    for held in held {
        if let (Some(id), Ok(status)) = (held.assignee, workflow.status(held.status))
            && status.category != Category::Cancelled
        {
            counts.entry(id).or_default().add(status.category, held.count);
        }
    }
    if counts.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = counts.keys().map(|id| id.uuid()).collect();
    let people = sqlx::query!(
        r#"select id as "id: Id<User>", first_name, last_name from users where id = any ($1) order by name_norm, id"#,
        &ids
    )
    .fetch_all(conn)
    .await?;
    Ok(people
        .into_iter()
        .map(|person| Member {
            id: person.id,
            name: accounts::display_name(&person.first_name, &person.last_name),
            initials: accounts::initials(&person.first_name, &person.last_name),
            counts: counts.remove(&person.id).unwrap_or_default(),
        })
        .collect())
}

/// « +n cette semaine »
async fn postponed(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
    workflow: &Workflow,
    today: NaiveDate,
) -> sqlx::Result<u64> {
    let monday = today - Days::new(u64::from(today.weekday().num_days_from_monday()));
    let postponed: Vec<i32> = workflow
        .statuses
        .iter()
        .filter(|s| s.category == Category::Postponed)
        .map(|s| s.id)
        .collect();
    let count = sqlx::query_scalar!(
        r#"select count(*) filter (where kind <> 'undo' and to_status = any ($3))
                  - count(*) filter (where kind = 'undo' and from_status = any ($3)) as "postponed!"
           from operation_events
           where campaign_id = $1 and at >= $2 and kind in ('transition', 'correction', 'undo')"#,
        campaign as _,
        clock::start_of(monday),
        &postponed
    )
    .fetch_one(conn)
    .await?;
    Ok(u64::try_from(count).unwrap_or_default())
}
