// SPDX-License-Identifier: EUPL-1.2
//! Personal values live apart, and go without breaking the chain (03 §12.4).
use super::chain::{tamper, verified};
use crate::{
    audit::{self, Entry, chain, history_of},
    testing::{TestApp, plain},
};
use serde_json::json;
use sqlx::PgPool;
use uuid::Uuid;

async fn moved(app: &TestApp, operation: Uuid) {
    let mut tx = app.tx().await;
    let changes = json!({ "label": ["MOREAU Anne", "MOREAU Annie"], "status": [1, 2] });
    let entry = Entry::on("operation.edited", "operation", operation).changes(changes);
    tx.record(entry.reason(Some("Anne est mutée".into()))).await.unwrap();
    tx.commit().await.unwrap();
    chain::seal(&app.app, app.now()).await.unwrap();
}

/// Everything the audit's tables say, as text.
async fn everything(app: &TestApp) -> String {
    sqlx::query_scalar(
        "select concat((select string_agg(e::text, ' ') from audit_entries e), (select string_agg(p::text, ' ') from audit_personal p))",
    )
    .fetch_one(&app.app.db)
    .await
    .unwrap()
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn erasing_a_person_leaves_the_chain_whole(db: PgPool) {
    let app = TestApp::new(db).await;
    let (anne, other) = (Uuid::now_v7(), Uuid::now_v7());
    moved(&app, anne).await;
    moved(&app, other).await;
    let entries: String =
        sqlx::query_scalar("select string_agg(e::text, ' ') from audit_entries e")
            .fetch_one(&app.app.db)
            .await
            .unwrap();
    assert!(!entries.contains("MOREAU") && !entries.contains("mutée"), "{entries}");
    let mut conn = app.app.db.acquire().await.unwrap();
    let line = history_of(&mut conn, "operation", anne, 9).await.unwrap().remove(0);
    assert_eq!(line.reason.as_deref(), Some("Anne est mutée"));
    assert!(line.changes.iter().any(|c| c.to_string() == "Libellé : MOREAU Anne → MOREAU Annie"));

    assert_eq!(audit::erase(&mut conn, "operation", anne).await.unwrap(), 2);
    let line = history_of(&mut conn, "operation", anne, 9).await.unwrap().remove(0);
    assert_eq!(line.reason.as_deref(), Some("donnée effacée"));
    assert!(line.changes.iter().any(|c| c.to_string() == "Libellé : donnée effacée"));
    let line = history_of(&mut conn, "operation", other, 9).await.unwrap().remove(0);
    assert_eq!(line.reason.as_deref(), Some("Anne est mutée"));
    assert!(verified(&app).await.is_intact());

    audit::erase(&mut conn, "operation", other).await.unwrap();
    assert!(!everything(&app).await.contains("MOREAU"));
    assert!(verified(&app).await.is_intact());
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn a_campaign_goes_with_the_persons_it_names(db: PgPool) {
    let app = TestApp::new(db).await;
    let (sophie, karim) = (app.sophie().await, app.karim().await);
    let campaign = app.campaign().run_by(&sophie).create().await;
    let rights = campaign.path("parametres/habilitations");
    let given = [("personne", "karim.benali@ops.test"), ("droit", "voir")];
    sophie.submit(&rights, &given).await.is(303);
    let op = campaign.operation("A1", None, None, None).await;
    let assign = [("technicien", karim.id().to_string())];
    let pairs: Vec<_> = assign.iter().map(|(k, v)| (*k, v.as_str())).collect();
    sophie.submit(&campaign.path(&format!("operations/{op}/technicien")), &pairs).await;
    chain::seal(&app.app, app.now()).await.unwrap();
    assert!(everything(&app).await.contains("BENALI"));
    sophie.get(&campaign.path("historique")).await.shows("Habilitation Karim BENALI");
    let mut conn = app.app.db.acquire().await.unwrap();
    assert!(audit::erase(&mut conn, "campaign", campaign.id.uuid()).await.unwrap() > 0);
    assert!(!everything(&app).await.contains("BENALI"));
    sophie.get(&campaign.path("historique")).await.is(200).hides("Karim BENALI a");
    assert!(verified(&app).await.is_intact());
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn a_value_changed_apart_is_seen(db: PgPool) {
    let app = TestApp::new(db).await;
    moved(&app, Uuid::now_v7()).await;
    let refused = sqlx::query("update audit_personal set value = '1'").execute(&app.app.db).await;
    assert_eq!(crate::db::sqlstate(&refused.unwrap_err()).as_deref(), Some("OT003"));
    tamper(&app, "update audit_personal set value = '\"Autre\"' where key = 'reason'").await;
    assert_eq!(
        plain(&verified(&app).await.sentence()),
        "Chaîne rompue à la place 1 : une donnée personnelle de l'entrée n° 1 a été modifiée."
    );
}

#[sqlx::test(migrations = false)]
async fn entries_written_before_are_split_before_they_are_sealed(db: PgPool) {
    for migration in crate::MIGRATOR.iter() {
        if migration.version == 10 {
            sqlx::raw_sql(
                r#"insert into audit_entries (at, actor_kind, action, object_kind, object_id, changes, reason) values
                   (now(), 'system', 'operation.edited', 'operation', gen_random_uuid(), '{"label": ["MOREAU", "PETIT"], "status": [1, 2]}', 'Parti'),
                   (now(), 'system', 'campaign.edited', 'campaign', gen_random_uuid(), '{"name": ["a", "b"]}', 'Gardé'),
                   (now(), 'system', 'user.changed', 'user', gen_random_uuid(), '{"email": ["a@b.c", "d@e.f"]}', null)"#,
            )
            .execute(&db)
            .await
            .unwrap();
        }
        let sql = sqlx::AssertSqlSafe(migration.sql.as_str().to_owned());
        sqlx::raw_sql(sql).execute(&db).await.unwrap();
    }
    let app = TestApp::new(db).await;
    assert_eq!(app.count("select count(*) from audit_personal").await, 3);
    assert_eq!(app.count("select count(*) from audit_entries where reason = 'Gardé'").await, 1);
    assert_eq!(
        app.count(
            "select count(*) from audit_entries where concat(changes, reason) ~ 'MOREAU|Parti|a@b'"
        )
        .await,
        0
    );
    assert_eq!(chain::seal(&app.app, app.now()).await.unwrap(), 3);
    assert!(verified(&app).await.is_intact());
    let mut conn = app.app.db.acquire().await.unwrap();
    let op: Uuid = sqlx::query_scalar("select object_id from audit_entries where seq = 1")
        .fetch_one(&mut *conn)
        .await
        .unwrap();
    let line = history_of(&mut conn, "operation", op, 1).await.unwrap().remove(0);
    assert_eq!(line.reason.as_deref(), Some("Parti"));
}
