// SPDX-License-Identifier: EUPL-1.2
//! Stories of workflows: drafts, publication, versions, and their application to a campaign (US-803, RG-062).
use super::{Definition, Workflow};
use crate::testing::{Person, TestApp, TestCampaign};
use sqlx::PgPool;
use uuid::Uuid;

const STANDARD: &str = "0198a000-0000-7000-8000-000000000001";
const BOOKED: &str = "0198a000-0000-7000-8000-000000000002";

struct Scene {
    app: TestApp,
    admin: Person,
    sophie: Person,
}

impl Scene {
    async fn new(db: PgPool) -> Self {
        let app = TestApp::new(db).await;
        let (admin, sophie) = (app.admin().await, app.sophie().await);
        Self { app, admin, sophie }
    }

    /// A copy of a built-in workflow, in draft: the address of the workflow.
    async fn copy_of(&self, workflow: &str) -> String {
        let reply = self.admin.post(&format!("/administration/workflows/{workflow}/copie")).await;
        reply.is(303);
        reply.location.unwrap().trim_end_matches("/brouillon").to_owned()
    }

    async fn draft(&self, path: &str) -> (Definition, i32) {
        let id: Uuid = path.rsplit('/').next().unwrap().parse().unwrap();
        let (definition, version): (serde_json::Value, i32) = sqlx::query_as(
            "select definition, version from workflow_drafts where workflow_id = $1",
        )
        .bind(id)
        .fetch_one(&self.app.app.db)
        .await
        .unwrap();
        (serde_json::from_value(definition).unwrap(), version)
    }

    /// Sends the whole form, as the page does, with a button.
    async fn press(
        &self,
        path: &str,
        definition: &Definition,
        version: i32,
        gesture: &str,
    ) -> crate::testing::Reply {
        let pairs = form(definition, version, gesture);
        let pairs: Vec<_> = pairs.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        self.admin.submit(&format!("{path}/brouillon"), &pairs).await
    }

    async fn edit(
        &self,
        path: &str,
        gesture: &str,
        change: impl Fn(&mut Definition),
    ) -> crate::testing::Reply {
        let (mut definition, version) = self.draft(path).await;
        change(&mut definition);
        self.press(path, &definition, version, gesture).await
    }

    async fn latest(&self, path: &str) -> std::sync::Arc<Workflow> {
        let id: Uuid = path.rsplit('/').next().unwrap().parse().unwrap();
        let version: Uuid = sqlx::query_scalar(
            "select id from workflow_versions where workflow_id = $1 order by number desc limit 1",
        )
        .bind(id)
        .fetch_one(&self.app.app.db)
        .await
        .unwrap();
        Workflow::load(&mut self.app.app.db.acquire().await.unwrap(), version).await.unwrap()
    }
}

fn form(definition: &Definition, version: i32, gesture: &str) -> Vec<(String, String)> {
    let mut pairs =
        vec![("version".to_owned(), version.to_string()), ("geste".into(), gesture.into())];
    for (n, s) in definition.statuses.iter().enumerate() {
        pairs.push((format!("s-{n}-cle"), s.key.clone()));
        pairs.push((format!("s-{n}-nom"), s.name.clone()));
        pairs.push((format!("s-{n}-categorie"), s.category.code().into()));
        if s.initial {
            pairs.push(("initial".into(), s.key.clone()));
        }
    }
    for (n, t) in definition.transitions.iter().enumerate() {
        pairs.push((format!("t-{n}-cle"), t.key.clone()));
        pairs.push((format!("t-{n}-libelle"), t.label.clone()));
        pairs.extend(t.from.iter().map(|from| (format!("t-{n}-de"), from.clone())));
        pairs.push((format!("t-{n}-vers"), t.to.clone()));
        pairs.push((format!("t-{n}-technicien"), if t.technician { "oui" } else { "" }.into()));
        pairs.push((format!("t-{n}-gestionnaire"), if t.manager { "oui" } else { "" }.into()));
        pairs.push((format!("t-{n}-motif"), t.reason.clone()));
        pairs.push((format!("t-{n}-date"), t.date.clone()));
    }
    pairs
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_803_1_a_built_in_is_duplicated_changed_and_published(db: PgPool) {
    let s = Scene::new(db).await;
    let standard = format!("/administration/workflows/{STANDARD}");
    s.admin.get(&standard).await.is(200).shows("ne se modifie pas").shows("Signaler un problème");
    s.admin.post(&format!("{standard}/brouillon/ouverture")).await.is(422).shows("Dupliquez-le");
    let path = s.copy_of(STANDARD).await;
    s.admin.get(&path).await.redirects_to(&format!("{path}/brouillon"));
    s.admin.get(&format!("{path}/brouillon")).await.is(200).shows("Ce workflow est valide");
    s.edit(&path, "ajouter-statut", |_| {})
        .await
        .redirects_to(&format!("{path}/brouillon?place=s-6-nom"));
    s.edit(&path, "ajouter-transition", |_| {}).await.is(303);
    let refused = s.edit(&path, "publier", |d| d.statuses[6].name = "Remis".into()).await;
    refused
        .is(422)
        .shows("Le statut « Remis » n’est jamais atteint")
        .shows("Le statut « Remis » n’a aucune sortie")
        .shows("La transition 8 n’a pas de nom");
    assert_eq!(s.draft(&path).await.0.statuses[6].name, "Remis", "nothing typed is lost");
    let published = s
        .edit(&path, "publier", |d| {
            d.statuses[6].category = super::Category::Blocked;
            let key = d.statuses[6].key.clone();
            d.transitions[7] = super::TransitionDraft {
                label: "Remettre".into(),
                from: vec!["in_progress".into(), "blocked".into()],
                to: key.clone(),
                technician: true,
                manager: false,
                ..d.transitions[7].clone()
            };
            d.transitions[0].from.push(key);
        })
        .await;
    published.redirects_to(&path);
    let workflow = s.latest(&path).await;
    assert_eq!((workflow.number, workflow.statuses.len(), workflow.transitions.len()), (1, 7, 10));
    assert_eq!(workflow.statuses[6].code, "remis");
    s.admin.get(&path).await.is(200).shows("Remettre").shows("Technicien");
    s.sophie.get("/administration/workflows").await.is(403);
    s.admin.post(&format!("{path}/brouillon/ouverture")).await.is(303);
    s.edit(&path, "publier", |d| d.statuses[6].name = "Rendu".into()).await.redirects_to(&path);
    assert_eq!(s.latest(&path).await.statuses[6].code, "remis", "a published code stays");
    assert_eq!(
        s.app.count("select count(*) from workflow_statuses where name = 'Remis'").await,
        1,
        "version 1 did not change"
    );
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_180_a_draft_open_twice_is_not_overwritten_in_silence(db: PgPool) {
    let s = Scene::new(db).await;
    let path = s.copy_of(STANDARD).await;
    let (mut mine, opened) = s.draft(&path).await;
    s.edit(&path, "enregistrer", |d| d.statuses[0].name = "À faire".into()).await.is(303);
    mine.statuses[1].name = "Démarré".into();
    s.press(&path, &mine, opened, "enregistrer")
        .await
        .is(409)
        .shows("Marc LEFÈVRE a modifié ce brouillon le")
        .shows("Démarré");
    let (stored, version) = s.draft(&path).await;
    assert_eq!(stored.statuses[0].name, "À faire");
    s.press(&path, &mine, version, "enregistrer").await.is(303);
    assert_eq!(s.draft(&path).await.0.statuses[1].name, "Démarré", "kept knowingly");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_803_3_a_transition_for_technicians_only_is_refused_to_a_gestionnaire(db: PgPool) {
    let s = Scene::new(db).await;
    let path = s.copy_of(BOOKED).await;
    s.edit(&path, "publier", |d| {
        let start = d.transitions.iter_mut().find(|t| t.key == "start").unwrap();
        start.manager = false;
    })
    .await
    .redirects_to(&path);
    let campaign = s.app.campaign().run_by(&s.sophie).on_booking().create().await;
    let karim = s.app.karim().await;
    let operation = campaign.operation("A1", Some(&karim), None, None).await;
    apply(&s, &campaign, &path).await.is(303);
    let at = campaign.path(&format!("operations/{operation}/statut"));
    s.sophie
        .submit(&at, &[("transition", "start")])
        .await
        .is(422)
        .shows("Transition non autorisée");
    karim.submit(&format!("/terrain/{operation}/statut"), &[("transition", "start")]).await.is(303);
}

/// With the successor of each status in use that has the same code.
async fn apply(s: &Scene, campaign: &TestCampaign, path: &str) -> crate::testing::Reply {
    let to = s.latest(path).await;
    let used: Vec<(i32, String)> = sqlx::query_as(
        "select distinct w.id, w.code from operations o join workflow_statuses w on w.id = o.status_id",
    )
    .fetch_all(&s.app.app.db)
    .await
    .unwrap();
    let mut form = vec![("vers".to_owned(), to.version.to_string())];
    for (id, code) in used {
        if let Some(target) = to.statuses.iter().find(|t| t.code == code) {
            form.push((format!("statut-{id}"), target.id.to_string()));
        }
    }
    let form: Vec<_> = form.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    s.sophie.submit(&campaign.path("parametres/workflow"), &form).await
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_803_4_a_campaign_follows_another_version_with_every_status_mapped(db: PgPool) {
    let s = Scene::new(db).await;
    let path = s.copy_of(BOOKED).await;
    s.edit(&path, "publier", |d| {
        d.statuses.iter_mut().find(|s| s.key == "in_progress").unwrap().name = "Sur place".into();
        d.remove_status("postponed");
        d.transitions.retain(|t| !t.from.is_empty() && !t.to.is_empty());
    })
    .await
    .redirects_to(&path);
    let campaign = s.app.campaign().run_by(&s.sophie).on_booking().create().await;
    let karim = s.app.karim().await;
    let mut operations = Vec::new();
    for (name, status) in
        [("A1", "todo"), ("A2", "in_progress"), ("A3", "postponed"), ("A4", "done")]
    {
        let id = campaign.operation(name, Some(&karim), None, None).await;
        sqlx::query(
            "update operations o set status_id = w.id, category = w.category, done_at = case when $2 = 'done' then now() end
             from workflow_statuses w join campaigns c on c.workflow_version_id = w.version_id where o.id = $1 and w.code = $2 and c.id = o.campaign_id",
        )
        .bind(id.uuid())
        .bind(status)
        .execute(&s.app.app.db)
        .await
        .unwrap();
        operations.push(id);
    }
    let version = s.latest(&path).await.version.to_string();
    let page =
        s.sophie.get(&format!("{}?vers={version}", campaign.path("parametres/workflow"))).await;
    page.is(200)
        .shows("Appliquer à 4 opérations")
        .shows("— À choisir —")
        .shows("Sur place (En cours)");
    let reply = apply(&s, &campaign, &path).await;
    reply
        .is(422)
        .shows("Choisissez un workflow, puis le nouveau statut")
        .hides("opérations ont reçu");
    let to = s.latest(&path).await;
    let blocked = to.statuses.iter().find(|t| t.code == "blocked").unwrap().id.to_string();
    let old: i32 = sqlx::query_scalar("select status_id from operations where identifier = 'A3'")
        .fetch_one(&s.app.app.db)
        .await
        .unwrap();
    let partial = [("vers", version.as_str()), (&format!("statut-{old}"), &blocked)];
    s.sophie
        .submit(&campaign.path("parametres/workflow"), &partial)
        .await
        .is(422)
        .shows("Choisissez un workflow, puis");
    let rest: Vec<(i32, i32)> = sqlx::query_as(
        "select distinct w.id, n.id from operations o join workflow_statuses w on w.id = o.status_id
         join workflow_statuses n on n.version_id = $1 and n.code = w.code",
    )
    .bind(to.version)
    .fetch_all(&s.app.app.db)
    .await
    .unwrap();
    let mut form = vec![("vers".to_owned(), version.clone()), (format!("statut-{old}"), blocked)];
    form.extend(rest.iter().map(|(w, n)| (format!("statut-{w}"), n.to_string())));
    // A closed gate is no more passed by a change of workflow than by a click (RG-094).
    let gate = [("libelle", "Câblage vérifié"), ("demarrage", "oui")];
    s.sophie.submit(&campaign.path("prerequis/nouveau"), &gate).await.is(303);
    let todo: i32 = sqlx::query_scalar("select status_id from operations where identifier = 'A1'")
        .fetch_one(&s.app.app.db)
        .await
        .unwrap();
    let on_site = to.statuses.iter().find(|t| t.code == "in_progress").unwrap().id.to_string();
    let mut starting = form.clone();
    starting.retain(|(name, _)| *name != format!("statut-{todo}"));
    starting.push((format!("statut-{todo}"), on_site));
    let starting: Vec<_> = starting.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    s.sophie
        .submit(&campaign.path("parametres/workflow"), &starting)
        .await
        .is(422)
        .shows("Démarrage bloqué : « Câblage vérifié »");
    let form: Vec<_> = form.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let done = s.sophie.submit(&campaign.path("parametres/workflow"), &form).await;
    done.redirects_to(&campaign.path("parametres/workflow"));
    assert!(done.flash().unwrap().contains("4 opérations ont reçu leur nouveau statut"));
    let categories: String = sqlx::query_scalar(
        "select string_agg(category::text, ',' order by identifier) from operations",
    )
    .fetch_one(&s.app.app.db)
    .await
    .unwrap();
    assert_eq!(
        categories, "todo,in_progress,blocked,done",
        "figures move only where the mapping says so"
    );
    s.sophie
        .get(&campaign.path(&format!("operations/{}", operations[2])))
        .await
        .shows("Nouveau workflow : Reporté → Bloqué");
    karim.get("/terrain").await.is(200).shows("Sur place");
    assert_eq!(s.app.audit().await.last().unwrap(), "campaign.workflow_applied");
    // The former status is not in the new graph: undoing an old action is refused, not broken.
    s.admin
        .post(&format!("{path}/suppression"))
        .await
        .is(422)
        .shows("utilisé par 1 campagne : désactivez-le");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn a_published_version_never_changes_but_an_unused_workflow_can_go(db: PgPool) {
    let s = Scene::new(db).await;
    let path = s.copy_of(STANDARD).await;
    s.edit(&path, "publier", |_| {}).await.redirects_to(&path);
    for sql in [
        "update workflow_statuses set name = 'x'",
        "delete from workflow_statuses",
        "delete from workflow_transitions",
    ] {
        assert!(sqlx::query(sql).execute(&s.app.app.db).await.is_err(), "{sql}");
    }
    s.admin.post(&format!("{path}/suppression")).await.redirects_to("/administration/workflows");
    assert_eq!(s.app.count("select count(*) from workflows").await, 2);
    let path = s.copy_of(STANDARD).await;
    s.admin
        .post(&format!("{path}/brouillon/abandon"))
        .await
        .redirects_to("/administration/workflows");
    assert_eq!(
        s.app.count("select count(*) from workflows").await,
        2,
        "never published: it goes with its draft"
    );
    let standard = format!("/administration/workflows/{STANDARD}");
    s.admin.post(&format!("{standard}/suppression")).await.is(422);
    s.admin.post(&format!("{standard}/activation")).await.redirects_to(&standard);
    let booked = format!("/administration/workflows/{BOOKED}/activation");
    s.admin.post(&booked).await.is(422).shows("C’est le dernier workflow actif");
}
