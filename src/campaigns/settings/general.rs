// SPDX-License-Identifier: EUPL-1.2
//! « Général »: every setting of a campaign after its creation (US-215), two editors reconciled (RG-180).
use super::{FINISH_LEVELS, section};
use crate::{
    accounts::User,
    campaigns::{
        Campaign, Configure,
        commands::{self, NAME_TAKEN},
        general::{self, General},
        status,
        wizard::configuration::{default_time, finish_level},
    },
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

const FIELDS: [(&str, &str); 11] = [
    ("nom", "Nom"),
    ("description", "Description"),
    ("debut", "Début"),
    ("fin", "Fin"),
    ("heure", "Heure par défaut"),
    ("niveau", "Terminer avec des étapes non cochées"),
    ("temps", "Saisie du temps passé"),
    ("verrou", "Verrouillage des rendez-vous"),
    ("rappel", "Rappel aux agents"),
    ("contact", "Contact"),
    ("texte", "Texte pour les agents"),
];

#[derive(Template)]
#[template(path = "campaigns/settings/general.html")]
pub struct GeneralPage {
    shell: Shell,
    campaign: Allowed<Configure, Campaign>,
    form: Form,
    clashes: Vec<Clash>,
    clash_by: String,
}

impl GeneralPage {
    fn new(shell: Shell, user: &User, campaign: Allowed<Configure, Campaign>, form: Form) -> Self {
        let shell = section(shell, &campaign, user, "parametres/general");
        Self { shell, campaign, form, clashes: Vec::new(), clash_by: String::new() }
    }
}

pub async fn page(mut read: Read, Path(id): Path<Id<Campaign>>) -> Result<Page<GeneralPage>> {
    let campaign = read.authorize(Configure, id).await?;
    let general = general::general(read.conn(), id).await?;
    let form = opened(FIELDS.map(|(name, _)| (name, shown(&general, name))));
    Ok(Page(GeneralPage::new(read.shell("Général"), read.user(), campaign, form)))
}

pub async fn update(mut tx: Tx, Path(id): Path<Id<Campaign>>, mut form: Form) -> Result<Response> {
    status::lock(&mut tx, id).await?;
    let campaign = tx.authorize_to_change(Configure, id).await?;
    let stored = general::general(tx.conn(), id).await?;
    let (shell, user) = (tx.shell("Général"), tx.user()?.clone());
    let clashes = reconcile(&mut form, &FIELDS, |name| shown(&stored, name));
    if !clashes.is_empty() {
        let clashes = clashes.into_iter().map(said).collect();
        let clash_by = last_editor(&mut tx, id).await?;
        return Ok(Conflict(GeneralPage {
            clashes,
            clash_by,
            ..GeneralPage::new(shell, &user, campaign, form)
        })
        .into_response());
    }
    let saved = match parse(&mut form) {
        Some(new) => general::set_general(&mut tx, &campaign, &stored, &new).await?,
        None => None,
    };
    let Some(changed) = saved else {
        if form.is_valid() {
            form.refuse("nom", NAME_TAKEN);
        }
        return Ok(Again(GeneralPage::new(shell, &user, campaign, form)).into_response());
    };
    let back = Redirect::to(campaign.path("parametres/general"));
    if !changed {
        return Ok(back.flash("Aucune modification.").into_response());
    }
    tx.commit().await?;
    Ok(back.flash("Paramètres enregistrés.").into_response())
}

/// A stored setting as its field shows it.
fn shown(general: &General, name: &str) -> String {
    match name {
        "nom" => general.name.clone(),
        "description" => general.description.clone(),
        "debut" => format::short(general.start_date),
        "fin" => format::short(general.end_date),
        "heure" => general.default_time.format("%H:%M").to_string(),
        "niveau" => general.finish_level.clone(),
        "temps" => if general.time_tracking { "oui" } else { "" }.into(),
        "verrou" => general.lock_days.to_string(),
        "rappel" => general.reminder_days.to_string(),
        "contact" => general.contact.clone(),
        _ => general.agent_text.clone(),
    }
}

/// A level and a tick in words, in the conflict box.
fn said(clash: Clash) -> Clash {
    match clash.name.as_str() {
        "niveau" => clash.said(|code| {
            FINISH_LEVELS
                .iter()
                .find(|level| level.0 == code)
                .map_or_else(String::new, |level| level.1.into())
        }),
        "temps" => clash.said(|code| if code.is_empty() { "Non" } else { "Oui" }.into()),
        _ => clash,
    }
}

fn parse(form: &mut Form) -> Option<General> {
    let name = form.required("nom");
    if !name.is_empty() && !(3..=255).contains(&name.chars().count()) {
        form.refuse("nom", "Le nom doit compter de 3 à 255 caractères");
    }
    let (start, end) = commands::period(form);
    let (default_time, finish_level) = (default_time(form), finish_level(form));
    let (lock_days, reminder_days) = (days(form, "verrou"), days(form, "rappel"));
    for (field, max) in [("description", 2_000), ("contact", 320), ("texte", 2_000)] {
        if form.text(field).chars().count() > max {
            form.refuse(
                field,
                format!("Texte trop long ({} caractères au plus)", crate::text::number(max)),
            );
        }
    }
    let general = General {
        name,
        description: form.text("description"),
        start_date: start?,
        end_date: end?,
        default_time: default_time?,
        finish_level: finish_level?,
        time_tracking: form.checked("temps"),
        lock_days: lock_days?,
        reminder_days: reminder_days?,
        contact: form.text("contact"),
        agent_text: form.text("texte"),
    };
    form.is_valid().then_some(general)
}

/// A number of days, 0 to 30.
fn days(form: &mut Form, name: &str) -> Option<i32> {
    let text = form.required(name);
    let days = text.parse().ok().filter(|days| (0..=30).contains(days));
    if days.is_none() && !text.is_empty() {
        form.refuse(name, "Indiquez un nombre de jours de 0 à 30");
    }
    days
}

/// « Karim BENALI a modifié cette campagne le … »
async fn last_editor(tx: &mut Tx, id: Id<Campaign>) -> Result<String> {
    let row = sqlx::query!(
        r#"select c.updated_at, u.first_name as "first_name?", u.last_name as "last_name?" from campaigns c left join users u on u.id = c.updated_by
           where c.id = $1"#,
        id as _
    )
    .fetch_one(tx.conn())
    .await?;
    let who = match (row.first_name, row.last_name) {
        (Some(first), Some(last)) => crate::accounts::display_name(&first, &last),
        _ => "Quelqu’un".into(),
    };
    Ok(format!("{who} a modifié cette campagne le {}", format::instant(row.updated_at)))
}
