// SPDX-License-Identifier: EUPL-1.2
//! Stories of the history (US-804).
mod chain;
mod pages;
mod personal;

use crate::testing::TestApp;
use sqlx::PgPool;

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_804_1_who_what_before_and_after(db: PgPool) {
    let app = TestApp::new(db).await;
    let (sophie, paul) = (
        app.sophie().await,
        app.person("Paul", "Moreau", &[crate::accounts::Role::CampaignManager]).await,
    );
    let campaign = app.campaign().run_by(&sophie).create().await;
    let settings = campaign.path("parametres/general");
    let page = sophie.get(&settings).await;
    assert!(page.body.contains("avant-verrou"));
    sophie
        .submit(&settings, &crate::campaigns::tests::general("Migration", &[("verrou", "2", "5")]))
        .await
        .is(303);
    sophie
        .submit(
            &campaign.path("parametres/habilitations"),
            &[("personne", "paul.moreau@ops.test"), ("droit", "configurer")],
        )
        .await
        .is(303);
    let history = sophie.get(&campaign.path("historique")).await;
    history
        .shows("Sophie MARTIN a modifié les paramètres de la campagne")
        .shows("Verrouillage (jours) : 2 → 5");
    history
        .shows("a donné une habilitation")
        .shows("Habilitation Paul MOREAU")
        .shows("Droits : (vide) → Voir, Configurer");
    paul.get(&campaign.path("historique")).await.is(200);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_804_2_filters_and_a_wrong_date(db: PgPool) {
    let app = TestApp::new(db).await;
    let (sophie, admin) = (app.sophie().await, app.admin().await);
    let campaign = app.campaign().run_by(&sophie).create().await;
    let visibility = campaign.path("parametres/visibilite");
    sophie.submit(&visibility, &[("visibilite", "publique")]).await.is(303);
    admin.submit(&visibility, &[("visibilite", "restreinte")]).await.is(303);
    let history = |query: String| {
        let (sophie, path) = (&sophie, format!("{}?{query}", campaign.path("historique")));
        async move { sophie.get(&path).await }
    };
    history(format!("auteur={}", sophie.id()))
        .await
        .shows("Restreinte → Publique")
        .hides("Publique → Restreinte");
    history("action=campaign.archived".into()).await.shows("Aucune entrée pour ces filtres.");
    history("objet=campaign".into())
        .await
        .shows("Publique → Restreinte")
        .shows("Restreinte → Publique");
    history("objet=operation".into()).await.shows("Aucune entrée pour ces filtres.");
    history("du=31%2F02%2F2026".into())
        .await
        .shows("Date invalide « 31/02/2026 » (attendu : jj/mm/aaaa)")
        .hides("Publique → Restreinte");
    history("au=01%2F01%2F2020".into()).await.shows("Aucune entrée pour ces filtres.");
    history("avant=x&auteur=%27".into()).await.is(200);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_804_2_pages_of_fifty_by_key(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = app.campaign().run_by(&sophie).create().await;
    sqlx::query(
        "insert into audit_entries (at, actor_kind, actor_id, action, object_kind, object_id, campaign_id, reason)
         select now(), 'user', $1, 'campaign.edited', 'campaign', $2, $2, 'Motif numéro ' || n || '.' from generate_series(1, 120) n",
    )
    .bind(sophie.id())
    .bind(campaign.id)
    .execute(&app.app.db)
    .await
    .unwrap();
    let first = sophie.get(&campaign.path("historique")).await;
    first
        .shows("Motif numéro 120.")
        .shows("Motif numéro 71.")
        .hides("Motif numéro 70.")
        .hides("Précédent");
    let follow = |page: &crate::testing::Reply, label: &str| {
        let end = page.body.find(&format!(">{label}</a>")).unwrap();
        let start = page.body[..end].rfind("href=\"").unwrap() + 6;
        page.body[start..].split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&")
    };
    let second = sophie.get(&follow(&first, "Suivant")).await;
    second.shows("Motif numéro 70.").shows("Motif numéro 21.").hides("Motif numéro 71.");
    let last = sophie.get(&follow(&second, "Suivant")).await;
    last.shows("Motif numéro 20.").shows("Motif numéro 1.").hides("Suivant");
    sophie
        .get(&follow(&last, "Précédent"))
        .await
        .shows("Motif numéro 70.")
        .shows("Motif numéro 21.")
        .hides("Motif numéro 20.");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_804_1_the_history_of_one_object(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = app.campaign().run_by(&sophie).create().await;
    sophie
        .submit(&campaign.path("parametres/visibilite"), &[("visibilite", "publique")])
        .await
        .is(303);
    let mut conn = app.app.db.acquire().await.unwrap();
    let lines = super::history_of(&mut conn, "campaign", campaign.id.uuid(), 50).await.unwrap();
    assert_eq!(lines.len(), 1);
    assert_eq!(
        (lines[0].author.as_str(), lines[0].sentence.as_str()),
        ("Sophie MARTIN", "a changé la visibilité de la campagne")
    );
}
