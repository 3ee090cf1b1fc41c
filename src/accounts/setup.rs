// SPDX-License-Identifier: EUPL-1.2
//! First installation (US-112, RG-008): a one-time link, while no administrator exists.
use super::{
    Identity, Purpose, Role, account, chosen, identity,
    links::{self, discreet},
    login,
    password::{Context, Rules},
};
use crate::{
    app::App,
    audit::Entry,
    db::Tx,
    settings,
    web::{Again, Error, Form, Page, Result, Shell, auth::Visitor},
};
use anyhow::Context as _;
use askama::Template;
use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

/// The one-time set-up link; `None` once an administrator exists.
///
/// # Errors
/// The base fails.
pub async fn setup_link(app: &App, now: DateTime<Utc>) -> anyhow::Result<Option<String>> {
    let mut tx = Tx::begin(app, crate::db::Actor::System, now).await?;
    if has_admin(tx.conn()).await? {
        return Ok(None);
    }
    let link = links::issue(tx.conn(), app, Purpose::Setup, None, now).await?;
    tx.record(
        Entry::about("link.issued", "instance").changes(serde_json::json!({ "purpose": "setup" })),
    )
    .await?;
    tx.commit().await.context("lien d’installation")?;
    Ok(Some(link))
}

pub(super) async fn has_admin(conn: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select 1 from users where active and 'admin' = any (roles)) as "found!""#
    )
    .fetch_one(conn)
    .await
}

#[derive(Template)]
#[template(path = "accounts/setup.html")]
struct Setup {
    shell: Shell,
    form: Form,
    rules: Rules,
    action: String,
}

fn setup(app: &App, visitor: &Visitor, token: &str, form: Form) -> Setup {
    let visitor = Visitor { user: None, ..visitor.clone() };
    Setup {
        shell: Shell::new(app, &visitor, "Première installation"),
        form,
        rules: Rules::from(&*app.settings()),
        action: format!("/installation/{token}"),
    }
}

pub async fn page(
    State(app): State<App>,
    visitor: Visitor,
    Path(token): Path<String>,
) -> Result<Response> {
    check(&app, &visitor, &token).await?;
    Ok(discreet(Page(setup(&app, &visitor, &token, Form::default()))))
}

/// 404 as soon as an administrator exists.
async fn check(app: &App, visitor: &Visitor, token: &str) -> Result<()> {
    let mut conn = app.db.acquire().await?;
    if has_admin(&mut conn).await? {
        return Err(Error::NotFound);
    }
    drop(conn);
    links::look(app, visitor, Purpose::Setup, token).await?;
    Ok(())
}

pub async fn create(
    State(app): State<App>,
    visitor: Visitor,
    Path(token): Path<String>,
    mut form: Form,
) -> Result<Response> {
    check(&app, &visitor, &token).await?;
    let organisation = settings::read_organisation(&mut form);
    let person = identity::read_person(&mut form);
    let context = Context::new(&person.2, &person.0, &person.1);
    let password = chosen::read(&mut form, &context, Rules::from(&*app.settings()));
    let (Some(password), true) = (password, form.is_valid()) else {
        return Ok(discreet(Again(setup(&app, &visitor, &token, form))));
    };
    let hash = password.hash(&app).await?;
    let mut tx = Tx::begin_for(&app, &visitor).await?;
    links::consume(&mut tx, Purpose::Setup, &token).await?;
    if has_admin(tx.conn()).await? {
        return Err(Error::NotFound);
    }
    settings::save(&mut tx, |settings| organisation.put(settings)).await?;
    let (first_name, last_name, email) = person;
    let admin =
        Identity { first_name, last_name, email, roles: [Role::Admin].into_iter().collect() };
    let answer = match first_admin(&mut tx, &admin, &hash).await? {
        Some((user, stamp)) => {
            login::start_session(&mut tx, user, stamp, false, Some("/administration".into()))
                .await?
        }
        None => {
            form.refuse("email", account::EMAIL_TAKEN);
            return Ok(discreet(Again(setup(&app, &visitor, &token, form))));
        }
    };
    tx.commit().await?;
    app.reload_settings().await?;
    Ok(answer
        .flash("OpsTracker est installé. Créez maintenant les comptes de votre équipe.")
        .into_response())
}

/// The first administrator, with a password; `None` when the e-mail is used.
pub(super) async fn first_admin(
    tx: &mut Tx,
    identity: &Identity,
    hash: &str,
) -> Result<Option<(crate::db::Id<super::User>, uuid::Uuid)>> {
    let now = tx.now();
    let id = match account::create_account(tx.conn(), identity, true, None, now).await {
        Err(err) if crate::db::sqlstate(&err).as_deref() == Some("23505") => return Ok(None),
        created => created?,
    };
    tx.record(
        Entry::on("user.created", "user", id.uuid())
            .changes(serde_json::json!({ "roles": [null, identity.roles.codes()] })),
    )
    .await?;
    let stamp = account::set_password(tx, id, hash, None).await?;
    Ok(Some((id, stamp)))
}
