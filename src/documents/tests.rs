// SPDX-License-Identifier: EUPL-1.2
//! Stories of documents (US-701, 702, 704, 706; RG-050, 051, 053, 054).
use super::kind::samples;
use crate::{
    accounts::Role,
    testing::{Person, Reply, TestApp, TestCampaign},
};
use axum::body::Bytes;
use futures::stream;
use sqlx::PgPool;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

const DIGEST_OF_EXE: &str = "select encode(sha256, 'hex') from document_files where kind = 'exe'";

async fn world(db: PgPool) -> (TestApp, Person, TestCampaign) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = app.campaign().run_by(&sophie).create().await;
    (app, sophie, campaign)
}

async fn deposit(who: &Person, campaign: &TestCampaign, name: &str, content: &[u8]) -> Reply {
    who.upload(&campaign.path("documents/nouveau"), name, content).await
}

/// The address of the document that has this name.
async fn path(app: &TestApp, campaign: &TestCampaign, name: &str) -> String {
    let id: uuid::Uuid = sqlx::query_scalar("select id from documents where name = $1")
        .bind(name)
        .fetch_one(&app.app.db)
        .await
        .unwrap_or_else(|err| panic!("« {name} »: {err}"));
    campaign.path(&format!("documents/{id}"))
}

fn files(app: &TestApp) -> usize {
    std::fs::read_dir(app.app.config.files_dir()).unwrap().count()
}

async fn age(app: &TestApp, sql: &'static str) {
    sqlx::query(sql).execute(&app.app.db).await.unwrap();
}

const DOCUMENTS: &str = "select count(*) from documents";
const ROWS: &str =
    "select (select count(*) from documents) + (select count(*) from document_files)";

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_702_1_deposited_listed_described_and_downloaded(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    let list = campaign.path("documents");
    sophie.get(&list).await.is(200).shows("Aucun document.").shows("Déposer un document");
    sophie.get(&campaign.path("documents/nouveau")).await.is(200).shows("50 Mo au plus");
    for (extension, content) in samples::all() {
        deposit(&sophie, &campaign, &format!("Modèle.{extension}"), &content).await.is(303);
    }
    assert_eq!(app.count(DOCUMENTS).await, samples::all().len() as i64);
    let texts = [("nom", "Procédure d’installation"), ("description", "À lire d’abord")];
    let content = stream::iter([Bytes::from_static(b"%PDF-1.7\n"), Bytes::from_static(b"fin")]);
    sophie
        .upload_stream(&campaign.path("documents/nouveau"), &texts, "Étape 1.PDF", content)
        .await
        .redirects_to(&list);
    let page = sophie.get(&list).await;
    page.is(200).shows("Procédure d'installation").shows("À lire d'abord").shows("PDF");
    page.shows("12 octets").shows("par Sophie MARTIN").shows("14 documents affichés");
    // Filters, by type and by text.
    let found = sophie.get(&format!("{list}?type=pdf")).await;
    found.shows("2 documents affichés").shows("Modèle.pdf").hides("Modèle.docx");
    let found = sophie.get(&format!("{list}?q=A%20LIRE")).await;
    found.shows("1 document affiché").shows("Procédure d'installation");
    sophie.get(&format!("{list}?q=100%25")).await.shows("Aucun document ne correspond.");
    // Downloaded: an attachment under its own name, counted and traced; asking is not taking.
    let path = path(&app, &campaign, "Procédure d’installation").await;
    let reply = sophie.get(&format!("{path}/fichier")).await;
    reply.is(200);
    assert_eq!(reply.body, "%PDF-1.7\nfin");
    assert_eq!(reply.headers["content-type"], "application/pdf");
    assert_eq!(reply.headers["x-content-type-options"], "nosniff");
    assert_eq!(reply.headers["content-length"], "12");
    assert_eq!(
        reply.headers["content-disposition"],
        "attachment; filename=\"etape-1.pdf\"; filename*=UTF-8''%C3%89tape%201.PDF"
    );
    assert_eq!(app.audit().await.last().unwrap(), "document.downloaded");
    sophie.get(&format!("{path}/fichier")).await.is(200);
    assert!(!reply.headers.contains_key("content-encoding"));
    let counted = "select count::bigint from document_downloads";
    assert_eq!(app.count(counted).await, 2);
    sophie.get(&path).await.is(200).shows("Téléchargements 2").shows("Empreinte SHA-256");
    sophie.get(&campaign.path("historique")).await.shows("a déposé un document");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_053_a_download_that_was_cut_goes_on_and_is_counted_once(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    deposit(&sophie, &campaign, "guide.txt", b"0123456789").await.is(303);
    let file = format!("{}/fichier", path(&app, &campaign, "guide.txt").await);
    let whole = sophie.get(&file).await;
    let tag = whole.headers["etag"].to_str().unwrap().to_owned();
    let rest = sophie.get_with(&file, &[("range", "bytes=4-"), ("if-range", &tag)]).await;
    rest.is(206);
    assert_eq!(rest.body, "456789");
    assert_eq!(rest.headers["content-range"], "bytes 4-9/10");
    assert_eq!(rest.headers["content-length"], "6");
    let other = [("range", "bytes=4-"), ("if-range", "\"autre\"")];
    assert_eq!(sophie.get_with(&file, &other).await.is(200).body, "0123456789");
    sophie.get_with(&file, &[("range", "bytes=0-3")]).await.is(206);
    assert_eq!(app.count("select count::bigint from document_downloads").await, 3);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_702_2_formats_lies_and_sizes_are_refused_and_leave_nothing(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    for (name, content, message) in [
        ("film.mp4", &b"\0\0\0\x18ftyp"[..], "Format non autorisé"),
        ("sans extension", b"x", "Format non autorisé"),
        ("fichier.php.png", b"<?php phpinfo();", "le contenu n'est pas celui d'un fichier .png"),
        ("notes.txt", &samples::exe(), "le contenu n'est pas celui d'un fichier .txt"),
        ("guide.pdf", &samples::exe(), "le contenu n'est pas celui d'un fichier .pdf"),
        ("vide.txt", b"", "Le fichier est vide"),
        ("", b"", "Choisissez un fichier"),
    ] {
        let reply = deposit(&sophie, &campaign, name, content).await;
        reply.is(422).shows(message).shows("Une erreur à corriger");
    }
    assert_eq!((app.count(ROWS).await, files(&app)), (0, 0));
    // Two hundred megabytes, of which the program reads what it needs to refuse.
    let read = Arc::new(AtomicUsize::new(0));
    let counter = read.clone();
    let content = stream::iter((0..200).map(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
        Bytes::from_static(&[b'a'; 1 << 20])
    }));
    let texts = [("nom", "Trop grand")];
    let to = campaign.path("documents/nouveau");
    let reply = sophie.upload_stream(&to, &texts, "grand.txt", content).await;
    reply.is(422).shows("Taille maximale dépassée (50 Mo)");
    assert!(reply.body.contains("value=\"Trop grand\""), "what was typed stays");
    assert!(read.load(Ordering::Relaxed) < 60, "{read:?} megabytes read");
    assert_eq!((app.count(ROWS).await, files(&app)), (0, 0));
    // Exactly the limit.
    let content = stream::iter((0..50).map(|_| Bytes::from_static(&[b'a'; 1 << 20])));
    sophie.upload_stream(&to, &[], "juste.txt", content).await.is(303);
    assert_eq!(app.count("select size from document_files").await, 52_428_800);
    // Texts.
    let long = "x".repeat(201);
    let content = || stream::iter([Bytes::from_static(b"x")]);
    sophie.upload_stream(&to, &[("nom", &long)], "a.txt", content()).await.is(422);
    let long = "x".repeat(2_001);
    let reply = sophie.upload_stream(&to, &[("description", &long)], "a.txt", content()).await;
    reply.is(422).shows("Texte trop long");
    assert_eq!((app.count(DOCUMENTS).await, files(&app)), (1, 1));
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_702_3_an_executable_asks_for_a_role_and_warns(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    let karim = app.karim().await;
    campaign.grant(&karim, "configure").await;
    for (name, content) in [("outil.exe", samples::exe()), ("script.ps1", b"Write-Host".to_vec())] {
        let reply = deposit(&karim, &campaign, name, &content).await;
        reply.is(422).shows("Seul un administrateur ou un gestionnaire");
    }
    assert_eq!((app.count(ROWS).await, files(&app)), (0, 0));
    karim.get(&campaign.path("documents/nouveau")).await.is(200).hides(", exe,");
    deposit(&karim, &campaign, "guide.pdf", b"%PDF-1.7").await.is(303);
    let path_of_guide = path(&app, &campaign, "guide.pdf").await;
    let replaced = format!("{path_of_guide}/remplacement");
    karim.upload(&replaced, "outil.exe", &samples::exe()).await.is(422);
    let flash = deposit(&sophie, &campaign, "outil.exe", &samples::exe()).await.flash().unwrap();
    assert!(flash.ends_with("Fichier exécutable : vérifiez sa provenance."), "{flash}");
    let digest: String = sqlx::query_scalar(DIGEST_OF_EXE).fetch_one(&app.app.db).await.unwrap();
    let path = path(&app, &campaign, "outil.exe").await;
    let page = karim.get(&path).await;
    page.is(200).shows("Fichier exécutable : vérifiez sa provenance").shows(&digest);
    let list = karim.get(&campaign.path("documents")).await;
    assert!(!list.body.contains(&format!("{path}/fichier")), "the warning comes first");
    let admin = app.admin().await;
    deposit(&admin, &campaign, "pose.msi", &samples::ole("Property", true)).await.is(303);
    let traced = "select count(*) from audit_entries where action = 'document.deposited' and changes ? 'sha256'";
    assert_eq!(app.count(traced).await, 3);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_053_hostile_names_are_shown_and_served_plain(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    let long = format!("{}.txt", "é".repeat(255));
    for (given, kept) in [
        ("../../../etc/passwd.txt", "passwd.txt"),
        ("..\\..\\boot.txt", "boot.txt"),
        ("Été à l’hôpital.txt", "Été à l’hôpital.txt"),
        ("🗺️ plan.txt", "🗺️ plan.txt"),
        ("<b>gras</b>.txt", "b>.txt"),
        (long.as_str(), &format!("{}.txt", "é".repeat(196))),
    ] {
        deposit(&sophie, &campaign, given, b"Texte").await.is(303);
        let path = path(&app, &campaign, kept).await;
        let reply = sophie.get(&format!("{path}/fichier")).await;
        let header = reply.headers["content-disposition"].to_str().unwrap();
        assert!(header.is_ascii() && header.starts_with("attachment; filename=\""), "{header}");
        assert!(!header.contains('/') && !header.contains(".."), "{header}");
    }
    let stored = std::fs::read_dir(app.app.config.files_dir()).unwrap();
    for file in stored {
        let name = file.unwrap().file_name().into_string().unwrap();
        assert!(name.starts_with("document-") && name.len() == 45, "{name}");
    }
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_704_deleted_restored_and_gone_after_thirty_days(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    deposit(&sophie, &campaign, "guide.pdf", b"%PDF-1.7").await.is(303);
    let (list, path) = (campaign.path("documents"), path(&app, &campaign, "guide.pdf").await);
    sophie.get(&format!("{path}/fichier")).await.is(200);
    sophie.get(&format!("{path}/suppression")).await.is(200).shows("30 jours");
    sophie.post(&format!("{path}/suppression")).await.redirects_to(&list);
    for gone in [path.clone(), format!("{path}/fichier"), format!("{path}/modification")] {
        sophie.get(&gone).await.is(404);
    }
    sophie.post(&format!("{path}/suppression")).await.is(404);
    sophie.get(&list).await.shows("Aucun document.");
    let bin = sophie.get(&format!("{list}/corbeille")).await;
    bin.is(200).shows("guide.pdf").shows("par Sophie MARTIN").shows("jusqu'au");
    sophie.post(&format!("{path}/retablissement")).await.redirects_to(&list);
    sophie.post(&format!("{path}/retablissement")).await.is(404);
    sophie.get(&path).await.is(200).shows("Téléchargements 1");
    assert_eq!(sophie.get(&format!("{path}/fichier")).await.body, "%PDF-1.7");
    // Twenty-nine days later it is still there; after thirty, neither row nor file.
    sophie.post(&format!("{path}/suppression")).await.is(303);
    age(&app, "update documents set deleted_at = now() - interval '29 days'").await;
    super::retention::forget_old(&app.app, app.now()).await.unwrap();
    assert_eq!((app.count(DOCUMENTS).await, files(&app)), (1, 1));
    age(&app, "update documents set deleted_at = now() - interval '30 days 1 minute'").await;
    sophie.post(&format!("{path}/retablissement")).await.is(404);
    // Even in a campaign that was archived meanwhile.
    age(&app, "update campaigns set archived_at = now(), status = 'archived'").await;
    super::retention::forget_old(&app.app, app.now()).await.unwrap();
    assert_eq!((app.count(ROWS).await, files(&app)), (0, 0));
    assert_eq!(app.audit().await.last().unwrap(), "document.purged");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_706_a_replaced_file_keeps_the_address_and_the_former_one(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    deposit(&sophie, &campaign, "guide.pdf", b"%PDF-1.7 un").await.is(303);
    let path = path(&app, &campaign, "guide.pdf").await;
    sophie.get(&format!("{path}/fichier")).await.is(200);
    let to = format!("{path}/remplacement");
    sophie.get(&to).await.is(200).shows("L'ancien fichier est gardé 30 jours");
    sophie.upload(&to, "guide.mp4", b"x").await.is(422).shows("Format non autorisé");
    sophie.upload(&to, "guide.pdf", b"%PDF-1.7 un").await.is(422).shows("déjà celui du document");
    assert_eq!(files(&app), 1);
    sophie.upload(&to, "guide v2.txt", b"deux").await.redirects_to(&campaign.path("documents"));
    let page = sophie.get(&path).await;
    page.shows("guide v2.txt")
        .shows("Téléchargements 1")
        .shows("Anciens fichiers")
        .shows("jusqu'au");
    assert_eq!(sophie.get(&format!("{path}/fichier")).await.body, "deux");
    let former: uuid::Uuid =
        sqlx::query_scalar("select id from document_files where replaced_at is not null")
            .fetch_one(&app.app.db)
            .await
            .unwrap();
    let former = format!("{path}/fichiers/{former}");
    assert_eq!(sophie.get(&former).await.body, "%PDF-1.7 un");
    assert_eq!(app.audit().await.last().unwrap(), "document.downloaded");
    let reader = app.reader().await;
    campaign.grant(&reader, "view").await;
    reader.get(&path).await.is(200).hides("Anciens fichiers").hides("Remplacer");
    reader.get(&former).await.is(403);
    age(&app, "update document_files set replaced_at = now() - interval '31 days' where replaced_at is not null").await;
    sophie.get(&former).await.is(404);
    super::retention::forget_old(&app.app, app.now()).await.unwrap();
    assert_eq!((app.count(ROWS).await, files(&app)), (2, 1));
    assert_eq!(sophie.get(&format!("{path}/fichier")).await.body, "deux");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_180_renamed_and_described_without_losing_what_another_wrote(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    deposit(&sophie, &campaign, "guide.pdf", b"%PDF-1.7").await.is(303);
    let path = path(&app, &campaign, "guide.pdf").await;
    let to = format!("{path}/modification");
    sophie.get(&to).await.is(200);
    let before = [("avant-nom", "guide.pdf"), ("avant-description", "")];
    let long = "x".repeat(201);
    let form =
        |name, description| [&before[..], &[("nom", name), ("description", description)]].concat();
    sophie.submit(&to, &form("", "")).await.is(422).shows("Ce champ est obligatoire");
    sophie.submit(&to, &form("\u{202e}", "")).await.is(422);
    sophie.submit(&to, &form(&long, "")).await.is(422);
    sophie.submit(&to, &form("Guide", "Version 1")).await.redirects_to(&path);
    let admin = app.admin().await;
    let clash = admin.submit(&to, &form("Notice", "")).await;
    clash.is(409).shows("Sophie MARTIN a modifié ce document");
    let flash = sophie.submit(&to, &form("Guide", "Version 1")).await.flash().unwrap();
    assert_eq!(flash, "Aucune modification.");
    // The file keeps its name.
    let reply = sophie.get(&format!("{path}/fichier")).await;
    assert!(reply.headers["content-disposition"].to_str().unwrap().contains("guide.pdf"));
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_051_a_document_is_of_one_campaign_and_stays_there(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    let other = app.campaign().named("Autre").run_by(&sophie).create().await;
    deposit(&sophie, &campaign, "guide.pdf", b"%PDF-1.7").await.is(303);
    let path = path(&app, &campaign, "guide.pdf").await;
    let elsewhere = path.replace(&campaign.id.to_string(), &other.id.to_string());
    sophie.get(&elsewhere).await.is(404);
    sophie.get(&format!("{elsewhere}/fichier")).await.is(404);
    sophie.post(&format!("{elsewhere}/suppression")).await.is(404);
    let stranger = app.person("Jean", "Dehors", &[Role::CampaignManager]).await;
    stranger.get(&format!("{path}/fichier")).await.is(404);
    let code = |sql: String| {
        let db = app.app.db.clone();
        async move {
            let err = sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&db).await.unwrap_err();
            err.as_database_error().unwrap().code().unwrap().into_owned()
        }
    };
    let moved = format!("update documents set campaign_id = '{}'", other.id);
    assert_eq!(code(moved).await, "OT004");
    let moved = format!("update document_files set campaign_id = '{}'", other.id);
    assert_eq!(code(moved).await, "OT004");
    assert_eq!(code("delete from documents".into()).await, "OT008", "not from the bin");
    assert_eq!(code("update document_files set size = 52428801".into()).await, "23514");
    let second = "insert into document_files select gen_random_uuid(), document_id, campaign_id, file_name, kind, size, sha256, 'x', now() from document_files";
    assert_eq!(code(second.into()).await, "23505", "one file of today");
    // Read, and counted, once the campaign is archived.
    age(&app, "update campaigns set archived_at = now(), status = 'archived'").await;
    assert_eq!(code("update documents set name = 'x'".into()).await, "OT005");
    sophie.get(&campaign.path("documents")).await.is(200).shows("lecture seule").hides("Corbeille");
    sophie.get(&format!("{path}/fichier")).await.is(200);
    let reply = deposit(&sophie, &campaign, "b.pdf", b"%PDF-1.7").await;
    reply.is(422).shows("lecture seule");
    assert_eq!(files(&app), 1);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn a_store_that_fails_leaves_nothing_in_the_base(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    deposit(&sophie, &campaign, "guide.pdf", b"%PDF-1.7").await.is(303);
    let path = path(&app, &campaign, "guide.pdf").await;
    let dir = app.app.config.files_dir();
    std::fs::remove_dir_all(&dir).unwrap();
    deposit(&sophie, &campaign, "deux.pdf", b"%PDF-1.7").await.is(500);
    sophie.upload(&format!("{path}/remplacement"), "deux.pdf", b"%PDF-1.7 2").await.is(500);
    assert_eq!(app.count(ROWS).await, 2, "the one of before, and its file");
    sophie.get(&format!("{path}/fichier")).await.is(422).shows("absent du serveur");
    assert_eq!(app.count("select count(*) from document_downloads").await, 0);
    std::fs::create_dir_all(&dir).unwrap();
    deposit(&sophie, &campaign, "deux.pdf", b"%PDF-1.7").await.is(303);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn what_an_upload_cut_short_left_goes_after_a_day(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    deposit(&sophie, &campaign, "guide.pdf", b"%PDF-1.7").await.is(303);
    std::fs::write(app.app.config.files_dir().join("document-oublie"), b"x").unwrap();
    super::retention::forget_old(&app.app, app.now() + chrono::Duration::hours(23)).await.unwrap();
    assert_eq!(files(&app), 2);
    super::retention::forget_old(&app.app, app.now() + chrono::Duration::hours(25)).await.unwrap();
    assert_eq!(files(&app), 1, "the one that a row names");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_701_fifty_a_page_in_the_order_of_names(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    for n in 0..51 {
        deposit(&sophie, &campaign, &format!("Note {n:02}.txt"), b"Texte").await.is(303);
    }
    let list = campaign.path("documents");
    let first = sophie.get(&format!("{list}?type=txt")).await;
    first.shows("50 documents affichés").shows("Note 49.txt").hides("Note 50.txt");
    let last = path(&app, &campaign, "Note 49.txt").await;
    let next = format!("{list}?type=txt&apres={}", last.rsplit('/').next().unwrap());
    assert!(first.body.contains(&next.replace('&', "&#38;")), "{next}");
    sophie.get(&next).await.shows("1 document affiché").shows("Note 50.txt").shows("Première");
    sophie.get(&format!("{list}?apres=nimporte")).await.is(200).shows("50 documents affichés");
}
