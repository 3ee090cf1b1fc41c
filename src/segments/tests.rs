// SPDX-License-Identifier: EUPL-1.2
//! Stories of segments (US-905, US-906; RG-093, RG-095, RG-180).
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

async fn names(app: &TestApp) -> Vec<String> {
    sqlx::query_scalar("select name from segments order by position, id")
        .fetch_all(&app.app.db)
        .await
        .unwrap()
}

async fn in_category(app: &TestApp, identifier: &str, category: &str) {
    sqlx::query(
        "update operations o set status_id = w.id, category = w.category,
                done_at = case when w.category = 'done' then now() end
         from campaigns c join workflow_statuses w on w.version_id = c.workflow_version_id
         where c.id = o.campaign_id and o.identifier = $1 and w.code = $2",
    )
    .bind(identifier)
    .bind(category)
    .execute(&app.app.db)
    .await
    .unwrap();
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_905_1_a_segment_is_created_under_a_unique_name_and_a_named_colour(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    let list = campaign.path("segments");
    sophie
        .get(&list)
        .await
        .is(200)
        .shows("Aucun segment : toutes les opérations sont dans « Sans segment ».");
    let new = campaign.path("segments/nouveau");
    sophie.get(&new).await.is(200).shows("Bleu vif").shows("Vert");
    let reply = sophie.submit(&new, &[("nom", " Bâtiment A "), ("couleur", "success")]).await;
    assert_eq!(reply.redirects_to(&list).flash().unwrap(), "Segment « Bâtiment A » créé.");
    for (name, color, message) in [
        ("batiment  a", "", "Un segment de cette campagne porte déjà ce nom"),
        ("sans segment", "", "« Sans segment » désigne déjà"),
        ("B", "", "doit compter de 2 à 100 caractères"),
        (&"x".repeat(101), "", "doit compter de 2 à 100 caractères"),
        ("", "", "Ce champ est obligatoire"),
        ("Bâtiment C", "mauve", "Choisissez une couleur de la liste"),
    ] {
        let reply = sophie.submit(&new, &[("nom", name), ("couleur", color)]).await;
        reply.is(422).shows(message);
        assert!(reply.body.contains(&format!("value=\"{name}\"")), "what was typed is kept");
    }
    let page = sophie.get(&list).await;
    assert!(page.body.contains("swatch done"), "its colour, beside its name");
    assert_eq!(names(&app).await, ["Bâtiment A"]);
    assert_eq!(app.audit().await, ["segment.created"]);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_905_2_renamed_and_recoloured_it_is_so_everywhere_and_live(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    let segment = campaign.segment("0").await;
    campaign.operation("A1", None, Some(segment), None).await;
    let edit = campaign.path(&format!("segments/{segment}/modifier"));
    let opened = [("avant-nom", "0"), ("avant-couleur", "")];
    let recolour = [opened.as_slice(), &[("nom", "0"), ("couleur", "danger")]].concat();
    sophie.submit(&edit, &recolour).await.is(303);
    let rename = [
        ("avant-nom", "0"),
        ("nom", "Site nord"),
        ("avant-couleur", "danger"),
        ("couleur", "danger"),
    ];
    sophie.submit(&edit, &rename).await.redirects_to(&campaign.path("segments"));
    for page in ["segments", "tableau-de-bord", "operations"] {
        let reply = sophie.get(&campaign.path(page)).await;
        reply.is(200).shows("Site nord");
        assert!(reply.body.contains("swatch blocked"), "{page}");
    }
    assert_eq!(
        app.count("select count(*) from live_events where campaign_id is not null").await,
        2
    );
    let same = [
        ("avant-nom", "Site nord"),
        ("nom", "Site nord"),
        ("avant-couleur", "danger"),
        ("couleur", "danger"),
    ];
    assert_eq!(sophie.submit(&edit, &same).await.flash().unwrap(), "Aucune modification.");
    assert_eq!(app.audit().await, ["segment.edited", "segment.edited"]);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_180_two_people_rename_a_segment(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    let admin = app.admin().await;
    let segment = campaign.segment("Nord").await;
    let edit = campaign.path(&format!("segments/{segment}/modifier"));
    let opened = [("avant-nom", "Nord"), ("avant-couleur", "")];
    let with = |name: &'static str| [opened.as_slice(), &[("nom", name), ("couleur", "")]].concat();
    admin.submit(&edit, &with("Site nord")).await.is(303);
    sophie
        .submit(&edit, &with("Aile nord"))
        .await
        .is(409)
        .shows("Marc LEFÈVRE a modifié ce segment le")
        .shows("Garder la mienne")
        .shows("Site nord");
    assert_eq!(names(&app).await, ["Site nord"]);
    let colour = [opened.as_slice(), &[("nom", "Nord"), ("couleur", "info")]].concat();
    sophie.submit(&edit, &colour).await.is(303);
    assert_eq!(names(&app).await, ["Site nord"], "another field: both are kept");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_905_the_order_is_that_of_every_list_and_said(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    let mut ids = Vec::new();
    for name in ["Ouest", "Est", "Nord"] {
        let segment = campaign.segment(name).await;
        for n in 0..30 {
            campaign.operation(&format!("{name}-{n:02}"), None, Some(segment), None).await;
        }
        ids.push(segment);
    }
    campaign.operation("ZZ", None, None, None).await;
    let position = |id| campaign.path(&format!("segments/{id}/position"));
    let reply = sophie.submit(&position(ids[2]), &[("sens", "haut")]).await;
    assert_eq!(
        reply.redirects_to(&campaign.path("segments")).flash().unwrap(),
        "« Nord » déplacé en position 2 sur 3."
    );
    sophie.submit(&position(ids[2]), &[("sens", "haut")]).await.is(303);
    sophie.submit(&position(ids[2]), &[("sens", "haut")]).await.is(422).shows("déjà à l’extrémité");
    assert_eq!(names(&app).await, ["Nord", "Ouest", "Est"]);
    let first = sophie.get(&campaign.path("operations")).await;
    first.shows("Nord-00").shows("Ouest-19").hides("Ouest-20").hides("Est-00").shows("1-50 sur 91");
    let next = crate::testing::plain(&first.body)
        .split("rel=\"next\"")
        .next()
        .unwrap()
        .rsplit("href=\"")
        .next()
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .replace("&#38;", "&")
        .replace("&amp;", "&");
    let second = sophie.get(&campaign.path(&next)).await;
    second
        .shows("Ouest-20")
        .shows("Est-29")
        .shows("Sans segment")
        .shows("51-91 sur 91")
        .hides("Nord-29");
    let previous = second
        .body
        .split("rel=\"prev\"")
        .next()
        .unwrap()
        .rsplit("href=\"")
        .next()
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .replace("&#38;", "&")
        .replace("&amp;", "&");
    sophie
        .get(&campaign.path(&previous))
        .await
        .shows("Nord-00")
        .shows("Ouest-19")
        .hides("Ouest-20");
    // Few rows among many are gathered: the same order.
    let found = sophie.get(&campaign.path("operations?q=-05")).await.text();
    let at = |name| found.find(name).unwrap();
    assert!(at("Nord-05") < at("Ouest-05") && at("Ouest-05") < at("Est-05"));
    let csv = sophie
        .submit(&campaign.path("operations/export"), &[("format", "csv")])
        .await
        .is(200)
        .body
        .clone();
    let at = |name| csv.find(name).unwrap();
    assert!(
        at("Nord-29") < at("Ouest-00") && at("Ouest-29") < at("Est-00") && at("Est-29") < at("ZZ"),
        "and in the export"
    );
    let late = campaign.segment("Sud").await;
    assert_eq!(names(&app).await, ["Nord", "Ouest", "Est", "Sud"], "a new one comes last");
    sophie.submit(&position(late), &[("sens", "bas")]).await.is(422);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_905_2_deleting_asks_a_destination_and_moves_every_operation(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    let karim = app.karim().await;
    let (from, to) = (campaign.segment("Nord").await, campaign.segment("Sud").await);
    for n in 0..3 {
        campaign.operation(&format!("A{n}"), Some(&karim), Some(from), None).await;
    }
    let path = campaign.path(&format!("segments/{from}/suppression"));
    sophie.get(&path).await.is(200).shows("3 opérations").shows("Sans segment").shows("Sud");
    sophie.post(&path).await.is(422).shows("Choisissez où déplacer les opérations");
    let itself = [("destination", from.to_string())];
    let elsewhere =
        app.campaign().named("Autre").run_by(&sophie).create().await.segment("Ailleurs").await;
    for wrong in [itself[0].1.clone(), elsewhere.to_string(), "nulle part".into()] {
        sophie.submit(&path, &[("destination", &wrong)]).await.is(422);
    }
    let reply = sophie.submit(&path, &[("destination", &to.to_string())]).await;
    assert_eq!(
        reply.redirects_to(&campaign.path("segments")).flash().unwrap(),
        "Segment « Nord » supprimé. 3 opérations déplacées vers « Sud »."
    );
    assert_eq!(app.count("select count(*) from operations o join segments s on s.id = o.segment_id where s.name = 'Sud' and o.version = 2").await, 3);
    assert_eq!(app.count("select count(*) from operation_events where kind = 'moved' and batch_id is not null and changes = '{\"Segment\": [\"Nord\", \"Sud\"]}'").await, 3);
    assert_eq!(
        app.count("select count(*) from live_events where user_id is not null").await,
        1,
        "his list is told"
    );
    assert_eq!(app.audit().await, ["segment.deleted"]);
    sophie.get(&path).await.is(404);
    let path = campaign.path(&format!("segments/{to}/suppression"));
    let reply = sophie.submit(&path, &[("destination", "aucun")]).await;
    assert!(reply.flash().unwrap().ends_with("3 opérations déplacées vers « Sans segment »."));
    sophie.get(&campaign.path("historique")).await.shows("a supprimé un segment");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_906_a_segment_shows_its_figures_flags_and_its_operations_only(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    let (nord, sud) = (campaign.segment("Nord").await, campaign.segment("Sud").await);
    for n in 0..12 {
        campaign.operation(&format!("N{n:02}"), None, Some(nord), None).await;
    }
    campaign.operation("S01", None, Some(sud), None).await;
    for (identifier, category) in [("N00", "done"), ("N01", "blocked"), ("N02", "postponed")] {
        in_category(&app, identifier, category).await;
    }
    sqlx::query("update campaigns set start_date = current_date - 40, end_date = current_date - 1")
        .execute(&app.app.db)
        .await
        .unwrap();
    let page = sophie.get(&campaign.path(&format!("segments/{nord}"))).await;
    page.is(200)
        .shows("1 / 12 opérations réalisées")
        .shows("11 restantes")
        .shows("En retard")
        .shows("À surveiller")
        .shows("NOM N00")
        .hides("S01")
        .shows("Voir 12 opérations");
    assert!(page.body.contains(&format!("operations?segment={nord}")), "all of them, filtered");
    sophie
        .get(&campaign.path("segments"))
        .await
        .shows("1/12 — 8 %")
        .shows("En retard")
        .shows("À surveiller");
    sophie.get(&campaign.path(&format!("segments/{}", uuid::Uuid::now_v7()))).await.is(404);
    let other = app.campaign().named("Autre").run_by(&sophie).create().await;
    sophie.get(&other.path(&format!("segments/{nord}"))).await.is(404);
    let reader = app.reader().await;
    campaign.grant(&reader, "view").await;
    reader
        .get(&campaign.path("segments"))
        .await
        .is(200)
        .hides("Nouveau segment")
        .hides("Supprimer");
    let configurer = app.person("Paul", "Moreau", &[Role::CampaignManager]).await;
    campaign.grant(&configurer, "configure").await;
    configurer
        .get(&campaign.path("segments"))
        .await
        .shows("Nouveau segment")
        .shows("Supprimer Nord");
}
