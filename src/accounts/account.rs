// SPDX-License-Identifier: EUPL-1.2
//! An account as administrators manage it, and what changes it (RG-002 to RG-005).
use super::{
    Purpose, Role, Roles, User, links, sessions,
    throttle::{self, Tried},
};
use crate::{
    audit::Entry,
    db::{Id, Tx, sqlstate},
    mail,
    text::norm,
    web::{
        Error, Result,
        auth::{Allowed, Permits, Subject},
    },
};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

pub const EMAIL_TAKEN: &str = "Cet e-mail est déjà utilisé";
const LAST_ADMIN: &str = "Il doit rester au moins un administrateur actif";

pub struct Account {
    pub id: Id<User>,
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    pub roles: Roles,
    pub active: bool,
    pub activated: bool,
    pub last_sign_in_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub version: i32,
}

impl Account {
    pub fn name(&self) -> String {
        super::display_name(&self.first_name, &self.last_name)
    }

    pub fn url(&self) -> String {
        format!("/administration/utilisateurs/{}", self.id)
    }
}

/// Creating, changing, deactivating: administrators only.
pub struct Manage;

impl Subject for Account {
    async fn find(conn: &mut PgConnection, _: &User, id: Id<Self>) -> sqlx::Result<Option<Self>> {
        let row = sqlx::query!(
            r#"select id, email, first_name, last_name, roles, active, password_hash is not null as "activated!", last_sign_in_at, created_at, version
               from users where id = $1"#,
            id.uuid()
        )
        .fetch_optional(conn)
        .await?;
        Ok(row.map(|row| Self {
            id: row.id,
            email: row.email,
            first_name: row.first_name,
            last_name: row.last_name,
            roles: Roles::from(row.roles),
            active: row.active,
            activated: row.activated,
            last_sign_in_at: row.last_sign_in_at,
            created_at: row.created_at,
            version: row.version,
        }))
    }

    async fn lock(conn: &mut PgConnection, id: Id<Self>) -> sqlx::Result<()> {
        sqlx::query!("select 1 as one from users where id = $1 for no key update", id.uuid())
            .fetch_optional(conn)
            .await?;
        Ok(())
    }

    fn visible_to(&self, user: &User) -> bool {
        user.is_admin()
    }
}

impl Permits<Manage> for Account {
    fn permits(&self, user: &User) -> bool {
        user.is_admin()
    }
}

/// Who somebody is, as typed and checked.
#[derive(Clone, Debug)]
pub struct Identity {
    pub first_name: String,
    pub last_name: String,
    /// Lower case.
    pub email: String,
    pub roles: Roles,
}

/// Writes the row of a new account, without password nor trace: for commands and loaders.
///
/// # Errors
/// `23505` when the e-mail is used.
pub async fn create_account(
    conn: &mut PgConnection,
    identity: &Identity,
    active: bool,
    by: Option<Id<User>>,
    now: DateTime<Utc>,
) -> sqlx::Result<Id<User>> {
    let id = Id::<User>::new();
    sqlx::query!(
        "insert into users (id, email, first_name, last_name, name_norm, roles, active, created_at, created_by, updated_at, updated_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $8, $9)",
        id as _,
        identity.email,
        identity.first_name,
        identity.last_name,
        norm(&format!("{} {}", identity.last_name, identity.first_name)),
        &identity.roles.codes(),
        active,
        now,
        by as _
    )
    .execute(conn)
    .await?;
    Ok(id)
}

/// Creates an account and posts its activation message (US-103); returns the address written to.
///
/// # Errors
/// `Forbidden` for who is no administrator, `Refused` when the e-mail is used.
pub async fn create(tx: &mut Tx, identity: &Identity) -> Result<(Id<User>, String)> {
    let by = tx.user()?.clone();
    if !by.is_admin() {
        return Err(Error::Forbidden);
    }
    let now = tx.now();
    let id = create_account(tx.conn(), identity, true, Some(by.id), now).await.map_err(explain)?;
    let roles = identity.roles.codes();
    tx.record(
        Entry::on("user.created", "user", id.uuid())
            .changes(json!({ "roles": [Value::Null, roles] })),
    )
    .await?;
    let organisation = tx.app().settings().organisation.clone();
    let (_, recipient) =
        mail::post(tx, mail::account_created(id, identity.roles, &organisation, now)).await?;
    Ok((id, recipient))
}

/// Saves identity and roles. Changed roles end the person's sessions (RG-007), save the one that
/// makes the change.
///
/// # Errors
/// `Refused` with the sentences of RG-002 and RG-004.
pub async fn update(
    tx: &mut Tx,
    account: &Allowed<Manage, Account>,
    identity: &Identity,
) -> Result<()> {
    let me = tx.user()?.id;
    if account.id == me && account.roles.has(Role::Admin) && !identity.roles.has(Role::Admin) {
        return Err(Error::Refused("Vous ne pouvez pas rétrograder votre propre compte".into()));
    }
    let now = tx.now();
    sqlx::query!(
        "update users set email = $2, first_name = $3, last_name = $4, name_norm = $5, roles = $6, version = version + 1, updated_at = $7, updated_by = $8
         where id = $1",
        account.id as _,
        identity.email,
        identity.first_name,
        identity.last_name,
        norm(&format!("{} {}", identity.last_name, identity.first_name)),
        &identity.roles.codes(),
        now,
        me as _
    )
    .execute(tx.conn())
    .await
    .map_err(explain)?;
    if account.roles != identity.roles {
        let keep = if account.id == me { tx.visitor().and_then(|v| v.session) } else { None };
        sessions::revoke(tx, account.id, keep).await?;
    }
    if account.email != identity.email {
        // A link sent to the former address is of no use to its new owner.
        links::revoke(tx.conn(), Some(account.id), now).await?;
    }
    tx.record(
        Entry::on("user.changed", "user", account.id.uuid())
            .changes(differences(account, identity)),
    )
    .await?;
    Ok(())
}

fn differences(account: &Account, identity: &Identity) -> Value {
    let pairs = [
        ("first_name", json!(account.first_name), json!(identity.first_name)),
        ("last_name", json!(account.last_name), json!(identity.last_name)),
        ("email", json!(account.email), json!(identity.email)),
        ("roles", json!(account.roles.codes()), json!(identity.roles.codes())),
    ];
    pairs
        .into_iter()
        .filter(|(_, old, new)| old != new)
        .map(|(name, old, new)| (name.to_owned(), json!([old, new])))
        .collect()
}

/// Turns an account off (RG-005) or on again.
///
/// # Errors
/// `Refused` for one's own account and for the last administrator.
pub async fn set_active(
    tx: &mut Tx,
    account: &Allowed<Manage, Account>,
    active: bool,
) -> Result<()> {
    let me = tx.user()?.id;
    if account.active == active {
        return Err(Error::Refused(
            if active {
                "Ce compte est déjà actif."
            } else {
                "Ce compte est déjà désactivé."
            }
            .into(),
        ));
    }
    if account.id == me {
        return Err(Error::Refused("Vous ne pouvez pas désactiver votre propre compte".into()));
    }
    let now = tx.now();
    sqlx::query!(
        "update users set active = $2, version = version + 1, updated_at = $3, updated_by = $4 where id = $1",
        account.id as _,
        active,
        now,
        me as _
    )
    .execute(tx.conn())
    .await
    .map_err(explain)?;
    if !active {
        sessions::revoke(tx, account.id, None).await?;
        links::revoke(tx.conn(), Some(account.id), now).await?;
    }
    let action = if active { "user.reactivated" } else { "user.deactivated" };
    tx.record(
        Entry::on(action, "user", account.id.uuid())
            .changes(json!({ "active": [!active, active] })),
    )
    .await?;
    Ok(())
}

/// Forgets the failures that lock this account (RG-006).
pub async fn lift_lock(tx: &mut Tx, account: &Allowed<Manage, Account>) -> Result<()> {
    throttle::lift(tx.conn(), Tried::Password(&account.email)).await?;
    throttle::lift(tx.conn(), Tried::Code(&account.email)).await?;
    tx.record(Entry::on("account.lock_lifted", "user", account.id.uuid())).await?;
    notify(tx, account.id, "Un administrateur a levé le verrouillage de votre compte.").await
}

/// « Déconnecter partout ».
pub async fn disconnect(tx: &mut Tx, account: &Allowed<Manage, Account>) -> Result<()> {
    let keep =
        if account.id == tx.user()?.id { tx.visitor().and_then(|v| v.session) } else { None };
    sessions::revoke(tx, account.id, keep).await?;
    tx.record(Entry::on("sessions.revoked", "user", account.id.uuid())).await?;
    notify(tx, account.id, "Un administrateur a fermé toutes vos sessions.").await
}

/// A new link, shown once (US-103.3): activation, or reset for who has a password.
pub async fn reissue(tx: &mut Tx, account: &Allowed<Manage, Account>) -> Result<String> {
    if !account.active {
        return Err(Error::Refused("Réactivez d’abord ce compte.".into()));
    }
    let purpose = if account.activated { Purpose::Reset } else { Purpose::Activation };
    let (app, now) = (tx.app().clone(), tx.now());
    // The message that waits would kill the link just shown.
    sqlx::query!(
        "update messages set state = 'cancelled', error = 'lien remis par un administrateur'
         where user_id = $1 and kind in ('account_created', 'password_reset') and state in ('pending', 'retrying')",
        account.id as _
    )
    .execute(tx.conn())
    .await?;
    let link = links::issue(tx.conn(), &app, purpose, Some(account.id), now).await?;
    tx.record(
        Entry::on("link.shown", "user", account.id.uuid())
            .changes(json!({ "purpose": purpose.code() })),
    )
    .await?;
    Ok(link)
}

/// Sets a password already hashed: other sessions end, living links die; returns the new security stamp.
pub async fn set_password(
    tx: &mut Tx,
    user: Id<User>,
    hash: &str,
    keep: Option<Uuid>,
) -> Result<Uuid> {
    let now = tx.now();
    sqlx::query!(
        "update users set password_hash = $2, password_changed_at = $3 where id = $1",
        user as _,
        hash,
        now
    )
    .execute(tx.conn())
    .await?;
    links::revoke(tx.conn(), Some(user), now).await?;
    let stamp = sessions::revoke(tx, user, keep).await?;
    tx.record(Entry::on("password.changed", "user", user.uuid())).await?;
    Ok(stamp)
}

/// M-13: tells a person that the security of their account changed.
pub async fn notify(tx: &mut Tx, user: Id<User>, what: &str) -> Result<()> {
    let (contact, now) = (tx.app().settings().contact.clone(), tx.now());
    mail::post(tx, mail::security_notice(user, what, &contact, now)).await?;
    Ok(())
}

/// The refusals of the base in the words of the rules.
fn explain(err: sqlx::Error) -> Error {
    match sqlstate(&err).as_deref() {
        Some("OT002") => Error::Refused(LAST_ADMIN.into()),
        Some("23505") => Error::Refused(EMAIL_TAKEN.into()),
        _ => err.into(),
    }
}

/// Demotes whoever it is, as a path that forgot the rules would: only the base stands in the way.
#[cfg(test)]
pub(super) async fn demote_for_test(tx: &mut Tx, account: &Account) -> Result<()> {
    let id = account.id;
    sqlx::query!("update users set roles = '{reader}' where id = $1", id as _)
        .execute(tx.conn())
        .await
        .map_err(explain)?;
    Ok(())
}
