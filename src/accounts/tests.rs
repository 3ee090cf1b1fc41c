// SPDX-License-Identifier: EUPL-1.2
//! What happens to people who sign in, and to those who try.
mod sign_in;

use crate::{
    accounts::hashing,
    testing::{Person, TestApp},
};

async fn set_password(app: &TestApp, person: &Person, password: &str) {
    let hash = hashing::hash_now(password).unwrap();
    sqlx::query("update users set password_hash = $2 where id = $1").bind(person.id()).bind(hash).execute(&app.app.db).await.unwrap();
}
