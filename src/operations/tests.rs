// SPDX-License-Identifier: EUPL-1.2
//! Adding, showing, editing, noting and searching operations.
use crate::testing::{Person, TestApp, TestCampaign};
use sqlx::PgPool;

async fn setup(db: PgPool) -> (TestApp, Person, TestCampaign) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = app.campaign().run_by(&sophie).create().await;
    (app, sophie, campaign)
}

async fn field(
    app: &TestApp,
    campaign: &TestCampaign,
    number: i32,
    label: &str,
    kind: &str,
    required: bool,
) {
    sqlx::query(
        "insert into campaign_fields (id, campaign_id, number, label, label_norm, kind, required, searchable, in_list, choices, position)
         values ($1, $2, $3, $4, $5, $6::field_kind, $7, true, true, array['Écran', 'Latitude'], $3)",
    )
    .bind(uuid::Uuid::now_v7())
    .bind(campaign.id)
    .bind(number)
    .bind(label)
    .bind(crate::text::norm(label))
    .bind(kind)
    .bind(required)
    .execute(&app.app.db)
    .await
    .unwrap();
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_206_1_typed_form(db: PgPool) {
    let (app, sophie, campaign) = setup(db).await;
    let karim = app.karim().await;
    let segment = campaign.segment("Bâtiment A").await;
    field(&app, &campaign, 5, "Livré le", "date", true).await;
    field(&app, &campaign, 6, "Modèle", "choice", false).await;
    let path = campaign.path("operations/nouvelle");
    sophie
        .get(&path)
        .await
        .is(200)
        .shows("Matricule (obligatoire)")
        .shows("Livré le (obligatoire)")
        .shows("Bâtiment A")
        .shows("Karim BENALI");
    let (segment, karim) = (segment.to_string(), karim.id().to_string());
    let today = crate::web::format::short(crate::clock::day(app.now()));
    let typed = [
        ("champ-1", "A70142"),
        ("champ-2", "MOREAU Anne"),
        ("champ-5", "12/03/2026"),
        ("champ-6", "ecran"),
        ("segment", segment.as_str()),
        ("technicien", karim.as_str()),
        ("date", today.as_str()),
    ];
    sophie.submit(&path, &typed).await.redirects_to(&campaign.path("operations"));
    let list = sophie.get(&campaign.path("operations")).await;
    list.shows("A70142 MOREAU Anne")
        .shows("12/03/2026")
        .shows("Écran")
        .shows("À planifier")
        .shows("Karim BENALI")
        .shows("9 h 00");
    assert_eq!(app.audit().await, ["operation.created"]);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_206_2_faults_are_beside_their_field_and_values_kept(db: PgPool) {
    let (app, sophie, campaign) = setup(db).await;
    campaign.operation("A70142", None, None, None).await;
    field(&app, &campaign, 5, "Livré le", "date", true).await;
    let path = campaign.path("operations/nouvelle");
    let reply = sophie
        .submit(
            &path,
            &[("champ-2", "MOREAU Anne"), ("champ-5", "31/02/2026"), ("champ-3", "PC-9")],
        )
        .await;
    reply.is(422).shows("Valeur obligatoire manquante").shows("Date invalide « 31/02/2026 »");
    assert!(
        reply.body.contains(r#"value="PC-9""#) && reply.body.contains(r#"value="MOREAU Anne""#)
    );
    let reply = sophie
        .submit(&path, &[("champ-1", " a70142 "), ("champ-2", "X"), ("champ-5", "01/02/2026")])
        .await;
    reply.is(422).shows("Cet identifiant existe déjà dans la campagne");
    assert!(reply.body.contains(r#"id="e-champ-1""#));
    let karim = app.reader().await.id().to_string();
    sophie
        .submit(
            &path,
            &[
                ("champ-1", "B"),
                ("champ-2", "X"),
                ("champ-5", "01/02/2026"),
                ("technicien", &karim),
            ],
        )
        .await
        .is(422)
        .shows("Cette personne n'est pas technicien.");
    assert_eq!(app.count("select count(*) from operations").await, 1);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_311_1_everything_known_is_shown(db: PgPool) {
    let (app, sophie, campaign) = setup(db).await;
    let karim = app.karim().await;
    let id =
        campaign.operation("A1", Some(&karim), None, "2026-03-12T13:30:00Z".parse().ok()).await;
    let path = campaign.path(&format!("operations/{id}"));
    sophie.submit(&format!("{path}/statut"), &[("transition", "start")]).await;
    sophie
        .get(&path)
        .await
        .is(200)
        .shows("NOM A1")
        .shows("Matricule A1")
        .shows("Poste PC-1")
        .shows("jeudi 12 mars 2026 à 14 h 30")
        .shows("Terminer Reporter Signaler un problème")
        .shows("Statut : À planifier → En cours")
        .shows("Sophie MARTIN");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_311_2_different_fields_both_kept_same_field_asked(db: PgPool) {
    let (app, sophie, campaign) = setup(db).await;
    let marc = app.admin().await;
    let id = campaign.operation("A1", None, None, None).await;
    let path = campaign.path(&format!("operations/{id}"));
    let edit = format!("{path}/modifier");
    sophie.get(&edit).await.is(200).shows("Matricule (obligatoire)");
    let form = |poste: &'static str, lieu: &'static str| {
        [
            ("champ-1", "A1"),
            ("avant-champ-1", "A1"),
            ("champ-2", "NOM A1"),
            ("avant-champ-2", "NOM A1"),
            ("champ-3", poste),
            ("avant-champ-3", "PC-1"),
            ("champ-4", lieu),
            ("avant-champ-4", ""),
        ]
    };
    sophie.submit(&edit, &form("PC-2", "")).await.redirects_to(&path);
    marc.submit(&edit, &form("PC-1", "Bureau 4")).await.redirects_to(&path);
    sophie.get(&path).await.shows("Poste PC-2").shows("Lieu Bureau 4").shows("Poste : PC-1 → PC-2");
    let asked = marc.submit(&edit, &form("PC-3", "Bureau 4")).await;
    asked
        .is(409)
        .shows("Modifié entre-temps par")
        .shows("ancienne valeur : PC-1")
        .shows("PC-2")
        .shows("PC-3")
        .shows("Garder la mienne")
        .shows("Prendre la sienne");
    sophie.get(&path).await.shows("Poste PC-2");
    let mut again = form("PC-3", "Bureau 4").to_vec();
    again.extend([("conflit-champ-3", "PC-2"), ("choix-champ-3", "mienne")]);
    marc.submit(&edit, &again).await.redirects_to(&path);
    sophie.get(&path).await.shows("Poste PC-3").shows("Poste : PC-2 → PC-3");
    let (hers, his) = (form("PC-3", "Bureau 5"), form("PC-3", "Bureau 6"));
    let (a, b) = tokio::join!(sophie.submit(&edit, &hers), marc.submit(&edit, &his));
    assert_eq!(
        (a.status.as_u16(), b.status.as_u16()),
        (409, 409),
        "both started from an empty « Lieu »"
    );
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_180_two_editors_at_once_one_is_asked(db: PgPool) {
    let (app, sophie, campaign) = setup(db).await;
    let marc = app.admin().await;
    let id = campaign.operation("A1", None, None, None).await;
    let edit = campaign.path(&format!("operations/{id}/modifier"));
    let form = |lieu: &'static str| [("champ-4", lieu), ("avant-champ-4", "")];
    let (hers, his) = (form("Bureau 5"), form("Bureau 6"));
    let (a, b) = tokio::join!(sophie.submit(&edit, &hers), marc.submit(&edit, &his));
    let mut answers = [a.status.as_u16(), b.status.as_u16()];
    answers.sort_unstable();
    assert_eq!(answers, [303, 409]);
    assert_eq!(app.count("select count(*) from operation_events where kind = 'edited'").await, 1);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn editing_to_a_taken_identifier_is_refused_beside_it(db: PgPool) {
    let (app, sophie, campaign) = setup(db).await;
    let id = campaign.operation("A1", None, None, None).await;
    campaign.operation("B1", None, None, None).await;
    let edit = campaign.path(&format!("operations/{id}/modifier"));
    let reply = sophie
        .submit(
            &edit,
            &[
                ("champ-1", "b1"),
                ("avant-champ-1", "A1"),
                ("champ-2", ""),
                ("avant-champ-2", "NOM A1"),
            ],
        )
        .await;
    reply.is(422).shows("Valeur obligatoire manquante");
    let reply = sophie.submit(&edit, &[("champ-1", "b1"), ("avant-champ-1", "A1")]).await;
    reply.is(422).shows("Cet identifiant existe déjà dans la campagne");
    assert_eq!(
        app.count("select count(*) from operations where identifier = 'A1' and label = 'NOM A1'")
            .await,
        1
    );
    sophie
        .submit(&edit, &[("champ-1", "c1"), ("avant-champ-1", "A1")])
        .await
        .redirects_to(&campaign.path(&format!("operations/{id}")));
    sophie.get(&campaign.path("operations?q=c1")).await.shows("1 résultat");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_410_notes(db: PgPool) {
    let (app, sophie, campaign) = setup(db).await;
    let id = campaign.operation("A1", None, None, None).await;
    let path = campaign.path(&format!("operations/{id}"));
    sophie.get(&path).await.shows("Ne saisissez aucune donnée de santé ni motif d'absence.");
    sophie
        .submit(&format!("{path}/notes"), &[("note", "  Câble <b>manquant</b>\nporte 4 ")])
        .await
        .redirects_to(&path);
    let page = sophie.get(&path).await;
    page.shows("porte 4").shows("Sophie MARTIN").shows("Note ajoutée");
    assert!(page.body.contains("Câble &#60;b&#62;manquant") && !page.body.contains("<b>manquant"));
    let long = "x".repeat(2_001);
    sophie
        .submit(&format!("{path}/notes"), &[("note", &long)])
        .await
        .is(422)
        .shows("La note doit compter de 1 à 2 000 caractères.");
    sophie.submit(&format!("{path}/notes"), &[("note", "  ")]).await.is(422);
    assert_eq!(app.count("select count(*) from operation_notes").await, 1);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_308_search(db: PgPool) {
    let (app, sophie, campaign) = setup(db).await;
    let hidden = app.campaign().named("Cachée").run_by(&app.admin().await).create().await;
    let other = app.campaign().named("Autre").run_by(&sophie).create().await;
    campaign.operation("A1", None, None, None).await;
    other.operation("A1", None, None, None).await;
    hidden.operation("A1", None, None, None).await;
    let odd = campaign.operation("B2", None, None, None).await;
    sqlx::query("update operations set label = 'BAZIN Éloïse', search_text = 'b2 bazin eloise 50%_l''a pc-77', values = '{\"3\": \"PC-77\"}' where id = $1")
        .bind(odd)
        .execute(&app.app.db)
        .await
        .unwrap();
    let found = sophie.get("/recherche?q=nom+A1").await;
    found.is(200).shows("2 résultats").shows("Migration").shows("Autre").hides("Cachée");
    for q in ["%C3%89LO", "elo", "50%25_", "l'a", "l%E2%80%99a", "pc-77"] {
        sophie.get(&format!("/recherche?q={q}")).await.shows("1 résultat pour").shows("BAZIN");
    }
    assert!(sophie.get("/recherche?q=elo").await.body.contains("<mark>Élo</mark>ïse"));
    sophie.get("/recherche?q=pc-77").await.shows("Poste : PC-77");
    for q in ["%25%25", "__", "matricule", "zz"] {
        sophie.get(&format!("/recherche?q={q}")).await.shows("Aucun résultat pour");
    }
    sophie.get("/recherche?q=a").await.shows("Saisissez au moins 2 caractères.");
    sophie.get("/recherche").await.is(200);
    app.reader().await.get("/recherche?q=a1").await.shows("Aucun résultat pour");
    assert_eq!(app.stranger().get("/recherche?q=a1").await.status.as_u16(), 303);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_308_2_a_hundred_and_the_total(db: PgPool) {
    let (app, sophie, campaign) = setup(db).await;
    sqlx::query(
        "insert into operations (id, campaign_id, status_id, category, identifier, identifier_norm, label, label_norm, search_text, created_at, updated_at)
         select gen_random_uuid(), c.id, w.id, w.category, 'P' || n, 'p' || n, 'Commun ' || n, 'commun ' || n, 'p' || n || ' commun ' || n, now(), now()
         from campaigns c join workflow_statuses w on w.version_id = c.workflow_version_id and w.is_initial, generate_series(1, 1240) n",
    )
    .execute(&app.app.db)
    .await
    .unwrap();
    let page = sophie.get("/recherche?q=commun").await;
    page.shows("100 premiers résultats sur 1 240. Précisez votre recherche.");
    assert_eq!(page.body.matches("<th scope=\"row\">").count(), 100);
    sophie.get(&campaign.path("operations")).await.shows("1-50 sur 1 240");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_006_search_is_limited(db: PgPool) {
    let (_, sophie, _) = setup(db).await;
    for _ in 0..60 {
        sophie.get("/recherche?q=abc").await.is(200);
    }
    sophie.get("/recherche?q=abc").await.is(429);
}
