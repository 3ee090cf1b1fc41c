// SPDX-License-Identifier: EUPL-1.2
//! « Checklist » in the settings of a campaign: the version that its next operations receive, and the
//! explicit move of those that are not started (RG-031, RG-034).
use crate::{
    accounts::User,
    audit::Entry,
    campaigns::{Campaign, Configure, tabs},
    db::{Id, Read, Tx},
    text::count,
    web::{Again, Error, Form, Page, Redirect, Result, Shell, auth::Allowed},
};
use askama::Template;
use axum::{
    extract::Path,
    response::{IntoResponse, Response},
};
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

/// A published version that a campaign can follow.
#[derive(Clone, Debug)]
pub struct Version {
    pub id: Uuid,
    pub template: Uuid,
    pub name: String,
    pub number: i32,
    pub steps: i32,
}

impl Version {
    /// « Poste Windows 11 » v3
    pub fn text(&self) -> String {
        format!("« {} » v{}", self.name, self.number)
    }
}

/// The latest version of each active template.
pub async fn latest(conn: &mut PgConnection) -> sqlx::Result<Vec<Version>> {
    sqlx::query_as!(
        Version,
        r#"select distinct on (t.name_norm, t.id) v.id, t.id as template, t.name, v.number,
                  cardinality(v.required) + cardinality(v.optional) as "steps!"
           from checklist_templates t join checklist_versions v on v.template_id = t.id
           where t.active order by t.name_norm, t.id, v.number desc"#
    )
    .fetch_all(conn)
    .await
}

/// (version, name) for a list of choices, « Aucune » first.
pub async fn choices(conn: &mut PgConnection) -> sqlx::Result<Vec<(String, String)>> {
    let none = (String::new(), "Aucune".to_owned());
    let named = |v: Version| {
        let steps = count(v.steps.unsigned_abs(), "étape", "étapes");
        (v.id.to_string(), format!("{} (v{}, {steps})", v.name, v.number))
    };
    Ok(std::iter::once(none).chain(latest(conn).await?.into_iter().map(named)).collect())
}

/// The version that the campaign follows.
async fn pinned(conn: &mut PgConnection, campaign: Id<Campaign>) -> sqlx::Result<Option<Version>> {
    sqlx::query_as!(
        Version,
        r#"select v.id, t.id as template, t.name, v.number, cardinality(v.required) + cardinality(v.optional) as "steps!"
           from campaigns c join checklist_versions v on v.id = c.checklist_version_id join checklist_templates t on t.id = v.template_id
           where c.id = $1"#,
        campaign as _
    )
    .fetch_optional(conn)
    .await
}

/// How many operations have which version.
struct Held {
    text: String,
    operations: i64,
}

/// What applying another version to the operations not started would do (US-504.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Reach {
    /// In category « à planifier » or « planifié », with no tick ever.
    movable: i64,
    others: i64,
}

async fn reach(conn: &mut PgConnection, campaign: Id<Campaign>) -> sqlx::Result<Reach> {
    sqlx::query_as!(
        Reach,
        r#"select count(*) filter (where movable) as "movable!", count(*) filter (where not movable) as "others!" from (
             select o.category in ('todo', 'planned') and not coalesce(k.ticked, false) as movable
             from operations o left join checklists k on k.operation_id = o.id
             where o.campaign_id = $1 and o.deleted_at is null) x"#,
        campaign as _
    )
    .fetch_one(conn)
    .await
}

#[derive(Template)]
#[template(path = "checklists/campaign.html")]
pub struct ChecklistPage {
    shell: Shell,
    campaign: Allowed<Configure, Campaign>,
    pinned: Option<Version>,
    /// A newer version of the same template.
    newer: Option<Version>,
    choices: Vec<(String, String)>,
    held: Vec<Held>,
    reach: Reach,
    form: Form,
}

impl ChecklistPage {
    async fn load(
        conn: &mut PgConnection,
        shell: Shell,
        user: &User,
        campaign: Allowed<Configure, Campaign>,
        form: Form,
    ) -> Result<Self> {
        let pinned = pinned(conn, campaign.id).await?;
        let newer = match &pinned {
            Some(now) => latest(conn)
                .await?
                .into_iter()
                .find(|v| v.template == now.template && v.number > now.number),
            None => None,
        };
        let shell = shell
            .under("Campagnes", "/campagnes")
            .under(&campaign.name, campaign.url())
            .with_tabs(tabs(&campaign, user, "parametres/checklist"));
        let mut choices = choices(conn).await?;
        if let Some(now) = &pinned
            && !choices.iter().any(|(id, _)| *id == now.id.to_string())
        {
            choices.push((now.id.to_string(), format!("{} (v{}, suivie)", now.name, now.number)));
        }
        let (held, reach) = (held(conn, campaign.id).await?, reach(conn, campaign.id).await?);
        Ok(Self { shell, campaign, pinned, newer, choices, held, reach, form })
    }

    /// Whether anything can be moved at all.
    fn is_active(&self) -> bool {
        !self.campaign.is_draft
    }
}

async fn held(conn: &mut PgConnection, campaign: Id<Campaign>) -> sqlx::Result<Vec<Held>> {
    let rows = sqlx::query!(
        r#"select t.name as "name?", v.number as "number?", count(*) as "n!" from operations o
           left join checklists k on k.operation_id = o.id left join checklist_versions v on v.id = k.version_id
           left join checklist_templates t on t.id = v.template_id
           where o.campaign_id = $1 and o.deleted_at is null group by t.name, v.number order by t.name nulls last, v.number desc"#,
        campaign as _
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Held {
            text: match (row.name, row.number) {
                (Some(name), Some(number)) => format!("« {name} » v{number}"),
                _ => "Sans checklist".into(),
            },
            operations: row.n,
        })
        .collect())
}

pub async fn page(mut read: Read, Path(id): Path<Id<Campaign>>) -> Result<Page<ChecklistPage>> {
    let campaign = read.authorize(Configure, id).await?;
    let (shell, user) = (read.shell("Checklist"), read.user().clone());
    let now = pinned(read.conn(), id).await?.map(|v| v.id.to_string()).unwrap_or_default();
    let form = Form::filled([("version", now)]);
    Ok(Page(ChecklistPage::load(read.conn(), shell, &user, campaign, form).await?))
}

pub async fn apply(mut tx: Tx, Path(id): Path<Id<Campaign>>, mut form: Form) -> Result<Response> {
    // The operations, then the campaign: the order of every change of many (ARCHITECTURE.md).
    let moves = form.checked("non-commencees");
    if moves {
        lock_movable(&mut tx, id).await?;
    }
    let campaign = tx.authorize_to_change(Configure, id).await?;
    let known = choices(tx.conn()).await?;
    let before = pinned(tx.conn(), id).await?;
    let wanted = form.text("version");
    // Nothing sent is not « Aucune ».
    let is_sent = form.pairs().iter().any(|(name, _)| name == "version");
    let is_offered = known.iter().any(|(version, _)| *version == wanted)
        || before.as_ref().is_some_and(|v| v.id.to_string() == wanted);
    if !is_sent || !is_offered {
        form.refuse("version", "Choisissez une checklist dans la liste");
        let (shell, user) = (tx.shell("Checklist"), tx.user()?.clone());
        let page = ChecklistPage::load(tx.conn(), shell, &user, campaign, form).await?;
        return Ok(Again(page).into_response());
    }
    let version: Option<Uuid> = wanted.parse().ok();
    sqlx::query!(
        "update campaigns set checklist_version_id = $2, version = version + 1 where id = $1",
        id as _,
        version
    )
    .execute(tx.conn())
    .await?;
    let moved = match version {
        Some(version) if moves && !campaign.is_draft => {
            move_checklists(&mut tx, id, version).await?
        }
        _ => 0,
    };
    let after = pinned(tx.conn(), id).await?;
    let name = |v: &Option<Version>| v.as_ref().map(Version::text);
    tx.record(
        Entry::on("campaign.checklist_applied", "campaign", id.uuid())
            .campaign(id)
            .changes(json!({ "checklist": [name(&before), name(&after)], "moved": moved })),
    )
    .await?;
    tx.touch_campaign(id).await?;
    tx.commit().await?;
    let follows = match &after {
        Some(v) => format!("Les prochaines opérations recevront {}.", v.text()),
        None => "Les prochaines opérations n’auront pas de checklist.".into(),
    };
    let said = if moves && version.is_some() {
        format!(
            " {}.",
            count(
                moved,
                "opération non commencée l’a reçue",
                "opérations non commencées l’ont reçue"
            )
        )
    } else {
        String::new()
    };
    Ok(Redirect::to(campaign.path("parametres/checklist"))
        .flash(format!("{follows}{said}"))
        .into_response())
}

async fn lock_movable(tx: &mut Tx, campaign: Id<Campaign>) -> Result<()> {
    sqlx::query_scalar!(
        "select count(*) from (select 1 from operations where campaign_id = $1 and deleted_at is null and category in ('todo', 'planned')
           order by id for update) l",
        campaign as _
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(())
}

/// One statement: those not started and never ticked, and nothing else (RG-034); how many changed.
async fn move_checklists(tx: &mut Tx, campaign: Id<Campaign>, version: Uuid) -> Result<i64> {
    let (now, user, kind) = (tx.now(), tx.actor().user_id(), tx.actor().kind());
    sqlx::query_scalar!(
        r#"with moved as (
             insert into checklists (operation_id, campaign_id, version_id, required_total, optional_total, created_at)
             select o.id, o.campaign_id, v.id, cardinality(v.required), cardinality(v.optional), $3
             from operations o join checklist_versions v on v.id = $2
             where o.campaign_id = $1 and o.deleted_at is null and o.category in ('todo', 'planned')
             on conflict (operation_id) do update set version_id = excluded.version_id, required_total = excluded.required_total,
               optional_total = excluded.optional_total, created_at = excluded.created_at
               where not checklists.ticked and checklists.version_id <> excluded.version_id
             returning operation_id),
           told as (
             insert into operation_events (operation_id, campaign_id, at, actor_kind, actor_id, kind, assignee_id, planned_before, planned_after)
             select o.id, $1, $3, $5, $4, 'checklist_moved', o.assignee_id, o.planned_at, o.planned_at
             from moved m join operations o on o.id = m.operation_id)
           select count(*) as "n!" from moved"#,
        campaign as _,
        version,
        now,
        user as _,
        kind
    )
    .fetch_one(tx.conn())
    .await
    .map_err(Error::from)
}

/// At activation: the campaign takes the latest version of the template it chose, and the operations
/// already there receive it (RG-031).
pub async fn freeze(tx: &mut Tx, campaign: Id<Campaign>) -> Result<()> {
    let now = tx.now();
    sqlx::query!(
        "update campaigns c set checklist_version_id = (
           select l.id from checklist_versions l where l.template_id = v.template_id order by l.number desc limit 1)
         from checklist_versions v where c.id = $1 and v.id = c.checklist_version_id",
        campaign as _
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "insert into checklists (operation_id, campaign_id, version_id, required_total, optional_total, created_at)
         select o.id, o.campaign_id, v.id, cardinality(v.required), cardinality(v.optional), $2
         from operations o join campaigns c on c.id = o.campaign_id join checklist_versions v on v.id = c.checklist_version_id
         where o.campaign_id = $1 on conflict (operation_id) do nothing",
        campaign as _,
        now
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
