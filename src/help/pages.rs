// SPDX-License-Identifier: EUPL-1.2
//! `/aide`: the index and its search, one article, all of them to print.
use super::articles::{self, Rendered};
use crate::{
    app::App,
    web::{Error, Form, Page, Result, Shell, auth::Visitor},
};
use askama::Template;
use axum::extract::{Path, RawQuery, State};

/// The beginning of an article, under its title in results.
const EXCERPT: usize = 160;

#[derive(Template)]
#[template(path = "help/index.html")]
struct Index {
    shell: Shell,
    q: String,
    /// Group by group, in the order of the index.
    groups: Vec<(&'static str, Vec<&'static Rendered>)>,
    found: usize,
}

impl Index {
    fn excerpt(&self, article: &Rendered) -> String {
        let mut text: String = article.text.chars().take(EXCERPT).collect();
        if text.len() < article.text.len() {
            text.truncate(text.rfind(' ').unwrap_or(text.len()));
            text.push('…');
        }
        text
    }
}

pub async fn index(
    State(app): State<App>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Page<impl Template> {
    let q = Form::parse(query.as_deref().unwrap_or_default().as_bytes()).text("q");
    let found = articles::search(&q);
    let mut groups: Vec<(&'static str, Vec<&'static Rendered>)> = Vec::new();
    for article in &found {
        match groups.last_mut().filter(|(name, _)| *name == article.group) {
            Some((_, list)) => list.push(article),
            None => groups.push((article.group, vec![article])),
        }
    }
    Page(Index { shell: Shell::new(&app, &visitor, "Aide"), q, groups, found: found.len() })
}

#[derive(Template)]
#[template(path = "help/article.html")]
struct Article {
    shell: Shell,
    article: &'static Rendered,
}

pub async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Path(slug): Path<String>,
) -> Result<Page<impl Template>> {
    let article = articles::find(&slug).ok_or(Error::NotFound)?;
    let shell = Shell::new(&app, &visitor, article.title.clone()).under("Aide", "/aide");
    Ok(Page(Article { shell, article }))
}

#[derive(Template)]
#[template(path = "help/all.html")]
struct All {
    shell: Shell,
    articles: &'static [Rendered],
}

pub async fn all(State(app): State<App>, visitor: Visitor) -> Page<impl Template> {
    let shell = Shell::new(&app, &visitor, "Toute l’aide").under("Aide", "/aide");
    Page(All { shell, articles: articles::rendered() })
}
