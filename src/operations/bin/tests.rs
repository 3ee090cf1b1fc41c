// SPDX-License-Identifier: EUPL-1.2
//! Stories of the bin of operations (US-309, RG-019).
use crate::testing::TestApp;
use sqlx::PgPool;

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_309_1_deleted_then_restored_under_another_identifier_if_taken(db: PgPool) {
    let app = TestApp::new(db).await;
    let (sophie, karim) = (app.sophie().await, app.karim().await);
    let campaign = app.campaign().run_by(&sophie).create().await;
    let operation = campaign.operation("A1", Some(&karim), None, None).await;
    let at = campaign.path(&format!("operations/{operation}"));
    sophie
        .get(&format!("{at}/suppression"))
        .await
        .is(200)
        .shows("redevient libre")
        .hides("Supprimer définitivement");
    let list = campaign.path("operations");
    sophie.post(&format!("{at}/suppression")).await.redirects_to(&list);
    sophie.get(&at).await.is(404);
    karim.get("/terrain").await.hides("NOM A1");
    sophie.get(&list).await.hides("NOM A1");
    let bin = campaign.path("parametres/corbeille");
    sophie.get(&bin).await.is(200).shows("A1").shows("Sophie MARTIN").hides("Nouvel identifiant");
    campaign.operation("a1", None, None, None).await;
    let id = operation.to_string();
    sophie.get(&bin).await.shows("Nouvel identifiant");
    sophie
        .submit(&bin, &[("operation", &id)])
        .await
        .is(422)
        .shows("Cet identifiant existe déjà dans la campagne");
    sophie.submit(&bin, &[("operation", &id), ("identifiant", "A1 bis")]).await.redirects_to(&bin);
    sophie.get(&at).await.is(200).shows("A1 bis").shows("Supprimée").shows("Restaurée");
    karim.get("/terrain").await.shows("NOM A1");
    assert_eq!(app.audit().await, ["operation.deleted", "operation.restored"]);
    app.reader().await.submit(&bin, &[("operation", &id)]).await.is(404);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_309_2_what_was_done_asks_twice_and_thirty_days_later_it_is_over(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = app.campaign().run_by(&sophie).create().await;
    let operation = campaign.operation("A1", None, None, None).await;
    sqlx::query("update operations o set status_id = w.id, category = 'done' from workflow_statuses w join campaigns c on c.workflow_version_id = w.version_id where c.id = o.campaign_id and w.code = 'done'")
        .execute(&app.app.db)
        .await
        .unwrap();
    let at = campaign.path(&format!("operations/{operation}/suppression"));
    sophie
        .post(&at)
        .await
        .is(422)
        .shows("Cette opération a été réalisée. Supprimer définitivement ?");
    assert_eq!(app.count("select count(*) from operations where deleted_at is null").await, 1);
    sophie.submit(&at, &[("realisee", "oui")]).await.is(303);
    sqlx::query("update operations set deleted_at = now() - interval '31 days'")
        .execute(&app.app.db)
        .await
        .unwrap();
    let bin = campaign.path("parametres/corbeille");
    sophie.get(&bin).await.shows("La corbeille est vide.");
    sophie.submit(&bin, &[("operation", &operation.to_string())]).await.is(404);
}
