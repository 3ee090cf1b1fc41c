// SPDX-License-Identifier: EUPL-1.2
//! Deleting a segment asks where its operations go (RG-095).
use super::{edit::find, under_list};
use crate::{
    accounts::User,
    campaigns::{Campaign, Configure, NO_SEGMENT, Segment, delete_segment, segments},
    db::{Id, Read, Tx},
    text::count,
    web::{Again, Form, Page, Redirect, Result, Shell, auth::Allowed},
};
use askama::Template;
use axum::{
    extract::Path,
    response::{IntoResponse, Response},
};
use sqlx::PgConnection;

/// « Sans segment » as a destination.
const NONE: &str = "aucun";

#[derive(Template)]
#[template(path = "segments/delete.html")]
pub struct Delete {
    shell: Shell,
    campaign: Allowed<Configure, Campaign>,
    segment: Segment,
    operations: i64,
    prerequisites: i64,
    /// (value, name)
    destinations: Vec<(String, String)>,
    form: Form,
}

impl Delete {
    async fn load(
        conn: &mut PgConnection,
        shell: Shell,
        user: &User,
        campaign: Allowed<Configure, Campaign>,
        segment: Segment,
        form: Form,
    ) -> Result<Self> {
        let counted = sqlx::query!(
            r#"select (select count(*) from operations where campaign_id = $1 and segment_sort = $2 and deleted_at is null) as "operations!",
                      (select count(*) from prerequisites where campaign_id = $1 and segment_id = $2) as "prerequisites!""#,
            campaign.id as _,
            segment.id as _
        )
        .fetch_one(&mut *conn)
        .await?;
        let others = segments(conn, campaign.id).await?;
        let others = others.into_iter().filter(|s| s.id != segment.id);
        let none = ("".to_owned(), "Choisissez…".to_owned());
        let destinations = [none, (NONE.to_owned(), NO_SEGMENT.to_owned())]
            .into_iter()
            .chain(others.map(|s| (s.id.to_string(), s.name)))
            .collect();
        let shell = under_list(shell, &campaign, user)
            .under(&segment.name, campaign.path(&format!("segments/{}", segment.id)));
        Ok(Self {
            shell,
            campaign,
            segment,
            operations: counted.operations,
            prerequisites: counted.prerequisites,
            destinations,
            form,
        })
    }
}

pub async fn page(
    mut read: Read,
    Path((id, segment)): Path<(Id<Campaign>, Id<Segment>)>,
) -> Result<Page<Delete>> {
    let campaign = read.authorize(Configure, id).await?;
    let segment = find(read.conn(), id, segment).await?;
    let (shell, user) = (read.shell("Supprimer"), read.user().clone());
    let form = Form::default();
    Ok(Page(Delete::load(read.conn(), shell, &user, campaign, segment, form).await?))
}

pub async fn delete(
    mut tx: Tx,
    Path((id, segment)): Path<(Id<Campaign>, Id<Segment>)>,
    mut form: Form,
) -> Result<Response> {
    let campaign = tx.authorize(Configure, id).await?;
    let segment = find(tx.conn(), id, segment).await?;
    let (shell, user) = (tx.shell("Supprimer"), tx.user()?.clone());
    let chosen = form.text("destination");
    let page = Delete::load(tx.conn(), shell, &user, campaign, segment, form.clone()).await?;
    let known = page.destinations.iter().any(|(value, _)| *value == chosen);
    if !known || (chosen.is_empty() && page.operations > 0) {
        form.refuse("destination", "Choisissez où déplacer les opérations");
        return Ok(Again(Delete { form, ..page }).into_response());
    }
    let to = chosen.parse().ok();
    let moved = delete_segment(&mut tx, &page.campaign, page.segment.id, to).await?;
    tx.commit().await?;
    let mut text = format!("Segment « {} » supprimé.", page.segment.name);
    if moved > 0 {
        let name = page.destinations.iter().find(|d| d.0 == chosen).map_or(NO_SEGMENT, |d| &d.1);
        let moved = count(moved, "opération déplacée", "opérations déplacées");
        text.push_str(&format!(" {moved} vers « {name} »."));
    }
    Ok(Redirect::to(page.campaign.path("segments")).flash(text).into_response())
}
