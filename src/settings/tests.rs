// SPDX-License-Identifier: EUPL-1.2
//! Settings and the administration home.
use crate::testing::TestApp;
use sqlx::PgPool;

const PAGE: &str = "/administration/parametres/organisation";
const SECURITY: &str = "/administration/parametres/securite";

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn settings_are_saved_traced_and_obeyed_at_once(db: PgPool) {
    let app = TestApp::new(db.clone()).await;
    let admin = app.admin().await;
    admin.get("/administration").await.shows("ne sont pas renseignés");
    admin
        .submit(PAGE, &[("organisation", "Mairie"), ("courriel", "dsi"), ("source", "ftp://x")])
        .await
        .is(422)
        .shows("Ce champ est obligatoire")
        .shows("attendu : nom@domaine.fr")
        .shows("attendu : https://…");
    let form = [
        ("organisation", "Ville de Saint-Rémy"),
        ("contact", "dsi@ops.test"),
        ("dpo", "dpo@ops.test"),
        ("source", "https://code.ops.test/ops"),
    ];
    admin.submit(PAGE, &form).await.redirects_to(PAGE);
    admin.submit(SECURITY, &[("force", "12")]).await.is(422).shows("entre 50 et 128");
    admin.submit(SECURITY, &[("force", "80"), ("familles", "oui")]).await.redirects_to(SECURITY);
    admin.get("/administration").await.hides("ne sont pas renseignés").shows("Ville de Saint-Rémy");
    // RG-001: the threshold applies at once, everywhere.
    let five_words = "lampadaire vert octobre tiroir musique";
    let reply = admin
        .submit(
            "/profil/mot-de-passe",
            &[("mot_de_passe", five_words), ("confirmation", five_words)],
        )
        .await;
    reply.is(422).shows("force 57 sur 80").shows("une majuscule, un chiffre, un caractère spécial");
    let changes: Vec<serde_json::Value> = sqlx::query_scalar(
        "select changes from audit_entries where action = 'settings.changed' order by seq",
    )
    .fetch_all(&db)
    .await
    .unwrap();
    assert_eq!(changes[0]["organisation"], serde_json::json!(["", "Ville de Saint-Rémy"]));
    assert_eq!(changes[1]["password_bits"], serde_json::json!([50, 80]));
    assert!(changes[1].get("organisation").is_none(), "only what changed");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_809_1_texts_are_written_and_shown_escaped(db: PgPool) {
    let app = TestApp::new(db).await;
    let (admin, stranger) = (app.admin().await, app.stranger());
    stranger
        .get("/mentions-legales")
        .await
        .is(200)
        .shows("n’ont pas encore été renseignés")
        .shows("données de santé");
    stranger.get("/donnees-personnelles").await.is(200).shows("n’a pas encore renseigné");
    let texts = "/administration/parametres/textes";
    admin
        .submit(
            texts,
            &[("mentions", "## Hébergeur\nVille <b>Ys</b>"), ("donnees", "Finalité : suivre.")],
        )
        .await
        .redirects_to(texts);
    let page = stranger.get("/mentions-legales").await;
    page.shows("Hébergeur Ville <b>Ys</b>").hides("pas encore été renseignés");
    assert!(page.body.contains("<h2>Hébergeur</h2>") && !page.body.contains("<b>Ys</b>"));
    stranger
        .get("/donnees-personnelles")
        .await
        .shows("Finalité : suivre.")
        .hides("pas encore renseigné les");
    let long = "a".repeat(20_001);
    admin.submit(texts, &[("mentions", &long)]).await.is(422).shows("20 000 caractères au plus");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_809_2_without_relay_the_page_says_so(db: PgPool) {
    let app = TestApp::new(db).await;
    let (admin, sophie) = (app.admin().await, app.sophie().await);
    let page = "/administration/parametres/messagerie";
    admin
        .get(page)
        .await
        .is(200)
        .shows("Aucun relais n’est configuré")
        .hides("Envoyer un message d’essai");
    sophie.get(page).await.is(403);
    let reply = admin.submit(&format!("{page}/essai"), &[("adresse", "a@ops.test")]).await;
    assert_eq!(reply.flash().as_deref(), Some("Aucun relais n'est configuré."));
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_809_2_a_message_of_trial_shows_what_the_relay_answered(db: PgPool) {
    let port = refusing_relay().await;
    let app = TestApp::with(db, |config| {
        config.smtp = Some(crate::config::Smtp {
            url: crate::config::Secret::new(format!(
                "smtp://ops:motdepasse@127.0.0.1:{port}?tls=none"
            )),
            from: "ops@ops.test".into(),
        });
    })
    .await;
    let admin = app.admin().await;
    let page = "/administration/parametres/messagerie";
    let shown = admin.get(page).await;
    shown.shows(&format!("127.0.0.1:{port}")).shows("Défini, jamais affiché").hides("motdepasse");
    admin
        .submit(&format!("{page}/essai"), &[("adresse", "x")])
        .await
        .is(422)
        .shows("Adresse invalide");
    admin
        .submit(&format!("{page}/essai"), &[("adresse", "a@ops.test")])
        .await
        .is(200)
        .shows("Le relais a refusé le message : 554 on ne prend rien ici");
    assert_eq!(app.audit().await, ["mail.tried"]);
}

/// A relay that greets with a refusal; its port.
async fn refusing_relay() -> u16 {
    use tokio::io::AsyncWriteExt;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let _ = socket.write_all(b"554 on ne prend rien ici\r\n").await;
        }
    });
    port
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_812_each_part_of_the_system_says_its_state_and_what_to_do(db: PgPool) {
    let app = TestApp::new(db.clone()).await;
    let (admin, sophie) = (app.admin().await, app.sophie().await);
    sophie.get("/administration/etat").await.is(403);
    let page = admin.get("/administration/etat").await;
    page.is(200)
        .shows("Traitements de fond À traiter Jamais vu")
        .shows("redémarrez le programme")
        .shows("appliquées, aucune en attente")
        .shows("PostgreSQL")
        .shows("Écart d’horloge Bon moins d’une seconde")
        .shows("Messages À surveiller Aucun relais configuré, 0 message en attente")
        .shows("http : mots de passe et données circulent en clair")
        .shows("Dernière sauvegarde vérifiée À surveiller Jamais enregistrée")
        .shows("Disque");
    assert!(page.body.contains("data-progress-every-value=\"10000\""), "refreshes itself");
    crate::jobs::housekeeping(&app.app, app.now()).await.unwrap();
    sqlx::query("insert into jobs (id, kind, payload, run_at, attempts) values (gen_random_uuid(), 'x', '{}', now(), 8)")
        .execute(&db)
        .await
        .unwrap();
    admin
        .get("/administration/etat")
        .await
        .shows("Traitements de fond Bon Vu à")
        .shows("1 processus actif")
        .shows("File des traitements À traiter 1 traitement abandonné");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn a_01_the_statement_of_accessibility_claims_nothing(db: PgPool) {
    let app = TestApp::new(db).await;
    let page = app.stranger().get("/accessibilite").await;
    page.is(200)
        .shows("Accessibilité : non conforme")
        .shows("aucun audit")
        .shows("75342 Paris CEDEX 07");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn what_another_process_saved_meanwhile_is_kept(db: PgPool) {
    let app = TestApp::new(db.clone()).await;
    let admin = app.admin().await;
    sqlx::query("update instance_settings set dpo = 'dpo@ops.test', legal_notice = 'Mentions'")
        .execute(&db)
        .await
        .unwrap();
    admin.submit(SECURITY, &[("force", "80")]).await.redirects_to(SECURITY);
    let kept = "select count(*) from instance_settings where dpo = 'dpo@ops.test' and legal_notice = 'Mentions' and password_bits = 80";
    assert_eq!(app.count(kept).await, 1);
    let traced: serde_json::Value =
        sqlx::query_scalar("select changes from audit_entries").fetch_one(&db).await.unwrap();
    assert_eq!(traced, serde_json::json!({ "password_bits": [50, 80] }));
}
