// SPDX-License-Identifier: EUPL-1.2
//! Help, map, contact: reachable by everybody, true to the routes (US-606, US-1601, US-1602).
use super::{
    articles::{ARTICLES, article_of, find},
    site::lists,
};
use crate::{
    accounts::Role,
    app,
    testing::{TestApp, plain},
    web::Access,
};
use sqlx::PgPool;

#[test]
fn us_606_each_article_explains_screens_that_exist_in_plain_words() {
    let routes = app::routes().table;
    for article in ARTICLES {
        let known = |screen: &&&str| {
            routes.iter().any(|route| {
                route.path == **screen
                    || route.path.starts_with(&format!("{}/", screen.trim_end_matches('/')))
            })
        };
        assert_eq!(article.screens.iter().find(|screen| !known(screen)), None, "{}", article.slug);
        let rendered = find(article.slug).unwrap();
        assert!(!rendered.title.is_empty() && rendered.text.len() > 200, "{}", article.slug);
        assert!(
            !rendered.html.contains("http://") && !rendered.html.contains("https://"),
            "{}",
            article.slug
        );
        assert!(!rendered.html.contains("<h1"), "{}: one title a page", article.slug);
    }
}

#[test]
fn us_606_a_screen_opens_its_own_article() {
    for (path, expected) in [
        ("/", "premiers-pas"),
        ("/inconnu", "premiers-pas"),
        ("/campagnes", "campagnes"),
        ("/campagnes/nouvelle", "assistant"),
        ("/campagnes/0198/operations", "operations"),
        ("/campagnes/0198/operations/0199", "operation"),
        ("/campagnes/0198/operations/0199/statut", "operation"),
        ("/campagnes/0198/operations/lot", "actions-groupees"),
        ("/campagnes/0198/lots/0199", "actions-groupees"),
        ("/campagnes/0198/imports/0199", "import-fichier"),
        ("/campagnes/0198/documents/0199/fichier", "documents"),
        ("/campagnes/0198/imports/0199/colonnes", "import-colonnes"),
        ("/campagnes/0198/parametres/habilitations", "habilitations"),
        ("/campagnes/0198/parametres/champs", "parametres"),
        ("/campagnes/0198/parametres/partage", "tableau-de-bord"),
        ("/terrain/0199", "intervention"),
        ("/administration/groupes/0199", "groupes"),
        ("/administration/etat", "instance"),
    ] {
        assert_eq!(article_of(path), expected, "{path}");
    }
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_606_help_opens_on_the_screen_s_article_and_works_without_script(db: PgPool) {
    let app = TestApp::new(db).await;
    let (sophie, stranger) = (app.sophie().await, app.stranger());
    let campaign = app.campaign().run_by(&sophie).create().await;
    let page = sophie.get(&campaign.path("operations")).await;
    assert!(
        page.body.contains("href=\"/aide/operations\"")
            && page.body.contains("src=\"/aide/operations\"")
    );
    let article = stranger.get("/aide/operations").await;
    article.is(200).shows("Liste des opérations");
    assert!(
        article.body.contains("<turbo-frame class=\"help\" id=\"aide-operations\""),
        "what the panel takes"
    );
    stranger.get("/aide/inconnu").await.is(404);
    stranger.get("/aide").await.is(200).shows("Premiers pas").shows("Administration");
    stranger.get("/aide?q=SEPARATEUR").await.shows("contiennent").hides("Aucun article");
    stranger.get("/aide?q=zzz").await.shows("Aucun article ne contient « zzz »");
    let all = stranger.get("/aide/tout").await;
    for article in ARTICLES {
        all.shows(&find(article.slug).unwrap().title);
    }
}

/// Reached from another page, or no page for a person.
const NOT_IN_THE_MAP: [&str; 9] = [
    "/",
    "/healthz",
    "/readyz",
    "/flux",
    "/connexion/code",
    "/connexion/double-authentification",
    "/administration/parametres",
    "/administration/audit/export",
    "/administration/configuration/export",
];

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_1601_the_map_shows_each_page_to_who_can_reach_it(db: PgPool) {
    let app = TestApp::new(db).await;
    let missing: Vec<_> = app::routes()
        .table
        .iter()
        .filter(|route| route.method == "GET" && !route.path.contains('{'))
        .filter(|route| !NOT_IN_THE_MAP.contains(&route.path) && !lists(route.path))
        .map(|route| route.path)
        .collect();
    assert_eq!(missing, Vec::<&str>::new(), "put these pages in help/site.rs");
    let (admin, karim) = (app.admin().await, app.karim().await);
    let sophie = app.sophie().await;
    let campaign = app.campaign().named("Secrète").run_by(&sophie).create().await;
    let map = "/plan-du-site";
    admin.get(map).await.shows("Utilisateurs").shows("Secrète").hides("Mot de passe oublié");
    karim.get(map).await.shows("Mes interventions").hides("Utilisateurs").hides("Secrète");
    sophie.get(map).await.shows("Secrète").shows("Nouvelle campagne").hides("Mes interventions");
    app.stranger().get(map).await.is(200).shows("Connexion").hides("Mon profil").hides("Campagnes");
    assert!(admin.get(map).await.body.contains(&campaign.path("tableau-de-bord")));
    // What it lists does open.
    let all = app.person("Tous", "Rôles", &Role::ALL).await;
    for route in app::routes().table.iter().filter(|r| r.method == "GET" && lists(r.path)) {
        if route.access != Access::Public || !route.path.starts_with("/connexion") {
            assert!(matches!(all.status(route.path).await.as_u16(), 200 | 303), "{}", route.path);
        }
    }
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_1601_six_pages_from_the_foot_of_every_page(db: PgPool) {
    let app = TestApp::new(db).await;
    let (karim, stranger) = (app.karim().await, app.stranger());
    let six = [
        "/accessibilite",
        "/mentions-legales",
        "/donnees-personnelles",
        "/plan-du-site",
        "/aide",
        "/contact",
    ];
    for page in
        [stranger.get("/connexion").await, karim.get("/terrain").await, stranger.get("/rien").await]
    {
        for link in six {
            assert!(page.body.contains(&format!("<a href=\"{link}\">")), "{link}");
        }
    }
    for link in six {
        stranger.get(link).await.is(200);
        karim.get(link).await.is(200);
    }
}

const ASKED: [(&str, &str); 4] = [
    ("nom", "Nadia Lambert"),
    ("email", "nadia@ops.test"),
    ("objet", "Page illisible"),
    ("message", "Bonjour,\r\nle tableau est coupé.\r\n\r\nMerci"),
];

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_1601_a_request_is_stored_and_mailed_to_the_contact(db: PgPool) {
    let app = TestApp::new(db.clone()).await;
    let (admin, stranger) = (app.admin().await, app.stranger());
    stranger
        .submit("/contact", &[("email", "nadia"), ("message", " ")])
        .await
        .is(422)
        .shows("4 erreurs à corriger")
        .shows("Adresse invalide");
    stranger.submit("/contact", &ASKED).await.redirects_to("/contact");
    assert_eq!(app.count("select count(*) from messages").await, 0, "no address was chosen");
    sqlx::query("update instance_settings set contact_email = 'dsi@ops.test'")
        .execute(&db)
        .await
        .unwrap();
    app.app.reload_settings().await.unwrap();
    stranger.submit("/contact", &ASKED).await.redirects_to("/contact");
    let (to, subject, body): (String, String, String) =
        sqlx::query_as("select recipient, subject, body from messages")
            .fetch_one(&db)
            .await
            .unwrap();
    assert_eq!(to, "dsi@ops.test");
    assert_eq!(plain(&subject), "[OpsTracker] Contact : Page illisible");
    assert!(body.contains("nadia@ops.test") && body.contains("le tableau est coupé."));
    admin.get("/administration").await.shows("2 demandes de contact à traiter");
    let page = admin.get("/administration/demandes").await;
    page.shows("2 demandes à traiter").shows("Page illisible").shows("le tableau est coupé.");
    let id: uuid::Uuid = sqlx::query_scalar("select id from contact_requests order by id limit 1")
        .fetch_one(&db)
        .await
        .unwrap();
    let handle = format!("/administration/demandes/{id}/traitement");
    admin.post(&handle).await.redirects_to("/administration/demandes");
    admin.post(&handle).await.is(404);
    admin
        .get("/administration/demandes")
        .await
        .shows("1 demande à traiter")
        .shows("Traitée Marc LEFÈVRE");
    app.sophie().await.get("/administration/demandes").await.is(403);
    assert_eq!(app.audit().await, ["contact.requested", "contact.requested", "contact.handled"]);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_1601_requests_are_limited_by_network(db: PgPool) {
    let app = TestApp::new(db).await;
    let stranger = app.stranger();
    for _ in 0..5 {
        stranger.submit("/contact", &ASKED).await.is(303);
    }
    let reply = stranger.submit("/contact", &ASKED).await;
    reply.is(429).shows("Réessayez dans 60 minutes");
    assert!(reply.headers.contains_key("retry-after"));
    assert_eq!(app.count("select count(*) from contact_requests").await, 5);
}
