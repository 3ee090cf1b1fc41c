// SPDX-License-Identifier: EUPL-1.2
//! « Dupliquer » (US-208): a new campaign in preparation, with what was decided for another one and
//! none of what happened in it.
use super::{Campaign, Configure, Create, SortIndexes, View, commands};
use crate::{
    audit::Entry,
    configuration::copy_name,
    db::{Id, Read, Tx, unless_taken},
    text::norm,
    web::{
        Again, Form, Page, Redirect, Result, Shell,
        auth::{Allowed, Permits},
    },
};
use askama::Template;
use axum::{
    extract::Path,
    response::{IntoResponse, Response},
};
use chrono::NaiveDate;
use serde_json::json;

#[derive(Template)]
#[template(path = "campaigns/copy.html")]
pub struct CopyPage {
    shell: Shell,
    campaign: Allowed<View, Campaign>,
    form: Form,
    /// Grants are told to whoever manages them only.
    may_grant: bool,
}

impl CopyPage {
    fn new(shell: Shell, campaign: Allowed<View, Campaign>, may_grant: bool, form: Form) -> Self {
        let shell = shell.under("Campagnes", "/campagnes").under(&campaign.name, campaign.url());
        Self { shell, campaign, form, may_grant }
    }
}

pub async fn page(mut read: Read, Path(id): Path<Id<Campaign>>) -> Result<Page<CopyPage>> {
    let campaign = read.authorize(View, id).await?;
    Create::check(read.user())?;
    let taken = sqlx::query_scalar!("select name_norm from campaigns where deleted_at is null")
        .fetch_all(read.conn())
        .await?;
    let form = Form::filled([("nom", copy_name(&campaign.name, &taken, 255))]);
    let may_grant = Permits::<Configure>::permits(&*campaign, read.user());
    Ok(Page(CopyPage::new(read.shell("Dupliquer"), campaign, may_grant, form)))
}

pub async fn create(mut tx: Tx, Path(id): Path<Id<Campaign>>, mut form: Form) -> Result<Response> {
    let campaign = tx.authorize(View, id).await?;
    let may = Create::check(tx.user()?)?;
    let may_grant = Permits::<Configure>::permits(&*campaign, tx.user()?);
    let name = form.required("nom");
    if !name.is_empty() && !(3..=255).contains(&name.chars().count()) {
        form.refuse("nom", "Le nom doit compter de 3 à 255 caractères");
    }
    let period = commands::period(&mut form);
    let made = match (period, form.is_valid()) {
        ((Some(start), Some(end)), true) => {
            copy(&mut tx, &may, &campaign, &name, (start, end)).await?
        }
        _ => None,
    };
    let Some(copy) = made else {
        if form.is_valid() {
            form.refuse("nom", commands::NAME_TAKEN);
        }
        let page = CopyPage::new(tx.shell("Dupliquer"), campaign, may_grant, form);
        return Ok(Again(page).into_response());
    };
    if may_grant && form.checked("habilitations") {
        copy_grants(&mut tx, id, copy).await?;
    }
    tx.commit().await?;
    Ok(Redirect::to(format!("/campagnes/{copy}/assistant/2"))
        .flash(format!(
            "« {name} » reprend les réglages de « {} ». Importez ses cibles.",
            campaign.name
        ))
        .into_response())
}

/// Fields with their usages, workflow version, segments, prerequisites « À faire », settings and
/// texts. `None` when the name is taken.
async fn copy(
    tx: &mut Tx,
    _may: &Create,
    from: &Allowed<View, Campaign>,
    name: &str,
    (start, end): (NaiveDate, NaiveDate),
) -> Result<Option<Id<Campaign>>> {
    let (id, now, user) = (Id::<Campaign>::new(), tx.now(), tx.user()?.id);
    let statement = sqlx::query!(
        "insert into campaigns (id, name, name_norm, description, type_id, start_date, end_date, owner_id, workflow_version_id, checklist_version_id, default_time,
           finish_level, time_tracking, lock_days, reminder_days, contact, agent_text, created_at, created_by, updated_at, updated_by)
         select $2, $3, $4, description, type_id, $5, $6, $7, workflow_version_id, checklist_version_id, default_time, finish_level, time_tracking, lock_days,
           reminder_days, contact, agent_text, $8, $7, $8, $7 from campaigns where id = $1",
        from.id as _,
        id as _,
        name,
        norm(name),
        start,
        end,
        user as _,
        now,
    );
    if !unless_taken(tx.conn(), statement).await? {
        return Ok(None);
    }
    copy_children(tx, from.id, id).await?;
    tx.enqueue(SortIndexes { campaign: id.uuid() }).await?;
    tx.record(
        Entry::on("campaign.created", "campaign", id.uuid())
            .campaign(id)
            .changes(json!({ "name": [null, name], "copy_of": from.name })),
    )
    .await?;
    tx.touch_campaign(id).await?;
    Ok(Some(id))
}

async fn copy_children(tx: &mut Tx, from: Id<Campaign>, to: Id<Campaign>) -> Result<()> {
    let (now, user) = (tx.now(), tx.actor().user_id());
    sqlx::query!(
        "insert into campaign_fields (id, campaign_id, number, label, label_norm, kind, required, searchable, in_list, sortable, hidden, pattern, hint, choices, usages, position)
         select gen_random_uuid(), $2, number, label, label_norm, kind, required, searchable, in_list, sortable, hidden, pattern, hint, choices, usages, position
         from campaign_fields where campaign_id = $1 and deleted_at is null",
        from as _,
        to as _
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "insert into segments (id, campaign_id, name, name_norm, color, position)
         select gen_random_uuid(), $2, name, name_norm, color, position from segments where campaign_id = $1",
        from as _,
        to as _
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "insert into prerequisites (id, campaign_id, segment_id, label, responsible, gate_booking, gate_start, note, position, created_at, created_by, updated_at, updated_by)
         select gen_random_uuid(), $2, n.id, p.label, p.responsible, p.gate_booking, p.gate_start, p.note, p.position, $3, $4, $3, $4
         from prerequisites p left join segments s on s.id = p.segment_id
         left join segments n on n.campaign_id = $2 and n.name_norm = s.name_norm where p.campaign_id = $1",
        from as _,
        to as _,
        now,
        user as _
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

async fn copy_grants(tx: &mut Tx, from: Id<Campaign>, to: Id<Campaign>) -> Result<()> {
    let user = tx.user()?.id;
    let given = sqlx::query!(
        "insert into grants (id, campaign_id, user_id, group_id, can_view, can_place, can_configure, can_export)
         select gen_random_uuid(), $2, user_id, group_id, can_view, can_place, can_configure, can_export
         from grants where campaign_id = $1 and user_id is distinct from $3",
        from as _,
        to as _,
        user as _
    )
    .execute(tx.conn())
    .await?;
    tx.record(
        Entry::on("grant.given", "campaign", to.uuid())
            .campaign(to)
            .changes(json!({ "copied": given.rows_affected() })),
    )
    .await?;
    Ok(())
}
