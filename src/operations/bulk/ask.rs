// SPDX-License-Identifier: EUPL-1.2
//! Which gesture, on which operations: those ticked on the list, or all that its filters keep.
use super::{
    gesture::Gesture,
    model::{self, Selection},
};
use crate::{
    campaigns::{self, Campaign, Configure, NO_SEGMENT},
    dashboard,
    db::{Id, Read, Tx},
    operations::{
        Operation, dates,
        list::{Address, Filter, total},
        technicians,
    },
    text::clean,
    web::{Again, Error, Form, Page, Redirect, Result, Shell, auth::Allowed},
    workflows::Workflow,
};
use askama::Template;
use axum::{
    extract::{Path, RawQuery},
    response::{IntoResponse, Response},
};
use sqlx::PgConnection;

const GESTURES: [(&str, &str); 5] = [
    ("technicien", "Assigner"),
    ("segment", "Changer de segment"),
    ("date", "Planifier"),
    ("statut", "Changer le statut"),
    ("note", "Ajouter une note"),
];
const NONE: &str = "aucun";

#[derive(Template)]
#[template(path = "operations/bulk/ask.html")]
pub struct Ask {
    shell: Shell,
    form: Form,
    /// Code, label, address, current.
    gestures: Vec<(&'static str, &'static str, String, bool)>,
    gesture: &'static str,
    /// (value, label) of the closed list of this gesture.
    options: Vec<(String, String)>,
    /// What the form carries of the selection.
    kept: Vec<(String, String)>,
    rows: u64,
    back: String,
    date_label: String,
    time_hint: String,
}

pub async fn page(
    mut read: Read,
    Path(id): Path<Id<Campaign>>,
    RawQuery(query): RawQuery,
) -> Result<Page<Ask>> {
    let campaign = read.authorize(Configure, id).await?;
    let form = Form::parse(query.unwrap_or_default().as_bytes());
    let app = read.app().clone();
    let shell = read.shell("Actions groupées");
    Ok(Page(ask(&app, read.conn(), &campaign, shell, form).await?))
}

async fn ask(
    app: &crate::app::App,
    conn: &mut PgConnection,
    campaign: &Allowed<Configure, Campaign>,
    shell: Shell,
    mut form: Form,
) -> Result<Ask> {
    let address = Address::of(&form).without("replier");
    let rows = count(app, conn, campaign.id, &mut form).await?;
    let gesture = GESTURES
        .iter()
        .find(|(code, _)| form.raw("geste") == *code)
        .map_or(GESTURES[0].0, |(code, _)| code);
    let options = options(conn, campaign, gesture).await?;
    let mut kept: Vec<(String, String)> =
        address.pairs().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
    kept.extend(form.pairs().iter().filter(|(k, _)| k == "op" || k == "tout").cloned());
    let link = |code: &str| {
        let pairs = kept.iter().map(|(k, v)| (k.as_str(), v.as_str())).chain([("geste", code)]);
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        format!("lot?{query}")
    };
    Ok(Ask {
        gestures: GESTURES
            .iter()
            .map(|(code, label)| (*code, *label, link(code), *code == gesture))
            .collect(),
        shell: shell
            .under("Campagnes", "/campagnes")
            .under(&campaign.name, campaign.url())
            .under("Opérations", campaign.path("operations")),
        gesture,
        options,
        rows,
        back: address.url(&campaign.path("operations")),
        date_label: if gesture == "date" { "Date prévue" } else { "Nouvelle date prévue" }.into(),
        time_hint: format!("sinon {}", crate::web::format::time(campaign.default_time)),
        kept,
        form,
    })
}

/// How many operations the form speaks of.
async fn count(
    app: &crate::app::App,
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
    form: &mut Form,
) -> Result<u64> {
    if !form.checked("tout") {
        return Ok(chosen(form).len() as u64);
    }
    let figures = dashboard::shared(app, conn, campaign, false).await?;
    let fields = campaigns::fields(conn, campaign).await?;
    let filter = Filter::of(form, &figures, &fields);
    Ok(total(conn, campaign, &filter, &figures).await?)
}

fn chosen(form: &Form) -> Vec<Id<Operation>> {
    form.all("op").filter_map(|id| id.parse().ok()).collect()
}

async fn options(
    conn: &mut PgConnection,
    campaign: &Campaign,
    gesture: &str,
) -> Result<Vec<(String, String)>> {
    let none = |label: &str| std::iter::once((NONE.to_owned(), label.to_owned()));
    Ok(match gesture {
        "technicien" => {
            let all = technicians(conn).await?;
            let all = all.into_iter().map(|(id, name)| (id.to_string(), name));
            none("— Non assigné —").chain(all).collect()
        }
        "segment" => {
            let all = campaigns::segments(conn, campaign.id).await?;
            let all = all.into_iter().map(|s| (s.id.to_string(), s.name));
            none(NO_SEGMENT).chain(all).collect()
        }
        "statut" => {
            let workflow = Workflow::load(conn, campaign.workflow_version_id).await?;
            let mut all: Vec<(String, String)> = Vec::new();
            for transition in &workflow.transitions {
                if all.iter().all(|(code, _)| *code != transition.code) {
                    all.push((transition.code.clone(), transition.label.clone()));
                }
            }
            all
        }
        _ => Vec::new(),
    })
}

pub async fn create(mut tx: Tx, Path(id): Path<Id<Campaign>>, mut form: Form) -> Result<Response> {
    let campaign = tx.authorize(Configure, id).await?;
    let app = tx.app().clone();
    let gesture = gesture(tx.conn(), &campaign, &mut form).await?;
    let figures = dashboard::shared(&app, tx.conn(), id, false).await?;
    let fields = campaigns::fields(tx.conn(), id).await?;
    let mut query = Form::filled(form.pairs().iter().cloned());
    let filter = Filter::of(&mut query, &figures, &fields);
    let all = form.checked("tout");
    if !all && chosen(&form).is_empty() {
        form.refuse("", "Aucune opération n’est choisie : cochez-en dans la liste.");
    }
    let Some(gesture) = gesture.filter(|_| form.is_valid()) else {
        let shell = tx.shell("Actions groupées");
        let ask = ask(&app, tx.conn(), &campaign, shell, form).await?;
        return Ok(Again(ask).into_response());
    };
    let selection = if all { Selection::All(&filter) } else { Selection::These(chosen(&form)) };
    let (lot, _) = model::create(&mut tx, id, &gesture, &selection).await?;
    tx.commit_quietly("nothing is changed before it is confirmed, which is traced").await?;
    Ok(Redirect::to(campaign.path(&format!("lots/{lot}"))).into_response())
}

/// What the form asks for; its faults are told beside its fields.
async fn gesture(
    conn: &mut PgConnection,
    campaign: &Campaign,
    form: &mut Form,
) -> Result<Option<Gesture>> {
    let code = form.raw("geste").to_owned();
    let options = options(conn, campaign, &code).await?;
    let value = form.text("valeur");
    let name = options.iter().find(|(known, _)| *known == value).map(|(_, name)| name.clone());
    if !options.is_empty() && name.is_none() {
        form.refuse("valeur", "Choisissez dans la liste");
        return Ok(None);
    }
    let name = name.unwrap_or_default();
    Ok(Some(match code.as_str() {
        "technicien" => Gesture::Assign { to: value.parse().ok(), name },
        "segment" => Gesture::Segment { to: value.parse().ok(), name },
        "date" => Gesture::Plan { to: dates::typed(form, campaign) },
        "statut" => Gesture::Transition {
            code: value,
            label: name,
            reason: Some(clean(form.raw("motif"))).filter(|text| !text.is_empty()),
            date: dates::typed(form, campaign),
        },
        "note" => {
            let body = form.required("note");
            if body.chars().count() > 2_000 {
                form.refuse("note", "La note doit compter de 1 à 2 000 caractères.");
            }
            Gesture::Note { body }
        }
        _ => return Err(Error::BadRequest("Choisissez ce qu’il faut changer.")),
    }))
}
