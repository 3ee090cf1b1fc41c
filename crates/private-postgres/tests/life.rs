// SPDX-License-Identifier: EUPL-1.2
//! Starting, joining, stopping, and the refusals in plain French. Real PostgreSQL, as root or not.

#[expect(dead_code, reason = "the kills are in the other test file")]
mod support;

use std::{fs, os::unix::fs::MetadataExt, path::PathBuf, time::Duration};

use private_postgres::{Access, Durability, join_or_own, own};
use sqlx::{Connection, PgConnection};
use support::{TestDir, connect};

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_cluster_is_safe_private_and_leaves_nothing_behind() {
    let dir = TestDir::new();
    let cluster = own(&dir.settings()).await.unwrap();
    let mut connection = connect(&cluster).await;
    for (setting, expected) in [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("listen_addresses", ""),
        ("max_connections", "60"),
        ("data_checksums", "on"),
        ("server_encoding", "UTF8"),
    ] {
        let value: String = sqlx::query_scalar("select current_setting($1)")
            .bind(setting)
            .fetch_one(&mut connection)
            .await
            .unwrap();
        assert_eq!(value, expected, "{setting}");
    }
    let mode = |name: &str| dir.0.join(name).metadata().unwrap().mode() & 0o777;
    assert_eq!(["pg", "run", "pg.password", "lock"].map(mode), [0o700, 0o700, 0o600, 0o600]);
    connection.close().await.unwrap();
    cluster.stop().await;
    assert_eq!(dir.processes(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_keeps_the_data_and_the_extensions_we_need_are_there() {
    let dir = TestDir::new();
    let cluster = own(&dir.settings()).await.unwrap();
    let mut connection = connect(&cluster).await;
    for statement in
        ["create extension pg_trgm", "create extension unaccent", "create extension btree_gist"]
    {
        sqlx::query(statement).execute(&mut connection).await.unwrap();
    }
    sqlx::query("create table t as select 'été' as word").execute(&mut connection).await.unwrap();
    drop(connection);
    cluster.stop().await;

    let cluster = own(&dir.settings()).await.unwrap();
    let word: String = sqlx::query_scalar("select word from t")
        .fetch_one(&mut connect(&cluster).await)
        .await
        .unwrap();
    assert_eq!(word, "été");
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_owner_is_refused_and_a_command_joins() {
    let dir = TestDir::new();
    let cluster = own(&dir.settings()).await.unwrap();

    let refusal = own(&dir.settings()).await.err().expect("refused").to_string();
    let owner = format!("(processus {})", std::process::id());
    assert!(refusal.contains("déjà utilisé") && refusal.contains(&owner), "{refusal}");

    let access = join_or_own(&dir.settings()).await.unwrap();
    assert!(matches!(access, Access::Joined(_)));
    PgConnection::connect_with(&access.options()).await.unwrap();
    access.stop().await;
    assert!(!dir.processes().is_empty(), "joining and leaving must not stop the owner's");
    cluster.stop().await;

    let access = join_or_own(&dir.settings()).await.unwrap();
    assert!(matches!(access, Access::Owned(_)));
    access.stop().await;
    assert_eq!(dir.processes(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_started_together_share_one_cluster() {
    let dir = TestDir::new();
    let settings = dir.settings();
    let (one, two) = tokio::join!(join_or_own(&settings), join_or_own(&settings));
    let (one, two) = (one.unwrap(), two.unwrap());
    let owners = [&one, &two].into_iter().filter(|access| matches!(access, Access::Owned(_)));
    assert_eq!(owners.count(), 1);
    PgConnection::connect_with(&one.options()).await.unwrap();
    PgConnection::connect_with(&two.options()).await.unwrap();
    one.stop().await;
    two.stop().await;
    assert_eq!(dir.processes(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_it_stops_postgresql_too() {
    let dir = TestDir::new();
    let cluster = own(&dir.settings()).await.unwrap();
    let exited = cluster.exited();
    drop(cluster);
    tokio::time::timeout(Duration::from_secs(10), exited).await.expect("PostgreSQL ends");
    assert_eq!(dir.processes(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_cluster_may_be_fast() {
    let dir = TestDir::new();
    let mut settings = dir.settings();
    settings.durability = Durability::Fast;
    let cluster = own(&settings).await.unwrap();
    let mut connection = connect(&cluster).await;
    let fsync: String = sqlx::query_scalar("show fsync").fetch_one(&mut connection).await.unwrap();
    assert_eq!(fsync, "off");
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_too_long_for_a_socket_works() {
    let outer = TestDir::new();
    let mut settings = outer.settings();
    settings.data_dir = outer.0.join("répertoire-".repeat(12));
    // As root, PostgreSQL's account must be able to pass: `outer` is made by `own`, mode 0755.
    let cluster = own(&settings).await.unwrap();
    let access = join_or_own(&settings).await.unwrap();
    PgConnection::connect_with(&access.options()).await.unwrap();
    let short = settings.data_dir.join("run").canonicalize().unwrap();
    cluster.stop().await;
    fs::remove_dir_all(short).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn data_of_another_major_version_are_refused_untouched() {
    let dir = TestDir::new();
    own(&dir.settings()).await.unwrap().stop().await;
    let version = dir.data().join("PG_VERSION");
    let before = fs::read_to_string(&version).unwrap();
    fs::write(&version, "97\n").unwrap();

    let refusal = own(&dir.settings()).await.err().expect("refused").to_string();
    for words in ["créées par PostgreSQL 97", "pas été touchées", "pg_dump", "OPSTRACKER_PG_BIN"]
    {
        assert!(refusal.contains(words), "{refusal}");
    }
    fs::write(&version, before).unwrap();
    own(&dir.settings()).await.unwrap().stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_binaries_are_refused() {
    let dir = TestDir::new();
    let mut settings = dir.settings();
    settings.binaries = Some(PathBuf::from("/nonexistent"));
    let refusal = own(&settings).await.err().expect("refused").to_string();
    for words in ["Il manque PostgreSQL 15", "apt install postgresql", "DATABASE_URL"] {
        assert!(refusal.contains(words), "{refusal}");
    }
    assert!(!dir.data().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_cut_short_is_made_again() {
    let dir = TestDir::new();
    fs::create_dir_all(dir.0.join("pg.init/base")).unwrap();
    fs::write(dir.0.join("pg.init/PG_VERSION"), "15\n").unwrap();
    own(&dir.settings()).await.unwrap().stop().await;
    assert!(!dir.0.join("pg.init").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_fails_says_what_postgresql_said() {
    let dir = TestDir::new();
    own(&dir.settings()).await.unwrap().stop().await;
    fs::write(dir.data().join("pg_hba.conf"), "not a rule\n").unwrap();
    let refusal = own(&dir.settings()).await.err().expect("refused").to_string();
    assert!(refusal.contains("n'a pas démarré") && refusal.contains("pg_hba"), "{refusal}");
    assert_eq!(dir.processes(), []);
}
