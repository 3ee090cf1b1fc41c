// SPDX-License-Identifier: EUPL-1.2
//! « Campagnes »: the portfolio of a person (US-201). A constant number of queries, whatever it shows.
use super::{Campaign, Configure, Counts, Create, Own, among, counts, visible};
use crate::{
    accounts::{User, display_name},
    clock,
    db::{Id, Read},
    text::{norm, number},
    web::{Page, Result, Shell, auth::Permits, format},
    workflows::Category,
};
use askama::Template;
use chrono::{DateTime, Duration, Utc};
use sqlx::PgConnection;
use std::collections::HashMap;

/// How long a transfer is told.
const NEWS: Duration = Duration::days(7);

#[derive(Template)]
#[template(path = "campaigns/index.html")]
pub struct Portfolio {
    shell: Shell,
    may_create: bool,
    total: Counts,
    /// Not final, in campaigns that are not archived.
    active_operations: i64,
    sections: [Section; 3],
}

struct Section {
    title: &'static str,
    id: &'static str,
    open: bool,
    empty: &'static str,
    cards: Vec<Card>,
}

pub struct Card {
    campaign: Campaign,
    counts: Counts,
    technicians: i64,
    may_configure: bool,
    may_own: bool,
    may_copy: bool,
    overdue: bool,
    /// « Vous a été transférée par … », a few days (US-210).
    news: Option<String>,
}

impl Portfolio {
    fn campaigns(&self) -> usize {
        self.sections.iter().map(|s| s.cards.len()).sum()
    }
}

impl Card {
    /// What the filter field looks in.
    fn filter_text(&self) -> String {
        format!(
            "{} {} {} {}",
            self.campaign.name,
            self.campaign.type_name,
            self.campaign.owner_name,
            self.campaign.status.label()
        )
    }

    fn shown(&self) -> [(Category, String); 3] {
        [Category::Done, Category::Planned, Category::Postponed].map(|c| {
            (
                c,
                format!(
                    "{} {}",
                    number(self.counts.of(c).unsigned_abs()),
                    plural(c, self.counts.of(c))
                ),
            )
        })
    }

    fn closed_on(&self) -> Option<String> {
        self.campaign.finished_at.map(|at| format::long(clock::day(at)))
    }

    fn blocked(&self) -> i64 {
        self.counts.of(Category::Blocked)
    }
}

fn plural(category: Category, n: i64) -> &'static str {
    match (category, n) {
        (Category::Done, ..2) => "réalisée",
        (Category::Planned, ..2) => "planifiée",
        (Category::Postponed, ..2) => "reportée",
        _ => category.plural(),
    }
}

pub async fn page(mut read: Read) -> Result<Page<Portfolio>> {
    let (user, today) = (read.user().clone(), clock::day(read.now()));
    let now = read.now();
    let ids = visible(read.conn(), &user).await?;
    let campaigns = among(read.conn(), &user, &ids).await?;
    let counts = counts(read.conn(), &ids).await?;
    let open: Vec<_> = campaigns.iter().filter(|c| c.status.is_active()).map(|c| c.id).collect();
    let technicians = technicians(read.conn(), &open).await?;
    let mut news = news(read.conn(), &user, now).await?;
    let cards = campaigns
        .into_iter()
        .map(|campaign| Card {
            counts: counts.get(&campaign.id).copied().unwrap_or_default(),
            technicians: technicians.get(&campaign.id).copied().unwrap_or_default(),
            may_configure: Permits::<Configure>::permits(&campaign, &user),
            may_own: Permits::<Own>::permits(&campaign, &user),
            may_copy: Create::permits(&user),
            overdue: campaign.is_overdue(today),
            news: news.remove(&campaign.id),
            campaign,
        })
        .collect();
    let shell = read.shell("Campagnes").live("portefeuille");
    Ok(Page(Portfolio::new(shell, Create::permits(&user), cards)))
}

impl Portfolio {
    fn new(shell: Shell, may_create: bool, mut cards: Vec<Card>) -> Self {
        let (mut total, mut active_operations) = (Counts::default(), 0);
        for card in &cards {
            total += card.counts;
            active_operations += if card.campaign.is_archived { 0 } else { card.counts.active() };
        }
        cards.sort_by_cached_key(|card| (card.campaign.status.rank(), norm(&card.campaign.name)));
        let (active, closed): (Vec<_>, Vec<_>) =
            cards.into_iter().partition(|card| card.campaign.status.is_active());
        let (archived, mut finished): (Vec<_>, Vec<_>) =
            closed.into_iter().partition(|card| card.campaign.is_archived);
        finished.sort_by_key(|card| std::cmp::Reverse(card.campaign.finished_at));
        let sections = [
            Section {
                title: "Actives",
                id: "actives",
                open: true,
                empty: "Aucune campagne active.",
                cards: active,
            },
            Section {
                title: "Terminées",
                id: "terminees",
                open: false,
                empty: "Aucune campagne terminée.",
                cards: finished,
            },
            Section {
                title: "Archivées",
                id: "archivees",
                open: false,
                empty: "Aucune campagne archivée.",
                cards: archived,
            },
        ];
        Self { shell, may_create, total, active_operations, sections }
    }
}

/// How many technicians hold operations, by campaign. One probe of `operations_team` per
/// technician and campaign instead of a walk over every operation.
async fn technicians(
    conn: &mut PgConnection,
    campaigns: &[Id<Campaign>],
) -> sqlx::Result<HashMap<Id<Campaign>, i64>> {
    let rows = sqlx::query!(
        r#"select c.id as "id!: Id<Campaign>", count(*) as "n!"
           from unnest($1::uuid[]) c (id) cross join users u
           where 'technician' = any (u.roles)
             and exists (select 1 from operations o where o.campaign_id = c.id and o.assignee_id = u.id and o.deleted_at is null)
           group by c.id"#,
        campaigns as _
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.n)).collect())
}

/// Both sides of a recent transfer are told on their screen (US-210).
async fn news(
    conn: &mut PgConnection,
    user: &User,
    now: DateTime<Utc>,
) -> sqlx::Result<HashMap<Id<Campaign>, String>> {
    let rows = sqlx::query!(
        r#"select c.id, c.transferred_at as "at!", c.owner_id = $1 as "mine!",
                  f.first_name as "from_first!", f.last_name as "from_last!", o.first_name, o.last_name
           from campaigns c join users f on f.id = c.transferred_from join users o on o.id = c.owner_id
           where c.deleted_at is null and c.transferred_at > $2 and $1 in (c.owner_id, c.transferred_from)"#,
        user.id as _,
        now - NEWS
    )
    .fetch_all(conn)
    .await?;
    let told = rows.into_iter().map(|row| {
        let day = format::long(clock::day(row.at));
        let text = if row.mine {
            format!(
                "{} vous a transféré cette campagne le {day}.",
                display_name(&row.from_first, &row.from_last)
            )
        } else {
            format!(
                "Transférée à {} le {day} ; vous gardez le droit de la voir.",
                display_name(&row.first_name, &row.last_name)
            )
        };
        (row.id, text)
    });
    Ok(told.collect())
}
