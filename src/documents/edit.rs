// SPDX-License-Identifier: EUPL-1.2
//! Renaming a document and describing it (RG-180).
use super::{
    commands,
    model::{self, Declared, Document, lock},
    under_list,
};
use crate::{
    accounts::{self, User},
    campaigns::{Campaign, Configure},
    db::{Id, Read, Tx},
    web::{
        Again, Conflict, Form, Page, Redirect, Result, Shell,
        auth::Allowed,
        format,
        reconcile::{Clash, opened, reconcile},
    },
};
use askama::Template;
use axum::{
    extract::Path,
    response::{IntoResponse, Response},
};

const FIELDS: [(&str, &str); 2] = [("nom", "Nom"), ("description", "Description")];

#[derive(Template)]
#[template(path = "documents/edit.html")]
pub struct Edit {
    shell: Shell,
    campaign: Allowed<Configure, Campaign>,
    document: Document,
    form: Form,
    clashes: Vec<Clash>,
    clash_by: String,
}

impl Edit {
    fn new(
        shell: Shell,
        user: &User,
        campaign: Allowed<Configure, Campaign>,
        document: Document,
        form: Form,
    ) -> Self {
        let shell = under_list(shell, &campaign, user)
            .under(&document.name, campaign.path(&format!("documents/{}", document.id)));
        Self { shell, campaign, document, form, clashes: Vec::new(), clash_by: String::new() }
    }

    fn url(&self) -> String {
        self.campaign.path(&format!("documents/{}", self.document.id))
    }
}

fn shown(document: &Document, name: &str) -> String {
    if name == "nom" { document.name.clone() } else { document.description.clone() }
}

pub async fn page(
    mut read: Read,
    Path((id, document)): Path<(Id<Campaign>, Id<Document>)>,
) -> Result<Page<Edit>> {
    let campaign = read.authorize(Configure, id).await?;
    let document = model::find(read.conn(), id, document).await?;
    let form = opened(FIELDS.map(|(name, _)| (name, shown(&document, name))));
    Ok(Page(Edit::new(read.shell("Modifier"), read.user(), campaign, document, form)))
}

pub async fn update(
    mut tx: Tx,
    Path((id, document)): Path<(Id<Campaign>, Id<Document>)>,
    mut form: Form,
) -> Result<Response> {
    let campaign = tx.authorize(Configure, id).await?;
    let stored = lock(&mut tx, &campaign, document).await?;
    let (shell, user) = (tx.shell("Modifier"), tx.user()?.clone());
    let clashes = reconcile(&mut form, &FIELDS, |name| shown(&stored, name));
    if !clashes.is_empty() {
        let clash_by = last_editor(&mut tx, document).await?;
        let page = Edit::new(shell, &user, campaign, stored, form);
        return Ok(Conflict(Edit { clashes, clash_by, ..page }).into_response());
    }
    let Some(new) = Declared::parse(&mut form, None) else {
        return Ok(Again(Edit::new(shell, &user, campaign, stored, form)).into_response());
    };
    let back = Redirect::to(campaign.path(&format!("documents/{document}")));
    if !commands::edit(&mut tx, &campaign, &stored, &new).await? {
        return Ok(back.flash("Aucune modification.").into_response());
    }
    tx.commit().await?;
    Ok(back.flash(format!("« {} » enregistré.", new.name)).into_response())
}

/// Not the last line of its history: a download is in it too.
async fn last_editor(tx: &mut Tx, id: Id<Document>) -> Result<String> {
    let last = sqlx::query!(
        r#"select d.updated_at, u.first_name as "first?", u.last_name as "last?"
           from documents d left join users u on u.id = d.updated_by where d.id = $1"#,
        id as _
    )
    .fetch_one(tx.conn())
    .await?;
    let at = format::instant(last.updated_at);
    Ok(match last.first.zip(last.last) {
        Some((first, last)) => {
            format!("{} a modifié ce document le {at}", accounts::display_name(&first, &last))
        }
        None => format!("Ce document a été modifié le {at}"),
    })
}
