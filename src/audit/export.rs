// SPDX-License-Identifier: EUPL-1.2
//! The audit as a CSV that proves itself outside the program (US-1502): entries with their canonical
//! form and their hashes, the bare links between them, then the last signed checkpoint. Sent as it is
//! read; `bin/audit-verifier` reads it.
use super::{
    chain::{self, CONTENT_COLUMNS, Checkpoint, Content, hex},
    entry::Entry,
    filter::{self, Filter},
    index::ADDRESS,
    lines::{COLUMNS, Line, Stored, lines},
};
use crate::{
    app::App,
    clock,
    db::Tx,
    web::{
        Form, Redirect, Result,
        download::{self, CsvSheet},
    },
};
use anyhow::ensure;
use axum::{
    extract::RawQuery,
    response::{IntoResponse, Response},
};
use serde_json::json;
use sqlx::{PgConnection, QueryBuilder};
use std::collections::HashMap;
use tabular::CsvStyle;

const BATCH: i64 = 1_000;

/// `bin/audit-verifier` finds its columns by these names.
const HEAD: [&str; 17] = [
    "Nature",
    "Place",
    "Entrée",
    "Instant (UTC)",
    "Auteur",
    "Action",
    "Code de l’action",
    "Objet",
    "Identifiant de l’objet",
    "Détail",
    "Motif",
    "Forme canonique",
    "Empreinte de l’entrée",
    "Empreinte précédente",
    "Empreinte",
    "Clé publique",
    "Signature",
];

pub async fn create(mut tx: Tx, RawQuery(query): RawQuery, form: Form) -> Result<Response> {
    let mut filters = Form::parse(query.unwrap_or_default().as_bytes());
    let filter = Filter::parse(&mut filters, None);
    let words = filter::query(&filters);
    if !filters.is_valid() {
        // The page says what is wrong with them.
        return Ok(Redirect::to(format!("{ADDRESS}?{words}")).into_response());
    }
    let whole = form.has("chaine", "complete");
    let mut count = QueryBuilder::new("select count(*) from audit_entries e where true");
    filter.narrow(&mut count, "e");
    let rows: i64 = count.build_query_scalar().fetch_one(tx.conn()).await?;
    let changes = json!({ "format": "csv", "filters": words, "rows": rows });
    tx.record(Entry::about("audit.exported", "audit").changes(changes)).await?;
    let (app, now) = (tx.app().clone(), tx.now());
    tx.commit().await?;
    // What is exported is sealed and signed to its last entry, this export included.
    chain::checkpoint(&app, "export", now).await?;
    let name = format!("journal-audit-{}.csv", clock::day(now));
    Ok(download::csv(&name, CsvStyle::default(), move |sheet| async move {
        let mut conn = app.db.acquire().await?;
        write(&app, &mut conn, sheet, &filter, whole).await
    }))
}

/// A seal, and whether the filters keep its entry.
#[derive(sqlx::FromRow)]
struct Link {
    position: i64,
    entry: i64,
    digest: Vec<u8>,
    previous: Vec<u8>,
    hash: Vec<u8>,
    kept: bool,
}

async fn write(
    app: &App,
    conn: &mut PgConnection,
    mut sheet: CsvSheet,
    filter: &Filter,
    whole: bool,
) -> anyhow::Result<()> {
    sheet.row(HEAD).await?;
    sheet.send().await?;
    let checkpoint = chain::last_checkpoint(conn).await?;
    let end = checkpoint.as_ref().map_or(i64::MAX, |c| c.position);
    let mut after = 0;
    if whole {
        // The links before the first entry kept relate nothing.
        let first = batch(conn, filter, false, (0, end), 1).await?;
        after = first.first().map_or(end, |first| first.position - 1);
    }
    loop {
        // A file cut short must not look whole.
        ensure!(!app.stopping.is_cancelled(), "the program is stopping");
        let links = batch(conn, filter, whole, (after, end), BATCH).await?;
        if links.is_empty() {
            break;
        }
        let kept: Vec<i64> = links.iter().filter(|l| l.kept).map(|l| l.entry).collect();
        let (contents, told) = entries(conn, &kept).await?;
        for link in &links {
            let entry = contents.get(&link.entry).zip(told.get(&link.entry));
            sheet.row(cells(link, entry).iter().map(String::as_str)).await?;
            after = link.position;
        }
    }
    if let Some(checkpoint) = checkpoint {
        sheet.row(signed(&checkpoint).iter().map(String::as_str)).await?;
    }
    sheet.send().await
}

/// The next links: all of them, or those whose entry the filters keep.
async fn batch(
    conn: &mut PgConnection,
    filter: &Filter,
    whole: bool,
    (after, end): (i64, i64),
    limit: i64,
) -> sqlx::Result<Vec<Link>> {
    let mut query = QueryBuilder::new(
        "select s.position, s.entry, s.digest, s.previous, s.hash, (e.seq is not null",
    );
    filter.narrow(&mut query, "e");
    query.push(") as kept from audit_seals s left join audit_entries e on e.seq = s.entry where s.position > ");
    query.push_bind(after).push(" and s.position <= ").push_bind(end);
    if !whole {
        query.push(" and e.seq is not null");
        filter.narrow(&mut query, "e");
    }
    query.push(" order by s.position limit ").push_bind(limit);
    query.build_query_as().fetch_all(conn).await
}

/// These entries as they are digested, and as a person reads them.
async fn entries(
    conn: &mut PgConnection,
    seqs: &[i64],
) -> sqlx::Result<(HashMap<i64, Content>, HashMap<i64, Line>)> {
    let contents: Vec<Content> = QueryBuilder::new("select ")
        .push(CONTENT_COLUMNS)
        .push(" from audit_entries e where e.seq = any(")
        .push_bind(seqs)
        .push(")")
        .build_query_as()
        .fetch_all(&mut *conn)
        .await?;
    let stored: Vec<Stored> = QueryBuilder::new("select ")
        .push(COLUMNS)
        .push(" from audit_entries a left join users u on u.id = a.actor_id where a.seq = any(")
        .push_bind(seqs)
        .push(")")
        .build_query_as()
        .fetch_all(&mut *conn)
        .await?;
    let told = lines(conn, stored).await?;
    Ok((
        contents.into_iter().map(|c| (c.seq, c)).collect(),
        told.into_iter().map(|l| (l.seq, l)).collect(),
    ))
}

fn cells(link: &Link, entry: Option<(&Content, &Line)>) -> [String; HEAD.len()] {
    let mut row: [String; HEAD.len()] = Default::default();
    row[0] = "chaînon".into();
    row[1] = link.position.to_string();
    row[2] = link.entry.to_string();
    row[12] = hex(&link.digest);
    row[13] = hex(&link.previous);
    row[14] = hex(&link.hash);
    if let Some((content, line)) = entry {
        row[0] = "entrée".into();
        row[3] = chain::instant(content.at);
        row[4].clone_from(&line.author);
        row[5].clone_from(&line.sentence);
        row[6].clone_from(&content.action);
        row[7].clone_from(&line.object);
        row[8] = content.object_id.map(|id| id.to_string()).unwrap_or_default();
        row[9] = line.changes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" · ");
        row[10] = line.reason.clone().unwrap_or_default();
        row[11] = content.text();
    }
    row
}

fn signed(checkpoint: &Checkpoint) -> [String; HEAD.len()] {
    let mut row: [String; HEAD.len()] = Default::default();
    row[0] = "point de contrôle".into();
    row[1] = checkpoint.position.to_string();
    row[3] = chain::instant(checkpoint.at);
    row[11] = checkpoint.text();
    row[14] = hex(&checkpoint.hash);
    row[15] = hex(&checkpoint.public_key);
    row[16] = hex(&checkpoint.signature);
    row
}
