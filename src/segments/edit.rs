// SPDX-License-Identifier: EUPL-1.2
//! Creating a segment, renaming and recolouring it; two editors reconciled (RG-180).
use super::under_list;
use crate::{
    accounts::User,
    audit,
    campaigns::{
        COLORS, Campaign, Configure, SEGMENT_NAME_TAKEN, Saved, Segment, Wanted,
        check_segment_name, create_segment, edit_segment, lock_segment, segments,
    },
    db::{Id, Read, Tx},
    text::norm,
    web::{
        Again, Conflict, Error, Form, Page, Redirect, Result, Shell,
        auth::Allowed,
        reconcile::{Clash, opened, reconcile},
    },
};
use askama::Template;
use axum::{
    extract::Path,
    response::{IntoResponse, Response},
};
use sqlx::PgConnection;

const FIELDS: [(&str, &str); 2] = [("nom", "Nom"), ("couleur", "Couleur")];

#[derive(Template)]
#[template(path = "segments/edit.html")]
pub struct Edit {
    shell: Shell,
    campaign: Allowed<Configure, Campaign>,
    /// Absent for a new one.
    segment: Option<Segment>,
    form: Form,
    clashes: Vec<Clash>,
    clash_by: String,
}

impl Edit {
    fn new(
        shell: Shell,
        user: &User,
        campaign: Allowed<Configure, Campaign>,
        segment: Option<Segment>,
        form: Form,
    ) -> Self {
        let mut shell = under_list(shell, &campaign, user);
        if let Some(segment) = &segment {
            shell = shell.under(&segment.name, campaign.path(&format!("segments/{}", segment.id)));
        }
        Self { shell, campaign, segment, form, clashes: Vec::new(), clash_by: String::new() }
    }

    fn action(&self) -> String {
        match &self.segment {
            None => self.campaign.path("segments/nouveau"),
            Some(segment) => self.campaign.path(&format!("segments/{}/modifier", segment.id)),
        }
    }
}

pub async fn new_page(mut read: Read, Path(id): Path<Id<Campaign>>) -> Result<Page<Edit>> {
    let campaign = read.authorize(Configure, id).await?;
    let shell = read.shell("Nouveau segment");
    Ok(Page(Edit::new(shell, read.user(), campaign, None, Form::default())))
}

pub async fn create(mut tx: Tx, Path(id): Path<Id<Campaign>>, mut form: Form) -> Result<Response> {
    let campaign = tx.authorize(Configure, id).await?;
    if let Some(new) = parse(&mut form, None) {
        if create_segment(&mut tx, &campaign, &new).await?.is_some() {
            tx.commit().await?;
            return Ok(Redirect::to(campaign.path("segments"))
                .flash(format!("Segment « {} » créé.", new.name))
                .into_response());
        }
        form.refuse("nom", SEGMENT_NAME_TAKEN);
    }
    let (shell, user) = (tx.shell("Nouveau segment"), tx.user()?.clone());
    Ok(Again(Edit::new(shell, &user, campaign, None, form)).into_response())
}

/// A segment of this campaign.
pub(super) async fn find(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
    id: Id<Segment>,
) -> Result<Segment> {
    segments(conn, campaign).await?.into_iter().find(|s| s.id == id).ok_or(Error::NotFound)
}

pub async fn page(
    mut read: Read,
    Path((id, segment)): Path<(Id<Campaign>, Id<Segment>)>,
) -> Result<Page<Edit>> {
    let campaign = read.authorize(Configure, id).await?;
    let segment = find(read.conn(), id, segment).await?;
    let form = opened(FIELDS.map(|(name, _)| (name, shown(&segment, name))));
    let shell = read.shell("Modifier");
    Ok(Page(Edit::new(shell, read.user(), campaign, Some(segment), form)))
}

pub async fn update(
    mut tx: Tx,
    Path((id, segment)): Path<(Id<Campaign>, Id<Segment>)>,
    mut form: Form,
) -> Result<Response> {
    let campaign = tx.authorize(Configure, id).await?;
    let stored = lock_segment(&mut tx, &campaign, segment).await?;
    let (shell, user) = (tx.shell("Modifier"), tx.user()?.clone());
    let clashes = reconcile(&mut form, &FIELDS, |name| shown(&stored, name));
    if !clashes.is_empty() {
        let clashes = clashes.into_iter().map(said).collect();
        let clash_by =
            audit::last_editor(tx.conn(), "segment", segment.uuid(), "ce segment").await?;
        let page = Edit::new(shell, &user, campaign, Some(stored), form);
        return Ok(Conflict(Edit { clashes, clash_by, ..page }).into_response());
    }
    if let Some(new) = parse(&mut form, Some(&stored)) {
        let back = Redirect::to(campaign.path("segments"));
        match edit_segment(&mut tx, &campaign, &stored, &new).await? {
            Saved::Done => {
                tx.commit().await?;
                return Ok(back.flash(format!("« {} » enregistré.", new.name)).into_response());
            }
            Saved::Unchanged => return Ok(back.flash("Aucune modification.").into_response()),
            Saved::NameTaken => form.refuse("nom", SEGMENT_NAME_TAKEN),
        }
    }
    Ok(Again(Edit::new(shell, &user, campaign, Some(stored), form)).into_response())
}

fn shown(segment: &Segment, name: &str) -> String {
    match name {
        "nom" => segment.name.clone(),
        _ => segment.color.clone().unwrap_or_default(),
    }
}

/// A colour by its name, in the conflict box.
fn said(clash: Clash) -> Clash {
    match clash.name.as_str() {
        "couleur" => clash.said(|code| {
            COLORS.iter().find(|color| color.0 == code).map_or_else(String::new, |c| c.1.into())
        }),
        _ => clash,
    }
}

/// The name that data gave (« 0 ») may stay.
fn parse(form: &mut Form, stored: Option<&Segment>) -> Option<Wanted> {
    let typed = form.required("nom");
    let kept = stored.filter(|s| s.name == typed || norm(&s.name) == norm(&typed));
    let name = match (kept, check_segment_name(&typed)) {
        (_, Ok(name)) => Some(name),
        (Some(_), Err(_)) => Some(typed),
        (None, Err(why)) => {
            if !typed.is_empty() {
                form.refuse("nom", why);
            }
            None
        }
    };
    let color = form.given("couleur");
    let known = color.as_deref().is_none_or(|code| COLORS.iter().any(|c| c.0 == code));
    if !known {
        form.refuse("couleur", "Choisissez une couleur de la liste");
    }
    form.is_valid().then_some(Wanted { name: name?, color })
}
