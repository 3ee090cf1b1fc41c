// SPDX-License-Identifier: EUPL-1.2
//! The one query of the list, in two shapes.
//!
//! *Walk*: the segments in order, each read by the index `operations_list` from the cursor on,
//! until the page is full; the page costs the same at any depth. *Gather*: when few rows match,
//! they are found first, by whatever index tells them best, then ordered.
use super::{
    Filter, ROWS,
    cursor::{Cursor, Place},
    sort::Sort,
};
use crate::{
    accounts::User, campaigns::Campaign, dashboard::Figures, db::Id, operations::Operation,
    web::Result,
};
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, Postgres, QueryBuilder, Row as _, postgres::PgRow};
use uuid::Uuid;

/// Under this many rows, or under one in this many of the campaign, what a filter keeps is gathered.
const FEW: u64 = 2_000;
const SHARE: u64 = 10;

pub struct Query<'a> {
    /// (segment, rows that the filter keeps in it), filled by [`Query::fetch`].
    pub counted: Vec<(Uuid, u64)>,
    pub campaign: Id<Campaign>,
    pub filter: &'a Filter,
    pub sort: Sort,
    pub cursor: Cursor,
    /// Numbers of the fields shown.
    pub fields: &'a [i32],
    pub figures: &'a Figures,
}

pub struct Row {
    pub id: Id<Operation>,
    pub segment: Uuid,
    pub status: i32,
    pub assignee: Option<Id<User>>,
    pub identifier: String,
    pub label: String,
    pub planned: Option<DateTime<Utc>>,
    pub updated: DateTime<Utc>,
    pub reason: Option<String>,
    /// In the order of `Query::fields`.
    pub values: Vec<Option<String>>,
    place: (String, String),
}

impl Row {
    pub fn place(&self) -> Place {
        Place { segment: self.segment, key: self.place.0.clone(), identifier: self.place.1.clone() }
    }
}

pub struct Listed {
    pub rows: Vec<Row>,
    /// Found by the filter.
    pub total: u64,
    /// Of these, in groups that are not folded: what pages are cut from.
    pub unfolded: u64,
    /// Whether there are rows before the first, after the last.
    pub before: bool,
    pub after: bool,
}

impl Query<'_> {
    /// A page; an empty page further on is the first one.
    pub async fn fetch(mut self, conn: &mut PgConnection) -> Result<Listed> {
        if self.cursor.place().is_some_and(|place| !self.sort.reads(&place.key)) {
            self.cursor = Cursor::First;
        }
        self.counted = self.count(conn).await?;
        let figures = self.figures;
        self.counted.sort_by_key(|(segment, _)| figures.rank(*segment));
        let total = self.counted.iter().map(|(_, n)| n).sum();
        let unfolded = self.unfolded().map(|(_, n)| n).sum();
        let walks = self.filter.is_anything()
            || (total > FEW && total * SHARE > self.figures.counts.total());
        loop {
            let found = match (unfolded, walks) {
                (0, _) => Vec::new(),
                (_, true) => self.walk(conn).await?,
                (_, false) => self.gather().build().fetch_all(&mut *conn).await?,
            };
            let read = |row| read(row, self.sort);
            let mut rows = found.iter().map(read).collect::<sqlx::Result<Vec<_>>>()?;
            let more = rows.len() > ROWS;
            rows.truncate(ROWS);
            // Fewer rows above than a page: the first page, whole.
            let lost = self.cursor.place().is_some()
                && (rows.is_empty() || (self.cursor.is_backward() && !more));
            if lost {
                self.cursor = Cursor::First;
                continue;
            }
            let backward = self.cursor.is_backward();
            if backward {
                rows.reverse();
            }
            let (before, after) =
                if backward { (more, true) } else { (self.cursor != Cursor::First, more) };
            return Ok(Listed { rows, total, unfolded, before, after });
        }
    }

    async fn count(&self, conn: &mut PgConnection) -> sqlx::Result<Vec<(Uuid, u64)>> {
        by_segment(conn, self.campaign, self.filter, self.figures).await
    }

    fn rank(&self, segment: Uuid) -> (usize, Uuid) {
        self.figures.rank(segment)
    }

    fn unfolded(&self) -> impl Iterator<Item = (Uuid, u64)> {
        self.counted.iter().copied().filter(|(segment, _)| !self.filter.folded.contains(segment))
    }

    /// The segments that have something to show, beyond the cursor's, in the order of reading.
    fn segments(&self) -> Vec<Uuid> {
        let mut ids: Vec<Uuid> = self.unfolded().map(|(segment, _)| segment).collect();
        match &self.cursor {
            Cursor::First => {}
            Cursor::After(place) => ids.retain(|id| self.rank(*id) > self.rank(place.segment)),
            Cursor::Before(place) => ids.retain(|id| self.rank(*id) < self.rank(place.segment)),
        }
        if self.cursor.is_backward() {
            ids.reverse();
        }
        ids
    }

    /// The cursor's run from the cursor on, then the others: apart, because most pages end
    /// within the first and PostgreSQL plans a union of both each time it runs.
    async fn walk(&self, conn: &mut PgConnection) -> sqlx::Result<Vec<PgRow>> {
        let mut found = Vec::new();
        let mut runs = Vec::new();
        let from = self.cursor.place();
        if let Some(place) = from.filter(|place| !self.filter.folded.contains(&place.segment)) {
            let mut query = QueryBuilder::new("");
            self.push_run(&mut query, Some(place));
            self.push_order(&mut query, "");
            found = query.build().fetch_all(&mut *conn).await?;
            let here = self.part(place);
            let parts = self.parts().into_iter().skip_while(|part| *part != here).skip(1);
            runs.extend(parts.map(|part| (place.segment, part)));
        }
        for segment in self.segments() {
            runs.extend(self.parts().into_iter().map(|part| (segment, part)));
        }
        if found.len() <= ROWS && !runs.is_empty() {
            let mut query = self.walk_runs(&runs);
            found.extend(query.build().fetch_all(conn).await?);
        }
        Ok(found)
    }

    /// What a segment is read in, in the order of reading: whole, but for a field read downwards,
    /// whose index has the empty values on top though they are shown last.
    fn parts(&self) -> Vec<Part> {
        match (self.sort.splits(), self.cursor.is_backward()) {
            (false, _) => vec![Part::Whole],
            (true, false) => vec![Part::Filled, Part::Empty],
            (true, true) => vec![Part::Empty, Part::Filled],
        }
    }

    /// The least key of a part, in SQL.
    fn low(&self, part: Part) -> &'static str {
        if part == Part::Empty { self.sort.empty_sql() } else { self.sort.least_sql() }
    }

    /// What every key of a part is under, in SQL.
    fn high(&self, part: Part) -> &'static str {
        if part == Part::Empty { self.sort.beyond_sql() } else { self.sort.empty_sql() }
    }

    fn part(&self, place: &Place) -> Part {
        match (self.sort.splits(), self.sort.is_empty(&place.key)) {
            (false, _) => Part::Whole,
            (true, false) => Part::Filled,
            (true, true) => Part::Empty,
        }
    }

    /// Rows come out in the order of the runs because a lateral join is a loop over them.
    fn walk_runs(&self, runs: &[(Uuid, Part)]) -> QueryBuilder<Postgres> {
        let mut query = QueryBuilder::new("select o.* from unnest(");
        query.push_bind(runs.iter().map(|(segment, _)| *segment).collect::<Vec<_>>());
        if self.sort.splits() {
            query
                .push(", ")
                .push_bind(runs.iter().map(|(_, part)| *part == Part::Empty).collect::<Vec<_>>());
            query.push("::bool[]) s (id, empty), lateral (");
        } else {
            query.push(") s (id), lateral (");
        }
        self.push_run(&mut query, None);
        self.push_order(&mut query, "");
        query.push(format!(") o limit {}", ROWS + 1));
        query
    }

    fn push_run(&self, query: &mut QueryBuilder<Postgres>, from: Option<&Place>) {
        query.push("select ");
        self.push_columns(query);
        query.push(", (");
        self.sort.push_walked_key(query, &self.figures.workflow);
        query.push(")::text as key from operations o");
        self.push_join(query);
        // Written out: an index of this campaign alone is chosen only when its condition is seen.
        query.push(format!(
            " where o.campaign_id = '{}' and o.deleted_at is null and o.segment_sort = ",
            self.campaign
        ));
        match from {
            Some(place) => query.push_bind(place.segment),
            None => query.push("s.id"),
        };
        self.filter.push_rest(query);
        if self.sort.splits() {
            let (low, high) = match from.map(|place| self.part(place)) {
                Some(part) => (self.low(part).into(), self.high(part).into()),
                None => {
                    let either = |empty: &str, filled: &str| {
                        format!("case when s.empty then {empty} else {filled} end")
                    };
                    (
                        either(self.low(Part::Empty), self.low(Part::Filled)),
                        either(self.high(Part::Empty), self.high(Part::Filled)),
                    )
                }
            };
            for bound in [format!(" >= {low}"), format!(" < {high}")] {
                query.push(" and ");
                self.sort.push_walked_key(query, &self.figures.workflow);
                query.push(bound);
            }
        }
        if let Some(place) = from {
            query.push(" and (");
            self.sort.push_walked_key(query, &self.figures.workflow);
            query.push(", o.identifier_norm) ");
            match self.part(place) {
                Part::Empty => self.push_bound(
                    query,
                    &Place { key: self.sort.empty_in_index().to_owned(), ..place.clone() },
                ),
                _ => self.push_bound(query, place),
            }
        }
    }

    fn gather(&self) -> QueryBuilder<Postgres> {
        let mut query =
            QueryBuilder::new("with found as materialized (select o.id, o.segment_sort, ");
        self.sort.push_key(&mut query, &self.figures.workflow);
        query.push(" as key, o.identifier_norm, ");
        push_rank(&mut query, self.figures);
        query.push(" as rank from operations o");
        self.push_join(&mut query);
        query.push(" where ");
        self.filter.push(&mut query, self.campaign);
        query.push(") select ");
        self.push_columns(&mut query);
        query.push(", f.key::text as key");
        query
            .push(" from (select * from found f where f.segment_sort <> all (")
            .push_bind(self.filter.folded.clone())
            .push(")");
        if let Some(place) = self.cursor.place() {
            let beyond = if self.cursor.is_backward() { "<" } else { ">" };
            let rank = self.rank(place.segment).0;
            query
                .push(format!(" and ((f.rank, f.segment_sort) {beyond} ({rank}, "))
                .push_bind(place.segment)
                .push(") or (f.segment_sort = ")
                .push_bind(place.segment)
                .push(" and (f.key, f.identifier_norm) ");
            self.push_bound(&mut query, place);
            query.push("))");
        }
        self.push_order(&mut query, "f.");
        query.push(") f join operations o on o.id = f.id");
        self.push_order(&mut query, "f.");
        query
    }

    fn push_columns(&self, query: &mut QueryBuilder<Postgres>) {
        query.push(
            "o.id, o.segment_sort, o.status_id, o.assignee_id, o.identifier, o.label, o.planned_at, o.updated_at, \
             case when o.category in ('postponed', 'blocked') then o.last_reason end as reason, o.identifier_norm, array[",
        );
        for (i, number) in self.fields.iter().enumerate() {
            query.push(format!("{}o.values->>'{number}'", if i == 0 { "" } else { "," }));
        }
        query.push("]::text[] as shown");
    }

    fn push_join(&self, query: &mut QueryBuilder<Postgres>) {
        if self.sort.needs_technician() {
            query.push(" left join users u on u.id = o.assignee_id");
        }
    }

    /// `> (key, identifier)` in the direction of reading.
    fn push_bound(&self, query: &mut QueryBuilder<Postgres>, place: &Place) {
        query.push(if self.downward() { "< (" } else { "> (" });
        query.push_bind(place.key.clone()).push(self.sort.cast());
        query.push(", ").push_bind(place.identifier.clone()).push(")");
    }

    fn push_order(&self, query: &mut QueryBuilder<Postgres>, of: &str) {
        let way = if self.downward() { "desc" } else { "asc" };
        query.push(" order by ");
        if of.is_empty() {
            self.sort.push_walked_key(query, &self.figures.workflow);
            query.push(format!(" {way}, o.identifier_norm {way}"));
        } else {
            let groups = if self.cursor.is_backward() { "desc" } else { "asc" };
            query.push(format!(
                "{of}rank {groups}, {of}segment_sort {groups}, {of}key {way}, {of}identifier_norm {way}"
            ));
        }
        query.push(format!(" limit {}", ROWS + 1));
    }

    /// Inside a group, the way the page is read: a descending list read backward goes up.
    fn downward(&self) -> bool {
        self.sort.descending != self.cursor.is_backward()
    }
}

/// Where the segment of operations `o` stands, as [`Figures::rank`] says it; ties by its identifier.
pub fn push_rank(query: &mut QueryBuilder<Postgres>, figures: &Figures) {
    let order: Vec<Uuid> = figures.segments.iter().filter_map(|s| s.id).map(Id::uuid).collect();
    let last = order.len();
    query
        .push("coalesce(array_position(")
        .push_bind(order)
        .push(format!(", o.segment_sort) - 1, {last})"));
}

/// How many rows the filter keeps in all.
pub async fn total(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
    filter: &Filter,
    figures: &Figures,
) -> sqlx::Result<u64> {
    Ok(by_segment(conn, campaign, filter, figures).await?.iter().map(|(_, n)| n).sum())
}

/// How many rows the filter keeps in each segment: from the figures when it is about segment
/// and status only, from the rows otherwise.
async fn by_segment(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
    filter: &Filter,
    figures: &Figures,
) -> sqlx::Result<Vec<(Uuid, u64)>> {
    let mut counted: Vec<(Uuid, u64)> = Vec::new();
    if filter.reads_rows() {
        let mut query =
            QueryBuilder::new("select o.segment_sort, count(*) from operations o where ");
        filter.push(&mut query, campaign);
        query.push(" group by o.segment_sort order by o.segment_sort");
        for row in query.build().fetch_all(conn).await? {
            counted.push((row.try_get(0)?, row.try_get::<i64, _>(1)?.unsigned_abs()));
        }
        return Ok(counted);
    }
    let cells = figures.by_segment_status().iter();
    for cell in cells.filter(|c| filter.has_segment(c.segment) && filter.has_status(c.status)) {
        let segment = cell.segment.map_or(Uuid::max(), Id::uuid);
        match counted.last_mut().filter(|(last, _)| *last == segment) {
            Some((_, n)) => *n += cell.count,
            None => counted.push((segment, cell.count)),
        }
    }
    Ok(counted)
}

/// What of a segment is read at once.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Whole,
    Filled,
    Empty,
}

fn read(row: &PgRow, sort: Sort) -> sqlx::Result<Row> {
    Ok(Row {
        id: row.try_get("id")?,
        segment: row.try_get("segment_sort")?,
        status: row.try_get("status_id")?,
        assignee: row.try_get("assignee_id")?,
        identifier: row.try_get("identifier")?,
        label: row.try_get("label")?,
        planned: row.try_get("planned_at")?,
        updated: row.try_get("updated_at")?,
        reason: row.try_get("reason")?,
        values: row.try_get("shown")?,
        place: (sort.place_key(row.try_get("key")?), row.try_get("identifier_norm")?),
    })
}
