// SPDX-License-Identifier: EUPL-1.2
//! How strong passwords must be, and which roles require a second factor (RG-001, RG-128).
use super::{save, section};
use crate::{
    accounts::Role,
    db::{Read, Tx},
    web::{Again, Form, Page, Redirect, Result, Shell, auth::Visitor},
};
use askama::Template;
use axum::response::{IntoResponse, Response};
use sqlx::PgConnection;

const HERE: &str = "/administration/parametres/securite";

/// A role, and how many of its active people have no factor yet.
struct Line {
    role: Role,
    people: i64,
    without: i64,
}

#[derive(Template)]
#[template(path = "settings/security.html")]
struct Security {
    shell: Shell,
    form: Form,
    lines: Vec<Line>,
}

async fn security(conn: &mut PgConnection, shell: Shell, form: Form) -> sqlx::Result<Security> {
    let counts = sqlx::query!(
        r#"select role as "role!", count(*) as "people!", count(*) filter (where f.user_id is null) as "without!"
           from users u cross join unnest(u.roles) as role
           left join second_factors f on f.user_id = u.id and f.confirmed_at is not null
           where u.active group by role"#
    )
    .fetch_all(conn)
    .await?;
    let lines = Role::ALL.map(|role| {
        let count = counts.iter().find(|count| count.role == role.code());
        Line {
            role,
            people: count.map_or(0, |count| count.people),
            without: count.map_or(0, |count| count.without),
        }
    });
    Ok(Security { shell: section(shell), form, lines: lines.into_iter().collect() })
}

pub async fn page(mut read: Read) -> Result<Page<impl Template>> {
    let settings = read.app().settings();
    let mut pairs = vec![("force", settings.password_bits.to_string())];
    if settings.password_families {
        pairs.push(("familles", "oui".to_owned()));
    }
    pairs.extend(settings.second_factor_roles.iter().map(|role| ("roles", role.clone())));
    let shell = read.shell("Sécurité");
    Ok(Page(security(read.conn(), shell, Form::filled(pairs)).await?))
}

pub async fn update(visitor: Visitor, mut tx: Tx, mut form: Form) -> Result<Response> {
    let app = tx.app().clone();
    let families = form.checked("familles");
    let roles = Role::ALL
        .into_iter()
        .filter(|role| form.has("roles", role.code()))
        .map(|role| role.code().to_owned())
        .collect();
    let bits = form.required("force").parse().ok().filter(|bits| (50..=128).contains(bits));
    let Some(bits) = bits else {
        form.refuse("force", "Indiquez un nombre entre 50 et 128");
        let shell = Shell::new(&app, &visitor, "Sécurité");
        return Ok(Again(security(tx.conn(), shell, form).await?).into_response());
    };
    save(&mut tx, |settings| {
        settings.password_families = families;
        settings.second_factor_roles = roles;
        settings.password_bits = bits;
    })
    .await?;
    tx.commit().await?;
    app.reload_settings().await?;
    Ok(Redirect::to(HERE).flash("Paramètres enregistrés").into_response())
}
