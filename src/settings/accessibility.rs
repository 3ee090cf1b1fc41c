// SPDX-License-Identifier: EUPL-1.2
//! The statement of accessibility (08 ): « non conforme » while no audit exists.
use crate::{
    app::App,
    web::{Page, Shell, auth::Visitor},
};
use askama::Template;
use axum::extract::State;

#[derive(Template)]
#[template(path = "settings/accessibility.html")]
struct Accessibility {
    shell: Shell,
    organisation: String,
    contact: String,
    address: String,
}

pub async fn page(State(app): State<App>, visitor: Visitor) -> Page<impl Template> {
    let settings = app.settings();
    let organisation = if settings.organisation.is_empty() {
        "L'organisme qui exploite cette instance".to_owned()
    } else {
        settings.organisation.clone()
    };
    Page(Accessibility {
        shell: Shell::new(&app, &visitor, "Accessibilité"),
        organisation,
        contact: settings.contact.clone(),
        address: app.config.public_url.clone(),
    })
}
