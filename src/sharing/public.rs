// SPDX-License-Identifier: EUPL-1.2
//! What a share link opens: the figures of a campaign, and nothing that leads further (RG-041).
use super::links::{self, Shared};
use crate::{
    accounts::links::discreet,
    app::App,
    clock,
    dashboard::{self, Summary},
    db::Tx,
    text::{count, number},
    web::{Error, Page, Result, Shell, auth::Visitor, format},
};
use askama::Template;
use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};

/// Unknown, expired, revoked: nobody learns which.
const DEAD: Error =
    Error::DeadLink("Demandez un nouveau lien à la personne qui vous l’a transmis.");

#[derive(Template)]
#[template(path = "sharing/public.html")]
struct Public {
    shell: Shell,
    shared: Shared,
    summary: Summary,
    is_overdue: bool,
}

impl Public {
    fn period(&self) -> String {
        format::period(self.shared.start, self.shared.end)
    }
}

pub async fn page(
    State(app): State<App>,
    visitor: Visitor,
    Path(token): Path<String>,
) -> Result<Response> {
    // The page belongs to whoever holds the link, signed in or not.
    let visitor = Visitor { user: None, pins: Vec::new(), flash: None, fragment: false, ..visitor };
    let mark = app.live.mark();
    let mut conn = app.db.acquire().await?;
    let Some(shared) = links::living(&mut conn, &token, visitor.now).await? else {
        return Ok(discreet(DEAD.into_response()));
    };
    let figures = dashboard::shared(&app, &mut conn, shared.campaign, visitor.refresh).await?;
    drop(conn);
    if shared.is_unmarked && !visitor.refresh {
        let mut tx = Tx::begin_for(&app, &visitor).await?;
        links::mark_opened(&mut tx, shared.link).await?;
        tx.commit_quietly("when a link was last opened is no change of the campaign").await?;
    }
    let mut shell = Shell::new(&app, &visitor, shared.name.clone());
    shell.live = Some(format!("/partage/{token}/flux?depuis={mark}"));
    shell.announce = format!(
        "{} sur {}",
        count(figures.counts.done(), "opération réalisée", "opérations réalisées"),
        number(figures.counts.scope())
    );
    let is_overdue = shared.status.is_overdue(shared.end, clock::day(visitor.now));
    let summary = Summary::new(figures, visitor.now, None);
    Ok(discreet(Page(Public { shell, shared, summary, is_overdue })))
}
