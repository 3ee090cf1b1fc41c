// SPDX-License-Identifier: EUPL-1.2
//! A technician's note on his own intervention (US-410).
use super::show::again;
use crate::{
    db::{Id, Tx},
    operations::{Act, Operation, WorkOnSite, add_note},
    web::{Again, Error, Form, Redirect, Result},
};
use axum::{
    extract::Path,
    response::{IntoResponse, Response},
};

pub async fn create(mut tx: Tx, Path(id): Path<Id<Operation>>, mut form: Form) -> Result<Response> {
    tx.authorize(WorkOnSite, id).await?;
    let operation = tx.authorize(Act, id).await?;
    match add_note(&mut tx, &operation, form.raw("note")).await {
        Ok(()) => {
            tx.commit().await?;
            Ok(Redirect::to(operation.onsite_url()).flash("Note enregistrée").into_response())
        }
        Err(Error::Refused(why)) => {
            form.refuse("note", why);
            Ok(Again(again(&mut tx, id, form, None).await?).into_response())
        }
        Err(err) => Err(err),
    }
}
