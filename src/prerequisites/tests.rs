// SPDX-License-Identifier: EUPL-1.2
//! Stories of prerequisites (US-901 to US-904; RG-090, RG-091, RG-180).
use crate::testing::{Person, TestApp, TestCampaign};
use sqlx::PgPool;

async fn world(db: PgPool) -> (TestApp, Person, TestCampaign) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = app.campaign().run_by(&sophie).create().await;
    (app, sophie, campaign)
}

pub(super) async fn add(who: &Person, campaign: &TestCampaign, label: &str, more: &[(&str, &str)]) {
    let form = [&[("libelle", label)], more].concat();
    who.submit(&campaign.path("prerequis/nouveau"), &form)
        .await
        .redirects_to(&campaign.path("prerequis"));
}

pub(super) async fn path(app: &TestApp, campaign: &TestCampaign, label: &str) -> String {
    let id: uuid::Uuid = sqlx::query_scalar("select id from prerequisites where label = $1")
        .bind(label)
        .fetch_one(&app.app.db)
        .await
        .unwrap();
    campaign.path(&format!("prerequis/{id}"))
}

pub(super) async fn set(
    app: &TestApp,
    who: &Person,
    campaign: &TestCampaign,
    label: &str,
    to: &str,
) -> String {
    let path = path(app, campaign, label).await;
    let reply = who.submit(&format!("{path}/statut"), &[("statut", to)]).await;
    reply.redirects_to(&campaign.path("prerequis")).flash().unwrap()
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_901_1_the_table_the_summary_and_what_is_late(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    let list = campaign.path("prerequis");
    sophie.get(&list).await.is(200).shows("Aucun prérequis global.");
    let past = crate::web::format::short(crate::clock::day(app.now()) - chrono::Days::new(1));
    for n in 1..=5 {
        let more = [("responsable", "Tech. Infra"), ("echeance", past.as_str())];
        add(&sophie, &campaign, &format!("Prérequis {n}"), &more[..]).await;
    }
    let segment = campaign.segment("Bâtiment A").await.to_string();
    add(&sophie, &campaign, "Salle réservée", &[("segment", &segment)]).await;
    for label in ["Prérequis 1", "Prérequis 2"] {
        set(&app, &sophie, &campaign, label, "done").await;
    }
    let page = sophie.get(&list).await;
    page.shows("2/5 (40 %)").shows("0/1 (0 %)").shows("2/6 (33 %)").shows("Tech. Infra");
    assert_eq!(page.text().matches("En retard").count(), 3, "passed and not done");
    page.shows("Fait").shows("À faire");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_902_1_added_checked_edited_reordered_deleted_traced_and_live(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    let new = campaign.path("prerequis/nouveau");
    for (form, message) in [
        (vec![("libelle", "")], "Ce champ est obligatoire"),
        (vec![("libelle", "ab")], "de 3 à 255 caractères"),
        (vec![("libelle", "Câblage"), ("echeance", "31/02/2026")], "Date invalide « 31/02/2026 »"),
        (vec![("libelle", "Câblage"), ("responsable", &"x".repeat(101))], "100 caractères au plus"),
    ] {
        sophie.submit(&new, &form).await.is(422).shows(message);
    }
    add(&sophie, &campaign, "Câblage réseau vérifié", &[("demarrage", "oui")]).await;
    add(&sophie, &campaign, "Postes livrés", &[]).await;
    let (cabling, posts) = (
        path(&app, &campaign, "Câblage réseau vérifié").await,
        path(&app, &campaign, "Postes livrés").await,
    );
    sophie.get(&format!("{cabling}/statut")).await.is(200).shows("En cours").shows("Fait");
    assert_eq!(
        set(&app, &sophie, &campaign, "Postes livrés", "in_progress").await,
        "« Postes livrés » : En cours."
    );
    let stale = [("avant", "todo"), ("statut", "done")];
    sophie
        .submit(&format!("{posts}/statut"), &stale)
        .await
        .is(422)
        .shows("a changé entre-temps : il est « En cours »");
    sophie.submit(&format!("{posts}/statut"), &[("statut", "autre")]).await.is(422);
    let up = sophie.submit(&format!("{posts}/position"), &[("sens", "haut")]).await;
    assert_eq!(up.flash().unwrap(), "« Postes livrés » déplacé en position 1 sur 2.");
    sophie.submit(&format!("{posts}/position"), &[("sens", "haut")]).await.is(422);
    let text = sophie.get(&campaign.path("prerequis")).await.text();
    assert!(text.find("Postes livrés") < text.find("Câblage réseau vérifié"));
    sophie
        .get(&format!("{posts}/suppression"))
        .await
        .is(200)
        .shows("Supprimer « Postes livrés » ?");
    sophie.post(&format!("{posts}/suppression")).await.is(303);
    sophie.get(&posts).await.is(404);
    let edited = [
        ("avant-libelle", "Câblage réseau vérifié"),
        ("libelle", "Câblage vérifié"),
        ("avant-demarrage", "oui"),
        ("demarrage", "oui"),
    ];
    sophie.submit(&cabling, &edited).await.is(303);
    let same = [
        ("avant-libelle", "Câblage vérifié"),
        ("libelle", "Câblage vérifié"),
        ("avant-demarrage", "oui"),
        ("demarrage", "oui"),
    ];
    assert_eq!(sophie.submit(&cabling, &same).await.flash().unwrap(), "Aucune modification.");
    assert_eq!(
        app.audit().await,
        [
            "prerequisite.created",
            "prerequisite.created",
            "prerequisite.status_changed",
            "prerequisite.reordered",
            "prerequisite.deleted",
            "prerequisite.edited"
        ]
    );
    assert_eq!(
        app.count("select count(*) from live_events").await,
        6,
        "each is told to the screens"
    );
    sophie.get(&campaign.path("historique")).await.shows("a changé le statut d’un prérequis");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_180_two_people_edit_a_prerequisite(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    let admin = app.admin().await;
    add(&sophie, &campaign, "Câblage", &[]).await;
    let path = path(&app, &campaign, "Câblage").await;
    let with = |responsible: &'static str, note: &'static str| {
        [
            ("avant-libelle", "Câblage"),
            ("libelle", "Câblage"),
            ("avant-responsable", ""),
            ("responsable", responsible),
            ("avant-note", ""),
            ("note", note),
        ]
    };
    admin.submit(&path, &with("Infra", "")).await.is(303);
    sophie.submit(&path, &with("", "Étage 2")).await.is(303);
    assert_eq!(
        app.count(
            "select count(*) from prerequisites where responsible = 'Infra' and note = 'Étage 2'"
        )
        .await,
        1
    );
    sophie
        .submit(&path, &with("Réseau", "Étage 2"))
        .await
        .is(409)
        .shows("Garder la mienne")
        .shows("Sophie MARTIN a modifié ce prérequis le");
    assert_eq!(
        app.count("select count(*) from prerequisites where responsible = 'Infra'").await,
        1
    );
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_903_904_one_section_a_segment(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    let (a, b) = (
        campaign.segment("Bâtiment A").await.to_string(),
        campaign.segment("Bâtiment B").await.to_string(),
    );
    sophie.get(&campaign.path("prerequis")).await.shows("Ajouter un prérequis pour Bâtiment A");
    sophie
        .get(&campaign.path(&format!("prerequis/nouveau?segment={a}")))
        .await
        .shows("Nouveau prérequis pour Bâtiment A");
    for label in ["Un local", "Deux prises", "Trois postes"] {
        add(&sophie, &campaign, label, &[("segment", &a)]).await;
    }
    sophie
        .get(&campaign.path("prerequis"))
        .await
        .shows("3 prérequis non démarrés")
        .shows("0/3 (0 %)");
    set(&app, &sophie, &campaign, "Un local", "done").await;
    sophie.get(&campaign.path("prerequis")).await.hides("non démarrés").shows("1/3 (33 %)");
    sophie.get(&campaign.path(&format!("segments/{a}"))).await.shows("Deux prises");
    sophie.get(&campaign.path(&format!("segments/{b}"))).await.hides("Deux prises");
    let other = app.campaign().named("Autre").run_by(&sophie).create().await;
    sophie
        .submit(&other.path("prerequis/nouveau"), &[("libelle", "Ailleurs"), ("segment", &a)])
        .await
        .is(404);
    let place = path(&app, &other, "Un local").await;
    sophie.get(&place).await.is(404);
    // Deleting the segment says what goes with it.
    let delete = campaign.path(&format!("segments/{a}/suppression"));
    sophie.get(&delete).await.shows("3 prérequis, supprimés avec lui");
    sophie.post(&delete).await.is(303);
    assert_eq!(app.count("select count(*) from prerequisites").await, 0);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn the_base_keeps_prerequisites_in_their_campaign_and_refuses_the_archived_one(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    let other = app.campaign().named("Autre").run_by(&sophie).create().await;
    let elsewhere = other.segment("Ailleurs").await;
    let stranger = other.operation("B1", None, None, None).await;
    add(&sophie, &campaign, "Câblage", &[("demarrage", "oui")]).await;
    let code = async |sql: String| {
        let failed =
            sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&app.app.db).await.unwrap_err();
        failed.as_database_error().unwrap().code().unwrap().into_owned()
    };
    assert_eq!(code(format!("update prerequisites set segment_id = '{elsewhere}'")).await, "23503");
    assert_eq!(
        code(format!("update prerequisites set campaign_id = '{}'", other.id)).await,
        "OT004"
    );
    assert_eq!(
        code(format!("insert into gate_passes select '{stranger}', id, campaign_id, 'Un motif', now(), '{}' from prerequisites", sophie.id())).await,
        "OT004"
    );
    assert_eq!(
        code(format!("insert into gate_passes select '{stranger}', id, '{}', 'Un motif', now(), '{}' from prerequisites", other.id, sophie.id())).await,
        "23503"
    );
    assert_eq!(code("update prerequisites set status = 'ouvert'".into()).await, "23514");
    assert_eq!(
        code("update prerequisites set forced_at = now()".into()).await,
        "23514",
        "forced by somebody, for a reason"
    );
    assert_eq!(code("update segments set color = 'mauve'; select 1".into()).await, "23514");
    sqlx::query("update campaigns set archived_at = now(), status = 'archived'")
        .execute(&app.app.db)
        .await
        .unwrap();
    for sql in [
        "update prerequisites set note = 'x'",
        "delete from prerequisites",
        "insert into prerequisites (id, campaign_id, label, position, created_at, updated_at) select gen_random_uuid(), campaign_id, 'Deux', 2, now(), now() from prerequisites",
    ] {
        assert_eq!(code(sql.into()).await, "OT005", "{sql}");
    }
    sophie.get(&campaign.path("prerequis")).await.is(200).shows("lecture seule").hides("Ajouter");
}
