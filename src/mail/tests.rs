// SPDX-License-Identifier: EUPL-1.2
//! The outbox before a relay that speaks: accepted, refused, put off, silent (RG-145, 03 §8, §10.1).
mod relay;

use self::relay::Relay;
use crate::{
    accounts::Role,
    app::App,
    config::{Secret, Smtp},
    mail::{self, deliver_due},
    testing::{Person, TestApp},
};
use chrono::{DateTime, Duration, Utc};
use sqlx::PgPool;

/// An instance whose relay is at this address.
async fn with_relay(db: &PgPool, address: &str) -> TestApp {
    let app = TestApp::new(db.clone()).await;
    let mut config = (*app.app.config).clone();
    config.smtp =
        Some(Smtp { url: Secret::new(format!("smtp://{address}")), from: "ops@ops.test".into() });
    sqlx::query("update instance_settings set organisation = 'Ville de Saint-Rémy', contact = 'dsi@ops.test'").execute(db).await.unwrap();
    let (fresh, _) = App::new(config, db.clone(), db.clone()).await.unwrap();
    TestApp { app: fresh }
}

async fn create_nadia(admin: &Person) -> crate::testing::Reply {
    let form = [
        ("prenom", "Nadia"),
        ("nom", "Lambert"),
        ("email", "Nadia.Lambert@ops.test"),
        ("roles", "technician"),
        ("roles", "reader"),
    ];
    admin.submit("/administration/utilisateurs", &form).await
}

async fn state(app: &TestApp) -> (String, i32, Option<String>, DateTime<Utc>) {
    sqlx::query_as("select state, attempts, error, next_attempt_at from messages")
        .fetch_one(&app.app.db)
        .await
        .unwrap()
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_103_1_m_11_the_activation_message_leaves(db: PgPool) {
    let relay = Relay::start("250 2.0.0 Ok: queued").await;
    let app = with_relay(&db, &relay.address).await;
    let admin = app.admin().await;
    let reply = create_nadia(&admin).await;
    assert_eq!(
        reply.flash().as_deref(),
        Some("Compte créé. Un message vient d'être envoyé à nadia.lambert@ops.test")
    );
    assert_eq!(state(&app).await.0, "pending", "nothing is sent before the relay has answered");

    deliver_due(&app.app, app.now()).await.unwrap();
    assert_eq!(state(&app).await.0, "sent");
    let letter = relay.letters().remove(0);
    let id: uuid::Uuid =
        sqlx::query_scalar("select id from messages").fetch_one(&db).await.unwrap();
    for header in [
        "From: =?utf-8?",
        "To: nadia.lambert@ops.test",
        "Subject: [OpsTracker] Activez votre compte",
        &format!("Message-ID: <{id}@ops.test>"),
        "Auto-Submitted: auto-generated",
        "X-Auto-Response-Suppress: All",
        "Content-Language: fr",
        "Date: ",
    ] {
        assert!(letter.headers.contains(header), "{header} not in {}", letter.headers);
    }
    for part in [&letter.text, &letter.html] {
        for words in [
            "Bonjour Nadia,",
            "Technicien, Lecteur",
            "72 heures",
            "Ville de Saint-Rémy",
            "dsi@ops.test",
            "http://ops.test/activation/",
        ] {
            assert!(part.contains(words), "{words} not in {part}");
        }
        assert!(!part.contains("[lien personnel]"));
    }
    assert!(letter.html.contains("<html lang=\"fr\">") && !letter.html.contains("<img"));

    // The link of the letter works; the stored copy has none (03 §8.3, P-012).
    let stored: String =
        sqlx::query_scalar("select body from messages").fetch_one(&db).await.unwrap();
    assert!(stored.contains("[lien personnel]") && !stored.contains("http"), "{stored}");
    app.stranger().get(&letter.link("activation")).await.is(200).shows("nadia.lambert@ops.test");
    assert_eq!(app.audit().await, ["user.created", "link.issued"]);

    // Nothing leaves twice.
    deliver_due(&app.app, app.now()).await.unwrap();
    assert_eq!(relay.letters().len(), 1);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_145_a_refused_message_fails_at_once_and_shows(db: PgPool) {
    let relay = Relay::start("550 5.1.1 Boite inconnue").await;
    let app = with_relay(&db, &relay.address).await;
    let admin = app.admin().await;
    create_nadia(&admin).await;
    deliver_due(&app.app, app.now()).await.unwrap();
    let (state, attempts, error, _) = state(&app).await;
    assert_eq!((state.as_str(), attempts), ("failed", 1));
    assert!(error.unwrap().contains("550"));
    admin
        .get("/administration/messages")
        .await
        .shows("nadia.lambert@ops.test")
        .shows("Échec")
        .shows("Boite inconnue");
    admin.get("/administration/messages?etat=sent").await.shows("Aucun message.");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_145_a_put_off_message_is_tried_again_with_a_new_link(db: PgPool) {
    let relay = Relay::start("451 4.7.1 Plus tard").await;
    let app = with_relay(&db, &relay.address).await;
    create_nadia(&app.admin().await).await;
    let now = app.now();
    deliver_due(&app.app, now).await.unwrap();
    let (after_one, attempts, _, next) = state(&app).await;
    assert_eq!((after_one.as_str(), attempts, next), ("retrying", 1, now + Duration::minutes(1)));
    deliver_due(&app.app, now + Duration::seconds(59)).await.unwrap();
    assert_eq!(state(&app).await.1, 1, "before its time");
    deliver_due(&app.app, now + Duration::minutes(1)).await.unwrap();
    let (_, attempts, _, next) = state(&app).await;
    assert_eq!((attempts, next), (2, now + Duration::minutes(6)));
    // Each attempt made its own link; the first one is dead.
    assert_eq!(app.count("select count(*) from one_time_links").await, 2);
    assert_eq!(app.count("select count(*) from one_time_links where consumed_at is null").await, 1);
    relay.answer("250 Ok");
    deliver_due(&app.app, now + Duration::minutes(6)).await.unwrap();
    assert_eq!(state(&app).await.0, "sent");
    let letter = relay.letters().remove(0);
    app.stranger().get(&letter.link("activation")).await.is(200);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_103_3_an_unreachable_relay_pauses_the_queue_and_loses_nothing(db: PgPool) {
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().to_string()
    };
    let app = with_relay(&db, &closed).await;
    let admin = app.admin().await;
    create_nadia(&admin).await.is(303);
    let now = app.now();
    deliver_due(&app.app, now).await.unwrap();
    let (waiting, attempts, error, _) = state(&app).await;
    assert_eq!((waiting.as_str(), attempts), ("pending", 0), "silence is no refusal");
    assert!(error.is_some());
    admin
        .get("/administration/messages")
        .await
        .shows("Le relais de messagerie ne répond pas depuis");
    admin.get("/administration").await.shows("ne répond pas depuis").shows("1 message en attente");
    assert!(
        app.app.mailer.is_paused(now + Duration::seconds(59))
            && !app.app.mailer.is_paused(now + Duration::seconds(61))
    );
    // Back with another address: the message leaves.
    let relay = Relay::start("250 Ok").await;
    let app = with_relay(&db, &relay.address).await;
    deliver_due(&app.app, now + Duration::minutes(2)).await.unwrap();
    assert_eq!(state(&app).await.0, "sent");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn several_workers_never_send_one_message_twice(db: PgPool) {
    let relay = Relay::start("250 Ok").await;
    let app = with_relay(&db, &relay.address).await;
    let karim = app.karim().await;
    for _ in 0..6 {
        notice(&app, &karim).await;
    }
    let now = app.now() + Duration::seconds(1);
    let (a, b, c) = tokio::join!(
        deliver_due(&app.app, now),
        deliver_due(&app.app, now),
        deliver_due(&app.app, now)
    );
    a.and(b).and(c).unwrap();
    assert_eq!(relay.letters().len(), 6);
    assert_eq!(
        app.count("select count(*) from messages where state = 'sent' and attempts = 1").await,
        6
    );
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn a_claim_left_by_a_crash_is_taken_again(db: PgPool) {
    let relay = Relay::start("250 Ok").await;
    let app = with_relay(&db, &relay.address).await;
    notice(&app, &app.karim().await).await;
    let now = app.now();
    sqlx::query("update messages set state = 'sending', attempts = 1, next_attempt_at = $1")
        .bind(now + Duration::minutes(10))
        .execute(&db)
        .await
        .unwrap();
    deliver_due(&app.app, now + Duration::minutes(9)).await.unwrap();
    assert_eq!(state(&app).await.0, "sending");
    deliver_due(&app.app, now + Duration::minutes(10)).await.unwrap();
    assert_eq!(state(&app).await.0, "sent");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_145_what_is_too_late_expires(db: PgPool) {
    let app = TestApp::new(db).await;
    notice(&app, &app.karim().await).await;
    deliver_due(&app.app, app.now() + Duration::hours(23)).await.unwrap();
    assert_eq!(state(&app).await.0, "pending", "without relay, a message waits");
    deliver_due(&app.app, app.now() + Duration::hours(25)).await.unwrap();
    assert_eq!(state(&app).await.0, "expired");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn decision_1_an_administrator_shows_the_link_once(db: PgPool) {
    let app = TestApp::new(db.clone()).await;
    let admin = app.admin().await;
    assert!(create_nadia(&admin).await.flash().unwrap().contains("Aucun relais de messagerie"));
    let id: uuid::Uuid =
        sqlx::query_scalar("select id from messages").fetch_one(&db).await.unwrap();
    admin
        .get("/administration/messages")
        .await
        .shows("Aucun relais de messagerie n'est configuré")
        .shows("Afficher le lien");
    let path = format!("/administration/messages/{id}/lien");
    app.sophie().await.post(&path).await.is(403);

    let shown = admin.post(&path).await;
    shown.is(200).shows("Un compte vous a été créé");
    assert_eq!(shown.headers["referrer-policy"], "no-referrer");
    let first = link_in(&shown.body, "activation");
    app.stranger().get(&first).await.is(200);
    // Shown again, it is another one, and the former is dead.
    let second = link_in(&admin.post(&path).await.body, "activation");
    assert_ne!(first, second);
    app.stranger()
        .get(&first)
        .await
        .is(404)
        .shows("Ce lien n'est plus valable.")
        .shows("Demandez un nouveau lien à votre administrateur.");
    app.stranger().get(&second).await.is(200);
    assert_eq!(app.audit().await.iter().filter(|a| *a == "link.shown").count(), 2);
    // P-012: the secret is nowhere.
    let token = second.rsplit('/').next().unwrap().to_owned();
    for table in ["messages", "audit_entries", "one_time_links", "jobs"] {
        let sql = format!("select count(*) from {table} t where t::text like '%' || $1 || '%'");
        let found: i64 =
            sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).bind(&token).fetch_one(&db).await.unwrap();
        assert_eq!(found, 0, "{table}");
    }
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn messages_are_retried_and_cancelled_by_hand(db: PgPool) {
    let app = TestApp::new(db.clone()).await;
    let admin = app.admin().await;
    notice(&app, &app.karim().await).await;
    let id: uuid::Uuid =
        sqlx::query_scalar("select id from messages").fetch_one(&db).await.unwrap();
    admin.post(&format!("/administration/messages/{id}/essai")).await.is(422);
    admin
        .post(&format!("/administration/messages/{id}/annulation"))
        .await
        .redirects_to("/administration/messages");
    assert_eq!(state(&app).await.0, "cancelled");
    sqlx::query("update messages set state = 'failed', attempts = 3").execute(&db).await.unwrap();
    admin
        .post(&format!("/administration/messages/{id}/essai"))
        .await
        .redirects_to("/administration/messages");
    assert_eq!((state(&app).await.0.as_str(), state(&app).await.1), ("pending", 0));
    admin
        .post(&format!("/administration/messages/{id}/lien"))
        .await
        .is(422)
        .shows("ne contient pas de lien");
    assert_eq!(app.audit().await.iter().filter(|a| a.starts_with("message.")).count(), 2);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn messages_are_paged_without_repeating(db: PgPool) {
    let app = TestApp::new(db.clone()).await;
    let admin = app.person("Marc", "Lefèvre", &[Role::Admin]).await;
    let karim = app.karim().await;
    for _ in 0..53 {
        notice(&app, &karim).await;
    }
    let first = admin.get("/administration/messages").await;
    let next = first
        .body
        .split("href=\"")
        .find(|href| href.contains("apres="))
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .replace("&#38;", "&")
        .replace("&amp;", "&");
    assert_eq!(first.body.matches("id=\"message-").count(), 50);
    let second = admin.get(&next).await;
    assert_eq!(second.body.matches("id=\"message-").count(), 3);
    second.shows("Première");
}

async fn notice(app: &TestApp, person: &Person) {
    let mut tx = app.tx().await;
    let post =
        mail::security_notice(person.id(), "Votre mot de passe a été modifié.", "", tx.now());
    mail::post(&mut tx, post).await.unwrap();
    tx.commit_quietly("a test").await.unwrap();
}

/// The path of the link in a page.
fn link_in(text: &str, purpose: &str) -> String {
    let start = text
        .find(&format!("http://ops.test/{purpose}/"))
        .unwrap_or_else(|| panic!("no link in {text}"));
    let link: String = text[start..]
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || "/:.-".contains(*c))
        .collect();
    link.trim_start_matches("http://ops.test").to_owned()
}
