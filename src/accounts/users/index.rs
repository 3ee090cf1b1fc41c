// SPDX-License-Identifier: EUPL-1.2
//! The accounts, by name, fifty a page.
use crate::{
    accounts::{Role, Roles, User, display_name},
    db::{Id, Read},
    text::{self, like_pattern, norm},
    web::{Form, Page, Result, Shell, format},
};
use askama::Template;
use axum::extract::RawQuery;
use chrono::{DateTime, Utc};
use uuid::Uuid;

const PER_PAGE: i64 = 50;

struct Line {
    id: Id<User>,
    email: String,
    first_name: String,
    last_name: String,
    roles: Vec<String>,
    active: bool,
    activated: bool,
    last_sign_in_at: Option<DateTime<Utc>>,
}

impl Line {
    fn name(&self) -> String {
        display_name(&self.first_name, &self.last_name)
    }

    fn roles(&self) -> String {
        Roles::from(self.roles.clone()).labels()
    }
}

#[derive(Template)]
#[template(path = "accounts/users/index.html")]
struct Index {
    shell: Shell,
    q: String,
    total: i64,
    lines: Vec<Line>,
    next: Option<String>,
    first: bool,
    legend: [Role; 5],
    now: DateTime<Utc>,
}

pub async fn page(mut read: Read, RawQuery(query): RawQuery) -> Result<Page<impl Template>> {
    let asked = Form::parse(query.as_deref().unwrap_or_default().as_bytes());
    let q = asked.text("q");
    let pattern = like_pattern(&norm(&q));
    let after: Option<Uuid> = asked.given("apres").and_then(|id| id.parse().ok());
    let mut lines = sqlx::query_as!(
        Line,
        r#"select id, email, first_name, last_name, roles, active, password_hash is not null as "activated!", last_sign_in_at from users
           where ($1 = '%%' or name_norm like $1 or email like $1)
             and ($2::uuid is null or (name_norm, id) > (select name_norm, id from users where id = $2))
           order by name_norm, id limit $3"#,
        pattern,
        after,
        PER_PAGE + 1
    )
    .fetch_all(read.conn())
    .await?;
    let total = sqlx::query_scalar!(
        r#"select count(*) as "n!" from users where $1 = '%%' or name_norm like $1 or email like $1"#,
        pattern
    )
    .fetch_one(read.conn())
    .await?;
    let more = lines.len() as i64 > PER_PAGE;
    lines.truncate(PER_PAGE as usize);
    let next = lines.last().filter(|_| more).map(|line| {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("q", &q)
            .append_pair("apres", &line.id.to_string())
            .finish();
        format!("/administration/utilisateurs?{query}")
    });
    Ok(Page(Index {
        shell: read.shell("Utilisateurs").under("Administration", "/administration"),
        q,
        total,
        lines,
        next,
        first: after.is_none(),
        legend: Role::ALL,
        now: read.now(),
    }))
}
