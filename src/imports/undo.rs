// SPDX-License-Identifier: EUPL-1.2
//! « Annuler cet import » (RG-097, 03 §2.6): what nobody touched since goes back; the rest is kept
//! and said. The undo can itself be undone: nothing is erased, operations go to the bin.
use super::{Import, commit, job::Stop, model::State, rows};
use crate::{
    accounts::User,
    app::App,
    audit::Entry,
    campaigns::{self, Segment},
    db::{Id, Tx},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::HashMap;

/// The three lists of 03 §2.6, as counts and sentences.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Report {
    pub removed: i64,
    pub restored: i64,
    /// (operation, label, who touched it and when)
    pub kept: Vec<(uuid::Uuid, String, String)>,
    pub kept_count: i64,
    pub segments: i64,
    pub fields: i64,
}

/// How many kept operations are named.
const NAMED: i64 = 100;

pub async fn run(
    app: &App,
    import: &Import,
    by: Option<Id<User>>,
    now: DateTime<Utc>,
) -> Result<(), Stop> {
    let actor = commit::author(app, import, by).await?;
    let mut tx = Tx::begin(app, actor, now).await?;
    rows::lock_written(&mut tx, import).await?;
    match import.state {
        State::Done => undo(&mut tx, import).await?,
        State::Undone => redo(&mut tx, import).await?,
        _ => return Ok(()),
    }
    campaigns::status::refresh(&mut tx, import.campaign_id).await?;
    tx.touch_campaign(import.campaign_id).await?;
    commit::touch_technicians(&mut tx, import).await?;
    tx.commit().await?;
    commit::make_counts_fast(app).await;
    Ok(())
}

async fn undo(tx: &mut Tx, import: &Import) -> Result<(), Stop> {
    let (now, user, kind) = (tx.now(), tx.actor().user_id(), tx.actor().kind());
    // Created and untouched: no other event since.
    let removed = sqlx::query!(
        "update operations o set deleted_at = $2, updated_at = $2, updated_by = $3
         where o.import_id = $1 and o.deleted_at is null and o.version = 1
           and not exists (select 1 from operation_events e where e.operation_id = o.id and e.kind not in ('imported', 'import_undone', 'checklist_moved')
             and not (e.kind = 'restored' and e.batch_id = $1))",
        import.id as _,
        now,
        user as _
    )
    .execute(tx.conn())
    .await?
    .rows_affected() as i64;
    let back = rows::restored(tx, import).await?;
    let mut report = Report { removed, ..Report::default() };
    sqlx::query!(
        "insert into operation_events (operation_id, campaign_id, at, actor_kind, actor_id, kind, batch_id)
         select id, campaign_id, $2, $3, $4, 'import_undone', $1 from operations where import_id = $1 and deleted_at = $2",
        import.id as _,
        now,
        kind,
        user as _
    )
    .execute(tx.conn())
    .await?;
    report.restored = swap_changes(tx, import, Side::Before).await?;
    report.restored += rows::uncancel(tx, import).await?;
    report.removed += rows::bin_again(tx, import, &back).await?;
    let kept = sqlx::query!(
        r#"select o.id as "id: uuid::Uuid", o.label, coalesce(u.first_name || ' ' || upper(u.last_name), 'le programme') as "who!",
                  coalesce(e.at, o.updated_at) as "at!"
           from operations o
           left join lateral (select e.actor_id, e.at from operation_events e where e.operation_id = o.id
             and e.kind not in ('imported', 'import_undone', 'checklist_moved') order by e.seq desc limit 1) e on true
           left join users u on u.id = case when e.at is null then o.updated_by else e.actor_id end
           where o.deleted_at is null and (o.import_id = $1 or exists (
             select 1 from import_changes c where c.import_id = $1 and c.operation_id = o.id and c.before ? 'label' and c.version_after <> o.version) or exists (
             select 1 from import_rows r where r.import_id = $1 and r.operation_id = o.id and r.version_after <> o.version))
             and o.updated_at <> $3
           order by o.updated_at desc limit $2"#,
        import.id as _,
        NAMED,
        now
    )
    .fetch_all(tx.conn())
    .await?;
    report.kept_count = sqlx::query_scalar!(
        r#"select count(*) as "n!" from operations o
           where o.deleted_at is null and (o.import_id = $1 or exists (
             select 1 from import_changes c where c.import_id = $1 and c.operation_id = o.id and c.before ? 'label' and c.version_after <> o.version) or exists (
             select 1 from import_rows r where r.import_id = $1 and r.operation_id = o.id and r.version_after <> o.version))
             and o.updated_at <> $2"#,
        import.id as _,
        now
    )
    .fetch_one(tx.conn())
    .await?;
    report.kept = kept
        .into_iter()
        .map(|row| {
            (
                row.id,
                row.label,
                format!("modifiée par {} le {}", row.who, crate::web::format::instant(row.at)),
            )
        })
        .collect();
    let segments = sqlx::query_scalar!(
        "delete from segments s where s.import_id = $1 and s.version = 1
           and not exists (select 1 from operations o where o.campaign_id = s.campaign_id and o.segment_sort = s.id and o.deleted_at is null)
           and not exists (select 1 from prerequisites p where p.campaign_id = s.campaign_id and p.segment_id = s.id)
         returning s.name",
        import.id as _
    )
    .fetch_all(tx.conn())
    .await?;
    let fields = remove_empty_fields(tx, import).await?;
    (report.segments, report.fields) = (segments.len() as i64, fields.len() as i64);
    sqlx::query!(
        "update imports set state = 'undone', stage = 'idle', error = null, updated_at = $2, counters = counters || $3 where id = $1",
        import.id as _,
        now,
        json!({ "undo": report })
    )
    .execute(tx.conn())
    .await?;
    tx.record(
        Entry::on("import.undone", "import", import.id.uuid())
            .campaign(import.campaign_id)
            .changes(json!({
                "removed": report.removed, "restored": report.restored, "kept": report.kept_count,
                "segments": [segments, null], "fields": [fields, null],
            })),
    )
    .await?;
    Ok(())
}

/// Which side of a change is written back.
#[derive(Clone, Copy)]
enum Side {
    Before,
    After,
}

/// Operations that the import updated and nobody touched since get the other side of the change;
/// what is written becomes the version that the reverse move must find.
async fn swap_changes(tx: &mut Tx, import: &Import, side: Side) -> Result<i64, Stop> {
    let (now, user, kind) = (tx.now(), tx.actor().user_id(), tx.actor().kind());
    let fields = campaigns::fields(tx.conn(), import.campaign_id).await?;
    swap_bases(tx, import, side).await?;
    let (mut last, mut count) = (uuid::Uuid::nil(), 0);
    loop {
        let rows = sqlx::query!(
            r#"select c.operation_id, c.before, c.after, o.identifier from import_changes c join operations o on o.id = c.operation_id
               where c.import_id = $1 and c.operation_id > $2 and c.before ? 'label' and o.version = c.version_after and o.deleted_at is null
               order by c.operation_id limit 500 for update of o"#,
            import.id as _,
            last
        )
        .fetch_all(tx.conn())
        .await?;
        let Some(end) = rows.last() else { return Ok(count) };
        last = end.operation_id;
        count += rows.len() as i64;
        for row in rows {
            let data = match side {
                Side::Before => row.before,
                Side::After => row.after,
            };
            let label = data["label"].as_str().unwrap_or_default().to_owned();
            let values = data["values"].as_object().cloned().unwrap_or_default();
            let search = crate::operations::search_text(&row.identifier, &label, &values, &fields);
            sqlx::query!(
                "with o as (
                   update operations set label = $2, label_norm = $3, values = $4::jsonb -> 'values', import_base = nullif($4::jsonb -> 'import_base', 'null'),
                     segment_id = (select s.id from segments s where s.id = ($4::jsonb ->> 'segment_id')::uuid),
                     planned_at = ($4::jsonb ->> 'planned_at')::timestamptz,
                     initial_planned_at = case when $4::jsonb ? 'initial_planned_at' then ($4::jsonb ->> 'initial_planned_at')::timestamptz else initial_planned_at end,
                     assignee_id = (select u.id from users u where u.id = ($4::jsonb ->> 'assignee_id')::uuid and u.active and 'technician' = any (u.roles)),
                     search_text = $5, version = version + 1, updated_at = $6, updated_by = $7
                   where id = $1 returning version)
                 update import_changes c set version_after = o.version from o where c.import_id = $8 and c.operation_id = $1",
                row.operation_id,
                label,
                crate::text::norm(&label),
                data,
                search,
                now,
                user as _,
                import.id as _
            )
            .execute(tx.conn())
            .await?;
            sqlx::query!(
                "insert into operation_events (operation_id, campaign_id, at, actor_kind, actor_id, kind, batch_id) values ($1, $2, $3, $4, $5, $6, $7)",
                row.operation_id,
                import.campaign_id as _,
                now,
                kind,
                user as _,
                match side {
                    Side::Before => "import_undone",
                    Side::After => "restored",
                },
                import.id as _
            )
            .execute(tx.conn())
            .await?;
        }
    }
}

/// The last imported values that moved without anything visible, unless a later import moved them again.
async fn swap_bases(tx: &mut Tx, import: &Import, side: Side) -> Result<(), Stop> {
    let back = matches!(side, Side::Before);
    sqlx::query!(
        "update operations o set import_base = nullif((case when $2 then c.before else c.after end) -> 'import_base', 'null')
         from import_changes c where c.import_id = $1 and c.operation_id = o.id and not c.before ? 'label'
           and o.import_base is not distinct from nullif((case when $2 then c.after else c.before end) -> 'import_base', 'null')",
        import.id as _,
        back
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Fields made by the import, when no operation that stays has a value for them.
async fn remove_empty_fields(tx: &mut Tx, import: &Import) -> Result<Vec<String>, Stop> {
    let numbers: Vec<i32> =
        import.preview.iter().flat_map(|p| &p.new_fields).map(|f| f.0).collect();
    let now = tx.now();
    Ok(sqlx::query_scalar!(
        "update campaign_fields f set deleted_at = $3, sortable = false where f.campaign_id = $1 and f.number = any ($2) and f.deleted_at is null
           and not f.usages && array['identifier', 'label']
           and not exists (select 1 from operations o where o.campaign_id = $1 and o.deleted_at is null and o.values ? f.number::text)
         returning f.label",
        import.campaign_id as _,
        &numbers,
        now
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Undoing the undo: the operations come back from the bin, unless their identifier was taken
/// since, and the changes are applied again under the same rules.
async fn redo(tx: &mut Tx, import: &Import) -> Result<(), Stop> {
    let (now, user, kind) = (tx.now(), tx.actor().user_id(), tx.actor().kind());
    let numbers: Vec<i32> =
        import.preview.iter().flat_map(|p| &p.new_fields).map(|f| f.0).collect();
    sqlx::query!(
        "update campaign_fields f set deleted_at = null where f.campaign_id = $1 and f.number = any ($2) and f.deleted_at is not null
           and not exists (select 1 from campaign_fields l where l.campaign_id = $1 and l.label_norm = f.label_norm and l.deleted_at is null)",
        import.campaign_id as _,
        &numbers
    )
    .execute(tx.conn())
    .await?;
    revive_segments(tx, import).await?;
    let back = sqlx::query_scalar!(
        r#"with back as (
             update operations o set deleted_at = null, updated_at = $2, updated_by = $3,
                    segment_id = (select s.id from segments s where s.id = o.segment_id)
             where (o.import_id = $1 or exists (select 1 from import_rows r where r.import_id = $1 and r.operation_id = o.id and r.kind = 'restored'))
               and o.deleted_at is not null
               and (select e.kind = 'import_undone' and e.batch_id = $1 from operation_events e where e.operation_id = o.id and e.kind not in ('remapped', 'checklist_moved') order by e.seq desc limit 1)
               and not exists (select 1 from operations t where t.campaign_id = o.campaign_id and t.identifier_norm = o.identifier_norm and t.deleted_at is null)
             returning o.id, o.campaign_id),
           told as (
             insert into operation_events (operation_id, campaign_id, at, actor_kind, actor_id, kind, batch_id)
             select id, campaign_id, $2, $4, $3, 'restored', $1 from back)
           select count(*) as "n!" from back"#,
        import.id as _,
        now,
        user as _,
        kind
    )
    .fetch_one(tx.conn())
    .await?;
    let changed = swap_changes(tx, import, Side::After).await?;
    rows::note_versions(tx, import).await?;
    let cancelled = cancel_again(tx, import).await?;
    sqlx::query!("update imports set state = 'done', stage = 'idle', error = null, updated_at = $2, counters = counters - 'undo' where id = $1", import.id as _, now)
        .execute(tx.conn())
        .await?;
    tx.record(
        Entry::on("import.redone", "import", import.id.uuid())
            .campaign(import.campaign_id)
            .changes(json!({ "restored": back, "changed": changed, "cancelled": cancelled })),
    )
    .await?;
    Ok(())
}

/// Operations that the undo gave back are cancelled again, where the workflow still allows.
async fn cancel_again(tx: &mut Tx, import: &Import) -> Result<i64, Stop> {
    let version = sqlx::query_scalar!(
        "select workflow_version_id from campaigns where id = $1",
        import.campaign_id as _
    )
    .fetch_one(tx.conn())
    .await?;
    let workflow =
        crate::workflows::Workflow::load(tx.conn(), version).await.map_err(anyhow::Error::from)?;
    rows::cancel_again(tx, import, &workflow).await
}

/// The segments that went with the undo come back under their former identifiers; where somebody
/// made a namesake meanwhile, the operations go there.
async fn revive_segments(tx: &mut Tx, import: &Import) -> Result<(), Stop> {
    let lost = sqlx::query!(
        r#"select distinct on (l.id) l.id as "id!: Id<Segment>", l.name as "name!" from (
             select o.segment_id as id, o.import_base ->> 'segment' as name from operations o
              where o.import_id = $1 and o.deleted_at is not null and o.segment_id is not null
             union all
             select (c.after ->> 'segment_id')::uuid, c.after -> 'import_base' ->> 'segment' from import_changes c
              where c.import_id = $1 and c.after ->> 'segment_id' is not null) l
           where l.name is not null and not exists (select 1 from segments s where s.id = l.id)"#,
        import.id as _
    )
    .fetch_all(tx.conn())
    .await?;
    let mut known: HashMap<String, Id<Segment>> =
        campaigns::segments(tx.conn(), import.campaign_id)
            .await?
            .into_iter()
            .map(|s| (s.name_norm, s.id))
            .collect();
    for segment in lost {
        let key = crate::text::norm(&segment.name);
        match known.get(&key).copied() {
            Some(namesake) => {
                sqlx::query!("update operations set segment_id = $3 where import_id = $1 and segment_id = $2", import.id as _, segment.id as _, namesake as _)
                    .execute(tx.conn())
                    .await?;
                sqlx::query!(
                    "update import_changes set after = jsonb_set(after, '{segment_id}', to_jsonb($3::text)) where import_id = $1 and after ->> 'segment_id' = $2",
                    import.id as _,
                    segment.id.to_string(),
                    namesake.to_string()
                )
                .execute(tx.conn())
                .await?;
            }
            None => {
                sqlx::query!(
                    "insert into segments (id, campaign_id, name, name_norm, import_id) values ($1, $2, $3, $4, $5)",
                    segment.id as _,
                    import.campaign_id as _,
                    segment.name,
                    key,
                    import.id as _
                )
                .execute(tx.conn())
                .await?;
                known.insert(key, segment.id);
            }
        }
    }
    Ok(())
}
