// SPDX-License-Identifier: EUPL-1.2
//! Many operations at once: what is announced is what is done, and it can be taken back.
use crate::testing::{Person, TestApp, TestCampaign};
use sqlx::PgPool;
use uuid::Uuid;

struct Scene {
    app: TestApp,
    sophie: Person,
    karim: Person,
    campaign: TestCampaign,
    operations: Vec<Uuid>,
}

impl Scene {
    /// A campaign of five operations, nobody's.
    async fn new(db: PgPool) -> Self {
        let app = TestApp::new(db).await;
        let (sophie, karim) = (app.sophie().await, app.karim().await);
        let campaign = app.campaign().run_by(&sophie).create().await;
        let mut operations = Vec::new();
        for name in ["A1", "A2", "A3", "A4", "A5"] {
            operations.push(campaign.operation(name, None, None, None).await.uuid());
        }
        Self { app, sophie, karim, campaign, operations }
    }

    /// Prepares a gesture on these operations, or on all; the address of its page.
    async fn prepare(&self, chosen: &[usize], pairs: &[(&str, &str)]) -> String {
        let ids: Vec<String> = chosen.iter().map(|i| self.operations[*i].to_string()).collect();
        let mut form: Vec<(&str, &str)> = ids.iter().map(|id| ("op", id.as_str())).collect();
        form.extend(pairs);
        let reply = self.sophie.submit(&self.campaign.path("operations/lot"), &form).await;
        reply.is(303);
        reply.location.unwrap()
    }

    async fn confirm(&self, at: &str) {
        self.sophie.post(&format!("{at}/application")).await.redirects_to(at);
        self.app.drain().await;
    }

    async fn undo(&self, at: &str) {
        let lot: Uuid = at.rsplit('/').next().unwrap().parse().unwrap();
        let state: String = sqlx::query_scalar("select state from bulk_actions where id = $1")
            .bind(lot)
            .fetch_one(&self.app.app.db)
            .await
            .unwrap();
        // Twice, as a hurried hand does.
        for _ in 0..2 {
            let form = [("etat", state.as_str())];
            self.sophie.submit(&format!("{at}/annulation"), &form).await.redirects_to(at);
            self.app.drain().await;
        }
    }

    async fn assigned(&self) -> i64 {
        self.app.count("select count(*) from operations where assignee_id is not null").await
    }

    async fn set(&self, index: usize, sql: &'static str) {
        sqlx::query(sql).bind(self.operations[index]).execute(&self.app.app.db).await.unwrap();
    }
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_310_1_assign_a_selection_then_take_it_back(db: PgPool) {
    let s = Scene::new(db).await;
    let karim = s.karim.id().to_string();
    let page = s.sophie.get(&s.campaign.path("operations")).await;
    page.shows("Modifier la sélection").shows("Modifier toutes les opérations");
    let at = s.prepare(&[0, 1, 2], &[("geste", "technicien"), ("valeur", &karim)]).await;
    s.sophie
        .get(&at)
        .await
        .shows("Technicien : Karim BENALI")
        .shows("3 opérations seront modifiées.");
    assert_eq!(s.assigned().await, 0, "nothing before « Appliquer »");
    s.confirm(&at).await;
    s.confirm(&at).await;
    assert_eq!(s.assigned().await, 3);
    let traced = s.app.audit().await;
    assert_eq!(traced.iter().filter(|a| *a == "operation.assigned").count(), 3);
    assert_eq!(traced.iter().filter(|a| *a == "bulk.confirmed").count(), 1);
    // One of them goes on by itself: it is kept.
    s.set(1, "update operations set label = 'AUTRE', version = version + 1 where id = $1").await;
    s.undo(&at).await;
    assert_eq!(s.assigned().await, 1);
    s.sophie.get(&at).await.shows("Rétablies 2").shows("Conservées 1").shows("AUTRE — modifiée");
    // And the undo is undone.
    s.undo(&at).await;
    assert_eq!(s.assigned().await, 3);
    s.sophie.get(&at).await.shows("Modifiées 3").shows("Terminée");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_310_2_what_does_not_apply_is_announced_and_left(db: PgPool) {
    let s = Scene::new(db).await;
    let done = "update operations o set status_id = w.id, category = w.category from workflow_statuses w join campaigns c on c.workflow_version_id = w.version_id
                where c.id = o.campaign_id and w.code = 'done' and o.id = $1";
    s.set(0, done).await;
    let at = s.prepare(&[], &[("tout", "oui"), ("geste", "statut"), ("valeur", "start")]).await;
    let late =
        s.prepare(&[1, 2], &[("geste", "statut"), ("valeur", "cancel"), ("motif", "oui")]).await;
    s.sophie
        .get(&late)
        .await
        .shows("0 opération sera modifiée.")
        .shows("le motif doit compter de 5 à 500 caractères");
    s.sophie
        .get(&at)
        .await
        .shows("4 opérations seront modifiées.")
        .shows("Statut « Réalisé » : transition impossible — 1 opération");
    // Changed between the preview and the run: treated by its state then, and reported.
    s.set(1, done).await;
    s.confirm(&at).await;
    s.sophie
        .get(&at)
        .await
        .shows("Modifiées 3")
        .shows("Non applicables 2")
        .shows("Transition non autorisée");
    let under_way = "select count(*) from operations where category = 'in_progress'";
    assert_eq!(s.app.count(under_way).await, 3);
    let events = "select count(*) from operation_events where kind = 'transition'";
    assert_eq!(s.app.count(events).await, 3);
    s.undo(&at).await;
    assert_eq!(s.app.count(under_way).await, 0);
    assert_eq!(s.app.count("select count(*) from operations where category = 'todo'").await, 3);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_028_filters_dates_segments_and_notes(db: PgPool) {
    let s = Scene::new(db).await;
    let segment = s.campaign.segment("Bâtiment A").await.to_string();
    let at = s
        .prepare(&[], &[("tout", "oui"), ("q", "a3"), ("geste", "segment"), ("valeur", &segment)])
        .await;
    s.confirm(&at).await;
    assert_eq!(
        s.app
            .count(
                "select count(*) from operations where segment_id is not null and identifier = 'A3'"
            )
            .await,
        1
    );
    assert_eq!(s.app.count("select count(*) from bulk_items").await, 1, "the filter is obeyed");
    let day = crate::web::format::short(crate::clock::day(s.app.now()));
    let at = s.prepare(&[0, 1], &[("geste", "date"), ("date", &day), ("heure", "14h30")]).await;
    s.confirm(&at).await;
    let planned = "select count(*) from operations where planned_at is not null";
    assert_eq!(s.app.count(planned).await, 2);
    s.undo(&at).await;
    assert_eq!(s.app.count(planned).await, 0);
    let initial = "select count(*) from operations where initial_planned_at is not null";
    assert_eq!(s.app.count(initial).await, 0);
    let at = s.prepare(&[0], &[("geste", "note"), ("note", "Passer par l’accueil")]).await;
    s.confirm(&at).await;
    assert_eq!(s.app.count("select count(*) from operation_notes").await, 1);
    let form = [("etat", "done")];
    s.sophie
        .submit(&format!("{at}/annulation"), &form)
        .await
        .is(422)
        .shows("Les notes ne s’annulent pas.");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_182_what_a_stop_left_is_not_done_by_doing_it_again(db: PgPool) {
    let s = Scene::new(db).await;
    let karim = s.karim.id().to_string();
    let at = s.prepare(&[0, 1], &[("geste", "technicien"), ("valeur", &karim)]).await;
    s.sophie.post(&format!("{at}/application")).await.is(303);
    s.undo(&at).await; // « Arrêter », before the worker began
    s.sophie.get(&at).await.shows("Arrêtée").shows("Non traitées 2");
    s.undo(&at).await;
    s.undo(&at).await; // « Appliquer de nouveau »
    assert_eq!(s.assigned().await, 0);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_028_faults_come_back_and_rights_hold(db: PgPool) {
    let s = Scene::new(db).await;
    let lot = s.campaign.path("operations/lot");
    let id = s.operations[0].to_string();
    let empty = [("geste", "note"), ("note", "Bonjour à tous")];
    s.sophie
        .submit(&lot, &empty)
        .await
        .is(422)
        .shows("Aucune opération n’est choisie")
        .shows("Bonjour à tous");
    let far = [("op", id.as_str()), ("geste", "date"), ("date", "31/02/2026")];
    s.sophie.submit(&lot, &far).await.is(422).shows("1 opération choisie");
    let unknown = [("op", id.as_str()), ("geste", "technicien"), ("valeur", "personne")];
    s.sophie.submit(&lot, &unknown).await.is(422).shows("Choisissez dans la liste");
    // An operation of another campaign is not chosen.
    let other = s.app.campaign().named("Autre").run_by(&s.sophie).create().await;
    let foreign = other.operation("Z1", None, None, None).await.to_string();
    let karim = s.karim.id().to_string();
    let form = [("op", foreign.as_str()), ("geste", "technicien"), ("valeur", karim.as_str())];
    let at = s.sophie.submit(&lot, &form).await.location.unwrap();
    s.sophie.get(&at).await.shows("0 opération");
    let reader = s.app.reader().await;
    s.campaign.grant(&reader, "view").await;
    reader.get(&s.campaign.path("operations")).await.hides("Modifier la sélection");
    reader.get(&at).await.is(403);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_097_applied_again_it_keeps_what_somebody_decided_meanwhile(db: PgPool) {
    let s = Scene::new(db).await;
    let marc = s.app.person("Marc", "Petit", &[crate::accounts::Role::Technician]).await;
    let karim = s.karim.id().to_string();
    let at = s.prepare(&[0, 1], &[("geste", "technicien"), ("valeur", &karim)]).await;
    s.confirm(&at).await;
    s.undo(&at).await;
    let other = s.campaign.path(&format!("operations/{}/technicien", s.operations[1]));
    let to_marc = [("technicien", marc.id().to_string())];
    let to_marc: Vec<(&str, &str)> = to_marc.iter().map(|(k, v)| (*k, v.as_str())).collect();
    s.sophie.submit(&other, &to_marc).await.is(303);
    s.undo(&at).await; // « Appliquer de nouveau »
    let kept: Uuid = sqlx::query_scalar("select assignee_id from operations where id = $1")
        .bind(s.operations[1])
        .fetch_one(&s.app.app.db)
        .await
        .unwrap();
    assert_eq!(kept, marc.id().uuid());
    s.sophie
        .get(&at)
        .await
        .shows("Modifiées 1")
        .shows("Non applicables 1")
        .shows("modifiée par Sophie MARTIN");
}
