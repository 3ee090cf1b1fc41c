// SPDX-License-Identifier: EUPL-1.2
//! Stories of the configuration archive (US-806, RG-100 to 102).
use super::{Administer, content::Content, hostile_tests::Envelope};
use crate::{
    testing::{Person, Reply, TestApp},
    workflows::{Definition, Workflow, create_workflow, publish_definition},
};
use sqlx::PgPool;
use uuid::Uuid;

const HOME: &str = "/administration/configuration";
const BOOKED_V1: &str = "0198a000-0000-7000-8000-000000000012";
/// The type that the archive of [`world`] brings in conflict once it is changed.
const MAINTENANCE: &str = "Maintenance préventive";

/// A workflow with many exits, and a type with every kind of field that names it.
async fn world(db: PgPool) -> (TestApp, Person) {
    let app = TestApp::new(db).await;
    let admin = app.admin().await;
    let mut tx = app.tx().await;
    let booked = Workflow::load(tx.conn(), BOOKED_V1.parse().unwrap()).await.unwrap();
    let definition = Definition::of(&booked);
    let may = Administer(());
    let flow = create_workflow(&mut tx, &may, "=Deux passages", "Ligne 1\nLigne 2", &definition);
    let flow = flow.await.unwrap().unwrap();
    publish_definition(&mut tx, &may, flow, &definition).await.unwrap();
    tx.commit().await.unwrap();
    let kind = [
        ("nom", "Baie; \"neuve\""),
        ("description", "-1 baie"),
        ("icone", "server"),
        ("couleur", "danger"),
        ("duree", "90"),
        ("workflow", &flow.to_string()),
    ];
    let path = admin.submit("/administration/types", &kind).await.location.unwrap();
    let field = [
        ("libelle", "Étage"),
        ("nature", "choice"),
        ("choix", "+1\nRez; de chaussée"),
        ("aide", "=aide"),
        ("liste", "oui"),
    ];
    admin.submit(&format!("{path}/champs/nouveau"), &field).await.is(303);
    sqlx::query("update operation_types set active = false where name = 'Installation logiciel'")
        .execute(&app.app.db)
        .await
        .unwrap();
    (app, admin)
}

async fn current(app: &TestApp) -> Content {
    Content::current(&mut app.app.db.acquire().await.unwrap()).await.unwrap()
}

pub async fn export(admin: &Person) -> Vec<u8> {
    let reply = admin.post(&format!("{HOME}/export")).await;
    reply.is(200);
    assert_eq!(reply.headers["content-type"], "application/zip");
    reply.bytes.to_vec()
}

/// Sends an archive, and gives its preview's address.
async fn send(admin: &Person, bytes: &[u8]) -> String {
    let reply = admin.upload(&format!("{HOME}/imports"), "config.zip", bytes).await;
    assert_eq!(reply.status, 303, "{}", reply.text());
    reply.location.unwrap()
}

fn shown(preview: &Reply) -> String {
    let (_, rest) = preview.body.split_once("name=\"vu\" value=\"").unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

async fn confirm(admin: &Person, path: &str, choices: &[(&str, &str)]) -> Reply {
    let seen = shown(admin.get(path).await.is(200));
    let mut form = vec![("vu", seen.as_str())];
    form.extend_from_slice(choices);
    admin.submit(path, &form).await
}

async fn forget_everything(app: &TestApp, admin: &Person) {
    sqlx::query("delete from operation_types").execute(&app.app.db).await.unwrap();
    let flows: Vec<Uuid> = sqlx::query_scalar("select id from workflows where not built_in")
        .fetch_all(&app.app.db)
        .await
        .unwrap();
    for flow in flows {
        admin.post(&format!("/administration/workflows/{flow}/suppression")).await.is(303);
    }
    assert_eq!(current(app).await, Content::default());
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_806_an_archive_gives_an_empty_instance_the_same_configuration(db: PgPool) {
    let (app, admin) = world(db).await;
    let before = current(&app).await;
    assert_eq!((before.types.len(), before.workflows.len()), (4, 1));
    let archive = export(&admin).await;
    forget_everything(&app, &admin).await;
    let preview = send(&admin, &archive).await;
    admin.get(&preview).await.is(200).shows("4 types, 1 workflow, 0 conflit").shows("Nouveau");
    assert_eq!(current(&app).await, Content::default(), "nothing before the confirmation");
    let done = confirm(&admin, &preview, &[]).await;
    done.redirects_to(HOME);
    assert!(done.flash().unwrap().contains("5 éléments créés, 0 remplacé, 0 laissé tel quel"));
    assert_eq!(current(&app).await, before);
    let again = export(&admin).await;
    let entries = |bytes| {
        let mut entries = Envelope::read(bytes).entries;
        entries.retain(|(name, _)| name != super::archive::METADATA);
        entries
    };
    assert_eq!(entries(&again), entries(&archive));
    let traces = app.audit().await;
    assert!(traces.contains(&"configuration.exported".into()));
    assert!(traces.contains(&"configuration.imported".into()));
    assert_eq!(app.count("select count(*) from configuration_imports").await, 0);
    admin.get(&preview).await.is(404);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_806_each_conflict_is_replaced_ignored_or_left(db: PgPool) {
    let (app, admin) = world(db).await;
    let archive = export(&admin).await;
    let change = "update operation_types set minutes = 7, name = upper(name) where name_norm = 'maintenance preventive'";
    let minutes =
        "select minutes::bigint from operation_types where name_norm = 'maintenance preventive'";
    for (choices, expected) in [
        (&[("choix", "nouveaux"), ("conflit-t-2", "remplacer")][..], 7),
        (&[("choix", "ignorer")], 7),
        (&[("choix", "ignorer"), ("conflit-t-2", "remplacer")], 45),
        (&[("choix", "remplacer"), ("conflit-t-2", "ignorer")], 7),
        (&[("choix", "remplacer")], 45),
    ] {
        sqlx::query(change).execute(&app.app.db).await.unwrap();
        let preview = send(&admin, &archive).await;
        admin
            .get(&preview)
            .await
            .shows(&format!("4 types, 1 workflow, 1 conflit (« {MAINTENANCE} » existe déjà)"));
        confirm(&admin, &preview, &[]).await.is(422).shows("Choisissez que faire");
        confirm(&admin, &preview, choices).await.redirects_to(HOME);
        assert_eq!(app.count(minutes).await, expected, "{choices:?}");
    }
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_806_a_conflict_that_was_not_shown_comes_back_to_the_preview(db: PgPool) {
    let (app, admin) = world(db).await;
    let archive = export(&admin).await;
    let preview = send(&admin, &archive).await;
    admin.get(&preview).await.shows("il n'y a rien à importer");
    sqlx::query("update operation_types set minutes = 7").execute(&app.app.db).await.unwrap();
    let form = [("vu", ""), ("choix", "remplacer")];
    let again = admin.submit(&preview, &form).await;
    again.is(422).shows("La configuration a changé depuis cet aperçu").shows("4 conflits");
    assert_eq!(app.count("select count(*) from operation_types where minutes = 7").await, 4);
    confirm(&admin, &preview, &[("choix", "remplacer")]).await.redirects_to(HOME);
    assert_eq!(app.count("select count(*) from operation_types where minutes = 7").await, 0);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_806_a_workflow_in_use_gets_a_version_and_its_campaigns_keep_theirs(db: PgPool) {
    let (app, admin) = world(db).await;
    let (before, archive) = (current(&app).await, export(&admin).await);
    let flow: Uuid = sqlx::query_scalar("select id from workflows where not built_in")
        .fetch_one(&app.app.db)
        .await
        .unwrap();
    let mut tx = app.tx().await;
    publish_definition(&mut tx, &Administer(()), flow, &Definition::starting()).await.unwrap();
    tx.commit().await.unwrap();
    let sophie = app.sophie().await;
    app.campaign().run_by(&sophie).create().await;
    let on_it = "update campaigns set workflow_version_id = (select id from workflow_versions where workflow_id = $1 and number = 2)";
    sqlx::query(on_it).bind(flow).execute(&app.app.db).await.unwrap();
    let preview = send(&admin, &archive).await;
    admin.get(&preview).await.shows("Remplacer publie la version 3 ; 1 campagne garde la sienne");
    confirm(&admin, &preview, &[("choix", "remplacer")]).await.redirects_to(HOME);
    assert_eq!(current(&app).await, before);
    let kept = "select v.number::bigint from campaigns c join workflow_versions v on v.id = c.workflow_version_id";
    assert_eq!(app.count(kept).await, 2);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_806_a_built_in_workflow_is_never_replaced(db: PgPool) {
    let (app, admin) = world(db).await;
    let mut archive = Envelope::read(&export(&admin).await);
    archive.edit("workflows.csv", |text| text.replace("'=Deux passages", "Standard"));
    archive.edit("types_operations.csv", |text| text.replace("'=Deux passages", "Standard"));
    let preview = send(&admin, &archive.pack()).await;
    admin.get(&preview).await.shows("Fourni, gardé tel quel");
    confirm(&admin, &preview, &[("choix", "remplacer")]).await.redirects_to(HOME);
    let versions = "select count(*) from workflow_versions v join workflows w on w.id = v.workflow_id where w.built_in";
    assert_eq!(app.count(versions).await, 2);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_102_an_archive_of_format_0_9_is_migrated_and_says_so(db: PgPool) {
    let (app, admin) = world(db).await;
    let before = current(&app).await;
    let mut archive = Envelope::read(&export(&admin).await);
    archive.edit("types_operations.csv", |text| text.replacen(";code;", ";ancien;", 1));
    archive.version("0.9");
    forget_everything(&app, &admin).await;
    let preview = send(&admin, &archive.pack()).await;
    admin.get(&preview).await.shows(
        "Configuration exportée depuis v0.9, version actuelle v1.0. Migration automatique appliquée.",
    );
    confirm(&admin, &preview, &[]).await.redirects_to(HOME);
    assert_eq!(current(&app).await, before);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_806_only_administrators_and_only_their_own_archive_for_a_day(db: PgPool) {
    let (app, admin) = world(db).await;
    let archive = export(&admin).await;
    let sophie = app.sophie().await;
    sophie.get(HOME).await.is(403);
    sophie.post(&format!("{HOME}/export")).await.is(403);
    sophie.upload(&format!("{HOME}/imports"), "config.zip", &archive).await.is(403);
    let preview = send(&admin, &archive).await;
    sophie.get(&preview).await.is(403);
    sophie.post(&preview).await.is(403);
    let other = app.person("Autre", "Admin", &[crate::accounts::Role::Admin]).await;
    other.get(&preview).await.is(404);
    other.post(&preview).await.is(404);
    admin.get(&preview).await.is(200);
    let now = app.now();
    super::forget_old_imports(&app.app, now + chrono::Duration::hours(23)).await.unwrap();
    assert_eq!(app.count("select count(*) from configuration_imports").await, 1);
    super::forget_old_imports(&app.app, now + chrono::Duration::hours(25)).await.unwrap();
    assert_eq!(app.count("select count(*) from configuration_imports").await, 0);
    let abandoned = send(&admin, &archive).await;
    admin.post(&format!("{abandoned}/abandon")).await.redirects_to(HOME);
    admin.get(&abandoned).await.is(404);
}
