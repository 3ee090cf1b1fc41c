// SPDX-License-Identifier: EUPL-1.2
//! One field of a type: added, changed, ordered, removed (US-802).
use super::{
    field_commands::{self, Declared, Edited},
    model::{OperationType, TypeField, type_fields},
};
use crate::{
    audit,
    campaigns::{Declaration, FieldKind, SORTABLE, TOO_MANY_SORTABLE, Usage, is_sensitive},
    configuration::{Administer, ordering::Move},
    db::{Read, Tx},
    text::number,
    web::{
        Again, Conflict, Error, Form, Page, Redirect, Result, Shell,
        reconcile::{Clash, opened, reconcile},
    },
};
use askama::Template;
use axum::{
    extract::Path,
    response::{IntoResponse, Response},
};
use sqlx::PgConnection;
use uuid::Uuid;

const LABEL_TAKEN: &str = "Un champ de ce type porte déjà ce nom";
const WARNING: &str = "Attention : ne recueillez aucune donnée de santé, aucun motif d’absence, aucun numéro de sécurité sociale dans ce champ.";

const FIELDS: [(&str, &str); 10] = [
    ("libelle", "Nom du champ"),
    ("nature", "Nature"),
    ("obligatoire", "Obligatoire"),
    ("recherche", "Recherche"),
    ("liste", "Montré dans la liste"),
    ("tri", "Triable"),
    ("format", "Format"),
    ("aide", "Aide"),
    ("choix", "Choix"),
    ("usages", "Usages"),
];

#[derive(Template)]
#[template(path = "operation_types/field.html")]
pub struct FieldPage {
    shell: Shell,
    kind: OperationType,
    /// Absent for a new one.
    field: Option<TypeField>,
    form: Form,
    clashes: Vec<Clash>,
    clash_by: String,
}

impl FieldPage {
    fn new(shell: Shell, kind: OperationType, field: Option<TypeField>, form: Form) -> Self {
        let shell = shell
            .under("Administration", "/administration")
            .under("Types d’opération", "/administration/types")
            .under(&kind.name, kind.path());
        Self { shell, kind, field, form, clashes: Vec::new(), clash_by: String::new() }
    }

    fn action(&self) -> String {
        let last = self.field.as_ref().map_or_else(|| "nouveau".into(), |f| f.id.to_string());
        format!("{}/champs/{last}", self.kind.path())
    }

    fn kinds() -> Vec<(String, String)> {
        FieldKind::ALL.map(|kind| (kind.code().into(), kind.label().into())).into()
    }

    fn usages(&self) -> [Usage; 6] {
        Usage::ALL
    }

    /// The field has this usage and cannot lose it but to another field.
    fn holds(&self, usage: &Usage) -> bool {
        matches!(usage, Usage::Identifier | Usage::Label)
            && self.field.as_ref().is_some_and(|field| field.is(*usage))
    }
}

async fn find(conn: &mut PgConnection, kind: Uuid, id: Uuid) -> Result<TypeField> {
    type_fields(conn, kind).await?.into_iter().find(|f| f.id == id).ok_or(Error::NotFound)
}

pub async fn new_page(mut read: Read, Path(id): Path<Uuid>) -> Result<Page<FieldPage>> {
    let kind = OperationType::find(read.conn(), id).await?;
    let form = Form::filled([
        ("nature", FieldKind::ShortText.code()),
        ("recherche", "oui"),
        ("liste", "oui"),
    ]);
    Ok(Page(FieldPage::new(read.shell("Nouveau champ"), kind, None, form)))
}

pub async fn create(mut tx: Tx, Path(id): Path<Uuid>, mut form: Form) -> Result<Response> {
    let may = Administer::of(&tx)?;
    let kind = OperationType::find(tx.conn(), id).await?;
    field_commands::lock(&mut tx, id).await?;
    let others = type_fields(tx.conn(), id).await?;
    let added = match declared(&mut form, &others) {
        Some(new) => field_commands::add(&mut tx, &may, id, &new).await?,
        None => false,
    };
    if !added {
        if form.is_valid() {
            form.refuse("libelle", LABEL_TAKEN);
        }
        let page = FieldPage::new(tx.shell("Nouveau champ"), kind, None, form);
        return Ok(Again(page).into_response());
    }
    tx.commit().await?;
    let label = form.text("libelle");
    Ok(Redirect::to(kind.path())
        .flash(said(format!("« {label} » ajouté."), &label))
        .into_response())
}

/// The sentence of the next page, with the warning of RG-162.
fn said(sentence: String, label: &str) -> String {
    if is_sensitive(label) { format!("{sentence} {WARNING}") } else { sentence }
}

pub async fn page(
    mut read: Read,
    Path((id, field)): Path<(Uuid, Uuid)>,
) -> Result<Page<FieldPage>> {
    let kind = OperationType::find(read.conn(), id).await?;
    let field = find(read.conn(), id, field).await?;
    let mut form = opened(FIELDS.map(|(name, _)| (name, shown(&field, name))));
    spread(&mut form);
    Ok(Page(FieldPage::new(read.shell(&field.label), kind, Some(field), form)))
}

/// Usages travel as one value (`identifier,agent_key`) to be reconciled, as boxes to be ticked.
fn spread(form: &mut Form) {
    let codes = form.text("usages");
    for usage in Usage::ALL {
        let ticked = codes.split(',').any(|code| code == usage.code());
        form.set(&format!("usage-{}", usage.code()), if ticked { "oui" } else { "" });
    }
}

fn gather(form: &mut Form) {
    let codes: Vec<_> = Usage::ALL
        .into_iter()
        .map(Usage::code)
        .filter(|code| form.checked(&format!("usage-{code}")))
        .collect();
    form.set("usages", codes.join(","));
}

pub async fn update(
    mut tx: Tx,
    Path((id, field)): Path<(Uuid, Uuid)>,
    mut form: Form,
) -> Result<Response> {
    let may = Administer::of(&tx)?;
    field_commands::lock(&mut tx, id).await?;
    let kind = OperationType::find(tx.conn(), id).await?;
    let field = find(tx.conn(), id, field).await?;
    let shell = tx.shell(&field.label);
    gather(&mut form);
    let clashes = reconcile(&mut form, &FIELDS, |name| shown(&field, name));
    spread(&mut form);
    if !clashes.is_empty() {
        let clashes = clashes.into_iter().map(in_words).collect();
        let clash_by = audit::last_editor(tx.conn(), "type", id, "ce type").await?;
        let page = FieldPage::new(shell, kind, Some(field), form);
        return Ok(Conflict(FieldPage { clashes, clash_by, ..page }).into_response());
    }
    let mut others = type_fields(tx.conn(), id).await?;
    others.retain(|other| other.id != field.id);
    let Some(new) = declared(&mut form, &others) else {
        return Ok(Again(FieldPage::new(shell, kind, Some(field), form)).into_response());
    };
    match field_commands::edit(&mut tx, &may, id, &field, &new).await? {
        Edited::LabelTaken => form.refuse("libelle", LABEL_TAKEN),
        Edited::UsageLost(usage) => form.refuse(
            "usages",
            format!(
                "Un type a toujours un champ « {} » : donnez cet usage à un autre champ, celui-ci le perdra.",
                usage.label()
            ),
        ),
        Edited::Saved { changed } => {
            tx.commit_quietly("traced when something changed").await?;
            let flash = if changed {
                said(format!("« {} » enregistré.", new.field.label), &new.field.label)
            } else {
                "Aucune modification.".into()
            };
            return Ok(Redirect::to(kind.path()).flash(flash).into_response());
        }
    }
    Ok(Again(FieldPage::new(shell, kind, Some(field), form)).into_response())
}

fn shown(field: &TypeField, name: &str) -> String {
    let tick = |on: bool| if on { "oui".to_owned() } else { String::new() };
    match name {
        "libelle" => field.label.clone(),
        "nature" => field.kind.code().into(),
        "obligatoire" => tick(field.required),
        "recherche" => tick(field.searchable),
        "liste" => tick(field.in_list),
        "tri" => tick(field.sortable),
        "format" => field.pattern.clone().unwrap_or_default(),
        "aide" => field.hint.clone().unwrap_or_default(),
        "choix" => field.choices.join("\n"),
        _ => Usage::ALL
            .map(|u| (field.is(u), u.code()))
            .iter()
            .filter(|u| u.0)
            .map(|u| u.1)
            .collect::<Vec<_>>()
            .join(","),
    }
}

/// Codes and ticks in words, in the conflict box.
fn in_words(clash: Clash) -> Clash {
    match clash.name.as_str() {
        "nature" => clash.said(|code| {
            FieldKind::from_code(code).map_or_else(String::new, |kind| kind.label().into())
        }),
        "obligatoire" | "recherche" | "liste" | "tri" => {
            clash.said(|tick| if tick.is_empty() { "Non" } else { "Oui" }.into())
        }
        "usages" => clash.said(|codes| {
            let held = Usage::ALL.into_iter().filter(|u| codes.split(',').any(|c| c == u.code()));
            held.map(Usage::label).collect::<Vec<_>>().join(", ")
        }),
        _ => clash,
    }
}

/// Reads and checks the form beside the other fields of the type.
fn declared(form: &mut Form, others: &[TypeField]) -> Option<Declared> {
    let new = parse(form)?;
    if new.field.sortable && others.iter().filter(|other| other.sortable).count() >= SORTABLE {
        form.refuse("tri", TOO_MANY_SORTABLE);
        return None;
    }
    Some(new)
}

/// Reads and checks a field of a type; the errors are left in the form.
pub fn parse(form: &mut Form) -> Option<Declared> {
    let usages: Vec<String> =
        form.text("usages").split(',').filter(|code| !code.is_empty()).map(Into::into).collect();
    let is_column =
        usages.iter().any(|u| u == Usage::Identifier.code() || u == Usage::Label.code());
    if form.text("libelle").chars().count() > 100 {
        form.refuse("libelle", "Le nom doit compter au plus 100 caractères");
    }
    let field = Declaration::parse(form, is_column)?;
    Some(Declared { field, usages })
}

pub async fn reorder(
    mut tx: Tx,
    Path((id, field)): Path<(Uuid, Uuid)>,
    form: Form,
) -> Result<Redirect> {
    let may = Administer::of(&tx)?;
    field_commands::lock(&mut tx, id).await?;
    let field = find(tx.conn(), id, field).await?;
    let (rank, of) = field_commands::reorder(&mut tx, &may, id, &field, Move::parse(&form)).await?;
    tx.commit().await?;
    let flash = format!("« {} » est en position {} sur {}.", field.label, number(rank), number(of));
    Ok(Redirect::to(format!("/administration/types/{id}")).flash(flash))
}

#[derive(Template)]
#[template(path = "operation_types/field_deletion.html")]
pub struct DeletionPage {
    shell: Shell,
    kind: OperationType,
    field: TypeField,
}

pub async fn delete_page(
    mut read: Read,
    Path((id, field)): Path<(Uuid, Uuid)>,
) -> Result<Page<DeletionPage>> {
    let kind = OperationType::find(read.conn(), id).await?;
    let field = find(read.conn(), id, field).await?;
    let shell = read
        .shell("Supprimer un champ")
        .under("Administration", "/administration")
        .under("Types d’opération", "/administration/types")
        .under(&kind.name, kind.path());
    Ok(Page(DeletionPage { shell, kind, field }))
}

pub async fn delete(mut tx: Tx, Path((id, field)): Path<(Uuid, Uuid)>) -> Result<Redirect> {
    let may = Administer::of(&tx)?;
    field_commands::lock(&mut tx, id).await?;
    let field = find(tx.conn(), id, field).await?;
    field_commands::delete(&mut tx, &may, id, &field).await?;
    tx.commit().await?;
    Ok(Redirect::to(format!("/administration/types/{id}"))
        .flash(format!("« {} » retiré du type.", field.label)))
}
