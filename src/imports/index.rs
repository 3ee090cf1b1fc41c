// SPDX-License-Identifier: EUPL-1.2
//! The imports of a campaign: date, author, file, counts, state.
use super::State;
use crate::{
    campaigns::{self, Campaign, Configure},
    db::{Id, Read},
    web::{Page, Result, Shell},
};
use askama::Template;
use axum::extract::Path;
use chrono::{DateTime, Utc};
use serde_json::Value;

pub struct Line {
    pub url: String,
    pub file_name: String,
    pub author: String,
    pub state: State,
    pub created_at: DateTime<Utc>,
    pub counters: Option<Value>,
}

impl Line {
    fn count(&self, name: &str) -> String {
        self.counters
            .as_ref()
            .and_then(|c| c[name].as_u64())
            .map_or_else(|| "—".into(), crate::text::number)
    }

    fn icon(&self) -> &'static str {
        self.state.look().0
    }

    fn class(&self) -> &'static str {
        self.state.look().1
    }
}

#[derive(Template)]
#[template(path = "imports/index.html")]
pub struct Index {
    shell: Shell,
    campaign: Campaign,
    lines: Vec<Line>,
}

pub async fn page(mut read: Read, Path(id): Path<Id<Campaign>>) -> Result<Page<Index>> {
    let campaign = read.authorize(Configure, id).await?.clone();
    let lines = sqlx::query!(
        r#"select i.id, i.file_name, i.state, i.created_at, i.counters, u.first_name || ' ' || upper(u.last_name) as author
           from imports i left join users u on u.id = i.author_id where i.campaign_id = $1 order by i.created_at desc limit 200"#,
        id as _
    )
    .fetch_all(read.conn())
    .await?
    .into_iter()
    .map(|row| Line {
        url: campaign.path(&format!("imports/{}", row.id)),
        file_name: row.file_name,
        author: row.author.unwrap_or_else(|| "ligne de commande".into()),
        state: State::from_code(&row.state),
        created_at: row.created_at,
        counters: row.counters,
    })
    .collect();
    let tabs = campaigns::tabs(&campaign, read.user(), "imports");
    let shell = read
        .shell("Imports")
        .with_tabs(tabs)
        .under("Campagnes", "/campagnes")
        .under(campaign.name.clone(), campaign.url());
    Ok(Page(Index { shell, campaign, lines }))
}
