// SPDX-License-Identifier: EUPL-1.2
//! A bulk action: its selection, how far it is, what came of it.
use super::gesture::Gesture;
use crate::{
    accounts::User,
    campaigns::Campaign,
    db::{Id, Tx},
    operations::{Operation, list::Filter},
    prerequisites,
    web::{Error, Result},
    workflows::{Category, DateMode, ReasonMode, Workflow},
};
use chrono::{DateTime, Duration, Utc};
use sqlx::{PgConnection, QueryBuilder};

/// RG-097.
pub const UNDONE_WITHIN: Duration = Duration::days(30);

pub struct Bulk {
    pub id: Id<Bulk>,
    pub campaign: Id<Campaign>,
    pub author: Id<User>,
    pub author_name: String,
    pub gesture: Gesture,
    /// `previewed`, `running`, `done`, `undoing`, `undone`, `cancelled` or `failed`.
    pub state: String,
    pub total: u64,
    pub created_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
}

impl Bulk {
    pub async fn find(
        conn: &mut PgConnection,
        campaign: Id<Campaign>,
        id: Id<Self>,
    ) -> Result<Self> {
        Self::load(conn, id).await?.filter(|b| b.campaign == campaign).ok_or(Error::NotFound)
    }

    pub async fn load(conn: &mut PgConnection, id: Id<Self>) -> Result<Option<Self>> {
        let row = sqlx::query!(
            r#"select b.campaign_id as "campaign: Id<Campaign>", b.author_id as "author: Id<User>", u.first_name, u.last_name,
                      b.gesture, b.state, b.total, b.created_at, b.finished_at
               from bulk_actions b join users u on u.id = b.author_id where b.id = $1"#,
            id as _
        )
        .fetch_optional(conn)
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Self {
            id,
            campaign: row.campaign,
            author: row.author,
            author_name: crate::accounts::display_name(&row.first_name, &row.last_name),
            gesture: serde_json::from_value(row.gesture)
                .map_err(|err| Error::Internal(err.into()))?,
            state: row.state,
            total: row.total.unsigned_abs(),
            created_at: row.created_at,
            finished_at: row.finished_at,
        }))
    }

    pub fn is_working(&self) -> bool {
        matches!(self.state.as_str(), "running" | "undoing")
    }

    pub fn url(&self) -> String {
        format!("/campagnes/{}/lots/{}", self.campaign, self.id)
    }
}

/// The operations chosen: by hand, or all that the filter keeps.
pub enum Selection<'a> {
    These(Vec<Id<Operation>>),
    All(&'a Filter),
}

/// Freezes a selection; returns how many operations it has.
pub async fn create(
    tx: &mut Tx,
    campaign: Id<Campaign>,
    gesture: &Gesture,
    selection: &Selection<'_>,
) -> Result<(Id<Bulk>, u64)> {
    let (id, author, now) = (Id::<Bulk>::new(), tx.user()?.id, tx.now());
    let gesture = serde_json::to_value(gesture).map_err(|err| Error::Internal(err.into()))?;
    sqlx::query!(
        "insert into bulk_actions (id, campaign_id, author_id, gesture, created_at) values ($1, $2, $3, $4, $5)",
        id as _,
        campaign as _,
        author as _,
        gesture,
        now
    )
    .execute(tx.conn())
    .await?;
    let mut query = QueryBuilder::new("insert into bulk_items (bulk_id, operation_id) select ");
    query.push_bind(id).push(", o.id from operations o where ");
    match selection {
        Selection::All(filter) => filter.push(&mut query, campaign),
        Selection::These(ids) => {
            let ids: Vec<uuid::Uuid> = ids.iter().map(|id| id.uuid()).collect();
            query.push("o.campaign_id = ").push_bind(campaign);
            query.push(" and o.deleted_at is null and o.id = any (").push_bind(ids).push(")");
        }
    }
    let total = query.build().execute(tx.conn()).await?.rows_affected();
    sqlx::query!(
        "update bulk_actions set total = $2 where id = $1",
        id as _,
        i64::try_from(total).unwrap_or(i64::MAX)
    )
    .execute(tx.conn())
    .await?;
    Ok((id, total))
}

/// What would happen now: to how many it applies, and by cause how many it does not.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Preview {
    pub applicable: u64,
    pub others: Vec<(String, u64)>,
}

pub async fn preview(
    conn: &mut PgConnection,
    bulk: &Bulk,
    workflow: &Workflow,
    user: &User,
) -> Result<Preview> {
    let mut preview = Preview::default();
    let (assignee, segment, planned) = match &bulk.gesture {
        Gesture::Assign { to, .. } => (Some(to.map(Id::uuid)), None, None),
        Gesture::Segment { to, .. } => (None, Some(to.map(Id::uuid)), None),
        Gesture::Plan { to } => (None, None, Some(*to)),
        Gesture::Transition { .. } | Gesture::Note { .. } => (None, None, None),
    };
    let rows = sqlx::query!(
        r#"select o.status_id, count(*) as "all!",
                  count(*) filter (where case when $2 then o.assignee_id is not distinct from $3
                                              when $4 then o.segment_id is not distinct from $5
                                              when $6 then o.planned_at is not distinct from $7
                                              else false end) as "same!"
           from bulk_items i join operations o on o.id = i.operation_id
           where i.bulk_id = $1 and o.deleted_at is null group by o.status_id order by o.status_id"#,
        bulk.id as _,
        assignee.is_some(),
        assignee.flatten(),
        segment.is_some(),
        segment.flatten(),
        planned.is_some(),
        planned.flatten(),
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut closed = match &bulk.gesture {
        Gesture::Transition { .. } => {
            prerequisites::first_closed(conn, bulk.campaign, bulk.id.uuid()).await?
        }
        _ => Vec::new(),
    };
    let (mut same, mut left) = (0, bulk.total);
    for row in rows {
        let all = row.all.unsigned_abs();
        left = left.saturating_sub(all);
        if let Some(why) = obstacle(&bulk.gesture, workflow, row.status_id, user) {
            let name = workflow.status(row.status_id).map_or("?", |s| s.name.as_str());
            preview.others.push((format!("Statut « {name} » : {why}"), all));
            continue;
        }
        same += row.same.unsigned_abs();
        let mut gated = 0;
        if starts(&bulk.gesture, workflow, row.status_id) {
            for (_, cause, n) in closed.extract_if(.., |(status, ..)| *status == row.status_id) {
                gated += n;
                preview.refuse(cause, n);
            }
        }
        preview.applicable += all - row.same.unsigned_abs() - gated;
    }
    if same > 0 {
        preview.others.push(("Déjà ainsi : rien à changer".into(), same));
    }
    if left > 0 {
        preview.others.push(("Supprimée entre-temps".into(), left));
    }
    Ok(preview)
}

impl Preview {
    /// One line a cause, whatever the statuses it comes from.
    fn refuse(&mut self, cause: String, n: u64) {
        match self.others.iter_mut().find(|(known, _)| *known == cause) {
            Some((_, count)) => *count += n,
            None => self.others.push((cause, n)),
        }
    }
}

/// Whether the transition asked for leads from this status into « en cours ».
fn starts(gesture: &Gesture, workflow: &Workflow, status: i32) -> bool {
    let Gesture::Transition { code, .. } = gesture else { return false };
    workflow
        .leaving(status)
        .filter(|t| t.code == *code)
        .any(|t| workflow.status(t.to).is_ok_and(|status| status.category == Category::InProgress))
}

/// Why a transition cannot be made from this status with what was typed; a technician's own
/// transitions are judged one by one.
fn obstacle(
    gesture: &Gesture,
    workflow: &Workflow,
    status: i32,
    user: &User,
) -> Option<&'static str> {
    let Gesture::Transition { code, reason, date, .. } = gesture else { return None };
    let Some(found) = workflow
        .leaving(status)
        .find(|t| t.code == *code && (t.for_manager || t.for_technician || user.is_admin()))
    else {
        return Some("transition impossible");
    };
    if found.reason == ReasonMode::Required && reason.is_none() {
        return Some("un motif est demandé");
    }
    if reason.as_ref().is_some_and(|text| !(5..=500).contains(&text.chars().count())) {
        return Some("le motif doit compter de 5 à 500 caractères");
    }
    (found.date == DateMode::Required && date.is_none()).then_some("une date prévue est demandée")
}

/// Bulk actions never started, and the log of those that can no longer be undone.
///
/// # Errors
/// The base.
pub async fn forget_old(app: &crate::app::App, now: DateTime<Utc>) -> anyhow::Result<()> {
    sqlx::query!(
        "delete from bulk_actions where state in ('previewed', 'cancelled') and created_at < $1",
        now - Duration::hours(24)
    )
    .execute(&app.db)
    .await?;
    sqlx::query!("delete from bulk_actions where finished_at < $1", now - UNDONE_WITHIN)
        .execute(&app.db)
        .await?;
    Ok(())
}

/// Items by outcome, and the causes of those that were not changed.
#[derive(Default)]
pub struct Log {
    pub waiting: u64,
    pub applied: u64,
    pub unchanged: u64,
    pub refused: u64,
    pub undone: u64,
    pub kept: u64,
    /// (operation, its label, the cause); the first hundred.
    pub causes: Vec<(Id<Operation>, String, String)>,
}

pub async fn log(conn: &mut PgConnection, bulk: Id<Bulk>, undone: bool) -> Result<Log> {
    let mut log = Log::default();
    let rows = sqlx::query!(
        r#"select outcome, count(*) as "n!" from bulk_items where bulk_id = $1 group by outcome"#,
        bulk as _
    )
    .fetch_all(&mut *conn)
    .await?;
    for row in rows {
        let n = row.n.unsigned_abs();
        match row.outcome.as_deref() {
            None => log.waiting = n,
            Some("applied") => log.applied = n,
            Some("unchanged") => log.unchanged = n,
            Some("undone") => log.undone = n,
            Some("kept") => log.kept = n,
            Some(_) => log.refused = n,
        }
    }
    let rows = sqlx::query!(
        r#"select i.operation_id as "id: Id<Operation>", coalesce(o.label, '') as "label!", i.why as "why!"
           from bulk_items i left join operations o on o.id = i.operation_id
           where i.bulk_id = $1 and i.outcome = case when $2 then 'kept' else 'refused' end and i.why is not null order by o.label_norm limit 100"#,
        bulk as _,
        undone
    )
    .fetch_all(conn)
    .await?;
    log.causes = rows.into_iter().map(|row| (row.id, row.label, row.why)).collect();
    Ok(log)
}
