// SPDX-License-Identifier: EUPL-1.2
//! A share link: its secret, its life, who opens what with it.
use crate::{
    accounts::{display_name, tokens},
    audit::Entry,
    campaigns::{Campaign, Configure, Own, Status},
    clock,
    db::{Id, Tx, sqlstate},
    web::{Error, Result, auth::Allowed, format},
};
use chrono::{DateTime, Days, NaiveDate, Utc};
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

/// Active links of a campaign (F-07).
pub const LIMIT: usize = 10;
/// Former links that the page still lists.
const FORMER: i64 = 20;

/// How long a link lives (T-09).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    Days(u64),
    /// Until the last day of the campaign, included.
    Campaign,
}

impl Life {
    pub const ALL: [Self; 4] = [Self::Days(7), Self::Days(30), Self::Days(90), Self::Campaign];
    pub const DEFAULT: Self = Self::Days(30);

    pub fn code(self) -> String {
        match self {
            Self::Days(n) => n.to_string(),
            Self::Campaign => "fin".into(),
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|life| life.code() == code)
    }

    /// « 30 jours », « Fin de la campagne (26 avril 2026) »
    pub fn label(self, end: NaiveDate) -> String {
        match self {
            Self::Days(n) => format!("{n}\u{a0}jours"),
            Self::Campaign => format!("Fin de la campagne ({})", format::long(end)),
        }
    }

    /// When a link made now dies; `None` when the campaign's end has passed.
    pub fn end(self, now: DateTime<Utc>, campaign_end: NaiveDate) -> Option<DateTime<Utc>> {
        let end = match self {
            Self::Days(n) => now + Days::new(n),
            Self::Campaign => clock::start_of(campaign_end + Days::new(1)),
        };
        (end > now).then_some(end)
    }
}

/// One line of the list.
pub struct Link {
    pub id: Uuid,
    pub label: String,
    pub author: String,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub revoked_at: Option<DateTime<Utc>>,
    pub last_opened_at: Option<DateTime<Utc>>,
}

impl Link {
    pub fn is_active(&self, now: DateTime<Utc>) -> bool {
        self.revoked_at.is_none() && self.expires_at > now
    }

    /// Class, icon, word.
    pub fn state(&self, now: DateTime<Utc>) -> (&'static str, &'static str, &'static str) {
        match self.revoked_at {
            Some(_) => ("cancelled", "slash", "Révoqué"),
            None if self.is_active(now) => ("done", "check", "Actif"),
            None => ("archived", "clock", "Expiré"),
        }
    }
}

/// The active links, then the last former ones, newest first.
pub async fn list(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Link>> {
    let rows = sqlx::query!(
        r#"select l.id, l.label, l.created_at, l.expires_at, l.revoked_at, l.last_opened_at, u.first_name, u.last_name
           from share_links l join users u on u.id = l.created_by
           where l.campaign_id = $1
           order by (l.revoked_at is null and l.expires_at > $2) desc, l.created_at desc, l.id limit $3"#,
        campaign as _,
        now,
        FORMER + i64::try_from(LIMIT).unwrap_or_default()
    )
    .fetch_all(conn)
    .await?;
    let links = rows.into_iter().map(|row| Link {
        id: row.id,
        label: row.label,
        author: display_name(&row.first_name, &row.last_name),
        created_at: row.created_at,
        expires_at: row.expires_at,
        revoked_at: row.revoked_at,
        last_opened_at: row.last_opened_at,
    });
    Ok(links.collect())
}

/// How many links of this campaign open its dashboard now.
pub async fn active(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
    now: DateTime<Utc>,
) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"select count(*) as "n!" from share_links where campaign_id = $1 and revoked_at is null and expires_at > $2"#,
        campaign as _,
        now
    )
    .fetch_one(conn)
    .await
}

/// Makes a link and gives its address, which nothing can show again.
///
/// # Errors
/// Ten links are active, or this life is over already.
pub async fn issue(
    tx: &mut Tx,
    campaign: &Allowed<Configure, Campaign>,
    label: &str,
    life: Life,
) -> Result<String> {
    let (id, now, user) = (Uuid::now_v7(), tx.now(), tx.user()?.id);
    let expires_at = life.end(now, campaign.end_date).ok_or_else(|| {
        Error::Refused("La campagne est déjà finie : choisissez une durée.".into())
    })?;
    let token = tokens::random()?;
    sqlx::query!(
        "insert into share_links (id, campaign_id, label, token_hash, created_at, created_by, expires_at) values ($1, $2, $3, $4, $5, $6, $7)",
        id,
        campaign.id as _,
        label,
        tokens::hash(&token),
        now,
        user as _,
        expires_at
    )
    .execute(tx.conn())
    .await
    .map_err(|err| match sqlstate(&err).as_deref() {
        Some("OT012") => {
            Error::Refused("10 liens actifs maximum. Révoquez-en un d’abord.".into())
        }
        _ => err.into(),
    })?;
    tx.record(Entry::on("share_link.issued", "share_link", id).campaign(campaign.id).changes(
        json!({ "label": [null, label], "expires": [null, format::machine(expires_at)] }),
    ))
    .await?;
    Ok(format!("{}/partage/{token}", tx.app().config.public_url))
}

/// From here on it opens nothing; twice is once. Gives its label.
///
/// # Errors
/// `NotFound` for a link of another campaign.
pub async fn revoke(
    tx: &mut Tx,
    campaign: &Allowed<Configure, Campaign>,
    link: Uuid,
) -> Result<String> {
    let now = tx.now();
    let row = sqlx::query!(
        "select label, revoked_at from share_links where id = $1 and campaign_id = $2 for update",
        link,
        campaign.id as _
    )
    .fetch_one(tx.conn())
    .await?;
    if row.revoked_at.is_none() {
        sqlx::query!("update share_links set revoked_at = $2 where id = $1", link, now)
            .execute(tx.conn())
            .await?;
        told_revoked(tx, campaign.id, link, &row.label).await?;
    }
    Ok(row.label)
}

/// What archiving does to the links, unless the owner keeps them (RG-016).
pub async fn revoke_all(tx: &mut Tx, campaign: &Allowed<Own, Campaign>) -> Result<()> {
    let now = tx.now();
    let links = sqlx::query!(
        "update share_links set revoked_at = $2 where campaign_id = $1 and revoked_at is null and expires_at > $2 returning id, label",
        campaign.id as _,
        now
    )
    .fetch_all(tx.conn())
    .await?;
    for link in links {
        told_revoked(tx, campaign.id, link.id, &link.label).await?;
    }
    Ok(())
}

/// The trace, and the pages that this link holds open.
async fn told_revoked(
    tx: &mut Tx,
    campaign: Id<Campaign>,
    link: Uuid,
    label: &str,
) -> sqlx::Result<()> {
    tx.record(
        Entry::on("share_link.revoked", "share_link", link)
            .campaign(campaign)
            .changes(json!({ "label": [label, null] })),
    )
    .await?;
    tx.touch_campaign(campaign).await
}

/// What a living link opens: what anybody may know of the campaign.
pub struct Shared {
    pub link: Uuid,
    pub campaign: Id<Campaign>,
    pub name: String,
    pub status: Status,
    pub start: NaiveDate,
    pub end: NaiveDate,
    /// Nobody noted this for a minute.
    pub is_unmarked: bool,
}

/// `None` when the secret is unknown, expired or revoked, or the campaign deleted: one answer for all.
pub async fn living(
    conn: &mut PgConnection,
    token: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Shared>> {
    sqlx::query_as!(
        Shared,
        r#"select l.id as link, c.id as "campaign: Id<Campaign>", c.name, c.status as "status: Status", c.start_date as start, c.end_date as "end",
                  coalesce(l.last_opened_at < $2::timestamptz - interval '1 minute', true) as "is_unmarked!"
           from share_links l join campaigns c on c.id = l.campaign_id
           where l.token_hash = $1 and l.revoked_at is null and l.expires_at > $2 and c.deleted_at is null"#,
        tokens::hash(token),
        now
    )
    .fetch_optional(conn)
    .await
}

/// Whether a link found before still opens its campaign.
pub async fn is_living(
    conn: &mut PgConnection,
    link: Uuid,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select 1 from share_links l join campaigns c on c.id = l.campaign_id
             where l.id = $1 and l.revoked_at is null and l.expires_at > $2 and c.deleted_at is null) as "living!""#,
        link,
        now
    )
    .fetch_one(conn)
    .await
}

/// « Dernière ouverture » : when somebody asked, at most once a minute.
pub async fn mark_opened(tx: &mut Tx, link: Uuid) -> sqlx::Result<()> {
    let now = tx.now();
    sqlx::query!("update share_links set last_opened_at = $2 where id = $1", link, now)
        .execute(tx.conn())
        .await
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rg_041_four_lives() {
        let now = DateTime::parse_from_rfc3339("2026-03-12T13:30:00Z").unwrap().to_utc();
        let end = "2026-04-26".parse().unwrap();
        let at = |life: Life, end| life.end(now, end).map(format::instant);
        assert_eq!(Life::from_code("30"), Some(Life::DEFAULT));
        assert_eq!(Life::from_code("31"), None);
        assert_eq!(at(Life::Days(7), end).unwrap(), "19/03/2026 à 14\u{a0}h\u{a0}30");
        assert_eq!(at(Life::Campaign, end).unwrap(), "27/04/2026 à 0\u{a0}h\u{a0}00");
        let today = "2026-03-12".parse().unwrap();
        assert!(at(Life::Campaign, today).is_some(), "the last day is included");
        assert_eq!(at(Life::Campaign, "2026-03-11".parse().unwrap()), None);
    }
}
