// SPDX-License-Identifier: EUPL-1.2
//! Stories of `/administration/audit`: filters, one entry, verification, export (US-804, US-1502).
use super::chain::{ANEW, tamper, verified};
use crate::{
    audit::{Entry, chain},
    testing::{Person, TestApp, plain},
};
use futures::{FutureExt, future::join_all};
use serde_json::json;
use sqlx::PgPool;
use std::{
    panic::AssertUnwindSafe,
    process::{Command, Output},
};
use uuid::Uuid;

const AUDIT: &str = "/administration/audit";

async fn written(app: &TestApp, action: &'static str, kind: &'static str, reason: &str) -> Uuid {
    let (id, mut tx) = (Uuid::now_v7(), app.tx().await);
    let entry = Entry::on(action, kind, id).changes(json!({ "name": ["=a", "b;=c\n-d"] }));
    tx.record(entry.reason(Some(reason.into()))).await.unwrap();
    tx.commit().await.unwrap();
    id
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_804_2_filters_of_the_whole_instance(db: PgPool) {
    let app = TestApp::new(db).await;
    let (admin, sophie) = (app.admin().await, app.sophie().await);
    let campaign = app.campaign().run_by(&sophie).create().await;
    let visibility = [("visibilite", "publique")];
    sophie.submit(&campaign.path("parametres/visibilite"), &visibility).await.is(303);
    let segment = written(&app, "segment.created", "segment", "Premier motif").await;
    written(&app, "user.created", "user", "Second motif").await;
    let list = async |query: String| admin.get(&format!("{AUDIT}?{query}")).await;

    list(String::new()).await.shows("Premier motif").shows("Second motif").shows("Sophie MARTIN");
    let hers = list(format!("auteur={}", sophie.id())).await;
    hers.shows("Restreinte → Publique").hides("Premier motif");
    list("auteur=programme".into()).await.shows("Premier motif").hides("Restreinte → Publique");
    app.stranger()
        .submit("/connexion", &[("email", "x@ops.test"), ("mot_de_passe", "x")])
        .await
        .is(422);
    list("auteur=programme".into()).await.hides("Visiteur non connecté");
    list("objet=user".into()).await.shows("Second motif").hides("Premier motif");
    list("action=segment.created".into()).await.shows("Premier motif").hides("Second motif");
    let one = list(format!("objet=segment&identifiant={segment}")).await;
    one.shows("Premier motif").hides("Second motif");
    list("au=01%2F01%2F2020".into()).await.shows("Aucune entrée pour ces filtres.");
    list("du=31%2F02%2F2026".into())
        .await
        .shows("Date invalide « 31/02/2026 » (attendu : jj/mm/aaaa)")
        .hides("Premier motif");
    list("identifiant=x".into()).await.shows("Identifiant invalide « x »");
    list("avant=x&apres=1-2-3&auteur=%27".into()).await.is(200);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_804_only_an_administrator_reads_the_whole_audit(db: PgPool) {
    let app = TestApp::new(db).await;
    let people = [app.sophie().await, app.karim().await, app.reader().await];
    let walk = format!("{AUDIT}/verifications");
    for person in &people {
        person.get(AUDIT).await.is(403);
        person.get(&format!("{AUDIT}/entrees/1")).await.is(403);
        person.post(&walk).await.is(403);
        person.post(&format!("{AUDIT}/export")).await.is(403);
    }
    app.stranger().get(AUDIT).await.is(303);
    let admin = app.admin().await;
    admin.get(AUDIT).await.is(200);
    admin.get(&format!("{AUDIT}/entrees/999")).await.is(404);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn one_entry_with_its_seal(db: PgPool) {
    let app = TestApp::new(db).await;
    let admin = app.admin().await;
    written(&app, "segment.created", "segment", "Motif de l’entrée").await;
    let page = admin.get(&format!("{AUDIT}/entrees/1")).await;
    page.shows("Motif de l’entrée").shows("Cette entrée attend son sceau");
    chain::seal(&app.app, app.now()).await.unwrap();
    let hash: String = sqlx::query_scalar("select encode(hash, 'hex') from audit_seals")
        .fetch_one(&app.app.db)
        .await
        .unwrap();
    let page = admin.get(&format!("{AUDIT}/entrees/1")).await;
    page.shows(&hash).shows("Place dans la chaîne").shows("segment.created");
}

/// The page of a verification once its walk has ended.
async fn walked(app: &TestApp, admin: &Person) -> String {
    let reply = admin.post(&format!("{AUDIT}/verifications")).await;
    let page = reply.is(303).location.clone().unwrap();
    let waiting = admin.get(&page).await;
    waiting.shows("En attente");
    assert_eq!(
        admin.post(&format!("{AUDIT}/verifications")).await.location.as_deref(),
        Some(&*page)
    );
    app.drain().await;
    plain(&admin.get(&page).await.body)
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_804_3_verify_the_integrity(db: PgPool) {
    let app = TestApp::new(db).await;
    let admin = app.admin().await;
    written(&app, "segment.created", "segment", "Un").await;
    let page = walked(&app, &admin).await;
    assert!(page.contains("Chaîne intègre : 1 entrée vérifiée jusqu'au"), "{page}");
    assert_eq!(app.audit().await, ["segment.created", "audit.verified"]);
    admin
        .get(AUDIT)
        .await
        .shows("Chaîne intègre : 1 entrée vérifiée")
        .shows("Marc LEFÈVRE a vérifié l’intégrité du journal");
    tamper(&app, "update audit_entries set reason = 'Deux' where seq = 1").await;
    let page = walked(&app, &admin).await;
    let found = "Chaîne rompue à la place 1 : l'entrée n° 1 a été modifiée après son scellement.";
    assert!(page.contains(found), "{page}");
    let traced = "select count(*) from audit_entries where action = 'audit.verified' and changes->>'intact' = 'false' and changes->>'entry' = '1'";
    assert_eq!(app.count(traced).await, 1);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_1502_an_export_of_a_chain_made_anew_is_not_that_of_the_checkpoints_kept(db: PgPool) {
    let app = TestApp::new(db).await;
    let admin = app.admin().await;
    written(&app, "segment.created", "segment", "Motif").await;
    let (path, whole) = (format!("{AUDIT}/export"), [("chaine", "complete")]);
    let points = app.app.config.data_dir.join("audit-points-de-controle.txt");
    let kept = ["--points", points.to_str().unwrap()];
    let honest = admin.submit(&path, &whole).await;
    let (held, text) = says(&verifier(&app, &honest.bytes, &kept));
    assert!(held, "{text}");
    tamper(&app, ANEW).await;
    let forged = admin.submit(&path, &whole).await;
    assert!(says(&verifier(&app, &forged.bytes, &[])).0, "nothing shows in the file itself");
    let (held, text) = says(&verifier(&app, &forged.bytes, &kept));
    assert!(!held && text.contains("place 2 : ce n’est plus la chaîne signée le"), "{text}");
}

/// What `bin/audit-verifier` says of an export.
fn verifier(app: &TestApp, csv: &[u8], more: &[&str]) -> Output {
    let path = app.app.config.data_dir.join("journal.csv");
    std::fs::write(&path, csv).unwrap();
    Command::new("python3")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/bin/audit-verifier"))
        .arg(&path)
        .args(more)
        .output()
        .unwrap()
}

fn says(output: &Output) -> (bool, String) {
    let text = [&output.stdout[..], &output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_1502_an_export_is_verified_outside(db: PgPool) {
    let app = TestApp::new(db).await;
    let admin = app.admin().await;
    for n in 0..4 {
        written(&app, "segment.created", "segment", &format!("=Motif {n}")).await;
        written(&app, "user.created", "user", "Autre").await;
    }
    let key = chain::hex(app.app.audit_key.public());
    let whole = admin.submit(&format!("{AUDIT}/export"), &[("chaine", "complete")]).await;
    whole.is(200).shows("'=Motif 3").shows("a exporté le journal");
    let (held, text) = says(&verifier(&app, &whole.bytes, &["--cle", &key]));
    assert!(held && text.contains("Entrées vérifiées : 9. Liens vérifiés : 8."), "{text}");
    assert!(text.contains("Chaîne continue de la place 1 au point de contrôle signé."), "{text}");

    let filtered = format!("{AUDIT}/export?objet=segment");
    let linked = admin.submit(&filtered, &[("chaine", "complete")]).await;
    linked.hides(";Autre;");
    let (held, text) = says(&verifier(&app, &linked.bytes, &[]));
    assert!(held && text.contains("Entrées vérifiées : 4.") && text.contains("continue"), "{text}");
    let short = admin.submit(&filtered, &[]).await;
    let (held, text) = says(&verifier(&app, &short.bytes, &[]));
    assert!(held && text.contains("Entrées vérifiées : 4. Liens vérifiés : 0."), "{text}");
    assert!(text.contains("Chaîne non continue"), "{text}");
    let traced = "select count(*) from audit_entries where action = 'audit.exported' and changes->>'rows' = '4'";
    assert_eq!(app.count(traced).await, 2);
    assert!(verified(&app).await.is_intact());
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_1502_an_export_cut_short_by_the_end_of_the_program_does_not_look_whole(db: PgPool) {
    let app = TestApp::new(db).await;
    let admin = app.admin().await;
    written(&app, "segment.created", "segment", "Motif").await;
    app.app.stopping.cancel();
    // Whoever reads the answer meets an error, which is a panic in tests.
    let (path, form) = (format!("{AUDIT}/export"), []);
    let read = AssertUnwindSafe(admin.submit(&path, &form)).catch_unwind().await;
    assert!(read.is_err());
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_804_3_two_clicks_at_once_begin_one_verification(db: PgPool) {
    let app = TestApp::new(db).await;
    let admin = app.admin().await;
    let path = format!("{AUDIT}/verifications");
    let clicks = (0..6).map(|_| admin.post(&path));
    let pages: Vec<_> = join_all(clicks).await.iter().map(|reply| reply.location.clone()).collect();
    assert!(pages.iter().all(|page| page.is_some() && *page == pages[0]), "{pages:?}");
    assert_eq!(app.count("select count(*) from audit_verifications").await, 1);
    // A walk that never ended does not hold the next one.
    sqlx::query("update audit_verifications set created_at = created_at - interval '2 hours'")
        .execute(&app.app.db)
        .await
        .unwrap();
    assert_ne!(admin.post(&path).await.location, pages[0]);
    assert_eq!(
        app.count("select count(*) from audit_verifications where state = 'failed'").await,
        1
    );
    app.drain().await;
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_1502_a_forged_export_is_found_out(db: PgPool) {
    let app = TestApp::new(db).await;
    let admin = app.admin().await;
    for n in 0..3 {
        written(&app, "segment.created", "segment", &format!("Motif {n}")).await;
    }
    let whole = admin.submit(&format!("{AUDIT}/export"), &[("chaine", "complete")]).await;
    let text = whole.body.clone();
    let lines: Vec<&str> = text.split_inclusive("\r\n").collect();
    let without = |n: usize| [&lines[..n], &lines[n + 1..]].concat().concat();
    let swapped = [lines[0], lines[2], lines[1]].concat() + &lines[3..].concat();
    let last = lines.len() - 1;
    for (forged, found) in [
        (text.replace("Motif 1", "Motif 9"), "la forme canonique ne donne pas l’empreinte"),
        (text.replacen("segment.created", "segment.renamed", 1), "les colonnes ne disent pas"),
        (swapped, "rang déplacé"),
        (without(last), "aucun point de contrôle"),
    ] {
        let (held, text) = says(&verifier(&app, forged.as_bytes(), &[]));
        assert!(!held && text.contains(found), "{found}: {text}");
    }
    // A row taken away is no longer a whole chain; the end taken away does not reach the signature.
    for n in [2, last - 1] {
        let (held, text) = says(&verifier(&app, without(n).as_bytes(), &[]));
        assert!(held && text.contains("Chaîne non continue"), "{text}");
    }
    let (held, text) = says(&verifier(&app, &whole.bytes, &["--cle", &"07".repeat(32)]));
    assert!(!held && text.contains("et non par la clé donnée"), "{text}");
}
