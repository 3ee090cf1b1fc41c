// SPDX-License-Identifier: EUPL-1.2
//! Gates (RG-094): what blocks now, in which scope, and who let it be passed.
use super::{Prerequisite, commands::traced, model::lock};
use crate::{
    accounts,
    audit::Entry,
    campaigns::{Campaign, Configure, Segment},
    db::{Id, Tx},
    operations::{Edit, Operation},
    text::{clean, count},
    web::{Error, Result, auth::Allowed},
};
use chrono::{DateTime, Utc};
use serde_json::json;
use sqlx::PgConnection;

/// A gate that is closed.
#[derive(Clone, Debug)]
pub struct Gate {
    pub id: Id<Prerequisite>,
    pub label: String,
    pub responsible: String,
    /// `None`: of the whole campaign.
    pub segment: Option<Id<Segment>>,
    pub segment_name: Option<String>,
    pub booking: bool,
    pub start: bool,
}

impl Gate {
    /// « Câblage réseau vérifié » (responsable : Tech. Infra)
    pub fn text(&self) -> String {
        named(&self.label, &self.responsible)
    }
}

fn named(label: &str, responsible: &str) -> String {
    if responsible.is_empty() {
        format!("« {label} »")
    } else {
        format!("« {label} » (responsable : {responsible})")
    }
}

/// « Démarrage bloqué : « Câblage réseau vérifié » (responsable : Tech. Infra) »
pub fn refusal<'a>(gates: impl IntoIterator<Item = &'a Gate>) -> String {
    let names: Vec<String> = gates.into_iter().map(Gate::text).collect();
    format!("Démarrage bloqué : {}", names.join(", "))
}

/// The closed gates of a campaign, global ones first.
///
/// # Errors
/// The base.
pub async fn blocking(conn: &mut PgConnection, campaign: Id<Campaign>) -> Result<Vec<Gate>> {
    Ok(sqlx::query_as!(
        Gate,
        r#"select p.id as "id: Id<Prerequisite>", p.label, p.responsible, p.segment_id as "segment: Id<Segment>", s.name as "segment_name?",
                  p.gate_booking as booking, p.gate_start as start
           from prerequisites p left join segments s on s.id = p.segment_id
           where p.campaign_id = $1 and (p.gate_start or p.gate_booking) and p.status <> 'done' and p.forced_at is null
           order by p.segment_id is not null, s.position, p.segment_id, p.position, p.id"#,
        campaign as _
    )
    .fetch_all(conn)
    .await?)
}

/// What keeps bookings from being opened: the global gates. A gate of a segment keeps the slots of
/// that segment closed, and nothing else.
///
/// # Errors
/// « Ouverture impossible : 2 prérequis bloquants », each named.
pub async fn opening_blocked(conn: &mut PgConnection, campaign: Id<Campaign>) -> Result<()> {
    let gates = blocking(conn, campaign).await?;
    let gates: Vec<String> =
        gates.iter().filter(|g| g.booking && g.segment.is_none()).map(Gate::text).collect();
    if gates.is_empty() {
        return Ok(());
    }
    Err(Error::Refused(format!(
        "Ouverture impossible : {} : {}",
        count(gates.len(), "prérequis bloquant", "prérequis bloquants"),
        gates.join(", ")
    )))
}

/// Whether an operation may start for the first time. The gates of its scope stay as they are read
/// until the start is committed: nobody reopens or closes one meanwhile.
///
/// # Errors
/// « Démarrage bloqué : … »
pub async fn check_start(conn: &mut PgConnection, operation: &Operation) -> Result<()> {
    let gates = closed_for(conn, operation, true).await?;
    if gates.is_empty() { Ok(()) } else { Err(Error::Refused(refusal(&gates))) }
}

/// The gates that keep an operation that never started from starting.
///
/// # Errors
/// The base.
pub async fn blocking_operation(
    conn: &mut PgConnection,
    operation: &Operation,
) -> Result<Vec<Gate>> {
    if operation.started_at.is_some() || operation.category.is_final() {
        return Ok(Vec::new());
    }
    closed_for(conn, operation, false).await
}

/// All gates of the scope are read, the open ones too, because an open one may be closing.
async fn closed_for(
    conn: &mut PgConnection,
    operation: &Operation,
    locks: bool,
) -> Result<Vec<Gate>> {
    let mut query = sqlx::QueryBuilder::new(
        "select p.id, p.label, p.responsible, p.segment_id, p.gate_booking, p.status <> 'done' and p.forced_at is null \
           and not exists (select 1 from gate_passes g where g.prerequisite_id = p.id and g.operation_id = ",
    );
    query.push_bind(operation.id).push(") as closed from prerequisites p where p.campaign_id = ");
    query
        .push_bind(operation.campaign.id)
        .push(" and p.gate_start and (p.segment_id is null or p.segment_id = ");
    query
        .push_bind(operation.segment_id)
        .push(") order by p.segment_id nulls first, p.position, p.id");
    if locks {
        query.push(" for share of p");
    }
    let rows = query
        .build_query_as::<(Id<Prerequisite>, String, String, Option<Id<Segment>>, bool, bool)>();
    let rows = rows.fetch_all(conn).await?;
    Ok(rows
        .into_iter()
        .filter(|row| row.5)
        .map(|(id, label, responsible, segment, booking, _)| Gate {
            id,
            label,
            responsible,
            segment_name: segment.and(operation.segment_name.clone()),
            segment,
            booking,
            start: true,
        })
        .collect())
}

/// Why some of a bulk selection cannot start, by status: (status, cause, how many). One that starts
/// again is not asked.
///
/// # Errors
/// The base.
pub async fn first_closed(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
    bulk: uuid::Uuid,
) -> Result<Vec<(i32, String, u64)>> {
    if !blocking(&mut *conn, campaign).await?.iter().any(|gate| gate.start) {
        return Ok(Vec::new());
    }
    let rows = sqlx::query!(
        r#"select o.status_id, g.label as "label!", g.responsible as "responsible!", count(*) as "n!"
           from bulk_items i join operations o on o.id = i.operation_id
           cross join lateral (
             select p.label, p.responsible from prerequisites p
             where p.campaign_id = $2 and p.gate_start and p.status <> 'done' and p.forced_at is null
               and (p.segment_id is null or p.segment_id = o.segment_id)
               and not exists (select 1 from gate_passes x where x.prerequisite_id = p.id and x.operation_id = o.id)
             order by p.segment_id nulls first, p.position, p.id limit 1) g
           where i.bulk_id = $1 and o.deleted_at is null and o.started_at is null
           group by o.status_id, g.label, g.responsible order by 4 desc, 2"#,
        bulk,
        campaign as _
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let cause = format!("Démarrage bloqué : {}", named(&row.label, &row.responsible));
            (row.status_id, cause, row.n.unsigned_abs())
        })
        .collect())
}

/// Operations of a scope that run now.
pub(super) async fn running(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
    segment: Option<Id<Segment>>,
) -> Result<u64> {
    let n = sqlx::query_scalar!(
        r#"select count(*) as "n!" from operations o join workflow_statuses w on w.id = o.status_id
           where o.campaign_id = $1 and ($2::uuid is null or o.segment_sort = $2) and o.deleted_at is null and w.category = 'in_progress'"#,
        campaign as _,
        segment as _
    )
    .fetch_one(conn)
    .await?;
    Ok(n.unsigned_abs())
}

/// A reason typed for passing a gate.
///
/// # Errors
/// « Indiquez un motif. »
pub fn check_reason(text: &str) -> std::result::Result<String, &'static str> {
    let reason = clean(text);
    match reason.chars().count() {
        0 => Err("Indiquez un motif."),
        5..=500 => Ok(reason),
        _ => Err("Le motif doit compter de 5 à 500 caractères."),
    }
}

/// Lets everybody pass a gate until it is done.
///
/// # Errors
/// `Refused` for what blocks nothing now.
pub async fn force(
    tx: &mut Tx,
    campaign: &Allowed<Configure, Campaign>,
    id: Id<Prerequisite>,
    reason: &str,
) -> Result<Prerequisite> {
    let stored = lock(tx, campaign, id).await?;
    if !stored.blocks() {
        return Err(Error::Refused(format!("« {} » ne bloque plus rien.", stored.label)));
    }
    let (now, user) = (tx.now(), tx.user()?.id);
    sqlx::query!(
        "update prerequisites set forced_at = $2, forced_by = $3, forced_reason = $4, version = version + 1, updated_at = $2, updated_by = $3 where id = $1",
        id as _,
        now,
        user as _,
        reason
    )
    .execute(tx.conn())
    .await?;
    let entry = Entry::on("gate.forced", "prerequisite", id.uuid()).campaign(campaign.id);
    tx.record(entry.changes(json!({ "gate": stored.label })).reason(Some(reason.to_owned())))
        .await?;
    tx.touch_campaign(campaign.id).await?;
    Ok(stored)
}

/// The gate blocks again.
///
/// # Errors
/// `Refused` for what was not forced.
pub async fn withdraw(
    tx: &mut Tx,
    campaign: &Allowed<Configure, Campaign>,
    id: Id<Prerequisite>,
) -> Result<Prerequisite> {
    let stored = lock(tx, campaign, id).await?;
    if stored.forced.is_none() {
        return Err(Error::Refused(format!("« {} » n’est pas forcé.", stored.label)));
    }
    let (now, user) = (tx.now(), tx.user()?.id);
    sqlx::query!(
        "update prerequisites set forced_at = null, forced_by = null, forced_reason = null, version = version + 1, updated_at = $2, updated_by = $3 where id = $1",
        id as _,
        now,
        user as _
    )
    .execute(tx.conn())
    .await?;
    traced(tx, campaign, "gate.restored", id, json!({ "gate": stored.label })).await?;
    Ok(stored)
}

/// Lets one operation through every gate that blocks it now; a gate set later still binds it.
///
/// # Errors
/// `Refused` when nothing blocks it.
pub async fn pass(tx: &mut Tx, operation: &Allowed<Edit, Operation>, reason: &str) -> Result<()> {
    let gates = match operation.started_at {
        Some(_) => Vec::new(),
        None => closed_for(tx.conn(), operation, true).await?,
    };
    if gates.is_empty() {
        return Err(Error::Refused("Aucun prérequis ne bloque cette opération.".into()));
    }
    let ids: Vec<uuid::Uuid> = gates.iter().map(|gate| gate.id.uuid()).collect();
    let (now, user) = (tx.now(), tx.user()?.id);
    sqlx::query!(
        "insert into gate_passes (operation_id, prerequisite_id, campaign_id, reason, at, by)
         select $1, id, $3, $4, $5, $6 from unnest($2::uuid[]) p (id)",
        operation.id as _,
        &ids,
        operation.campaign.id as _,
        reason,
        now,
        user as _
    )
    .execute(tx.conn())
    .await?;
    let names: Vec<&str> = gates.iter().map(|gate| gate.label.as_str()).collect();
    let entry = Entry::on("gate.passed", "operation", operation.id.uuid())
        .campaign(operation.campaign.id)
        .changes(json!({ "gate": names.join(", ") }));
    tx.record(entry.reason(Some(reason.to_owned()))).await?;
    tx.touch_campaign(operation.campaign.id).await?;
    tx.touch_person(operation.assignee_id).await?;
    Ok(())
}

/// A gate that one operation was let through, for its page.
#[derive(Clone, Debug)]
pub struct Pass {
    pub gate: String,
    pub by: String,
    pub at: DateTime<Utc>,
    pub reason: String,
}

/// # Errors
/// The base.
pub async fn passes(conn: &mut PgConnection, operation: Id<Operation>) -> Result<Vec<Pass>> {
    let rows = sqlx::query!(
        "select p.label, g.at, g.reason, u.first_name, u.last_name
         from gate_passes g join prerequisites p on p.id = g.prerequisite_id join users u on u.id = g.by
         where g.operation_id = $1 order by g.at, p.label",
        operation as _
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Pass {
            gate: row.label,
            by: accounts::display_name(&row.first_name, &row.last_name),
            at: row.at,
            reason: row.reason,
        })
        .collect())
}
