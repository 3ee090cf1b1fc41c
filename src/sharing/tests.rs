// SPDX-License-Identifier: EUPL-1.2
//! Share links, as who makes them and who opens them see them (US-605, RG-041).
use crate::{
    accounts::Role,
    db::sqlstate,
    testing::{Person, TestApp, TestCampaign},
};
use sqlx::PgPool;

struct Scene {
    app: TestApp,
    sophie: Person,
    campaign: TestCampaign,
}

impl Scene {
    async fn new(db: PgPool) -> Self {
        let app = TestApp::new(db).await;
        let sophie = app.sophie().await;
        let campaign = app.campaign().run_by(&sophie).named("Migration – Siège").create().await;
        Self { app, sophie, campaign }
    }

    fn page(&self) -> String {
        self.campaign.path("parametres/partage")
    }

    /// The path of a new link, read where it is shown.
    async fn share(&self, label: &str) -> String {
        let form = [("libelle", label), ("duree", "30")];
        let shown = self.sophie.submit(&self.page(), &form).await;
        shown.is(200).shows(&format!("Lien « {label} »")).shows("n'est affichée qu'une fois");
        let (_, rest) = shown.body.split_once("/partage/").expect("an address");
        format!("/partage/{}", rest.split('"').next().unwrap())
    }

    async fn revoke(&self, label: &str) {
        let id: uuid::Uuid = sqlx::query_scalar("select id from share_links where label = $1")
            .bind(label)
            .fetch_one(&self.app.app.db)
            .await
            .unwrap();
        let path = format!("{}/{id}/revocation", self.page());
        self.sophie.post(&path).await.redirects_to(&self.page());
    }
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_605_2_a_stranger_reads_figures_and_no_name(db: PgPool) {
    let scene = Scene::new(db).await;
    let karim = scene.app.karim().await;
    let segment = scene.campaign.segment("Bâtiment A").await;
    let operation = scene.campaign.operation("PC-0847", Some(&karim), Some(segment), None).await;
    let form = |code| vec![("transition", code)];
    for code in ["start", "complete"] {
        karim.submit(&format!("/terrain/{operation}/statut"), &form(code)).await.is(303);
    }
    scene.sophie.get(&scene.campaign.path("tableau-de-bord")).await.shows("Partager");
    let address = scene.share("Comité de direction").await;
    for visitor in [&scene.app.stranger(), &scene.sophie] {
        let page = visitor.get(&address).await;
        page.is(200)
            .shows("Migration – Siège")
            .shows("1 / 1 opérations réalisées")
            .shows("Bâtiment A 1/1 — 100 %")
            .shows("Vélocité et projection")
            .shows("Mis à jour à")
            .hides("Sophie")
            .hides("MARTIN")
            .hides("BENALI")
            .hides("Karim")
            .hides("PC-0847")
            .hides("NOM PC-0847")
            .hides("Équipe")
            .hides("Activité");
        assert_eq!(page.headers["referrer-policy"], "no-referrer");
        assert_eq!(page.headers["x-robots-tag"], "noindex");
        assert_eq!(page.headers["cache-control"], "no-store");
        let links: Vec<_> = page
            .body
            .split("<a ")
            .skip(1)
            .filter_map(|a| a.split("href=\"").nth(1)?.split('"').next())
            .collect();
        assert_eq!(
            links,
            ["#contenu", "/accessibilite", "/mentions-legales", "/donnees-personnelles"]
        );
        assert!(!page.body.contains("<form") && !page.body.contains("/campagnes"));
    }
    let list = scene.sophie.get(&scene.page()).await;
    list.shows("Comité de direction").shows("Actif").hides("Jamais");
    assert!(!list.body.contains(address.trim_start_matches("/partage/")), "never shown again");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_605_3_unknown_expired_and_revoked_are_one_answer(db: PgPool) {
    let scene = Scene::new(db).await;
    let stranger = scene.app.stranger();
    let (kept, revoked, expired) =
        (scene.share("Gardé").await, scene.share("Révoqué").await, scene.share("Expiré").await);
    scene.revoke("Révoqué").await;
    scene.revoke("Révoqué").await;
    sqlx::query("update share_links set created_at = now() - interval '40 days', expires_at = now() - interval '1 second' where label = 'Expiré'")
        .execute(&scene.app.app.db)
        .await
        .unwrap();
    let unknown = format!("/partage/{}", "0".repeat(64));
    let mut bodies = Vec::new();
    for address in [&revoked, &expired, &unknown] {
        let page = stranger.get(address).await;
        page.is(404).shows("Ce lien n'est plus valable.").hides("Migration");
        assert_eq!(page.headers["referrer-policy"], "no-referrer");
        stranger.get(&format!("{address}/flux")).await.is(404);
        let (before, rest) = page.body.split_once("<code>").unwrap();
        let (_, after) = rest.split_once("</code>").unwrap();
        bodies.push(format!("{before}{after}"));
    }
    assert!(bodies[0] == bodies[1] && bodies[1] == bodies[2], "nobody learns which");
    stranger.get(&kept).await.is(200);
    sqlx::query("update campaigns set deleted_at = now()")
        .execute(&scene.app.app.db)
        .await
        .unwrap();
    stranger.get(&kept).await.is(404);
    let traced = scene.app.audit().await;
    let shares: Vec<_> = traced.iter().filter(|action| action.starts_with("share_link")).collect();
    assert_eq!(
        shares,
        ["share_link.issued", "share_link.issued", "share_link.issued", "share_link.revoked"],
        "revoked twice is once"
    );
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_605_3_ten_active_links(db: PgPool) {
    let scene = Scene::new(db).await;
    for n in 1..=10 {
        scene.share(&format!("Lien {n}")).await;
    }
    let form = [("libelle", "De trop"), ("duree", "7")];
    scene.sophie.submit(&scene.page(), &form).await.is(422).shows("10 liens actifs maximum");
    scene.sophie.get(&scene.page()).await.shows("10 liens actifs maximum");
    scene.revoke("Lien 3").await;
    scene.sophie.submit(&scene.page(), &form).await.is(200);
    let insert = "insert into share_links (id, campaign_id, label, token_hash, created_at, created_by, expires_at)
                  select gen_random_uuid(), campaign_id, 'Par la base', sha256('x'), created_at, created_by, expires_at from share_links limit 1";
    let refused = sqlx::query(insert).execute(&scene.app.app.db).await.unwrap_err();
    assert_eq!(sqlstate(&refused).as_deref(), Some("OT012"));
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_041_only_the_hash_is_kept_and_nothing_else_opens_with_it(db: PgPool) {
    let scene = Scene::new(db).await;
    let address = scene.share("Direction").await;
    let token = address.trim_start_matches("/partage/");
    assert_eq!(token.len(), 64, "256 bits");
    let stored: Vec<u8> = sqlx::query_scalar("select token_hash from share_links")
        .fetch_one(&scene.app.app.db)
        .await
        .unwrap();
    assert_eq!(stored, crate::accounts::tokens::hash(token));
    let traced: String =
        sqlx::query_scalar("select string_agg(changes::text, ' ') from audit_entries")
            .fetch_one(&scene.app.app.db)
            .await
            .unwrap();
    assert!(!traced.contains(token) && traced.contains("Direction"));
    for other in ["activation", "mot-de-passe", "installation"] {
        scene.app.stranger().get(&format!("/{other}/{token}")).await.is(404);
    }
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_605_1_what_is_asked_for_a_link(db: PgPool) {
    let scene = Scene::new(db).await;
    let tries = |label: &'static str, life: &'static str| {
        let (sophie, page) = (&scene.sophie, scene.page());
        async move { sophie.submit(&page, &[("libelle", label), ("duree", life)]).await }
    };
    tries("", "30").await.is(422).shows("Ce champ est obligatoire");
    tries("Direction", "365").await.is(422).shows("Choisissez une durée");
    tries("Direction", "fin").await.is(200);
    let ends = "select count(*) from share_links l join campaigns c on c.id = l.campaign_id
                where l.expires_at = (c.end_date + 1)::timestamp at time zone 'Europe/Paris'";
    assert_eq!(scene.app.count(ends).await, 1);
    let nadia = scene.app.person("Nadia", "Lambert", &[Role::CampaignManager]).await;
    scene.campaign.grant(&nadia, "view").await;
    nadia.get(&scene.campaign.path("tableau-de-bord")).await.is(200).hides("Partager");
    nadia.submit(&scene.page(), &[("libelle", "À moi"), ("duree", "7")]).await.is(403);
    let other = scene.app.campaign().run_by(&nadia).named("Autre").create().await;
    let id: uuid::Uuid = sqlx::query_scalar("select id from share_links")
        .fetch_one(&scene.app.app.db)
        .await
        .unwrap();
    let path = other.path(&format!("parametres/partage/{id}/revocation"));
    nadia.post(&path).await.is(404);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_016_archiving_revokes_unless_the_owner_keeps(db: PgPool) {
    let scene = Scene::new(db).await;
    let stranger = scene.app.stranger();
    let finished = "update campaigns set status = 'finished', status_forced = 'finished', status_reason = 'Pour l''essai'";
    let address = scene.share("Direction").await;
    sqlx::query(finished).execute(&scene.app.app.db).await.unwrap();
    let archive = scene.campaign.path("archivage");
    scene.sophie.get(&archive).await.is(200).shows("Garder le lien de partage actif");
    scene.sophie.submit(&archive, &[("liens", "garder")]).await.is(303);
    stranger.get(&address).await.is(200).shows("Archivée");
    scene.sophie.post(&scene.campaign.path("restauration")).await.is(303);
    sqlx::query(finished).execute(&scene.app.app.db).await.unwrap();
    scene.sophie.post(&archive).await.is(303);
    stranger.get(&address).await.is(404);
    assert_eq!(scene.app.audit().await.iter().filter(|a| *a == "share_link.revoked").count(), 1);
}
