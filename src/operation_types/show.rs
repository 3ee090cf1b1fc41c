// SPDX-License-Identifier: EUPL-1.2
//! One type: its look, its workflow, its fields; created, copied, retired, deleted.
use super::{
    commands::{self, Information, used_by},
    model::{COLORS, ICONS, OperationType, TypeField, type_fields},
};
use crate::{
    audit,
    campaigns::is_sensitive,
    configuration::Administer,
    db::{Read, Tx},
    web::{
        Again, Conflict, Form, Page, Redirect, Result, Shell,
        reconcile::{Clash, opened, reconcile},
    },
    workflows,
};
use askama::Template;
use axum::{
    extract::Path,
    response::{IntoResponse, Response},
};
use sqlx::PgConnection;
use uuid::Uuid;

const NAME_TAKEN: &str = "Un type porte déjà ce nom";

const FIELDS: [(&str, &str); 6] = [
    ("nom", "Nom"),
    ("description", "Description"),
    ("icone", "Icône"),
    ("couleur", "Couleur"),
    ("duree", "Durée"),
    ("workflow", "Workflow"),
];

#[derive(Template)]
#[template(path = "operation_types/show.html")]
pub struct TypePage {
    shell: Shell,
    /// Absent for a new one.
    kind: Option<OperationType>,
    fields: Vec<TypeField>,
    workflows: Vec<(String, String)>,
    form: Form,
    clashes: Vec<Clash>,
    clash_by: String,
}

impl TypePage {
    fn new(shell: Shell, workflows: Vec<(String, String)>, form: Form) -> Self {
        let shell = shell
            .under("Administration", "/administration")
            .under("Types d’opération", "/administration/types");
        Self {
            shell,
            kind: None,
            fields: Vec::new(),
            workflows,
            form,
            clashes: Vec::new(),
            clash_by: String::new(),
        }
    }

    async fn of(
        conn: &mut PgConnection,
        shell: Shell,
        kind: OperationType,
        form: Form,
    ) -> Result<Self> {
        let fields = type_fields(conn, kind.id).await?;
        let workflows = offered(conn, kind.workflow_id).await?;
        Ok(Self { kind: Some(kind), fields, ..Self::new(shell, workflows, form) })
    }

    fn action(&self) -> String {
        self.kind.as_ref().map_or_else(|| "/administration/types".into(), OperationType::path)
    }

    fn icons(&self) -> &'static [(&'static str, &'static str)] {
        &ICONS
    }

    fn colors(&self) -> &'static [(&'static str, &'static str, &'static str)] {
        &COLORS
    }

    /// Labels that RG-162 warns about.
    fn sensitive(&self) -> Vec<&str> {
        self.fields.iter().map(|f| f.label.as_str()).filter(|label| is_sensitive(label)).collect()
    }
}

/// The workflows of the select: (id, name); the type's own one even when it is no longer offered.
async fn offered(conn: &mut PgConnection, own: Uuid) -> Result<Vec<(String, String)>> {
    Ok(workflows::offered(conn, Some(own)).await?)
}

pub async fn new_page(mut read: Read) -> Result<Page<TypePage>> {
    let workflows = workflows::offered(read.conn(), None).await?;
    let standard = workflows.iter().find(|(_, name)| name == "Standard").map(|(id, _)| id.clone());
    let form = Form::filled([
        ("icone", ICONS[0].0.to_owned()),
        ("couleur", COLORS[0].0.to_owned()),
        ("duree", "60".to_owned()),
        ("workflow", standard.unwrap_or_default()),
    ]);
    Ok(Page(TypePage::new(read.shell("Nouveau type"), workflows, form)))
}

pub async fn create(mut tx: Tx, mut form: Form) -> Result<Response> {
    let may = Administer::of(&tx)?;
    let workflows = workflows::offered(tx.conn(), None).await?;
    let created = match Information::parse(&mut form, &workflows) {
        Some(new) => commands::create(&mut tx, &may, &new).await?,
        None => None,
    };
    let Some(id) = created else {
        if form.is_valid() {
            form.refuse("nom", NAME_TAKEN);
        }
        let page = TypePage::new(tx.shell("Nouveau type"), workflows, form);
        return Ok(Again(page).into_response());
    };
    tx.commit().await?;
    Ok(Redirect::to(format!("/administration/types/{id}"))
        .flash("Type créé. Il est proposé dans l’assistant ; adaptez ses champs.")
        .into_response())
}

pub async fn page(mut read: Read, Path(id): Path<Uuid>) -> Result<Page<TypePage>> {
    let kind = OperationType::find(read.conn(), id).await?;
    let form = opened(FIELDS.map(|(name, _)| (name, shown(&kind, name))));
    let shell = read.shell(&kind.name);
    Ok(Page(TypePage::of(read.conn(), shell, kind, form).await?))
}

fn shown(kind: &OperationType, name: &str) -> String {
    match name {
        "nom" => kind.name.clone(),
        "description" => kind.description.clone(),
        "icone" => kind.icon.clone(),
        "couleur" => kind.color.clone(),
        "duree" => kind.minutes.to_string(),
        _ => kind.workflow_id.to_string(),
    }
}

pub async fn update(mut tx: Tx, Path(id): Path<Uuid>, mut form: Form) -> Result<Response> {
    let may = Administer::of(&tx)?;
    super::field_commands::lock(&mut tx, id).await?;
    let kind = OperationType::find(tx.conn(), id).await?;
    let (shell, path) = (tx.shell(&kind.name), kind.path());
    let workflows = offered(tx.conn(), kind.workflow_id).await?;
    let clashes = reconcile(&mut form, &FIELDS, |name| shown(&kind, name));
    if !clashes.is_empty() {
        let clashes = clashes.into_iter().map(|clash| said(clash, &workflows)).collect();
        let clash_by = audit::last_editor(tx.conn(), "type", id, "ce type").await?;
        let page = TypePage::of(tx.conn(), shell, kind, form).await?;
        return Ok(Conflict(TypePage { clashes, clash_by, ..page }).into_response());
    }
    let saved = match Information::parse(&mut form, &workflows) {
        Some(new) => commands::edit(&mut tx, &may, &kind, &new).await?,
        None => None,
    };
    let Some(changed) = saved else {
        if form.is_valid() {
            form.refuse("nom", NAME_TAKEN);
        }
        let page = TypePage::of(tx.conn(), shell, kind, form).await?;
        return Ok(Again(page).into_response());
    };
    tx.commit_quietly("traced when something changed").await?;
    let flash = if changed { "Type enregistré." } else { "Aucune modification." };
    Ok(Redirect::to(path).flash(flash).into_response())
}

/// Codes in words, in the conflict box.
fn said(clash: Clash, workflows: &[(String, String)]) -> Clash {
    let name = |list: &[(&str, &str)], code: &str| {
        list.iter().find(|(known, _)| *known == code).map_or("", |(_, name)| name).to_owned()
    };
    match clash.name.as_str() {
        "icone" => clash.said(|code| name(&ICONS, code)),
        "couleur" => clash.said(|code| name(&COLORS.map(|(code, name, _)| (code, name)), code)),
        "workflow" => clash.said(|id| {
            workflows
                .iter()
                .find(|(known, _)| known == id)
                .map_or_else(String::new, |w| w.1.clone())
        }),
        _ => clash,
    }
}

pub async fn duplicate(mut tx: Tx, Path(id): Path<Uuid>) -> Result<Redirect> {
    let may = Administer::of(&tx)?;
    let kind = OperationType::find(tx.conn(), id).await?;
    let copy = commands::duplicate(&mut tx, &may, &kind).await?;
    tx.commit().await?;
    Ok(Redirect::to(format!("/administration/types/{copy}"))
        .flash(format!("Copie de « {} », avec ses champs.", kind.name)))
}

pub async fn activate(mut tx: Tx, Path(id): Path<Uuid>, form: Form) -> Result<Redirect> {
    let may = Administer::of(&tx)?;
    let kind = OperationType::find(tx.conn(), id).await?;
    let active = form.checked("actif");
    commands::set_active(&mut tx, &may, &kind, active).await?;
    tx.commit().await?;
    let flash = if active {
        "Type proposé aux nouvelles campagnes."
    } else {
        "Type désactivé : les nouvelles campagnes ne le proposent plus, les autres continuent."
    };
    Ok(Redirect::to(kind.path()).flash(flash))
}

#[derive(Template)]
#[template(path = "operation_types/deletion.html")]
pub struct DeletionPage {
    shell: Shell,
    kind: OperationType,
    refusal: Option<String>,
}

pub async fn delete_page(mut read: Read, Path(id): Path<Uuid>) -> Result<Page<DeletionPage>> {
    let kind = OperationType::find(read.conn(), id).await?;
    let shell = read
        .shell("Supprimer un type")
        .under("Administration", "/administration")
        .under("Types d’opération", "/administration/types")
        .under(&kind.name, kind.path());
    let refusal = (kind.campaigns > 0).then(|| used_by(kind.campaigns));
    Ok(Page(DeletionPage { shell, kind, refusal }))
}

pub async fn delete(mut tx: Tx, Path(id): Path<Uuid>) -> Result<Redirect> {
    let may = Administer::of(&tx)?;
    super::field_commands::lock(&mut tx, id).await?;
    let kind = OperationType::find(tx.conn(), id).await?;
    commands::delete(&mut tx, &may, &kind).await?;
    tx.commit().await?;
    Ok(Redirect::to("/administration/types").flash(format!("« {} » supprimé.", kind.name)))
}
