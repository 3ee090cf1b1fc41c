// SPDX-License-Identifier: EUPL-1.2
//! A technician's operations as cards: one query, whatever their number and their campaigns.
use super::gesture::Gesture;
use crate::{
    accounts::{Role, User},
    campaigns::{Campaign, FieldKind},
    checklists::Progress,
    clock,
    db::Id,
    operations::{Operation, values},
    text::{count, norm},
    web::{Result, format},
    workflows::{Category, Workflow},
};
use chrono::{DateTime, Days, NaiveDate, Utc};
use sqlx::PgConnection;
use std::{collections::HashMap, sync::Arc};
use uuid::Uuid;

/// How long a finished intervention stays listed (RG-023).
pub const KEPT: Days = Days::new(30);

pub struct Visit {
    pub id: Id<Operation>,
    pub label: String,
    pub campaign: Id<Campaign>,
    pub campaign_name: String,
    pub category: Category,
    pub status: String,
    pub planned_at: Option<DateTime<Utc>>,
    pub done_at: Option<DateTime<Utc>>,
    pub equipment: Option<String>,
    pub location: Option<String>,
    pub contact: Option<Contact>,
    pub reason: Option<String>,
    pub postponed: i16,
    pub minutes: i32,
    pub main: Option<Gesture>,
    /// « 3/8 étapes »
    pub steps: Option<String>,
}

pub struct Contact {
    pub text: String,
    /// `tel:+33…` for a telephone.
    pub phone: Option<String>,
}

/// Open operations, and those done in the last thirty days, by planned time.
/// Campaigns being prepared, archived or deleted give none.
pub async fn visits(conn: &mut PgConnection, user: &User, today: NaiveDate) -> Result<Vec<Visit>> {
    let since = clock::start_of(today.checked_sub_days(KEPT).unwrap_or(today));
    let rows = sqlx::query!(
        r#"with mine as (
             select o.* from operations o
             where o.assignee_id = $1 and o.deleted_at is null
               and (o.category in ('todo', 'planned', 'in_progress', 'postponed', 'blocked') or (o.category = 'done' and o.done_at >= $2))
           ), usages as (
             select campaign_id,
                    max(number) filter (where 'equipment' = any (usages)) as equipment,
                    max(number) filter (where 'location' = any (usages)) as location,
                    max(number) filter (where 'contact' = any (usages)) as contact,
                    max(kind::text) filter (where 'contact' = any (usages)) as contact_kind
             from campaign_fields where deleted_at is null and campaign_id in (select campaign_id from mine) group by campaign_id
           )
           select o.id as "id!: Id<Operation>", o.campaign_id as "campaign_id!: Id<Campaign>", c.name as campaign_name, c.workflow_version_id, c.finish_level,
                  o.status_id as "status_id!", o.category as "category!: Category", o.label as "label!", o.planned_at, o.done_at,
                  o.last_reason, o.postpone_count as "postpone_count!", t.minutes, s.name as "segment?",
                  o.values ->> u.equipment::text as equipment, o.values ->> u.location::text as location,
                  o.values ->> u.contact::text as contact, u.contact_kind as "contact_kind?",
                  k.required_total as "required_total?", k.required_done as "required_done?", k.optional_total as "optional_total?", k.optional_done as "optional_done?"
           from mine o
           join campaigns c on c.id = o.campaign_id
           join operation_types t on t.id = c.type_id
           left join segments s on s.id = o.segment_id
           left join usages u on u.campaign_id = o.campaign_id
           left join checklists k on k.operation_id = o.id
           where c.deleted_at is null and c.archived_at is null and c.activated_at is not null
           order by o.planned_at nulls last, o.label_norm, o.id"#,
        user.id as _,
        since
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut workflows: HashMap<Uuid, Arc<Workflow>> = HashMap::new();
    let mut visits = Vec::with_capacity(rows.len());
    for row in rows {
        let workflow = match workflows.get(&row.workflow_version_id) {
            Some(known) => known.clone(),
            None => {
                let loaded = Workflow::load(conn, row.workflow_version_id).await?;
                workflows.entry(row.workflow_version_id).or_insert(loaded).clone()
            }
        };
        let contact = row
            .contact
            .filter(|text| !text.is_empty())
            .map(|text| Contact::new(&text, row.contact_kind.as_deref()));
        let count = |n: Option<i16>| n.unwrap_or_default().unsigned_abs();
        let steps = row.required_total.is_some().then_some(Progress {
            required_total: count(row.required_total),
            required_done: count(row.required_done),
            optional_total: count(row.optional_total),
            optional_done: count(row.optional_done),
        });
        let open = row.finish_level != "free" && steps.is_some_and(|steps| steps.open() > 0);
        visits.push(Visit {
            steps: steps.map(Progress::text),
            id: row.id,
            campaign: row.campaign_id,
            campaign_name: row.campaign_name,
            category: row.category,
            status: workflow.status(row.status_id)?.name.clone(),
            main: main_gesture(&workflow, row.status_id, user)?
                .map(|gesture| gesture.with_open_steps(open)),
            label: row.label,
            planned_at: row.planned_at,
            done_at: row.done_at,
            equipment: row.equipment.filter(|text| !text.is_empty()),
            location: place(row.location, row.segment),
            contact,
            reason: row.last_reason,
            postponed: row.postpone_count,
            minutes: row.minutes,
        });
    }
    Ok(visits)
}

/// The first transition that the assigned technician may do.
fn main_gesture(workflow: &Workflow, status: i32, user: &User) -> Result<Option<Gesture>> {
    let may = |t: &&crate::workflows::Transition| t.for_technician || user.roles.has(Role::Admin);
    workflow.leaving(status).find(may).map(|t| Gesture::new(t, workflow, true)).transpose()
}

/// « Bureau D301, Bâtiment B »
fn place(location: Option<String>, segment: Option<String>) -> Option<String> {
    let location = location.unwrap_or_default();
    // Said once when the place already names its segment.
    let segment = segment.filter(|name| !norm(&location).contains(&norm(name))).unwrap_or_default();
    let parts: Vec<String> =
        [location, segment].into_iter().filter(|text| !text.is_empty()).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

impl Contact {
    fn new(stored: &str, kind: Option<&str>) -> Self {
        let kind = kind.and_then(FieldKind::from_code).unwrap_or(FieldKind::ShortText);
        Self {
            text: values::display(kind, stored),
            phone: (kind == FieldKind::Phone).then(|| format!("tel:{stored}")),
        }
    }
}

impl Visit {
    pub fn url(&self) -> String {
        format!("/terrain/{}", self.id)
    }

    pub fn planned_on(&self) -> Option<NaiveDate> {
        self.planned_at.map(clock::day)
    }

    /// What is written first: the hour of today, else the day.
    pub fn time(&self, today: &NaiveDate) -> (String, String) {
        let day = |at: DateTime<Utc>, hour: String| {
            if clock::day(at) == *today {
                (hour, String::new())
            } else {
                (format::day_month(clock::day(at), *today), hour)
            }
        };
        match (self.done_at, self.planned_at) {
            (Some(done), _) => day(done, format::hour(done)),
            (None, Some(at)) => match day(at, format::hour(at)) {
                (hour, small) if small.is_empty() => (hour, format!("{} min", self.minutes)),
                other => other,
            },
            (None, None) => ("Sans date".into(), String::new()),
        }
    }

    /// « En retard de 2 jours »
    pub fn late(&self, today: &NaiveDate) -> Option<String> {
        let is_open =
            matches!(self.category, Category::Todo | Category::Planned | Category::InProgress);
        let days = (*today - self.planned_on()?).num_days();
        (is_open && days > 0).then(|| format!("En retard de {}", count(days, "jour", "jours")))
    }

    /// « dans 25 min », for the next one.
    pub fn wait(&self, now: &DateTime<Utc>) -> String {
        let Some(at) = self.planned_at.filter(|at| clock::day(*at) == clock::day(*now)) else {
            return String::new();
        };
        match (at - now).num_minutes() {
            0 => "maintenant".into(),
            minutes @ 1..60 => format!("dans {minutes} min"),
            minutes @ 60.. => format!("dans {} h {:02}", minutes / 60, minutes % 60),
            _ => format!("prévue à {}", format::hour(at)),
        }
    }

    /// The last reason, where it tells why the intervention waits.
    pub fn why(&self) -> Option<String> {
        let reason = self.reason.as_ref()?;
        match self.category {
            Category::Postponed | Category::Blocked => Some(format!("« {reason} »")),
            Category::Done => None,
            _ if self.postponed == 1 => Some(format!("Reportée une fois : « {reason} »")),
            _ if self.postponed > 1 => {
                Some(format!("Reportée {} fois : « {reason} »", self.postponed))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn a_place_is_said_once() {
        let of = |location: &str, segment: &str| place(Some(location.into()), Some(segment.into()));
        assert_eq!(of("Bureau D301", "Bâtiment B").as_deref(), Some("Bureau D301, Bâtiment B"));
        assert_eq!(
            of("Bureau D301, bâtiment b", "Bâtiment B").as_deref(),
            Some("Bureau D301, bâtiment b")
        );
        assert_eq!(place(None, Some("Bâtiment B".into())).as_deref(), Some("Bâtiment B"));
        assert_eq!(of("", ""), None);
    }
}
