// SPDX-License-Identifier: EUPL-1.2
//! What a period holds: a count by technician and day, read from the index `operations_calendar`
//! alone, then the first names of each cell. What is cancelled is in nobody's day.
use super::period::Period;
use crate::{
    accounts::User, campaigns::Campaign, clock, dashboard::Figures, db::Id, operations::Operation,
    web::Result, workflows::Category,
};
use chrono::{DateTime, Days, NaiveDate, Utc};
use sqlx::PgConnection;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Names shown in a cell.
pub const NAMES: i64 = 3;

pub struct Name {
    pub id: Id<Operation>,
    pub label: String,
    pub planned: DateTime<Utc>,
    pub status: i32,
}

#[derive(Default)]
pub struct Cell {
    pub count: u64,
    pub names: Vec<Name>,
}

impl Cell {
    /// How many are not named.
    pub fn more(&self) -> u64 {
        self.count.saturating_sub(self.names.len() as u64)
    }
}

/// One technician's days, or those of nobody.
pub struct Line {
    pub technician: Option<Id<User>>,
    pub name: String,
    pub cells: BTreeMap<NaiveDate, Cell>,
}

impl Line {
    pub fn cell(&self, day: &NaiveDate) -> Option<&Cell> {
        self.cells.get(day)
    }

    pub fn total(&self) -> u64 {
        self.cells.values().map(|cell| cell.count).sum()
    }
}

/// The technicians who have something planned, by name; « Non assigné » last, always.
pub async fn lines(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
    figures: &Figures,
    period: Period,
    with_names: bool,
) -> Result<Vec<Line>> {
    let cancelled: Vec<i32> = figures
        .workflow
        .statuses
        .iter()
        .filter(|s| s.category == Category::Cancelled)
        .map(|s| s.id)
        .collect();
    let mut lines: Vec<Line> = figures
        .team
        .iter()
        .map(|m| Line { technician: Some(m.id), name: m.name.clone(), cells: BTreeMap::new() })
        .collect();
    lines.push(Line { technician: None, name: "Non assigné".into(), cells: BTreeMap::new() });
    for (technician, day, count) in counts(conn, campaign, figures, period, &cancelled).await? {
        if let Some(line) = lines.iter_mut().find(|line| line.technician == technician) {
            line.cells.insert(day, Cell { count, names: Vec::new() });
        }
    }
    lines.retain(|line| line.technician.is_none() || !line.cells.is_empty());
    if with_names {
        name(conn, campaign, &mut lines, &cancelled).await?;
    }
    Ok(lines)
}

async fn counts(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
    figures: &Figures,
    period: Period,
    cancelled: &[i32],
) -> sqlx::Result<Vec<(Option<Id<User>>, NaiveDate, u64)>> {
    let team: Vec<Uuid> = figures.team.iter().map(|m| m.id.uuid()).collect();
    let (from, to) = period.bounds();
    let rows = sqlx::query!(
        r#"select t.id as "technician: Id<User>", n.day as "day!", n.n as "n!"
           from unnest($2::uuid[]) t (id) cross join lateral (
             select (o.planned_at at time zone $6)::date as day, count(*) as n from operations o
             where o.campaign_id = $1 and o.assignee_id = t.id and o.planned_at >= $3 and o.planned_at < $4
               and o.deleted_at is null and o.status_id <> all ($5) group by 1) n
           union all
           select null, (o.planned_at at time zone $6)::date, count(*) from operations o
           where o.campaign_id = $1 and o.assignee_id is null and o.planned_at >= $3 and o.planned_at < $4
             and o.deleted_at is null and o.status_id <> all ($5) group by 2"#,
        campaign as _,
        &team,
        from,
        to,
        cancelled,
        clock::ZONE.name()
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.technician, row.day, row.n.unsigned_abs())).collect())
}

/// The first of each cell that has something, by hour.
async fn name(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
    lines: &mut [Line],
    cancelled: &[i32],
) -> Result<()> {
    let (mut who, mut from, mut to) = (Vec::new(), Vec::new(), Vec::new());
    for line in lines.iter() {
        for day in line.cells.keys() {
            who.push(line.technician.map(Id::uuid));
            from.push(clock::start_of(*day));
            to.push(clock::start_of(*day + Days::new(1)));
        }
    }
    let rows = sqlx::query!(
        r#"select c.technician as "technician: Id<User>", c.start as "start!", o.id as "id!: Id<Operation>", o.label as "label!", o.planned_at as "planned!", o.status_id as "status!"
           from unnest($2::uuid[], $3::timestamptz[], $4::timestamptz[]) c (technician, start, stop)
           cross join lateral (
             (select id, label, planned_at, status_id from operations
              where campaign_id = $1 and assignee_id = c.technician and planned_at >= c.start and planned_at < c.stop
                and deleted_at is null and status_id <> all ($5) order by planned_at, id limit $6)
             union all
             (select id, label, planned_at, status_id from operations
              where c.technician is null and campaign_id = $1 and assignee_id is null and planned_at >= c.start and planned_at < c.stop
                and deleted_at is null and status_id <> all ($5) order by planned_at, id limit $6)) o
           order by o.planned_at, o.id"#,
        campaign as _,
        &who as _,
        &from,
        &to,
        cancelled,
        NAMES
    )
    .fetch_all(conn)
    .await?;
    for row in rows {
        let line = lines.iter_mut().find(|line| line.technician == row.technician);
        if let Some(cell) = line.and_then(|line| line.cells.get_mut(&clock::day(row.start))) {
            cell.names.push(Name {
                id: row.id,
                label: row.label,
                planned: row.planned,
                status: row.status,
            });
        }
    }
    Ok(())
}
