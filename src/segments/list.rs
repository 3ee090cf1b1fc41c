// SPDX-License-Identifier: EUPL-1.2
//! « Segments »: their figures, their flags, their order (US-905).
use super::at_list;
use crate::{
    campaigns::{self, Campaign, Configure, Segment, View, move_segment},
    dashboard::{self, Counts, Figures, Flag},
    db::{Id, Read, Tx},
    web::{Form, Page, Redirect, Result, Shell, auth::Allowed},
    workflows::Category,
};
use askama::Template;
use axum::extract::Path;
use chrono::{DateTime, Utc};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "segments/list.html")]
pub struct List {
    shell: Shell,
    campaign: Allowed<View, Campaign>,
    figures: Arc<Figures>,
    now: DateTime<Utc>,
    can_configure: bool,
}

impl List {
    fn flags(&self, counts: &Counts) -> Vec<Flag> {
        dashboard::flags(counts, self.figures.is_late(counts, self.now))
    }

    fn named(&self) -> usize {
        self.figures.segments.iter().filter(|s| s.id.is_some()).count()
    }

    fn is_last(&self, index: &usize) -> bool {
        index + 1 == self.named()
    }
}

pub async fn page(mut read: Read, Path(id): Path<Id<Campaign>>) -> Result<Page<List>> {
    let campaign = read.authorize(View, id).await?;
    let figures = dashboard::figures(&mut read, id).await?;
    let shell =
        at_list(read.shell("Segments"), &campaign, read.user()).live(format!("campagne-{id}"));
    let can_configure = campaign.may(Configure) && !campaign.is_archived;
    Ok(Page(List { shell, campaign, figures, now: read.now(), can_configure }))
}

pub async fn reorder(
    mut tx: Tx,
    Path((id, segment)): Path<(Id<Campaign>, Id<Segment>)>,
    form: Form,
) -> Result<Redirect> {
    let campaign = tx.authorize(Configure, id).await?;
    move_segment(&mut tx, &campaign, segment, form.has("sens", "haut")).await?;
    let all = campaigns::segments(tx.conn(), id).await?;
    tx.commit().await?;
    let at = all.iter().position(|s| s.id == segment).unwrap_or_default();
    let name = all.get(at).map_or("", |s| &s.name);
    let place = format!("« {name} » déplacé en position {} sur {}.", at + 1, all.len());
    Ok(Redirect::to(campaign.path("segments")).flash(place))
}
