// SPDX-License-Identifier: EUPL-1.2
//! The people who have an account (09 §2), and the two groups (09 §1).
use super::{
    calendar::{Calendar, at},
    story::{AuditRow, Chronicle},
};
use crate::{
    accounts::{Role, Roles, User, display_name},
    db::Id,
    text::norm,
};
use chrono::{DateTime, Utc};
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use Role::{Admin, CampaignManager, Coordinator, Reader, Technician};

/// Accounts of 09 §2.
pub const COUNT: usize = PEOPLE.len();
pub const DOMAIN: &str = "demo.example";

/// When somebody last signed in.
enum Seen {
    /// Minute of the day of loading.
    Today(u32),
    /// So many working days ago.
    Ago(usize),
    Never,
    /// The account was turned off so many working days ago.
    Gone(usize),
}

const PEOPLE: [(&str, &str, &[Role], Seen); 11] = [
    ("Marc", "Lefèvre", &[Admin], Seen::Ago(1)),
    ("Sophie", "Martin", &[CampaignManager], Seen::Today(485)),
    ("Nadia", "Lambert", &[CampaignManager], Seen::Ago(1)),
    ("Karim", "Benali", &[Technician], Seen::Today(492)),
    ("Luc", "Bernard", &[Technician], Seen::Today(488)),
    ("Émilie", "Rousseau", &[Technician], Seen::Today(495)),
    ("Paul", "Moreau", &[Technician], Seen::Never),
    ("Claire", "Fontaine", &[Coordinator], Seen::Ago(2)),
    ("Hélène", "Garnier", &[Reader], Seen::Ago(3)),
    ("Thomas", "Œuvrard", &[CampaignManager, Technician], Seen::Ago(1)),
    ("Jeanne", "Petit", &[Technician], Seen::Gone(14)),
];

const GROUPS: [(&str, &[&str]); 2] = [
    (
        "Équipe postes de travail",
        &["karim.benali", "luc.bernard", "emilie.rousseau", "paul.moreau", "thomas.oeuvrard"],
    ),
    ("Direction", &["helene.garnier", "marc.lefevre"]),
];

/// Days between the opening of the instance and the loading.
pub const OPENED: i64 = -220;

#[derive(Clone)]
pub struct Account {
    pub id: Id<User>,
    /// « karim.benali »
    pub local: String,
    pub name: String,
}

/// The people of the demonstration, and its groups by name.
pub struct Cast {
    people: Vec<Account>,
    groups: Vec<(&'static str, Uuid)>,
}

impl Cast {
    /// # Panics
    /// Never for a name of 09 §2: a test asks for each.
    pub fn account(&self, local: &str) -> &Account {
        self.people.iter().find(|a| a.local == local).unwrap_or(&self.people[0])
    }

    pub fn id(&self, local: &str) -> Id<User> {
        self.account(local).id
    }

    pub fn named(&self, local: &str) -> (Id<User>, &str) {
        let account = self.account(local);
        (account.id, &account.name)
    }

    pub fn group(&self, name: &str) -> Option<Uuid> {
        self.groups.iter().find(|(n, _)| *n == name).map(|(_, id)| *id)
    }
}

/// First part of an address: « thomas.oeuvrard ».
fn local(first: &str, last: &str) -> String {
    format!("{}.{}", norm(first), norm(last))
}

/// Creates the accounts with these passwords and hashes; returns them, and the lines to print.
pub async fn write(
    conn: &mut PgConnection,
    cal: &Calendar,
    secrets: Vec<(String, String)>,
    told: &mut Chronicle,
) -> anyhow::Result<(Cast, Vec<String>)> {
    let opened = cal.worked(OPENED);
    let marc = Id::<User>::new();
    let mut people = Vec::new();
    let mut lines = Vec::new();
    for (rank, ((first, last, roles, seen), (password, hash))) in
        PEOPLE.iter().zip(secrets).enumerate()
    {
        let id = if rank == 0 { marc } else { Id::new() };
        let roles: Roles = roles.iter().copied().collect();
        let account = Account { id, local: local(first, last), name: display_name(first, last) };
        let email = format!("{}@{DOMAIN}", account.local);
        let created = at(opened, 9 * 60 + 3 * rank as u32);
        let (active, seen, changed) = life(cal, seen);
        sqlx::query!(
            "insert into users (id, email, first_name, last_name, name_norm, password_hash, active, roles, last_sign_in_at,
               password_changed_at, created_at, created_by, updated_at, updated_by)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11, $12, $11)",
            id as _,
            email,
            first,
            last,
            norm(&format!("{last} {first}")),
            hash,
            active,
            &roles.codes(),
            seen,
            created,
            marc as _,
            changed.unwrap_or(created),
        )
        .execute(&mut *conn)
        .await?;
        let changes = json!({ "email": [null, email], "roles": [null, roles.codes()] });
        told.audit.push(about(created, marc, "user.created", id, changes));
        if let Some(off) = changed {
            told.audit.push(about(
                off,
                marc,
                "user.deactivated",
                id,
                json!({ "active": [true, false] }),
            ));
        }
        if active {
            lines.push(line(&email, &password, roles));
        }
        people.push(account);
    }
    let mut cast = Cast { people, groups: Vec::new() };
    write_groups(conn, &mut cast, marc, at(opened, 10 * 60), told).await?;
    Ok((cast, lines))
}

/// The printed line of an account; the browser tests read it.
pub fn line(email: &str, password: &str, roles: Roles) -> String {
    format!("compte\t{email}\t{password}\t{}", roles.labels())
}

/// Active, last sign-in, and when it was turned off.
fn life(cal: &Calendar, seen: &Seen) -> (bool, Option<DateTime<Utc>>, Option<DateTime<Utc>>) {
    match *seen {
        Seen::Today(minute) => (true, Some(cal.done_today(minute)), None),
        Seen::Ago(days) => (true, Some(at(cal.before(days), 9 * 60 + 12)), None),
        Seen::Never => (true, None, None),
        Seen::Gone(days) => (
            false,
            Some(at(cal.before(days + 1), 16 * 60 + 40)),
            Some(at(cal.before(days), 9 * 60 + 30)),
        ),
    }
}

fn about(
    at: DateTime<Utc>,
    by: Id<User>,
    action: &'static str,
    user: Id<User>,
    changes: serde_json::Value,
) -> AuditRow {
    let object_id = Some(user.uuid());
    AuditRow {
        at,
        actor_id: Some(by),
        action,
        object_kind: "user",
        object_id,
        campaign_id: None,
        changes,
        reason: None,
    }
}

async fn write_groups(
    conn: &mut PgConnection,
    cast: &mut Cast,
    by: Id<User>,
    at: DateTime<Utc>,
    told: &mut Chronicle,
) -> anyhow::Result<()> {
    for (name, members) in GROUPS {
        let id = Uuid::now_v7();
        sqlx::query!(
            "insert into user_groups (id, name, name_norm) values ($1, $2, $3)",
            id,
            name,
            norm(name)
        )
        .execute(&mut *conn)
        .await?;
        let users: Vec<Uuid> = members.iter().map(|local| cast.id(local).uuid()).collect();
        sqlx::query!(
            "insert into group_members (group_id, user_id) select $1, unnest($2::uuid[])",
            id,
            &users
        )
        .execute(&mut *conn)
        .await?;
        told.audit.push(AuditRow {
            at,
            actor_id: Some(by),
            action: "group.created",
            object_kind: "group",
            object_id: Some(id),
            campaign_id: None,
            changes: json!({ "name": [null, name], "members": members.len() }),
            reason: None,
        });
        cast.groups.push((name, id));
    }
    Ok(())
}

/// The addresses that `demo passwords` renews: the active accounts of the demonstration.
pub fn addresses() -> Vec<String> {
    PEOPLE.iter().map(|(first, last, ..)| format!("{}@{DOMAIN}", local(first, last))).collect()
}

/// What a password may not contain (RG-001).
#[cfg(test)]
pub fn name_parts() -> Vec<String> {
    let parts =
        PEOPLE.iter().flat_map(|(first, last, ..)| [norm(first), norm(last), local(first, last)]);
    parts.chain(["opstracker".into()]).filter(|part| part.len() >= 4).collect()
}
