// SPDX-License-Identifier: EUPL-1.2
//! What happens to people who sign in, and to those who try.
mod accounts;
mod groups;
mod links;
mod my_sessions;
mod sign_in;

use crate::{
    accounts::hashing,
    testing::{Person, TestApp},
};

async fn set_password(app: &TestApp, person: &Person, password: &str) {
    let hash = hashing::hash_now(password).unwrap();
    sqlx::query("update users set password_hash = $2 where id = $1")
        .bind(person.id())
        .bind(hash)
        .execute(&app.app.db)
        .await
        .unwrap();
}

async fn password_of(app: &TestApp, person: &Person) -> Option<String> {
    sqlx::query_scalar("select password_hash from users where id = $1")
        .bind(person.id())
        .fetch_one(&app.app.db)
        .await
        .unwrap()
}

/// The path of the link shown in a page.
fn link_in(text: &str, purpose: &str) -> String {
    let start = text
        .find(&format!("http://ops.test/{purpose}/"))
        .unwrap_or_else(|| panic!("no link in {text}"));
    let link: String = text[start..]
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || "/:.-".contains(*c))
        .collect();
    link.trim_start_matches("http://ops.test").to_owned()
}
