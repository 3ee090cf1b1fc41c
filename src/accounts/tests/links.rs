// SPDX-License-Identifier: EUPL-1.2
//! US-109, US-112, RG-008, RG-009: links that open accounts, and how they die.
use super::{link_in, set_password};
use crate::{
    accounts::{Purpose, cli, links, setup_link},
    testing::TestApp,
};
use chrono::Duration;
use sqlx::PgPool;

const STRONG: &str = "KLMtruite7%oie";
const OTHER: &str = "lampadaire vert octobre tiroir musique";
const ANSWER: &str = "Si un compte existe pour cette adresse, un message vient d'être envoyé.";

async fn forgot(app: &TestApp, email: &str) {
    let reply = app.stranger().submit("/mot-de-passe-oublie", &[("email", email)]).await;
    reply.redirects_to("/connexion");
    assert_eq!(reply.flash().as_deref(), Some(ANSWER));
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_109_1_the_same_answer_and_work_for_any_address(db: PgPool) {
    let app = TestApp::new(db).await;
    app.karim().await;
    forgot(&app, " Karim.Benali@ops.test ").await;
    forgot(&app, "personne@ops.test").await;
    // Before the answer both requests did the same thing; only the job knows.
    assert_eq!(app.count("select count(*) from jobs").await, 2);
    assert_eq!(app.count("select count(*) from messages").await, 0);
    app.drain().await;
    assert_eq!(app.count("select count(*) from messages where kind = 'password_reset' and recipient = 'karim.benali@ops.test'").await, 1);
    assert_eq!(app.count("select count(*) from messages").await, 1);
    assert_eq!(app.audit().await, ["password.reset_requested"]);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_109_1_rg_006_the_sixth_request_of_an_hour_sends_nothing(db: PgPool) {
    let app = TestApp::new(db.clone()).await;
    app.karim().await;
    for _ in 0..6 {
        forgot(&app, "karim.benali@ops.test").await;
    }
    app.drain().await;
    assert_eq!(app.count("select count(*) from messages").await, 5);
    sqlx::query("update throttle_hits set at = at - interval '61 minutes'")
        .execute(&db)
        .await
        .unwrap();
    forgot(&app, "karim.benali@ops.test").await;
    app.drain().await;
    assert_eq!(app.count("select count(*) from messages").await, 6);
    // Twenty an hour from one network, whatever the addresses.
    sqlx::query("delete from throttle_hits").execute(&db).await.unwrap();
    for i in 0..21 {
        forgot(&app, &format!("p{i}@ops.test")).await;
    }
    assert_eq!(app.count("select count(*) from jobs").await, 20);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_109_2_a_reset_signs_out_everywhere(db: PgPool) {
    let app = TestApp::new(db.clone()).await;
    let (admin, karim) = (app.admin().await, app.karim().await);
    set_password(&app, &karim, STRONG).await;
    forgot(&app, "karim.benali@ops.test").await;
    app.drain().await;
    let id: uuid::Uuid =
        sqlx::query_scalar("select id from messages").fetch_one(&db).await.unwrap();
    let link = link_in(
        &admin.post(&format!("/administration/messages/{id}/lien")).await.body,
        "mot-de-passe",
    );
    let visitor = app.stranger();
    visitor.get(&link).await.is(200);
    visitor.get(&link).await.is(200);
    let reply = visitor.submit(&link, &[("mot_de_passe", OTHER), ("confirmation", OTHER)]).await;
    reply.redirects_to("/connexion");
    assert_eq!(reply.flash().as_deref(), Some("Mot de passe modifié"));
    karim.get("/profil").await.is(303);
    visitor.get(&link).await.is(404).shows("Ce lien n'est plus valable.");
    visitor
        .submit("/connexion", &[("email", "karim.benali@ops.test"), ("mot_de_passe", OTHER)])
        .await
        .redirects_to("/terrain");
    assert_eq!(app.count("select count(*) from messages where kind = 'security_notice'").await, 1);
    assert!(app.audit().await.contains(&"link.used".to_owned()));
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_009_a_link_dies_with_time_with_a_later_one_and_for_another_use(db: PgPool) {
    let app = TestApp::new(db.clone()).await;
    let karim = app.karim().await;
    let path = |link: String| link.trim_start_matches("http://ops.test").to_owned();
    let mut conn = db.acquire().await.unwrap();
    let old = links::issue(
        &mut conn,
        &app.app,
        Purpose::Reset,
        Some(karim.id()),
        app.now() - Duration::minutes(61),
    )
    .await
    .unwrap();
    app.stranger().get(&path(old)).await.is(404);
    let first = path(
        links::issue(&mut conn, &app.app, Purpose::Activation, Some(karim.id()), app.now())
            .await
            .unwrap(),
    );
    app.stranger().get(&first.replace("activation", "mot-de-passe")).await.is(404);
    let second = path(
        links::issue(&mut conn, &app.app, Purpose::Reset, Some(karim.id()), app.now())
            .await
            .unwrap(),
    );
    app.stranger().get(&first).await.is(404);
    app.stranger().get(&second).await.is(200);
    // Off, nothing opens.
    sqlx::query("update users set active = false where id = $1")
        .bind(karim.id())
        .execute(&db)
        .await
        .unwrap();
    app.stranger().get(&second).await.is(404);
    // Only hashes are stored.
    let stored: Vec<u8> = sqlx::query_scalar("select token_hash from one_time_links limit 1")
        .fetch_one(&db)
        .await
        .unwrap();
    assert_eq!(stored.len(), 32);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_009_of_two_posts_one_finds_the_link_alive(db: PgPool) {
    let app = TestApp::new(db.clone()).await;
    let karim = app.karim().await;
    let mut conn = db.acquire().await.unwrap();
    let link = links::issue(&mut conn, &app.app, Purpose::Activation, Some(karim.id()), app.now())
        .await
        .unwrap();
    let link = link.trim_start_matches("http://ops.test").to_owned();
    let (a, b) = (app.stranger(), app.stranger());
    let form = [("mot_de_passe", STRONG), ("confirmation", STRONG)];
    let (a, b) = tokio::join!(a.submit(&link, &form), b.submit(&link, &form));
    let mut statuses = [a.status.as_u16(), b.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 404]);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_006_unknown_tokens_are_counted(db: PgPool) {
    let app = TestApp::new(db).await;
    for _ in 0..30 {
        app.stranger().get("/activation/abc").await.is(404);
    }
    app.stranger().get("/mot-de-passe/abc").await.is(429);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_112_1_first_installation(db: PgPool) {
    let app = TestApp::new(db.clone()).await;
    let link = setup_link(&app.app, app.now()).await.unwrap().unwrap();
    let link = link.trim_start_matches("http://ops.test").to_owned();
    let visitor = app.stranger();
    visitor
        .get(&link)
        .await
        .is(200)
        .shows("Première installation")
        .shows("Délégué à la protection des données");
    visitor.submit(&link, &[("prenom", "Marc")]).await.is(422).shows("Ce champ est obligatoire");
    let form = [
        ("organisation", "Ville de Saint-Rémy"),
        ("contact", "dsi@ops.test"),
        ("dpo", "dpo@ops.test"),
        ("prenom", "Marc"),
        ("nom", "Lefèvre"),
        ("email", "marc@ops.test"),
        ("mot_de_passe", STRONG),
        ("confirmation", STRONG),
    ];
    visitor.submit(&link, &form).await.redirects_to("/administration");
    assert_eq!(app.app.settings().organisation, "Ville de Saint-Rémy");
    visitor.get(&link).await.is(404);
    visitor.submit(&link, &form).await.is(404);
    assert_eq!(
        setup_link(&app.app, app.now()).await.unwrap(),
        None,
        "no link once an administrator exists"
    );
    visitor
        .submit("/connexion", &[("email", "marc@ops.test"), ("mot_de_passe", STRONG)])
        .await
        .redirects_to("/tableau-de-bord");
    assert_eq!(app.count("select count(*) from users").await, 1);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_112_1_a_set_up_link_lives_a_day_and_the_last_one_counts(db: PgPool) {
    let app = TestApp::new(db).await;
    let path =
        |link: Option<String>| link.unwrap().trim_start_matches("http://ops.test").to_owned();
    let old = path(setup_link(&app.app, app.now() - Duration::hours(25)).await.unwrap());
    app.stranger().get(&old).await.is(404);
    let first = path(setup_link(&app.app, app.now()).await.unwrap());
    let second = path(setup_link(&app.app, app.now()).await.unwrap());
    app.stranger().get(&first).await.is(404);
    app.stranger().get(&second).await.is(200);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_112_2_the_command_makes_an_administrator(db: PgPool) {
    let app = TestApp::new(db.clone()).await;
    let weak = cli::create(&app.app, "marc@ops.test", "Marc", "Lefèvre", Some("azertyuiop12"))
        .await
        .unwrap_err();
    assert!(weak.to_string().starts_with("Mot de passe trop faible"), "{weak}");
    cli::create(&app.app, "Marc@ops.test", "Marc", "Lefèvre", Some(STRONG)).await.unwrap();
    app.stranger()
        .submit("/connexion", &[("email", "marc@ops.test"), ("mot_de_passe", STRONG)])
        .await
        .redirects_to("/tableau-de-bord");
    let twice =
        cli::create(&app.app, "marc@ops.test", "Marc", "Lefèvre", Some(STRONG)).await.unwrap_err();
    assert_eq!(twice.to_string(), "Cet e-mail est déjà utilisé");
    let told = cli::create(&app.app, "ada@ops.test", "Ada", "Roy", None).await.unwrap();
    app.stranger().get(&link_in(&told, "activation")).await.is(200);
    let kind: String = sqlx::query_scalar("select actor_kind from audit_entries limit 1")
        .fetch_one(&db)
        .await
        .unwrap();
    assert_eq!(kind, "command_line");
}
