// SPDX-License-Identifier: EUPL-1.2
//! Live screens, from a write to the other people's streams (RG-040, RG-042, RG-116).
use super::{Notice, Topic};
use crate::{
    app::App,
    campaigns::Campaign,
    config::Config,
    db::Id,
    testing::{Person, TestApp},
};
use sqlx::PgPool;
use std::time::{Duration, Instant};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::{sleep, timeout},
};

/// One more process on the same base.
async fn process(db: &PgPool, app: &TestApp) -> (App, mpsc::UnboundedReceiver<Notice>) {
    App::new(Config::for_tests(app.app.config.data_dir.clone()), db.clone(), db.clone())
        .await
        .unwrap()
}

async fn write(app: &App, campaign: Id<Campaign>) {
    let mut tx =
        crate::db::Tx::begin(app, crate::db::Actor::System, crate::clock::now()).await.unwrap();
    tx.touch_campaign(campaign).await.unwrap();
    tx.commit_quietly("a test of the live screens").await.unwrap();
}

async fn heard(changes: &mut watch::Receiver<()>, within: Duration) -> Option<Duration> {
    let began = Instant::now();
    timeout(within, changes.changed()).await.ok()?.ok()?;
    changes.borrow_and_update();
    Some(began.elapsed())
}

/// Reads a stream to its end.
fn follow(person: &Person, path: String) -> JoinHandle<String> {
    let person = person.clone();
    tokio::spawn(async move { person.get(&path).await.body })
}

/// Waits until that many streams are open.
async fn opened(app: &TestApp, streams: usize) {
    let open = async {
        while app.app.live.watchers() < streams {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(10), open).await.expect("the streams open");
}

async fn ends(stream: JoinHandle<String>) -> String {
    timeout(Duration::from_secs(5), stream).await.expect("the stream ends").unwrap()
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_040_another_process_hears_by_notification(db: PgPool) {
    let app = TestApp::new(db.clone()).await;
    let campaign = app.campaign().run_by(&app.sophie().await).create().await;
    let (writer, notices) = process(&db, &app).await;
    let (reader, other) = process(&db, &app).await;
    let loops = [
        tokio::spawn(super::run(writer.clone(), notices)),
        tokio::spawn(super::run(reader.clone(), other)),
    ];
    let mut changes = reader.live.watch(Topic::Campaign(campaign.id));
    let mut own = writer.live.watch(Topic::Campaign(campaign.id));
    sleep(Duration::from_millis(1_200)).await;
    write(&writer, campaign.id).await;
    let delay = heard(&mut changes, Duration::from_secs(1)).await.expect("heard within a second");
    assert!(delay < Duration::from_millis(900), "{delay:?}");
    assert!(heard(&mut own, Duration::from_millis(10)).await.is_some(), "the writer hears at once");
    assert_eq!(
        heard(&mut own, Duration::from_millis(1_500)).await,
        None,
        "neither its echo nor the table tells it again"
    );
    assert_eq!(
        heard(&mut changes, Duration::from_millis(10)).await,
        None,
        "one change is told once"
    );
    loops.iter().for_each(JoinHandle::abort);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_040_a_change_nobody_notified_is_read_from_the_table(db: PgPool) {
    let app = TestApp::new(db.clone()).await;
    let campaign = app.campaign().run_by(&app.sophie().await).create().await;
    let (reader, other) = process(&db, &app).await;
    let listening = tokio::spawn(super::run(reader.clone(), other));
    let mut changes = reader.live.watch(Topic::Campaign(campaign.id));
    sleep(Duration::from_millis(500)).await;
    // The process of the test never runs its loops: it writes, and notifies nobody.
    write(&app.app, campaign.id).await;
    assert!(heard(&mut changes, Duration::from_millis(1_500)).await.is_some());
    assert_eq!(heard(&mut changes, Duration::from_millis(1_500)).await, None);
    listening.abort();
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_040_a_stream_says_hello_then_changed_and_ends_with_the_program(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = app.campaign().run_by(&sophie).create().await;
    let stream = follow(&sophie, format!("/flux?sujet=campagne-{}", campaign.id));
    opened(&app, 1).await;
    write(&app.app, campaign.id).await;
    sleep(Duration::from_millis(700)).await;
    app.app.stopping.cancel();
    let body = ends(stream).await;
    assert_eq!(events(&body), ["hello", "changed"], "{body}");
    assert!(
        !body.contains("Migration") && body.contains("data: {}"),
        "a stream carries no data: {body}"
    );
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_042_who_missed_a_change_is_told_at_once(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = app.campaign().run_by(&sophie).create().await;
    let before = app.app.live.mark();
    write(&app.app, campaign.id).await;
    let after = app.app.live.mark();
    let of = |mark: &str| format!("/flux?sujet=campagne-{}&depuis={mark}", campaign.id);
    let streams =
        [follow(&sophie, of(&before)), follow(&sophie, of(&after)), follow(&sophie, of("0000-1"))];
    opened(&app, 3).await;
    app.app.stopping.cancel();
    let mut said = Vec::new();
    for stream in streams {
        said.push(events(&ends(stream).await).join(" "));
    }
    assert_eq!(said, ["hello changed", "hello", "hello changed"]);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_116_a_stream_ends_when_the_right_is_lost(db: PgPool) {
    let app = TestApp::new(db).await;
    let (sophie, reader) = (app.sophie().await, app.reader().await);
    let campaign = app.campaign().run_by(&sophie).create().await;
    reader.get(&format!("/flux?sujet=campagne-{}", campaign.id)).await.is(404);
    campaign.grant(&reader, "view").await;
    let stream = follow(&reader, format!("/flux?sujet=campagne-{}", campaign.id));
    opened(&app, 1).await;
    sqlx::query("delete from grants").execute(&app.app.db).await.unwrap();
    write(&app.app, campaign.id).await;
    assert_eq!(events(&ends(stream).await), ["hello"]);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_116_the_portfolio_does_not_tell_of_what_one_may_not_see(db: PgPool) {
    let app = TestApp::new(db).await;
    let (sophie, reader) = (app.sophie().await, app.reader().await);
    let shown = app.campaign().run_by(&sophie).create().await;
    let hidden = app.campaign().named("Restreinte").run_by(&sophie).create().await;
    shown.grant(&reader, "view").await;
    let (stream, desk) = (
        follow(&reader, "/flux?sujet=portefeuille".into()),
        follow(&sophie, "/flux?sujet=portefeuille".into()),
    );
    opened(&app, 2).await;
    write(&app.app, hidden.id).await;
    sleep(Duration::from_millis(700)).await;
    write(&app.app, shown.id).await;
    sleep(Duration::from_millis(700)).await;
    // What goes out of sight is told once: the page must drop it.
    sqlx::query("delete from grants").execute(&app.app.db).await.unwrap();
    write(&app.app, shown.id).await;
    sleep(Duration::from_millis(700)).await;
    write(&app.app, shown.id).await;
    sleep(Duration::from_millis(700)).await;
    app.app.stopping.cancel();
    assert_eq!(events(&ends(stream).await), ["hello", "changed", "changed"]);
    let told = events(&ends(desk).await).len();
    assert_eq!(told, 5, "the owner is told of the four changes");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_041_a_stream_ends_with_its_share_link(db: PgPool) {
    let app = TestApp::new(db).await;
    let (sophie, stranger) = (app.sophie().await, app.stranger());
    let campaign = app.campaign().run_by(&sophie).create().await;
    let links = campaign.path("parametres/partage");
    let shown = sophie.submit(&links, &[("libelle", "Salle de crise"), ("duree", "7")]).await;
    let (_, rest) = shown.body.split_once("/partage/").unwrap();
    let address = format!("/partage/{}", rest.split('"').next().unwrap());
    assert!(stranger.get(&address).await.body.contains(&format!("{address}/flux?depuis=")));
    let stream = follow(&stranger, format!("{address}/flux"));
    opened(&app, 1).await;
    let link: uuid::Uuid =
        sqlx::query_scalar("select id from share_links").fetch_one(&app.app.db).await.unwrap();
    sophie.post(&format!("{links}/{link}/revocation")).await.is(303);
    assert_eq!(events(&ends(stream).await), ["hello"]);
    stranger.get(&address).await.is(404);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_007_a_stream_ends_with_the_account(db: PgPool) {
    let app = TestApp::new(db).await;
    let (sophie, karim) = (app.sophie().await, app.karim().await);
    let campaign = app.campaign().run_by(&sophie).create().await;
    let stream = follow(&karim, "/flux?sujet=terrain".into());
    let desk = follow(&sophie, "/flux?sujet=portefeuille".into());
    opened(&app, 2).await;
    sqlx::query("update users set active = false where id = any ($1)")
        .bind([karim.id(), sophie.id()])
        .execute(&app.app.db)
        .await
        .unwrap();
    app.app.live.tell(Topic::Person(karim.id()));
    write(&app.app, campaign.id).await;
    assert_eq!(events(&ends(stream).await), ["hello"]);
    assert_eq!(events(&ends(desk).await), ["hello"]);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_040_a_burst_is_told_at_its_start_and_at_its_end(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = app.campaign().run_by(&sophie).create().await;
    let stream = follow(&sophie, format!("/flux?sujet=campagne-{}", campaign.id));
    opened(&app, 1).await;
    for _ in 0..30 {
        app.app.live.changed(Topic::Campaign(campaign.id));
        sleep(Duration::from_millis(5)).await;
    }
    sleep(Duration::from_millis(900)).await;
    app.app.stopping.cancel();
    assert_eq!(events(&ends(stream).await), ["hello", "changed", "changed"]);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn an_unknown_subject_is_not_found(db: PgPool) {
    let app = TestApp::new(db).await;
    let karim = app.karim().await;
    for subject in ["campagne-", "campagne-x", "tout", ""] {
        karim.get(&format!("/flux?sujet={subject}")).await.is(404);
    }
    app.stranger()
        .get("/flux?sujet=terrain")
        .await
        .redirects_to("/connexion?retour=%2Fflux%3Fsujet%3Dterrain");
}

fn events(body: &str) -> Vec<&str> {
    body.lines().filter_map(|line| line.strip_prefix("event: ")).collect()
}
