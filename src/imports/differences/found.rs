// SPDX-License-Identifier: EUPL-1.2
//! What a page of differences reads: cells by line, columns with their counts, whole rows.
use super::page::LINES;
use crate::{
    accounts,
    campaigns::{Field, FieldKind},
    db::Id,
    imports::{Import, rows, staging},
    operations::values::display,
    text::like_pattern,
    web::{Form, Result, format},
    workflows::Workflow,
};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use std::collections::HashMap;
use uuid::Uuid;

/// A whole row: identifier, label, what is known of it.
pub struct Whole {
    pub operation: Option<Uuid>,
    pub identifier: String,
    pub label: String,
    pub note: String,
}

/// A column of the view, with its cells.
pub struct Column {
    pub key: String,
    pub name: String,
    pub cells: i64,
    pub files: i64,
}

pub struct Found {
    pub line: i64,
    pub operation_id: Uuid,
    pub key: String,
    pub base: Option<String>,
    pub file: String,
    pub here: String,
    pub choice: Option<String>,
    pub identifier: String,
    pub label: String,
    pub who: Option<String>,
    pub updated_at: DateTime<Utc>,
}

/// The cells of the lines of one page; one line more than it shows.
pub async fn found(
    conn: &mut PgConnection,
    import: Id<Import>,
    verdict: &str,
    form: &Form,
    after: i64,
) -> sqlx::Result<Vec<Found>> {
    let text = form.given("texte").map(|text| like_pattern(&crate::text::norm(&text)));
    sqlx::query_as!(
        Found,
        r#"with lines as (
             select distinct c.line from import_cells c join operations o on o.id = c.operation_id
             where c.import_id = $1 and c.verdict = $2 and c.line > $3 and ($4::text is null or c.key = $4)
               and ($5::text is null or o.search_text like $5) order by c.line limit $6)
           select c.line, c.operation_id, c.key, c.base, c.file, c.here, c.choice, o.identifier, o.label,
                  u.first_name || ' ' || upper(u.last_name) as who, o.updated_at
           from lines l join import_cells c on c.import_id = $1 and c.line = l.line and c.verdict = $2 and ($4::text is null or c.key = $4)
           join operations o on o.id = c.operation_id left join users u on u.id = o.updated_by
           order by c.line, lpad(c.key, 12, '0')"#,
        import as _,
        verdict,
        after,
        form.given("colonne"),
        text,
        LINES + 1
    )
    .fetch_all(conn)
    .await
}

pub async fn columns(
    conn: &mut PgConnection,
    import: Id<Import>,
    verdict: &str,
    fields: &[Field],
) -> sqlx::Result<Vec<Column>> {
    let rows = sqlx::query!(
        r#"select key, count(*) as "cells!", count(*) filter (where choice = 'file' or (choice is null and verdict = 'apply')) as "files!"
           from import_cells where import_id = $1 and verdict = $2 group by key order by lpad(key, 12, '0')"#,
        import as _,
        verdict
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Column {
            name: name(&row.key, fields),
            key: row.key,
            cells: row.cells,
            files: row.files,
        })
        .collect())
}

/// Names of the technicians that the cells of a page cite.
pub async fn people(
    conn: &mut PgConnection,
    found: &[Found],
) -> sqlx::Result<HashMap<String, String>> {
    let ids: Vec<Uuid> = found
        .iter()
        .filter(|row| row.key == "technician")
        .flat_map(|row| [Some(&row.file), Some(&row.here), row.base.as_ref()])
        .filter_map(|text| text?.parse().ok())
        .collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows =
        sqlx::query!("select id, first_name, last_name from users where id = any ($1)", &ids)
            .fetch_all(conn)
            .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.id.to_string(), accounts::display_name(&row.first_name, &row.last_name)))
        .collect())
}

pub fn name(key: &str, fields: &[Field]) -> String {
    match key {
        "segment" => "Segment".into(),
        "date" => "Date prévue".into(),
        "technician" => "Technicien".into(),
        key => {
            fields.iter().find(|f| f.key() == key).map_or_else(|| key.into(), |f| f.label.clone())
        }
    }
}

pub fn said(key: &str, text: &str, fields: &[Field], people: &HashMap<String, String>) -> String {
    match key {
        "" => String::new(),
        "segment" => text.into(),
        "date" => text.parse().map_or_else(|_| text.into(), format::instant),
        "technician" => people.get(text).cloned().unwrap_or_default(),
        key => {
            let kind =
                fields.iter().find(|f| f.key() == key).map_or(FieldKind::ShortText, |f| f.kind);
            display(kind, text)
        }
    }
}

pub async fn vanished(
    conn: &mut PgConnection,
    import: &Import,
    workflow: &Workflow,
    cancellable: &[i32],
    after: &str,
) -> Result<Vec<Whole>> {
    let statement = format!(
        "select o.id, o.identifier, o.label, o.status_id from operations o where {} and o.identifier_norm > $3
         order by o.identifier_norm limit $4",
        rows::VANISHED
    );
    let rows: Vec<(Uuid, String, String, i32)> =
        sqlx::query_as(staging::sql(import.id, &statement))
            .bind(import.campaign_id)
            .bind(import.id)
            .bind(after)
            .bind(LINES + 1)
            .fetch_all(conn)
            .await?;
    rows.into_iter()
        .map(|(id, identifier, label, status)| {
            let name = &workflow.status(status)?.name;
            let note = if cancellable.contains(&status) {
                name.clone()
            } else {
                format!("{name}, ne peut pas être annulée depuis ce statut")
            };
            Ok(Whole { operation: Some(id), identifier, label, note })
        })
        .collect()
}

pub async fn binned(
    conn: &mut PgConnection,
    import: &Import,
    after: &str,
) -> sqlx::Result<Vec<Whole>> {
    let rows: Vec<(String, String, DateTime<Utc>)> = sqlx::query_as(staging::sql(
        import.id,
        "select distinct on (o.identifier_norm) o.identifier, o.label, o.deleted_at from operations o join staging s on s.identifier_norm = o.identifier_norm
         where o.campaign_id = $1 and o.deleted_at > now() - interval '30 days' and not s.known and o.identifier_norm > $2
         order by o.identifier_norm, o.deleted_at desc, o.id limit $3",
    ))
    .bind(import.campaign_id)
    .bind(after)
    .bind(LINES + 1)
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(identifier, label, at)| Whole {
            operation: None,
            identifier,
            label,
            note: format!("supprimée le {}", format::instant(at)),
        })
        .collect())
}

pub async fn created(
    conn: &mut PgConnection,
    import: &Import,
    after: &str,
) -> sqlx::Result<Vec<Whole>> {
    let rows: Vec<(String, String, i64)> = sqlx::query_as(staging::sql(
        import.id,
        "select identifier, label, line from staging where not known and identifier_norm > $1 order by identifier_norm limit $2",
    ))
    .bind(after)
    .bind(LINES + 1)
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(identifier, label, line)| Whole {
            operation: None,
            identifier,
            label,
            note: format!("ligne {line}"),
        })
        .collect())
}
