// SPDX-License-Identifier: EUPL-1.2
//! Dashboards, as people read them (US-601, 602, 607, 608, 609).
use super::shared;
use crate::{
    accounts::Role,
    db::Id,
    operations::Operation,
    testing::{Person, TestApp, TestCampaign},
};
use sqlx::PgPool;
use std::{sync::Arc, time::Duration};

/// Puts an operation in a status of the workflow without its history.
async fn put(app: &TestApp, operation: Id<Operation>, code: &str) {
    sqlx::query(
        "update operations o set status_id = w.id, category = w.category, done_at = case when w.category = 'done' then now() - interval '40 days' end
         from campaigns c join workflow_statuses w on w.version_id = c.workflow_version_id where c.id = o.campaign_id and o.id = $1 and w.code = $2",
    )
    .bind(operation)
    .bind(code)
    .execute(&app.app.db)
    .await
    .unwrap();
}

async fn many(app: &TestApp, campaign: &TestCampaign, code: &str, n: usize, who: Option<&Person>) {
    for i in 0..n {
        let id = campaign.operation(&format!("{code}-{i}"), who, None, None).await;
        put(app, id, code).await;
    }
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_601_1_what_the_dashboard_says(db: PgPool) {
    let app = TestApp::new(db).await;
    let (sophie, karim) = (app.sophie().await, app.karim().await);
    let campaign =
        app.campaign().run_by(&sophie).named("Migration – Siège").on_booking().create().await;
    many(&app, &campaign, "done", 3, Some(&karim)).await;
    many(&app, &campaign, "planned", 2, None).await;
    many(&app, &campaign, "in_progress", 1, None).await;
    many(&app, &campaign, "blocked", 1, None).await;
    many(&app, &campaign, "cancelled", 2, None).await;
    campaign.segment("Bâtiment A").await;
    sophie
        .get(&format!("/campagnes/{}", campaign.id))
        .await
        .redirects_to(&campaign.path("tableau-de-bord"));
    let page = sophie.get(&campaign.path("tableau-de-bord")).await;
    page.is(200)
        .shows("Migration – Siège")
        .shows("En cours")
        .shows("9 opérations")
        .shows("Avancement : 3 / 7 — 43 %")
        .shows("Réalisées 3 43 % +0 aujourd'hui")
        .shows("Planifiées 2 29 %")
        .shows("Reportées 0 0 % +0 cette semaine")
        .shows("Bloquées Action requise 1 14 %")
        .shows("À planifier : 0 (0 %)")
        .shows("En cours : 1 (14 %)")
        .shows("Annulé : 2 (hors périmètre)")
        .shows("Sans segment 3/7 — 43 %")
        .shows("Bâtiment A —")
        .shows("KB Karim BENALI 3/3 — 100 %")
        .shows("Mis à jour à");
    for address in [
        "operations?categorie=done",
        "operations?categorie=planned",
        "operations?categorie=blocked",
        "operations?segment=aucun",
    ] {
        assert!(page.body.contains(address), "{address}");
    }
    assert!(page.body.contains(&format!("operations?technicien={}", karim.id())));
    assert!(page.body.contains(&format!("/flux?sujet=campagne-{}", campaign.id)));
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_601_2_sophie_sees_what_karim_does(db: PgPool) {
    let app = TestApp::new(db).await;
    let (sophie, karim) = (app.sophie().await, app.karim().await);
    let campaign = app.campaign().run_by(&sophie).create().await;
    let operation = campaign
        .operation("PC-0847", Some(&karim), Some(campaign.segment("Bâtiment A").await), None)
        .await;
    let board = campaign.path("tableau-de-bord");
    sophie.get(&board).await.shows("0 / 1").shows("Rien pour l'instant.");
    let form = |code| vec![("transition", code)];
    karim.submit(&format!("/terrain/{operation}/statut"), &form("start")).await.is(303);
    sophie.get(&board).await.shows("Karim B. a démarré PC-0847").shows("Bâtiment A • à l'instant");
    karim.submit(&format!("/terrain/{operation}/statut"), &form("complete")).await.is(303);
    sophie
        .get(&board)
        .await
        .shows("1 / 1 — 100 %")
        .shows("+1 aujourd'hui")
        .shows("Karim B. a terminé PC-0847")
        .shows("Terminée");
    karim.post(&format!("/terrain/{operation}/annulation")).await.is(303);
    sophie
        .get(&board)
        .await
        .shows("0 / 1 — 0 %")
        .shows("+0 aujourd'hui")
        .shows("Karim B. a annulé son action sur PC-0847");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_043_postponed_this_week_leaves_out_what_was_undone(db: PgPool) {
    let app = TestApp::new(db).await;
    let (sophie, karim) = (app.sophie().await, app.karim().await);
    let campaign = app.campaign().run_by(&sophie).create().await;
    for n in 0..2 {
        let operation = campaign.operation(&format!("PC-{n}"), Some(&karim), None, None).await;
        for code in ["start", "postpone"] {
            karim
                .submit(&format!("/terrain/{operation}/statut"), &[("transition", code)])
                .await
                .is(303);
        }
        if n == 1 {
            karim.post(&format!("/terrain/{operation}/annulation")).await.is(303);
        }
    }
    sophie.get(&campaign.path("tableau-de-bord")).await.shows("Reportées 1 50 % +1 cette semaine");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_601_5_readers_see_no_team_and_standard_has_no_planned(db: PgPool) {
    let app = TestApp::new(db).await;
    let (sophie, karim, reader) = (app.sophie().await, app.karim().await, app.reader().await);
    let campaign = app.campaign().run_by(&sophie).public().create().await;
    campaign.operation("PC-1", Some(&karim), None, None).await;
    let board = campaign.path("tableau-de-bord");
    reader
        .get(&board)
        .await
        .is(200)
        .hides("Équipe")
        .hides("BENALI")
        .shows("À planifier")
        .hides("Planifiées");
    sophie.get(&board).await.shows("Équipe").shows("Karim BENALI");
    let both = app.person("Luc", "Bernard", &[Role::Reader, Role::CampaignManager]).await;
    both.get(&board).await.shows("Karim BENALI");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_112_a_campaign_outside_ones_visibility_has_no_dashboard(db: PgPool) {
    let app = TestApp::new(db).await;
    let (sophie, reader, karim) = (app.sophie().await, app.reader().await, app.karim().await);
    let campaign = app.campaign().run_by(&sophie).named("Secrète").create().await;
    campaign.operation("PC-1", Some(&karim), None, None).await;
    for person in [&reader, &karim] {
        for page in ["tableau-de-bord", "activite"] {
            person.get(&campaign.path(page)).await.is(404);
        }
        person.get(&format!("/campagnes/{}", campaign.id)).await.is(404);
    }
    reader.get("/tableau-de-bord").await.is(200).hides("Secrète").shows("Aucune campagne visible.");
    karim.get("/tableau-de-bord").await.is(403);
    sophie.get("/tableau-de-bord").await.shows("Secrète");
    app.admin().await.get("/tableau-de-bord").await.shows("Secrète");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_602_segments_and_their_flags(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = app.campaign().run_by(&sophie).create().await;
    let (a, b) = (campaign.segment("Bâtiment A").await, campaign.segment("Bâtiment B").await);
    for (i, (segment, code)) in
        [(a, "done"), (a, "done"), (a, "blocked"), (b, "done"), (b, "todo"), (b, "todo")]
            .into_iter()
            .enumerate()
    {
        let operation = campaign.operation(&format!("PC-{i}"), None, Some(segment), None).await;
        put(&app, operation, code).await;
    }
    let board = campaign.path("tableau-de-bord");
    let page = sophie.get(&board).await;
    page.shows("Bâtiment A 2/3 — 67 %")
        .shows("1 À surveiller")
        .shows("Bâtiment B 1/3 — 33 %")
        .shows("Dans les temps")
        .hides("En retard");
    assert!(page.body.contains(&format!("operations?segment={a}")));
    sqlx::query("update campaigns set start_date = start_date - 40, end_date = end_date - 20")
        .execute(&app.app.db)
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(1_050)).await;
    sophie.get(&board).await.shows("Bâtiment B 1/3 — 33 % 2 0 0 En retard");
    sophie
        .get("/tableau-de-bord")
        .await
        .shows("3/6 — 50 %")
        .hides("En retard")
        .shows("À surveiller");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_601_empty_campaign_says_what_to_do(db: PgPool) {
    let app = TestApp::new(db).await;
    let (sophie, reader) = (app.sophie().await, app.reader().await);
    let campaign = app.campaign().run_by(&sophie).public().create().await;
    sophie
        .get(&campaign.path("tableau-de-bord"))
        .await
        .shows("Importez un fichier ou ajoutez une intervention.")
        .shows("Importer un fichier");
    reader
        .get(&campaign.path("tableau-de-bord"))
        .await
        .hides("Importer un fichier")
        .hides("Importez");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_607_p_104_the_same_figures_everywhere(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = app.campaign().run_by(&sophie).named("Migration").create().await;
    many(&app, &campaign, "done", 199, None).await;
    many(&app, &campaign, "todo", 1, None).await;
    many(&app, &campaign, "cancelled", 3, None).await;
    let text = "199/200 — 99 %";
    sophie.get(&campaign.path("tableau-de-bord")).await.shows(text).shows("199 / 200 — 99 %");
    sophie.get("/tableau-de-bord").await.shows(text);
    sophie.get("/campagnes").await.shows(text);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn l_03_refreshes_of_the_global_dashboard_share_a_count(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = app.campaign().run_by(&sophie).create().await;
    many(&app, &campaign, "todo", 2, None).await;
    let refresh = async || sophie.refresh("/tableau-de-bord").await;
    refresh().await.shows("0/2 — 0 %");
    let mut told = app.app.live.watch_all();
    many(&app, &campaign, "done", 2, None).await;
    app.app.live.changed(crate::live::Topic::Campaign(campaign.id));
    told.borrow_and_update();
    sophie.get("/tableau-de-bord").await.shows("2/4 — 50 %");
    refresh().await.is(200);
    if tokio::time::timeout(Duration::from_millis(1_500), told.changed()).await.is_ok() {
        refresh().await;
    }
    refresh().await.shows("2/4 — 50 %");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_607_us_608_status_boxes_sort_and_overdue(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let late = app.campaign().run_by(&sophie).named("Ancienne").create().await;
    app.campaign().run_by(&sophie).named("Brouillon").draft().create().await;
    app.campaign().run_by(&sophie).named("Rangée").archived().create().await;
    let new = app.campaign().run_by(&sophie).named("Zélée").create().await;
    many(&app, &late, "done", 1, None).await;
    many(&app, &late, "todo", 1, None).await;
    many(&app, &new, "todo", 1, None).await;
    sqlx::query(
        "update campaigns set start_date = start_date - 60, end_date = end_date - 60 where id = $1",
    )
    .bind(late.id)
    .execute(&app.app.db)
    .await
    .unwrap();
    let page = sophie.get("/tableau-de-bord").await;
    page.shows("Ancienne")
        .shows("Échéance dépassée")
        .shows("Zélée")
        .hides("Brouillon")
        .hides("Rangée")
        .shows("4 campagnes visibles");
    sophie
        .get("/tableau-de-bord?filtre=1&statut=preparation&statut=archivee")
        .await
        .shows("Brouillon")
        .shows("Rangée")
        .hides("Ancienne");
    sophie.get("/tableau-de-bord?filtre=1").await.shows("Aucune campagne n'a ces statuts.");
    let order = async |query: &str| {
        let text = sophie.get(query).await.text();
        text.find("Ancienne").unwrap() < text.find("Zélée").unwrap()
    };
    assert!(order("/tableau-de-bord").await, "by due date");
    assert!(order("/tableau-de-bord?tri=nom").await);
    assert!(!order("/tableau-de-bord?tri=avancement").await);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_609_activity_names_the_author_and_is_paged(db: PgPool) {
    let app = TestApp::new(db).await;
    let (sophie, karim) = (app.sophie().await, app.karim().await);
    let campaign = app.campaign().run_by(&sophie).create().await;
    let operation = campaign.operation("PC-7", Some(&karim), None, None).await;
    for _ in 0..3 {
        karim
            .submit(&format!("/terrain/{operation}/statut"), &[("transition", "start")])
            .await
            .is(303);
        karim.post(&format!("/terrain/{operation}/annulation")).await.is(303);
    }
    let board = campaign.path("tableau-de-bord");
    let shown = sophie.get(&board).await.text().matches("Karim B.").count();
    assert_eq!(shown, 5, "the last five");
    // An edit by Sophie of an operation assigned to Karim is Sophie's.
    sqlx::query("insert into operation_events (operation_id, campaign_id, at, actor_kind, actor_id, kind, assignee_id) values ($1, $2, now(), 'user', $3, 'edited', $4)")
        .bind(operation)
        .bind(campaign.id)
        .bind(sophie.id())
        .bind(karim.id())
        .execute(&app.app.db)
        .await
        .unwrap();
    // What the import created is one line, with its counts.
    sqlx::query("insert into operation_events (operation_id, campaign_id, at, actor_kind, kind) select $1, $2, now(), 'system', 'imported' from generate_series(1, 20)")
        .bind(operation)
        .bind(campaign.id)
        .execute(&app.app.db)
        .await
        .unwrap();
    sqlx::query(
        "insert into imports (id, campaign_id, author_id, file_name, file_size, state, counters, created_at, updated_at, finished_at)
         values (gen_random_uuid(), $1, $2, 'postes.csv', 1, 'done', '{\"created\": 844, \"updated\": 3}', now(), now(), now())",
    )
    .bind(campaign.id)
    .bind(sophie.id())
    .execute(&app.app.db)
    .await
    .unwrap();
    let feed = campaign.path("activite");
    let all = sophie.get(&feed).await;
    all.shows("Sophie M. a modifié PC-7")
        .shows("Sophie M. a importé 844 opérations et en a modifié 3 postes.csv");
    assert_eq!(all.text().matches("Karim B. a démarré").count(), 3);
    let typed = sophie.get(&format!("{feed}?type=modification")).await;
    typed.shows("a modifié").hides("a démarré").hides("a importé");
    sophie.get(&format!("{feed}?type=import")).await.shows("a importé 844").hides("a modifié PC-7");
    sophie
        .get(&format!("{feed}?technicien={}", karim.id()))
        .await
        .shows("a démarré")
        .hides("Sophie M.");
    sophie.get(&format!("{feed}?au=01/01/2020")).await.shows("Aucun événement ne correspond.");
    sophie
        .get(&format!("{feed}?du=45/13/2026"))
        .await
        .is(200)
        .shows("Date invalide « 45/13/2026 »");
    sqlx::query("insert into operation_events (operation_id, campaign_id, at, actor_kind, actor_id, kind) select $1, $2, now() - interval '1 day', 'user', $3, 'note' from generate_series(1, 60)")
        .bind(operation)
        .bind(campaign.id)
        .bind(karim.id())
        .execute(&app.app.db)
        .await
        .unwrap();
    let first = sophie.get(&format!("{feed}?type=note")).await;
    assert_eq!(first.text().matches("a ajouté une note").count(), 50);
    let next = first.body.split("avant=").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let second = sophie.get(&format!("{feed}?type=note&avant={next}")).await;
    assert_eq!(second.text().matches("a ajouté une note").count(), 10);
    second.hides("Suivant").shows("Première");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_043_the_same_figures_as_a_slow_reference(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = app.campaign().run_by(&sophie).on_booking().create().await;
    let segment = campaign.segment("A").await;
    for (i, code) in
        ["todo", "planned", "in_progress", "done", "postponed", "blocked", "cancelled", "done"]
            .into_iter()
            .enumerate()
    {
        let operation = campaign
            .operation(&format!("PC-{i}"), None, (i % 2 == 0).then_some(segment), None)
            .await;
        put(&app, operation, code).await;
    }
    let deleted = campaign.operation("PC-X", None, None, None).await;
    sqlx::query("update operations set deleted_at = now() where id = $1")
        .bind(deleted)
        .execute(&app.app.db)
        .await
        .unwrap();
    let mut conn = app.app.db.acquire().await.unwrap();
    let figures = shared(&app.app, &mut conn, campaign.id, false).await.unwrap();
    assert_eq!((figures.counts.total(), figures.counts.scope(), figures.counts.done()), (8, 7, 2));
    assert_eq!(figures.segments.iter().map(|s| s.counts.total()).collect::<Vec<_>>(), [4, 4]);
    assert_eq!(figures.by_segment_status().iter().map(|cell| cell.count).sum::<u64>(), 8);
    let done = figures.workflow.statuses.iter().find(|s| s.code == "done").unwrap().id;
    assert_eq!(figures.in_status(done), 2);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn p7_many_viewers_cost_few_counts(db: PgPool) {
    let app = TestApp::new(db).await;
    let campaign = app.campaign().run_by(&app.sophie().await).create().await;
    campaign.operation("PC-1", None, None, None).await;
    let look = async |spare| {
        let mut conn = app.app.db.acquire().await.unwrap();
        shared(&app.app, &mut conn, campaign.id, spare).await.unwrap()
    };
    let first = look(true).await;
    assert!(Arc::ptr_eq(&first, &look(true).await), "one count for all");
    let change = || app.app.live.changed(crate::live::Topic::Campaign(campaign.id));
    change();
    let second = look(true).await;
    assert!(!Arc::ptr_eq(&first, &second), "a change is counted at once");
    change();
    assert!(Arc::ptr_eq(&second, &look(true).await), "the third refresh of the second is spared");
    let mut told = app.app.live.watch(crate::live::Topic::Campaign(campaign.id));
    assert!(!Arc::ptr_eq(&second, &look(false).await), "a gesture is always exact");
    tokio::time::timeout(Duration::from_millis(1_200), told.changed())
        .await
        .expect("the pages are told again")
        .unwrap();
    let third = look(true).await;
    tokio::time::sleep(Duration::from_millis(1_050)).await;
    assert!(!Arc::ptr_eq(&third, &look(true).await), "never older than a second");
}

/// Done on each of these days, this many each.
async fn done_each_day(
    app: &TestApp,
    campaign: &TestCampaign,
    days: &[chrono::NaiveDate],
    each: usize,
) {
    for day in days {
        for n in 0..each {
            let id = campaign.operation(&format!("{day}-{n}"), None, None, None).await;
            put(app, id, "done").await;
            sqlx::query("update operations set done_at = $2 where id = $1")
                .bind(id)
                .bind(crate::clock::start_of(*day))
                .execute(&app.app.db)
                .await
                .unwrap();
        }
    }
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_603_pace_and_projection(db: PgPool) {
    use super::working_days::{after, is_working};
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = app.campaign().run_by(&sophie).create().await;
    many(&app, &campaign, "todo", 20, None).await;
    let board = campaign.path("tableau-de-bord");
    sophie
        .get(&board)
        .await
        .shows("Données insuffisantes")
        .shows("Rythme nécessaire :")
        .hides("Fin estimée")
        .shows("0 opération réalisée au total, 0 au plus en un jour");
    let today = crate::clock::day(app.now());
    let first = today - chrono::Days::new(29);
    let worked: Vec<_> = first.iter_days().take(29).filter(|day| is_working(*day)).collect();
    done_each_day(&app, &campaign, &worked, 2).await;
    super::forget(crate::live::Topic::Campaign(campaign.id));
    let page = sophie.get(&board).await;
    // v = 2 × days ÷ working days, today included.
    let days = u32::try_from(worked.len()).unwrap();
    let n = (20 * (days + u32::from(is_working(today))) + days) / (2 * days);
    page.shows(&format!(
        "Fin estimée : ~{n} jours ouvrés, soit le {}",
        crate::web::format::long(after(today, n))
    ))
    .shows(&format!(
        "Huit chances sur dix d'avoir fini {}",
        crate::web::format::long(after(today, 10))
    ))
    .shows(&format!("{} opérations réalisées au total, 2 au plus en un jour", worked.len() * 2))
    .shows("Voir les données Opérations réalisées par jour Jour Réalisées")
    .shows(&format!("{} 2", crate::web::format::full(worked[0])))
    .hides("Données insuffisantes");
    assert_eq!(page.body.matches("<rect class=\"bar").count(), worked.len());
}
