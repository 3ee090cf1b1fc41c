// SPDX-License-Identifier: EUPL-1.2
//! Who may do what with a campaign (RG-111, 112, 115, 116, 117).
use super::Campaign;
use crate::{
    accounts::{Role, User},
    db::Id,
    web::auth::{Permits, Subject},
};
use sqlx::PgConnection;

/// See the campaign, its dashboard and its operations.
pub struct View;
/// Edit settings, import, operations, segments; grants.
pub struct Configure;
pub struct Export;
/// Transfer, archive, delete.
pub struct Own;
/// Bring an archived campaign back: the owner, on a read-only subject.
pub struct Restore;
/// Read the campaign's audit.
pub struct Audit;
/// Not an action on a campaign: holding the role is enough (RG-117, first line).
pub struct Create;

impl Create {
    pub fn permits(user: &User) -> bool {
        user.roles.has(Role::Admin) || user.roles.has(Role::CampaignManager)
    }
}

impl Campaign {
    fn is_run_by(&self, user: &User) -> bool {
        user.is_admin() || (self.owner_id == user.id && user.roles.has(Role::CampaignManager))
    }

    /// A person whose only role is « lecteur » can hold « voir » and « exporter » only (RG-115).
    fn only_reads(user: &User) -> bool {
        user.roles.only(Role::Reader)
    }

    fn is_public_for(&self, user: &User) -> bool {
        self.is_public && (user.roles.has(Role::CampaignManager) || user.roles.has(Role::Reader))
    }
}

impl Permits<View> for Campaign {
    const ON_ARCHIVE: bool = true;

    fn permits(&self, user: &User) -> bool {
        self.visible_to(user)
    }
}

impl Permits<Configure> for Campaign {
    fn permits(&self, user: &User) -> bool {
        self.is_run_by(user) || (self.can_configure && !Self::only_reads(user))
    }
}

impl Permits<Export> for Campaign {
    const ON_ARCHIVE: bool = true;

    fn permits(&self, user: &User) -> bool {
        self.is_run_by(user) || self.can_export
    }
}

impl Permits<Own> for Campaign {
    fn permits(&self, user: &User) -> bool {
        self.is_run_by(user)
    }
}

impl Permits<Restore> for Campaign {
    const ON_ARCHIVE: bool = true;

    fn permits(&self, user: &User) -> bool {
        self.is_run_by(user)
    }
}

impl Permits<Audit> for Campaign {
    const ON_ARCHIVE: bool = true;

    fn permits(&self, user: &User) -> bool {
        Permits::<Configure>::permits(self, user)
    }
}

impl Subject for Campaign {
    fn visible_to(&self, user: &User) -> bool {
        self.is_run_by(user) || self.can_view || self.is_public_for(user)
    }

    fn read_only(&self) -> Option<&'static str> {
        self.is_archived.then_some("Campagne archivée : lecture seule.")
    }

    async fn lock(conn: &mut PgConnection, id: Id<Self>) -> sqlx::Result<()> {
        sqlx::query!("select 1 as one from campaigns where id = $1 for update", id as _).fetch_optional(conn).await.map(drop)
    }

    async fn find(conn: &mut PgConnection, user: &User, id: Id<Self>) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Campaign,
            r#"select c.id, c.name, c.description, c.type_id, t.name as type_name, c.start_date, c.end_date,
                      c.owner_id, o.first_name || ' ' || upper(o.last_name) as "owner_name!", c.is_public, c.status,
                      c.activated_at is null as "is_draft!", c.archived_at is not null as "is_archived!",
                      c.workflow_version_id, c.default_time, c.finish_level, c.time_tracking, c.wizard_step, c.version,
                      coalesce(g.can_view, false) as "can_view!", coalesce(g.can_configure, false) as "can_configure!",
                      coalesce(g.can_export, false) as "can_export!"
               from campaigns c
               join operation_types t on t.id = c.type_id
               join users o on o.id = c.owner_id
               left join lateral (
                 select bool_or(can_view) as can_view, bool_or(can_configure) as can_configure, bool_or(can_export) as can_export
                 from grants g
                 where g.campaign_id = c.id
                   and (g.user_id = $2 or g.group_id in (select group_id from group_members where user_id = $2))) g on true
               where c.id = $1 and c.deleted_at is null"#,
            id as _,
            user.id as _,
        )
        .fetch_optional(conn)
        .await
    }
}

/// [`Subject::visible_to`] said in SQL, for lists, counters, search and streams:
/// `select id from visible…`. `scope_and_policy_agree` keeps the two equal.
pub async fn visible(conn: &mut PgConnection, user: &User) -> sqlx::Result<Vec<Id<Campaign>>> {
    sqlx::query_scalar!(
        r#"select c.id from campaigns c
           where c.deleted_at is null
             and ($2 or (c.owner_id = $1 and $3) or (c.is_public and ($3 or $4))
                  or exists (select 1 from grants g where g.campaign_id = c.id
                             and (g.user_id = $1 or g.group_id in (select group_id from group_members where user_id = $1))))"#,
        user.id as _,
        user.is_admin(),
        user.roles.has(Role::CampaignManager),
        user.roles.has(Role::Reader),
    )
    .fetch_all(conn)
    .await
}
