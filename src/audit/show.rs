// SPDX-License-Identifier: EUPL-1.2
//! `/administration/audit/entrees/{seq}`: one entry whole, with its seal.
use super::{
    chain::{self, CONTENT_COLUMNS, Content},
    index::ADDRESS,
    lines::{COLUMNS, Line, Stored, lines},
    sentences,
};
use crate::{
    db::Read,
    web::{Error, Page, Result, Shell, format},
};
use askama::Template;
use axum::extract::Path;

struct Seal {
    position: i64,
    digest: Vec<u8>,
    previous: Vec<u8>,
    hash: Vec<u8>,
}

#[derive(Template)]
#[template(path = "audit/show.html")]
pub struct Show {
    shell: Shell,
    line: Line,
    content: Content,
    seal: Option<Seal>,
    /// Everything that happened to the same object.
    same: Option<String>,
}

pub async fn page(mut read: Read, Path(seq): Path<i64>) -> Result<Page<Show>> {
    let conn = read.conn();
    let content: Content = sqlx::QueryBuilder::new("select ")
        .push(CONTENT_COLUMNS)
        .push(" from audit_entries e where e.seq = ")
        .push_bind(seq)
        .build_query_as()
        .fetch_optional(&mut *conn)
        .await?
        .ok_or(Error::NotFound)?;
    let stored: Vec<Stored> = sqlx::QueryBuilder::new("select ")
        .push(COLUMNS)
        .push(" from audit_entries a left join users u on u.id = a.actor_id where a.seq = ")
        .push_bind(seq)
        .build_query_as()
        .fetch_all(&mut *conn)
        .await?;
    let line = lines(conn, stored).await?.pop().ok_or(Error::NotFound)?;
    let seal = sqlx::query_as!(
        Seal,
        "select position, digest, previous, hash from audit_seals where entry = $1",
        seq
    )
    .fetch_optional(conn)
    .await?;
    let same = content
        .object_id
        .map(|id| format!("{ADDRESS}?objet={}&identifiant={id}", content.object_kind));
    let shell = read
        .shell(format!("Entrée n° {seq}"))
        .under("Administration", "/administration")
        .under("Journal d’audit", ADDRESS);
    Ok(Page(Show { shell, line, content, seal, same }))
}

impl Show {
    fn utc(&self) -> String {
        chain::instant(self.content.at)
    }

    fn action(&self) -> &str {
        sentences::title(&self.content.action)
    }
}
