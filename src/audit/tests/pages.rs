// SPDX-License-Identifier: EUPL-1.2
//! Stories of `/administration/audit`: filters, one entry, verification, export (US-804, US-1502).
use super::chain::{tamper, verified};
use crate::{
    audit::{Entry, chain},
    testing::{Person, TestApp, plain},
};
use serde_json::json;
use sqlx::PgPool;
use std::process::{Command, Output};
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
