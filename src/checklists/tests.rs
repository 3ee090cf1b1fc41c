// SPDX-License-Identifier: EUPL-1.2
//! Stories of checklists (US-501 to 505, 509; RG-031 to 034, 036).
use super::*;
use crate::{
    db::{Actor, Id, Tx},
    operations::Operation,
    testing::{Person, TestApp, TestCampaign},
};
use sqlx::PgPool;
use uuid::Uuid;

struct World {
    app: TestApp,
    sophie: Person,
    karim: Person,
    campaign: TestCampaign,
}

fn step(label: &str) -> Step {
    Step { label: label.into(), ..Step::blank() }
}

fn phase(label: &str, locked: bool, steps: &[Step]) -> Phase {
    Phase { label: label.into(), locked, steps: steps.to_vec(), ..Phase::blank() }
}

/// Preparation of two steps, one optional; then a locked migration of two.
fn definition() -> Definition {
    let optional = Step { required: false, ..step("Prévenir le service") };
    Definition {
        phases: vec![
            phase("Préparation", false, &[step("Sauvegarder le profil"), optional]),
            phase("Migration", true, &[step("Installer l’image"), step("Vérifier le démarrage")]),
        ],
    }
}

impl World {
    async fn new(db: PgPool) -> Self {
        let app = TestApp::new(db).await;
        let (sophie, karim) = (app.sophie().await, app.karim().await);
        let campaign = app.campaign().run_by(&sophie).create().await;
        Self { app, sophie, karim, campaign }
    }

    async fn tx(&self) -> Tx {
        let user =
            crate::accounts::find(&mut self.app.app.db.acquire().await.unwrap(), self.sophie.id())
                .await
                .unwrap()
                .unwrap();
        Tx::begin(&self.app.app, Actor::User(user), self.app.now()).await.unwrap()
    }

    /// A template with one published version: (template, version).
    async fn template(&self, name: &str, definition: &Definition) -> (Uuid, Uuid) {
        let mut tx = self.tx().await;
        let may = Compose::of(&tx).unwrap();
        let id = create_template(&mut tx, &may, name, "", definition).await.unwrap().unwrap();
        publish_template(&mut tx, &may, id, definition).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        (id, self.version(id).await)
    }

    async fn publish(&self, template: Uuid, definition: &Definition) -> Uuid {
        let mut tx = self.tx().await;
        let may = Compose::of(&tx).unwrap();
        publish_template(&mut tx, &may, template, definition).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        self.version(template).await
    }

    async fn version(&self, template: Uuid) -> Uuid {
        sqlx::query_scalar(
            "select id from checklist_versions where template_id = $1 order by number desc limit 1",
        )
        .bind(template)
        .fetch_one(&self.app.app.db)
        .await
        .unwrap()
    }

    async fn pin(&self, version: Uuid, not_started_too: bool) -> String {
        let version = version.to_string();
        let mut form = vec![("version", version.as_str())];
        if not_started_too {
            form.push(("non-commencees", "oui"));
        }
        let at = self.campaign.path("parametres/checklist");
        self.sophie.submit(&at, &form).await.redirects_to(&at).flash().unwrap()
    }

    async fn operation(&self, identifier: &str) -> Id<Operation> {
        self.campaign.operation(identifier, Some(&self.karim), None, None).await
    }

    async fn tick(
        &self,
        who: &Person,
        operation: Id<Operation>,
        step: Uuid,
        on: bool,
    ) -> crate::testing::Reply {
        let state = if on { "oui" } else { "non" };
        who.submit(&format!("/terrain/{operation}/etapes/{step}"), &[("etat", state)]).await
    }

    async fn level(&self, level: &str) {
        sqlx::query("update campaigns set finish_level = $1")
            .bind(level)
            .execute(&self.app.app.db)
            .await
            .unwrap();
    }

    async fn status(&self, operation: Id<Operation>, code: &str) {
        sqlx::query(
            "update operations o set status_id = w.id, category = w.category, started_at = coalesce(started_at, now()),
                    done_at = case when w.category = 'done' then now() end
             from workflow_statuses w join campaigns c on c.workflow_version_id = w.version_id where o.id = $1 and w.code = $2 and c.id = o.campaign_id",
        )
        .bind(operation.uuid())
        .bind(code)
        .execute(&self.app.app.db)
        .await
        .unwrap();
    }

    /// What an operation's checklist is, byte for byte: its steps and their order, and its ticks.
    async fn frozen_as(&self, operation: Id<Operation>) -> String {
        sqlx::query_scalar(
            "select v.definition::text || coalesce((select string_agg(t.step_id::text || t.by_id::text || t.at::text, ',' order by t.step_id)
               from ticks t where t.operation_id = k.operation_id), '')
             from checklists k join checklist_versions v on v.id = k.version_id where k.operation_id = $1",
        )
        .bind(operation.uuid())
        .fetch_one(&self.app.app.db)
        .await
        .unwrap()
    }
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_501_502_505_ticks_progress_and_locked_phases(db: PgPool) {
    let w = World::new(db).await;
    let kind = definition();
    let (_, version) = w.template("Poste", &kind).await;
    let before = w.operation("A0").await;
    w.pin(version, false).await;
    let op = w.operation("A1").await;
    w.karim.get(&format!("/terrain/{before}")).await.hides("Checklist");
    let page = w.karim.get(&format!("/terrain/{op}")).await;
    page.shows("Poste, version 1")
        .shows("0/4 étapes")
        .shows("Verrouillée : terminez « Préparation »");
    let steps: Vec<Uuid> = kind.steps().map(|s| s.id).collect();
    // A forged tick of a locked phase, of another checklist, by somebody else.
    w.tick(&w.karim, op, steps[2], true)
        .await
        .is(422)
        .shows("Terminez d’abord la phase « Préparation »");
    w.tick(&w.karim, op, Uuid::now_v7(), true).await.is(404);
    w.tick(&w.karim, before, steps[0], true).await.is(404);
    w.tick(&w.sophie, op, steps[0], true).await.is(403);
    w.tick(&w.karim, op, steps[0], true).await.is(303);
    let page = w.karim.get(&format!("/terrain/{op}")).await;
    page.shows("1/4 étapes").shows("Karim BENALI").hides("Verrouillée");
    w.karim.get("/terrain").await.shows("1/4 étapes");
    w.sophie
        .get(&w.campaign.path("operations"))
        .await
        .shows("Étapes")
        .shows("1/4 étapes de NOM A1");
    for (code, found) in [
        ("aucune", "1 résultat (sur 2)"),
        ("en-cours", "1 résultat (sur 2)"),
        ("complete", "0 résultat (sur 2)"),
    ] {
        w.sophie.get(&w.campaign.path(&format!("operations?checklist={code}"))).await.shows(found);
    }
    // Set, not toggled: the same again changes nothing, the first author stays.
    w.tick(&w.karim, op, steps[0], true).await.is(303);
    assert_eq!(w.app.count("select count(*) from operation_events where kind = 'ticked'").await, 1);
    for step in &steps[2..] {
        w.tick(&w.karim, op, *step, true).await.is(303);
    }
    w.karim.get(&format!("/terrain/{op}")).await.shows("Complète, 1 facultative non cochée");
    // Unticked before: locked again, its ticks kept.
    w.tick(&w.karim, op, steps[0], false).await.is(303);
    let page = w.karim.get(&format!("/terrain/{op}")).await;
    page.shows("2/4 étapes")
        .shows("Verrouillée : terminez « Préparation »")
        .shows("Étape décochée : Sauvegarder le profil");
    assert_eq!(w.app.count("select count(*) from ticks").await, 2);
    w.tick(&w.karim, op, steps[0], true).await.is(303);
    // Finished: the technician no more, whoever configures still does.
    w.status(op, "done").await;
    w.tick(&w.karim, op, steps[1], true)
        .await
        .is(422)
        .shows("Intervention terminée : la checklist ne peut plus être modifiée.");
    let desk = w.campaign.path(&format!("operations/{op}/etapes/{}", steps[1]));
    w.sophie.submit(&desk, &[("etat", "oui")]).await.is(303);
    w.sophie
        .get(&w.campaign.path(&format!("operations/{op}")))
        .await
        .shows("4/4 étapes")
        .shows("Sophie MARTIN");
    w.karim.submit(&desk, &[("etat", "non")]).await.is(404);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_501_3_two_people_tick_at_once(db: PgPool) {
    let w = World::new(db).await;
    let flat = Definition {
        phases: vec![phase(
            "",
            false,
            &(0..8).map(|n| step(&format!("Étape {n}"))).collect::<Vec<_>>(),
        )],
    };
    let (_, version) = w.template("Plat", &flat).await;
    w.pin(version, false).await;
    let op = w.operation("A1").await;
    let steps: Vec<Uuid> = flat.steps().map(|s| s.id).collect();
    let all = steps.iter().chain(&steps).map(|step| w.tick(&w.karim, op, *step, true));
    for reply in futures::future::join_all(all).await {
        reply.is(303);
    }
    assert_eq!(w.app.count("select count(*) from ticks").await, 8);
    assert_eq!(w.app.count("select required_done::bigint from checklists").await, 8);
    assert_eq!(w.app.count("select count(*) from operation_events where kind = 'ticked'").await, 8);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_509_a_value_and_its_tick_are_saved_together_or_not_at_all(db: PgPool) {
    let w = World::new(db).await;
    sqlx::query("update campaign_fields set kind = 'number' where number = 4")
        .execute(&w.app.app.db)
        .await
        .unwrap();
    let capturing = Step { capture: "lieu".into(), ..step("Relever l’étage") };
    let kind = Definition { phases: vec![phase("", false, std::slice::from_ref(&capturing))] };
    let (_, version) = w.template("Relevé", &kind).await;
    w.pin(version, false).await;
    let op = w.operation("A1").await;
    let at = format!("/terrain/{op}/etapes/{}", capturing.id);
    let wrong = w.karim.submit(&at, &[("etat", "oui"), ("valeur", "troisième")]).await;
    wrong.is(422).shows("Nombre invalide");
    assert!(wrong.body.contains(r#"value="troisième""#), "nothing typed is lost");
    assert_eq!(w.app.count("select count(*) from ticks").await, 0);
    w.karim.submit(&at, &[("etat", "oui"), ("valeur", "3")]).await.is(303);
    assert_eq!(
        w.app
            .count("select count(*) from operations where values ->> '4' = '3' and version = 2")
            .await,
        1
    );
    w.karim.get(&format!("/terrain/{op}")).await.shows("Données modifiées").shows("lieu : 3");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_036_finishing_with_open_steps_asks_or_refuses(db: PgPool) {
    let w = World::new(db).await;
    let (_, version) = w.template("Poste", &definition()).await;
    w.pin(version, false).await;
    let op = w.operation("A1").await;
    w.status(op, "in_progress").await;
    let finish = [("transition", "complete")];
    let at = format!("/terrain/{op}/statut");
    w.karim
        .submit(&at, &finish)
        .await
        .is(422)
        .shows("3 étapes obligatoires ne sont pas cochées. Terminer quand même ?");
    w.level("block").await;
    w.karim
        .submit(&at, &[finish[0], ("malgre", "oui")])
        .await
        .is(422)
        .shows("cochez-les avant de terminer");
    let desk = w.campaign.path(&format!("operations/{op}/statut/complete"));
    w.sophie.submit(&desk, &[("malgre", "oui")]).await.is(422).shows("Indiquez un motif");
    w.level("warn").await;
    w.karim.submit(&at, &[finish[0], ("malgre", "oui")]).await.is(303);
    assert_eq!(w.app.count("select count(*) from operations where category = 'done'").await, 1);
    // A campaign that asks nothing.
    w.level("free").await;
    let other = w.operation("A2").await;
    w.status(other, "in_progress").await;
    w.karim.submit(&format!("/terrain/{other}/statut"), &finish).await.is(303);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_503_504_written_published_and_never_altered(db: PgPool) {
    let w = World::new(db).await;
    let list = w.sophie.get("/checklists").await;
    list.is(200).shows("Aucun modèle.");
    w.karim.get("/checklists").await.is(403);
    let path =
        w.sophie.submit("/checklists", &[("nom", "Poste")]).await.is(303).location.clone().unwrap();
    w.sophie
        .submit("/checklists", &[("nom", "poste")])
        .await
        .is(422)
        .shows("Un modèle porte déjà ce nom");
    w.sophie.get(&path).await.shows("Brouillon de la version 1");
    let id = Uuid::now_v7().to_string();
    let named = |label: &'static str, version: &'static str, gesture: &'static str| {
        vec![
            ("version", version.to_owned()),
            ("geste", gesture.to_owned()),
            ("p-0-id", id.clone()),
            ("p-0-e-0-id", id.clone()),
            ("p-0-e-0-nom", label.to_owned()),
            ("p-0-e-0-obligatoire", "oui".to_owned()),
        ]
    };
    let send = async |form: Vec<(&'static str, String)>| {
        let pairs: Vec<_> = form.iter().map(|(k, v)| (*k, v.as_str())).collect();
        w.sophie.submit(&path, &pairs).await
    };
    send(named("", "1", "publier")).await.is(422).shows("Une étape n’a pas de libellé");
    // Another person's draft is not overwritten silently.
    send(named("Autre", "1", "enregistrer")).await.is(409).shows("a modifié ce brouillon");
    for version in ["2", "3", "4"] {
        send(named(if version == "3" { "Sauver" } else { "Sauvegarder" }, version, "enregistrer"))
            .await
            .is(303);
    }
    send(named("Sauvegarder", "5", "publier")).await.is(303);
    assert_eq!(
        w.app.count("select max(number)::bigint from checklist_versions").await,
        1,
        "ten edits, one version"
    );
    let show = path.strip_suffix("/brouillon").unwrap().to_owned();
    w.sophie.get(&show).await.is(200).shows("v1").shows("Sauvegarder");
    w.sophie.post(&format!("{show}/copie")).await.is(303);
    w.sophie.get("/checklists").await.shows("Poste (copie)");
    for sql in [
        "update checklist_versions set number = 9",
        "delete from checklist_versions",
        "update ticks set at = now()",
    ] {
        let tried = sqlx::raw_sql(sql).execute(&w.app.app.db).await;
        assert!(tried.is_err() || sql.contains("ticks"), "{sql}");
    }
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_504_3_a_campaign_upgrades_what_is_not_started(db: PgPool) {
    let w = World::new(db).await;
    let kind = definition();
    let (template, first) = w.template("Poste", &kind).await;
    w.pin(first, false).await;
    let (ticked, started, fresh) =
        (w.operation("A1").await, w.operation("A2").await, w.operation("A3").await);
    let step = kind.steps().next().unwrap().id;
    w.tick(&w.karim, ticked, step, true).await.is(303);
    w.tick(&w.karim, ticked, step, false).await.is(303);
    w.status(started, "in_progress").await;
    let mut next = kind.clone();
    next.phases[0].steps.remove(0);
    let second = w.publish(template, &next).await;
    let settings = w.campaign.path("parametres/checklist");
    w.sophie
        .get(&settings)
        .await
        .shows("Une v2 est disponible")
        .shows("1 opération à planifier")
        .shows("2 gardent la leur");
    let kept = [w.frozen_as(ticked).await, w.frozen_as(started).await];
    let said = w.pin(second, true).await;
    assert!(said.contains("1 opération non commencée"), "{said}");
    assert_eq!(kept, [w.frozen_as(ticked).await, w.frozen_as(started).await]);
    w.karim.get(&format!("/terrain/{fresh}")).await.shows("Poste, version 2").shows("0/3 étapes");
    w.karim.get(&format!("/terrain/{ticked}")).await.shows("Poste, version 1");
    // The base refuses what no command asks.
    let forced = sqlx::query("update checklists set version_id = $1 where ticked")
        .bind(second)
        .execute(&w.app.app.db)
        .await;
    assert_eq!(crate::db::sqlstate(&forced.unwrap_err()).as_deref(), Some("OT013"));
    let foreign = sqlx::query(
        "insert into ticks (operation_id, step_id, at) values ($1, gen_random_uuid(), now())",
    )
    .bind(fresh.uuid())
    .execute(&w.app.app.db)
    .await;
    assert_eq!(crate::db::sqlstate(&foreign.unwrap_err()).as_deref(), Some("OT013"));
}

/// The snapshot rule under any sequence of edits, publications, upgrades, ticks and unticks: a started
/// checklist keeps its structure byte for byte, and what is finished stays finished.
#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_031_any_story_leaves_started_checklists_as_they_are(db: PgPool) {
    let w = World::new(db).await;
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut draw = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % below as u64) as usize
    };
    let flat = |n: usize| Definition {
        phases: vec![phase(
            "Une",
            false,
            &(0..n).map(|i| step(&format!("É{i}"))).collect::<Vec<_>>(),
        )],
    };
    let mut kind = flat(3);
    let (template, first) = w.template("Vivant", &kind).await;
    w.pin(first, false).await;
    let mut operations = Vec::new();
    for n in 0..5 {
        operations.push(w.operation(&format!("A{n}")).await);
    }
    let structure = async |op: Id<Operation>| -> (String, bool, bool) {
        sqlx::query_as(
            "select v.definition::text, k.ticked, k.required_done = k.required_total from checklists k join checklist_versions v on v.id = k.version_id where k.operation_id = $1",
        )
        .bind(op.uuid())
        .fetch_one(&w.app.app.db)
        .await
        .unwrap()
    };
    let mut started: std::collections::HashMap<Id<Operation>, String> = Default::default();
    for turn in 0..60 {
        match draw(6) {
            0 => {
                let at = draw(kind.phases[0].steps.len() + 1);
                kind.phases[0].steps.insert(at, step(&format!("Tour {turn}")));
            }
            1 if kind.phases[0].steps.len() > 1 => {
                let at = draw(kind.phases[0].steps.len());
                kind.phases[0].steps.remove(at);
            }
            2 => {
                let version = w.publish(template, &kind).await;
                w.pin(version, draw(2) == 0).await;
            }
            _ => {
                let op = operations[draw(operations.len())];
                let (definition, ..) = structure(op).await;
                let frozen: Definition = serde_json::from_str(&definition).unwrap();
                let steps: Vec<Uuid> = frozen.steps().map(|s| s.id).collect();
                w.tick(&w.karim, op, steps[draw(steps.len())], draw(3) > 0).await.is(303);
            }
        }
        for op in &operations {
            let (definition, ticked, _) = structure(*op).await;
            if let Some(known) = started.get(op) {
                assert_eq!(*known, definition, "turn {turn}");
            } else if ticked {
                started.insert(*op, definition);
            }
        }
    }
    assert!(started.len() >= 4, "the story starts them");
    // Finished at 100 %, whatever follows.
    let op = operations[0];
    let frozen: Definition = serde_json::from_str(&structure(op).await.0).unwrap();
    for step in frozen.steps() {
        w.tick(&w.karim, op, step.id, true).await.is(303);
    }
    w.status(op, "done").await;
    let version = w.publish(template, &flat(7)).await;
    w.pin(version, true).await;
    let (_, _, complete) = structure(op).await;
    assert!(complete);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_031_an_import_and_an_activation_freeze_the_latest_version(db: PgPool) {
    let w = World::new(db).await;
    let (template, first) = w.template("Poste", &definition()).await;
    sqlx::query(
        "update campaigns set activated_at = null, status = 'draft', checklist_version_id = $1",
    )
    .bind(first)
    .execute(&w.app.app.db)
    .await
    .unwrap();
    let file = b"Matricule;Nom\nB1;MARTIN\nB2;PETIT\n";
    crate::testing::import(&w.app, &w.sophie, &w.campaign, "parc.csv", file).await;
    assert_eq!(w.app.count("select count(*) from checklists").await, 0);
    w.publish(template, &definition()).await;
    let workflow: Uuid = sqlx::query_scalar("select workflow_version_id from campaigns")
        .fetch_one(&w.app.app.db)
        .await
        .unwrap();
    let (workflow, first) = (workflow.to_string(), w.version(template).await.to_string());
    let form = [
        ("workflow", workflow.as_str()),
        ("niveau", "warn"),
        ("heure", "09:00"),
        ("visibilite", "restreinte"),
        ("checklist", first.as_str()),
    ];
    w.sophie.submit(&w.campaign.path("assistant/4"), &form).await.is(303);
    let latest = "select count(*) from checklists k join checklist_versions v on v.id = k.version_id where v.number = 2";
    assert_eq!(w.app.count(latest).await, 2);
    crate::testing::import(
        &w.app,
        &w.sophie,
        &w.campaign,
        "suite.csv",
        b"Matricule;Nom\nB3;DURAND\n",
    )
    .await;
    assert_eq!(w.app.count(latest).await, 3);
}
