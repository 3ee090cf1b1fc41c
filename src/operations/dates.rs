// SPDX-License-Identifier: EUPL-1.2
//! A planned date typed by a person: day, hour, and a question when it is far from the campaign (RG-027).
use crate::{
    campaigns::Campaign,
    clock,
    web::{Form, format},
};
use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};

/// Reads `date` (jj/mm/aaaa) and `heure`; `None` when nothing was typed, or when it is refused:
/// ask the form. Without an hour, the campaign's default hour.
pub fn typed(form: &mut Form, campaign: &Campaign) -> Option<DateTime<Utc>> {
    let text = form.text("date");
    if text.is_empty() {
        if form.given("heure").is_some() {
            form.refuse("date", "Indiquez la date prévue (jj/mm/aaaa).");
        }
        return None;
    }
    let date = form.date("date")?;
    let time = match form.given("heure") {
        None => campaign.default_time,
        Some(text) => match format::parse_time(&text) {
            Some(time) => time,
            None => {
                form.refuse("heure", format!("Heure invalide « {text} »"));
                return None;
            }
        },
    };
    if is_far(date, campaign) && !form.checked("confirmer") {
        form.refuse("date", "Cette date est à plus d’un an de la période de la campagne. Confirmez-la ou corrigez-la.");
        form.set("a-confirmer", "oui");
        return None;
    }
    let at = clock::instant(date, time);
    if at.is_none() {
        form.refuse("heure", "Cette heure n’existe pas ce jour-là : l’heure d’été commence.");
    }
    at
}

fn is_far(date: NaiveDate, campaign: &Campaign) -> bool {
    let year = Days::new(if date.year() % 4 == 0 { 366 } else { 365 });
    date < campaign.start_date - year || date > campaign.end_date + year
}

/// The two fields filled from what is stored.
pub fn filled(at: Option<DateTime<Utc>>) -> [(&'static str, String); 2] {
    let local = at.map(|at| at.with_timezone(&clock::ZONE));
    [
        ("date", local.map(|l| format::short(l.date_naive())).unwrap_or_default()),
        ("heure", local.map(|l| l.format("%H:%M").to_string()).unwrap_or_default()),
    ]
}
