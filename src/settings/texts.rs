// SPDX-License-Identifier: EUPL-1.2
//! What the organisation adds to the legal pages.
use super::{save, section};
use crate::{
    db::{Read, Tx},
    web::{Again, Form, Page, Redirect, Result, Shell, auth::Visitor},
};
use askama::Template;
use axum::response::{IntoResponse, Response};

const HERE: &str = "/administration/parametres/textes";
const MAX: usize = 20_000;

#[derive(Template)]
#[template(path = "settings/texts.html")]
struct Texts {
    shell: Shell,
    form: Form,
}

pub async fn page(read: Read) -> Page<impl Template> {
    let settings = read.app().settings();
    let form = Form::filled([
        ("mentions", settings.legal_notice.clone()),
        ("donnees", settings.privacy_notice.clone()),
    ]);
    Page(Texts { shell: section(read.shell("Textes")), form })
}

pub async fn update(visitor: Visitor, mut tx: Tx, mut form: Form) -> Result<Response> {
    let app = tx.app().clone();
    let mut text = |name: &str| {
        let text = form.raw(name).replace("\r\n", "\n").trim().to_owned();
        if text.chars().count() > MAX {
            form.refuse(name, "20 000 caractères au plus");
        }
        text.chars().filter(|c| *c == '\n' || !c.is_control()).collect::<String>()
    };
    let (legal, privacy) = (text("mentions"), text("donnees"));
    if !form.is_valid() {
        let shell = section(Shell::new(&app, &visitor, "Textes"));
        return Ok(Again(Texts { shell, form }).into_response());
    }
    save(&mut tx, |settings| {
        settings.legal_notice = legal;
        settings.privacy_notice = privacy;
    })
    .await?;
    tx.commit().await?;
    app.reload_settings().await?;
    Ok(Redirect::to(HERE).flash("Textes enregistrés").into_response())
}
