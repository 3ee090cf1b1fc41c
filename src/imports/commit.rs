// SPDX-License-Identifier: EUPL-1.2
//! « Importer »: the accepted lines become operations in one transaction, all or nothing
//! (03 §2.4), with one audit entry for the batch and one lean event per operation (10-decisions 6).
use super::{
    Import, cells, compare,
    job::Stop,
    model::{Counters, Preview, State},
    rows, staging, validate, write,
};
use crate::{
    accounts::{self, User},
    app::App,
    audit::Entry,
    campaigns::{self, Campaign, Configure, Field, Segment},
    db::{Actor, Id, Tx},
    text::norm,
    web::auth::{Subject, decide},
    workflows::Workflow,
};
use anyhow::anyhow;
use chrono::{DateTime, Utc};
use serde_json::json;
use sha2::Digest;
use sqlx::PgPool;
use std::{sync::Arc, time::Duration};
use uuid::Uuid;

const FIELDS_CHANGED: &str =
    "Les champs de la campagne ont changé depuis la vérification. Vérifiez à nouveau le fichier.";
const WORKFLOW_CHANGED: &str =
    "La campagne a changé de workflow pendant l’import. Rien n’a été importé : recommencez.";

pub async fn run(
    app: &App,
    import: &Import,
    by: Option<Id<User>>,
    now: DateTime<Utc>,
) -> Result<(), Stop> {
    if import.state != State::Running {
        return Ok(());
    }
    let mut conn = app.db.acquire().await?;
    let waiting = staging::exists(&mut conn, import.id).await?
        && sqlx::query_scalar::<_, bool>(staging::sql(
            import.id,
            "select exists (select 1 from staging)",
        ))
        .fetch_one(&mut *conn)
        .await?;
    drop(conn);
    let accepted = import.counters.as_ref().map_or(0, |c| c.read - c.rejected);
    let mut import = import.clone();
    if !waiting && accepted > 0 {
        // PostgreSQL was killed and emptied the unlogged table: check the file again, then go on.
        let (counters, preview) = validate::check(app, &import, true).await?;
        (import.counters, import.preview) = (Some(counters), Some(preview));
    }
    let actor = author(app, &import, by).await?;
    let mut tx = Tx::begin(app, actor, now).await?;
    let version = workflow_version(&mut tx, &import).await?;
    let counters = write(app, &mut tx, &import).await?;
    finish(&mut tx, &import, &counters).await?;
    // The campaign's status was computed under its lock, which a change of workflow takes too.
    if workflow_version(&mut tx, &import).await? != version {
        return Err(Stop::Refused(WORKFLOW_CHANGED.into()));
    }
    tx.commit().await.map_err(refused)?;
    clean_up(app, &import).await;
    Ok(())
}

/// The person who decided, if they still may; the command line has its own name in the audit.
pub(super) async fn author(
    app: &App,
    import: &Import,
    by: Option<Id<User>>,
) -> Result<Actor, Stop> {
    let Some(id) = by.or(import.author_id.map(Id::from)) else { return Ok(Actor::CommandLine) };
    let mut conn = app.db.acquire().await?;
    let Some(user) = accounts::find(&mut conn, id).await? else {
        return Err(Stop::Refused(
            "Le compte de la personne qui a demandé ce traitement n’est plus actif.".into(),
        ));
    };
    let campaign = Campaign::find(&mut conn, &user, import.campaign_id).await?;
    match decide(Configure, &user, campaign) {
        Ok(_) => Ok(Actor::User(user)),
        Err(crate::web::Error::Refused(why)) => Err(Stop::Refused(why)),
        Err(_) => Err(Stop::Refused(
            "La personne qui a demandé ce traitement n’a plus le droit de configurer la campagne."
                .into(),
        )),
    }
}

pub(super) fn refused(err: crate::web::Error) -> Stop {
    match err {
        crate::web::Error::Refused(why) => Stop::Refused(why),
        err => Stop::Broken(err.into()),
    }
}

async fn write(app: &App, tx: &mut Tx, import: &Import) -> Result<Counters, Stop> {
    let preview = import.preview.clone().ok_or_else(|| anyhow!("commit before validation"))?;
    let archived = sqlx::query_scalar!(
        r#"select archived_at is not null or deleted_at is not null as "closed!" from campaigns where id = $1"#,
        import.campaign_id as _
    )
    .fetch_one(tx.conn())
    .await?;
    if archived {
        return Err(Stop::Refused("Campagne archivée : lecture seule.".into()));
    }
    let fields = campaigns::fields(tx.conn(), import.campaign_id).await?;
    if !preview.fields.is_empty() && preview.fields != declared(&fields) {
        return Err(Stop::Refused(FIELDS_CHANGED.into()));
    }
    forget_former_technicians(tx, import).await?;
    create_fields(tx, import, &preview).await?;
    complete_lists(tx, import, &preview).await?;
    let segments = create_segments(tx, import, &preview).await?;
    let decisions = cells::decisions(tx.conn(), import.id).await.map_err(refused)?;
    compare::mark_known(tx.conn(), import).await?;
    rows::lock(tx, import, &decisions).await?;
    let mut restored = 0;
    if decisions.restore_binned {
        restored = rows::restore_binned(tx, import).await?;
        compare::mark_known(tx.conn(), import).await?;
    }
    let workflow = workflow(tx, import).await?;
    let created = write::insert(app, tx, import, &segments, &workflow).await?;
    let (updated, conflicts) = write::update(tx, import, &segments).await?;
    let mut cancelled = 0;
    if decisions.cancel_vanished {
        cancelled = rows::cancel_vanished(tx, import, &workflow).await?;
    }
    rows::note_versions(tx, import).await?;
    drop_unused_segments(tx, import).await?;
    let before = import.counters.clone().unwrap_or_default();
    let known: i64 =
        sqlx::query_scalar(staging::sql(import.id, "select count(*) from staging where known"))
            .fetch_one(tx.conn())
            .await?;
    Ok(Counters {
        created,
        updated,
        unchanged: known - updated,
        conflicts,
        restored,
        cancelled,
        ..before
    })
}

async fn create_fields(tx: &mut Tx, import: &Import, preview: &Preview) -> Result<(), Stop> {
    for (number, label, kind, choices) in &preview.new_fields {
        let kind = campaigns::FieldKind::from_code(kind).unwrap_or(campaigns::FieldKind::ShortText);
        let searchable =
            matches!(kind, campaigns::FieldKind::ShortText | campaigns::FieldKind::Email);
        let made = sqlx::query!(
            "insert into campaign_fields (id, campaign_id, number, label, label_norm, kind, searchable, in_list, choices, position)
             values ($1, $2, $3, $4, $5, $6, $7, false, $8, $3)",
            Uuid::now_v7(),
            import.campaign_id as _,
            number,
            label,
            norm(label),
            kind as _,
            searchable,
            choices
        )
        .execute(tx.conn())
        .await;
        if let Err(err) = made {
            return Err(match crate::db::sqlstate(&err).as_deref() {
                Some("23505") => Stop::Refused(FIELDS_CHANGED.into()),
                _ => Stop::Broken(err.into()),
            });
        }
    }
    Ok(())
}

/// « Ajouter aux choix »; the base refuses a list of more than 200.
async fn complete_lists(tx: &mut Tx, import: &Import, preview: &Preview) -> Result<(), Stop> {
    for (number, values) in &preview.new_choices {
        sqlx::query!(
            "update campaign_fields set choices = choices || (select coalesce(array_agg(v), '{}') from unnest($3::text[]) v where v <> all (choices))
             where campaign_id = $1 and number = $2",
            import.campaign_id as _,
            number,
            values
        )
        .execute(tx.conn())
        .await?;
    }
    Ok(())
}

/// What the lines were checked against: it must be the same when they are written.
pub(super) fn declared(fields: &[Field]) -> String {
    let one = |f: &Field| {
        let pattern = f.pattern.as_deref().unwrap_or_default();
        let choices = f.choices.join("\u{1e}");
        format!(
            "{}\u{1f}{}\u{1f}{}\u{1f}{pattern}\u{1f}{choices}",
            f.number,
            f.kind.code(),
            f.usages.join(",")
        )
    };
    let all: Vec<String> = fields.iter().map(one).collect();
    let digest = sha2::Sha256::digest(all.join("\u{1d}"));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Somebody may have left, or lost the role, since the file was checked (RG-018).
async fn forget_former_technicians(tx: &mut Tx, import: &Import) -> Result<(), Stop> {
    sqlx::query(staging::sql(
        import.id,
        "update staging set technician = null where technician is not null
           and technician not in (select u.id from users u where u.active and 'technician' = any (u.roles))",
    ))
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A segment of which every line was rejected, or went elsewhere, is not made.
async fn drop_unused_segments(tx: &mut Tx, import: &Import) -> Result<(), Stop> {
    sqlx::query!(
        "delete from segments s where s.import_id = $1
           and not exists (select 1 from operations o where o.campaign_id = s.campaign_id and o.segment_sort = s.id and o.deleted_at is null)",
        import.id as _
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The segment of each rank of the file, created in the order of names when missing (RG-093).
async fn create_segments(
    tx: &mut Tx,
    import: &Import,
    preview: &Preview,
) -> Result<Vec<Id<Segment>>, Stop> {
    let known = campaigns::segments(tx.conn(), import.campaign_id).await?;
    let mut missing: Vec<(&String, String)> = preview
        .segments
        .iter()
        .map(|name| (name, norm(name)))
        .filter(|(_, key)| !known.iter().any(|s| s.name_norm == *key))
        .collect();
    missing.sort_by(|a, b| a.1.cmp(&b.1));
    let mut all: Vec<(String, Id<Segment>)> =
        known.into_iter().map(|s| (s.name_norm, s.id)).collect();
    for (name, key) in missing {
        let id = Id::<Segment>::new();
        sqlx::query!(
            "insert into segments (id, campaign_id, name, name_norm, import_id) values ($1, $2, $3, $4, $5)",
            id as _,
            import.campaign_id as _,
            name,
            key,
            import.id as _
        )
        .execute(tx.conn())
        .await?;
        all.push((key, id));
    }
    let find = |name: &String| {
        let key = norm(name);
        all.iter().find(|(k, _)| *k == key).map(|(_, id)| *id)
    };
    preview
        .segments
        .iter()
        .map(|name| {
            find(name).ok_or_else(|| Stop::Broken(anyhow!("segment {name} was not created")))
        })
        .collect()
}

async fn workflow_version(tx: &mut Tx, import: &Import) -> Result<Uuid, Stop> {
    Ok(sqlx::query_scalar!(
        "select workflow_version_id from campaigns where id = $1",
        import.campaign_id as _
    )
    .fetch_one(tx.conn())
    .await?)
}

async fn workflow(tx: &mut Tx, import: &Import) -> Result<Arc<Workflow>, Stop> {
    let version = workflow_version(tx, import).await?;
    Workflow::load(tx.conn(), version).await.map_err(refused)
}

async fn finish(tx: &mut Tx, import: &Import, counters: &Counters) -> Result<(), Stop> {
    let now = tx.now();
    let written = sqlx::query!(
        "update imports set state = 'done', stage = 'idle', counters = $2, progress = total, error = null, updated_at = $3, finished_at = $3, file_key = null
         where id = $1 and state = 'running' and not cancel_requested",
        import.id as _,
        serde_json::to_value(counters)?,
        now
    )
    .execute(tx.conn())
    .await?;
    if written.rows_affected() == 0 {
        return Err(Stop::Cancelled);
    }
    tx.record(
        Entry::on("operations.imported", "import", import.id.uuid())
            .campaign(import.campaign_id)
            .changes(json!({
                "file": import.file_name,
                "counters": counters,
                "mapping": import.mapping,
                "new_segments": import.preview.as_ref().map(|p| &p.new_segments),
                "new_choices": import.preview.as_ref().map(|p| &p.new_choices),
            })),
    )
    .await?;
    sqlx::query!("update campaigns set wizard_step = greatest(wizard_step, 4) where id = $1 and activated_at is null", import.campaign_id as _)
        .execute(tx.conn())
        .await?;
    campaigns::status::refresh(tx, import.campaign_id).await?;
    tx.touch_campaign(import.campaign_id).await?;
    touch_technicians(tx, import).await
}

/// The technicians who gain, keep or lose operations by this import see it at once.
pub(super) async fn touch_technicians(tx: &mut Tx, import: &Import) -> Result<(), Stop> {
    let people: Vec<Id<User>> = sqlx::query_scalar!(
        r#"select u.id as "id!: Id<User>" from users u where 'technician' = any (u.roles) and (
             exists (select 1 from operations o where o.import_id = $1 and o.assignee_id = u.id)
             or exists (select 1 from import_changes c where c.import_id = $1 and u.id::text in (c.before ->> 'assignee_id', c.after ->> 'assignee_id'))
             or exists (select 1 from import_rows r join operations o on o.id = r.operation_id where r.import_id = $1 and o.assignee_id = u.id))"#,
        import.id as _
    )
    .fetch_all(tx.conn())
    .await?;
    for person in people {
        tx.touch_person(Some(person)).await?;
    }
    Ok(())
}

/// After the commit: the file and the staged lines go; the visibility map makes counts fast.
async fn clean_up(app: &App, import: &Import) {
    if let Some(key) = &import.file_key {
        super::files::remove(app, key).await;
    }
    if let Err(err) = sqlx::query!("delete from import_cells where import_id = $1", import.id as _)
        .execute(&app.db)
        .await
    {
        tracing::warn!(%err, "differences not forgotten; housekeeping will");
    }
    if let Err(err) = staging::drop_table(&app.db, import.id).await {
        tracing::warn!(%err, "staged lines not dropped; housekeeping will");
    }
    make_counts_fast(app).await;
}

/// Seconds given to transactions older than the import, which keep its rows from being marked
/// visible to all: that of this very job, which locks its row until it has returned; another import.
const PATIENCE: [u64; 6] = [1, 2, 5, 30, 120, 600];

/// Has counts read the index alone: at once when nothing prevents it, else as soon as it can be.
pub(super) async fn make_counts_fast(app: &App) {
    if is_settled(&app.db, "vacuum (analyze) operations").await {
        return;
    }
    let app = app.clone();
    tokio::spawn(async move {
        for seconds in PATIENCE {
            tokio::select! {
                () = app.stopping.cancelled() => return,
                () = tokio::time::sleep(Duration::from_secs(seconds)) => {}
            }
            if is_settled(&app.db, "vacuum operations").await {
                return;
            }
        }
    });
}

/// Whether counts read the index alone, after this statement.
async fn is_settled(db: &PgPool, statement: &'static str) -> bool {
    if let Err(err) = sqlx::query(statement).execute(db).await {
        tracing::warn!(%err, "vacuum after the import failed; autovacuum will do it");
    }
    let settled = sqlx::query_scalar(
        "select relallvisible >= relpages * 0.9 from pg_class where oid = 'operations'::regclass",
    );
    settled.fetch_one(db).await.unwrap_or(true)
}
