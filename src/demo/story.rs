// SPDX-License-Identifier: EUPL-1.2
//! Operations told step by step, as `operations::transition` would have written them: what is
//! stored at the end is always what the history says.
use crate::{
    accounts::User,
    campaigns::{Campaign, Segment},
    db::Id,
    operations::Operation,
    text::norm,
    workflows::{Category, DateMode, Workflow},
};
use anyhow::{Context, Result, ensure};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// Everything that happened, in the order of telling; the store sorts it by instant.
#[derive(Default)]
pub struct Chronicle {
    pub operations: Vec<Told>,
    pub events: Vec<EventRow>,
    pub audit: Vec<AuditRow>,
    pub notes: Vec<NoteRow>,
}

/// A row of `operations`, under its column names.
#[derive(Serialize)]
pub struct Told {
    pub id: Id<Operation>,
    pub campaign_id: Id<Campaign>,
    pub segment_id: Option<Id<Segment>>,
    pub status_id: i32,
    #[serde(skip)]
    pub category: Category,
    pub assignee_id: Option<Id<User>>,
    pub identifier: String,
    pub identifier_norm: String,
    pub label: String,
    pub label_norm: String,
    pub values: Map<String, Value>,
    pub import_base: Option<Value>,
    pub import_id: Option<Uuid>,
    pub search_text: String,
    pub planned_at: Option<DateTime<Utc>>,
    pub initial_planned_at: Option<DateTime<Utc>>,
    pub postpone_count: i16,
    pub last_reason: Option<String>,
    pub started_at: Option<DateTime<Utc>>,
    pub done_at: Option<DateTime<Utc>>,
    pub version: i32,
    pub created_at: DateTime<Utc>,
    pub created_by: Id<User>,
    pub updated_at: DateTime<Utc>,
    pub updated_by: Id<User>,
}

/// A row of `operation_events`.
#[derive(Serialize)]
pub struct EventRow {
    pub operation_id: Id<Operation>,
    pub campaign_id: Id<Campaign>,
    pub at: DateTime<Utc>,
    pub actor_id: Id<User>,
    pub kind: &'static str,
    pub from_status: Option<i32>,
    pub to_status: Option<i32>,
    pub assignee_id: Option<Id<User>>,
    pub planned_before: Option<DateTime<Utc>>,
    pub planned_after: Option<DateTime<Utc>>,
    pub reason: Option<String>,
    pub changes: Option<Value>,
    pub batch_id: Option<Uuid>,
}

/// A row of `audit_entries`.
#[derive(Serialize)]
pub struct AuditRow {
    pub at: DateTime<Utc>,
    pub actor_id: Option<Id<User>>,
    pub action: &'static str,
    pub object_kind: &'static str,
    pub object_id: Option<Uuid>,
    pub campaign_id: Option<Id<Campaign>>,
    pub changes: Value,
    pub reason: Option<String>,
}

/// A row of `operation_notes`.
#[derive(Serialize)]
pub struct NoteRow {
    pub id: Uuid,
    pub operation_id: Id<Operation>,
    pub author_id: Id<User>,
    pub body: &'static str,
    pub at: DateTime<Utc>,
}

/// What an operation is when its campaign begins.
pub struct Birth {
    pub campaign: Id<Campaign>,
    pub segment: Option<(Id<Segment>, &'static str)>,
    pub identifier: String,
    pub label: String,
    /// By field number, without identifier and label.
    pub values: Map<String, Value>,
    /// The import that brought it; none: created by hand.
    pub import: Option<Uuid>,
    pub by: Id<User>,
    pub at: DateTime<Utc>,
}

/// An operation under way and the chronicle it writes in.
pub struct Teller<'a> {
    pub operation: Told,
    workflow: &'a Workflow,
    chronicle: &'a mut Chronicle,
}

impl<'a> Teller<'a> {
    /// An operation in the initial status of its workflow (RG-014).
    pub fn begin(
        chronicle: &'a mut Chronicle,
        workflow: &'a Workflow,
        searched: &[&str],
        birth: Birth,
    ) -> Result<Self> {
        let initial = workflow.initial()?;
        let (identifier_norm, label_norm) = (norm(&birth.identifier), norm(&birth.label));
        let mut search_text = format!("{identifier_norm} {label_norm}");
        for value in searched.iter().filter_map(|key| birth.values.get(*key)?.as_str()) {
            search_text.push(' ');
            search_text.push_str(&norm(value));
        }
        let import_base = birth.import.map(|_| {
            let mut base = birth.values.clone();
            base.insert("2".into(), birth.label.clone().into());
            if let Some((_, name)) = birth.segment {
                base.insert("segment".into(), name.into());
            }
            Value::Object(base)
        });
        let operation = Told {
            id: Id::new(),
            campaign_id: birth.campaign,
            segment_id: birth.segment.map(|(id, _)| id),
            status_id: initial.id,
            category: initial.category,
            assignee_id: None,
            identifier: birth.identifier,
            identifier_norm,
            label: birth.label,
            label_norm,
            values: birth.values,
            import_base,
            import_id: birth.import,
            search_text,
            planned_at: None,
            initial_planned_at: None,
            postpone_count: 0,
            last_reason: None,
            started_at: None,
            done_at: None,
            version: 1,
            created_at: birth.at,
            created_by: birth.by,
            updated_at: birth.at,
            updated_by: birth.by,
        };
        let mut teller = Self { operation, workflow, chronicle };
        let kind = if birth.import.is_some() { "imported" } else { "created" };
        let event = EventRow {
            to_status: Some(initial.id),
            batch_id: birth.import,
            ..teller.event(kind, birth.by, birth.at)
        };
        teller.chronicle.events.push(event);
        if birth.import.is_none() {
            let o = &teller.operation;
            let changes = json!({ "identifier": [null, o.identifier], "label": [null, o.label], "values": [null, o.values] });
            teller.trace("operation.created", birth.by, birth.at, changes, None);
        }
        Ok(teller)
    }

    /// Gives the operation to a technician, by name.
    pub fn assign(&mut self, by: Id<User>, at: DateTime<Utc>, to: (Id<User>, &str)) -> Result<()> {
        self.happens(by, at)?;
        self.operation.assignee_id = Some(to.0);
        let changes = json!({ "Technicien": [null, to.1] });
        // As `operations::assign` does: the event carries the assignee before the change.
        let event = EventRow {
            assignee_id: None,
            changes: Some(changes.clone()),
            ..self.event("assigned", by, at)
        };
        self.chronicle.events.push(event);
        self.trace("operation.assigned", by, at, changes, None);
        Ok(())
    }

    /// Gives it a planned date, without touching its status.
    pub fn plan(&mut self, by: Id<User>, at: DateTime<Utc>, to: DateTime<Utc>) -> Result<()> {
        self.happens(by, at)?;
        let before = self.operation.planned_at.replace(to);
        self.operation.initial_planned_at =
            self.operation.initial_planned_at.or(before).or(Some(to));
        let changes = json!({ "Date prévue": [before, to] });
        let event = EventRow {
            planned_before: before,
            changes: Some(changes.clone()),
            ..self.event("planned", by, at)
        };
        self.chronicle.events.push(event);
        self.trace("operation.planned", by, at, changes, None);
        Ok(())
    }

    /// Moves it by the transition of this code.
    pub fn step(&mut self, by: Id<User>, at: DateTime<Utc>, code: &str) -> Result<()> {
        self.moves(by, at, code, None, None)
    }

    /// The same, with a planned date.
    pub fn step_to(
        &mut self,
        by: Id<User>,
        at: DateTime<Utc>,
        code: &str,
        date: DateTime<Utc>,
    ) -> Result<()> {
        self.moves(by, at, code, Some(date), None)
    }

    pub fn moves(
        &mut self,
        by: Id<User>,
        at: DateTime<Utc>,
        code: &str,
        date: Option<DateTime<Utc>>,
        reason: Option<&str>,
    ) -> Result<()> {
        let workflow = self.workflow;
        let from = self.operation.status_id;
        let chosen = workflow
            .leaving(from)
            .find(|t| t.code == code)
            .with_context(|| format!("{} : pas de transition {code}", self.operation.identifier))?;
        let to = workflow.status(chosen.to)?;
        let before = self.operation.planned_at;
        let planned = match (chosen.date, date) {
            (DateMode::Untouched, _) => before,
            (DateMode::Cleared, _) => None,
            (DateMode::Optional, None) if to.category == Category::Postponed => None,
            (DateMode::Optional, None) => before,
            (DateMode::Required, None) => anyhow::bail!("{code} sans date"),
            (_, Some(date)) => Some(date),
        };
        let state = self.state();
        self.happens(by, at)?;
        let o = &mut self.operation;
        o.status_id = to.id;
        o.category = to.category;
        o.planned_at = planned;
        o.initial_planned_at = o.initial_planned_at.or(before).or(planned);
        o.postpone_count += i16::from(to.category == Category::Postponed);
        if let Some(reason) = reason {
            o.last_reason = Some(reason.to_owned());
        }
        if to.category == Category::InProgress {
            o.started_at = o.started_at.or(Some(at));
        }
        o.done_at = (to.category == Category::Done).then_some(at);
        let changes = json!({ "version": o.version, "before": state });
        let event = EventRow {
            from_status: Some(from),
            to_status: Some(to.id),
            planned_before: before,
            planned_after: planned,
            reason: reason.map(str::to_owned),
            changes: Some(changes),
            ..self.event("transition", by, at)
        };
        self.chronicle.events.push(event);
        let changes = json!({ "status": [from, to.id], "planned_at": [before, planned] });
        self.trace("operation.moved", by, at, changes, reason);
        Ok(())
    }

    /// A dated note (US-410).
    pub fn note(&mut self, by: Id<User>, at: DateTime<Utc>, body: &'static str) {
        let operation_id = self.operation.id;
        self.chronicle.notes.push(NoteRow {
            id: Uuid::now_v7(),
            operation_id,
            author_id: by,
            body,
            at,
        });
        let event = self.event("note", by, at);
        self.chronicle.events.push(event);
        self.trace("operation.noted", by, at, json!({ "length": body.chars().count() }), None);
    }

    pub fn end(self) {
        self.chronicle.operations.push(self.operation);
    }

    /// Time never goes back, and each change is a version.
    fn happens(&mut self, by: Id<User>, at: DateTime<Utc>) -> Result<()> {
        let o = &mut self.operation;
        ensure!(at >= o.updated_at, "{} : {at} vient avant {}", o.identifier, o.updated_at);
        o.version += 1;
        o.updated_at = at;
        o.updated_by = by;
        Ok(())
    }

    fn event(&self, kind: &'static str, actor_id: Id<User>, at: DateTime<Utc>) -> EventRow {
        let o = &self.operation;
        EventRow {
            operation_id: o.id,
            campaign_id: o.campaign_id,
            at,
            actor_id,
            kind,
            from_status: None,
            to_status: None,
            assignee_id: o.assignee_id,
            planned_before: o.planned_at,
            planned_after: o.planned_at,
            reason: None,
            changes: None,
            batch_id: None,
        }
    }

    fn trace(
        &mut self,
        action: &'static str,
        by: Id<User>,
        at: DateTime<Utc>,
        changes: Value,
        reason: Option<&str>,
    ) {
        self.chronicle.audit.push(AuditRow {
            at,
            actor_id: Some(by),
            action,
            object_kind: "operation",
            object_id: Some(self.operation.id.uuid()),
            campaign_id: Some(self.operation.campaign_id),
            changes,
            reason: reason.map(str::to_owned),
        });
    }

    /// What an undo restores.
    fn state(&self) -> Value {
        let o = &self.operation;
        json!({
            "planned_at": o.planned_at, "initial_planned_at": o.initial_planned_at, "postpone_count": o.postpone_count,
            "last_reason": o.last_reason, "started_at": o.started_at, "done_at": o.done_at,
        })
    }
}
