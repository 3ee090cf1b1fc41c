// SPDX-License-Identifier: EUPL-1.2
//! A technician's day (US-401 to 404, 409, 410).
use crate::{accounts::Role, clock, db::Id, operations::Operation, testing::TestApp, web::format};
use chrono::{DateTime, Days, NaiveTime, Utc};
use sqlx::PgPool;

/// An instant of a day near today, at this hour.
fn at(days: i64, hour: u32) -> Option<DateTime<Utc>> {
    let today = clock::day(clock::now());
    let day = if days < 0 {
        today - Days::new(days.unsigned_abs())
    } else {
        today + Days::new(days.unsigned_abs())
    };
    clock::instant(day, NaiveTime::from_hms_opt(hour, 0, 0).unwrap())
}

async fn put(app: &TestApp, operation: Id<Operation>, code: &str) {
    sqlx::query(
        "update operations o set status_id = w.id, category = w.category, done_at = case when w.category = 'done' then now() end
         from campaigns c join workflow_statuses w on w.version_id = c.workflow_version_id where c.id = o.campaign_id and o.id = $1 and w.code = $2",
    )
    .bind(operation)
    .bind(code)
    .execute(&app.app.db)
    .await
    .unwrap();
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_401_1_the_day_and_its_blocks(db: PgPool) {
    let app = TestApp::new(db).await;
    let (sophie, karim) = (app.sophie().await, app.karim().await);
    let luc = app.person("Luc", "Bernard", &[Role::Technician]).await;
    let campaign = app.campaign().run_by(&sophie).create().await;
    let of = async |name: &str, planned, code: &str| {
        let id = campaign.operation(name, Some(&karim), None, planned).await;
        put(&app, id, code).await;
        id
    };
    let next = of("MATIN", at(0, 9), "todo").await;
    of("SOIR", at(0, 18), "todo").await;
    of("HIER", at(-1, 9), "todo").await;
    of("DEMAIN", at(1, 9), "todo").await;
    of("UNJOUR", None, "todo").await;
    of("REPORT", None, "postponed").await;
    of("BLOC", at(-2, 9), "blocked").await;
    of("FINI", at(0, 8), "done").await;
    of("RENONCE", at(0, 8), "cancelled").await;
    let old = of("ANCIEN", at(-50, 8), "done").await;
    sqlx::query("update operations set done_at = now() - interval '40 days' where id = $1")
        .bind(old)
        .execute(&app.app.db)
        .await
        .unwrap();
    campaign.operation("LUC", Some(&luc), None, at(0, 9)).await;
    campaign.operation("PERSONNE", None, None, at(0, 9)).await;

    let page = karim.get("/terrain").await;
    page.is(200)
        .shows(&format::title(clock::day(app.now())))
        .shows("3 interventions • 1 réalisée • 2 à faire");
    let text = page.text();
    let order = [
        "Prochaine",
        "NOM MATIN",
        "En retard 1",
        "NOM HIER",
        "En retard de 1 jour",
        "Aujourd'hui 1",
        "NOM SOIR",
        "À venir 1",
        "NOM DEMAIN",
        "Sans date 1",
        "NOM UNJOUR",
        "Reportées 1",
        "NOM REPORT",
        "Bloquées 1",
        "NOM BLOC",
        "Terminées 1 aujourd'hui, 1 en 30 jours",
        "NOM FINI",
    ];
    let mut from = 0;
    for words in order {
        let found = text[from..]
            .find(words)
            .unwrap_or_else(|| panic!("{words} not found in order in {text}"));
        from += found;
    }
    page.hides("RENONCE").hides("ANCIEN").hides("NOM LUC").hides("PERSONNE");
    assert!(
        page.body.contains(&format!("action=\"/terrain/{next}/statut\"")),
        "the next one has its button"
    );
    assert!(page.body.contains("/flux?sujet=terrain"));
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_401_2_what_a_card_says(db: PgPool) {
    let app = TestApp::new(db).await;
    let karim = app.karim().await;
    let campaign = app.campaign().run_by(&app.sophie().await).create().await;
    sqlx::query(
        "insert into campaign_fields (id, campaign_id, number, label, label_norm, kind, usages, position)
         values (gen_random_uuid(), $1, 5, 'Téléphone', 'telephone', 'phone', '{contact}', 5)",
    )
    .bind(campaign.id)
    .execute(&app.app.db)
    .await
    .unwrap();
    let segment = campaign.segment("Bâtiment B").await;
    let id = campaign.operation("A1", Some(&karim), Some(segment), at(0, 14)).await;
    sqlx::query("update operations set values = '{\"3\": \"PC-0156\", \"4\": \"Bureau D301\", \"5\": \"+33639980012\"}', last_reason = 'Poste en réparation' where id = $1")
        .bind(id)
        .execute(&app.app.db)
        .await
        .unwrap();
    let page = karim.get("/terrain").await;
    page.shows("14 h 00")
        .shows("NOM A1")
        .shows("PC-0156")
        .shows("Bureau D301, Bâtiment B")
        .shows("Appeler 06 39 98 00 12")
        .shows("À planifier");
    assert!(page.body.contains("href=\"tel:+33639980012\""));
    page.hides("Poste en réparation");
    put(&app, id, "blocked").await;
    karim.get("/terrain").await.shows("« Poste en réparation »").shows("Débloquer");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_401_3_a_reassigned_card_moves_at_once(db: PgPool) {
    let app = TestApp::new(db).await;
    let (sophie, karim) = (app.sophie().await, app.karim().await);
    let luc = app.person("Luc", "Bernard", &[Role::Technician]).await;
    let campaign = app.campaign().run_by(&sophie).create().await;
    let id = campaign.operation("A1", Some(&karim), None, at(0, 9)).await;
    let topics =
        [karim.id(), luc.id()].map(|id| app.app.live.watch(crate::live::Topic::Person(id)));
    let edit = format!("/campagnes/{}/operations/{id}/technicien", campaign.id);
    sophie.submit(&edit, &[("technicien", &luc.id().to_string())]).await.is(303);
    for topic in topics {
        assert!(topic.has_changed().unwrap(), "both lists are told");
    }
    karim.get("/terrain").await.hides("NOM A1").shows("0 intervention • 0 réalisée • 0 à faire");
    luc.get("/terrain").await.shows("NOM A1");
    karim.get(&format!("/terrain/{id}")).await.is(404);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_401_6_several_campaigns_are_named_and_filtered(db: PgPool) {
    let app = TestApp::new(db).await;
    let (sophie, karim) = (app.sophie().await, app.karim().await);
    let one = app.campaign().run_by(&sophie).named("Office 365").create().await;
    one.operation("A1", Some(&karim), None, at(0, 9)).await;
    karim.get("/terrain").await.hides("Office 365").hides("Filtrer");
    let two = app.campaign().run_by(&sophie).named("Windows 11").create().await;
    two.operation("B1", Some(&karim), None, at(1, 9)).await;
    karim.get("/terrain").await.shows("Office 365").shows("Windows 11").shows("Filtrer");
    let filtered = karim.get(&format!("/terrain?campagne={}", two.id)).await;
    filtered
        .shows("NOM B1")
        .hides("NOM A1")
        .shows("Aucune intervention prévue aujourd'hui.")
        .shows("Prochaine date :");
    for (name, campaign) in
        [("Brouillon", app.campaign().draft()), ("Rangée", app.campaign().archived())]
    {
        let hidden = campaign.run_by(&sophie).named(name).create().await;
        if name == "Brouillon" {
            hidden.operation("C1", Some(&karim), None, at(0, 9)).await;
        }
    }
    sqlx::query("update campaigns set deleted_at = now() where id = $1")
        .bind(two.id)
        .execute(&app.app.db)
        .await
        .unwrap();
    karim.get("/terrain").await.hides("NOM C1").hides("NOM B1").shows("NOM A1");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_402_the_detail_shows_every_field_and_writes_nothing(db: PgPool) {
    let app = TestApp::new(db).await;
    let (sophie, karim) = (app.sophie().await, app.karim().await);
    let luc = app.person("Luc", "Bernard", &[Role::Technician]).await;
    let campaign = app.campaign().run_by(&sophie).create().await;
    let id = campaign.operation("A70388", Some(&karim), None, at(0, 14)).await;
    let before = app.count("select count(*) from audit_entries").await
        + app.count("select count(*) from operation_events").await;
    let path = format!("/terrain/{id}");
    let (one, two) = tokio::join!(karim.get(&path), karim.get(&path));
    one.is(200)
        .shows("NOM A70388")
        .shows("Matricule A70388")
        .shows("Poste PC-1")
        .shows("Lieu —")
        .shows("Prévue le")
        .hides("Non spécifié");
    two.is(200);
    let after = app.count("select count(*) from audit_entries").await
        + app.count("select count(*) from operation_events").await;
    assert_eq!(before, after);
    for path in [path.clone(), format!("{path}/statut/start")] {
        luc.get(&path).await.is(404);
        sophie.get(&path).await.is(403);
    }
    luc.submit(&format!("{path}/statut"), &[("transition", "start")]).await.is(404);
    luc.submit(&format!("{path}/notes"), &[("note", "bonjour")]).await.is(404);
    luc.post(&format!("{path}/annulation")).await.is(404);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_403_p_084_start_then_finish(db: PgPool) {
    let app = TestApp::new(db).await;
    let (sophie, karim) = (app.sophie().await, app.karim().await);
    let campaign = app.campaign().run_by(&sophie).create().await;
    let id = campaign.operation("A1", Some(&karim), None, at(0, 9)).await;
    let (page, go) = (format!("/terrain/{id}"), format!("/terrain/{id}/statut"));
    karim.get(&page).await.shows("Démarrer").hides("Terminer").hides("Annuler cette action");
    let started = karim.submit(&go, &[("transition", "start")]).await;
    started.redirects_to(&page);
    assert_eq!(started.flash().as_deref(), Some("Statut mis à jour : En cours"));
    let shown = karim.get(&page).await;
    shown
        .shows("En cours")
        .shows("Démarrée à")
        .shows("Terminer")
        .shows("Reporter")
        .shows("Signaler un problème")
        .shows("Annuler cette action");
    let order = shown.text();
    assert!(
        order.find("Terminer").unwrap() < order.find("Reporter").unwrap(),
        "the primary one first"
    );
    let board = app.app.live.watch(crate::live::Topic::Campaign(campaign.id));
    karim.submit(&go, &[("transition", "complete")]).await.redirects_to(&format!("{page}?fin=1"));
    assert!(board.has_changed().unwrap(), "Sophie's dashboard is told at once");
    sophie.get(&campaign.path("tableau-de-bord")).await.shows("1 / 1 — 100 %");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_403_3_and_4_problem_and_postponement(db: PgPool) {
    let app = TestApp::new(db).await;
    let (sophie, karim) = (app.sophie().await, app.karim().await);
    let campaign = app.campaign().run_by(&sophie).create().await;
    let id = campaign.operation("A1", Some(&karim), None, at(0, 14)).await;
    let (page, go) = (format!("/terrain/{id}"), format!("/terrain/{id}/statut"));
    let send = async |pairs: &[(&str, &str)]| karim.submit(&go, pairs).await;
    send(&[("transition", "start")]).await.is(303);
    karim.get(&format!("{go}/report_problem")).await.is(200).shows("Motif").hides("Nouvelle date");
    send(&[("transition", "report_problem"), ("motif", "non")])
        .await
        .is(422)
        .shows("Le motif doit compter de 5 à 500 caractères.");
    send(&[("transition", "report_problem"), ("motif", "Erreur au démarrage")])
        .await
        .redirects_to(&page);
    karim.get(&page).await.shows("Bloqué").shows("« Erreur au démarrage »");
    karim.get("/terrain").await.shows("« Erreur au démarrage »");
    sophie
        .get(&format!("/campagnes/{}/operations/{id}", campaign.id))
        .await
        .shows("Erreur au démarrage");
    send(&[("transition", "unblock")]).await.is(303);
    karim
        .get(&format!("{go}/postpone"))
        .await
        .shows("Nouvelle date prévue")
        .shows("9 h 00 par défaut");
    send(&[("transition", "postpone"), ("date", "31/02/2026")])
        .await
        .is(422)
        .shows("Date invalide « 31/02/2026 »");
    send(&[("transition", "postpone")]).await.is(303);
    let row: (Option<DateTime<Utc>>, Option<DateTime<Utc>>, i16) = sqlx::query_as(
        "select planned_at, initial_planned_at, postpone_count from operations where id = $1",
    )
    .bind(id)
    .fetch_one(&app.app.db)
    .await
    .unwrap();
    assert_eq!(
        row,
        (None, at(0, 14), 1),
        "the date is cleared, the first one kept, the postponement counted"
    );
    karim.get("/terrain").await.shows("Reportées 1").shows("Sans date");
    send(&[("transition", "replan")]).await.is(303);
    send(&[("transition", "start")]).await.is(303);
    let tomorrow = format::short(clock::day(at(1, 9).unwrap()));
    send(&[("transition", "postpone"), ("date", &tomorrow)]).await.is(303);
    let planned: Option<DateTime<Utc>> =
        sqlx::query_scalar("select planned_at from operations where id = $1")
            .bind(id)
            .fetch_one(&app.app.db)
            .await
            .unwrap();
    assert_eq!(planned, at(1, 9), "a date alone is at 09:00");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_403_8_double_click_is_one_event(db: PgPool) {
    let app = TestApp::new(db).await;
    let karim = app.karim().await;
    let campaign = app.campaign().run_by(&app.sophie().await).create().await;
    let id = campaign.operation("A1", Some(&karim), None, at(0, 9)).await;
    let (page, go) = (format!("/terrain/{id}"), format!("/terrain/{id}/statut"));
    let pairs = [("transition", "start"), ("cle", "0198-cle")];
    let (one, two) = tokio::join!(karim.submit(&go, &pairs), karim.submit(&go, &pairs));
    one.redirects_to(&page);
    two.redirects_to(&page);
    assert_eq!(app.count("select count(*) from operation_events").await, 1);
    // Without a key, the second click finds that things have changed and is told so.
    karim
        .submit(&go, &[("transition", "start")])
        .await
        .is(422)
        .shows("l'intervention a changé entre-temps")
        .shows("Modifiée par Karim B.")
        .shows("Recharger la fiche");
    assert_eq!(app.count("select count(*) from operation_events").await, 1);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_403_gestures_of_sur_rendez_vous(db: PgPool) {
    let app = TestApp::new(db).await;
    let karim = app.karim().await;
    let campaign = app.campaign().run_by(&app.sophie().await).on_booking().create().await;
    let id = campaign.operation("A1", Some(&karim), None, at(0, 9)).await;
    let go = format!("/terrain/{id}/statut");
    karim
        .get(&format!("/terrain/{id}"))
        .await
        .shows("Démarrer")
        .shows("Planifier")
        .hides("Remettre à planifier");
    karim
        .submit(&go, &[("transition", "plan")])
        .await
        .is(422)
        .shows("Indiquez la date prévue (jj/mm/aaaa).");
    karim.submit(&go, &[("transition", "unplan")]).await.is(422).shows("Transition non autorisée");
    karim.get(&format!("{go}/unplan")).await.is(422);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_404_back_to_the_list_after_finishing(db: PgPool) {
    let app = TestApp::new(db).await;
    let karim = app.karim().await;
    let campaign = app.campaign().run_by(&app.sophie().await).create().await;
    let id = campaign.operation("A1", Some(&karim), None, at(0, 9)).await;
    let next = campaign.operation("A2", Some(&karim), None, at(0, 10)).await;
    let fin = format!("/terrain/{id}?fin=1");
    karim.get(&fin).await.hides("Intervention terminée");
    put(&app, id, "done").await;
    let page = karim.get(&fin).await;
    page.shows("Intervention terminée")
        .shows("Rester sur la fiche")
        .shows("Retour à la liste")
        .hides("Plus d'intervention");
    assert!(page.body.contains("data-return-url-value=\"/terrain?suite=1\""));
    let list = karim.get("/terrain?suite=1").await;
    assert!(
        list.body.contains(&format!("href=\"/terrain/{next}\" autofocus")),
        "the next one has the focus"
    );
    put(&app, next, "done").await;
    karim
        .get(&format!("/terrain/{next}?fin=1"))
        .await
        .shows("Plus d'intervention prévue aujourd'hui.");
    karim
        .get("/terrain?suite=1")
        .await
        .shows("Plus d'intervention prévue aujourd'hui.")
        .shows("2 interventions • 2 réalisées • 0 à faire");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_404_finishing_from_the_list_stays_on_the_list(db: PgPool) {
    let app = TestApp::new(db).await;
    let karim = app.karim().await;
    let campaign = app.campaign().run_by(&app.sophie().await).create().await;
    let id = campaign.operation("A1", Some(&karim), None, at(0, 9)).await;
    put(&app, id, "in_progress").await;
    let done = karim
        .submit(
            &format!("/terrain/{id}/statut"),
            &[("transition", "complete"), ("retour", "/terrain")],
        )
        .await;
    done.redirects_to("/terrain");
    assert_eq!(done.flash().as_deref(), Some("Intervention terminée : NOM A1"));
    let away = karim
        .submit(&format!("/terrain/{id}/annulation"), &[("retour", "https://evil.example")])
        .await;
    away.redirects_to(&format!("/terrain/{id}"));
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_409_rg_024_undo_and_its_refusal(db: PgPool) {
    let app = TestApp::new(db).await;
    let (sophie, karim) = (app.sophie().await, app.karim().await);
    let campaign = app.campaign().run_by(&sophie).create().await;
    let id = campaign.operation("A1", Some(&karim), None, at(0, 9)).await;
    let (page, go, undo) = (
        format!("/terrain/{id}"),
        format!("/terrain/{id}/statut"),
        format!("/terrain/{id}/annulation"),
    );
    karim.submit(&go, &[("transition", "start")]).await.is(303);
    karim.submit(&go, &[("transition", "postpone"), ("motif", "Agent absent")]).await.is(303);
    karim.post(&undo).await.redirects_to(&page);
    karim
        .get(&page)
        .await
        .shows("En cours")
        .shows("Action annulée : Reporté → En cours")
        .shows("Statut : En cours → Reporté")
        .shows("Prévue le");
    karim.submit(&go, &[("transition", "report_problem")]).await.is(303);
    let edit = format!("/campagnes/{}/operations/{id}/statut", campaign.id);
    sophie.submit(&edit, &[("transition", "unblock")]).await.is(303);
    karim.get(&page).await.hides("Annuler cette action");
    karim.post(&undo).await.is(422).shows(
        "Cette action ne peut plus être annulée : Sophie MARTIN a modifié l'opération depuis.",
    );
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_410_notes_are_dated_and_warn(db: PgPool) {
    let app = TestApp::new(db).await;
    let (sophie, karim) = (app.sophie().await, app.karim().await);
    let campaign = app.campaign().run_by(&sophie).create().await;
    let id = campaign.operation("A1", Some(&karim), None, None).await;
    let (page, notes) = (format!("/terrain/{id}"), format!("/terrain/{id}/notes"));
    karim.get(&page).await.shows("Ne saisissez aucune donnée de santé ni motif d'absence.");
    karim
        .submit(&notes, &[("note", "")])
        .await
        .is(422)
        .shows("La note doit compter de 1 à 2 000 caractères.");
    let long = "x".repeat(2_001);
    karim.submit(&notes, &[("note", &long)]).await.is(422).shows("La note doit compter");
    karim.submit(&notes, &[("note", "Badge <b>rendu</b>")]).await.redirects_to(&page);
    let shown = karim.get(&page).await;
    shown.shows("Badge").shows("Karim BENALI").shows("Note ajoutée");
    assert!(shown.body.contains("Badge &#60;b&#62;rendu&#60;/b&#62;"));
    sophie.get(&format!("/campagnes/{}/operations/{id}", campaign.id)).await.shows("Badge");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_016_an_archived_campaign_is_read_only_onsite(db: PgPool) {
    let app = TestApp::new(db).await;
    let karim = app.karim().await;
    let campaign = app.campaign().run_by(&app.sophie().await).create().await;
    let id = campaign.operation("A1", Some(&karim), None, at(0, 9)).await;
    sqlx::query("update campaigns set status = 'archived', archived_at = now()")
        .execute(&app.app.db)
        .await
        .unwrap();
    karim.get("/terrain").await.hides("NOM A1");
    karim
        .get(&format!("/terrain/{id}"))
        .await
        .is(200)
        .shows("Campagne archivée : lecture seule.")
        .hides("Démarrer")
        .hides("Enregistrer la note");
    karim
        .submit(&format!("/terrain/{id}/statut"), &[("transition", "start")])
        .await
        .is(422)
        .shows("Campagne archivée : lecture seule.");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_023_a_long_block_is_cut_and_can_be_seen_whole(db: PgPool) {
    let app = TestApp::new(db).await;
    let karim = app.karim().await;
    let campaign = app.campaign().run_by(&app.sophie().await).create().await;
    for n in 0..53 {
        campaign.operation(&format!("A{n:02}"), Some(&karim), None, None).await;
    }
    karim
        .get("/terrain")
        .await
        .shows("Sans date 53")
        .shows("NOM A49")
        .hides("NOM A50")
        .shows("Voir les 3 autres");
    karim.get("/terrain?bloc=sans-date").await.shows("NOM A52").hides("Voir les");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_020_only_technicians_have_a_list(db: PgPool) {
    let app = TestApp::new(db).await;
    for person in [app.sophie().await, app.reader().await, app.admin().await] {
        person.get("/terrain").await.is(403);
    }
    app.stranger().get("/terrain").await.redirects_to("/connexion?retour=%2Fterrain");
    app.karim().await.get("/terrain").await.shows("Aucune intervention prévue aujourd'hui.");
}
