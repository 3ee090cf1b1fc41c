// SPDX-License-Identifier: EUPL-1.2
//! Who holds what on a campaign, and the commands that change it (RG-115).
pub use super::rights::Rights;
use super::{Campaign, Configure, Grantable};
use crate::{
    accounts::{Group, Role, Roles, User, display_name},
    audit::Entry,
    db::{Id, Tx, sqlstate},
    web::{Error, Result, auth::Allowed},
};
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

/// One row of the table: a person or a group, and the rights given.
#[derive(Clone, Debug)]
pub struct Grant {
    pub id: Uuid,
    /// Absent for a group.
    pub user: Option<Id<User>>,
    pub group: Option<Uuid>,
    pub name: String,
    pub roles: Roles,
    pub active: bool,
    pub rights: Rights,
}

pub async fn grants(conn: &mut PgConnection, campaign: Id<Campaign>) -> sqlx::Result<Vec<Grant>> {
    let rows = sqlx::query!(
        r#"select g.id, g.user_id as "user_id?: Id<User>", g.group_id, gr.name as "group_name?", u.first_name as "first_name?",
                  u.last_name as "last_name?", u.roles as "roles?", coalesce(u.active, true) as "active!", g.can_place, g.can_configure, g.can_export
           from grants g left join users u on u.id = g.user_id left join user_groups gr on gr.id = g.group_id
           where g.campaign_id = $1 order by g.user_id is null, coalesce(u.name_norm, gr.name_norm), g.id"#,
        campaign as _
    )
    .fetch_all(conn)
    .await?;
    let grants = rows.into_iter().map(|row| Grant {
        id: row.id,
        user: row.user_id,
        group: row.group_id,
        name: match (row.first_name, row.last_name) {
            (Some(first), Some(last)) => display_name(&first, &last),
            _ => row.group_name.unwrap_or_default(),
        },
        roles: row.roles.map(Roles::from).unwrap_or_default(),
        active: row.active,
        rights: Rights::given(row.can_place, row.can_configure, row.can_export),
    });
    Ok(grants.collect())
}

/// What this person may grant: what they hold (RG-115).
pub fn held(campaign: &Campaign, user: &User) -> Rights {
    Grantable::ALL.into_iter().filter(|right| campaign.holds(user, *right)).collect()
}

fn check(
    campaign: &Campaign,
    giver: &User,
    roles: Roles,
    added: Rights,
    wanted: Rights,
) -> Result<()> {
    let beyond = added.beyond(held(campaign, giver));
    if !beyond.is_empty() {
        return Err(Error::Refused(format!(
            "Vous ne pouvez donner que les droits que vous avez. Il vous manque : {}.",
            beyond.labels()
        )));
    }
    if roles.only(Role::Reader)
        && (wanted.has(Grantable::Place) || wanted.has(Grantable::Configure))
    {
        return Err(Error::Refused(
            "Un lecteur ne peut recevoir que « Voir » et « Exporter ».".into(),
        ));
    }
    Ok(())
}

/// Who receives rights.
pub enum Recipient {
    Person(User),
    Group(Group),
}

impl Recipient {
    pub fn name(&self) -> String {
        match self {
            Self::Person(person) => person.name(),
            Self::Group(group) => group.name.clone(),
        }
    }
}

/// Gives rights to somebody, or to a group, who had none of their own.
///
/// # Errors
/// A right that the giver does not hold, one that a lecteur cannot hold, somebody already in the table.
pub async fn grant(
    tx: &mut Tx,
    campaign: &Allowed<Configure, Campaign>,
    to: &Recipient,
    rights: Rights,
) -> Result<()> {
    let giver = tx.user()?.clone();
    let (user, group, roles) = match to {
        Recipient::Person(person) => (Some(person.id), None, person.roles),
        Recipient::Group(group) => (None, Some(group.id), Roles::default()),
    };
    check(campaign, &giver, roles, rights, rights)?;
    if user == Some(campaign.owner_id) {
        return Err(Error::Refused("Le propriétaire a déjà tous les droits.".into()));
    }
    let id = Uuid::now_v7();
    sqlx::query!(
        "insert into grants (id, campaign_id, user_id, group_id, can_place, can_configure, can_export) values ($1, $2, $3, $4, $5, $6, $7)",
        id,
        campaign.id as _,
        user as _,
        group as _,
        rights.has(Grantable::Place),
        rights.has(Grantable::Configure),
        rights.has(Grantable::Export),
    )
    .execute(tx.conn())
    .await
    .map_err(|err| match sqlstate(&err).as_deref() {
        Some("23505") => Error::Refused(format!("{} figure déjà dans la liste : modifiez ses droits dans le tableau.", to.name())),
        _ => err.into(),
    })?;
    traced(tx, campaign, "grant.given", id, &to.name(), Rights::default(), rights).await
}

/// Replaces the rights of a row; none at all removes it.
///
/// # Errors
/// As [`grant`].
pub async fn change(
    tx: &mut Tx,
    campaign: &Allowed<Configure, Campaign>,
    row: &Grant,
    rights: Rights,
) -> Result<()> {
    if rights == row.rights {
        return Ok(());
    }
    if rights.is_empty() {
        return revoke(tx, campaign, row).await;
    }
    let giver = tx.user()?.clone();
    check(campaign, &giver, row.roles, rights.beyond(row.rights), rights)?;
    sqlx::query!(
        "update grants set can_place = $2, can_configure = $3, can_export = $4 where id = $1",
        row.id,
        rights.has(Grantable::Place),
        rights.has(Grantable::Configure),
        rights.has(Grantable::Export),
    )
    .execute(tx.conn())
    .await?;
    traced(tx, campaign, "grant.changed", row.id, &row.name, row.rights, rights).await
}

/// Effective at the next request; live screens close (US-808.3).
pub async fn revoke(
    tx: &mut Tx,
    campaign: &Allowed<Configure, Campaign>,
    row: &Grant,
) -> Result<()> {
    sqlx::query!("delete from grants where id = $1", row.id).execute(tx.conn()).await?;
    traced(tx, campaign, "grant.removed", row.id, &row.name, row.rights, Rights::default()).await
}

async fn traced(
    tx: &mut Tx,
    campaign: &Campaign,
    action: &'static str,
    id: Uuid,
    name: &str,
    before: Rights,
    after: Rights,
) -> Result<()> {
    tx.record(
        Entry::on(action, "grant", id)
            .campaign(campaign.id)
            .changes(json!({ "who": name, "rights": [before.labels(), after.labels()] })),
    )
    .await?;
    tx.touch_campaign(campaign.id).await?;
    Ok(())
}

/// What somebody can do on the campaign, and why.
pub struct Effective {
    pub name: String,
    pub roles: Roles,
    pub rights: Rights,
    pub origin: String,
}

/// The owner and everybody who holds something by name or by a group, with the union of their
/// rights (RG-115). Administrators, who may do everything, are not listed.
pub async fn effective(
    conn: &mut PgConnection,
    campaign: &Campaign,
) -> sqlx::Result<Vec<Effective>> {
    let rows = sqlx::query!(
        r#"select u.first_name, u.last_name, u.roles, u.id = $2 as "owns!",
                  coalesce(bool_or(g.user_id is not null), false) as "direct!",
                  array_agg(distinct gr.name) filter (where gr.id is not null) as groups,
                  coalesce(bool_or(g.can_place), false) as "place!", coalesce(bool_or(g.can_configure), false) as "configure!",
                  coalesce(bool_or(g.can_export), false) as "export!"
           from users u
           left join lateral (
             select d.user_id, d.group_id, d.can_place, d.can_configure, d.can_export from grants d
             where d.campaign_id = $1 and (d.user_id = u.id or d.group_id in (select group_id from group_members m where m.user_id = u.id))) g on true
           left join user_groups gr on gr.id = g.group_id
           where u.active and (u.id = $2 or g.user_id is not null or g.group_id is not null)
           group by u.id order by u.id <> $2, u.name_norm, u.id"#,
        campaign.id as _,
        campaign.owner_id as _
    )
    .fetch_all(conn)
    .await?;
    let people = rows.into_iter().map(|row| {
        let roles = Roles::from(row.roles);
        let reads = roles.only(Role::Reader);
        let given = [
            (true, Grantable::View),
            (row.place && !reads, Grantable::Place),
            (row.configure && !reads, Grantable::Configure),
            (row.export, Grantable::Export),
        ];
        let owns = row.owns && roles.has(Role::CampaignManager) || roles.has(Role::Admin);
        let mut origins: Vec<String> = Vec::new();
        if row.owns {
            origins.push("propriétaire".into());
        } else if roles.has(Role::Admin) {
            origins.push("administrateur".into());
        }
        if row.direct {
            origins.push("nommément".into());
        }
        origins.extend(
            row.groups.unwrap_or_default().into_iter().map(|group| format!("via groupe {group}")),
        );
        Effective {
            name: display_name(&row.first_name, &row.last_name),
            roles,
            rights: if owns {
                Rights::ALL
            } else {
                given.into_iter().filter_map(|(given, right)| given.then_some(right)).collect()
            },
            origin: origins.join(", "),
        }
    });
    Ok(people.collect())
}
