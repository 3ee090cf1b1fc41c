// SPDX-License-Identifier: EUPL-1.2
//! US-101, US-102, RG-006, RG-007.
use super::set_password;
use crate::{
    accounts::{
        Role,
        throttle::{self, Tried},
    },
    testing::{Reply, TestApp},
};
use chrono::Duration;
use sqlx::PgPool;

const RIGHT: &str = "KLMtruite7%oie";

async fn sign_in(app: &TestApp, email: &str, password: &str) -> Reply {
    app.stranger().submit("/connexion", &[("email", email), ("mot_de_passe", password)]).await
}

/// Makes every counted attempt this much older.
async fn pass(app: &TestApp, minutes: i32) {
    sqlx::query("update throttle_hits set at = at - make_interval(mins => $1)")
        .bind(minutes)
        .execute(&app.app.db)
        .await
        .unwrap();
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_101_1_right_password_opens_a_new_session(db: PgPool) {
    let app = TestApp::new(db).await;
    let karim = app.karim().await;
    set_password(&app, &karim, RIGHT).await;
    let reply = sign_in(&app, " Karim.Benali@OPS.test ", RIGHT).await;
    reply.redirects_to("/terrain");
    assert_eq!(app.count("select count(*) from users where last_sign_in_at is not null").await, 1);
    assert_eq!(app.count("select count(*) from sessions").await, 2);
    assert_eq!(app.audit().await, ["session.opened"]);
    let cookies = cookies(&reply);
    assert!(
        cookies.iter().any(|c| c.starts_with("opstracker-session=")
            && c.contains("HttpOnly; SameSite=Strict")
            && !c.contains("Max-Age")),
        "{cookies:?}"
    );
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_101_2_unknown_and_wrong_are_alike(db: PgPool) {
    let app = TestApp::new(db).await;
    let karim = app.karim().await;
    set_password(&app, &karim, RIGHT).await;
    let wrong = sign_in(&app, "karim.benali@ops.test", "autre").await;
    wrong.is(422).shows("Identifiants incorrects");
    assert!(
        wrong.body.contains("value=\"karim.benali@ops.test\"") && !wrong.body.contains("autre")
    );
    assert!(wrong.body.contains("role=\"alert\""));
    let unknown = sign_in(&app, "personne.inconnue@ops.test", "autre").await;
    unknown.is(422);
    assert_eq!(unknown.text(), wrong.text());
    assert_eq!(app.audit().await, ["session.refused", "session.refused"]);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_101_3_rg_006_five_failures_lock_for_fifteen_minutes(db: PgPool) {
    let app = TestApp::new(db).await;
    let karim = app.karim().await;
    set_password(&app, &karim, RIGHT).await;
    for _ in 0..5 {
        sign_in(&app, "karim.benali@ops.test", "autre").await.shows("Identifiants incorrects");
    }
    let locked = "Compte temporairement verrouillé. Réessayez dans 15 minutes.";
    sign_in(&app, "karim.benali@ops.test", RIGHT).await.is(422).shows(locked);
    pass(&app, 14).await;
    sign_in(&app, "karim.benali@ops.test", RIGHT).await.shows(locked);
    // P-008: once the lock has elapsed, one wrong attempt does not lock again.
    pass(&app, 1).await;
    sign_in(&app, "karim.benali@ops.test", "autre").await.shows("Identifiants incorrects");
    sign_in(&app, "karim.benali@ops.test", RIGHT).await.redirects_to("/terrain");
    assert_eq!(app.audit().await.iter().filter(|a| *a == "account.locked").count(), 1);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_006_an_unknown_address_locks_too(db: PgPool) {
    let app = TestApp::new(db).await;
    for _ in 0..5 {
        sign_in(&app, "personne@ops.test", "autre").await.shows("Identifiants incorrects");
    }
    sign_in(&app, "personne@ops.test", "autre").await.shows("Compte temporairement verrouillé");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_006_success_forgets_the_failures(db: PgPool) {
    let app = TestApp::new(db).await;
    let karim = app.karim().await;
    set_password(&app, &karim, RIGHT).await;
    for _ in 0..3 {
        for _ in 0..4 {
            sign_in(&app, "karim.benali@ops.test", "autre").await.shows("Identifiants incorrects");
        }
        sign_in(&app, "karim.benali@ops.test", RIGHT).await.redirects_to("/terrain");
    }
    assert_eq!(
        app.count("select count(*) from throttle_hits where bucket like 'account:%'").await,
        0
    );
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_006_attempts_at_once_do_not_pass_together(db: PgPool) {
    let app = TestApp::new(db).await;
    let now = app.now();
    let attempts = (0..20).map(|_| {
        throttle::attempt(&app.app.db, Tried::Password("karim@ops.test"), "192.0.2.1", now)
    });
    let gates = futures::future::join_all(attempts).await;
    assert_eq!(gates.iter().filter(|g| matches!(g, Ok(throttle::Gate::Open))).count(), 5);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_006_a_network_address_has_limits(db: PgPool) {
    let app = TestApp::new(db).await;
    let now = app.now();
    for i in 0..50 {
        let gate = throttle::attempt(
            &app.app.db,
            Tried::Password(&format!("p{i}@ops.test")),
            "2001:db8::1",
            now,
        )
        .await
        .unwrap();
        assert_eq!(gate, throttle::Gate::Open);
    }
    // Same subscriber, another address of its /64.
    let gate = throttle::attempt(&app.app.db, Tried::Password("x@ops.test"), "2001:db8::2", now)
        .await
        .unwrap();
    assert_eq!(gate, throttle::Gate::TooMany(900));
    assert_eq!(
        throttle::attempt(&app.app.db, Tried::Password("x@ops.test"), "192.0.2.9", now)
            .await
            .unwrap(),
        throttle::Gate::Open
    );
    let later = now + Duration::minutes(15) + Duration::seconds(1);
    assert_eq!(
        throttle::attempt(&app.app.db, Tried::Password("x@ops.test"), "2001:db8::2", later)
            .await
            .unwrap(),
        throttle::Gate::Open
    );
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_006_too_many_says_when_to_come_back(db: PgPool) {
    let app = TestApp::new(db).await;
    let now = app.now();
    for i in 0..50 {
        throttle::attempt(&app.app.db, Tried::Password(&format!("p{i}@ops.test")), "", now)
            .await
            .unwrap();
    }
    let reply = sign_in(&app, "karim@ops.test", "autre").await;
    reply.is(429).shows("Réessayez dans 15 minutes");
    assert!(reply.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() > 890);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_101_4_a_deactivated_account_is_said_only_after_the_right_password(db: PgPool) {
    let app = TestApp::new(db).await;
    let karim = app.karim().await;
    set_password(&app, &karim, RIGHT).await;
    sqlx::query("update users set active = false where id = $1")
        .bind(karim.id())
        .execute(&app.app.db)
        .await
        .unwrap();
    sign_in(&app, "karim.benali@ops.test", RIGHT).await.is(422).shows("Compte désactivé");
    sign_in(&app, "karim.benali@ops.test", "autre")
        .await
        .shows("Identifiants incorrects")
        .hides("désactivé");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_101_5_stay_signed_in_is_a_choice(db: PgPool) {
    let app = TestApp::new(db).await;
    let karim = app.karim().await;
    set_password(&app, &karim, RIGHT).await;
    let reply = app
        .stranger()
        .submit(
            "/connexion",
            &[("email", "karim.benali@ops.test"), ("mot_de_passe", RIGHT), ("rester", "oui")],
        )
        .await;
    let cookies = cookies(&reply);
    assert!(
        cookies
            .iter()
            .any(|c| c.starts_with("opstracker-rester=") && c.contains("Max-Age=2592000")),
        "{cookies:?}"
    );
    assert_eq!(app.count("select count(*) from remember_families").await, 1);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_007_an_old_remembered_secret_ends_the_series(db: PgPool) {
    let app = TestApp::new(db).await;
    let karim = app.karim().await;
    set_password(&app, &karim, RIGHT).await;
    let form = [("email", "karim.benali@ops.test"), ("mot_de_passe", RIGHT), ("rester", "oui")];
    let first = remembered(&app.stranger().submit("/connexion", &form).await).unwrap();
    let second = remembered(&with_cookie(&app, &first).await).unwrap();
    let raced = with_cookie(&app, &first).await;
    assert_eq!(remembered(&raced), None, "a tab that raced another keeps what the other was given");
    raced.is(200);
    let third = remembered(&with_cookie(&app, &second).await).unwrap();
    assert_ne!(second, third);
    // Two generations back: somebody else holds it.
    with_cookie(&app, &first).await.redirects_to("/connexion?retour=%2Fprofil");
    assert_eq!(app.count("select count(*) from remember_families").await, 0);
    with_cookie(&app, &third).await.is(303);
    let stolen = "select count(*) from audit_entries where action = 'session.stolen' and object_kind = 'user' and actor_kind = 'anonymous'";
    assert_eq!(app.count(stolen).await, 1);
}

/// The cookie « Rester connecté » that this answer sets.
fn remembered(reply: &Reply) -> Option<String> {
    cookies(reply)
        .iter()
        .find_map(|c| c.strip_prefix("opstracker-rester=")?.split(';').next().map(str::to_owned))
        .filter(|value| !value.is_empty())
}

/// The profile, asked by a browser that holds only « Rester connecté ».
async fn with_cookie(app: &TestApp, remembered: &str) -> Reply {
    use tower::ServiceExt;
    let request = http::Request::get("/profil")
        .header("cookie", format!("opstracker-rester={remembered}"))
        .body(axum::body::Body::empty())
        .unwrap();
    Reply::read(crate::app::router(app.app.clone()).oneshot(request).await.unwrap()).await
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_101_6_back_to_the_page_asked_for(db: PgPool) {
    let app = TestApp::new(db).await;
    let karim = app.karim().await;
    set_password(&app, &karim, RIGHT).await;
    app.stranger().get("/profil?a=1").await.redirects_to("/connexion?retour=%2Fprofil%3Fa%3D1");
    let page = app.stranger().get("/connexion?retour=%2Fprofil%3Fa%3D1").await;
    assert!(page.body.contains("name=\"retour\" value=\"/profil?a=1\""), "{}", page.body);
    for (asked, led) in [
        ("/profil?a=1", "/profil?a=1"),
        ("//evil.example", "/terrain"),
        ("https://evil.example", "/terrain"),
    ] {
        let form = [("email", "karim.benali@ops.test"), ("mot_de_passe", RIGHT), ("retour", asked)];
        app.stranger().submit("/connexion", &form).await.redirects_to(led);
    }
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_101_7_a_fixed_session_is_of_no_use(db: PgPool) {
    let app = TestApp::new(db).await;
    let karim = app.karim().await;
    set_password(&app, &karim, RIGHT).await;
    // The session that somebody laid in this browser dies when its owner signs in.
    karim
        .submit("/connexion", &[("email", "karim.benali@ops.test"), ("mot_de_passe", RIGHT)])
        .await
        .redirects_to("/terrain");
    karim.get("/profil").await.is(303);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_102_1_signing_out_destroys_the_session(db: PgPool) {
    let app = TestApp::new(db).await;
    let karim = app.karim().await;
    let reply = karim.post("/deconnexion").await;
    reply.redirects_to("/connexion");
    assert_eq!(reply.flash().as_deref(), Some("Vous êtes déconnecté."));
    assert_eq!(app.count("select count(*) from sessions").await, 0);
    karim.get("/profil").await.is(303);
    assert_eq!(app.audit().await, ["session.closed"]);
    app.stranger().get("/deconnexion").await.is(405);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_020_home_leads_to_ones_page(db: PgPool) {
    let app = TestApp::new(db).await;
    app.stranger().get("/").await.redirects_to("/connexion");
    app.karim().await.get("/").await.redirects_to("/terrain");
    app.sophie().await.get("/").await.redirects_to("/tableau-de-bord");
    app.person("Léa", "Roy", &[Role::Technician, Role::CampaignManager])
        .await
        .get("/connexion")
        .await
        .redirects_to("/tableau-de-bord");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn a_weaker_hash_is_upgraded_at_sign_in(db: PgPool) {
    let app = TestApp::new(db).await;
    let karim = app.karim().await;
    let weak = weak_hash(RIGHT);
    sqlx::query("update users set password_hash = $2 where id = $1")
        .bind(karim.id())
        .bind(&weak)
        .execute(&app.app.db)
        .await
        .unwrap();
    sign_in(&app, "karim.benali@ops.test", RIGHT).await.redirects_to("/terrain");
    assert_eq!(
        app.count("select count(*) from users where password_hash like '%m=19456,t=2%'").await,
        1
    );
    sign_in(&app, "karim.benali@ops.test", RIGHT).await.redirects_to("/terrain");
}

fn weak_hash(password: &str) -> String {
    use argon2::{Algorithm, Argon2, Params, Version, password_hash::PasswordHasher};
    let params = Params::new(8192, 1, 1, None).unwrap();
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    hasher.hash_password(password.as_bytes()).unwrap().to_string()
}

fn cookies(reply: &Reply) -> Vec<String> {
    reply.headers.get_all("set-cookie").iter().map(|v| v.to_str().unwrap().to_owned()).collect()
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_007_a_session_that_is_over_says_so(db: PgPool) {
    let app = TestApp::new(db.clone()).await;
    let karim = app.karim().await;
    let prolonged = karim.post("/session/prolongation").await;
    let end = chrono::DateTime::parse_from_rfc3339(&prolonged.body).unwrap().to_utc();
    assert!(end > app.now() + Duration::minutes(478) && end <= app.now() + Duration::hours(8));
    sqlx::query("update sessions set expires_at = now() - interval '1 second'")
        .execute(&db)
        .await
        .unwrap();
    let reply = karim.get("/profil").await;
    reply.redirects_to("/connexion?retour=%2Fprofil");
    assert_eq!(reply.flash().as_deref(), Some("Votre session a expiré. Reconnectez-vous."));
    assert_eq!(app.stranger().get("/profil").await.flash(), None, "who had none has lost none");
    assert_eq!(karim.post("/deconnexion").await.flash().as_deref(), Some("Vous êtes déconnecté."));
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_007_a_mail_link_bounces_once_before_deciding(db: PgPool) {
    use tower::ServiceExt;
    let app = TestApp::new(db).await;
    let request = http::Request::get("/connexion?retour=%2Fterrain")
        .header("sec-fetch-site", "cross-site")
        .body(axum::body::Body::empty())
        .unwrap();
    let response = crate::app::router(app.app.clone()).oneshot(request).await.unwrap();
    let reply = Reply::read(response).await;
    reply.is(200).hides("Mot de passe");
    assert!(reply.body.contains("content=\"0; url=/terrain\""), "{}", reply.body);
}
