// SPDX-License-Identifier: EUPL-1.2
//! Deleting a campaign and bringing it back for thirty days (US-214, RG-019). Deleting is logical:
//! every reader and every writer already ignores what is deleted.
use super::{Campaign, Own};
use crate::{
    accounts::{Role, User},
    audit::Entry,
    configuration::copy_name,
    db::{Id, Read, Tx, unless_taken},
    text::norm,
    web::{Again, Error, Form, Page, Redirect, Result, Shell, auth::Allowed, format},
};
use askama::Template;
use axum::{
    extract::Path,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Duration, Utc};
use serde_json::json;
use sqlx::PgConnection;

/// How long what is deleted can be brought back.
pub const KEPT: Duration = Duration::days(30);

#[derive(Template)]
#[template(path = "campaigns/deletion.html")]
pub struct DeletionPage {
    shell: Shell,
    campaign: Allowed<Own, Campaign>,
    operations: i64,
    form: Form,
}

impl DeletionPage {
    async fn load(
        conn: &mut PgConnection,
        shell: Shell,
        campaign: Allowed<Own, Campaign>,
        form: Form,
    ) -> Result<Self> {
        let operations = sqlx::query_scalar!(
            r#"select count(*) as "n!" from operations where campaign_id = $1 and deleted_at is null"#,
            campaign.id as _
        )
        .fetch_one(conn)
        .await?;
        let shell = shell.under("Campagnes", "/campagnes").under(&campaign.name, campaign.url());
        Ok(Self { shell, campaign, operations, form })
    }
}

pub async fn delete_page(
    mut read: Read,
    Path(id): Path<Id<Campaign>>,
) -> Result<Page<DeletionPage>> {
    let campaign = read.authorize(Own, id).await?;
    let shell = read.shell("Supprimer");
    Ok(Page(DeletionPage::load(read.conn(), shell, campaign, Form::default()).await?))
}

/// # Errors
/// The page again until the name is typed.
pub async fn delete(mut tx: Tx, Path(id): Path<Id<Campaign>>, mut form: Form) -> Result<Response> {
    super::status::lock(&mut tx, id).await?;
    let campaign = tx.authorize_to_change(Own, id).await?;
    if norm(&form.text("nom")) != norm(&campaign.name) {
        form.refuse("nom", "Saisissez le nom exact de la campagne pour confirmer");
        let shell = tx.shell("Supprimer");
        let page = DeletionPage::load(tx.conn(), shell, campaign, form).await?;
        return Ok(Again(page).into_response());
    }
    let (now, user) = (tx.now(), tx.actor().user_id());
    sqlx::query!(
        "update campaigns set deleted_at = $2, deleted_by = $3, version = version + 1, updated_at = $2, updated_by = $3 where id = $1",
        id as _,
        now,
        user as _
    )
    .execute(tx.conn())
    .await?;
    tx.record(
        Entry::on("campaign.deleted", "campaign", id.uuid())
            .campaign(id)
            .changes(json!({ "name": [campaign.name, null] })),
    )
    .await?;
    tx.enqueue(super::SortIndexes { campaign: id.uuid() }).await?;
    touch_technicians(&mut tx, id).await?;
    tx.touch_campaign(id).await?;
    tx.commit().await?;
    Ok(Redirect::to("/campagnes")
        .flash(format!("« {} » est dans la corbeille pour 30 jours.", campaign.name))
        .into_response())
}

/// Those who had operations there see them leave or come back.
async fn touch_technicians(tx: &mut Tx, campaign: Id<Campaign>) -> Result<()> {
    let people: Vec<Id<User>> = sqlx::query_scalar!(
        r#"select u.id as "id: Id<User>" from users u where 'technician' = any (u.roles)
             and exists (select 1 from operations o where o.campaign_id = $1 and o.assignee_id = u.id and o.deleted_at is null)"#,
        campaign as _
    )
    .fetch_all(tx.conn())
    .await?;
    for person in people {
        tx.touch_person(Some(person)).await?;
    }
    Ok(())
}

/// A deleted campaign, as whoever may bring it back sees it.
pub struct Deleted {
    pub id: Id<Campaign>,
    pub name: String,
    pub type_name: String,
    pub at: DateTime<Utc>,
    pub by: String,
    pub operations: i64,
}

impl Deleted {
    /// « jusqu’au 12 mars 2026 »
    fn until(&self) -> String {
        format::long(crate::clock::day(self.at + KEPT))
    }
}

/// Those of the last thirty days: their owner's, or all for an administrator.
async fn deleted(
    conn: &mut PgConnection,
    user: &User,
    since: DateTime<Utc>,
) -> sqlx::Result<Vec<Deleted>> {
    sqlx::query_as!(
        Deleted,
        r#"select c.id, c.name, t.name as type_name, c.deleted_at as "at!", coalesce(u.first_name || ' ' || upper(u.last_name), '—') as "by!",
                  (select count(*) from operations o where o.campaign_id = c.id and o.deleted_at is null) as "operations!"
           from campaigns c join operation_types t on t.id = c.type_id left join users u on u.id = c.deleted_by
           where c.deleted_at > $2 and ($3 or (c.owner_id = $1 and $4)) order by c.deleted_at desc, c.id"#,
        user.id as _,
        since,
        user.is_admin(),
        user.roles.has(Role::CampaignManager),
    )
    .fetch_all(conn)
    .await
}

#[derive(Template)]
#[template(path = "campaigns/bin.html")]
pub struct BinPage {
    shell: Shell,
    campaigns: Vec<Deleted>,
}

pub async fn page(mut read: Read) -> Result<Page<BinPage>> {
    let (user, since) = (read.user().clone(), read.now() - KEPT);
    let campaigns = deleted(read.conn(), &user, since).await?;
    let shell = read.shell("Corbeille").under("Campagnes", "/campagnes");
    Ok(Page(BinPage { shell, campaigns }))
}

/// Brings a campaign back as it was; under another name when its own was taken meanwhile.
pub async fn restore(mut tx: Tx, Path(id): Path<Id<Campaign>>) -> Result<Redirect> {
    let (user, now) = (tx.user()?.clone(), tx.now());
    super::status::lock(&mut tx, id).await?;
    sqlx::query!("select 1 as one from campaigns where id = $1 for update", id as _)
        .fetch_optional(tx.conn())
        .await?;
    let found = deleted(tx.conn(), &user, now - KEPT).await?;
    let campaign = found.into_iter().find(|c| c.id == id).ok_or(Error::NotFound)?;
    let taken = sqlx::query_scalar!("select name_norm from campaigns where deleted_at is null")
        .fetch_all(tx.conn())
        .await?;
    let name = if taken.contains(&norm(&campaign.name)) {
        copy_name(&campaign.name, &taken, 255)
    } else {
        campaign.name.clone()
    };
    let statement = sqlx::query!(
        "update campaigns set deleted_at = null, deleted_by = null, name = $2, name_norm = $3, version = version + 1, updated_at = $4, updated_by = $5
         where id = $1",
        id as _,
        name,
        norm(&name),
        now,
        user.id as _
    );
    if !unless_taken(tx.conn(), statement).await? {
        return Err(Error::Refused(
            "Une autre campagne vient de prendre ce nom. Recommencez.".into(),
        ));
    }
    tx.record(
        Entry::on("campaign.undeleted", "campaign", id.uuid())
            .campaign(id)
            .changes(json!({ "name": [campaign.name, name] })),
    )
    .await?;
    super::status::refresh(&mut tx, id).await?;
    tx.enqueue(super::SortIndexes { campaign: id.uuid() }).await?;
    touch_technicians(&mut tx, id).await?;
    tx.touch_campaign(id).await?;
    tx.commit().await?;
    Ok(Redirect::to("/campagnes").flash(format!("« {name} » est de retour.")))
}
