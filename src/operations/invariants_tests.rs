// SPDX-License-Identifier: EUPL-1.2
//! What the base refuses by itself (06-model §11: 3, 4, 6, 7, 8), told in raw SQL past every screen.
use crate::testing::{TestApp, TestCampaign};
use sqlx::PgPool;

struct World {
    app: TestApp,
    campaign: TestCampaign,
    other: TestCampaign,
}

impl World {
    async fn new(db: PgPool) -> Self {
        let app = TestApp::new(db).await;
        let sophie = app.sophie().await;
        let campaign = app.campaign().run_by(&sophie).create().await;
        let other = app.campaign().named("Autre").run_by(&sophie).on_booking().create().await;
        campaign.operation("A1", None, None, None).await;
        other.operation("A1", None, None, None).await;
        campaign.operation("A2", None, None, None).await;
        Self { app, campaign, other }
    }

    /// The SQLSTATE of a refusal; « ok » when the base accepts.
    async fn tries(&self, sql: &'static str) -> String {
        match sqlx::query(sql).execute(&self.app.app.db).await {
            Ok(_) => "ok".into(),
            Err(err) => err
                .as_database_error()
                .and_then(|e| e.code())
                .map(|code| code.into_owned())
                .unwrap_or_else(|| err.to_string()),
        }
    }
}

const A2: &str = "A2 is the one changed";

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn invariant_3_category_and_version_of_the_status(db: PgPool) {
    let w = World::new(db).await;
    assert_eq!(
        w.tries("update operations set category = 'done' where identifier = 'A2'").await,
        "OT004",
        "{A2}"
    );
    assert_eq!(
        w.tries("update operations o set status_id = s.id, category = s.category from workflow_statuses s, campaigns c
                 where o.identifier = 'A2' and c.name = 'Autre' and s.version_id = c.workflow_version_id and s.code = 'planned'").await,
        "OT004",
        "a status of another workflow"
    );
    assert_eq!(
        w.tries("update operations set status_id = -1 where identifier = 'A2'").await,
        "OT004"
    );
    assert_eq!(
        w.tries("update operations o set status_id = s.id, category = s.category from workflow_statuses s, campaigns c
                 where o.identifier = 'A2' and c.id = o.campaign_id and s.version_id = c.workflow_version_id and s.code = 'done'").await,
        "ok"
    );
    assert_eq!(
        w.tries("update workflow_statuses set name = 'x'").await,
        "OT003",
        "a published version never changes"
    );
    assert_eq!(w.tries("delete from workflow_transitions").await, "OT003");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn invariant_4_identifier_is_unique_among_the_living(db: PgPool) {
    let w = World::new(db).await;
    assert_eq!(
        w.tries("update operations set identifier_norm = 'a1' where identifier = 'A2'").await,
        "23505"
    );
    assert_eq!(
        w.tries("update operations set deleted_at = now() where identifier = 'A1'").await,
        "ok"
    );
    assert_eq!(
        w.tries("update operations set identifier_norm = 'a1' where identifier = 'A2'").await,
        "ok"
    );
    assert_eq!(w.tries("update operations set deleted_at = null where identifier = 'A1' and campaign_id = (select id from campaigns where name = 'Migration')").await, "23505");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn invariant_6_history_is_append_only(db: PgPool) {
    let w = World::new(db).await;
    let insert = "insert into operation_events (operation_id, campaign_id, at, actor_kind, kind, idempotency_key)
                  select id, campaign_id, now(), 'system', 'note', 'k' from operations where identifier = 'A2'";
    assert_eq!(w.tries(insert).await, "ok");
    assert_eq!(w.tries(insert).await, "23505", "one event a key");
    assert_eq!(w.tries("update operation_events set kind = 'edited'").await, "OT003");
    assert_eq!(w.tries("delete from operation_events").await, "OT003");
    assert_eq!(w.tries("insert into audit_entries (at, actor_kind, action, object_kind, changes) values (now(), 'system', 'x.y', 'x', '{}')").await, "ok");
    assert_eq!(w.tries("update audit_entries set action = 'z.z'").await, "OT003");
    assert_eq!(w.tries("delete from audit_entries").await, "OT003");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn invariant_7_nothing_is_written_under_an_archived_campaign(db: PgPool) {
    let w = World::new(db).await;
    w.campaign.segment("Bâtiment A").await;
    let note = "insert into operation_notes (id, operation_id, author_id, body, at)
                select gen_random_uuid(), o.id, c.owner_id, 'x', now() from operations o join campaigns c on c.id = o.campaign_id where o.identifier = 'A2'";
    assert_eq!(w.tries(note).await, "ok");
    assert_eq!(
        w.tries("update campaigns set archived_at = now() where name = 'Migration'").await,
        "ok"
    );
    for write in [
        "update operations set label = 'x' where identifier = 'A2'",
        "update operations set deleted_at = now() where identifier = 'A2'",
        "insert into operations (id, campaign_id, status_id, category, identifier, identifier_norm, label, label_norm, search_text, created_at, updated_at)
         select gen_random_uuid(), o.campaign_id, o.status_id, o.category, 'N', 'n', 'N', 'n', 'n', now(), now() from operations o where identifier = 'A2'",
        note,
        "insert into segments (id, campaign_id, name, name_norm) select gen_random_uuid(), id, 'B', 'b' from campaigns where name = 'Migration'",
        "update segments set name = 'C'",
        "update campaign_fields set label = 'x' where number = 3 and campaign_id = (select id from campaigns where name = 'Migration')",
    ] {
        assert_eq!(w.tries(write).await, "OT005", "{write}");
    }
    assert_eq!(w.tries("update campaigns set deleted_at = now() where name = 'Autre'").await, "ok");
    assert_eq!(
        w.tries("update operations set label = 'x' where identifier = 'A1'").await,
        "OT005",
        "nor under a deleted one"
    );
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn invariant_8_no_row_crosses_campaigns(db: PgPool) {
    let w = World::new(db).await;
    w.other.segment("Ailleurs").await;
    w.campaign.segment("Ici").await;
    assert_eq!(w.tries("update operations set segment_id = (select id from segments where name = 'Ailleurs') where identifier = 'A2'").await, "OT004");
    assert_eq!(
        w.tries("update operations set segment_id = gen_random_uuid() where identifier = 'A2'")
            .await,
        "OT004"
    );
    assert_eq!(
        w.tries("update operations set assignee_id = gen_random_uuid() where identifier = 'A2'")
            .await,
        "OT004"
    );
    assert_eq!(w.tries("update operations set segment_id = (select id from segments where name = 'Ici') where identifier = 'A2'").await, "ok");
    assert_eq!(w.tries("update operations set campaign_id = (select id from campaigns where name = 'Autre') where identifier = 'A2'").await, "OT004");
    assert_eq!(w.tries("delete from segments where name = 'Ici'").await, "OT006");
    assert_eq!(w.tries("update segments set campaign_id = (select id from campaigns where name = 'Autre') where name = 'Ici'").await, "OT004", "nor by the other end");
    assert_eq!(w.tries("delete from segments where name = 'Ailleurs'").await, "ok");
}
