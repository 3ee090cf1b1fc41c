// SPDX-License-Identifier: EUPL-1.2
//! « Exporter » : which format, which columns; the rows are those of the list.
use super::{
    AT_ONCE, download,
    format::{COLUMNS, FORMATS, Format},
    job::Make,
    model::{Export, KEPT},
    plan::Plan,
};
use crate::{
    accounts::throttle,
    audit::Entry,
    campaigns::{self, Campaign},
    dashboard,
    db::{Id, Read, Tx},
    operations::list::{Address, Filter, Tag},
    web::{Error, Form, Page, Redirect, Result, Shell},
};
use askama::Template;
use axum::{
    extract::{Path, RawQuery},
    response::{IntoResponse, Response},
};
use chrono::Duration;
use serde_json::json;

#[derive(Template)]
#[template(path = "operations/export/ask.html")]
pub struct Ask {
    shell: Shell,
    form: Form,
    /// The filters in use, in words.
    tags: Vec<Tag>,
    address: Address,
    rows: u64,
    back: String,
}

pub async fn page(
    mut read: Read,
    Path(id): Path<Id<Campaign>>,
    RawQuery(query): RawQuery,
) -> Result<Page<Ask>> {
    let campaign = read.authorize(campaigns::Export, id).await?;
    let mut query = Form::parse(query.unwrap_or_default().as_bytes());
    let figures = dashboard::figures(&mut read, id).await?;
    let app = read.app().clone();
    let (conn, user) = read.split();
    let plan = Plan::load(&app, conn, user, id, &mut query, false).await?;
    let rows = plan.count(conn).await?;
    let fields = campaigns::fields(conn, id).await?;
    let address = Address::of(&query).without("replier");
    let tags = Filter::of(&mut query, &figures, &fields).tags(&query, &address, &figures);
    let shell = read
        .shell("Exporter les opérations")
        .under("Campagnes", "/campagnes")
        .under(&campaign.name, campaign.url())
        .under("Opérations", campaign.path("operations"));
    let form = Form::filled([
        ("format", "xlsx"),
        ("colonnes", "affichees"),
        ("separateur", ";"),
        ("marque", "oui"),
    ]);
    let back = address.url(&campaign.path("operations"));
    Ok(Page(Ask { shell, form, tags, address, rows, back }))
}

pub async fn create(mut tx: Tx, Path(id): Path<Id<Campaign>>, mut form: Form) -> Result<Response> {
    let campaign = tx.authorize(campaigns::Export, id).await?;
    let (app, user, now) = (tx.app().clone(), tx.user()?.clone(), tx.now());
    if let Some(wait) =
        throttle::count(tx.conn(), "export", &user.id.to_string(), 10, Duration::minutes(1), now)
            .await?
    {
        return Err(Error::TooMany(wait));
    }
    let (format, every) = (Format::of(&form), form.raw("colonnes") == "toutes");
    let plan = Plan::load(&app, tx.conn(), &user, id, &mut form, every).await?;
    let rows = plan.count(tx.conn()).await?;
    let query = Address::of(&form).without("replier").query();
    let later = !matches!(format, Format::Csv(_)) && rows > AT_ONCE;
    tx.record(Entry::on("operations.exported", "campaign", id.uuid()).campaign(id).changes(
        json!({
            "format": format.code(),
            "columns": if every { "toutes" } else { "affichées" },
            "filters": query,
            "rows": rows,
        }),
    ))
    .await?;
    if !later {
        tx.commit().await?;
        return match format {
            Format::Csv(style) => Ok(download::csv(app, &campaign, plan, style)),
            format => download::book(&app, &campaign, plan, format).await,
        };
    }
    let export = Id::<Export>::new();
    sqlx::query!(
        "insert into exports (id, campaign_id, author_id, format, every_column, query, total, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        export as _,
        id as _,
        user.id as _,
        format.code(),
        every,
        query,
        i64::try_from(rows).unwrap_or(i64::MAX),
        now,
        now + KEPT
    )
    .execute(tx.conn())
    .await?;
    tx.enqueue(Make { export }).await?;
    tx.commit().await?;
    app.work.notify_one();
    Ok(Redirect::to(campaign.path(&format!("exports/{export}"))).into_response())
}
