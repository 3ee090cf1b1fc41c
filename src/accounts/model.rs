// SPDX-License-Identifier: EUPL-1.2
//! A person who has an account, as every page needs them.
use super::{Role, Roles};
use crate::db::Id;

#[derive(Clone, Debug)]
pub struct User {
    pub id: Id<User>,
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    pub roles: Roles,
    pub theme: String,
    pub start_page: Option<String>,
    /// A code is asked after the password (RG-128).
    pub second_factor: bool,
}

impl User {
    /// « Sophie MARTIN »
    pub fn name(&self) -> String {
        display_name(&self.first_name, &self.last_name)
    }

    pub fn is_admin(&self) -> bool {
        self.roles.has(Role::Admin)
    }

    /// Where `/` leads (RG-020).
    pub fn landing(&self) -> &'static str {
        match self.start_page.as_deref() {
            Some("onsite") if self.roles.has(Role::Technician) => return "/terrain",
            Some("campaigns") => return "/campagnes",
            Some("dashboard") if !self.roles.only(Role::Technician) => return "/tableau-de-bord",
            _ => {}
        }
        if self.roles.has(Role::Admin) || self.roles.has(Role::CampaignManager) {
            "/tableau-de-bord"
        } else if self.roles.has(Role::Technician) {
            "/terrain"
        } else {
            "/tableau-de-bord"
        }
    }
}

/// First name as it is, family name in capitals.
pub fn display_name(first: &str, last: &str) -> String {
    format!("{first} {}", last.to_uppercase())
}

/// « Karim B. », for the activity feed.
pub fn brief_name(first: &str, last: &str) -> String {
    match last.chars().next() {
        Some(initial) => format!("{first} {}.", initial.to_uppercase()),
        None => first.to_owned(),
    }
}

/// « KB »; any first letters, emoji and œ included (P-087).
pub fn initials(first: &str, last: &str) -> String {
    [first, last]
        .iter()
        .filter_map(|name| name.chars().next())
        .flat_map(char::to_uppercase)
        .collect()
}

/// An active account; `None` when it is off or unknown.
pub async fn find(conn: &mut sqlx::PgConnection, id: Id<User>) -> sqlx::Result<Option<User>> {
    let row = sqlx::query!(
        r#"select id, email, first_name, last_name, roles, theme, start_page,
                  exists (select 1 from second_factors f where f.user_id = users.id and f.confirmed_at is not null) as "second_factor!"
           from users where id = $1 and active"#,
        id as _
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| User {
        id: row.id,
        email: row.email,
        first_name: row.first_name,
        last_name: row.last_name,
        roles: Roles::from(row.roles),
        theme: row.theme,
        start_page: row.start_page,
        second_factor: row.second_factor,
    }))
}

/// Active accounts of this e-mail, or of this name in either order; two at most, since a second
/// one means asking again. « Sophie MARTIN <sophie@…> » is the e-mail.
pub async fn people_called(conn: &mut sqlx::PgConnection, asked: &str) -> sqlx::Result<Vec<User>> {
    let email = asked
        .rsplit_once('<')
        .map_or(asked, |(_, rest)| rest.trim_end_matches('>'))
        .trim()
        .to_lowercase();
    let ids = sqlx::query_scalar!(
        r#"select id as "id: Id<User>" from users where active
             and (email = $1 or name_norm = $2 or name_norm = (select string_agg(word, ' ' order by n desc) from regexp_split_to_table($2, ' ') with ordinality w (word, n)))
           limit 2"#,
        email,
        crate::text::norm(asked)
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut found = Vec::new();
    for id in ids {
        found.extend(find(conn, id).await?);
    }
    Ok(found)
}
