// SPDX-License-Identifier: EUPL-1.2
//! One account: identity and roles (US-104), figures (US-106), what can be done with it.
use crate::{
    accounts::{
        Account, Manage, Role, account, identity, second_factor,
        throttle::{self, Tried},
    },
    campaigns::Campaign,
    db::{Id, Read, Tx},
    text,
    web::{Again, Error, Form, Page, Redirect, Result, Shell, auth::Visitor, format},
};
use askama::Template;
use axum::{
    extract::Path,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

#[derive(Template)]
#[template(path = "accounts/users/show.html")]
struct Show {
    shell: Shell,
    account: Account,
    form: Form,
    roles: [Role; 5],
    facts: Facts,
    now: DateTime<Utc>,
}

/// What surrounds the form.
pub(super) struct Facts {
    locked: bool,
    assigned: i64,
    done: i64,
    pub(super) open: Vec<Open>,
    relay: bool,
    myself: bool,
    factor: second_factor::State,
}

/// The operations of a campaign that somebody else must take (RG-005).
pub(super) struct Open {
    id: Id<Campaign>,
    name: String,
    number: i64,
}

impl Open {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn number(&self) -> i64 {
        self.number
    }

    pub(super) fn url(&self, account: &Account) -> String {
        format!("/campagnes/{}/operations?technicien={}", self.id, account.id)
    }
}

impl Facts {
    /// « 42 (89 %) »
    fn done(&self) -> String {
        let done = text::number(self.done.unsigned_abs());
        match (self.done * 100 + self.assigned / 2).checked_div(self.assigned) {
            Some(percent) => format!("{done} ({percent}\u{202f}%)"),
            None => done,
        }
    }
}

pub(super) async fn facts(
    conn: &mut PgConnection,
    account: &Account,
    me: &crate::accounts::User,
    relay: bool,
    now: DateTime<Utc>,
) -> sqlx::Result<Facts> {
    let email = account.email.as_str();
    let locked = throttle::is_locked(&mut *conn, Tried::Password(email), now).await?
        || throttle::is_locked(&mut *conn, Tried::Code(email), now).await?;
    let open = sqlx::query_as!(
        Open,
        r#"select c.id, c.name, count(*) as "number!" from operations o join campaigns c on c.id = o.campaign_id
           where o.assignee_id = $1 and o.deleted_at is null and o.category not in ('done', 'cancelled')
             and c.deleted_at is null and c.archived_at is null
           group by c.id, c.name order by c.name"#,
        account.id as _
    )
    .fetch_all(&mut *conn)
    .await?;
    let figures = sqlx::query!(
        r#"select count(*) as "assigned!", count(*) filter (where o.category = 'done') as "done!" from operations o
           join campaigns c on c.id = o.campaign_id and c.deleted_at is null
           where o.assignee_id = $1 and o.deleted_at is null and o.category <> 'cancelled'"#,
        account.id as _
    )
    .fetch_one(&mut *conn)
    .await?;
    let factor = second_factor::state(conn, account.id).await?;
    Ok(Facts {
        locked,
        assigned: figures.assigned,
        done: figures.done,
        open,
        relay,
        myself: account.id == me.id,
        factor,
    })
}

fn show(shell: Shell, account: Account, form: Form, facts: Facts, now: DateTime<Utc>) -> Show {
    let shell = shell
        .under("Administration", "/administration")
        .under("Utilisateurs", "/administration/utilisateurs");
    Show { shell, account, form, roles: Role::ALL, facts, now }
}

fn filled(account: &Account) -> Form {
    let mut pairs = vec![
        ("prenom", account.first_name.clone()),
        ("nom", account.last_name.clone()),
        ("email", account.email.clone()),
        ("version", account.version.to_string()),
    ];
    pairs.extend(account.roles.codes().into_iter().map(|code| ("roles", code)));
    Form::filled(pairs)
}

pub async fn page(mut read: Read, Path(id): Path<Id<Account>>) -> Result<Page<impl Template>> {
    let account = read.authorize(Manage, id).await?.into_subject();
    let (now, relay, me) = (read.now(), read.app().mailer.is_configured(), read.user().clone());
    let facts = facts(read.conn(), &account, &me, relay, now).await?;
    let form = filled(&account);
    Ok(Page(show(read.shell(account.name()), account, form, facts, now)))
}

pub async fn update(
    visitor: Visitor,
    mut tx: Tx,
    Path(id): Path<Id<Account>>,
    mut form: Form,
) -> Result<Response> {
    let account = tx.authorize_to_change(Manage, id).await?;
    let identity = identity::read(&mut form);
    let (now, relay, me) = (tx.now(), tx.app().mailer.is_configured(), tx.user()?.clone());
    let facts = facts(tx.conn(), &account, &me, relay, now).await?;
    let shell = Shell::new(tx.app(), &visitor, account.name());
    if form.is_valid() && form.text("version").parse() != Ok(account.version) {
        form.refuse("", "Ce compte a été modifié entre-temps. Vérifiez vos réponses, puis enregistrez à nouveau.");
        form.set("version", account.version.to_string());
    }
    if form.is_valid() {
        match account::update(&mut tx, &account, &identity).await {
            Err(Error::Refused(why)) => {
                form.refuse(if why == account::EMAIL_TAKEN { "email" } else { "roles" }, why)
            }
            done => {
                done?;
                tx.commit().await?;
                return Ok(Redirect::to(account.url())
                    .flash("Utilisateur mis à jour")
                    .into_response());
            }
        }
    }
    Ok(Again(show(shell, account.into_subject(), form, facts, now)).into_response())
}
