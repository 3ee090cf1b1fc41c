// SPDX-License-Identifier: EUPL-1.2
//! « Mes sessions »: each is listed, and ends at its next request (US-113).
use crate::{accounts::sessions, testing::TestApp, web::auth::Visitor};
use sqlx::PgPool;
use uuid::Uuid;

const HERE: &str = "/profil/sessions";
const FIREFOX: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// Another browser where Karim is signed in; what it presents.
async fn elsewhere(app: &TestApp, karim: &crate::testing::Person, stay: bool) -> String {
    let visitor = Visitor {
        ip: "192.0.2.0/24".into(),
        user_agent: FIREFOX.into(),
        ..Visitor::of(&http::Request::get("/").body(()).unwrap().into_parts().0)
    };
    let mut conn = app.app.db.acquire().await.unwrap();
    let stamp: Uuid = sqlx::query_scalar("select security_stamp from users where id = $1")
        .bind(karim.id())
        .fetch_one(&mut *conn)
        .await
        .unwrap();
    let family = if stay {
        Some(sessions::remember(&mut conn, karim.id(), &visitor).await.unwrap().0)
    } else {
        None
    };
    sessions::open(&mut conn, karim.id(), stamp, family, &visitor).await.unwrap()
}

async fn works(app: &TestApp, session: &str) -> bool {
    use tower::ServiceExt;
    let request = http::Request::get("/profil")
        .header("cookie", format!("opstracker-session={session}"))
        .body(axum::body::Body::empty())
        .unwrap();
    crate::app::router(app.app.clone()).oneshot(request).await.unwrap().status() == 200
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_113_sessions_are_listed_and_one_is_closed(db: PgPool) {
    let app = TestApp::new(db.clone()).await;
    let (karim, sophie) = (app.karim().await, app.sophie().await);
    let other = elsewhere(&app, &karim, true).await;
    let page = karim.get(HERE).await;
    page.is(200).shows("Cette session").shows("Firefox sur Windows").shows("192.0.2.0/24");
    assert_eq!(page.body.matches("Cette session").count(), 1);
    let id: Uuid = sqlx::query_scalar("select id from sessions where agent <> ''")
        .fetch_one(&db)
        .await
        .unwrap();
    let close = format!("{HERE}/{id}/fermeture");
    sophie.post(&close).await.is(404);
    assert!(works(&app, &other).await);
    karim.post(&close).await.redirects_to(HERE);
    assert!(!works(&app, &other).await, "refused at its next request");
    assert_eq!(app.count("select count(*) from remember_families").await, 0);
    karim.get(HERE).await.hides("Firefox sur Windows");
    assert_eq!(app.audit().await, ["session.revoked"]);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_113_everywhere_but_here(db: PgPool) {
    let app = TestApp::new(db).await;
    let karim = app.karim().await;
    let others = [elsewhere(&app, &karim, false).await, elsewhere(&app, &karim, true).await];
    karim.get(HERE).await.shows("Déconnecter partout");
    karim.post(&format!("{HERE}/fermeture")).await.redirects_to(HERE);
    for other in &others {
        assert!(!works(&app, other).await);
    }
    karim.get(HERE).await.is(200).hides("Déconnecter partout");
    assert_eq!(app.audit().await, ["sessions.revoked"]);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_113_this_browser_stays_remembered_when_the_others_end(db: PgPool) {
    let app = TestApp::new(db.clone()).await;
    let karim = app.karim().await;
    elsewhere(&app, &karim, true).await;
    let visitor = Visitor::of(&http::Request::get("/").body(()).unwrap().into_parts().0);
    let (family, _) =
        sessions::remember(&mut db.acquire().await.unwrap(), karim.id(), &visitor).await.unwrap();
    sqlx::query("update sessions set family_id = $1 where family_id is null")
        .bind(family)
        .execute(&db)
        .await
        .unwrap();
    karim.post(&format!("{HERE}/fermeture")).await.redirects_to(HERE);
    let left: Vec<Uuid> = sqlx::query_scalar(
        "select f.id from remember_families f join sessions s on s.family_id = f.id",
    )
    .fetch_all(&db)
    .await
    .unwrap();
    assert_eq!(left, [family]);
    assert_eq!(app.count("select count(*) from remember_families").await, 1);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_113_a_remembered_browser_without_session_is_listed_too(db: PgPool) {
    let app = TestApp::new(db.clone()).await;
    let karim = app.karim().await;
    elsewhere(&app, &karim, true).await;
    sqlx::query("delete from sessions where family_id is not null").execute(&db).await.unwrap();
    karim.get(HERE).await.shows("Firefox sur Windows").shows("ce navigateur peut en rouvrir une");
    let id: Uuid =
        sqlx::query_scalar("select id from remember_families").fetch_one(&db).await.unwrap();
    karim.post(&format!("{HERE}/{id}/fermeture")).await.redirects_to(HERE);
    assert_eq!(app.count("select count(*) from remember_families").await, 0);
}
