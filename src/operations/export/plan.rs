// SPDX-License-Identifier: EUPL-1.2
//! What is exported, read again from the list's address: the same predicate, the same order.
use super::columns::Columns;
use crate::{
    accounts::User,
    app::App,
    campaigns::{self, Campaign},
    dashboard::{self, Figures},
    db::Id,
    operations::list::{Display, Filter, Sort, push_rank, total},
    web::{Form, Result},
};
use sqlx::{PgConnection, Postgres, QueryBuilder, postgres::PgRow};
use std::{collections::HashMap, sync::Arc};
use tabular::Value;
use uuid::Uuid;

pub struct Plan {
    campaign: Id<Campaign>,
    pub columns: Columns,
    filter: Filter,
    sort: Sort,
    figures: Arc<Figures>,
    segments: HashMap<Uuid, String>,
}

impl Plan {
    pub async fn load(
        app: &App,
        conn: &mut PgConnection,
        user: &User,
        campaign: Id<Campaign>,
        query: &mut Form,
        every_column: bool,
    ) -> Result<Self> {
        let figures = dashboard::shared(app, conn, campaign, false).await?;
        let fields = campaigns::fields(conn, campaign).await?;
        let shown = match every_column {
            true => None,
            false => Some(Display::of(conn, user, campaign, &fields, query).await?.columns),
        };
        let mut filter = Filter::of(query, &figures, &fields);
        filter.folded.clear(); // folding is a way of looking
        Ok(Self {
            campaign,
            columns: Columns::of(&fields, shown.as_deref()),
            filter,
            sort: Sort::of(query, &fields),
            segments: figures
                .segments
                .iter()
                .filter_map(|s| s.id.map(|id| (id.uuid(), s.name.clone())))
                .collect(),
            figures,
        })
    }

    /// How many rows, as the list counts them.
    pub async fn count(&self, conn: &mut PgConnection) -> Result<u64> {
        Ok(total(conn, self.campaign, &self.filter, &self.figures).await?)
    }

    pub fn query(&self) -> QueryBuilder<Postgres> {
        let mut query = QueryBuilder::new(
            "select o.identifier, o.label, o.status_id, o.segment_sort, u.first_name, u.last_name, u.email, o.planned_at, \
             o.initial_planned_at, o.postpone_count, o.last_reason, o.started_at, o.done_at, o.minutes, o.updated_at, array[",
        );
        for (i, number) in self.columns.numbers().enumerate() {
            query.push(format!("{}o.values->>'{number}'", if i == 0 { "" } else { "," }));
        }
        query.push(
            "]::text[] as shown from operations o left join users u on u.id = o.assignee_id where ",
        );
        self.filter.push(&mut query, self.campaign);
        let way = if self.sort.descending { "desc" } else { "asc" };
        query.push(" order by ");
        push_rank(&mut query, &self.figures);
        query.push(", o.segment_sort, ");
        self.sort.push_key(&mut query, &self.figures.workflow);
        query.push(format!(" {way}, o.identifier_norm {way}"));
        query
    }

    pub fn values(&self, row: &PgRow) -> sqlx::Result<Vec<Value>> {
        self.columns.values(row, &self.figures.workflow, &self.segments)
    }
}
