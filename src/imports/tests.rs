// SPDX-License-Identifier: EUPL-1.2
//! Stories of imports: what Sophie sees, what is written, what is not.
use crate::testing::{self, Person, TestApp, TestCampaign, proposed, send};
use sqlx::PgPool;

const FILE: &str = "NOM_AGENT;MATRICULE;NUM_PC;ETAGE;BATIMENT\r\n\
    MARTIN Éloïse;A70001;PC-0001;1;Bâtiment A\r\n\
    PETIT Marc;A70002;PC-0002;2;bâtiment  a\r\n\
    ;;;;\r\n\
    LEBLANC Marie;;PC-0003;1;Bâtiment B\r\n\
    NGUYEN Thi Lan;A70004;PC-0004;3;Bâtiment B\r\n\
    DOUBLE Jean;a70001;PC-0005;3;Bâtiment B\r\n";

/// Presses the button of the page, as a browser would.
async fn undo(person: &Person, at: &str) {
    let page = person.get(at).await.body;
    let version = page
        .split("name=\"version\" value=\"")
        .nth(1)
        .and_then(|v| v.split('"').next())
        .unwrap_or_default()
        .to_owned();
    person.submit(&format!("{at}/annulation"), &[("version", &version)]).await.is(303);
}

async fn import(app: &TestApp, sophie: &Person, campaign: &TestCampaign, content: &str) -> String {
    testing::import(app, sophie, campaign, "parc.csv", content.as_bytes()).await
}

async fn check(app: &TestApp, sophie: &Person, campaign: &TestCampaign, content: &str) -> String {
    testing::check(app, sophie, campaign, "parc.csv", content.as_bytes()).await
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_203_204_a_file_becomes_operations(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = app.campaign().run_by(&sophie).create().await;
    let at = send(&app, &sophie, &campaign, "parc.csv", FILE.as_bytes()).await;
    let page = sophie.get(&format!("{at}/colonnes")).await;
    page.is(200)
        .shows("5 lignes détectées")
        .shows("1 ligne vide ignorée")
        .shows("MARTIN Éloïse")
        .shows("Automatique")
        .shows("À vérifier");

    let choices = proposed(&page.body);
    assert_eq!(choices.len(), 5);
    let pairs: Vec<(&str, &str)> = choices.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    sophie.submit(&format!("{at}/colonnes"), &pairs).await.redirects_to(&at);
    app.drain().await;
    sophie
        .get(&format!("{at}/apercu"))
        .await
        .is(200)
        .shows("3 lignes valides")
        .shows("2 erreurs")
        .shows("Ligne 5 — MATRICULE : Valeur obligatoire manquante")
        .shows("Identifiant en double dans le fichier (première occurrence : ligne 2)")
        .shows("Importer 3 lignes");
    assert_eq!(
        app.count("select count(*) from operations").await,
        0,
        "nothing is written before confirmation"
    );

    sophie.post(&format!("{at}/apercu")).await.redirects_to(&at);
    app.drain().await;
    sophie.get(&at).await.is(200).shows("3 interventions créées").shows("2 lignes rejetées");
    assert_eq!(app.count("select count(*) from operations where category = 'todo'").await, 3);
    assert_eq!(app.count("select count(*) from segments").await, 2);
    assert_eq!(app.count("select count(*) from operation_events where kind = 'imported'").await, 3);
    assert_eq!(
        app.count("select count(*) from audit_entries where action = 'operations.imported'").await,
        1
    );
    assert_eq!(app.count("select count(*) from operations where import_base ->> '2' = label and values ->> '3' like 'PC-%'").await, 3);
    sophie
        .get(&format!("{at}/journal.csv"))
        .await
        .is(200)
        .shows("erreur")
        .shows("A70001".to_lowercase().as_str());
    sophie
        .get(&format!("{at}/rejets.csv"))
        .await
        .is(200)
        .shows("LEBLANC Marie")
        .shows("Erreur à corriger");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn p_056_the_same_file_twice_creates_nothing_twice(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = app.campaign().run_by(&sophie).create().await;
    import(&app, &sophie, &campaign, FILE).await;
    let before: Vec<(uuid::Uuid, i32)> =
        sqlx::query_as("select id, version from operations order by id")
            .fetch_all(&app.app.db)
            .await
            .unwrap();
    let at = import(&app, &sophie, &campaign, FILE).await;
    sophie.get(&at).await.shows("0 intervention créée").shows("3 inchangées");
    let after: Vec<(uuid::Uuid, i32)> =
        sqlx::query_as("select id, version from operations order by id")
            .fetch_all(&app.app.db)
            .await
            .unwrap();
    assert_eq!(before, after);
    let corrected = FILE.replace("LEBLANC Marie;;", "LEBLANC Marie;A70003;");
    let at = import(&app, &sophie, &campaign, &corrected).await;
    sophie.get(&at).await.shows("1 intervention créée");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_217_2_a_human_edit_is_kept_and_a_file_edit_applied(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = app.campaign().run_by(&sophie).create().await;
    import(&app, &sophie, &campaign, FILE).await;
    sqlx::query("update operations set values = values || '{\"3\": \"PC-MAIN\"}', version = 2 where identifier = 'A70001'").execute(&app.app.db).await.unwrap();
    let changed = FILE.replace("PC-0002", "PC-9999").replace("PETIT Marc", "PETIT Marcel");
    let at = import(&app, &sophie, &campaign, &changed).await;
    sophie.get(&at).await.shows("0 intervention créée").shows("1 modifiée").shows("2 inchangées");
    let read = |id: &'static str| {
        let db = app.app.db.clone();
        async move {
            sqlx::query_as::<_, (String, String)>(
                "select label, values ->> '3' from operations where identifier = $1",
            )
            .bind(id)
            .fetch_one(&db)
            .await
            .unwrap()
        }
    };
    assert_eq!(read("A70001").await, ("MARTIN Éloïse".into(), "PC-MAIN".into()));
    assert_eq!(read("A70002").await, ("PETIT Marcel".into(), "PC-9999".into()));
    // Undone: the file's change goes back, the human's edit stays.
    undo(&sophie, &at).await;
    app.drain().await;
    assert_eq!(read("A70002").await, ("PETIT Marc".into(), "PC-0002".into()));
    assert_eq!(read("A70001").await, ("MARTIN Éloïse".into(), "PC-MAIN".into()));
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_218_undo_keeps_what_was_touched_and_can_be_undone(db: PgPool) {
    let app = TestApp::new(db).await;
    let (sophie, karim) = (app.sophie().await, app.karim().await);
    let campaign = app.campaign().run_by(&sophie).create().await;
    let at = import(&app, &sophie, &campaign, FILE).await;
    sqlx::query(
        "update operations set version = 2, updated_by = $1, updated_at = now(), label = 'Touchée' where identifier = 'A70001'",
    )
    .bind(karim.id())
    .execute(&app.app.db)
    .await
    .unwrap();
    undo(&sophie, &at).await;
    app.drain().await;
    sophie
        .get(&at)
        .await
        .shows("2 interventions retirées")
        .shows("1 conservée")
        .shows("modifiée par Karim BENALI le");
    assert_eq!(app.count("select count(*) from operations where deleted_at is null").await, 1);
    assert_eq!(
        app.count("select count(*) from segments").await,
        1,
        "the segment of the kept one stays"
    );
    undo(&sophie, &at).await;
    app.drain().await;
    assert_eq!(app.count("select count(*) from operations where deleted_at is null").await, 3);
    assert_eq!(app.count("select count(*) from segments").await, 2);
    assert_eq!(app.count("select count(*) from operations o join segments s on s.id = o.segment_id where o.deleted_at is null").await, 3);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn import_then_undo_leaves_the_campaign_as_it_was(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = app.campaign().run_by(&sophie).create().await;
    campaign.operation("H1", None, None, None).await;
    let state = "select count(*) * 1000000 + (select count(*) from segments) * 1000 + (select count(*) from campaign_fields where deleted_at is null)
                 from operations where deleted_at is null";
    let before = app.count(state).await;
    let at = import(&app, &sophie, &campaign, FILE).await;
    assert_ne!(app.count(state).await, before);
    undo(&sophie, &at).await;
    app.drain().await;
    assert_eq!(app.count(state).await, before);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_204_2_an_identifier_is_asked(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = app.campaign().run_by(&sophie).create().await;
    let at = send(&app, &sophie, &campaign, "parc.csv", FILE.as_bytes()).await;
    let all: Vec<(String, String)> = (0..5)
        .map(|i| (format!("colonne-{i}"), if i == 0 { "champ-2".into() } else { "ignorer".into() }))
        .collect();
    let pairs: Vec<(&str, &str)> = all.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let reply = sophie.submit(&format!("{at}/colonnes"), &pairs).await;
    reply.is(422).shows("La colonne identifiant est obligatoire");
    assert!(reply.body.contains("value=\"champ-2\" selected"), "what was chosen is kept");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_203_2_bad_files_are_refused_in_french(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = app.campaign().run_by(&sophie).create().await;
    sophie
        .upload(&campaign.path("imports"), "vide.csv", b"")
        .await
        .is(422)
        .shows("Le fichier ne contient aucune ligne de données");
    for (name, content, said) in [
        (
            "rapport.pdf",
            &b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n"[..],
            "Format non supporté. Utilisez un fichier .csv, .xlsx ou .ods",
        ),
        ("photo.csv", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00", "Format non supporté"),
        ("entete.csv", b"Nom;Matricule\r\n", "Le fichier ne contient aucune ligne de données"),
        (
            "coupe.csv",
            b"Nom;Matricule\r\n\"Martin;A1\r\nPetit;A2\r\n",
            "Un guillemet ouvert à la ligne 2 n'est jamais refermé",
        ),
    ] {
        let at = send(&app, &sophie, &campaign, name, content).await;
        sophie.get(&at).await.is(200).shows("Échec").shows(said);
    }
    assert_eq!(app.count("select count(*) from operations").await, 0);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn p_060_too_many_lines_are_refused_before_anything(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = app.campaign().run_by(&sophie).create().await;
    let mut file = String::from("Matricule;Nom\n");
    (0..100_001).for_each(|i| file.push_str(&format!("A{i};N\n")));
    let at = send(&app, &sophie, &campaign, "gros.csv", file.as_bytes()).await;
    sophie.get(&at).await.shows("Fichier trop volumineux (max 100 000 lignes)").shows("100 001");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_098_rights_and_archive(db: PgPool) {
    let app = TestApp::new(db).await;
    let (sophie, nadia) = (
        app.sophie().await,
        app.person("Nadia", "Lambert", &[crate::accounts::Role::CampaignManager]).await,
    );
    let campaign = app.campaign().run_by(&sophie).create().await;
    nadia.upload(&campaign.path("imports"), "parc.csv", FILE.as_bytes()).await.is(404);
    campaign.grant(&nadia, "view").await;
    nadia.upload(&campaign.path("imports"), "parc.csv", FILE.as_bytes()).await.is(403);
    let at = check(&app, &sophie, &campaign, FILE).await;
    sqlx::query("update campaigns set archived_at = now(), status = 'archived'")
        .execute(&app.app.db)
        .await
        .unwrap();
    sophie.post(&format!("{at}/apercu")).await.is(422).shows("Campagne archivée : lecture seule.");
    assert_eq!(app.count("select count(*) from operations").await, 0);
    let files = std::fs::read_dir(app.app.config.files_dir()).unwrap().count();
    assert_eq!(files, 1, "a refused upload keeps no byte");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn cancelling_before_the_end_leaves_nothing(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = app.campaign().run_by(&sophie).create().await;
    let at = check(&app, &sophie, &campaign, FILE).await;
    sophie.post(&format!("{at}/apercu")).await.is(303);
    undo(&sophie, &at).await;
    app.drain().await;
    sophie.get(&at).await.shows("Import annulé");
    assert_eq!(app.count("select count(*) from operations").await, 0);
    assert_eq!(app.count("select count(*) from segments").await, 0);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn lost_staged_lines_are_checked_again(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = app.campaign().run_by(&sophie).create().await;
    let at = check(&app, &sophie, &campaign, FILE).await;
    // What a crash of PostgreSQL does to an unlogged table.
    let table: String = sqlx::query_scalar(
        "select relname::text from pg_class where relname like 'import_lines_%' and relkind = 'r'",
    )
    .fetch_one(&app.app.db)
    .await
    .unwrap();
    sqlx::query(sqlx::AssertSqlSafe(format!("truncate {table}")))
        .execute(&app.app.db)
        .await
        .unwrap();
    sophie.post(&format!("{at}/apercu")).await.is(303);
    app.drain().await;
    assert_eq!(app.count("select count(*) from operations").await, 3);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn p_051_read_is_the_sum_on_every_real_file(db: PgPool) {
    let app = TestApp::new(db).await;
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/imports");
    let Ok(folder) = std::fs::read_dir(folder) else { return };
    let sophie = app.sophie().await;
    for (n, file) in folder.flatten().enumerate() {
        let name = file.file_name().to_string_lossy().into_owned();
        if name.ends_with(".json") || file.metadata().unwrap().len() > 200_000 {
            continue;
        }
        let campaign =
            app.campaign().named(&format!("Campagne {n}")).run_by(&sophie).create().await;
        let at = send(&app, &sophie, &campaign, &name, &std::fs::read(file.path()).unwrap()).await;
        let page = sophie.get(&format!("{at}/colonnes")).await;
        page.is(200);
        // The first column as the identifier, the rest as proposed, each target once.
        let mut choices = proposed(&page.body);
        for choice in &mut choices {
            if choice.1 == "champ-1" || choice.1 == "champ-2" {
                choice.1 = "nouveau-short_text".into();
            }
        }
        choices[0].1 = "champ-1".into();
        let pairs: Vec<(&str, &str)> =
            choices.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        sophie.submit(&format!("{at}/colonnes"), &pairs).await.redirects_to(&at);
        app.drain().await;
        sophie.post(&format!("{at}/apercu")).await.redirects_to(&at);
        app.drain().await;
        let (state, sums): (String, bool) = sqlx::query_as(
            "select state, (counters ->> 'read')::int = (counters ->> 'created')::int + (counters ->> 'updated')::int + (counters ->> 'unchanged')::int + (counters ->> 'rejected')::int
                    and (counters ->> 'created')::int = (select count(*) from operations o where o.campaign_id = imports.campaign_id)
             from imports where campaign_id = $1",
        )
        .bind(campaign.id)
        .fetch_one(&app.app.db)
        .await
        .unwrap();
        assert!(state == "done" && sums, "{name}: {state}");
    }
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn a_value_outside_the_list_is_an_error_or_joins_it(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = app.campaign().run_by(&sophie).create().await;
    sqlx::query(
        "update campaign_fields set kind = 'choice', choices = array['Écran'] where number = 4",
    )
    .execute(&app.app.db)
    .await
    .unwrap();
    let file = "Matricule;Nom;Lieu\nA1;X;écran\nA2;Y;Clavier\n";
    let at = check(&app, &sophie, &campaign, file).await;
    sophie
        .get(&format!("{at}/apercu"))
        .await
        .shows("1 ligne valide")
        .shows("Valeur hors liste : « Clavier »");
    sophie
        .submit(
            &format!("{at}/colonnes"),
            &[
                ("colonne-0", "champ-1"),
                ("colonne-1", "champ-2"),
                ("colonne-2", "champ-4"),
                ("ajouter-choix", "oui"),
            ],
        )
        .await
        .redirects_to(&at);
    app.drain().await;
    sophie.post(&format!("{at}/apercu")).await.redirects_to(&at);
    app.drain().await;
    let values: Vec<String> =
        sqlx::query_scalar("select values ->> '4' from operations order by identifier")
            .fetch_all(&app.app.db)
            .await
            .unwrap();
    assert_eq!(values, ["Écran", "Clavier"]);
    assert_eq!(
        app.count("select cardinality(choices)::bigint from campaign_fields where number = 4")
            .await,
        2
    );
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_181_the_same_click_twice_undoes_once(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = app.campaign().run_by(&sophie).create().await;
    let at = import(&app, &sophie, &campaign, FILE).await;
    let version: i32 =
        sqlx::query_scalar("select version from imports").fetch_one(&app.app.db).await.unwrap();
    let click = async || {
        sophie
            .submit(&format!("{at}/annulation"), &[("version", version.to_string().as_str())])
            .await
            .is(303)
            .status
    };
    click().await;
    click().await;
    app.drain().await;
    click().await;
    app.drain().await;
    assert_eq!(
        app.count("select count(*) from operations where deleted_at is null").await,
        0,
        "undone, and not applied again"
    );
    assert_eq!(
        app.count("select count(*) from audit_entries where action = 'import.undone'").await,
        1
    );
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn lines_whose_operations_were_binned_meanwhile_are_created(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = app.campaign().run_by(&sophie).create().await;
    let file = "Matricule;Nom;Poste\nA1;MARTIN;PC-1\nA2;PETIT;PC-2\n";
    let first = import(&app, &sophie, &campaign, file).await;
    let second = check(&app, &sophie, &campaign, &file.replace("PC-2", "PC-9")).await;
    undo(&sophie, &first).await;
    app.drain().await;
    sophie.post(&format!("{second}/apercu")).await.redirects_to(&second);
    app.drain().await;
    assert_eq!(app.count("select count(*) from operations where deleted_at is null").await, 2);
    sophie.get(&second).await.shows("2 interventions créées");
}

/// The transaction that locks the job would keep the rows from being marked visible to all.
#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn p_8_counts_read_the_index_alone_right_after_an_import(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = app.campaign().run_by(&sophie).create().await;
    import(&app, &sophie, &campaign, FILE).await;
    let settled = "select relpages > 0 and relallvisible = relpages from pg_class where oid = 'operations'::regclass";
    for _ in 0..100 {
        if sqlx::query_scalar::<_, bool>(settled).fetch_one(&app.app.db).await.unwrap() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("the operations were not marked visible to all");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_092_a_rejected_line_leaves_no_segment_and_no_choice(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = app.campaign().run_by(&sophie).create().await;
    let file = "Matricule;Nom;Segment\nA1;MARTIN;Bâtiment A\n;PETIT;Bâtiment Fantôme\n";
    let at = check(&app, &sophie, &campaign, file).await;
    sophie.get(&at).await.hides("Bâtiment Fantôme");
    sophie.post(&format!("{at}/apercu")).await.redirects_to(&at);
    app.drain().await;
    assert_eq!(app.count("select count(*) from segments").await, 1);
    // Renamed by a person, it does not come back under its former name with the same file.
    sqlx::query("update segments set name = 'Tour A', name_norm = 'tour a', version = 2")
        .execute(&app.app.db)
        .await
        .unwrap();
    import(&app, &sophie, &campaign, file).await;
    assert_eq!(app.count("select count(*) from segments").await, 1);
    // What a person edited stays after the undo of the import that made it.
    undo(&sophie, &at).await;
    app.drain().await;
    assert_eq!(app.count("select count(*) from operations where deleted_at is null").await, 0);
    assert_eq!(app.count("select count(*) from segments where name = 'Tour A'").await, 1);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn fields_changed_since_the_check_ask_for_another_check(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = app.campaign().run_by(&sophie).create().await;
    let at = check(&app, &sophie, &campaign, FILE).await;
    sqlx::query("update campaign_fields set kind = 'number' where number = 3")
        .execute(&app.app.db)
        .await
        .unwrap();
    sophie.post(&format!("{at}/apercu")).await.redirects_to(&at);
    app.drain().await;
    sophie.get(&at).await.shows("Les champs de la campagne ont changé depuis la vérification");
    assert_eq!(app.count("select count(*) from operations").await, 0);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_018_who_is_no_longer_a_technician_is_given_nothing(db: PgPool) {
    let app = TestApp::new(db).await;
    let (sophie, karim) = (app.sophie().await, app.karim().await);
    let campaign = app.campaign().run_by(&sophie).create().await;
    let mail: String = sqlx::query_scalar("select email from users where id = $1")
        .bind(karim.id())
        .fetch_one(&app.app.db)
        .await
        .unwrap();
    let file = format!("Matricule;Nom;Technicien\nA1;MARTIN;{mail}\n");
    let at = check(&app, &sophie, &campaign, &file).await;
    sqlx::query("update users set active = false where id = $1")
        .bind(karim.id())
        .execute(&app.app.db)
        .await
        .unwrap();
    sophie.post(&format!("{at}/apercu")).await.redirects_to(&at);
    app.drain().await;
    assert_eq!(app.count("select count(*) from operations where assignee_id is null").await, 1);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_218_1_the_undo_gives_back_the_initial_date(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = app.campaign().run_by(&sophie).create().await;
    import(&app, &sophie, &campaign, "Matricule;Nom\nA1;MARTIN\n").await;
    let dated = "Matricule;Nom;Date prévue\nA1;MARTIN;12/03/2027\n";
    let at = import(&app, &sophie, &campaign, dated).await;
    let initial = "select count(*) from operations where initial_planned_at is not null";
    assert_eq!(app.count(initial).await, 1);
    undo(&sophie, &at).await;
    app.drain().await;
    assert_eq!(app.count(initial).await, 0);
    undo(&sophie, &at).await;
    app.drain().await;
    assert_eq!(app.count(initial).await, 1);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn the_undo_never_takes_the_label_or_identifier_away(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = app.campaign().run_by(&sophie).create().await;
    let at = import(&app, &sophie, &campaign, FILE).await;
    // A field that the import made becomes the label.
    let made: i32 =
        sqlx::query_scalar("select max(number) from campaign_fields where deleted_at is null")
            .fetch_one(&app.app.db)
            .await
            .unwrap();
    assert!(made > 4, "the file brings a field");
    sqlx::query("update campaign_fields set usages = case number when 2 then '{}'::text[] else '{label}' end where number in (2, $1)")
        .bind(made)
        .execute(&app.app.db)
        .await
        .unwrap();
    undo(&sophie, &at).await;
    app.drain().await;
    let label =
        "select count(*) from campaign_fields where 'label' = any (usages) and deleted_at is null";
    assert_eq!(app.count(label).await, 1);
}
