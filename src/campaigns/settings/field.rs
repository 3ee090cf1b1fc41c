// SPDX-License-Identifier: EUPL-1.2
//! One field: adding it, renaming it, changing its kind with a preview of what does not convert (US-219).
use super::{fields::find, section};
use crate::{
    accounts::User,
    audit,
    campaigns::{
        Campaign, Configure, Declaration, Field, FieldKind, SORTABLE, TOO_MANY_SORTABLE,
        field_commands::{self, Edited, Refused},
        fields,
    },
    db::{Id, Read, Tx},
    web::{
        Again, Conflict, Form, Page, Redirect, Result, Shell,
        auth::Allowed,
        reconcile::{Clash, opened, reconcile},
    },
};
use askama::Template;
use axum::{
    extract::Path,
    response::{IntoResponse, Response},
};
use uuid::Uuid;

const LABEL_TAKEN: &str = "Un champ de cette campagne porte déjà ce nom";

const FIELDS: [(&str, &str); 10] = [
    ("libelle", "Nom du champ"),
    ("nature", "Nature"),
    ("obligatoire", "Obligatoire"),
    ("recherche", "Recherche"),
    ("liste", "Montré dans la liste"),
    ("tri", "Triable"),
    ("masque", "Masqué"),
    ("format", "Format"),
    ("aide", "Aide"),
    ("choix", "Choix"),
];

#[derive(Template)]
#[template(path = "campaigns/settings/field.html")]
pub struct FieldPage {
    shell: Shell,
    campaign: Allowed<Configure, Campaign>,
    /// Absent for a new one.
    field: Option<Field>,
    form: Form,
    refused: Vec<Refused>,
    clashes: Vec<Clash>,
    clash_by: String,
}

impl FieldPage {
    fn new(
        shell: Shell,
        user: &User,
        campaign: Allowed<Configure, Campaign>,
        field: Option<Field>,
        form: Form,
    ) -> Self {
        let shell = section(shell, &campaign, user, "parametres/champs")
            .under("Champs", campaign.path("parametres/champs"));
        Self {
            shell,
            campaign,
            field,
            form,
            refused: Vec::new(),
            clashes: Vec::new(),
            clash_by: String::new(),
        }
    }

    fn action(&self) -> String {
        let last = self.field.as_ref().map_or_else(|| "nouveau".into(), |f| f.id.to_string());
        self.campaign.path(&format!("parametres/champs/{last}"))
    }

    /// The identifier and the label are short texts, always asked, never hidden.
    fn is_column(&self) -> bool {
        self.field.as_ref().is_some_and(Field::is_column)
    }

    fn kinds() -> Vec<(String, String)> {
        FieldKind::ALL.map(|kind| (kind.code().into(), kind.label().into())).into()
    }

    fn refused_count(&self) -> i64 {
        self.refused.iter().map(|r| r.count).sum()
    }
}

pub async fn new_page(mut read: Read, Path(id): Path<Id<Campaign>>) -> Result<Page<FieldPage>> {
    let campaign = read.authorize(Configure, id).await?;
    let form = Form::filled([
        ("nature", FieldKind::ShortText.code()),
        ("recherche", "oui"),
        ("liste", "oui"),
    ]);
    Ok(Page(FieldPage::new(read.shell("Nouveau champ"), read.user(), campaign, None, form)))
}

pub async fn create(mut tx: Tx, Path(id): Path<Id<Campaign>>, mut form: Form) -> Result<Response> {
    let campaign = tx.authorize_to_change(Configure, id).await?;
    let others = fields(tx.conn(), id).await?;
    let added = match declared(&mut form, false, &others) {
        Some(new) => field_commands::add_field(&mut tx, &campaign, &new).await?,
        None => false,
    };
    if !added {
        if form.is_valid() {
            form.refuse("libelle", LABEL_TAKEN);
        }
        let (shell, user) = (tx.shell("Nouveau champ"), tx.user()?.clone());
        return Ok(Again(FieldPage::new(shell, &user, campaign, None, form)).into_response());
    }
    tx.commit().await?;
    let flash = format!("« {} » ajouté.", form.text("libelle"));
    Ok(Redirect::to(campaign.path("parametres/champs")).flash(flash).into_response())
}

pub async fn page(
    mut read: Read,
    Path((id, field)): Path<(Id<Campaign>, Uuid)>,
) -> Result<Page<FieldPage>> {
    let campaign = read.authorize(Configure, id).await?;
    let field = find(read.conn(), id, field).await?;
    let form = opened(FIELDS.map(|(name, _)| (name, shown(&field, name))));
    Ok(Page(FieldPage::new(read.shell(&field.label), read.user(), campaign, Some(field), form)))
}

pub async fn update(
    mut tx: Tx,
    Path((id, field)): Path<(Id<Campaign>, Uuid)>,
    mut form: Form,
) -> Result<Response> {
    let campaign = tx.authorize_to_change(Configure, id).await?;
    let field = find(tx.conn(), id, field).await?;
    let (shell, user) = (tx.shell(&field.label), tx.user()?.clone());
    let clashes = reconcile(&mut form, &FIELDS, |name| shown(&field, name));
    if !clashes.is_empty() {
        let clashes = clashes.into_iter().map(said).collect();
        let clash_by = audit::last_editor(tx.conn(), "field", field.id, "ce champ").await?;
        return Ok(Conflict(FieldPage {
            clashes,
            clash_by,
            ..FieldPage::new(shell, &user, campaign, Some(field), form)
        })
        .into_response());
    }
    let mut others = fields(tx.conn(), id).await?;
    others.retain(|other| other.id != field.id);
    let Some(new) = declared(&mut form, field.is_column(), &others) else {
        return Ok(Again(FieldPage::new(shell, &user, campaign, Some(field), form)).into_response());
    };
    match field_commands::edit_field(&mut tx, &campaign, &field, &new, form.checked("accepter"))
        .await?
    {
        Edited::LabelTaken => {
            form.refuse("libelle", LABEL_TAKEN);
            Ok(Again(FieldPage::new(shell, &user, campaign, Some(field), form)).into_response())
        }
        Edited::Unconverted(refused) => Ok(Again(FieldPage {
            refused,
            ..FieldPage::new(shell, &user, campaign, Some(field), form)
        })
        .into_response()),
        Edited::Saved { changed } => {
            tx.commit_quietly("traced when something changed").await?;
            let flash = if changed {
                format!("« {} » enregistré.", new.label)
            } else {
                "Aucune modification.".into()
            };
            Ok(Redirect::to(campaign.path("parametres/champs")).flash(flash).into_response())
        }
    }
}

/// Reads and checks the form beside the other fields of the campaign.
fn declared(form: &mut Form, is_column: bool, others: &[Field]) -> Option<Declaration> {
    let new = Declaration::parse(form, is_column)?;
    if new.sortable && others.iter().filter(|other| other.sortable).count() >= SORTABLE {
        form.refuse("tri", TOO_MANY_SORTABLE);
        return None;
    }
    Some(new)
}

fn shown(field: &Field, name: &str) -> String {
    let tick = |on: bool| if on { "oui".to_owned() } else { String::new() };
    match name {
        "libelle" => field.label.clone(),
        "nature" => field.kind.code().into(),
        "obligatoire" => tick(field.required),
        "recherche" => tick(field.searchable),
        "liste" => tick(field.in_list),
        "tri" => tick(field.sortable),
        "masque" => tick(field.hidden),
        "format" => field.pattern.clone().unwrap_or_default(),
        "aide" => field.hint.clone().unwrap_or_default(),
        _ => field.choices.join("\n"),
    }
}

/// Codes and ticks in words, in the conflict box.
fn said(clash: Clash) -> Clash {
    match clash.name.as_str() {
        "nature" => clash.said(|code| {
            FieldKind::from_code(code).map_or_else(String::new, |kind| kind.label().into())
        }),
        "obligatoire" | "recherche" | "liste" | "tri" | "masque" => {
            clash.said(|tick| if tick.is_empty() { "Non" } else { "Oui" }.into())
        }
        _ => clash,
    }
}
