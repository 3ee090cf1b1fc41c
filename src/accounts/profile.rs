// SPDX-License-Identifier: EUPL-1.2
//! « Mon profil »: who I am here, my theme, my first page; my password (US-107).
use super::{
    Role, User, account, chosen, hashing,
    password::{Context, Rules},
    throttle::{self, Gate, Tried},
};
use crate::{
    app::App,
    audit::Entry,
    db::{Read, Tx},
    web::{Again, Error, Form, Page, Redirect, Result, Shell, auth::Visitor, cookies},
};
use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use serde_json::json;
use unicode_normalization::UnicodeNormalization;

const THEMES: [(&str, &str, &str); 3] = [
    ("system", "Comme le système", "Clair ou sombre selon le réglage de votre ordinateur."),
    ("light", "Clair", ""),
    ("dark", "Sombre", ""),
];

#[derive(Template)]
#[template(path = "accounts/profile.html")]
struct Profile {
    shell: Shell,
    user: User,
    form: Form,
    themes: Vec<(&'static str, &'static str, &'static str)>,
    pages: Vec<(&'static str, &'static str, &'static str)>,
}

/// The first pages this person may choose (RG-020).
fn start_pages(user: &User) -> Vec<(&'static str, &'static str, &'static str)> {
    let mut pages = vec![("", "Selon mes rôles", "La page prévue pour votre rôle principal.")];
    if !user.roles.only(Role::Technician) {
        pages.push(("dashboard", "Tableau de bord", ""));
    }
    pages.push(("campaigns", "Campagnes", ""));
    if user.roles.has(Role::Technician) {
        pages.push(("onsite", "Mes interventions", ""));
    }
    pages
}

fn profile(shell: Shell, user: &User, form: Form) -> Profile {
    Profile { shell, form, themes: THEMES.to_vec(), pages: start_pages(user), user: user.clone() }
}

pub async fn page(read: Read) -> Page<impl Template> {
    let user = read.user();
    let form = Form::filled([
        ("theme", user.theme.clone()),
        ("accueil", user.start_page.clone().unwrap_or_default()),
    ]);
    Page(profile(read.shell("Mon profil"), user, form))
}

pub async fn update(visitor: Visitor, mut tx: Tx, mut form: Form) -> Result<Response> {
    let user = tx.user()?.clone();
    let (theme, start) = (form.text("theme"), form.text("accueil"));
    if !THEMES.iter().any(|(code, ..)| *code == theme) {
        form.refuse("theme", "Choisissez un thème de la liste");
    }
    if !start_pages(&user).iter().any(|(code, ..)| *code == start) {
        form.refuse("accueil", "Choisissez une page de la liste");
    }
    if !form.is_valid() {
        let shell = Shell::new(tx.app(), &visitor, "Mon profil");
        return Ok(Again(profile(shell, &user, form)).into_response());
    }
    let start = Some(start).filter(|start| !start.is_empty());
    sqlx::query!(
        "update users set theme = $2, start_page = $3 where id = $1",
        user.id as _,
        theme,
        start
    )
    .execute(tx.conn())
    .await?;
    let changes = json!({ "theme": [user.theme, theme], "start_page": [user.start_page, start] });
    tx.record(Entry::on("profile.changed", "user", user.id.uuid()).changes(changes)).await?;
    tx.commit().await?;
    Ok(Redirect::to("/profil").flash("Profil enregistré").into_response())
}

#[derive(Template)]
#[template(path = "accounts/profile_password.html")]
struct NewPassword {
    shell: Shell,
    form: Form,
    rules: Rules,
    email: String,
}

fn new_password(app: &App, visitor: &Visitor, user: &User, form: Form) -> NewPassword {
    NewPassword {
        shell: Shell::new(app, visitor, "Mot de passe").under("Mon profil", "/profil"),
        form,
        rules: Rules::from(&*app.settings()),
        email: user.email.clone(),
    }
}

pub async fn password_page(
    State(app): State<App>,
    visitor: Visitor,
    read: Read,
) -> Page<impl Template> {
    Page(new_password(&app, &visitor, read.user(), Form::default()))
}

/// The old password is checked without holding a transaction; its failures count as those of a sign-in.
pub async fn change_password(
    State(app): State<App>,
    visitor: Visitor,
    mut form: Form,
) -> Result<Response> {
    let Some(user) = visitor.user.clone() else { return Err(Error::Forbidden) };
    let tried = Tried::Password(&user.email);
    match throttle::attempt(&app.db, tried, &visitor.full_ip, visitor.now).await? {
        Gate::Open => {}
        Gate::TooMany(seconds) => return Err(Error::TooMany(seconds)),
        Gate::Locked => return Err(Error::TooMany(15 * 60)),
    }
    let stored = sqlx::query_scalar!("select password_hash from users where id = $1", user.id as _)
        .fetch_one(&app.db)
        .await?;
    let old: String = form.raw("ancien").nfc().collect();
    let right = hashing::verify(&app, stored, old).await?.right;
    if !right {
        let (action, why) = ("password.refused", "wrong_password");
        throttle::trace(&app, &visitor, tried, Some(user.id), action, why).await?;
        form.refuse("ancien", "Ancien mot de passe incorrect");
    }
    let password = chosen::read(&mut form, &Context::of(&user), Rules::from(&*app.settings()));
    let Some(password) = password.filter(|_| form.is_valid()) else {
        if right {
            let mut conn = app.db.acquire().await?;
            throttle::forgive(&mut conn, tried, &visitor.full_ip, visitor.now).await?;
        }
        return Ok(Again(new_password(&app, &visitor, &user, form)).into_response());
    };
    let hash = password.hash(&app).await?;
    let mut tx = Tx::begin_for(&app, &visitor).await?;
    throttle::forgive(tx.conn(), tried, &visitor.full_ip, visitor.now).await?;
    account::set_password(&mut tx, user.id, &hash, None).await?;
    let cookie = renew_session(&mut tx, &user, &visitor).await?;
    account::notify(&mut tx, user.id, "Votre mot de passe a été modifié.").await?;
    tx.commit().await?;
    let answer = Redirect::to("/profil").flash("Mot de passe modifié").cookie(cookie);
    // The series of this browser ended with the others.
    Ok(answer.cookie(cookies::forget_secret(&app, "rester")).into_response())
}

/// A new session identifier at a password change (RG-007): every former one is dead, this one included.
async fn renew_session(tx: &mut Tx, user: &User, visitor: &Visitor) -> Result<String> {
    let stamp = sqlx::query_scalar!("select security_stamp from users where id = $1", user.id as _)
        .fetch_one(tx.conn())
        .await?;
    let secret = super::sessions::open(tx.conn(), user.id, stamp, None, visitor).await?;
    Ok(cookies::secret(tx.app(), "session", &secret, None))
}
