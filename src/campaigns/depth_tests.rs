// SPDX-License-Identifier: EUPL-1.2
//! Stories of a campaign's life around its operations: copied, pinned, deleted, forced (US-208, 213, 214, 216).
use crate::{
    accounts::Role,
    testing::{Person, TestApp, TestCampaign},
};
use sqlx::PgPool;

async fn world(db: PgPool) -> (TestApp, Person, TestCampaign) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = app.campaign().run_by(&sophie).create().await;
    (app, sophie, campaign)
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_208_a_copy_takes_what_was_decided_and_nothing_that_happened(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    let paul = app.person("Paul", "Moreau", &[Role::CampaignManager]).await;
    let segment = campaign.segment("Bâtiment A").await;
    campaign.operation("A1", None, Some(segment), None).await;
    campaign.grant(&paul, "view").await;
    let prerequisite = "insert into prerequisites (id, campaign_id, segment_id, label, status, gate_start, position, created_at, updated_at) values (gen_random_uuid(), $1, $2, 'Câblage', 'done', true, 1, now(), now())";
    sqlx::query(prerequisite).bind(campaign.id).bind(segment).execute(&app.app.db).await.unwrap();
    let at = campaign.path("copie");
    let page = paul.get(&at).await;
    page.is(200).hides("Reprendre les habilitations");
    assert!(page.body.contains("value=\"Migration (copie)\""), "a free name is proposed");
    app.karim().await.get(&at).await.is(404);
    sophie.get(&at).await.shows("Reprendre les habilitations");
    let form = [
        ("nom", "Migration"),
        ("debut", "01/02/2027"),
        ("fin", "28/02/2027"),
        ("habilitations", "oui"),
    ];
    sophie.submit(&at, &form).await.is(422).shows("Une campagne porte déjà ce nom");
    let mut form = form;
    form[0].1 = "Migration bis";
    let copied = sophie.submit(&at, &form).await;
    copied.is(303);
    let facts: String = sqlx::query_scalar(
        "select concat_ws('|', c.status, c.start_date, (select count(*) from operations o where o.campaign_id = c.id),
           (select string_agg(label || array_to_string(usages, ','), ';' order by position) from campaign_fields f where f.campaign_id = c.id),
           (select string_agg(name, ',') from segments s where s.campaign_id = c.id),
           (select p.label || p.status || (s.name) from prerequisites p join segments s on s.id = p.segment_id and s.campaign_id = c.id where p.campaign_id = c.id),
           (select count(*) from grants g where g.campaign_id = c.id), c.owner_id = $1)
         from campaigns c where c.name = 'Migration bis'",
    )
    .bind(sophie.id())
    .fetch_one(&app.app.db)
    .await
    .unwrap();
    assert_eq!(
        facts,
        "draft|2027-02-01|0|Matriculeidentifier;Nomlabel;Posteequipment;Lieulocation|Bâtiment A|CâblagetodoBâtiment A|1|t"
    );
    sophie.get(&copied.location.unwrap()).await.is(200).shows("Migration bis");
    paul.submit(
        &at,
        &[
            ("nom", "À moi"),
            ("debut", "01/02/2027"),
            ("fin", "28/02/2027"),
            ("habilitations", "oui"),
        ],
    )
    .await
    .is(303);
    assert_eq!(
        app.count("select count(*) from grants").await,
        2,
        "rights that Paul does not manage are not his to give"
    );
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_213_ten_favourites_at_most_and_only_what_is_visible(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    let at = campaign.path("favori");
    for _ in 0..2 {
        sophie.submit(&at, &[("epingler", "oui")]).await.redirects_to("/campagnes");
    }
    sophie.get("/tableau-de-bord").await.shows("Épinglés").shows("Migration");
    for n in 2..=10 {
        let other = app.campaign().named(&format!("Autre {n}")).run_by(&sophie).create().await;
        sophie.submit(&other.path("favori"), &[("epingler", "oui")]).await.is(303);
    }
    let eleventh = app.campaign().named("Onzième").run_by(&sophie).create().await;
    sophie
        .submit(&eleventh.path("favori"), &[("epingler", "oui")])
        .await
        .is(422)
        .shows("Maximum 10 favoris. Retirez-en un d’abord.");
    sophie.submit(&at, &[("epingler", "non")]).await.is(303);
    sophie.submit(&eleventh.path("favori"), &[("epingler", "oui")]).await.is(303);
    let paul = app.person("Paul", "Moreau", &[Role::CampaignManager]).await;
    campaign.grant(&paul, "view").await;
    paul.submit(&at, &[("epingler", "oui")]).await.is(303);
    paul.get("/campagnes").await.shows("Épinglés");
    sqlx::query("delete from grants").execute(&app.app.db).await.unwrap();
    paul.get("/campagnes").await.hides("Épinglés").hides("Migration");
    // What is no longer visible cannot be unpinned: it does not take a place for ever.
    for n in 1..=10 {
        let other = app.campaign().named(&format!("De Paul {n}")).run_by(&paul).create().await;
        paul.submit(&other.path("favori"), &[("epingler", "oui")]).await.is(303);
    }
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_214_the_bin_gives_the_campaign_back_as_it_was(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    let karim = app.karim().await;
    campaign.operation("A1", Some(&karim), None, None).await;
    let at = campaign.path("suppression");
    sophie.get(&at).await.is(200).shows("1 opération disparaît");
    sophie.submit(&at, &[("nom", "Autre")]).await.is(422).shows("Saisissez le nom exact");
    sophie.submit(&at, &[("nom", " migration ")]).await.redirects_to("/campagnes");
    sophie.get("/campagnes").await.hides("Paramètres de Migration");
    sophie.get(&campaign.path("operations")).await.is(404);
    sophie.get("/recherche?q=A1").await.hides("NOM A1");
    karim.get("/terrain").await.hides("NOM A1");
    assert!(
        sqlx::query("update operations set label = 'x'").execute(&app.app.db).await.is_err(),
        "the base refuses to write under a deleted campaign"
    );
    let restore = format!("/campagnes/corbeille/{}/retablissement", campaign.id);
    let paul = app.person("Paul", "Moreau", &[Role::CampaignManager]).await;
    paul.get("/campagnes/corbeille").await.is(200).shows("La corbeille est vide.");
    paul.post(&restore).await.is(404);
    app.campaign().named("Migration").run_by(&paul).create().await;
    sophie.get("/campagnes/corbeille").await.shows("Migration").shows("Sophie MARTIN");
    let back = sophie.post(&restore).await;
    assert!(
        back.redirects_to("/campagnes")
            .flash()
            .unwrap()
            .contains("« Migration (copie) » est de retour.")
    );
    karim.get("/terrain").await.shows("NOM A1");
    sophie.post(&restore).await.is(404);
    sophie.submit(&at, &[("nom", "Migration (copie)")]).await.is(303);
    sqlx::query(
        "update campaigns set deleted_at = now() - interval '31 days' where deleted_at is not null",
    )
    .execute(&app.app.db)
    .await
    .unwrap();
    sophie.post(&restore).await.is(404);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_216_a_forced_status_waits_for_a_person(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    let karim = app.karim().await;
    let operation = campaign.operation("A1", Some(&karim), None, None).await;
    let at = campaign.path("parametres/statut");
    sophie.submit(&at, &[("statut", "terminee")]).await.is(422).shows("Indiquez un motif.");
    sophie
        .submit(&at, &[("statut", "archivee"), ("motif", "Fin de marché")])
        .await
        .is(422)
        .shows("Choisissez un statut");
    sophie
        .submit(&at, &[("statut", "terminee"), ("motif", "Fin de marché")])
        .await
        .redirects_to(&at);
    sophie.get(&at).await.shows("forcé").shows("Fin de marché").shows("Sophie MARTIN");
    let status = async || -> String {
        sqlx::query_scalar("select status::text from campaigns")
            .fetch_one(&app.app.db)
            .await
            .unwrap()
    };
    assert_eq!(status().await, "finished");
    karim.submit(&format!("/terrain/{operation}/statut"), &[("transition", "start")]).await.is(303);
    assert_eq!(status().await, "finished", "no fact changes it");
    sophie.submit(&at, &[("automatique", "oui")]).await.redirects_to(&at);
    assert_eq!(status().await, "running");
    app.reader().await.get(&at).await.is(404);
}
