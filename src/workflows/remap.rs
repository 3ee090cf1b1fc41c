// SPDX-License-Identifier: EUPL-1.2
//! Another version, or another workflow, for a campaign that runs: every status in use is given its
//! successor, and the operations follow in one transaction (US-803.4, RG-062).
use super::{Category, Workflow};
use crate::{
    audit::Entry,
    campaigns::{self, Campaign, Configure},
    db::{Id, Tx},
    prerequisites,
    web::{Error, Result, auth::Allowed},
};
use serde_json::json;
use sqlx::PgConnection;
use std::collections::{BTreeMap, HashSet};
use uuid::Uuid;

/// A status of the present version and how many operations are in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Used {
    pub status: i32,
    pub live: i64,
    /// In the bin: they are mapped too, so that they can come back.
    pub binned: i64,
}

/// The statuses in use, by id.
pub async fn used(conn: &mut PgConnection, campaign: Id<Campaign>) -> sqlx::Result<Vec<Used>> {
    sqlx::query_as!(
        Used,
        r#"select status_id as status, count(*) filter (where deleted_at is null) as "live!",
                  count(*) filter (where deleted_at is not null) as "binned!"
           from operations where campaign_id = $1 group by status_id order by status_id"#,
        campaign as _
    )
    .fetch_all(conn)
    .await
}

/// Old status → new status.
pub type Mapping = BTreeMap<i32, i32>;

/// The successor that most people would choose: same code, else same name, else same category.
pub fn proposed(from: &Workflow, to: &Workflow, status: i32) -> Option<i32> {
    let old = from.status(status).ok()?;
    let find =
        |same: &dyn Fn(&super::Status) -> bool| to.statuses.iter().find(|s| same(s)).map(|s| s.id);
    find(&|s| s.code == old.code && s.category == old.category)
        .or_else(|| find(&|s| crate::text::norm(&s.name) == crate::text::norm(&old.name)))
        .or_else(|| find(&|s| s.category == old.category))
}

/// Live operations by category, before and after: (category, before, after), those that exist.
pub fn effect(
    from: &Workflow,
    to: &Workflow,
    used: &[Used],
    mapping: &Mapping,
) -> Vec<(Category, i64, i64)> {
    let count = |workflow: &Workflow, category, target: &dyn Fn(i32) -> i32| -> i64 {
        let is =
            |u: &&Used| workflow.status(target(u.status)).is_ok_and(|s| s.category == category);
        used.iter().filter(is).map(|u| u.live).sum()
    };
    let after = |status: i32| mapping.get(&status).copied().unwrap_or_default();
    Category::ALL
        .into_iter()
        .map(|c| (c, count(from, c, &|status| status), count(to, c, &after)))
        .filter(|(_, before, after)| before + after > 0)
        .collect()
}

/// Applies a version: the campaign, then its operations, each with its event; how many moved.
///
/// # Errors
/// A used status without successor, or a successor of another workflow: the page is asked again.
pub async fn apply(
    tx: &mut Tx,
    campaign: &Allowed<Configure, Campaign>,
    to: &Workflow,
    mapping: &Mapping,
) -> Result<u64> {
    lock(tx, campaign).await?;
    let from = Workflow::load(tx.conn(), campaign.workflow_version_id).await?;
    let (mut old, mut new, mut category) = (Vec::new(), Vec::new(), Vec::new());
    for used in used(tx.conn(), campaign.id).await? {
        let target = mapping.get(&used.status).and_then(|id| to.status(*id).ok());
        let Some(target) = target else {
            let name = from.status(used.status).map_or_else(|_| String::new(), |s| s.name.clone());
            return Err(Error::Refused(format!(
                "Des opérations sont maintenant « {name} » : choisissez leur nouveau statut."
            )));
        };
        old.push(used.status);
        new.push(target.id);
        category.push(target.category);
    }
    let waits = |status: i32| from.status(status).is_ok_and(|s| s.category != Category::InProgress);
    let starting: Vec<i32> = old
        .iter()
        .zip(&category)
        .filter(|(status, target)| **target == Category::InProgress && waits(**status))
        .map(|(status, _)| *status)
        .collect();
    check_gates(tx, campaign, &starting).await?;
    let (now, user) = (tx.now(), tx.actor().user_id());
    let starts = category.iter().any(|c| matches!(c, Category::InProgress | Category::Done));
    sqlx::query!(
        "update campaigns set workflow_version_id = $2, version = version + 1, updated_at = $3, updated_by = $4, ever_started = ever_started or $5
         where id = $1",
        campaign.id as _,
        to.version,
        now,
        user as _,
        starts
    )
    .execute(tx.conn())
    .await?;
    let moved = move_operations(tx, campaign, (&old, &new, &category)).await?;
    let names = |workflow: &Workflow, id: i32| {
        workflow.status(id).map_or_else(|_| String::new(), |s| s.name.clone())
    };
    let told: BTreeMap<_, _> =
        old.iter().zip(&new).map(|(o, n)| (names(&from, *o), names(to, *n))).collect();
    let version = |w: &Workflow| format!("{} v{}", w.name, w.number);
    tx.record(
        Entry::on("campaign.workflow_applied", "campaign", campaign.id.uuid())
            .campaign(campaign.id)
            .changes(json!({ "workflow": [version(&from), version(to)], "mapping": told, "operations": moved })),
    )
    .await?;
    campaigns::status::refresh(tx, campaign.id).await?;
    tx.touch_campaign(campaign.id).await?;
    Ok(moved)
}

/// The operations, then the campaign's status, then its row: the order of every transition, so that
/// nobody moves an operation between the count and the change.
///
/// # Errors
/// `Refused` when somebody else applied a workflow meanwhile.
async fn lock(tx: &mut Tx, campaign: &Campaign) -> Result<()> {
    sqlx::query_scalar!(
        "select count(*) from (select 1 from operations where campaign_id = $1 order by id for update) l",
        campaign.id as _
    )
    .fetch_one(tx.conn())
    .await?;
    campaigns::status::lock(tx, campaign.id).await?;
    let version = sqlx::query_scalar!(
        "select workflow_version_id from campaigns where id = $1 for update",
        campaign.id as _
    )
    .fetch_one(tx.conn())
    .await?;
    if version == campaign.workflow_version_id {
        return Ok(());
    }
    Err(Error::Refused("La campagne suit déjà un autre workflow. Rechargez la page.".into()))
}

/// A closed gate keeps from starting what never started, by a change of workflow as by a click
/// (RG-094).
async fn check_gates(tx: &mut Tx, campaign: &Campaign, from: &[i32]) -> Result<()> {
    let gates = prerequisites::blocking(tx.conn(), campaign.id).await?;
    let closed: Vec<_> = gates.into_iter().filter(|gate| gate.start).collect();
    if from.is_empty() || closed.is_empty() {
        return Ok(());
    }
    let everywhere = closed.iter().any(|gate| gate.segment.is_none());
    let segments: Vec<Uuid> =
        closed.iter().filter_map(|gate| gate.segment).map(|id| id.uuid()).collect();
    let starts = sqlx::query_scalar!(
        r#"select exists (select 1 from operations where campaign_id = $1 and status_id = any ($2) and started_at is null
             and deleted_at is null and ($3 or segment_id = any ($4))) as "any!""#,
        campaign.id as _,
        from,
        everywhere,
        &segments
    )
    .fetch_one(tx.conn())
    .await?;
    if !starts {
        return Ok(());
    }
    Err(Error::Refused(format!(
        "{}. Terminez ces prérequis ou forcez-les, ou choisissez un statut qui ne démarre pas les opérations.",
        prerequisites::refusal(&closed)
    )))
}

/// One statement for all: statuses, the dates that follow a category, and one event each.
async fn move_operations(
    tx: &mut Tx,
    campaign: &Campaign,
    (old, new, category): (&[i32], &[i32], &[Category]),
) -> Result<u64> {
    let (now, user, kind) = (tx.now(), tx.actor().user_id(), tx.actor().kind());
    let assignees = sqlx::query_scalar!(
        r#"with map as (select * from unnest($2::int[], $3::int[], $4::status_category[]) m (old, new, category)),
           moved as (
             update operations o set status_id = m.new, category = m.category,
                    started_at = case when m.category = 'in_progress' then coalesce(o.started_at, $5) else o.started_at end,
                    done_at = case when m.category = 'done' then coalesce(o.done_at, $5) end,
                    version = o.version + 1, updated_at = $5, updated_by = $6
             from map m where o.campaign_id = $1 and o.status_id = m.old
             returning o.id, o.assignee_id, m.old, m.new, o.planned_at),
           told as (
             insert into operation_events (operation_id, campaign_id, at, actor_kind, actor_id, kind, from_status, to_status, assignee_id, planned_before, planned_after)
             select id, $1, $5, $7, $6, 'remapped', old, new, assignee_id, planned_at, planned_at from moved order by id)
           select assignee_id from moved"#,
        campaign.id as _,
        old,
        new,
        category as &[Category],
        now,
        user as _,
        kind
    )
    .fetch_all(tx.conn())
    .await?;
    let moved = assignees.len() as u64;
    let people: HashSet<_> = assignees.into_iter().flatten().collect();
    for person in people {
        tx.touch_person(Some(person)).await?;
    }
    Ok(moved)
}
