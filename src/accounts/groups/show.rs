// SPDX-License-Identifier: EUPL-1.2
//! One group: its name, its members, the campaigns that use it, its end.
use super::model::{self, Group};
use crate::{
    accounts::{Manage, Roles, User, display_name, people_called},
    campaigns::{Campaign, grants::Rights},
    db::{Id, Read, Tx},
    web::{Again, Error, Form, Page, Redirect, Result, Shell},
};
use askama::Template;
use axum::{
    extract::Path,
    response::{IntoResponse, Response},
};
use sqlx::PgConnection;

struct Member {
    id: Id<User>,
    name: String,
    email: String,
    roles: Roles,
    active: bool,
}

struct Use {
    campaign: Id<Campaign>,
    name: String,
    rights: Rights,
}

#[derive(Template)]
#[template(path = "accounts/groups/show.html")]
struct Show {
    shell: Shell,
    group: Group,
    /// The name as typed, and the person to add.
    form: Form,
    members: Vec<Member>,
    uses: Vec<Use>,
    people: Vec<String>,
}

async fn show(conn: &mut PgConnection, shell: Shell, group: Group, form: Form) -> Result<Show> {
    let members = sqlx::query!(
        r#"select u.id as "id: Id<User>", u.first_name, u.last_name, u.email, u.roles, u.active
           from group_members m join users u on u.id = m.user_id where m.group_id = $1 order by u.name_norm, u.id"#,
        group.id as _
    )
    .fetch_all(&mut *conn)
    .await?
    .into_iter()
    .map(|row| Member {
        id: row.id,
        name: display_name(&row.first_name, &row.last_name),
        email: row.email,
        roles: Roles::from(row.roles),
        active: row.active,
    })
    .collect();
    let people = sqlx::query!(
        "select first_name, last_name, email from users u where active
           and not exists (select 1 from group_members m where m.group_id = $1 and m.user_id = u.id) order by name_norm, id limit 500",
        group.id as _
    )
    .fetch_all(&mut *conn)
    .await?
    .into_iter()
    .map(|u| format!("{} <{}>", display_name(&u.first_name, &u.last_name), u.email))
    .collect();
    let uses = uses(conn, group.id).await?;
    let shell = shell
        .under("Administration", "/administration")
        .under("Groupes", "/administration/groupes");
    Ok(Show { shell, group, form, members, uses, people })
}

async fn uses(conn: &mut PgConnection, group: Id<Group>) -> sqlx::Result<Vec<Use>> {
    let rows = sqlx::query!(
        r#"select c.id as "id: Id<Campaign>", c.name, g.can_place, g.can_configure, g.can_export
           from grants g join campaigns c on c.id = g.campaign_id and c.deleted_at is null
           where g.group_id = $1 order by c.name_norm, c.id"#,
        group as _
    )
    .fetch_all(conn)
    .await?;
    let uses = rows.into_iter().map(|row| Use {
        campaign: row.id,
        name: row.name,
        rights: Rights::given(row.can_place, row.can_configure, row.can_export),
    });
    Ok(uses.collect())
}

pub async fn page(mut read: Read, Path(id): Path<Id<Group>>) -> Result<Page<impl Template>> {
    let group = read.authorize(Manage, id).await?.into_subject();
    let (shell, form) = (read.shell(&group.name), Form::filled([("nom", group.name.clone())]));
    Ok(Page(show(read.conn(), shell, group, form).await?))
}

pub async fn rename(mut tx: Tx, Path(id): Path<Id<Group>>, mut form: Form) -> Result<Response> {
    let group = tx.authorize_to_change(Manage, id).await?;
    match model::rename(&mut tx, &group, &form.text("nom")).await {
        Err(Error::Refused(why)) => {
            form.refuse("nom", why);
            again(tx, group.into_subject(), form).await
        }
        done => {
            done?;
            tx.commit().await?;
            Ok(Redirect::to(group.url()).flash("Groupe renommé").into_response())
        }
    }
}

/// Adds a person, found by e-mail or by name among the active accounts.
pub async fn add(mut tx: Tx, Path(id): Path<Id<Group>>, mut form: Form) -> Result<Response> {
    let group = tx.authorize_to_change(Manage, id).await?;
    let asked = form.required("personne");
    let found =
        if asked.is_empty() { Vec::new() } else { people_called(tx.conn(), &asked).await? };
    let refusal = match found.as_slice() {
        [person] => match model::add(&mut tx, &group, person).await {
            Err(Error::Refused(why)) => Some(why),
            done => {
                done?;
                tx.commit().await?;
                return Ok(Redirect::to(group.url())
                    .flash(format!("{} est membre du groupe.", person.name()))
                    .into_response());
            }
        },
        _ if asked.is_empty() => None,
        [] => Some("Aucun compte actif n’a ce nom ou cette adresse".to_owned()),
        _ => Some("Plusieurs comptes portent ce nom : indiquez l’adresse e-mail".to_owned()),
    };
    if let Some(why) = refusal {
        form.refuse("personne", why);
    }
    form.set("nom", group.name.clone());
    again(tx, group.into_subject(), form).await
}

/// A refused statement has ended the transaction: the page is read apart.
async fn again(tx: Tx, group: Group, form: Form) -> Result<Response> {
    let (app, shell) = (tx.app().clone(), tx.shell(&group.name));
    drop(tx);
    let mut conn = app.db.acquire().await?;
    Ok(Again(show(&mut conn, shell, group, form).await?).into_response())
}

pub async fn remove(mut tx: Tx, Path((id, user)): Path<(Id<Group>, Id<User>)>) -> Result<Redirect> {
    let group = tx.authorize_to_change(Manage, id).await?;
    let name = model::remove(&mut tx, &group, user).await?;
    tx.commit().await?;
    Ok(Redirect::to(group.url()).flash(format!("{name} n’est plus membre du groupe.")))
}

#[derive(Template)]
#[template(path = "accounts/groups/delete.html")]
struct Confirm {
    shell: Shell,
    group: Group,
    uses: Vec<Use>,
}

pub async fn confirm(mut read: Read, Path(id): Path<Id<Group>>) -> Result<Page<impl Template>> {
    let group = read.authorize(Manage, id).await?.into_subject();
    let shell = read
        .shell("Supprimer le groupe")
        .under("Administration", "/administration")
        .under("Groupes", "/administration/groupes")
        .under(group.name.clone(), group.url());
    let uses = uses(read.conn(), group.id).await?;
    Ok(Page(Confirm { shell, group, uses }))
}

pub async fn destroy(mut tx: Tx, Path(id): Path<Id<Group>>) -> Result<Redirect> {
    let group = tx.authorize_to_change(Manage, id).await?;
    model::destroy(&mut tx, &group).await?;
    tx.commit().await?;
    Ok(Redirect::to("/administration/groupes").flash("Groupe supprimé"))
}
