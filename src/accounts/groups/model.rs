// SPDX-License-Identifier: EUPL-1.2
//! A group of users and the commands that change it. Every command touches the campaigns that use
//! the group, so that a screen whose right has gone closes at once.
use crate::{
    accounts::{Manage, User},
    audit::Entry,
    campaigns::Campaign,
    db::{Id, Tx, sqlstate},
    text::norm,
    web::{
        Error, Result,
        auth::{Allowed, Permits, Subject},
    },
};
use serde_json::json;
use sqlx::PgConnection;

const MAX_NAME: usize = 80;

#[derive(Clone, Debug)]
pub struct Group {
    pub id: Id<Group>,
    pub name: String,
    pub members: i64,
    /// Campaigns, in the recycle bin or not, whose rights name this group.
    pub campaigns: i64,
    /// Those of them in the recycle bin.
    pub in_bin: i64,
}

impl Group {
    pub fn url(&self) -> String {
        format!("/administration/groupes/{}", self.id)
    }
}

impl Subject for Group {
    async fn find(conn: &mut PgConnection, _: &User, id: Id<Self>) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Group,
            r#"select g.id as "id: Id<Group>", g.name,
                      (select count(*) from group_members m where m.group_id = g.id) as "members!",
                      (select count(*) from grants a where a.group_id = g.id) as "campaigns!",
                      (select count(c.deleted_at) from grants a join campaigns c on c.id = a.campaign_id where a.group_id = g.id) as "in_bin!"
               from user_groups g where g.id = $1"#,
            id as _
        )
        .fetch_optional(conn)
        .await
    }

    async fn lock(conn: &mut PgConnection, id: Id<Self>) -> sqlx::Result<()> {
        sqlx::query!("select 1 as one from user_groups where id = $1 for update", id as _)
            .fetch_optional(conn)
            .await
            .map(drop)
    }

    fn visible_to(&self, user: &User) -> bool {
        user.is_admin()
    }
}

impl Permits<Manage> for Group {
    fn permits(&self, user: &User) -> bool {
        user.is_admin()
    }
}

/// Every group, by name.
pub async fn names(conn: &mut PgConnection) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!("select name from user_groups order by name_norm limit 500")
        .fetch_all(conn)
        .await
}

/// The group of this name, whatever its capitals and accents.
pub async fn named(conn: &mut PgConnection, name: &str) -> sqlx::Result<Option<Group>> {
    sqlx::query_as!(
        Group,
        r#"select id as "id: Id<Group>", name, 0 as "members!: i64", 0 as "campaigns!: i64", 0 as "in_bin!: i64" from user_groups where name_norm = $1"#,
        norm(name)
    )
    .fetch_optional(conn)
    .await
}

fn checked(name: &str) -> Result<String> {
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    if name.is_empty() {
        return Err(Error::Refused("Ce champ est obligatoire".into()));
    }
    if name.chars().count() > MAX_NAME {
        return Err(Error::Refused(format!("{MAX_NAME} caractères au plus")));
    }
    Ok(name)
}

fn taken(err: sqlx::Error) -> Error {
    match sqlstate(&err).as_deref() {
        Some("23505") => Error::Refused("Un groupe porte déjà ce nom".into()),
        _ => err.into(),
    }
}

/// # Errors
/// `Forbidden` for who is no administrator, `Refused` for an empty or used name.
pub async fn create(tx: &mut Tx, name: &str) -> Result<Id<Group>> {
    if !tx.user()?.is_admin() {
        return Err(Error::Forbidden);
    }
    let name = checked(name)?;
    let id = Id::<Group>::new();
    sqlx::query!(
        "insert into user_groups (id, name, name_norm) values ($1, $2, $3)",
        id as _,
        name,
        norm(&name)
    )
    .execute(tx.conn())
    .await
    .map_err(taken)?;
    tx.record(
        Entry::on("group.created", "group", id.uuid()).changes(json!({ "name": [null, name] })),
    )
    .await?;
    Ok(id)
}

/// # Errors
/// `Refused` for an empty or used name.
pub async fn rename(tx: &mut Tx, group: &Allowed<Manage, Group>, name: &str) -> Result<()> {
    let name = checked(name)?;
    sqlx::query!(
        "update user_groups set name = $2, name_norm = $3 where id = $1",
        group.id as _,
        name,
        norm(&name)
    )
    .execute(tx.conn())
    .await
    .map_err(taken)?;
    tx.record(
        Entry::on("group.renamed", "group", group.id.uuid())
            .changes(json!({ "name": [group.name, name] })),
    )
    .await?;
    touch(tx, group.id).await
}

/// # Errors
/// `Refused` for who is already a member.
pub async fn add(tx: &mut Tx, group: &Allowed<Manage, Group>, user: &User) -> Result<()> {
    let added = sqlx::query!(
        "insert into group_members (group_id, user_id) values ($1, $2) on conflict do nothing",
        group.id as _,
        user.id as _
    )
    .execute(tx.conn())
    .await?
    .rows_affected();
    if added == 0 {
        return Err(Error::Refused(format!("{} est déjà membre de ce groupe", user.name())));
    }
    member_moved(tx, group, "group.member_added", &user.name()).await
}

/// # Errors
/// `NotFound` when this person is no member.
pub async fn remove(tx: &mut Tx, group: &Allowed<Manage, Group>, user: Id<User>) -> Result<String> {
    let row = sqlx::query!(
        "delete from group_members m using users u where m.group_id = $1 and m.user_id = $2 and u.id = m.user_id returning u.first_name, u.last_name",
        group.id as _,
        user as _
    )
    .fetch_optional(tx.conn())
    .await?
    .ok_or(Error::NotFound)?;
    let name = crate::accounts::display_name(&row.first_name, &row.last_name);
    member_moved(tx, group, "group.member_removed", &name).await?;
    Ok(name)
}

async fn member_moved(tx: &mut Tx, group: &Group, action: &'static str, who: &str) -> Result<()> {
    tx.record(
        Entry::on(action, "group", group.id.uuid())
            .changes(json!({ "group": group.name, "who": who })),
    )
    .await?;
    touch(tx, group.id).await
}

/// With its memberships and the rights it had.
pub async fn destroy(tx: &mut Tx, group: &Allowed<Manage, Group>) -> Result<()> {
    touch(tx, group.id).await?;
    sqlx::query!("delete from user_groups where id = $1", group.id as _).execute(tx.conn()).await?;
    tx.record(Entry::on("group.deleted", "group", group.id.uuid()).changes(
        json!({ "name": [group.name, null], "members": group.members, "campaigns": group.campaigns, "in_bin": group.in_bin }),
    ))
    .await?;
    Ok(())
}

async fn touch(tx: &mut Tx, group: Id<Group>) -> Result<()> {
    let campaigns = sqlx::query_scalar!(
        r#"select campaign_id as "id: Id<Campaign>" from grants where group_id = $1"#,
        group as _
    )
    .fetch_all(tx.conn())
    .await?;
    for campaign in campaigns {
        tx.touch_campaign(campaign).await?;
    }
    Ok(())
}
