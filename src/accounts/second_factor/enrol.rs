// SPDX-License-Identifier: EUPL-1.2
//! « Double authentification » of one's own account: enrol, new recovery codes, give it up.
use super::{
    model::{self, State},
    step::{WRONG, gate, private},
    totp,
};
use crate::{
    accounts::{
        User, sessions,
        throttle::{self, Tried},
    },
    app::App,
    db::{Read, Tx},
    web::{Again, Error, Form, Page, Redirect, Result, Shell, auth::Visitor},
};
use askama::Template;
use axum::{
    extract::State as Of,
    response::{IntoResponse, Response},
};
use qrcodegen::{QrCode, QrCodeEcc};
use std::fmt::Write as _;

const HERE: &str = "/profil/double-authentification";
/// The light border that readers want around the modules.
const QUIET: i32 = 4;

/// A key as people copy it and as a telephone sees it.
pub struct Key {
    pub text: String,
    pub side: i32,
    /// The dark modules, as an SVG path.
    pub path: String,
}

impl Key {
    pub fn new(secret: &[u8], email: &str, organisation: &str) -> Self {
        let issuer = if organisation.is_empty() {
            "OpsTracker".to_owned()
        } else {
            format!("OpsTracker {organisation}")
        };
        let mut key =
            Self { text: totp::in_fours(&totp::base32(secret)), side: 0, path: String::new() };
        // Too long an organisation's name does not fit: the key in letters remains.
        let address = totp::address(secret, email, &issuer);
        if let Ok(code) = QrCode::encode_text(&address, QrCodeEcc::Medium) {
            key.side = code.size() + 2 * QUIET;
            for y in 0..code.size() {
                for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
                    let _ = write!(key.path, "M{} {}h1v1h-1z", x + QUIET, y + QUIET);
                }
            }
        }
        key
    }
}

#[derive(Template)]
#[template(path = "accounts/second_factor/enrol.html")]
struct Enrol {
    shell: Shell,
    state: State,
    key: Option<Key>,
    required: bool,
    form: Form,
}

/// Shown once, in the answer that made them.
#[derive(Template)]
#[template(path = "accounts/second_factor/codes.html")]
pub struct Codes {
    pub shell: Shell,
    pub codes: Vec<String>,
    /// Where to go on.
    pub to: String,
}

async fn enrol(app: &App, shell: Shell, user: &User, form: Form) -> Result<Enrol> {
    let mut conn = app.db.acquire().await?;
    let state = model::state(&mut conn, user.id).await?;
    let settings = app.settings();
    let key = model::waiting_secret(&mut conn, &app.config, user.id)
        .await?
        .map(|secret| Key::new(&secret, &user.email, &settings.organisation));
    let required = user.roles.iter().any(|role| settings.requires_second_factor(role));
    Ok(Enrol { shell: shell.under("Mon profil", "/profil"), state, key, required, form })
}

const TITLE: &str = "Double authentification";

pub async fn page(read: Read) -> Result<Response> {
    let (app, user, shell) = (read.app().clone(), read.user().clone(), read.shell(TITLE));
    drop(read);
    Ok(private(Page(enrol(&app, shell, &user, Form::default()).await?)))
}

pub async fn begin(mut tx: Tx) -> Result<Redirect> {
    let me = tx.user()?.id;
    model::begin(&mut tx, me).await?;
    tx.commit_quietly("nothing is in use before the first code").await?;
    Ok(Redirect::to(HERE))
}

pub async fn abandon(mut tx: Tx) -> Result<Redirect> {
    let me = tx.user()?.id;
    model::abandon(&mut tx, me).await?;
    tx.commit_quietly("nothing was in use").await?;
    Ok(Redirect::to(HERE))
}

/// The first code: the factor is in use, the other sessions end, the recovery codes are shown.
pub async fn confirm(Of(app): Of<App>, visitor: Visitor, form: Form) -> Result<Response> {
    let Some(user) = visitor.user.clone() else { return Err(Error::Forbidden) };
    let locked = gate(&app, &visitor, &user.email).await?;
    let mut tx = Tx::begin_for(&app, &visitor).await?;
    let codes = match locked {
        None => model::confirm(&mut tx, user.id, &form.text("code")).await?,
        Some(_) => None,
    };
    let Some(codes) = codes else {
        return refuse(tx, &visitor, &user, form, locked.unwrap_or(WRONG)).await;
    };
    let tried = Tried::Code(&user.email);
    throttle::forgive(tx.conn(), tried, &visitor.full_ip, visitor.now).await?;
    sessions::revoke(&mut tx, user.id, visitor.session).await?;
    let shell = tx.shell("Codes de récupération").under("Mon profil", "/profil").under(TITLE, HERE);
    tx.commit().await?;
    Ok(private(Page(Codes { shell, codes, to: HERE.into() })))
}

/// The page again: the transaction that found the code wrong is dropped first, and another says so.
async fn refuse(
    tx: Tx,
    visitor: &Visitor,
    user: &User,
    mut form: Form,
    why: &'static str,
) -> Result<Response> {
    let (app, shell) = (tx.app().clone(), tx.shell(TITLE));
    drop(tx);
    if why == WRONG {
        let tried = Tried::Code(&user.email);
        let action = "second_factor.refused";
        throttle::trace(&app, visitor, tried, Some(user.id), action, "wrong_code").await?;
    }
    form.refuse("code", why);
    form.set("code", "");
    Ok(private(Again(enrol(&app, shell, user, form).await?)))
}

/// What only the holder of the factor may ask: a code comes with it.
async fn proven(
    app: &App,
    visitor: &Visitor,
    form: &Form,
) -> Result<(Tx, User, Option<&'static str>)> {
    let Some(user) = visitor.user.clone() else { return Err(Error::Forbidden) };
    let locked = gate(app, visitor, &user.email).await?;
    let mut tx = Tx::begin_for(app, visitor).await?;
    if locked.is_some() {
        return Ok((tx, user, locked));
    }
    if !model::accepts(&mut tx, user.id, &form.text("code")).await? {
        return Ok((tx, user, Some(WRONG)));
    }
    throttle::forgive(tx.conn(), Tried::Code(&user.email), &visitor.full_ip, visitor.now).await?;
    Ok((tx, user, None))
}

pub async fn new_codes(Of(app): Of<App>, visitor: Visitor, form: Form) -> Result<Response> {
    let (mut tx, user, refusal) = proven(&app, &visitor, &form).await?;
    if let Some(why) = refusal {
        return refuse(tx, &visitor, &user, form, why).await;
    }
    let codes = model::renew_codes(&mut tx, user.id).await?;
    let shell = tx.shell("Codes de récupération").under("Mon profil", "/profil").under(TITLE, HERE);
    tx.commit().await?;
    Ok(private(Page(Codes { shell, codes, to: HERE.into() })))
}

pub async fn remove(Of(app): Of<App>, visitor: Visitor, form: Form) -> Result<Response> {
    let (mut tx, user, refusal) = proven(&app, &visitor, &form).await?;
    if let Some(why) = refusal {
        return refuse(tx, &visitor, &user, form, why).await;
    }
    model::remove(&mut tx, &user).await?;
    tx.commit().await?;
    Ok(Redirect::to(HERE).flash("Double authentification retirée").into_response())
}
