// SPDX-License-Identifier: EUPL-1.2
//! The preview of an archive, and the choices that write it.
use super::{
    Administer, apply,
    page::ADDRESS,
    plan::{CHOICES, Item, Plan},
    waiting::Waiting,
};
use crate::{
    db::{Read, Tx},
    text::count,
    web::{Again, Error, Form, Page, Redirect, Result, Shell, format},
};
use askama::Template;
use axum::{
    extract::Path,
    response::{IntoResponse, Response},
};
use uuid::Uuid;

#[derive(Template)]
#[template(path = "configuration/review.html")]
pub struct Review {
    shell: Shell,
    waiting: Waiting,
    plan: Plan,
    form: Form,
}

impl Review {
    fn new(shell: Shell, waiting: Waiting, plan: Plan, mut form: Form) -> Self {
        form.set("vu", plan.shown());
        let shell =
            shell.under("Administration", "/administration").under("Configuration", ADDRESS);
        Self { shell, waiting, plan, form }
    }

    /// The title of each group, and what it holds.
    fn groups(&self) -> [(&'static str, &[Item]); 2] {
        [("Workflows", &self.plan.workflows), ("Types d’opération", &self.plan.types)]
    }

    fn own(&self, item: &Item, value: &str) -> bool {
        self.form.raw(&format!("conflit-{}", item.key)) == value
    }

    fn choices(&self) -> Vec<(String, String, String)> {
        CHOICES.map(|(a, b, c)| (a.into(), b.into(), c.into())).into()
    }
}

pub async fn page(mut read: Read, Path(id): Path<Uuid>) -> Result<Page<Review>> {
    let (author, now) = (read.user().id, read.now());
    let waiting = Waiting::find(read.conn(), id, author, now).await?;
    let plan = Plan::of(read.conn(), &waiting.checked.content).await?;
    let form = Form::filled([("choix", "nouveaux")]);
    Ok(Page(Review::new(read.shell("Aperçu de l’archive"), waiting, plan, form)))
}

/// Writes what was chosen. Whatever was created meanwhile under a name of the archive comes back
/// to the preview: nothing is replaced that was not seen.
pub async fn confirm(mut tx: Tx, Path(id): Path<Uuid>, mut form: Form) -> Result<Response> {
    let may = Administer::of(&tx)?;
    apply::lock(&mut tx).await?;
    let waiting = Waiting::take(&mut tx, id).await?;
    let plan = Plan::of(tx.conn(), &waiting.checked.content).await?;
    let shell = tx.shell("Aperçu de l’archive");
    if form.raw("vu") != plan.shown() {
        form.refuse(
            "",
            "La configuration a changé depuis cet aperçu. Relisez les conflits, puis confirmez de nouveau.",
        );
    } else if !plan.conflicts().is_empty() && !CHOICES.iter().any(|c| c.0 == form.raw("choix")) {
        form.refuse("choix", "Choisissez que faire de ce qui existe déjà");
    }
    let done = if form.is_valid() {
        match apply::apply(&mut tx, &may, &waiting.checked.content, &plan, &form).await {
            Err(Error::Refused(why)) => {
                form.refuse("", why);
                None
            }
            other => Some(other?),
        }
    } else {
        None
    };
    // Dropped without a commit, the transaction leaves the archive waiting.
    let Some(outcome) = done else {
        return Ok(Again(Review::new(shell, waiting, plan, form)).into_response());
    };
    tx.record(outcome.entry(&waiting.file_name)).await?;
    tx.commit().await?;
    let said = format!(
        "Configuration importée : {}, {}, {}.",
        count(outcome.created, "élément créé", "éléments créés"),
        count(outcome.replaced, "remplacé", "remplacés"),
        count(outcome.kept, "laissé tel quel", "laissés tels quels"),
    );
    Ok(Redirect::to(ADDRESS).flash(said).into_response())
}

pub async fn abandon(mut tx: Tx, Path(id): Path<Uuid>) -> Result<Redirect> {
    Administer::of(&tx)?;
    Waiting::take(&mut tx, id).await?;
    tx.commit_quietly("nothing of the archive was ever applied").await?;
    Ok(Redirect::to(ADDRESS).flash("Import abandonné : rien n’a changé."))
}
