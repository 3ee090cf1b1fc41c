// SPDX-License-Identifier: EUPL-1.2
//! « Champs »: the list, its order, the usages, deletion and return (US-219).
use super::section;
use crate::{
    accounts::User,
    campaigns::{
        Campaign, Configure, Field, FieldKind, Usage,
        field_commands::{self, Deleted, KEPT},
        fields,
        sorting::in_preparation,
        usages::{self, Obstacles, Usages},
    },
    db::{Id, Read, Tx},
    text::count,
    web::{Again, Error, Form, Page, Redirect, Result, Shell, auth::Allowed},
};
use askama::Template;
use axum::{
    extract::Path,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

#[derive(Template)]
#[template(path = "campaigns/settings/fields.html")]
pub struct FieldsPage {
    shell: Shell,
    campaign: Allowed<Configure, Campaign>,
    fields: Vec<Field>,
    deleted: Vec<Deleted>,
    /// Numbers of the sortable fields whose index is not built yet.
    preparing: Vec<i32>,
    form: Form,
    obstacles: Obstacles,
}

impl FieldsPage {
    async fn load(
        conn: &mut PgConnection,
        now: DateTime<Utc>,
        shell: Shell,
        user: &User,
        campaign: Allowed<Configure, Campaign>,
    ) -> Result<Self> {
        let fields = fields(conn, campaign.id).await?;
        let deleted = field_commands::deleted_fields(conn, campaign.id, now - KEPT).await?;
        let preparing = in_preparation(conn, campaign.id, &fields).await?;
        let holder = |usage: Usage| {
            fields.iter().find(|f| f.is(usage)).map(|f| f.number.to_string()).unwrap_or_default()
        };
        let form = Form::filled(Usage::ALL.map(|usage| (usage.code(), holder(usage))));
        let shell = section(shell, &campaign, user, "parametres/champs");
        Ok(Self {
            shell,
            campaign,
            fields,
            deleted,
            preparing,
            form,
            obstacles: Obstacles::default(),
        })
    }

    /// The fields that a usage can be given to.
    fn candidates(&self, usage: Usage) -> Vec<(String, String)> {
        let mandatory = matches!(usage, Usage::Identifier | Usage::Label);
        let none = (!mandatory).then(|| (String::new(), "— Aucun —".to_owned()));
        let fields = self.fields.iter().filter(|f| !mandatory || f.kind == FieldKind::ShortText);
        none.into_iter().chain(fields.map(|f| (f.number.to_string(), f.label.clone()))).collect()
    }
}

pub async fn page(mut read: Read, Path(id): Path<Id<Campaign>>) -> Result<Page<FieldsPage>> {
    let campaign = read.authorize(Configure, id).await?;
    let (shell, user, now) = (read.shell("Champs"), read.user().clone(), read.now());
    Ok(Page(FieldsPage::load(read.conn(), now, shell, &user, campaign).await?))
}

/// A live field of this campaign.
pub(super) async fn find(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
    id: Uuid,
) -> Result<Field> {
    fields(conn, campaign).await?.into_iter().find(|f| f.id == id).ok_or(Error::NotFound)
}

pub async fn reorder(
    mut tx: Tx,
    Path((id, field)): Path<(Id<Campaign>, Uuid)>,
    form: Form,
) -> Result<Redirect> {
    let campaign = tx.authorize_to_change(Configure, id).await?;
    let field = find(tx.conn(), id, field).await?;
    field_commands::move_field(&mut tx, &campaign, &field, form.has("sens", "haut")).await?;
    tx.commit().await?;
    Ok(Redirect::to(campaign.path("parametres/champs"))
        .flash(format!("« {} » déplacé.", field.label)))
}

pub async fn set_usages(mut tx: Tx, Path(id): Path<Id<Campaign>>, form: Form) -> Result<Response> {
    let campaign = tx.authorize_to_change(Configure, id).await?;
    let number = |usage: Usage| form.text(usage.code()).parse::<i32>().ok();
    let (Some(identifier), Some(label)) = (number(Usage::Identifier), number(Usage::Label)) else {
        return Err(Error::Refused("Une campagne a toujours un identifiant et un libellé.".into()));
    };
    let wanted = Usages {
        identifier,
        label,
        equipment: number(Usage::Equipment),
        location: number(Usage::Location),
        contact: number(Usage::Contact),
        agent_key: number(Usage::AgentKey),
    };
    let obstacles = usages::set_usages(&mut tx, &campaign, wanted).await?;
    let back = campaign.path("parametres/champs");
    if !obstacles.is_empty() {
        let (shell, user, now) = (tx.shell("Champs"), tx.user()?.clone(), tx.now());
        let page = FieldsPage::load(tx.conn(), now, shell, &user, campaign).await?;
        return Ok(Again(FieldsPage { form, obstacles, ..page }).into_response());
    }
    tx.commit_quietly("traced when something changed").await?;
    Ok(Redirect::to(back).flash("Usages enregistrés.").into_response())
}

#[derive(Template)]
#[template(path = "campaigns/settings/field_deletion.html")]
pub struct DeletionPage {
    shell: Shell,
    campaign: Allowed<Configure, Campaign>,
    field: Field,
    values: String,
}

pub async fn delete_page(
    mut read: Read,
    Path((id, field)): Path<(Id<Campaign>, Uuid)>,
) -> Result<Page<DeletionPage>> {
    let campaign = read.authorize(Configure, id).await?;
    let field = find(read.conn(), id, field).await?;
    let values = field_commands::count_values(read.conn(), id, &field).await?;
    let shell =
        section(read.shell("Supprimer un champ"), &campaign, read.user(), "parametres/champs");
    Ok(Page(DeletionPage { shell, campaign, field, values: count(values, "valeur", "valeurs") }))
}

pub async fn delete(mut tx: Tx, Path((id, field)): Path<(Id<Campaign>, Uuid)>) -> Result<Redirect> {
    let campaign = tx.authorize_to_change(Configure, id).await?;
    let field = find(tx.conn(), id, field).await?;
    field_commands::delete_field(&mut tx, &campaign, &field).await?;
    tx.commit().await?;
    Ok(Redirect::to(campaign.path("parametres/champs"))
        .flash(format!("« {} » supprimé. Vous pouvez le rétablir pendant 30 jours.", field.label)))
}

pub async fn restore(
    mut tx: Tx,
    Path((id, field)): Path<(Id<Campaign>, Uuid)>,
) -> Result<Redirect> {
    let campaign = tx.authorize_to_change(Configure, id).await?;
    field_commands::restore_field(&mut tx, &campaign, field).await?;
    tx.commit().await?;
    Ok(Redirect::to(campaign.path("parametres/champs")).flash("Champ rétabli, avec ses valeurs."))
}
