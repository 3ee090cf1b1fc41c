// SPDX-License-Identifier: EUPL-1.2
//! Stories of campaigns (01 §2): what people do, and what they see.
use crate::{
    accounts::Role,
    testing::{Person, TestApp},
};
use sqlx::PgPool;

const TYPE: &str = "0198a000-0000-7000-8000-000000000022";
const BOOKED: &str = "0198a000-0000-7000-8000-000000000012";

const STEP_1: [(&str, &str); 5] = [
    ("nom", "Migration Windows 11"),
    ("description", ""),
    ("type", TYPE),
    ("debut", "01/03/2026"),
    ("fin", "30/04/2026"),
];
const STEP_4: [(&str, &str); 4] =
    [("workflow", BOOKED), ("heure", "08:30"), ("niveau", "warn"), ("visibilite", "restreinte")];

fn with<'a>(pairs: &[(&'a str, &'a str)], name: &str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    pairs.iter().map(|(k, v)| (*k, if *k == name { value } else { *v })).collect()
}

/// Creates a campaign up to step 2; its address.
async fn begin(person: &Person) -> String {
    let reply = person.submit("/campagnes/nouvelle", &STEP_1).await;
    reply.is(303);
    reply.location.unwrap().trim_end_matches("/assistant/2").to_owned()
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_202_1_missing_fields_are_said_beside_them_and_in_the_summary(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let reply = sophie.submit("/campagnes/nouvelle", &[("description", "Poste par poste")]).await;
    reply
        .is(422)
        .shows("4 erreurs à corriger")
        .shows("Ce champ est obligatoire")
        .shows("Poste par poste");
    assert_eq!(reply.body.matches("class=\"field__error\"").count(), 4);
    assert_eq!(app.count("select count(*) from campaigns").await, 0);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_011_name_and_dates(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    app.campaign().named("Déploiement été").run_by(&sophie).create().await;
    let refused = |name, value| {
        let form = with(&STEP_1, name, value);
        let sophie = &sophie;
        async move { sophie.submit("/campagnes/nouvelle", &form).await }
    };
    refused("nom", "  DEPLOIEMENT   Ete ")
        .await
        .is(422)
        .shows("Une campagne porte déjà ce nom")
        .shows("Étape 1 sur 4");
    refused("nom", "ab").await.is(422).shows("Le nom doit compter de 3 à 255 caractères");
    refused("fin", "28/02/2026")
        .await
        .is(422)
        .shows("La date de fin doit être postérieure ou égale à la date de début");
    refused("debut", "31/02/2026")
        .await
        .is(422)
        .shows("Date invalide « 31/02/2026 » (attendu : jj/mm/aaaa)");
    assert_eq!(app.count("select count(*) from campaigns").await, 1);
    sophie.submit("/campagnes/nouvelle", &with(&STEP_1, "fin", "01/03/2026")).await.is(303);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_202_2_a_draft_of_its_creator_is_left_and_resumed(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let mut form = STEP_1.to_vec();
    form.push(("suite", "quitter"));
    sophie.submit("/campagnes/nouvelle", &form).await.redirects_to("/campagnes");
    let page = sophie.get("/campagnes").await;
    page.shows("Migration Windows 11")
        .shows("Préparation")
        .shows("Reprendre la création")
        .shows("Création commencée par Sophie MARTIN");
    let address = format!("/campagnes/{}", campaign_id(&app).await);
    assert!(page.body.contains(&format!("{address}/assistant/2")));
    sophie.get(&format!("{address}/assistant/1")).await.is(200).shows("Étape 1 sur 4");
    sophie
        .submit(&format!("{address}/assistant/1"), &with(&STEP_1, "nom", "Migration W11"))
        .await
        .redirects_to(&format!("{address}/assistant/2"));
    sophie.get("/campagnes").await.shows("Migration W11").hides("Migration Windows 11");
    assert_eq!(app.audit().await, ["campaign.created", "campaign.edited"]);
}

async fn campaign_id(app: &TestApp) -> String {
    sqlx::query_scalar("select id::text from campaigns").fetch_one(&app.app.db).await.unwrap()
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_060_the_fields_of_the_type_become_the_campaign_s(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let address = begin(&sophie).await;
    let fields: Vec<(i32, String, Vec<String>)> =
        sqlx::query_as("select number, label, usages from campaign_fields where deleted_at is null order by number").fetch_all(&app.app.db).await.unwrap();
    assert_eq!(fields.iter().map(|f| f.0).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert_eq!(fields[0].1, "Matricule");
    assert_eq!(fields[0].2, ["identifier", "agent_key"]);
    let other = with(&STEP_1, "type", "0198a000-0000-7000-8000-000000000021");
    sophie.submit(&format!("{address}/assistant/1"), &other).await.is(303);
    assert_eq!(
        app.count("select min(number)::bigint from campaign_fields where deleted_at is null").await,
        6
    );
    assert_eq!(app.count("select count(*) from campaigns c join workflow_versions v on v.id = c.workflow_version_id join workflows w on w.id = v.workflow_id where w.code = 'booked'").await, 1);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_203_3_by_hand_skips_the_file_and_its_columns(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let address = begin(&sophie).await;
    sophie
        .post(&format!("{address}/assistant/manuel"))
        .await
        .redirects_to(&format!("{address}/assistant/4"));
    assert!(sophie.get("/campagnes").await.body.contains(&format!("{address}/assistant/4")));
    sophie
        .get(&format!("{address}/assistant/4"))
        .await
        .is(200)
        .shows("étape 4 sur 4")
        .shows("Créer la campagne");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_205_1_creating_computes_the_status_and_keeps_the_settings(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let address = begin(&sophie).await;
    sophie
        .submit(&format!("{address}/assistant/4"), &STEP_4)
        .await
        .redirects_to(&format!("{address}/tableau-de-bord"));
    sophie
        .get("/campagnes")
        .await
        .shows("En cours")
        .hides("Préparation")
        .hides("Reprendre la création");
    assert_eq!(app.count("select count(*) from campaigns where activated_at is not null and status = 'running' and default_time = '08:30'").await, 1);
    assert_eq!(
        app.audit().await,
        [
            "campaign.created",
            "campaign.configured",
            "campaign.activated",
            "campaign.status_changed"
        ]
    );
    sophie
        .submit(&format!("{address}/assistant/4"), &STEP_4)
        .await
        .is(422)
        .shows("Cette campagne est déjà créée.");
    sophie.get(&format!("{address}/assistant/4")).await.redirects_to(&address);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_205_1_a_campaign_of_tomorrow_is_upcoming(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let form: Vec<_> = with(&with(&STEP_1, "debut", "01/03/2098"), "fin", "30/04/2098");
    let reply = sophie.submit("/campagnes/nouvelle", &form).await;
    let step_4 = reply.location.unwrap().replace("assistant/2", "assistant/4");
    sophie.submit(&step_4, &STEP_4).await.is(303);
    sophie.get("/campagnes").await.shows("À venir");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_205_1_imported_operations_follow_the_workflow_chosen_afterwards(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = app.campaign().run_by(&sophie).draft().create().await;
    campaign.operation("A1", None, None, None).await;
    sophie
        .submit(&campaign.path("assistant/4"), &STEP_4)
        .await
        .is(303)
        .flash()
        .filter(|f| f.contains("1 opération"))
        .unwrap();
    let same = "select count(*) from operations o join campaigns c on c.id = o.campaign_id join workflow_statuses w on w.id = o.status_id
                where w.version_id = c.workflow_version_id and w.is_initial and w.category = o.category";
    assert_eq!(app.count(same).await, 1);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_205_step_4_keeps_entries_after_an_error(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let address = begin(&sophie).await;
    let reply =
        sophie.submit(&format!("{address}/assistant/4"), &with(&STEP_4, "heure", "25h00")).await;
    reply.is(422).shows("Heure invalide « 25h00 » (attendu : hh:mm)");
    assert!(reply.body.contains("value=\"25h00\""));
    assert_eq!(app.count("select count(*) from campaigns where activated_at is not null").await, 0);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_201_1_three_figures_over_visible_campaigns_and_three_sections(db: PgPool) {
    let app = TestApp::new(db).await;
    let (sophie, karim) = (app.sophie().await, app.karim().await);
    let other = app.person("Paul", "Moreau", &[Role::CampaignManager]).await;
    let mine = app.campaign().named("Renouvellement").run_by(&sophie).create().await;
    for n in 0..4 {
        mine.operation(&format!("A{n}"), Some(&karim), None, None).await;
    }
    finish(&app, &["A0", "A1"]).await;
    app.campaign()
        .named("Cachée")
        .run_by(&other)
        .create()
        .await
        .operation("B1", None, None, None)
        .await;
    let page = sophie.get("/campagnes").await;
    page.shows("Actives (1)").shows("Terminées (0)").shows("Archivées (0)");
    page.shows("Opérations actives 2")
        .shows("Avancement global 50 %")
        .shows("2/4 — 50 %")
        .shows("1 technicien")
        .hides("Cachée");
}

/// Puts operations in the done status, as the engine leaves them.
async fn finish(app: &TestApp, identifiers: &[&str]) {
    sqlx::query(
        "update operations o set status_id = w.id, category = 'done', done_at = now() from campaigns c, workflow_statuses w
         where c.id = o.campaign_id and w.version_id = c.workflow_version_id and w.code = 'done' and o.identifier = any($1)",
    )
    .bind(identifiers)
    .execute(&app.app.db)
    .await
    .unwrap();
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_201_2_actions_follow_the_rights(db: PgPool) {
    let app = TestApp::new(db).await;
    let (sophie, reader) = (app.sophie().await, app.reader().await);
    app.campaign().run_by(&sophie).public().create().await;
    sophie.get("/campagnes").await.shows("Paramètres de Migration").shows("Nouvelle campagne");
    reader
        .get("/campagnes")
        .await
        .shows("Migration")
        .hides("Paramètres de")
        .hides("Nouvelle campagne")
        .hides("Archiver");
    reader.get("/campagnes/nouvelle").await.is(403);
    reader.submit("/campagnes/nouvelle", &STEP_1).await.is(403);
}

/// A finished campaign of one operation.
async fn finished(app: &TestApp, owner: &Person) -> crate::testing::TestCampaign {
    let campaign = app.campaign().run_by(owner).create().await;
    campaign.operation("A1", None, None, None).await;
    finish(app, &["A1"]).await;
    let mut tx = app.tx().await;
    crate::campaigns::status::refresh(&mut tx, campaign.id).await.unwrap();
    tx.commit().await.unwrap();
    campaign
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_207_archived_is_read_only_then_restored(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = finished(&app, &sophie).await;
    sophie
        .get("/campagnes")
        .await
        .shows("Terminées (1)")
        .shows("1/1 opération réalisée")
        .shows("close le");
    sophie
        .get(&campaign.path("archivage"))
        .await
        .is(200)
        .shows("Archiver « Migration » ?")
        .shows("Conserver");
    sophie.post(&campaign.path("archivage")).await.redirects_to("/campagnes");
    sophie
        .get("/campagnes")
        .await
        .shows("Archivées (1)")
        .shows("Restaurer Migration")
        .hides("Paramètres de");
    sophie
        .submit(&campaign.path("parametres/visibilite"), &[("visibilite", "publique")])
        .await
        .is(422)
        .shows("Campagne archivée : lecture seule.");
    sophie
        .post(&campaign.path("archivage"))
        .await
        .is(422)
        .shows("Campagne archivée : lecture seule.");
    sophie.post(&campaign.path("restauration")).await.redirects_to("/campagnes");
    sophie.get("/campagnes").await.shows("Terminées (1)").shows("Archivées (0)");
    assert_eq!(app.count("select count(*) from campaigns where finished_at is not null").await, 1);
    sophie
        .post(&campaign.path("restauration"))
        .await
        .is(422)
        .shows("Cette campagne n'est pas archivée.");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_010_only_a_finished_campaign_is_archived(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = app.campaign().run_by(&sophie).create().await;
    sophie
        .post(&campaign.path("archivage"))
        .await
        .is(422)
        .shows("Seule une campagne terminée peut être archivée.");
    sophie.get(&campaign.path("archivage")).await.is(422);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_016_the_base_refuses_a_write_that_forgot_to_ask(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = finished(&app, &sophie).await;
    sophie.post(&campaign.path("archivage")).await.is(303);
    let err =
        sqlx::query("update operations set label = 'x'").execute(&app.app.db).await.unwrap_err();
    assert!(
        matches!(crate::web::Error::from(err), crate::web::Error::Refused(text) if crate::testing::plain(&text) == "Campagne archivée : lecture seule.")
    );
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_211_a_restricted_campaign_does_not_exist_for_others(db: PgPool) {
    let app = TestApp::new(db).await;
    let (sophie, other) =
        (app.sophie().await, app.person("Paul", "Moreau", &[Role::CampaignManager]).await);
    let campaign = app.campaign().run_by(&sophie).create().await;
    other.get("/campagnes").await.hides("Migration").shows("Aucune campagne visible.");
    other.get(&campaign.path("parametres/visibilite")).await.is(404);
    sophie
        .submit(&campaign.path("parametres/visibilite"), &[("visibilite", "publique")])
        .await
        .redirects_to(&campaign.path("parametres/visibilite"));
    other.get("/campagnes").await.shows("Migration");
    other.get(&campaign.path("parametres/visibilite")).await.is(403);
}

/// The form of « Général » as it opens for a fresh test campaign, with these (name, before, mine).
pub fn general<'a>(
    name: &'a str,
    changed: &[(&'a str, &'a str, &'a str)],
) -> Vec<(&'static str, &'a str)> {
    const FORM: [(&str, &str, &str); 11] = [
        ("nom", "avant-nom", ""),
        ("description", "avant-description", ""),
        ("debut", "avant-debut", "01/03/2026"),
        ("fin", "avant-fin", "30/04/2026"),
        ("heure", "avant-heure", "09:00"),
        ("niveau", "avant-niveau", "warn"),
        ("temps", "avant-temps", ""),
        ("verrou", "avant-verrou", "2"),
        ("rappel", "avant-rappel", "2"),
        ("contact", "avant-contact", ""),
        ("texte", "avant-texte", ""),
    ];
    FORM.iter()
        .flat_map(|(field, former, value)| {
            let value = if *field == "nom" { name } else { value };
            let (before, mine) =
                changed.iter().find(|c| c.0 == *field).map_or((value, value), |c| (c.1, c.2));
            [(*former, before), (*field, mine)]
        })
        .collect()
}
