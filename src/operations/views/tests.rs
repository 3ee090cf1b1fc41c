// SPDX-License-Identifier: EUPL-1.2
//! Stories of cards and saved views (US-302, US-312).
use crate::testing::{Person, TestApp, TestCampaign};
use sqlx::PgPool;

async fn world(db: PgPool) -> (TestApp, Person, TestCampaign) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = app.campaign().run_by(&sophie).create().await;
    (app, sophie, campaign)
}

async fn status(app: &TestApp, identifier: &str, code: &str, reason: &str) {
    sqlx::query(
        "update operations o set status_id = w.id, category = w.category, last_reason = $3
         from campaigns c join workflow_statuses w on w.version_id = c.workflow_version_id
         where c.id = o.campaign_id and o.identifier = $1 and w.code = $2",
    )
    .bind(identifier)
    .bind(code)
    .bind(reason)
    .execute(&app.app.db)
    .await
    .unwrap();
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_302_1_cards_show_the_same_rows_and_the_choice_stays(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    let karim = app.karim().await;
    let segment = campaign.segment("Bâtiment A").await;
    for n in 0..55 {
        campaign.operation(&format!("A{n:02}"), Some(&karim), Some(segment), None).await;
    }
    status(&app, "A03", "blocked", "Disque illisible").await;
    status(&app, "A04", "done", "Ancien motif").await;
    let list = campaign.path("operations");
    let table = sophie.get(&list).await;
    assert!(
        table.body.contains("<table class=\"table table--sticky")
            && !table.body.contains("op-card")
    );
    let mode = campaign.path("operations/affichage");
    sophie.submit(&mode, &[("affichage", "mosaique")]).await.is(422);
    let back = format!("{list}?statut=blocked&statut=done&tri=identifiant&sens=desc");
    sophie.submit(&mode, &[("affichage", "cards"), ("retour", &back)]).await.redirects_to(&back);
    let cards = sophie.get(&back).await;
    assert_eq!(cards.body.matches("<article class=\"op-card").count(), 2, "the same filter");
    cards
        .shows("NOM A03")
        .shows("Disque illisible")
        .hides("Ancien motif")
        .shows("Karim BENALI")
        .shows("PC-1")
        .hides("NOM A05");
    let text = cards.text();
    assert!(text.find("NOM A04") < text.find("NOM A03"), "the same order");
    let page = sophie.get(&list).await;
    assert_eq!(page.body.matches("<article class=\"op-card").count(), 50, "the same pages");
    page.shows("1-50 sur 55").shows("Bâtiment A");
    for gesture in ["/statut\" aria-haspopup=\"menu\"", "/technicien\" aria-haspopup=\"dialog\""] {
        assert!(page.body.contains(gesture), "changed as in the table: {gesture}");
    }
    sophie.get(&list).await.shows("Cartes");
    let admin = app.admin().await;
    assert!(!admin.get(&list).await.body.contains("op-card"), "each person's own choice");
    let other = app.campaign().named("Autre").run_by(&sophie).create().await;
    other.operation("B1", None, None, None).await;
    assert!(
        !sophie.get(&other.path("operations")).await.body.contains("op-card"),
        "and campaign's"
    );
    let reader = app.reader().await;
    campaign.grant(&reader, "view").await;
    reader.submit(&mode, &[("affichage", "cards")]).await.is(303);
    let cards = reader.get(&list).await;
    assert!(cards.body.contains("op-card") && !cards.body.contains("aria-haspopup=\"dialog\""));
    assert!(app.audit().await.is_empty(), "nobody else's business");
}

async fn save(who: &Person, campaign: &TestCampaign, name: &str, more: &[(&str, &str)]) -> String {
    let form = [&[("nom", name)], more].concat();
    let reply = who.submit(&campaign.path("vues/nouvelle"), &form).await;
    reply.is(303).location.clone().unwrap()
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_312_1_a_view_restores_filters_order_columns_and_mode(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    for n in ["A1", "A2", "B1"] {
        campaign.operation(n, None, None, None).await;
    }
    status(&app, "B1", "done", "").await;
    let list = campaign.path("operations");
    sophie.submit(&campaign.path("operations/colonnes"), &[("colonne", "maj")]).await.is(303);
    sophie.submit(&campaign.path("operations/affichage"), &[("affichage", "cards")]).await.is(303);
    sophie
        .get(&campaign.path("vues/nouvelle?q=a&tri=identifiant&sens=desc&statut=todo"))
        .await
        .is(200)
        .shows("Affichage en Cartes")
        .shows("« a »")
        .shows("À planifier");
    let filters = [("q", "a"), ("tri", "identifiant"), ("sens", "desc"), ("statut", "todo")];
    let at = save(&sophie, &campaign, "À faire chez A", &filters).await;
    assert!(
        at.starts_with(&format!("{list}?q=a&tri=identifiant&sens=desc&statut=todo&vue=")),
        "{at}"
    );
    // Another look since: the view keeps its own.
    sophie.submit(&campaign.path("operations/affichage"), &[("affichage", "table")]).await.is(303);
    sophie.submit(&campaign.path("operations/colonnes"), &[("colonne", "champ-3")]).await.is(303);
    let view = sophie.get(&at).await;
    view.shows("Vue : À faire chez A").shows("2 résultats (sur 3)").hides("NOM B1").hides("PC-1");
    assert!(view.body.contains("op-card"), "its mode");
    let text = view.text();
    assert!(text.find("NOM A2") < text.find("NOM A1"), "its order");
    let plain = sophie.get(&list).await;
    assert!(
        !plain.body.contains("op-card") && plain.text().contains("PC-1"),
        "and the list is as it was"
    );
    let index = sophie.get(&campaign.path("vues")).await;
    index.shows("À faire chez A").shows("Pour vous seul").shows("Cartes");
    let id = at.rsplit("vue=").next().unwrap().to_owned();
    sophie.get(&campaign.path(&format!("vues/{id}"))).await.redirects_to(&at);
    let delete = campaign.path(&format!("vues/{id}/suppression"));
    sophie.get(&delete).await.is(200).shows("Supprimer la vue");
    sophie.post(&delete).await.redirects_to(&campaign.path("vues"));
    sophie.get(&at).await.is(200).hides("Vue : À faire chez A");
    assert_eq!(app.audit().await, ["view.saved", "view.deleted"]);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_312_2_a_shared_view_gives_no_right(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    let karim = app.karim().await;
    campaign.operation("A1", Some(&karim), None, None).await;
    let technician = karim.id().to_string();
    let filters = [("technicien", technician.as_str())];
    let private = save(&sophie, &campaign, "La mienne", &filters).await;
    let shared =
        save(&sophie, &campaign, "Chez Karim", &[filters[0], ("portee", "partagee")]).await;
    let id = |at: &str| at.rsplit("vue=").next().unwrap().to_owned();
    let (private, shared) = (
        campaign.path(&format!("vues/{}", id(&private))),
        campaign.path(&format!("vues/{}", id(&shared))),
    );
    let reader = app.reader().await;
    reader.get(&shared).await.is(404);
    campaign.grant(&reader, "view").await;
    reader.get(&private).await.is(404);
    let at = reader.get(&shared).await.is(303).location.clone().unwrap();
    reader
        .get(&at)
        .await
        .is(200)
        .shows("NOM A1")
        .shows("Vue : Chez Karim")
        .hides("Ajouter une intervention");
    reader
        .get(&campaign.path("vues"))
        .await
        .shows("Chez Karim")
        .shows("Sophie MARTIN")
        .hides("La mienne")
        .hides("Supprimer");
    reader.post(&format!("{shared}/suppression")).await.is(403);
    // Whoever only reads saves for themselves, whatever the form says (RG-003).
    reader.get(&campaign.path("vues/nouvelle")).await.hides("Toute la campagne");
    save(&reader, &campaign, "À moi", &[("portee", "partagee")]).await;
    sophie.get(&campaign.path("vues")).await.hides("À moi");
    reader.post(&format!("{private}/suppression")).await.is(404);
    let other = app.campaign().named("Autre").run_by(&sophie).create().await;
    let foreign = other.path(&format!("vues/{}", shared.rsplit('/').next().unwrap()));
    sophie.get(&foreign).await.is(404);
    let admin = app.admin().await;
    admin.post(&format!("{private}/suppression")).await.is(404);
    admin.post(&format!("{shared}/suppression")).await.is(303);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_312_a_name_is_asked_and_fifty_views_are_enough(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    let new = campaign.path("vues/nouvelle");
    for (name, message) in [("", "Ce champ est obligatoire"), ("x", "de 2 à 100 caractères")] {
        let reply = sophie.submit(&new, &[("nom", name), ("statut", "done")]).await;
        reply.is(422).shows(message).shows("Réalisé");
    }
    for n in 1..=50 {
        save(&sophie, &campaign, &format!("Vue {n}"), &[]).await;
    }
    sophie.submit(&new, &[("nom", "Une de trop")]).await.is(422).shows("Vous avez déjà 50 vues");
    let admin = app.admin().await;
    save(&admin, &campaign, "Vue 1", &[]).await;
    admin
        .submit(&new, &[("nom", "VUE  1")])
        .await
        .is(422)
        .shows("Vous avez déjà une vue de ce nom");
    sqlx::query("update campaigns set archived_at = now(), status = 'archived'")
        .execute(&app.app.db)
        .await
        .unwrap();
    admin.submit(&new, &[("nom", "Archives")]).await.is(422).shows("Campagne archivée");
    sophie.get(&campaign.path("vues")).await.is(200).hides("Supprimer");
}
