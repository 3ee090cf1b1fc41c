// SPDX-License-Identifier: EUPL-1.2
//! Signing in and out (US-101, US-102). An unknown address behaves like a known one: same words,
//! same time, same lock.
use super::{
    User, hashing, second_factor, sessions,
    throttle::{self, Tried},
};
use crate::{
    app::App,
    audit::Entry,
    db::{Id, PublicTx, Tx},
    web::{Error, Form, Page, Redirect, Result, Shell, auth::Visitor, cookies, local},
};
use askama::Template;
use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use serde_json::json;
use unicode_normalization::UnicodeNormalization;
use uuid::Uuid;

const WRONG: &str = "Identifiants incorrects";
const OFF: &str = "Compte désactivé";
pub(super) const LOCKED: &str = "Compte temporairement verrouillé. Réessayez dans 15 minutes.";

#[derive(Template)]
#[template(path = "accounts/login.html")]
struct Login {
    shell: Shell,
    form: Form,
    error: Option<&'static str>,
}

impl Login {
    fn new(app: &App, visitor: &Visitor, form: Form) -> Self {
        Self { shell: Shell::new(app, visitor, "Connexion"), form, error: None }
    }
}

/// `/`: the page of this person, or the sign-in page.
pub async fn home(visitor: Visitor) -> Redirect {
    Redirect::to(visitor.user.as_ref().map_or("/connexion", User::landing))
}

pub async fn page(
    State(app): State<App>,
    visitor: Visitor,
    headers: HeaderMap,
    query: Query,
) -> Response {
    let back = query.back();
    if let Some(user) = &visitor.user {
        return Redirect::back(back.as_deref(), user.landing()).into_response();
    }
    // A link in a mail reaches us without the Strict cookie: ask again from our own page,
    // where the browser sends it (RG-007).
    if headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site") {
        return Bounce { to: back.as_deref().unwrap_or("/connexion") }.respond();
    }
    let form = Form::filled(back.map(|back| ("retour", back)));
    Page(Login::new(&app, &visitor, form)).into_response()
}

#[derive(Template)]
#[template(path = "accounts/bounce.html")]
struct Bounce<'a> {
    to: &'a str,
}

impl Bounce<'_> {
    fn respond(&self) -> Response {
        match self.render() {
            Ok(html) => Html(html).into_response(),
            Err(err) => Error::Internal(err.into()).into_response(),
        }
    }
}

/// The address asked for before signing in.
pub struct Query(Form);

impl Query {
    fn back(&self) -> Option<String> {
        local(self.0.given("retour").as_deref()).map(str::to_owned)
    }
}

impl<S: Sync> axum::extract::FromRequestParts<S> for Query {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        _: &S,
    ) -> Result<Self, Self::Rejection> {
        Ok(Self(Form::parse(parts.uri.query().unwrap_or_default().as_bytes())))
    }
}

/// The account of an address, with what signing in needs.
struct Account {
    id: Id<User>,
    hash: Option<String>,
    active: bool,
    stamp: Uuid,
}

pub async fn create(State(app): State<App>, visitor: Visitor, form: Form) -> Result<Response> {
    let email = form.text("email").to_lowercase();
    let password: String = form.raw("mot_de_passe").nfc().collect();
    match throttle::attempt(&app.db, Tried::Password(&email), &visitor.full_ip, visitor.now).await?
    {
        throttle::Gate::Open => {}
        throttle::Gate::TooMany(seconds) => return Err(Error::TooMany(seconds)),
        throttle::Gate::Locked => return Ok(again(&app, &visitor, &form, LOCKED)),
    }
    let account = account(&app, &email).await?;
    let stored = account.as_ref().and_then(|a| a.hash.clone());
    let verdict = hashing::verify(&app, stored, password.clone()).await?;
    match account {
        Some(account) if verdict.right && account.active => {
            let upgraded =
                if verdict.outdated { Some(hashing::hash(&app, password).await?) } else { None };
            open(&app, &visitor, &form, &email, &account, upgraded).await
        }
        account => {
            refuse(&app, &visitor, &email, account.as_ref(), verdict.right).await?;
            Ok(again(&app, &visitor, &form, if verdict.right { OFF } else { WRONG }))
        }
    }
}

async fn account(app: &App, email: &str) -> sqlx::Result<Option<Account>> {
    sqlx::query_as!(
        Account,
        r#"select id as "id: Id<User>", password_hash as hash, active, security_stamp as stamp from users where email = $1"#,
        email
    )
    .fetch_optional(&app.db)
    .await
}

async fn open(
    app: &App,
    visitor: &Visitor,
    form: &Form,
    email: &str,
    account: &Account,
    upgraded: Option<String>,
) -> Result<Response> {
    let mut tx = Tx::begin_for(app, visitor).await?;
    throttle::forgive(tx.conn(), Tried::Password(email), &visitor.full_ip, visitor.now).await?;
    if let Some(hash) = upgraded {
        sqlx::query!("update users set password_hash = $2 where id = $1", account.id as _, hash)
            .execute(tx.conn())
            .await?;
    }
    let to = local(form.given("retour").as_deref()).map(str::to_owned);
    let answer =
        start_session(&mut tx, account.id, account.stamp, form.checked("rester"), to).await?;
    tx.commit().await?;
    Ok(answer.into_response())
}

/// The password was right: opens a session, or leads to the second step (RG-128).
pub(super) async fn start_session(
    tx: &mut Tx,
    user: Id<User>,
    stamp: Uuid,
    stay: bool,
    to: Option<String>,
) -> Result<Redirect> {
    let app = tx.app().clone();
    match second_factor::needed(tx.conn(), &app, user).await? {
        second_factor::Needed::Nothing => open_session(tx, user, stamp, stay, to).await,
        step => second_factor::wait(tx, user, stamp, stay, to.as_deref(), step).await,
    }
}

/// Opens a session of this person, traces it, and leads to `to` or to their first page.
/// The session held until now, if any, is destroyed: a new identifier at each sign-in (RG-007).
pub(super) async fn open_session(
    tx: &mut Tx,
    user: Id<User>,
    stamp: Uuid,
    stay: bool,
    to: Option<String>,
) -> Result<Redirect> {
    let app = tx.app().clone();
    let Some(visitor) = tx.visitor().cloned() else { return Err(Error::Forbidden) };
    if let Some(former) = visitor.session {
        sessions::close(tx.conn(), former).await?;
    }
    let family =
        if stay { Some(sessions::remember(tx.conn(), user, &visitor).await?) } else { None };
    let secret =
        sessions::open(tx.conn(), user, stamp, family.as_ref().map(|(id, _)| *id), &visitor)
            .await?;
    sqlx::query!("update users set last_sign_in_at = $2 where id = $1", user as _, visitor.now)
        .execute(tx.conn())
        .await?;
    tx.record(
        Entry::on("session.opened", "user", user.uuid()).changes(json!({ "remembered": stay })),
    )
    .await?;
    let landing = super::find(tx.conn(), user).await?.map_or("/", |user| user.landing());
    let mut answer = Redirect::to(to.unwrap_or_else(|| landing.to_owned()))
        .cookie(cookies::secret(&app, "session", &secret, None))
        .cookie(cookies::forget("flash"));
    answer = match family {
        Some((_, secret)) => answer.cookie(cookies::secret(
            &app,
            "rester",
            &secret,
            Some(sessions::REMEMBERED.num_days()),
        )),
        None => answer.cookie(cookies::forget_secret(&app, "rester")),
    };
    Ok(answer)
}

async fn refuse(
    app: &App,
    visitor: &Visitor,
    email: &str,
    account: Option<&Account>,
    right: bool,
) -> Result<()> {
    let why = if right {
        "account_off"
    } else if account.is_some() {
        "wrong_password"
    } else {
        "unknown_address"
    };
    let user = account.map(|account| account.id);
    throttle::trace(app, visitor, Tried::Password(email), user, "session.refused", why).await
}

/// The page again: the address kept, the password emptied.
fn again(app: &App, visitor: &Visitor, form: &Form, error: &'static str) -> Response {
    let kept = ["email", "rester", "retour"].map(|name| (name, form.raw(name)));
    let page = Login { error: Some(error), ..Login::new(app, visitor, Form::filled(kept)) };
    (StatusCode::UNPROCESSABLE_ENTITY, Page(page)).into_response()
}

pub async fn destroy(PublicTx(mut tx): PublicTx) -> Result<Response> {
    let app = tx.app().clone();
    let visitor = tx.visitor().cloned();
    if let Some(session) = visitor.and_then(|v| v.session)
        && let Ok(user) = tx.user().map(|u| u.id)
    {
        sessions::close(tx.conn(), session).await?;
        tx.record(Entry::on("session.closed", "user", user.uuid())).await?;
        tx.commit().await?;
    }
    let mut answer = Redirect::to("/connexion")
        .flash("Vous êtes déconnecté.")
        .cookie(cookies::forget_secret(&app, "session"))
        .cookie(cookies::forget_secret(&app, "rester"))
        .into_response();
    answer.headers_mut().insert("clear-site-data", HeaderValue::from_static("\"cache\""));
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(answer)
}
