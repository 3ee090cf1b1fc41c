// SPDX-License-Identifier: EUPL-1.2
//! The groups, with what each one weighs; a new one.
use super::model::{self, Group};
use crate::{
    db::{Id, Read, Tx},
    web::{Again, Error, Form, Page, Redirect, Result, Shell},
};
use askama::Template;
use axum::response::{IntoResponse, Response};
use sqlx::PgConnection;

#[derive(Template)]
#[template(path = "accounts/groups/index.html")]
struct Index {
    shell: Shell,
    form: Form,
    groups: Vec<Group>,
}

async fn index(conn: &mut PgConnection, shell: Shell, form: Form) -> sqlx::Result<Index> {
    let groups = sqlx::query_as!(
        Group,
        r#"select g.id as "id: Id<Group>", g.name, coalesce(m.n, 0) as "members!", coalesce(a.n, 0) as "campaigns!", coalesce(a.in_bin, 0) as "in_bin!"
           from user_groups g
           left join (select group_id, count(*) as n from group_members group by group_id) m on m.group_id = g.id
           left join (select group_id, count(*) as n, count(c.deleted_at) as in_bin from grants join campaigns c on c.id = campaign_id
                      where group_id is not null group by group_id) a on a.group_id = g.id
           order by g.name_norm"#
    )
    .fetch_all(conn)
    .await?;
    Ok(Index { shell: shell.under("Administration", "/administration"), form, groups })
}

pub async fn page(mut read: Read) -> Result<Page<impl Template>> {
    let shell = read.shell("Groupes");
    Ok(Page(index(read.conn(), shell, Form::default()).await?))
}

pub async fn create(mut tx: Tx, mut form: Form) -> Result<Response> {
    match model::create(&mut tx, &form.text("nom")).await {
        Err(Error::Refused(why)) => form.refuse("nom", why),
        created => {
            let id = created?;
            tx.commit().await?;
            return Ok(Redirect::to(format!("/administration/groupes/{id}"))
                .flash("Groupe créé. Ajoutez-lui des membres.")
                .into_response());
        }
    }
    // The refused insertion has ended the transaction: the list is read apart.
    let (app, shell) = (tx.app().clone(), tx.shell("Groupes"));
    drop(tx);
    let mut conn = app.db.acquire().await?;
    Ok(Again(index(&mut conn, shell, form).await?).into_response())
}
