// SPDX-License-Identifier: EUPL-1.2
//! Values of a row changed in place: status, technician, segment, date, correction, undo.
use crate::{
    campaigns::Segment,
    db::Id,
    operations::Operation,
    testing::{Person, TestApp, TestCampaign},
};
use sqlx::{PgPool, Row, postgres::PgRow};

struct Story {
    app: TestApp,
    sophie: Person,
    karim: Person,
    campaign: TestCampaign,
    segment: Id<Segment>,
    operation: Id<Operation>,
}

impl Story {
    async fn new(db: PgPool) -> Self {
        let app = TestApp::new(db).await;
        let (sophie, karim) = (app.sophie().await, app.karim().await);
        let campaign = app.campaign().run_by(&sophie).create().await;
        let segment = campaign.segment("Bâtiment A").await;
        let operation = campaign
            .operation("A1", Some(&karim), Some(segment), "2026-03-12T13:30:00Z".parse().ok())
            .await;
        Self { app, sophie, karim, campaign, segment, operation }
    }

    fn at(&self, rest: &str) -> String {
        self.campaign.path(&format!("operations/{}{rest}", self.operation))
    }

    async fn row(&self) -> PgRow {
        sqlx::query("select o.*, w.code as status from operations o join workflow_statuses w on w.id = o.status_id where o.id = $1")
            .bind(self.operation)
            .fetch_one(&self.app.app.db)
            .await
            .unwrap()
    }

    async fn status(&self) -> String {
        self.row().await.get("status")
    }

    async fn kinds(&self) -> Vec<String> {
        let sql = "select kind from operation_events where operation_id = $1 order by seq";
        sqlx::query_scalar(sql).bind(self.operation).fetch_all(&self.app.app.db).await.unwrap()
    }

    async fn moves(&self, code: &str) {
        self.sophie
            .submit(&self.at("/statut"), &[("transition", code)])
            .await
            .redirects_to(&self.at(""));
    }
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_304_1_only_allowed_transitions_are_offered(db: PgPool) {
    let s = Story::new(db).await;
    s.sophie
        .get(&s.at("/statut"))
        .await
        .is(200)
        .shows("Passer de « À planifier » à En cours Annulé motif")
        .hides("Réalisé");
    let list = s.campaign.path("operations?q=a1");
    let reply = s
        .sophie
        .submit(&s.at("/statut"), &[("transition", "start"), ("cle", "k1"), ("retour", &list)])
        .await;
    reply.redirects_to(&list);
    assert_eq!(reply.flash().as_deref(), Some("Statut mis à jour : En cours"));
    let row = s.row().await;
    assert!(row.get::<Option<chrono::DateTime<chrono::Utc>>, _>("started_at").is_some());
    assert_eq!(s.app.audit().await, ["operation.moved"]);
    s.sophie
        .get(&s.at("/statut"))
        .await
        .shows("Réalisé")
        .shows("Reporté motif, date")
        .shows("Annuler ma dernière action");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_304_2_a_forged_or_stale_transition_writes_nothing(db: PgPool) {
    let s = Story::new(db).await;
    for code in ["complete", "unblock", "nothing", ""] {
        s.sophie
            .submit(&s.at("/statut"), &[("transition", code)])
            .await
            .is(422)
            .shows("Transition non autorisée")
            .shows("Passer de « À planifier » à");
    }
    assert_eq!((s.status().await.as_str(), s.kinds().await.len()), ("todo", 0));
    let archived = s.app.campaign().named("Archivée").run_by(&s.sophie).create().await;
    let id = archived.operation("Z", None, None, None).await;
    sqlx::query("update campaigns set archived_at = now() where id = $1")
        .bind(archived.id)
        .execute(&s.app.app.db)
        .await
        .unwrap();
    let path = archived.path(&format!("operations/{id}/statut"));
    s.sophie
        .submit(&path, &[("transition", "start")])
        .await
        .is(422)
        .shows("Campagne archivée : lecture seule.");
    s.sophie.get(&path).await.is(422);
    s.sophie
        .get(&archived.path(&format!("operations/{id}")))
        .await
        .is(200)
        .shows("Campagne archivée : lecture seule.")
        .hides("Démarrer")
        .hides("Corriger");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_304_3_reason_and_date(db: PgPool) {
    let s = Story::new(db).await;
    s.moves("start").await;
    s.sophie
        .get(&s.at("/statut/postpone"))
        .await
        .is(200)
        .shows("Motif")
        .shows("Nouvelle date prévue")
        .shows("9 h 00 par défaut");
    let short = s
        .sophie
        .submit(&s.at("/statut/postpone"), &[("motif", "non"), ("date", "31/02/2026")])
        .await;
    short.is(422).shows("Date invalide « 31/02/2026 »");
    s.sophie
        .submit(&s.at("/statut/postpone"), &[("motif", "non")])
        .await
        .is(422)
        .shows("Le motif doit compter de 5 à 500 caractères.");
    assert_eq!(s.status().await, "in_progress");
    let today = crate::web::format::short(crate::clock::day(s.app.now()));
    s.sophie
        .submit(&s.at("/statut/postpone"), &[("motif", "Agent absent du site"), ("date", &today)])
        .await
        .redirects_to(&s.at(""));
    let row = s.row().await;
    let planned: chrono::DateTime<chrono::Utc> = row.get("planned_at");
    assert_eq!(crate::web::format::hour(planned), "9\u{a0}h\u{a0}00");
    assert_eq!(
        (row.get::<i16, _>("postpone_count"), row.get::<String, _>("last_reason")),
        (1, "Agent absent du site".into())
    );
    assert_eq!(
        row.get::<chrono::DateTime<chrono::Utc>, _>("initial_planned_at").to_rfc3339(),
        "2026-03-12T13:30:00+00:00"
    );
    s.sophie.get(&s.campaign.path("operations")).await.shows("Agent absent du site");
    s.sophie.get(&s.at("")).await.shows("Motif : Agent absent du site").shows("1 report");
    s.moves("replan").await;
    s.moves("start").await;
    s.moves("postpone").await;
    let row = s.row().await;
    assert_eq!(
        (
            row.get::<Option<chrono::DateTime<chrono::Utc>>, _>("planned_at"),
            row.get::<i16, _>("postpone_count")
        ),
        (None, 2)
    );
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_181_double_click_is_one_event(db: PgPool) {
    let s = Story::new(db).await;
    let (path, pairs) = (s.at("/statut"), [("transition", "start"), ("cle", "same-key")]);
    let (a, b) = tokio::join!(s.sophie.submit(&path, &pairs), s.sophie.submit(&path, &pairs));
    a.redirects_to(&s.at(""));
    b.redirects_to(&s.at(""));
    assert_eq!(s.kinds().await, ["transition"]);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_180_two_people_race_for_one_row(db: PgPool) {
    let s = Story::new(db).await;
    let marc = s.app.admin().await;
    let path = s.at("/statut");
    let pairs = [("transition", "start")];
    let (a, b) = tokio::join!(s.sophie.submit(&path, &pairs), marc.submit(&path, &pairs));
    let mut answers = [a.status.as_u16(), b.status.as_u16()];
    answers.sort_unstable();
    assert_eq!(answers, [303, 422]);
    assert_eq!(s.kinds().await, ["transition"]);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_306_assign(db: PgPool) {
    let s = Story::new(db).await;
    let luc = s.app.person("Luc", "Bernard", &[crate::accounts::Role::Technician]).await;
    let gone = s.app.person("Paul", "Parti", &[crate::accounts::Role::Technician]).await;
    sqlx::query("update users set active = false where id = $1")
        .bind(gone.id())
        .execute(&s.app.app.db)
        .await
        .unwrap();
    let page = s.sophie.get(&s.at("/technicien")).await;
    page.shows("— Non assigné —")
        .shows("Karim BENALI")
        .shows("Luc BERNARD")
        .hides("Sophie MARTIN de")
        .hides("Paul PARTI");
    s.sophie.get(&s.at("/technicien?q=b%C3%A9rn")).await.shows("Luc BERNARD").hides("Karim BENALI");
    s.sophie
        .submit(&s.at("/technicien"), &[("technicien", &luc.id().to_string())])
        .await
        .redirects_to(&s.at(""));
    assert_eq!(s.row().await.get::<Option<uuid::Uuid>, _>("assignee_id"), Some(luc.id().uuid()));
    for refused in [s.sophie.id(), gone.id()] {
        s.sophie
            .submit(&s.at("/technicien"), &[("technicien", &refused.to_string())])
            .await
            .is(422)
            .shows("Cette personne n'est pas technicien.");
    }
    s.sophie.submit(&s.at("/technicien"), &[("technicien", "")]).await.redirects_to(&s.at(""));
    assert_eq!(s.row().await.get::<Option<uuid::Uuid>, _>("assignee_id"), None);
    let stale = [("technicien", luc.id().to_string()), ("avant", s.karim.id().to_string())];
    let stale: Vec<(&str, &str)> = stale.iter().map(|(k, v)| (*k, v.as_str())).collect();
    s.sophie
        .submit(&s.at("/technicien"), &stale)
        .await
        .is(409)
        .shows("Modifié entre-temps : la valeur est maintenant « — Non assigné — »");
    assert_eq!(s.kinds().await, ["assigned", "assigned"]);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_027_planned_date(db: PgPool) {
    let s = Story::new(db).await;
    let day = crate::clock::day(s.app.now());
    let typed = crate::web::format::short(day);
    let submit = |pairs: Vec<(&'static str, String)>| {
        let (sophie, path) = (&s.sophie, s.at("/date"));
        async move {
            let pairs: Vec<(&str, &str)> = pairs.iter().map(|(k, v)| (*k, v.as_str())).collect();
            sophie.submit(&path, &pairs).await
        }
    };
    s.sophie.get(&s.at("/date")).await.is(200).shows("Date prévue de NOM A1");
    submit(vec![("date", typed.clone()), ("heure", "14h15".into())]).await.redirects_to(&s.at(""));
    let row = s.row().await;
    assert_eq!(crate::web::format::hour(row.get("planned_at")), "14\u{a0}h\u{a0}15");
    assert_eq!(row.get::<String, _>("status"), "todo");
    submit(vec![("date", "01/01/2099".into())])
        .await
        .is(422)
        .shows("à plus d'un an de la période")
        .shows("Confirmer cette date");
    submit(vec![("date", "01/01/2099".into()), ("confirmer", "oui".into())])
        .await
        .redirects_to(&s.at(""));
    submit(vec![("date", "01/01/1999".into()), ("confirmer", "oui".into())]).await.is(422);
    submit(vec![("date", typed.clone()), ("heure", "25h00".into())])
        .await
        .is(422)
        .shows("Heure invalide « 25h00 »");
    submit(vec![("date", typed), ("avant", "2020-01-01T00:00:00Z".into())])
        .await
        .is(409)
        .shows("Modifiée entre-temps");
    submit(vec![("date", String::new())]).await.redirects_to(&s.at(""));
    assert_eq!(s.row().await.get::<Option<chrono::DateTime<chrono::Utc>>, _>("planned_at"), None);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn moving_to_a_segment_of_another_campaign_is_refused(db: PgPool) {
    let s = Story::new(db).await;
    let other = s.app.campaign().named("Autre").run_by(&s.sophie).create().await;
    let foreign = other.segment("Ailleurs").await;
    s.sophie.submit(&s.at("/segment"), &[("segment", &foreign.to_string())]).await.is(404);
    s.sophie.submit(&s.at("/segment"), &[("segment", "")]).await.redirects_to(&s.at(""));
    s.sophie.get(&s.at("/segment")).await.shows("Sans segment").shows("Bâtiment A");
    s.sophie
        .submit(&s.at("/segment"), &[("segment", &s.segment.to_string())])
        .await
        .redirects_to(&s.at(""));
    s.sophie.get(&s.at("")).await.shows("Segment : Sans segment → Bâtiment A");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_314_correction(db: PgPool) {
    let s = Story::new(db).await;
    s.moves("start").await;
    s.moves("complete").await;
    let status = |db: PgPool| async move {
        sqlx::query_scalar::<_, String>("select status::text from campaigns")
            .fetch_one(&db)
            .await
            .unwrap()
    };
    assert_eq!(status(s.app.app.db.clone()).await, "finished");
    s.sophie.get(&s.at("/correction")).await.shows("Réalisé").shows("En cours");
    s.sophie
        .submit(&s.at("/correction"), &[("statut", "in_progress")])
        .await
        .is(422)
        .shows("Indiquez un motif.");
    s.sophie
        .submit(&s.at("/correction"), &[("statut", "inconnu"), ("motif", "erreur de saisie")])
        .await
        .is(422)
        .shows("Choisissez un statut");
    let reply = s
        .sophie
        .submit(&s.at("/correction"), &[("statut", "in_progress"), ("motif", "erreur de saisie")])
        .await;
    reply.redirects_to(&s.at(""));
    assert_eq!(s.row().await.get::<Option<chrono::DateTime<chrono::Utc>>, _>("done_at"), None);
    assert_eq!(status(s.app.app.db.clone()).await, "running");
    s.sophie
        .get(&s.at(""))
        .await
        .shows("Statut corrigé : Réalisé → En cours")
        .shows("Motif : erreur de saisie");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_409_undo_restores_and_says_why_not(db: PgPool) {
    let s = Story::new(db).await;
    s.moves("start").await;
    s.sophie.submit(&s.at("/statut/postpone"), &[("motif", "Agent absent du site")]).await;
    s.sophie.get(&s.at("")).await.shows("Annuler cette action");
    s.sophie.post(&s.at("/annulation")).await.redirects_to(&s.at(""));
    let row = s.row().await;
    assert_eq!(
        (
            row.get::<String, _>("status").as_str(),
            row.get::<i16, _>("postpone_count"),
            row.get::<Option<String>, _>("last_reason")
        ),
        ("in_progress", 0, None)
    );
    assert_eq!(
        row.get::<Option<chrono::DateTime<chrono::Utc>>, _>("planned_at")
            .map(|d| d.to_rfc3339())
            .as_deref(),
        Some("2026-03-12T13:30:00+00:00")
    );
    assert_eq!(s.kinds().await, ["transition", "transition", "undo"]);
    s.sophie
        .post(&s.at("/annulation"))
        .await
        .is(422)
        .shows("Cette action ne peut plus être annulée :");
    s.moves("complete").await;
    let marc = s.app.admin().await;
    marc.post(&s.at("/annulation"))
        .await
        .is(422)
        .shows("Sophie MARTIN a modifié l'opération depuis");
    sqlx::query("alter table operation_events disable trigger append_only")
        .execute(&s.app.app.db)
        .await
        .unwrap();
    sqlx::query("update operation_events set at = at - interval '11 minutes'")
        .execute(&s.app.app.db)
        .await
        .unwrap();
    s.sophie.post(&s.at("/annulation")).await.is(422).shows("plus de 10 minutes");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_117_who_may(db: PgPool) {
    let s = Story::new(db).await;
    let reader = s.app.reader().await;
    for path in ["", "/statut", "/technicien", "/segment", "/date", "/correction", "/modifier"] {
        s.karim.get(&s.at(path)).await.is(404);
        reader.get(&s.at(path)).await.is(404);
    }
    s.campaign.grant(&reader, "view").await;
    s.campaign.grant(&s.karim, "view").await;
    reader.get(&s.at("")).await.is(200).hides("Démarrer").hides("Corriger").hides("Nouvelle note");
    for path in [
        "/statut",
        "/technicien",
        "/segment",
        "/date",
        "/correction",
        "/annulation",
        "/modifier",
        "/notes",
    ] {
        reader.post(&s.at(path)).await.is(403);
    }
    s.karim.get(&s.at("/statut")).await.is(200).shows("En cours").hides("Annulé");
    s.karim
        .submit(&s.at("/statut"), &[("transition", "cancel")])
        .await
        .is(422)
        .shows("Transition non autorisée");
    s.karim.post(&s.at("/technicien")).await.is(403);
    assert!(s.kinds().await.is_empty());
    let other = s.app.campaign().named("Autre").run_by(&s.sophie).create().await;
    s.sophie.get(&other.path(&format!("operations/{}", s.operation))).await.is(404);
}
