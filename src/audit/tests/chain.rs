// SPDX-License-Identifier: EUPL-1.2
//! The chain, its checkpoints and what the walk finds (RG-072, RG-073, 03 §12).
use crate::{
    audit::{
        Entry,
        chain::{self, Outcome, Walk},
    },
    db::{Actor, Tx},
    testing::{TestApp, plain},
};
use serde_json::json;
use sqlx::PgPool;
use uuid::Uuid;

async fn write(app: &TestApp, action: &'static str, n: usize) {
    for _ in 0..n {
        let mut tx = app.tx().await;
        let entry = Entry::on(action, "campaign", Uuid::now_v7());
        tx.record(entry.changes(json!({ "name": ["Été", "A\"B"] }))).await.unwrap();
        tx.commit().await.unwrap();
    }
}

pub async fn verified(app: &TestApp) -> Outcome {
    let mut walk = Walk::begin(&app.app).await.unwrap();
    loop {
        if let Some(outcome) = walk.step().await.unwrap() {
            return outcome;
        }
    }
}

async fn seal(app: &TestApp) -> u64 {
    chain::seal(&app.app, app.now()).await.unwrap()
}

/// What somebody does who can write the base and turn its guards off.
pub async fn tamper(app: &TestApp, sql: &'static str) {
    let guards = [
        ("audit_entries", "append_only"),
        ("audit_seals", "append_only"),
        ("audit_checkpoints", "append_only"),
        ("audit_entries", "await_seal"),
        ("audit_personal", "erased_only"),
    ];
    let set = |word: &'static str| {
        guards.map(|(table, guard)| format!("alter table {table} {word} trigger {guard};")).concat()
    };
    let sql = format!("{}{sql};{}", set("disable"), set("enable"));
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&app.app.db).await.unwrap();
}

/// Twelve sealed entries, a signature over them, then this; gives place, entry and reason.
async fn after(db: PgPool, sql: &'static str) -> (Option<i64>, Option<i64>, String) {
    let app = TestApp::new(db).await;
    write(&app, "campaign.edited", 12).await;
    chain::checkpoint(&app.app, "daily", app.now()).await.unwrap();
    assert!(verified(&app).await.is_intact());
    tamper(&app, sql).await;
    match verified(&app).await {
        Outcome::Broken { position, entry, why } => (position, entry, why),
        intact => panic!("{sql} was not seen: {intact:?}"),
    }
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn every_entry_is_sealed_once_in_order(db: PgPool) {
    let app = TestApp::new(db).await;
    write(&app, "campaign.edited", 3).await;
    let waiting = verified(&app).await;
    assert_eq!(waiting, Outcome::Intact { entries: 0, until: None, waiting: 3 });
    assert_eq!((seal(&app).await, seal(&app).await), (3, 0));
    write(&app, "campaign.edited", 2).await;
    assert_eq!(seal(&app).await, 2);
    let order: Vec<(i64, i64)> =
        sqlx::query_as("select position, entry from audit_seals order by position")
            .fetch_all(&app.app.db)
            .await
            .unwrap();
    assert_eq!(order, [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5)]);
    let outcome = verified(&app).await;
    let Outcome::Intact { entries: 5, until: Some(until), waiting: 0 } = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(
        plain(&outcome.sentence()),
        plain(&format!(
            "Chaîne intègre : 5 entrées vérifiées jusqu’au {}.",
            crate::web::format::instant(until)
        ))
    );
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn an_entry_that_commits_late_takes_the_next_place(db: PgPool) {
    let app = TestApp::new(db).await;
    let mut late = app.tx().await;
    late.record(Entry::about("session.refused", "user")).await.unwrap();
    write(&app, "campaign.edited", 2).await;
    assert_eq!(seal(&app).await, 2);
    late.commit().await.unwrap();
    let mut gone = app.tx().await;
    gone.record(Entry::about("session.refused", "user")).await.unwrap();
    drop(gone);
    write(&app, "campaign.edited", 1).await;
    assert_eq!(seal(&app).await, 2);
    let order: Vec<i64> = sqlx::query_scalar("select entry from audit_seals order by position")
        .fetch_all(&app.app.db)
        .await
        .unwrap();
    assert_eq!(order, [2, 3, 1, 5], "4 was rolled back");
    assert!(verified(&app).await.is_intact());
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn twenty_writers_and_three_sealers_make_one_chain(db: PgPool) {
    let app = TestApp::new(db).await;
    let writers = (0..20).map(|_| {
        let app = app.app.clone();
        tokio::spawn(async move {
            for _ in 0..10 {
                let mut tx = Tx::begin(&app, Actor::System, crate::clock::now()).await.unwrap();
                tx.record(Entry::about("campaign.edited", "campaign")).await.unwrap();
                tx.commit().await.unwrap();
            }
        })
    });
    let sealers = (0..3).map(|_| {
        let app = app.app.clone();
        tokio::spawn(async move {
            for _ in 0..20 {
                chain::seal(&app, crate::clock::now()).await.unwrap();
                tokio::task::yield_now().await;
            }
        })
    });
    for task in writers.chain(sealers).collect::<Vec<_>>() {
        task.await.unwrap();
    }
    seal(&app).await;
    let outcome = verified(&app).await;
    assert!(matches!(outcome, Outcome::Intact { entries: 200, waiting: 0, .. }), "{outcome:?}");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn a_changed_entry_is_named(db: PgPool) {
    let found = after(db, "update audit_entries set reason = 'autre' where seq = 7").await;
    assert_eq!(
        found,
        (Some(7), Some(7), "l’entrée n° 7 a été modifiée après son scellement".into())
    );
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn a_removed_entry_is_named(db: PgPool) {
    let found = after(db, "delete from audit_entries where seq = 7").await;
    assert_eq!(found, (Some(7), Some(7), "l’entrée n° 7 a été retirée".into()));
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn an_entry_removed_with_its_seal_leaves_a_hole(db: PgPool) {
    let found = after(
        db,
        "delete from audit_entries where seq = 7; delete from audit_seals where entry = 7",
    )
    .await;
    assert_eq!(found, (Some(7), None, "un sceau a été retiré".into()));
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn a_removed_seal_whose_place_is_taken_by_the_next_is_seen(db: PgPool) {
    let found = after(
        db,
        "delete from audit_entries where seq = 7; delete from audit_seals where entry = 7;
         update audit_seals set position = -position + 1000 where position > 7;
         update audit_seals set position = -(position - 1000) - 1 where position > 100",
    )
    .await;
    assert_eq!(found.0, Some(7));
    assert_eq!(found.2, "l’entrée n° 8 ne suit plus celle qui la précédait");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn two_entries_that_change_places_are_seen(db: PgPool) {
    let found = after(
        db,
        "create temp table swapped as select * from audit_seals where position in (4, 5);
         delete from audit_seals where position in (4, 5);
         insert into audit_seals select 9 - position, entry, digest, previous, hash from swapped",
    )
    .await;
    assert_eq!((found.0, found.1), (Some(4), Some(5)));
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn an_entry_slipped_in_is_named(db: PgPool) {
    let found = after(
        db,
        "insert into audit_entries (at, actor_kind, action, object_kind) values (now(), 'system', 'campaign.edited', 'campaign')",
    )
    .await;
    assert_eq!(found, (None, Some(13), "l’entrée n° 13 a été ajoutée hors du journal".into()));
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn an_end_cut_off_is_seen_against_the_last_checkpoint(db: PgPool) {
    let (place, _, why) = after(
        db,
        "delete from audit_seals where position > 9; delete from audit_entries where seq > 9",
    )
    .await;
    assert_eq!(place, Some(10));
    assert!(why.starts_with("la fin manque, le point de contrôle du "), "{why}");
    assert!(plain(&why).ends_with(" compte 12 entrées et la chaîne s'arrête à 9"), "{why}");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn a_forged_checkpoint_is_seen(db: PgPool) {
    let (place, _, why) = after(db, "update audit_checkpoints set hash = sha256('autre')").await;
    assert_eq!(place, Some(12));
    assert!(why.starts_with("la signature du point de contrôle du "), "{why}");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn a_whole_chain_made_anew_is_not_the_one_that_was_signed(db: PgPool) {
    let app = TestApp::new(db).await;
    write(&app, "campaign.edited", 12).await;
    chain::checkpoint(&app.app, "daily", app.now()).await.unwrap();
    tamper(
        &app,
        "update audit_entries set reason = 'autre' where seq = 1; delete from audit_seals;
         insert into audit_unsealed select seq from audit_entries",
    )
    .await;
    assert_eq!(seal(&app).await, 12);
    let why = verified(&app).await.sentence();
    assert!(why.contains("la chaîne n’est plus celle que le point de contrôle"), "{why}");
}

/// An entry is changed, the seals and the checkpoints go, the sealer makes them again.
pub const ANEW: &str =
    "update audit_entries set reason = 'autre' where seq = 1; delete from audit_seals;
    delete from audit_checkpoints; insert into audit_unsealed select seq from audit_entries";

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn a_chain_made_anew_without_its_checkpoints_is_seen_against_the_file(db: PgPool) {
    let app = TestApp::new(db).await;
    write(&app, "campaign.edited", 12).await;
    chain::checkpoint(&app.app, "daily", app.now()).await.unwrap();
    tamper(&app, ANEW).await;
    assert_eq!(seal(&app).await, 12);
    write(&app, "campaign.archived", 1).await;
    seal(&app).await;
    let sentence = plain(&verified(&app).await.sentence());
    let said = "Chaîne rompue à la place 12 : la chaîne n'est plus celle que le point de contrôle";
    assert!(sentence.starts_with(said), "{sentence}");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn an_end_cut_off_with_its_checkpoints_is_seen_against_the_file(db: PgPool) {
    let (place, _, why) = after(
        db,
        "delete from audit_seals where position > 9; delete from audit_entries where seq > 9;
         delete from audit_checkpoints",
    )
    .await;
    assert_eq!(place, Some(10));
    assert!(why.starts_with("la fin manque"), "{why}");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn more_than_a_day_without_a_checkpoint_is_broken(db: PgPool) {
    let app = TestApp::new(db).await;
    write(&app, "campaign.edited", 2).await;
    tamper(&app, "update audit_entries set at = at - interval '25 hours' where seq = 1").await;
    seal(&app).await;
    assert!(verified(&app).await.is_intact());
    write(&app, "campaign.edited", 1).await;
    tamper(&app, "update audit_entries set at = at + interval '2 hours' where seq = 3").await;
    seal(&app).await;
    let sentence = plain(&verified(&app).await.sentence());
    let said = "Chaîne rompue à la place 1 : aucun point de contrôle ne couvre 3 entrées";
    assert!(sentence.starts_with(said), "{sentence}");
    chain::checkpoint(&app.app, "daily", app.now()).await.unwrap();
    assert!(verified(&app).await.is_intact());
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn a_checkpoint_waits_for_the_sealer_and_covers_what_was_committed(db: PgPool) {
    let app = TestApp::new(db).await;
    write(&app, "campaign.edited", 3).await;
    let mut sealer = app.app.db.begin().await.unwrap();
    sqlx::query("select pg_advisory_xact_lock($1)")
        .bind(0x4F_50_53_53_45_41_4C_i64)
        .execute(&mut *sealer)
        .await
        .unwrap();
    let (of, now) = (app.app.clone(), app.now());
    let asked = tokio::spawn(async move { chain::checkpoint(&of, "export", now).await });
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert!(!asked.is_finished());
    sealer.commit().await.unwrap();
    asked.await.unwrap().unwrap();
    let signed = "select coalesce(max(position), 0) from audit_checkpoints";
    assert_eq!(app.count(signed).await, 3);
    // Asked again while nothing moved, it says nothing more.
    chain::checkpoint(&app.app, "daily", app.now()).await.unwrap();
    assert_eq!(app.count("select count(*) from audit_checkpoints").await, 1);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn a_checkpoint_of_a_stranger_is_not_believed(db: PgPool) {
    let app = TestApp::new(db.clone()).await;
    write(&app, "campaign.edited", 2).await;
    let stranger = TestApp::new(db).await;
    chain::checkpoint(&stranger.app, "daily", app.now()).await.unwrap();
    let why = verified(&app).await.sentence();
    assert!(why.contains("une clé que cette machine ne reconnaît pas"), "{why}");
    assert!(verified(&stranger).await.is_intact());
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn an_entry_taken_away_before_its_seal_is_seen(db: PgPool) {
    let app = TestApp::new(db).await;
    write(&app, "campaign.edited", 2).await;
    tamper(&app, "delete from audit_entries where seq = 2").await;
    assert_eq!(seal(&app).await, 1);
    let sentence = plain(&verified(&app).await.sentence());
    assert_eq!(sentence, "Chaîne rompue : l'entrée n° 2, qui attendait son sceau, a été retirée.");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_072_a_critical_action_is_signed_with_its_seal(db: PgPool) {
    let app = TestApp::new(db).await;
    write(&app, "campaign.edited", 3).await;
    seal(&app).await;
    assert_eq!(app.count("select count(*) from audit_checkpoints").await, 0);
    write(&app, "campaign.archived", 1).await;
    seal(&app).await;
    let signed = "select count(*) from audit_checkpoints where position = 4 and cause = 'critical'";
    assert_eq!(app.count(signed).await, 1);
    assert!(verified(&app).await.is_intact());
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn a_checkpoint_every_ten_thousand_entries(db: PgPool) {
    let app = TestApp::new(db).await;
    sqlx::query(
        "insert into audit_entries (at, actor_kind, action, object_kind) select now(), 'system', 'campaign.edited', 'campaign' from generate_series(1, 20500)",
    )
    .execute(&app.app.db)
    .await
    .unwrap();
    assert_eq!(seal(&app).await, 20_500);
    let places: Vec<i64> = sqlx::query_scalar("select position from audit_checkpoints order by id")
        .fetch_all(&app.app.db)
        .await
        .unwrap();
    assert_eq!(places, [10_000, 20_000]);
    assert!(matches!(verified(&app).await, Outcome::Intact { entries: 20_500, .. }));
    assert_eq!(app.count("select count(*) from audit_unsealed").await, 0);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn a_checkpoint_every_night_at_ten_past_midnight(db: PgPool) {
    let app = TestApp::new(db).await;
    write(&app, "campaign.edited", 2).await;
    crate::jobs::housekeeping(&app.app, app.now()).await.unwrap();
    app.drain().await;
    let hour: chrono::NaiveTime = sqlx::query_scalar(
        "select (planned_until at time zone 'Europe/Paris')::time from schedule_marks where kind = 'audit.checkpoint'",
    )
    .fetch_one(&app.app.db)
    .await
    .unwrap();
    assert_eq!(hour.to_string(), "00:10:00");
    let signed = "select count(*) from audit_checkpoints where cause = 'daily' and position = 2";
    assert_eq!(app.count(signed).await, 1);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_073_seals_and_checkpoints_are_only_added(db: PgPool) {
    let app = TestApp::new(db).await;
    write(&app, "campaign.archived", 2).await;
    seal(&app).await;
    for sql in [
        "update audit_seals set entry = 9",
        "delete from audit_seals",
        "truncate audit_seals",
        "update audit_checkpoints set position = 1",
        "delete from audit_checkpoints",
        "truncate audit_checkpoints",
        "truncate audit_entries",
    ] {
        let refused = sqlx::query(sql).execute(&app.app.db).await.unwrap_err();
        assert_eq!(crate::db::sqlstate(&refused).as_deref(), Some("OT003"), "{sql}");
    }
    let forked = sqlx::query(
        "insert into audit_seals select position, 99, digest, previous, hash from audit_seals where position = 1",
    );
    let refused = forked.execute(&app.app.db).await.unwrap_err();
    assert_eq!(crate::db::sqlstate(&refused).as_deref(), Some("23505"), "one seal a place");
}
