// SPDX-License-Identifier: EUPL-1.2
//! Every error that a visitor can meet (US-1604): in the shell, in French, with what to do and a
//! reference, and nothing of the inside.
use crate::testing::{Reply, TestApp};
use sqlx::PgPool;

/// The page of an error: its shell, its number, its words, a way back.
#[track_caller]
fn told(reply: &Reply, status: u16, words: &str) {
    reply.is(status).shows(&format!("Erreur {status}")).shows(words).shows("Référence :");
    let body = &reply.body;
    assert!(
        body.contains("role=\"contentinfo\"") && body.contains("href=\"/\""),
        "{status}: the shell"
    );
    for inside in ["sqlx", "relation", "panicked", "src/", "error returned"] {
        assert!(!body.contains(inside), "{status} shows « {inside} »");
    }
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_1604_errors_of_requests(db: PgPool) {
    let app = TestApp::new(db).await;
    let (admin, sophie, karim) = (app.admin().await, app.sophie().await, app.karim().await);
    told(
        &sophie.get("/campagnes/pas-un-numero/tableau-de-bord").await,
        400,
        "L’adresse ou le formulaire est mal formé",
    );
    told(
        &sophie.get("/administration").await,
        403,
        "Vous n’avez pas le droit d’effectuer cette action.",
    );
    told(&sophie.get("/rien").await, 404, "Cette page n’existe pas");
    told(&app.stranger().get("/rien").await, 404, "Cette page n’existe pas");
    let reset = format!("/administration/utilisateurs/{}/second-facteur", karim.id());
    told(&admin.post(&reset).await, 422, "Ce compte n’a pas de second facteur.");
    let huge = "a".repeat(crate::web::body::LIMIT + 1);
    told(&sophie.submit("/connexion", &[("email", &huge)]).await, 413, "Réduisez la taille");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_1604_a_conflict_keeps_what_was_typed(db: PgPool) {
    let app = TestApp::new(db.clone()).await;
    let (sophie, reader) = (app.sophie().await, app.reader().await);
    let campaign = app.campaign().run_by(&sophie).create().await;
    campaign.grant(&reader, "view").await;
    let id: uuid::Uuid = sqlx::query_scalar("select id from grants").fetch_one(&db).await.unwrap();
    let (before, mine) = (format!("avant-{id}"), format!("droit-{id}"));
    let form = [(before.as_str(), "voir configurer"), (&mine, "voir"), (&mine, "exporter")];
    let reply = sophie.submit(&campaign.path("parametres/habilitations/droits"), &form).await;
    reply.is(409).shows("Modifié entre-temps").shows("Vos cases sont gardées");
    assert!(reply.body.contains("role=\"contentinfo\""));
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_1604_too_many_requests_say_the_delay(db: PgPool) {
    let app = TestApp::new(db).await;
    let stranger = app.stranger();
    let form = [("nom", "N"), ("email", "n@ops.test"), ("objet", "O"), ("message", "M")];
    for _ in 0..5 {
        stranger.submit("/contact", &form).await.is(303);
    }
    let reply = stranger.submit("/contact", &form).await;
    told(&reply, 429, "Réessayez dans 60 minutes.");
    assert!(reply.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() <= 3_600);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_1604_a_failure_shows_nothing_of_the_inside(db: PgPool) {
    let app = TestApp::new(db.clone()).await;
    let sophie = app.sophie().await;
    sqlx::query("alter table campaigns rename to elsewhere").execute(&db).await.unwrap();
    told(
        &sophie.get("/campagnes").await,
        500,
        "L’incident a été enregistré. Rien n’a été modifié.",
    );
    app.app.db.close().await;
    told(&sophie.get("/campagnes").await, 503, "Réessayez dans une minute");
}
