// SPDX-License-Identifier: EUPL-1.2
//! Enrolment, second step, recovery, requirement and reset (US-111, RG-128), with a browser that
//! keeps its cookies.
use super::{model, totp};
use crate::{
    accounts::{Role, hashing, sessions},
    testing::{Person, Reply, TestApp},
    web::auth::Visitor,
};
use http::{Request, header};
use sqlx::PgPool;
use std::collections::BTreeMap;
use tower::ServiceExt;

const PASSWORD: &str = "KLMtruite7%oie";
const PROFILE: &str = "/profil/double-authentification";
const STEP: &str = "/connexion/code";
const REQUIRED: &str = "/connexion/double-authentification";

/// A browser that nobody has used yet.
struct Browser {
    router: axum::Router,
    jar: BTreeMap<String, String>,
}

impl Browser {
    fn new(app: &TestApp) -> Self {
        Self { router: crate::app::router(app.app.clone()), jar: BTreeMap::new() }
    }

    async fn send(&mut self, method: &str, path: &str, pairs: &[(&str, &str)]) -> Reply {
        let jar: Vec<String> = self.jar.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "ops.test")
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::COOKIE, jar.join("; "))
            .body(axum::body::Body::from(body))
            .unwrap();
        let reply = Reply::read(self.router.clone().oneshot(request).await.unwrap()).await;
        for line in reply.headers.get_all(header::SET_COOKIE) {
            let line = line.to_str().unwrap();
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            if line.contains("Max-Age=0") {
                self.jar.remove(name);
            } else {
                self.jar.insert(name.to_owned(), value.to_owned());
            }
        }
        reply
    }

    async fn get(&mut self, path: &str) -> Reply {
        self.send("GET", path, &[]).await
    }

    async fn code(&mut self, path: &str, code: &str) -> Reply {
        self.send("POST", path, &[("code", code)]).await
    }

    async fn password(&mut self, person: &Person, stay: bool) -> Reply {
        let email = person.user.as_ref().unwrap().email.clone();
        let mut form = vec![("email", email.as_str()), ("mot_de_passe", PASSWORD)];
        if stay {
            form.push(("rester", "oui"));
        }
        self.send("POST", "/connexion", &form).await
    }

    fn has(&self, cookie: &str) -> bool {
        self.jar.contains_key(&format!("opstracker-{cookie}"))
    }
}

async fn with_password(app: &TestApp, person: &Person) {
    sqlx::query("update users set password_hash = $2 where id = $1")
        .bind(person.id())
        .bind(hashing::hash_now(PASSWORD).unwrap())
        .execute(&app.app.db)
        .await
        .unwrap();
}

/// The key that waits, as the application would hold it.
async fn key(app: &TestApp, person: &Person) -> Vec<u8> {
    let mut conn = app.app.db.acquire().await.unwrap();
    model::waiting_secret(&mut conn, &app.app.config, person.id()).await.unwrap().unwrap()
}

/// What the application shows now; the codes already used are forgotten, as if time had passed.
async fn code(app: &TestApp, key: &[u8]) -> String {
    sqlx::query("update second_factors set last_step = 0").execute(&app.app.db).await.unwrap();
    totp::code_at(key, app.now())
}

/// Somebody who signs in with a password and a code; their key and recovery codes.
async fn enrolled(app: &TestApp, person: &Person) -> (Vec<u8>, Vec<String>) {
    with_password(app, person).await;
    person.post(PROFILE).await.redirects_to(PROFILE);
    let key = key(app, person).await;
    let typed = code(app, &key).await;
    let reply = person.submit(&format!("{PROFILE}/confirmation"), &[("code", &typed)]).await;
    (key, codes(reply.is(200)))
}

fn codes(page: &Reply) -> Vec<String> {
    page.body
        .split("<code>")
        .skip(1)
        .map(|rest| rest.split("</code>").next().unwrap().to_owned())
        .collect()
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_111_1_enrolment_shows_the_key_checks_a_code_and_gives_ten_codes(db: PgPool) {
    let app = TestApp::new(db).await;
    let karim = app.karim().await;
    elsewhere(&app, &karim).await;
    karim.get(PROFILE).await.shows("Inactive").hides("Votre clé");
    karim.post(PROFILE).await.redirects_to(PROFILE);
    let secret = key(&app, &karim).await;
    let page = karim.get(PROFILE).await;
    page.shows(&totp::in_fours(&totp::base32(&secret)));
    assert!(page.body.contains("<svg class=\"qr\"") && page.body.contains("role=\"img\""));
    assert_eq!(page.headers["cache-control"], "no-store");
    let sealed: Vec<u8> = sqlx::query_scalar("select secret from second_factors")
        .fetch_one(&app.app.db)
        .await
        .unwrap();
    assert!(!sealed.windows(secret.len()).any(|w| w == secret), "sealed at rest");
    let confirmation = format!("{PROFILE}/confirmation");
    karim.submit(&confirmation, &[("code", "000000")]).await.is(422).shows("Code incorrect");
    let typed = code(&app, &secret).await;
    let reply = karim.submit(&confirmation, &[("code", &typed)]).await;
    assert_eq!(codes(reply.is(200)).len(), 10);
    karim
        .get(PROFILE)
        .await
        .shows("Active")
        .shows("Il vous en reste 10 sur dix")
        .hides("Votre clé");
    karim.post(PROFILE).await.is(422).shows("déjà active");
    assert_eq!(app.count("select count(*) from sessions").await, 1, "the other has ended");
    assert_eq!(app.audit().await, ["second_factor.refused", "second_factor.enrolled"]);
    let stored: Vec<Vec<u8>> = sqlx::query_scalar("select code_hash from recovery_codes")
        .fetch_all(&app.app.db)
        .await
        .unwrap();
    assert!(stored.iter().all(|hash| hash.len() == 32), "hashed");
}

/// Another browser where this person is signed in.
async fn elsewhere(app: &TestApp, person: &Person) {
    let mut conn = app.app.db.acquire().await.unwrap();
    let stamp = sqlx::query_scalar("select security_stamp from users where id = $1")
        .bind(person.id())
        .fetch_one(&mut *conn)
        .await
        .unwrap();
    let visitor = Visitor::of(&Request::get("/").body(()).unwrap().into_parts().0);
    sessions::open(&mut conn, person.id(), stamp, None, &visitor).await.unwrap();
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_111_2_a_code_is_asked_after_the_password_and_serves_once(db: PgPool) {
    let app = TestApp::new(db).await;
    let karim = app.karim().await;
    let (key, _) = enrolled(&app, &karim).await;
    let mut browser = Browser::new(&app);
    browser.get(STEP).await.redirects_to("/connexion");
    browser.password(&karim, false).await.redirects_to(STEP);
    assert!(!browser.has("session"), "no session before the code");
    browser.get("/profil").await.is(303);
    browser.get(STEP).await.is(200).shows("Code à six chiffres");
    browser.code(STEP, "12345").await.is(422).shows("Code incorrect");
    let typed = code(&app, &key).await;
    browser.code(STEP, &typed).await.redirects_to("/terrain");
    assert!(browser.has("session") && !browser.has("etape"));
    browser.get("/profil").await.is(200);
    let mut other = Browser::new(&app);
    other.password(&karim, false).await.redirects_to(STEP);
    other.code(STEP, &typed).await.is(422).shows("Code incorrect");
    let trace = app.audit().await;
    assert_eq!(
        trace[1..],
        [
            "session.half_opened",
            "session.refused",
            "session.opened",
            "session.half_opened",
            "session.refused"
        ]
    );
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_111_2_rg_006_five_wrong_codes_lock_and_the_password_does_not_forgive(db: PgPool) {
    let app = TestApp::new(db).await;
    let (admin, karim) = (app.admin().await, app.karim().await);
    let (key, _) = enrolled(&app, &karim).await;
    let mut browser = Browser::new(&app);
    for _ in 0..5 {
        browser.password(&karim, false).await.redirects_to(STEP);
        browser.code(STEP, "000000").await.is(422).shows("Code incorrect");
    }
    let typed = code(&app, &key).await;
    browser
        .code(STEP, &typed)
        .await
        .is(422)
        .shows("Compte temporairement verrouillé. Réessayez dans 15 minutes.");
    let account = format!("/administration/utilisateurs/{}", karim.id());
    admin.get(&account).await.shows("Verrouillé");
    admin.post(&format!("{account}/deverrouillage")).await.redirects_to(&account);
    browser.code(STEP, &typed).await.redirects_to("/terrain");
    assert!(app.audit().await.contains(&"account.locked".to_owned()));
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_111_1_a_recovery_code_serves_once_however_it_is_typed(db: PgPool) {
    let app = TestApp::new(db).await;
    let karim = app.karim().await;
    let (_, codes) = enrolled(&app, &karim).await;
    let typed = codes[3].to_lowercase().replace(' ', "-");
    let mut browser = Browser::new(&app);
    browser.password(&karim, false).await.redirects_to(STEP);
    browser.code(STEP, &typed).await.redirects_to("/terrain");
    browser.get(PROFILE).await.shows("Il vous en reste 9 sur dix");
    let mut other = Browser::new(&app);
    other.password(&karim, false).await.redirects_to(STEP);
    other.code(STEP, &typed).await.is(422).shows("Code incorrect");
    assert!(app.audit().await.contains(&"second_factor.code_used".to_owned()));
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_111_a_recovery_code_still_serves_when_the_key_is_lost(db: PgPool) {
    let app = TestApp::new(db).await;
    let karim = app.karim().await;
    let (key, codes) = enrolled(&app, &karim).await;
    std::fs::remove_file(app.app.config.data_dir.join("secret.key")).unwrap();
    let mut browser = Browser::new(&app);
    browser.password(&karim, false).await.redirects_to(STEP);
    let typed = code(&app, &key).await;
    browser.code(STEP, &typed).await.is(422).shows("Code incorrect");
    browser.code(STEP, &codes[0]).await.redirects_to("/terrain");
    browser.code(&format!("{PROFILE}/retrait"), &codes[1]).await.redirects_to(PROFILE);
    let said = "select count(*) from messages where body like '%Un code de récupération de votre compte a été utilisé.%'";
    assert_eq!(app.count(said).await, 2);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_128_stay_signed_in_begins_only_after_the_second_step(db: PgPool) {
    let app = TestApp::new(db).await;
    let karim = app.karim().await;
    let (key, _) = enrolled(&app, &karim).await;
    let mut browser = Browser::new(&app);
    browser.password(&karim, true).await.redirects_to(STEP);
    assert!(!browser.has("rester"));
    assert_eq!(app.count("select count(*) from remember_families").await, 0);
    let typed = code(&app, &key).await;
    browser.code(STEP, &typed).await.redirects_to("/terrain");
    assert!(browser.has("rester"));
    // The browser was closed: the remembered one opens a session without asking again.
    browser.jar.remove("opstracker-session");
    browser.get("/profil").await.is(200);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_111_2_a_role_may_require_it_and_the_next_sign_in_enrols(db: PgPool) {
    let app = TestApp::new(db).await;
    let (admin, sophie) = (app.admin().await, app.sophie().await);
    with_password(&app, &sophie).await;
    let security = "/administration/parametres/securite";
    admin.get(security).await.shows("1 compte actif, dont 1 sans second facteur");
    admin
        .submit(security, &[("force", "50"), ("roles", "campaign_manager")])
        .await
        .redirects_to(security);
    let mut browser = Browser::new(&app);
    browser.password(&sophie, false).await.redirects_to(REQUIRED);
    assert!(!browser.has("session"));
    let page = browser.get(REQUIRED).await;
    page.is(200).shows("L’un de vos rôles exige un second facteur");
    let key = key(&app, &sophie).await;
    browser.code(REQUIRED, "000000").await.is(422).shows("Code incorrect");
    let typed = code(&app, &key).await;
    let reply = browser.code(REQUIRED, &typed).await;
    assert_eq!(codes(reply.is(200)).len(), 10);
    assert!(reply.body.contains("href=\"/tableau-de-bord\""), "on to the first page");
    browser.get("/campagnes").await.is(200);
    let typed = code(&app, &key).await;
    let removal = format!("{PROFILE}/retrait");
    browser.code(&removal, &typed).await.is(422).shows("ne peut pas être retirée");
    Browser::new(&app).password(&sophie, false).await.redirects_to(STEP);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_111_2_an_admin_resets_a_factor_with_a_trace(db: PgPool) {
    let app = TestApp::new(db).await;
    let (admin, karim) = (app.admin().await, app.karim().await);
    let account = format!("/administration/utilisateurs/{}", karim.id());
    admin.get(&account).await.shows("Double authentification inactive");
    admin
        .post(&format!("{account}/second-facteur"))
        .await
        .is(422)
        .shows("n’a pas de second facteur");
    enrolled(&app, &karim).await;
    admin.get(&account).await.shows("10 codes de récupération en réserve");
    admin.post(&format!("{account}/second-facteur")).await.redirects_to(&account);
    karim.get("/profil").await.is(303);
    Browser::new(&app).password(&karim, false).await.redirects_to("/terrain");
    assert!(app.audit().await.contains(&"second_factor.reset".to_owned()));
    assert_eq!(app.count("select count(*) from messages where kind = 'security_notice'").await, 2);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_111_2_an_admin_gives_up_their_own_factor_with_a_code_only(db: PgPool) {
    let app = TestApp::new(db).await;
    let admin = app.admin().await;
    enrolled(&app, &admin).await;
    let account = format!("/administration/utilisateurs/{}", admin.id());
    admin.get(&account).await.shows("Elle se retire avec un code").hides("Réinitialiser le second");
    admin
        .post(&format!("{account}/second-facteur"))
        .await
        .is(422)
        .shows("depuis « Mon profil », avec un code");
    assert_eq!(app.count("select count(*) from second_factors").await, 1);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_070_wrong_codes_of_the_profile_are_traced_and_lock(db: PgPool) {
    let app = TestApp::new(db).await;
    let karim = app.karim().await;
    karim.post(PROFILE).await.redirects_to(PROFILE);
    let confirmation = format!("{PROFILE}/confirmation");
    for _ in 0..6 {
        karim.submit(&confirmation, &[("code", "000000")]).await.is(422);
    }
    let refused = "second_factor.refused";
    assert_eq!(
        app.audit().await,
        [refused, refused, refused, refused, refused, "account.locked"],
        "the sixth is not even tried"
    );
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_128_the_enrolment_that_a_role_requires_ends_the_sessions_without_it(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    with_password(&app, &sophie).await;
    elsewhere(&app, &sophie).await;
    let mut remembered = Browser::new(&app);
    remembered.password(&sophie, true).await.redirects_to("/tableau-de-bord");
    require_of_managers(&app).await;
    let mut browser = Browser::new(&app);
    browser.password(&sophie, false).await.redirects_to(REQUIRED);
    browser.code(REQUIRED, "000000").await.is(422);
    let key = key(&app, &sophie).await;
    let typed = code(&app, &key).await;
    browser.code(REQUIRED, &typed).await.is(200);
    browser.get("/profil").await.is(200);
    remembered.get("/profil").await.is(303);
    sophie.get("/profil").await.is(303);
    assert_eq!(app.count("select count(*) from sessions").await, 1);
    assert!(app.audit().await.contains(&"session.refused".to_owned()), "the wrong code");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_128_a_remembered_browser_does_not_escape_the_enrolment(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    with_password(&app, &sophie).await;
    let mut browser = Browser::new(&app);
    browser.password(&sophie, true).await.redirects_to("/tableau-de-bord");
    require_of_managers(&app).await;
    browser.get("/profil").await.is(200);
    browser.jar.remove("opstracker-session");
    browser.get("/profil").await.is(303);
    assert!(!browser.has("session") && !browser.has("rester"));
    assert_eq!(app.count("select count(*) from remember_families").await, 0);
}

async fn require_of_managers(app: &TestApp) {
    sqlx::query("update instance_settings set second_factor_roles = '{campaign_manager}'")
        .execute(&app.app.db)
        .await
        .unwrap();
    app.app.reload_settings().await.unwrap();
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_111_2_a_password_typed_as_an_address_does_not_reach_the_codes(db: PgPool) {
    let app = TestApp::new(db).await;
    let karim = app.karim().await;
    let (key, _) = enrolled(&app, &karim).await;
    let address = format!("code {}", karim.user.as_ref().unwrap().email);
    let mut browser = Browser::new(&app);
    for _ in 0..5 {
        let form = [("email", address.as_str()), ("mot_de_passe", PASSWORD)];
        browser.send("POST", "/connexion", &form).await.is(422);
    }
    browser.password(&karim, false).await.redirects_to(STEP);
    let typed = code(&app, &key).await;
    browser.code(STEP, &typed).await.redirects_to("/terrain");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_111_new_codes_replace_the_former_and_removal_asks_for_a_code(db: PgPool) {
    let app = TestApp::new(db).await;
    let karim = app.karim().await;
    let (key, former) = enrolled(&app, &karim).await;
    let renewal = format!("{PROFILE}/codes");
    karim.submit(&renewal, &[("code", "")]).await.is(422).shows("Code incorrect");
    let typed = code(&app, &key).await;
    let fresh = codes(karim.submit(&renewal, &[("code", &typed)]).await.is(200));
    assert!(fresh.len() == 10 && fresh.iter().all(|code| !former.contains(code)));
    let removal = format!("{PROFILE}/retrait");
    karim.submit(&removal, &[("code", &former[0])]).await.is(422).shows("Code incorrect");
    karim.submit(&removal, &[("code", &fresh[0])]).await.redirects_to(PROFILE);
    karim.get(PROFILE).await.shows("Inactive");
    assert_eq!(app.count("select count(*) from recovery_codes").await, 0);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_128_an_admin_without_it_is_reminded_on_every_page(db: PgPool) {
    let app = TestApp::new(db).await;
    let (admin, sophie) = (app.admin().await, app.sophie().await);
    let reminder = "Votre compte d’administrateur n’a pas de second facteur";
    admin.get("/campagnes").await.shows(reminder);
    admin.get("/administration").await.shows(reminder);
    sophie.get("/campagnes").await.hides(reminder);
    enrolled(&app, &admin).await;
    admin.get("/campagnes").await.hides(reminder);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_111_a_pending_sign_in_ends_with_time_and_with_the_account(db: PgPool) {
    let app = TestApp::new(db).await;
    let karim = app.person("Karim", "Benali", &[Role::Technician]).await;
    let (key, _) = enrolled(&app, &karim).await;
    for end in [
        "update pending_sign_ins set expires_at = now() - interval '1 second'",
        "update users set security_stamp = gen_random_uuid() where first_name = 'Karim'",
        "update users set active = false where first_name = 'Karim'",
    ] {
        let mut browser = Browser::new(&app);
        browser.password(&karim, false).await.redirects_to(STEP);
        sqlx::query(end).execute(&app.app.db).await.unwrap();
        let typed = code(&app, &key).await;
        browser.code(STEP, &typed).await.redirects_to("/connexion");
        assert!(!browser.has("session"), "{end}");
    }
}
