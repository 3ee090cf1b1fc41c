// SPDX-License-Identifier: EUPL-1.2
//! « Enregistrer cette vue »: the list as it is shown now, under a name.
use super::{
    index::shell,
    model::{self, NewView, writable},
};
use crate::{
    accounts::{Role, User},
    campaigns::{self, Campaign, View},
    dashboard,
    db::{Id, Read, Tx},
    operations::list::{Address, Display, Filter, Tag},
    web::{Again, Form, Page, Redirect, Result, Shell, auth::Allowed},
};
use askama::Template;
use axum::{
    extract::{Path, RawQuery},
    response::{IntoResponse, Response},
};

/// Longest address that is kept.
const QUERY: usize = 4_000;

/// (code, name, explanation)
pub const SCOPES: [(&str, &str, &str); 2] = [
    ("privee", "Vous seul", ""),
    ("partagee", "Toute la campagne", "Chacun n’y voit que ce que ses droits permettent"),
];

#[derive(Template)]
#[template(path = "operations/views/new.html")]
pub struct New {
    shell: Shell,
    campaign: Allowed<View, Campaign>,
    /// The filters in use, in words.
    tags: Vec<Tag>,
    mode: &'static str,
    /// Whoever only reads saves views for themselves (RG-003).
    may_share: bool,
    address: Address,
    form: Form,
}

fn may_share(user: &User) -> bool {
    !user.roles.only(Role::Reader)
}

impl New {
    fn back(&self) -> String {
        self.address.url(&self.campaign.path("operations"))
    }
}

pub async fn page(
    mut read: Read,
    Path(id): Path<Id<Campaign>>,
    RawQuery(query): RawQuery,
) -> Result<Page<New>> {
    let campaign = read.authorize(View, id).await?;
    let mut query = Form::parse(query.unwrap_or_default().as_bytes());
    let figures = dashboard::figures(&mut read, id).await?;
    let (conn, user) = read.split();
    let fields = campaigns::fields(conn, id).await?;
    let display = Display::of(conn, user, id, &fields, &query).await?;
    let address = Address::of(&query);
    let tags = Filter::of(&mut query, &figures, &fields).tags(&query, &address, &figures);
    let shell = shell(read.shell("Enregistrer cette vue"), &campaign, read.user());
    let may_share = may_share(read.user());
    let form = Form::filled([("portee", "privee")]);
    Ok(Page(New { shell, campaign, tags, mode: display.mode.label(), may_share, address, form }))
}

pub async fn create(mut tx: Tx, Path(id): Path<Id<Campaign>>, mut form: Form) -> Result<Response> {
    let campaign = tx.authorize(View, id).await?;
    writable(&campaign)?;
    let user = tx.user()?.clone();
    let fields = campaigns::fields(tx.conn(), id).await?;
    let display = Display::of(tx.conn(), &user, id, &fields, &form).await?;
    let address = Address::of(&form);
    let name = form.required("nom");
    if !name.is_empty() && !(2..=100).contains(&name.chars().count()) {
        form.refuse("nom", "Le nom d’une vue doit compter de 2 à 100 caractères");
    }
    let new = NewView {
        name,
        shared: may_share(&user) && form.raw("portee") == "partagee",
        query: address.without("vue").query(),
        columns: display.columns,
        mode: display.mode,
    };
    if new.query.len() > QUERY {
        form.refuse("nom", "Cette vue a trop de filtres pour être enregistrée");
    }
    if form.is_valid() {
        match model::create(&mut tx, &campaign, &new).await? {
            Ok(view) => {
                let view = model::find(tx.conn(), id, &user, view).await?;
                tx.commit().await?;
                return Ok(Redirect::to(view.url(&campaign))
                    .flash(format!("Vue « {} » enregistrée.", new.name))
                    .into_response());
            }
            Err(why) => form.refuse("nom", why),
        }
    }
    let app = tx.app().clone();
    let figures = dashboard::shared(&app, tx.conn(), id, false).await?;
    let tags = Filter::of(&mut form.clone(), &figures, &fields).tags(&form, &address, &figures);
    let shell = shell(tx.shell("Enregistrer cette vue"), &campaign, &user);
    let (mode, may_share) = (new.mode.label(), may_share(&user));
    Ok(Again(New { shell, campaign, tags, mode, may_share, address, form }).into_response())
}
