// SPDX-License-Identifier: EUPL-1.2
//! Groups give rights to their members, and take them back (US-110, US-808).
use crate::{
    accounts::Role,
    testing::{Person, TestApp, TestCampaign},
};
use sqlx::PgPool;

const LIST: &str = "/administration/groupes";

/// The address of a new group « Direction ».
async fn direction(admin: &Person) -> String {
    let reply = admin.submit(LIST, &[("nom", " Direction ")]).await;
    reply.is(303);
    reply.location.unwrap()
}

async fn give(sophie: &Person, campaign: &TestCampaign, who: &str, right: &str) {
    let page = campaign.path("parametres/habilitations");
    sophie.submit(&page, &[("personne", who), ("droit", right)]).await.redirects_to(&page);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_110_1_create_rename_add_and_remove(db: PgPool) {
    let app = TestApp::new(db).await;
    let (admin, reader) = (app.admin().await, app.reader().await);
    admin.get(LIST).await.shows("Aucun groupe.");
    let group = direction(&admin).await;
    admin.submit(LIST, &[("nom", "direction")]).await.is(422).shows("Un groupe porte déjà ce nom");
    admin.submit(LIST, &[("nom", " ")]).await.is(422).shows("Ce champ est obligatoire");
    let page = admin.get(&group).await;
    page.shows("Aucun membre.");
    assert!(page.body.contains("helene.garnier@ops.test"), "proposed");
    let members = format!("{group}/membres");
    admin
        .submit(&members, &[("personne", "Personne Inconnue")])
        .await
        .is(422)
        .shows("Aucun compte actif");
    admin.submit(&members, &[("personne", "GARNIER Hélène")]).await.redirects_to(&group);
    admin
        .submit(&members, &[("personne", "helene.garnier@ops.test")])
        .await
        .is(422)
        .shows("Hélène GARNIER est déjà membre de ce groupe");
    admin.get(LIST).await.shows("Direction 1 0");
    admin.submit(&group, &[("nom", "Direction générale")]).await.redirects_to(&group);
    admin.post(&format!("{members}/{}/retrait", reader.id())).await.redirects_to(&group);
    admin.post(&format!("{members}/{}/retrait", reader.id())).await.is(404);
    admin.get(LIST).await.shows("Direction générale 0 0");
    assert_eq!(
        app.audit().await,
        ["group.created", "group.member_added", "group.renamed", "group.member_removed"]
    );
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_808_1_a_group_is_offered_in_the_grants(db: PgPool) {
    let app = TestApp::new(db).await;
    let (admin, sophie, reader) = (app.admin().await, app.sophie().await, app.reader().await);
    let campaign = app.campaign().run_by(&sophie).create().await;
    let group = direction(&admin).await;
    let members = format!("{group}/membres");
    admin.submit(&members, &[("personne", "helene.garnier@ops.test")]).await.redirects_to(&group);
    let page = campaign.path("parametres/habilitations");
    let reply = sophie.get(&page).await;
    assert!(reply.body.contains("Direction (groupe)"), "proposed");
    give(&sophie, &campaign, "Direction (groupe)", "exporter").await;
    sophie
        .get(&page)
        .await
        .shows("Direction Groupe")
        .shows("Hélène GARNIER Voir, Exporter via groupe Direction");
    sophie
        .submit(&page, &[("personne", "direction"), ("droit", "voir")])
        .await
        .is(422)
        .shows("Direction figure déjà dans la liste");
    admin.get(&group).await.shows("Migration Voir, Exporter");
    reader.get(&campaign.path("tableau-de-bord")).await.is(200);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_110_2_rights_end_with_the_membership_and_live_screens_close(db: PgPool) {
    let app = TestApp::new(db).await;
    let (admin, sophie, reader) = (app.admin().await, app.sophie().await, app.reader().await);
    let campaign = app.campaign().run_by(&sophie).create().await;
    let group = direction(&admin).await;
    let members = format!("{group}/membres");
    give(&sophie, &campaign, "Direction (groupe)", "voir").await;
    reader.get(&campaign.path("tableau-de-bord")).await.is(404);
    admin.submit(&members, &[("personne", "helene.garnier@ops.test")]).await.redirects_to(&group);
    reader.get(&campaign.path("tableau-de-bord")).await.is(200);
    let flux = format!("/flux?sujet=campagne-{}", campaign.id);
    let stream = {
        let (reader, flux) = (reader.clone(), flux.clone());
        tokio::spawn(async move { reader.get(&flux).await.body })
    };
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    admin.post(&format!("{members}/{}/retrait", reader.id())).await.redirects_to(&group);
    reader.get(&campaign.path("tableau-de-bord")).await.is(404);
    let said = tokio::time::timeout(std::time::Duration::from_secs(5), stream)
        .await
        .expect("the stream ends at once")
        .unwrap();
    assert!(said.contains("event: hello") && !said.contains("changed"), "{said}");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_110_2_deletion_says_how_many_campaigns_use_the_group(db: PgPool) {
    let app = TestApp::new(db).await;
    let (admin, sophie, reader) = (app.admin().await, app.sophie().await, app.reader().await);
    let group = direction(&admin).await;
    admin
        .submit(&format!("{group}/membres"), &[("personne", "helene.garnier@ops.test")])
        .await
        .redirects_to(&group);
    let delete = format!("{group}/suppression");
    admin.get(&delete).await.shows("Aucune campagne ne l’utilise.");
    let mut campaigns = Vec::new();
    for name in ["Migration", "Réseau"] {
        let campaign = app.campaign().named(name).run_by(&sophie).create().await;
        give(&sophie, &campaign, "Direction (groupe)", "voir").await;
        campaigns.push(campaign);
    }
    admin.get(&delete).await.shows("utilisé par 2 campagnes").shows("Réseau : Voir");
    sqlx::query("update campaigns set deleted_at = now() where name = 'Réseau'")
        .execute(&app.app.db)
        .await
        .unwrap();
    let page = admin.get(&delete).await;
    page.shows("utilisé par 2 campagnes, dont 1 dans la corbeille").hides("Réseau : Voir");
    admin.post(&delete).await.redirects_to(LIST);
    reader.get(&campaigns[0].path("tableau-de-bord")).await.is(404);
    admin.get(&group).await.is(404);
    assert_eq!(app.count("select count(*) from grants").await, 0);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_116_groups_are_for_administrators(db: PgPool) {
    let app = TestApp::new(db).await;
    let (admin, sophie) = (app.admin().await, app.sophie().await);
    let group = direction(&admin).await;
    for path in [LIST, &group, &format!("{group}/suppression")] {
        sophie.get(path).await.is(403);
        sophie.post(path).await.is(403);
    }
    let both = app.person("Paul", "Moreau", &[Role::Coordinator]).await;
    both.submit(&format!("{group}/membres"), &[("personne", "paul.moreau@ops.test")]).await.is(403);
}
