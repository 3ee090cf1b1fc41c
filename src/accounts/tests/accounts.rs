// SPDX-License-Identifier: EUPL-1.2
//! US-103 to US-107 and RG-002 to RG-005: accounts in the hands of administrators and of their owners.
use super::{link_in, password_of, set_password};
use crate::{
    accounts::{Role, hashing},
    testing::{Person, Reply, TestApp},
};
use sqlx::PgPool;

const STRONG: &str = "KLMtruite7%oie";
const OTHER: &str = "lampadaire vert octobre tiroir musique";

fn nadia(email: &'static str) -> [(&'static str, &'static str); 4] {
    [("prenom", "Nadia"), ("nom", "Lambert"), ("email", email), ("roles", "technician")]
}

fn path(person: &Person, rest: &str) -> String {
    format!("/administration/utilisateurs/{}{rest}", person.id())
}

/// The form of somebody's account, with these roles.
async fn save(by: &Person, of: &Person, roles: &[&str]) -> Reply {
    let version = version(by, of).await;
    save_seen(by, of, roles, &version).await
}

/// What the page said of the account when it was opened.
async fn version(by: &Person, of: &Person) -> String {
    let page = by.get(&path(of, "")).await;
    page.body
        .split("name=\"version\" value=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned()
}

async fn save_seen(by: &Person, of: &Person, roles: &[&str], version: &str) -> Reply {
    let user = of.user.as_ref().unwrap();
    let mut form = vec![
        ("prenom", user.first_name.as_str()),
        ("nom", &user.last_name),
        ("email", &user.email),
        ("version", version),
    ];
    form.extend(roles.iter().map(|role| ("roles", *role)));
    by.submit(&path(of, ""), &form).await
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_103_2_email_already_used_in_any_case(db: PgPool) {
    let app = TestApp::new(db).await;
    let (admin, _karim) = (app.admin().await, app.karim().await);
    admin
        .submit("/administration/utilisateurs", &nadia(" KARIM.Benali@ops.test"))
        .await
        .is(422)
        .shows("Cet e-mail est déjà utilisé");
    assert_eq!(app.count("select count(*) from users").await, 2);
    assert_eq!(app.count("select count(*) from messages").await, 0);
    assert!(app.audit().await.is_empty());
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_103_4_the_link_of_a_new_account_opens_it_once(db: PgPool) {
    let app = TestApp::new(db.clone()).await;
    let admin = app.admin().await;
    let created = admin.submit("/administration/utilisateurs", &nadia("nadia@ops.test")).await;
    let account = created.location.clone().unwrap();
    let link = link_in(&admin.post(&format!("{account}/lien")).await.body, "activation");

    let visitor = app.stranger();
    // Scanners of mail may look as often as they like (RG-149).
    for _ in 0..2 {
        let page = visitor.get(&link).await;
        page.is(200);
        assert_eq!(page.headers["referrer-policy"], "no-referrer");
    }
    visitor
        .submit(&link, &[("mot_de_passe", STRONG), ("confirmation", OTHER)])
        .await
        .is(422)
        .shows("Les mots de passe ne correspondent pas");
    let weak =
        visitor.submit(&link, &[("mot_de_passe", "soleil1"), ("confirmation", "soleil1")]).await;
    weak.is(422).shows("Mot de passe trop faible : 12 caractères au moins").shows("Force :");
    assert!(!weak.body.contains("soleil1"), "a password is never shown again");
    assert_eq!(weak.headers["referrer-policy"], "no-referrer");

    let opened = visitor.submit(&link, &[("mot_de_passe", STRONG), ("confirmation", STRONG)]).await;
    opened.redirects_to("/terrain");
    assert_eq!(app.count("select count(*) from sessions s join users u on u.id = s.user_id where u.email = 'nadia@ops.test'").await, 1);
    visitor
        .get(&link)
        .await
        .is(404)
        .shows("Ce lien n'est plus valable.")
        .shows("Demandez un nouveau lien à votre administrateur.");
    visitor.submit(&link, &[("mot_de_passe", OTHER), ("confirmation", OTHER)]).await.is(404);
    let signed_in = visitor
        .submit("/connexion", &[("email", "nadia@ops.test"), ("mot_de_passe", STRONG)])
        .await;
    signed_in.redirects_to("/terrain");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_103_a_form_says_what_is_missing(db: PgPool) {
    let app = TestApp::new(db).await;
    let admin = app.admin().await;
    let page = admin
        .submit("/administration/utilisateurs", &[("prenom", "Nadia"), ("email", "nadia")])
        .await;
    page.is(422)
        .shows("Ce champ est obligatoire")
        .shows("Adresse e-mail invalide")
        .shows("Choisissez au moins un rôle");
    assert!(page.body.contains("value=\"Nadia\""));
    // US-103.5: each role in one line.
    page.shows("Réalise les interventions qui lui sont assignées.");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_104_1_changed_roles_end_the_sessions(db: PgPool) {
    let app = TestApp::new(db).await;
    let (admin, karim) = (app.admin().await, app.karim().await);
    karim.get("/profil").await.is(200);
    save(&admin, &karim, &["technician"]).await.redirects_to(&path(&karim, ""));
    karim.get("/profil").await.is(200);
    let reply = save(&admin, &karim, &["technician", "campaign_manager"]).await;
    assert_eq!(reply.flash().as_deref(), Some("Utilisateur mis à jour"));
    karim.get("/profil").await.redirects_to("/connexion?retour=%2Fprofil");
    assert_eq!(app.audit().await, ["user.changed", "user.changed"]);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_104_2_nobody_demotes_oneself(db: PgPool) {
    let app = TestApp::new(db).await;
    let admin = app.admin().await;
    app.person("Ada", "Roy", &[Role::Admin]).await;
    save(&admin, &admin, &["technician"])
        .await
        .is(422)
        .shows("Vous ne pouvez pas rétrograder votre propre compte");
    save(&admin, &admin, &["admin", "technician"]).await.is(303);
    admin.get("/administration").await.is(200);
    assert_eq!(app.count("select count(*) from users where 'admin' = any(roles)").await, 2);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_104_3_rg_004_one_active_admin_remains_by_any_path(db: PgPool) {
    let app = TestApp::new(db.clone()).await;
    let (marc, ada) = (app.admin().await, app.person("Ada", "Roy", &[Role::Admin]).await);
    // Ada's account is turned off behind everybody's back: Marc is the last one, and Ada's page still open.
    let mut tx = app.tx().await;
    sqlx::query("update users set active = false where id = $1")
        .bind(ada.id())
        .execute(tx.conn())
        .await
        .unwrap();
    tx.commit_quietly("a test").await.unwrap();
    for sql in [
        "update users set roles = '{reader}' where id = $1",
        "update users set active = false where id = $1",
    ] {
        let err = sqlx::query(sql).bind(marc.id()).execute(&db).await.unwrap_err();
        assert_eq!(crate::db::sqlstate(&err).as_deref(), Some("OT002"));
    }
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_004_two_admins_cannot_demote_each_other_at_once(db: PgPool) {
    let app = TestApp::new(db.clone()).await;
    let (marc, ada) = (app.admin().await, app.person("Ada", "Roy", &[Role::Admin]).await);
    let (of_ada, of_marc) = (version(&marc, &ada).await, version(&ada, &marc).await);
    let (a, b) = tokio::join!(
        save_seen(&marc, &ada, &["reader"], &of_ada),
        save_seen(&ada, &marc, &["reader"], &of_marc)
    );
    assert_eq!(
        app.count("select count(*) from users where active and 'admin' = any(roles)").await,
        1
    );
    // Depending on who was first: the base refused, or the other was no administrator any more.
    let saved = |reply: &Reply| {
        reply.location.as_deref().is_some_and(|to| to.starts_with("/administration"))
    };
    assert_eq!(
        [&a, &b].into_iter().filter(|reply| saved(reply)).count(),
        1,
        "{} {:?}, {} {:?}",
        a.status,
        a.location,
        b.status,
        b.location
    );
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_104_3_the_last_admin_in_words(db: PgPool) {
    let app = TestApp::new(db.clone()).await;
    let marc = app.admin().await;
    let mut tx = crate::db::Tx::begin(
        &app.app,
        crate::db::Actor::User(marc.user.clone().unwrap()),
        app.now(),
    )
    .await
    .unwrap();
    let id: crate::db::Id<crate::accounts::Account> = marc.id().uuid().into();
    let account = tx.authorize_to_change(crate::accounts::Manage, id).await.unwrap();
    // As if somebody else asked: the base decides, and its refusal is a sentence.
    let err = crate::accounts::account::demote_for_test(&mut tx, &account).await.unwrap_err();
    assert_eq!(err.to_string(), "Il doit rester au moins un administrateur actif");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_105_deactivation_and_reactivation(db: PgPool) {
    let app = TestApp::new(db.clone()).await;
    let (admin, sophie, karim) = (app.admin().await, app.sophie().await, app.karim().await);
    set_password(&app, &karim, STRONG).await;
    let campaign = app.campaign().named("Migration W11").run_by(&sophie).create().await;
    for identifier in ["A1", "A2", "A3"] {
        campaign.operation(identifier, Some(&karim), None, None).await;
    }
    admin
        .get(&path(&karim, "/desactivation"))
        .await
        .is(200)
        .shows("3 opérations ouvertes lui sont confiées")
        .shows("Conserver le compte");
    let reply = admin.post(&path(&karim, "/desactivation")).await;
    assert_eq!(reply.flash().as_deref(), Some("Compte désactivé"));
    karim.get("/profil").await.is(303);
    let page = admin.get(&path(&karim, "")).await;
    page.shows("Opérations à réassigner").shows("Migration W11");
    assert!(page.body.contains(&format!("/campagnes/{}/operations?technicien=", campaign.id)));
    let sign_in = [("email", "karim.benali@ops.test"), ("mot_de_passe", STRONG)];
    app.stranger().submit("/connexion", &sign_in).await.shows("Compte désactivé");
    admin
        .post(&path(&karim, "/desactivation"))
        .await
        .is(422)
        .shows("Ce compte est déjà désactivé.");
    admin.post(&path(&karim, "/reactivation")).await.redirects_to(&path(&karim, ""));
    app.stranger().submit("/connexion", &sign_in).await.redirects_to("/terrain");
    assert_eq!(app.count("select count(*) from users").await, 3, "nobody is ever deleted");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_004_nobody_deactivates_oneself(db: PgPool) {
    let app = TestApp::new(db).await;
    let admin = app.admin().await;
    app.person("Ada", "Roy", &[Role::Admin]).await;
    admin
        .post(&path(&admin, "/desactivation"))
        .await
        .is(422)
        .shows("Vous ne pouvez pas désactiver votre propre compte");
    admin.get("/administration").await.is(200);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_106_figures_and_never_signed_in(db: PgPool) {
    let app = TestApp::new(db.clone()).await;
    let (admin, sophie, karim) = (app.admin().await, app.sophie().await, app.karim().await);
    let campaign = app.campaign().run_by(&sophie).create().await;
    for identifier in ["A1", "A2", "A3"] {
        campaign.operation(identifier, Some(&karim), None, None).await;
    }
    sqlx::query("update operations o set status_id = w.id, category = 'done' from workflow_statuses w, campaigns c
                 where c.id = o.campaign_id and w.version_id = c.workflow_version_id and w.code = 'done' and o.identifier <> 'A3'")
        .execute(&db).await.unwrap();
    admin
        .get(&path(&karim, ""))
        .await
        .shows("Interventions assignées 3")
        .shows("Interventions réalisées 2 (67 %)")
        .shows("Jamais");
    let list = admin.get("/administration/utilisateurs").await;
    list.shows("Jamais").shows("Karim BENALI");
    assert!(list.body.contains("#i-alert"), "an icon and a word");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn users_are_searched_and_paged(db: PgPool) {
    let app = TestApp::new(db.clone()).await;
    let admin = app.admin().await;
    for i in 0..54 {
        app.person("Zoé", &format!("Nom{i:02}"), &[Role::Reader]).await;
    }
    let first = admin.get("/administration/utilisateurs").await;
    assert_eq!(first.body.matches("id=\"utilisateur-").count(), 50);
    first.shows("55 utilisateurs");
    let next = first
        .body
        .split("href=\"")
        .find(|href| href.contains("apres="))
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .replace("&#38;", "&")
        .replace("&amp;", "&");
    assert_eq!(admin.get(&next).await.body.matches("id=\"utilisateur-").count(), 5);
    admin
        .get("/administration/utilisateurs?q=LEFEVRE")
        .await
        .shows("Marc LEFÈVRE")
        .shows("1 utilisateur")
        .hides("Zoé");
    admin
        .get("/administration/utilisateurs?q=100%25")
        .await
        .shows("Aucun utilisateur ne correspond.");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_006_an_admin_lifts_a_lock(db: PgPool) {
    let app = TestApp::new(db).await;
    let (admin, karim) = (app.admin().await, app.karim().await);
    set_password(&app, &karim, STRONG).await;
    for _ in 0..5 {
        app.stranger()
            .submit("/connexion", &[("email", "karim.benali@ops.test"), ("mot_de_passe", "x")])
            .await;
    }
    admin.get(&path(&karim, "")).await.shows("Verrouillé");
    admin.post(&path(&karim, "/deverrouillage")).await.redirects_to(&path(&karim, ""));
    admin.get(&path(&karim, "")).await.hides("Verrouillé");
    app.stranger()
        .submit("/connexion", &[("email", "karim.benali@ops.test"), ("mot_de_passe", STRONG)])
        .await
        .redirects_to("/terrain");
    assert_eq!(app.count("select count(*) from messages where kind = 'security_notice'").await, 1);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_007_disconnected_everywhere(db: PgPool) {
    let app = TestApp::new(db).await;
    let (admin, karim) = (app.admin().await, app.karim().await);
    admin.post(&path(&karim, "/deconnexion")).await.redirects_to(&path(&karim, ""));
    karim.get("/profil").await.is(303);
    admin.get("/profil").await.is(200);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_116_administration_is_for_administrators(db: PgPool) {
    let app = TestApp::new(db).await;
    let (admin, sophie) = (app.admin().await, app.sophie().await);
    for page in [
        "/administration",
        "/administration/utilisateurs",
        "/administration/messages",
        "/administration/parametres/organisation",
        &path(&admin, ""),
    ] {
        sophie.get(page).await.is(403);
        app.stranger().get(page).await.is(303);
    }
    for gesture in
        ["/desactivation", "/reactivation", "/deverrouillage", "/deconnexion", "/lien", ""]
    {
        sophie.post(&path(&admin, gesture)).await.is(403);
    }
    admin.get(&format!("/administration/utilisateurs/{}", uuid::Uuid::now_v7())).await.is(404);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_107_1_a_new_password(db: PgPool) {
    let app = TestApp::new(db.clone()).await;
    let karim = app.karim().await;
    set_password(&app, &karim, STRONG).await;
    let elsewhere = app
        .stranger()
        .submit("/connexion", &[("email", "karim.benali@ops.test"), ("mot_de_passe", STRONG)])
        .await;
    elsewhere.is(303);
    assert_eq!(app.count("select count(*) from sessions").await, 2);
    let reply = karim
        .submit(
            "/profil/mot-de-passe",
            &[("ancien", STRONG), ("mot_de_passe", OTHER), ("confirmation", OTHER)],
        )
        .await;
    reply.redirects_to("/profil");
    assert_eq!(reply.flash().as_deref(), Some("Mot de passe modifié"));
    // Stays signed in, under a new identifier; the other sessions are gone.
    assert_eq!(app.count("select count(*) from sessions").await, 1);
    assert!(
        reply
            .headers
            .get_all("set-cookie")
            .iter()
            .any(|c| c.to_str().unwrap().starts_with("opstracker-session="))
    );
    karim.get("/profil").await.is(303);
    let hash = password_of(&app, &karim).await;
    assert!(hashing::verify(&app.app, hash, OTHER.into()).await.unwrap().right);
    let notice: String =
        sqlx::query_scalar("select body from messages where kind = 'security_notice'")
            .fetch_one(&db)
            .await
            .unwrap();
    assert!(notice.contains("Votre mot de passe a été modifié."), "{notice}");
    assert!(app.audit().await.contains(&"password.changed".to_owned()));
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_107_2_each_error_beside_its_field(db: PgPool) {
    let app = TestApp::new(db).await;
    let karim = app.karim().await;
    set_password(&app, &karim, STRONG).await;
    let submit = async |old: &str, new: &str, again: &str| {
        karim
            .submit(
                "/profil/mot-de-passe",
                &[("ancien", old), ("mot_de_passe", new), ("confirmation", again)],
            )
            .await
    };
    let wrong = submit("autre", OTHER, OTHER).await;
    wrong.is(422).shows("Ancien mot de passe incorrect");
    assert!(wrong.body.contains("id=\"e-ancien\""));
    assert_eq!(app.audit().await, ["password.refused"]);
    submit(STRONG, OTHER, STRONG).await.is(422).shows("Les mots de passe ne correspondent pas");
    submit(STRONG, "karimbenali123", "karimbenali123")
        .await
        .is(422)
        .shows("Mot de passe trop faible : il ne doit contenir ni votre nom");
    submit(STRONG, "", "").await.is(422).shows("Ce champ est obligatoire");
    let hash = password_of(&app, &karim).await;
    assert!(hashing::verify(&app.app, hash, STRONG.into()).await.unwrap().right, "nothing changed");
    karim.get("/profil").await.is(200);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn profile_theme_and_first_page(db: PgPool) {
    let app = TestApp::new(db).await;
    let karim = app.person("Karim", "Benali", &[Role::Technician, Role::CampaignManager]).await;
    karim
        .submit("/profil", &[("theme", "dark"), ("accueil", "campaigns")])
        .await
        .redirects_to("/profil");
    let page = karim.get("/profil").await;
    assert!(page.body.contains("data-theme=\"dark\""));
    karim.get("/").await.redirects_to("/campagnes");
    karim
        .submit("/profil", &[("theme", "rose"), ("accueil", "ailleurs")])
        .await
        .is(422)
        .shows("Choisissez un thème de la liste");
    let only_technician = app.person("Luc", "Bernard", &[Role::Technician]).await;
    only_technician
        .submit("/profil", &[("theme", "light"), ("accueil", "dashboard")])
        .await
        .is(422);
}
