// SPDX-License-Identifier: EUPL-1.2
//! What a test needs and does not talk about.
use super::Person;
use crate::{
    accounts::User,
    app::App,
    campaigns::{Campaign, Segment},
    db::Id,
    operations::Operation,
    text::norm,
};
use chrono::{DateTime, Days, Utc};
use uuid::Uuid;

pub const STANDARD: &str = "0198a000-0000-7000-8000-000000000011";
pub const BOOKED: &str = "0198a000-0000-7000-8000-000000000012";
const TYPE: &str = "0198a000-0000-7000-8000-000000000022";

/// A running campaign of the Standard workflow, unless said otherwise, with the fields
/// Matricule (identifier), Nom (label), Poste, Lieu (numbers 1 to 4).
pub struct CampaignBuilder<'a> {
    app: &'a App,
    name: String,
    owner: Option<Id<User>>,
    public: bool,
    draft: bool,
    archived: bool,
    workflow: &'static str,
}

impl<'a> CampaignBuilder<'a> {
    pub fn new(app: &'a App) -> Self {
        Self {
            app,
            name: "Migration".into(),
            owner: None,
            public: false,
            draft: false,
            archived: false,
            workflow: STANDARD,
        }
    }

    pub fn named(mut self, name: &str) -> Self {
        self.name = name.into();
        self
    }

    pub fn run_by(mut self, person: &Person) -> Self {
        self.owner = Some(person.id());
        self
    }

    pub fn public(mut self) -> Self {
        self.public = true;
        self
    }

    pub fn draft(mut self) -> Self {
        self.draft = true;
        self
    }

    pub fn archived(mut self) -> Self {
        self.archived = true;
        self
    }

    pub fn on_booking(mut self) -> Self {
        self.workflow = BOOKED;
        self
    }

    pub async fn create(self) -> TestCampaign {
        let id = Id::<Campaign>::new();
        let now = crate::clock::now();
        let today = crate::clock::day(now);
        let status = if self.archived {
            "archived"
        } else if self.draft {
            "draft"
        } else {
            "running"
        };
        sqlx::query(
            "insert into campaigns (id, name, name_norm, type_id, start_date, end_date, owner_id, is_public, status, activated_at, archived_at, workflow_version_id, wizard_step)
             values ($1, $2, $3, $4::uuid, $5, $6, $7, $8, $9::campaign_status, $10, $11, $12::uuid, 5)",
        )
        .bind(id)
        .bind(&self.name)
        .bind(norm(&self.name))
        .bind(TYPE)
        .bind(today)
        .bind(today.checked_add_days(Days::new(30)).unwrap())
        .bind(self.owner.expect("run_by"))
        .bind(self.public)
        .bind(status)
        .bind((!self.draft).then_some(now))
        .bind(None::<DateTime<Utc>>)
        .bind(self.workflow)
        .execute(&self.app.db)
        .await
        .unwrap();
        for (number, label, usage) in [
            (1, "Matricule", "identifier"),
            (2, "Nom", "label"),
            (3, "Poste", "equipment"),
            (4, "Lieu", "location"),
        ] {
            sqlx::query(
                "insert into campaign_fields (id, campaign_id, number, label, label_norm, kind, required, searchable, in_list, sortable, usages, position)
                 values ($1, $2, $3, $4, $5, 'short_text', $6, true, true, not $6, array[$7], $3)",
            )
            .bind(Uuid::now_v7())
            .bind(id)
            .bind(number)
            .bind(label)
            .bind(norm(label))
            .bind(number < 3)
            .bind(usage)
            .execute(&self.app.db)
            .await
            .unwrap();
        }
        if self.archived {
            // Last: nothing is written under an archived campaign.
            sqlx::query("update campaigns set archived_at = $2 where id = $1")
                .bind(id)
                .bind(now)
                .execute(&self.app.db)
                .await
                .unwrap();
        }
        TestCampaign { id, app: self.app.clone() }
    }
}

pub struct TestCampaign {
    pub id: Id<Campaign>,
    app: App,
}

impl TestCampaign {
    pub fn path(&self, rest: &str) -> String {
        format!("/campagnes/{}/{rest}", self.id)
    }

    pub async fn segment(&self, name: &str) -> Id<Segment> {
        let id = Id::<Segment>::new();
        sqlx::query(
            "insert into segments (id, campaign_id, name, name_norm) values ($1, $2, $3, $4)",
        )
        .bind(id)
        .bind(self.id)
        .bind(name)
        .bind(norm(name))
        .execute(&self.app.db)
        .await
        .unwrap();
        id
    }

    /// `right`: view, configure, export.
    pub async fn grant(&self, person: &Person, right: &str) {
        sqlx::query("insert into grants (id, campaign_id, user_id, can_configure, can_export) values ($1, $2, $3, $4 = 'configure', $4 = 'export')")
            .bind(Uuid::now_v7())
            .bind(self.id)
            .bind(person.id())
            .bind(right)
            .execute(&self.app.db)
            .await
            .unwrap();
    }

    /// An operation « À planifier »; its label is « NOM <identifier> ».
    pub async fn operation(
        &self,
        identifier: &str,
        assignee: Option<&Person>,
        segment: Option<Id<Segment>>,
        planned: Option<DateTime<Utc>>,
    ) -> Id<Operation> {
        let id = Id::<Operation>::new();
        let label = format!("NOM {identifier}");
        sqlx::query(
            "insert into operations (id, campaign_id, segment_id, status_id, category, assignee_id, identifier, identifier_norm, label, label_norm,
               values, search_text, planned_at, initial_planned_at, created_at, updated_at)
             select $1, $2, $3, w.id, w.category, $4, $5, $6, $7, $8, '{\"3\": \"PC-1\"}', $9, $10, $10, now(), now()
             from campaigns c join workflow_statuses w on w.version_id = c.workflow_version_id and w.is_initial where c.id = $2",
        )
        .bind(id)
        .bind(self.id)
        .bind(segment)
        .bind(assignee.map(Person::id))
        .bind(identifier)
        .bind(norm(identifier))
        .bind(&label)
        .bind(norm(&label))
        .bind(norm(&format!("{identifier} {label} pc-1")))
        .bind(planned)
        .execute(&self.app.db)
        .await
        .unwrap();
        id
    }
}
