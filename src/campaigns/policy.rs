// SPDX-License-Identifier: EUPL-1.2
//! Who may do what with a campaign (RG-111, 112, 115, 116, 117).
use super::Campaign;
use crate::{
    accounts::{Role, User},
    db::Id,
    web::{
        Error,
        auth::{Permits, Subject},
    },
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
/// The four rights that are given per user or per group (RG-115).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grantable {
    View,
    Place,
    Configure,
    Export,
}
/// Not an action on a campaign: holding the role is enough (RG-117, first line).
pub struct Create(());

impl Create {
    pub fn permits(user: &User) -> bool {
        user.roles.has(Role::Admin) || user.roles.has(Role::CampaignManager)
    }

    /// The proof that `create` asks for.
    ///
    /// # Errors
    /// `Forbidden` without the role.
    pub fn check(user: &User) -> Result<Self, Error> {
        if Self::permits(user) { Ok(Self(())) } else { Err(Error::Forbidden) }
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

    /// Whether this person holds a right, and so may grant it (RG-115).
    pub fn holds(&self, user: &User, right: Grantable) -> bool {
        self.is_run_by(user)
            || match right {
                Grantable::View => self.visible_to(user),
                Grantable::Place => self.can_place && !Self::only_reads(user),
                Grantable::Configure => self.can_configure && !Self::only_reads(user),
                Grantable::Export => self.can_export,
            }
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
        self.is_archived.then_some("Campagne archivée : lecture seule.")
    }

    async fn lock(conn: &mut PgConnection, id: Id<Self>) -> sqlx::Result<()> {
        sqlx::query!("select 1 as one from campaigns where id = $1 for update", id as _)
            .fetch_optional(conn)
            .await
            .map(drop)
    }

    async fn find(
        conn: &mut PgConnection,
        user: &User,
        id: Id<Self>,
    ) -> sqlx::Result<Option<Self>> {
        Ok(among(conn, user, &[id]).await?.pop())
    }
}

/// These campaigns as this person sees them, in no order. Says nothing of visibility.
pub async fn among(
    conn: &mut PgConnection,
    user: &User,
    ids: &[Id<Campaign>],
) -> sqlx::Result<Vec<Campaign>> {
    sqlx::query_as!(
        Campaign,
        r#"select c.id, c.name, c.description, c.type_id, t.name as type_name, c.start_date, c.end_date,
                  c.owner_id, o.first_name || ' ' || upper(o.last_name) as "owner_name!", o.active as owner_active,
                  c.is_public, c.status, c.status_forced is not null as "is_forced!",
                  c.activated_at is null as "is_draft!", c.archived_at is not null as "is_archived!", c.finished_at,
                  c.workflow_version_id, c.default_time, c.finish_level, c.time_tracking, c.wizard_step, c.version,
                  coalesce(g.can_view, false) as "can_view!", coalesce(g.can_place, false) as "can_place!",
                  coalesce(g.can_configure, false) as "can_configure!", coalesce(g.can_export, false) as "can_export!"
           from campaigns c
           join operation_types t on t.id = c.type_id
           join users o on o.id = c.owner_id
           left join lateral (
             select bool_or(can_view) as can_view, bool_or(can_place) as can_place,
                    bool_or(can_configure) as can_configure, bool_or(can_export) as can_export
             from grants g
             where g.campaign_id = c.id
               and (g.user_id = $2 or g.group_id in (select group_id from group_members where user_id = $2))) g on true
           where c.id = any($1) and c.deleted_at is null"#,
        ids as _,
        user.id as _,
    )
    .fetch_all(conn)
    .await
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
