// SPDX-License-Identifier: EUPL-1.2
//! Letting one operation start in spite of the gates of its scope, with a reason (US-907.3).
use super::gates::{self, Gate, blocking_operation, check_reason};
use crate::{
    campaigns::{Campaign, Configure},
    db::{Id, Read, Tx},
    operations::{Edit, Operation},
    web::{Again, Error, Form, Page, Redirect, Result, Shell, auth::Allowed},
};
use askama::Template;
use axum::{
    extract::Path,
    response::{IntoResponse, Response},
};

#[derive(Template)]
#[template(path = "prerequisites/pass.html")]
pub struct PassPage {
    shell: Shell,
    operation: Allowed<Edit, Operation>,
    gates: Vec<Gate>,
    form: Form,
}

impl PassPage {
    fn new(
        shell: Shell,
        operation: Allowed<Edit, Operation>,
        gates: Vec<Gate>,
        form: Form,
    ) -> Self {
        let campaign = &operation.campaign;
        let shell = shell
            .under("Campagnes", "/campagnes")
            .under(&campaign.name, campaign.url())
            .under("Opérations", campaign.path("operations"))
            .under(&operation.label, operation.url());
        Self { shell, operation, gates, form }
    }
}

fn of(
    operation: Allowed<Edit, Operation>,
    campaign: Id<Campaign>,
) -> Result<Allowed<Edit, Operation>> {
    if operation.campaign.id == campaign { Ok(operation) } else { Err(Error::NotFound) }
}

pub async fn page(
    mut read: Read,
    Path((id, op)): Path<(Id<Campaign>, Id<Operation>)>,
) -> Result<Page<PassPage>> {
    read.authorize(Configure, id).await?;
    let operation = of(read.authorize(Edit, op).await?, id)?;
    let gates = blocking_operation(read.conn(), &operation).await?;
    Ok(Page(PassPage::new(read.shell("Forcer le démarrage"), operation, gates, Form::default())))
}

pub async fn create(
    mut tx: Tx,
    Path((id, op)): Path<(Id<Campaign>, Id<Operation>)>,
    mut form: Form,
) -> Result<Response> {
    tx.authorize(Configure, id).await?;
    let operation = of(tx.authorize_to_change(Edit, op).await?, id)?;
    let reason = match check_reason(form.raw("motif")) {
        Ok(reason) => reason,
        Err(why) => {
            form.refuse("motif", why);
            let gates = blocking_operation(tx.conn(), &operation).await?;
            let shell = tx.shell("Forcer le démarrage");
            return Ok(Again(PassPage::new(shell, operation, gates, form)).into_response());
        }
    };
    gates::pass(&mut tx, &operation, &reason).await?;
    tx.commit().await?;
    Ok(Redirect::to(operation.url())
        .flash(format!("{} peut démarrer : forcé.", operation.label))
        .into_response())
}
