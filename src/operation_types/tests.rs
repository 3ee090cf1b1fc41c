// SPDX-License-Identifier: EUPL-1.2
//! Stories of operation types (US-801, 802, 805; RG-060, 061, 162).
use crate::testing::{Person, TestApp};
use sqlx::PgPool;

const TYPE: &str = "0198a000-0000-7000-8000-000000000021";
/// The type of the campaigns that tests make.
const USED: &str = "0198a000-0000-7000-8000-000000000022";
const STANDARD: &str = "0198a000-0000-7000-8000-000000000001";

fn information(name: &str) -> Vec<(&str, &str)> {
    vec![
        ("nom", name),
        ("description", "Remplacer une baie"),
        ("icone", "server"),
        ("couleur", "warning"),
        ("duree", "90"),
        ("workflow", STANDARD),
    ]
}

async fn world(db: PgPool) -> (TestApp, Person) {
    let app = TestApp::new(db).await;
    let admin = app.admin().await;
    (app, admin)
}

async fn field(app: &TestApp, path: &str, label: &str) -> String {
    let kind: uuid::Uuid = path.rsplit('/').next().unwrap().parse().unwrap();
    let id: uuid::Uuid =
        sqlx::query_scalar("select id from type_fields where type_id = $1 and label = $2")
            .bind(kind)
            .bind(label)
            .fetch_one(&app.app.db)
            .await
            .unwrap();
    format!("{path}/champs/{id}")
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_801_1_a_new_type_has_five_fields_and_is_in_the_wizard_at_once(db: PgPool) {
    let (app, admin) = world(db).await;
    let created = admin.submit("/administration/types", &information("Baie de stockage")).await;
    created.is(303);
    let path = created.location.unwrap();
    admin
        .get(&path)
        .await
        .is(200)
        .shows("Baie de stockage")
        .shows("Matricule")
        .shows("Nom utilisateur")
        .shows("Équipement")
        .shows("Localisation")
        .shows("Contact");
    app.sophie().await.get("/campagnes/nouvelle").await.shows("Baie de stockage");
    admin
        .submit("/administration/types", &information("BAIE  de Stockage"))
        .await
        .is(422)
        .shows("Un type porte déjà ce nom")
        .shows("Remplacer une baie");
    let mut wrong = information("");
    wrong[4] = ("duree", "1500");
    wrong[2] = ("icone", "chat");
    admin
        .submit("/administration/types", &wrong)
        .await
        .is(422)
        .shows("Ce champ est obligatoire")
        .shows("Saisissez une durée entre 1 et 1 440 minutes")
        .shows("Choisissez une icône");
    assert_eq!(app.audit().await, ["type.created"]);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_801_2_a_used_type_is_only_retired(db: PgPool) {
    let (app, admin) = world(db).await;
    let sophie = app.sophie().await;
    let path = format!("/administration/types/{USED}");
    app.campaign().run_by(&sophie).create().await;
    admin
        .get(&format!("{path}/suppression"))
        .await
        .shows("Ce type est utilisé par 1 campagne : désactivez-le.");
    admin
        .post(&format!("{path}/suppression"))
        .await
        .is(422)
        .shows("Ce type est utilisé par 1 campagne : désactivez-le.");
    assert_eq!(
        app.count("select count(*) from operation_types where active").await,
        3,
        "nothing was done"
    );
    admin.post(&format!("{path}/activation")).await.redirects_to(&path);
    sophie.get("/campagnes/nouvelle").await.hides("Installation logiciel");
    for other in ["21", "23"] {
        let path = format!("/administration/types/0198a000-0000-7000-8000-0000000000{other}");
        let reply = admin.post(&format!("{path}/suppression")).await;
        if other == "21" {
            reply.redirects_to("/administration/types");
        } else {
            reply.is(422).shows("C’est le dernier type actif");
        }
    }
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_801_3_campaigns_keep_the_fields_they_copied(db: PgPool) {
    let (app, admin) = world(db).await;
    let sophie = app.sophie().await;
    sophie
        .submit(
            "/campagnes/nouvelle",
            &[("nom", "Migration"), ("type", TYPE), ("debut", "01/02/2027"), ("fin", "28/02/2027")],
        )
        .await
        .is(303);
    let campaign: uuid::Uuid =
        sqlx::query_scalar("select id from campaigns").fetch_one(&app.app.db).await.unwrap();
    let path = format!("/administration/types/{TYPE}");
    let contact = field(&app, &path, "Contact").await;
    admin
        .submit(
            &contact,
            &[
                ("libelle", "Ligne directe"),
                ("avant-libelle", "Contact"),
                ("nature", "phone"),
                ("avant-nature", "phone"),
                ("usage-contact", "oui"),
                ("avant-usages", "contact"),
            ],
        )
        .await
        .redirects_to(&path);
    let equipment = field(&app, &path, "Équipement").await;
    admin.post(&format!("{equipment}/suppression")).await.redirects_to(&path);
    sophie
        .get(&format!("/campagnes/{campaign}/parametres/champs"))
        .await
        .shows("Contact")
        .shows("Équipement")
        .hides("Ligne directe");
    assert_eq!(app.audit().await[1..], ["type.field_edited", "type.field_deleted"]);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_802_1_fields_are_added_ordered_and_given_a_usage(db: PgPool) {
    let (app, admin) = world(db).await;
    let path = format!("/administration/types/{TYPE}");
    let new = format!("{path}/champs/nouveau");
    admin
        .submit(&new, &[("libelle", "Modèle"), ("nature", "choice"), ("choix", " ")])
        .await
        .is(422)
        .shows("Indiquez au moins un choix");
    admin
        .submit(&new, &[("libelle", "Modèle"), ("nature", "choice"), ("choix", "T14\nX1\n t14")])
        .await
        .redirects_to(&path);
    admin
        .submit(&new, &[("libelle", "MODELE"), ("nature", "short_text")])
        .await
        .is(422)
        .shows("Un champ de ce type porte déjà ce nom");
    let order = async || -> String {
        sqlx::query_scalar("select string_agg(label, ',' order by position) from type_fields where type_id = $1::uuid")
            .bind(TYPE.parse::<uuid::Uuid>().unwrap())
            .fetch_one(&app.app.db)
            .await
            .unwrap()
    };
    let model = field(&app, &path, "Modèle").await;
    let moved = admin.submit(&format!("{model}/position"), &[("sens", "haut")]).await;
    assert!(
        moved.flash().unwrap().contains("« Modèle » est en position 5 sur 6."),
        "{:?}",
        moved.flash()
    );
    assert_eq!(order().await, "Matricule,Nom utilisateur,Équipement,Localisation,Modèle,Contact");
    admin.submit(&format!("{model}/position"), &[("rang", "0")]).await.redirects_to(&path);
    assert_eq!(order().await, "Modèle,Matricule,Nom utilisateur,Équipement,Localisation,Contact");
    // The usage of the identifier moves; it is never lost, and the field that takes it is a text, always asked.
    let matricule = field(&app, &path, "Matricule").await;
    let lost = [
        ("libelle", "Matricule"),
        ("avant-libelle", "Matricule"),
        ("nature", "short_text"),
        ("avant-nature", "short_text"),
        ("avant-usages", "identifier,agent_key"),
    ];
    admin
        .submit(&matricule, &lost)
        .await
        .is(422)
        .shows("Un type a toujours un champ « Identifiant »");
    admin
        .post(&format!("{matricule}/suppression"))
        .await
        .is(422)
        .shows("toujours un identifiant et un libellé");
    let equipment = field(&app, &path, "Équipement").await;
    let taken = [
        ("libelle", "Équipement"),
        ("avant-libelle", "Équipement"),
        ("nature", "short_text"),
        ("avant-nature", "short_text"),
        ("usage-identifier", "oui"),
        ("avant-usages", "equipment"),
    ];
    admin.submit(&equipment, &taken).await.redirects_to(&path);
    let usages = "select count(*) from type_fields where 'identifier' = any (usages) and required and label = 'Équipement'";
    assert_eq!(app.count(usages).await, 1);
    assert_eq!(app.count("select count(*) from type_fields where 'identifier' = any (usages) and type_id = '0198a000-0000-7000-8000-000000000021'").await, 1);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_802_3_a_health_word_is_warned_about(db: PgPool) {
    let (app, admin) = world(db).await;
    let path = format!("/administration/types/{TYPE}");
    let added = admin
        .submit(
            &format!("{path}/champs/nouveau"),
            &[("libelle", "Motif d’absence"), ("nature", "short_text")],
        )
        .await;
    added.redirects_to(&path);
    assert!(added.flash().unwrap().contains("aucune donnée de santé"), "{:?}", added.flash());
    admin.get(&path).await.shows("« Motif d’absence » : ne recueillez aucune donnée de santé");
    drop(app);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_805_a_copy_has_the_same_fields_and_another_name(db: PgPool) {
    let (app, admin) = world(db).await;
    let path = format!("/administration/types/{TYPE}");
    for name in ["Migration PC Windows 11 (copie)", "Migration PC Windows 11 (copie 2)"] {
        let copy = admin.post(&format!("{path}/copie")).await;
        admin.get(&copy.location.unwrap()).await.shows(name).shows("Matricule").shows("5 champs");
    }
    assert_eq!(app.audit().await, ["type.created", "type.created"]);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_180_two_administrators_edit_one_type(db: PgPool) {
    let (app, admin) = world(db).await;
    let other = app.person("Inès", "Faure", &[crate::accounts::Role::Admin]).await;
    let path = format!("/administration/types/{TYPE}");
    let form = |minutes: &'static str, name: &'static str| {
        [
            ("nom", name),
            ("avant-nom", "Migration PC Windows 11"),
            ("description", ""),
            ("avant-description", ""),
            ("icone", "monitor"),
            ("avant-icone", "monitor"),
            ("couleur", "primary"),
            ("avant-couleur", "primary"),
            ("duree", minutes),
            ("avant-duree", "60"),
            ("workflow", "0198a000-0000-7000-8000-000000000002"),
            ("avant-workflow", "0198a000-0000-7000-8000-000000000002"),
        ]
    };
    other.submit(&path, &form("45", "Migration PC Windows 11")).await.redirects_to(&path);
    admin.submit(&path, &form("60", "Migration")).await.redirects_to(&path);
    assert_eq!(
        app.count("select count(*) from operation_types where name = 'Migration' and minutes = 45")
            .await,
        1
    );
    admin
        .submit(&path, &form("30", "Migration PC Windows 11"))
        .await
        .is(409)
        .shows("Modifié entre-temps")
        .shows("45");
}
