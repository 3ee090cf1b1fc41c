// SPDX-License-Identifier: EUPL-1.2
//! Stories of gates (US-907, US-407.6; RG-094).
use super::{
    opening_blocked,
    tests::{add, path, set},
};
use crate::{
    accounts::Role,
    campaigns::Segment,
    db::Id,
    operations::Operation,
    testing::{Person, Reply, TestApp, TestCampaign},
};
use sqlx::PgPool;
use std::time::Duration;

const GATE: &str = "Câblage réseau vérifié";
const REFUSAL: &str = "Démarrage bloqué : « Câblage réseau vérifié » (responsable : Tech. Infra)";

struct World {
    app: TestApp,
    sophie: Person,
    karim: Person,
    campaign: TestCampaign,
    segment: Id<Segment>,
}

impl World {
    async fn new(db: PgPool) -> Self {
        let app = TestApp::new(db).await;
        let (sophie, karim) = (app.sophie().await, app.karim().await);
        let campaign = app.campaign().run_by(&sophie).create().await;
        let segment = campaign.segment("Bâtiment C").await;
        Self { app, sophie, karim, campaign, segment }
    }

    /// A gate on the start, of the segment or of the campaign.
    async fn gate(&self, of_segment: bool) {
        let segment = self.segment.to_string();
        let mut form = vec![("responsable", "Tech. Infra"), ("demarrage", "oui")];
        if of_segment {
            form.push(("segment", &segment));
        }
        add(&self.sophie, &self.campaign, GATE, &form).await;
    }

    async fn operation(&self, identifier: &str, segment: Option<Id<Segment>>) -> Id<Operation> {
        self.campaign.operation(identifier, Some(&self.karim), segment, None).await
    }

    async fn start(&self, who: &Person, op: Id<Operation>) -> Reply {
        self.apply(who, op, "start").await
    }

    async fn apply(&self, who: &Person, op: Id<Operation>, transition: &str) -> Reply {
        let path = self.campaign.path(&format!("operations/{op}/statut/{transition}"));
        who.submit(&path, &[("motif", "")]).await
    }

    async fn set(&self, to: &str) -> String {
        set(&self.app, &self.sophie, &self.campaign, GATE, to).await
    }

    async fn force(&self, who: &Person, reason: &str) -> Reply {
        let path = path(&self.app, &self.campaign, GATE).await;
        who.submit(&format!("{path}/forcage"), &[("motif", reason)]).await
    }
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_907_1_a_gate_not_done_refuses_the_start_in_its_scope_only(db: PgPool) {
    let w = World::new(db).await;
    let (inside, outside, none) = (
        w.operation("C1", Some(w.segment)).await,
        w.operation("D1", Some(w.campaign.segment("Bâtiment D").await)).await,
        w.operation("E1", None).await,
    );
    w.gate(true).await;
    w.start(&w.sophie, inside).await.is(422).shows(REFUSAL);
    // The technician on his own screen meets the same words (US-407.6).
    w.karim
        .submit(&format!("/terrain/{inside}/statut"), &[("transition", "start")])
        .await
        .is(422)
        .shows(REFUSAL);
    w.set("in_progress").await;
    w.start(&w.sophie, inside).await.is(422).shows(REFUSAL);
    for free in [outside, none] {
        w.start(&w.sophie, free).await.is(303);
    }
    w.sophie
        .get(&w.campaign.path(&format!("operations/{inside}")))
        .await
        .shows(REFUSAL)
        .shows("Forcer le démarrage");
    w.sophie
        .get(&w.campaign.path("tableau-de-bord"))
        .await
        .shows("1 prérequis bloquant")
        .shows("Bâtiment C");
    w.set("done").await;
    w.start(&w.sophie, inside).await.is(303);
    w.sophie.get(&w.campaign.path("tableau-de-bord")).await.hides("prérequis bloquant");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_907_4_nothing_marked_blocks_nothing_and_a_global_gate_blocks_all(db: PgPool) {
    let w = World::new(db).await;
    let (one, two) = (w.operation("C1", Some(w.segment)).await, w.operation("E1", None).await);
    add(&w.sophie, &w.campaign, "Salle réservée", &[]).await;
    add(&w.sophie, &w.campaign, "Notice signée", &[("ouverture", "oui")]).await;
    w.start(&w.sophie, one).await.is(303);
    w.gate(false).await;
    w.start(&w.sophie, two).await.is(422).shows(REFUSAL);
    // A correction is no way round.
    let correction = w.campaign.path(&format!("operations/{two}/correction"));
    w.sophie
        .submit(&correction, &[("statut", "in_progress"), ("motif", "Oublié hier")])
        .await
        .is(422)
        .shows(REFUSAL);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_094_what_has_started_goes_on_with_a_warning(db: PgPool) {
    let w = World::new(db).await;
    let (running, waiting) =
        (w.operation("C1", Some(w.segment)).await, w.operation("C2", Some(w.segment)).await);
    w.gate(true).await;
    w.set("done").await;
    w.start(&w.karim_as_view().await, running).await.is(303);
    assert_eq!(
        w.set("todo").await,
        "« Câblage réseau vérifié » : À faire. Il bloque désormais le démarrage ; une opération déjà démarrée continue."
    );
    w.sophie.get(&w.campaign.path("prerequis")).await.shows("1 opération déjà démarrée continue");
    for transition in ["report_problem", "unblock", "postpone", "replan"] {
        w.apply(&w.sophie, running, transition).await.is(303);
    }
    w.start(&w.sophie, running).await.is(303);
    w.start(&w.sophie, waiting).await.is(422).shows(REFUSAL);
}

impl World {
    /// Karim, who also sees the campaign.
    async fn karim_as_view(&self) -> Person {
        self.campaign.grant(&self.karim, "view").await;
        self.karim.clone()
    }
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_907_3_a_prerequisite_is_forced_with_a_reason_seen_by_all(db: PgPool) {
    let w = World::new(db).await;
    let op = w.operation("C1", Some(w.segment)).await;
    w.gate(true).await;
    w.force(&w.sophie, "  ").await.is(422).shows("Indiquez un motif.");
    w.force(&w.sophie, "bof").await.is(422).shows("de 5 à 500 caractères");
    w.karim_as_view().await;
    w.force(&w.karim, "Je suis sur place").await.is(403);
    w.force(&w.sophie, "Vérifié par téléphone").await.is(303);
    let list = w.sophie.get(&w.campaign.path("prerequis")).await;
    list.shows("forcé").shows("Forcé par Sophie MARTIN").shows("Vérifié par téléphone");
    w.start(&w.sophie, op).await.is(303);
    w.force(&w.sophie, "Encore une fois").await.is(422).shows("ne bloque plus rien");
    let path = path(&w.app, &w.campaign, GATE).await;
    w.sophie.post(&format!("{path}/blocage")).await.is(303);
    w.sophie.post(&format!("{path}/blocage")).await.is(422);
    let next = w.operation("C2", Some(w.segment)).await;
    w.start(&w.sophie, next).await.is(422).shows(REFUSAL);
    w.force(&w.sophie, "Vérifié par téléphone").await.is(303);
    w.set("done").await;
    w.set("todo").await;
    w.start(&w.sophie, next).await.is(422).shows(REFUSAL);
    let traced = w.app.count("select count(*) from audit_entries where action = 'gate.forced' and reason = 'Vérifié par téléphone'").await;
    assert_eq!(traced, 2);
    let paul = w.app.person("Paul", "Moreau", &[Role::CampaignManager]).await;
    w.campaign.grant(&paul, "configure").await;
    w.force(&paul, "Vu avec le réseau").await.is(303);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_907_3_one_operation_is_let_through_the_gates_of_that_moment(db: PgPool) {
    let w = World::new(db).await;
    let (op, other) =
        (w.operation("C1", Some(w.segment)).await, w.operation("C2", Some(w.segment)).await);
    w.gate(true).await;
    let path = w.campaign.path(&format!("operations/{op}/forcage"));
    w.sophie.get(&path).await.is(200).shows("Câblage réseau vérifié");
    w.sophie.post(&path).await.is(422).shows("Indiquez un motif.");
    w.karim_as_view().await;
    w.karim.submit(&path, &[("motif", "Je suis sur place")]).await.is(403);
    w.sophie.submit(&path, &[("motif", "Poste en 4G")]).await.is(303);
    w.sophie
        .submit(&path, &[("motif", "Poste en 4G")])
        .await
        .is(422)
        .shows("Aucun prérequis ne bloque");
    add(&w.sophie, &w.campaign, "Licence acquise", &[("demarrage", "oui")]).await;
    w.start(&w.sophie, op).await.is(422).shows("« Licence acquise »").hides("Câblage");
    w.sophie.submit(&path, &[("motif", "Licence reçue ce matin")]).await.is(303);
    w.start(&w.sophie, op).await.is(303);
    w.start(&w.sophie, other).await.is(422);
    let page = w.sophie.get(&w.campaign.path(&format!("operations/{op}"))).await;
    page.shows("forcé")
        .shows("Poste en 4G")
        .shows("Licence reçue ce matin")
        .shows("par Sophie MARTIN");
    let elsewhere = w.app.campaign().named("Autre").run_by(&w.sophie).create().await;
    w.sophie.get(&elsewhere.path(&format!("operations/{op}/forcage"))).await.is(404);
    assert_eq!(w.app.audit().await.iter().filter(|action| *action == "gate.passed").count(), 2);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_094_bulk_counts_a_gate_as_a_cause_before_and_in_its_log(db: PgPool) {
    let w = World::new(db).await;
    for n in 0..4 {
        w.operation(&format!("C{n}"), Some(w.segment)).await;
    }
    for n in 0..3 {
        w.operation(&format!("E{n}"), None).await;
    }
    w.gate(true).await;
    let form = [("tout", "oui"), ("geste", "statut"), ("valeur", "start")];
    let reply = w.sophie.submit(&w.campaign.path("operations/lot"), &form).await;
    let lot = reply.is(303).location.clone().unwrap();
    let preview = w.sophie.get(&lot).await;
    preview.shows("3 opérations seront modifiées").shows(REFUSAL).shows("Appliquer à 3 opérations");
    w.sophie.post(&format!("{lot}/application")).await.redirects_to(&lot);
    w.app.drain().await;
    assert_eq!(w.app.count("select count(*) from operations where category = 'in_progress' and segment_id is null").await, 3);
    assert_eq!(
        w.app.count("select count(*) from operations where category = 'in_progress'").await,
        3
    );
    assert_eq!(w.app.count("select count(*) from bulk_items where outcome = 'refused' and why like 'Démarrage bloqué%'").await, 4);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_907_2_what_blocks_the_opening_is_told(db: PgPool) {
    let w = World::new(db).await;
    let mut conn = w.app.app.db.acquire().await.unwrap();
    assert!(opening_blocked(&mut conn, w.campaign.id).await.is_ok());
    for label in ["Notice signée", "Salle réservée"] {
        add(&w.sophie, &w.campaign, label, &[("ouverture", "oui")]).await;
    }
    let segment = w.segment.to_string();
    add(&w.sophie, &w.campaign, "Local ouvert", &[("ouverture", "oui"), ("segment", &segment)])
        .await;
    let refused = opening_blocked(&mut conn, w.campaign.id).await.unwrap_err().to_string();
    assert_eq!(
        refused.replace('\u{a0}', " "),
        "Ouverture impossible : 2 prérequis bloquants : « Notice signée », « Salle réservée »"
    );
    set(&w.app, &w.sophie, &w.campaign, "Notice signée", "done").await;
    let path = path(&w.app, &w.campaign, "Salle réservée").await;
    w.sophie.submit(&format!("{path}/forcage"), &[("motif", "Salle voisine")]).await.is(303);
    assert!(
        opening_blocked(&mut conn, w.campaign.id).await.is_ok(),
        "a gate of a segment keeps its slots, not the campaign's opening"
    );
}

/// A start waits for whoever is changing the gate, and whoever changes it waits for a start.
#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_094_the_check_holds_against_a_change_under_way(db: PgPool) {
    let w = World::new(db.clone()).await;
    let op = w.operation("C1", Some(w.segment)).await;
    w.gate(true).await;
    w.set("done").await;
    let mut closing = db.begin().await.unwrap();
    sqlx::query("update prerequisites set status = 'todo'").execute(&mut *closing).await.unwrap();
    let start = w.start(&w.sophie, op);
    tokio::pin!(start);
    assert!(
        tokio::time::timeout(Duration::from_millis(300), &mut start).await.is_err(),
        "it waits"
    );
    closing.commit().await.unwrap();
    start.await.is(422).shows(REFUSAL);

    w.set("done").await;
    let mut tx = crate::db::Tx::begin(
        &w.app.app,
        crate::db::Actor::User(w.sophie.user.clone().unwrap()),
        w.app.now(),
    )
    .await
    .unwrap();
    let operation = tx.authorize_to_change(crate::operations::Act, op).await.unwrap();
    let change = crate::operations::Change { transition: "start".into(), ..Default::default() };
    crate::operations::transition(&mut tx, &operation, change).await.unwrap();
    let closing = w.set("todo");
    tokio::pin!(closing);
    assert!(
        tokio::time::timeout(Duration::from_millis(300), &mut closing).await.is_err(),
        "and is waited for"
    );
    tx.commit().await.unwrap();
    assert!(closing.await.contains("une opération déjà démarrée continue"));
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_094_what_was_let_pass_for_the_opening_still_blocks_the_start(db: PgPool) {
    let w = World::new(db).await;
    let one = w.operation("C1", None).await;
    add(&w.sophie, &w.campaign, GATE, &[("responsable", "Tech. Infra"), ("ouverture", "oui")])
        .await;
    w.force(&w.sophie, "La salle est prête depuis hier").await.is(303);
    let at = path(&w.app, &w.campaign, GATE).await;
    let form = [
        ("libelle", GATE),
        ("avant-libelle", GATE),
        ("responsable", "Tech. Infra"),
        ("avant-responsable", "Tech. Infra"),
        ("ouverture", "oui"),
        ("avant-ouverture", "oui"),
        ("demarrage", "oui"),
    ];
    w.sophie.submit(&at, &form).await.is(303);
    w.start(&w.sophie, one).await.is(422).shows(REFUSAL);
}
