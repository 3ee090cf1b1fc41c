// SPDX-License-Identifier: EUPL-1.2
//! Settings and the administration home.
use crate::testing::TestApp;
use sqlx::PgPool;

const PAGE: &str = "/administration/parametres/organisation";

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn settings_are_saved_traced_and_obeyed_at_once(db: PgPool) {
    let app = TestApp::new(db.clone()).await;
    let admin = app.admin().await;
    admin.get("/administration").await.shows("ne sont pas renseignés");
    admin
        .submit(PAGE, &[("organisation", "Mairie"), ("force", "12")])
        .await
        .is(422)
        .shows("entre 50 et 128")
        .shows("Ce champ est obligatoire");
    let form = [
        ("organisation", "Ville de Saint-Rémy"),
        ("contact", "dsi@ops.test"),
        ("dpo", "dpo@ops.test"),
        ("force", "80"),
        ("familles", "oui"),
    ];
    admin.submit(PAGE, &form).await.redirects_to(PAGE);
    admin.get("/administration").await.hides("ne sont pas renseignés").shows("Ville de Saint-Rémy");
    // RG-001: the threshold applies at once, everywhere.
    let five_words = "lampadaire vert octobre tiroir musique";
    let reply = admin
        .submit(
            "/profil/mot-de-passe",
            &[("mot_de_passe", five_words), ("confirmation", five_words)],
        )
        .await;
    reply.is(422).shows("force 57 sur 80").shows("une majuscule, un chiffre, un caractère spécial");
    let changes: serde_json::Value =
        sqlx::query_scalar("select changes from audit_entries where action = 'settings.changed'")
            .fetch_one(&db)
            .await
            .unwrap();
    assert_eq!(changes["organisation"], serde_json::json!(["", "Ville de Saint-Rémy"]));
    assert_eq!(changes["password_bits"], serde_json::json!([50, 80]));
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn a_01_the_statement_of_accessibility_claims_nothing(db: PgPool) {
    let app = TestApp::new(db).await;
    let page = app.stranger().get("/accessibilite").await;
    page.is(200)
        .shows("Accessibilité : non conforme")
        .shows("aucun audit")
        .shows("75342 Paris CEDEX 07");
}
