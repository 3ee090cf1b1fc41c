// SPDX-License-Identifier: EUPL-1.2
//! The two fields of a new password, wherever one is chosen, and the words that say its strength.
use super::password::{Context, Password, Rules, estimate};
use crate::{app::App, web::Form};
use axum::extract::State;

/// Reads « mot_de_passe » and « confirmation »; refuses beside the field.
pub fn read(form: &mut Form, context: &Context, rules: Rules) -> Option<Password> {
    let text = form.raw("mot_de_passe").to_owned();
    if text.is_empty() {
        form.refuse("mot_de_passe", "Ce champ est obligatoire");
        return None;
    }
    let password = match Password::new(&text, context, rules) {
        Ok(password) => Some(password),
        Err(weak) => {
            form.refuse("mot_de_passe", weak.to_string());
            None
        }
    };
    if text != form.raw("confirmation") {
        form.refuse("confirmation", "Les mots de passe ne correspondent pas");
        return None;
    }
    password
}

/// « Force : suffisante (57 sur 50) »
pub fn strength(text: &str, rules: Rules) -> String {
    if text.is_empty() {
        return String::new();
    }
    let bits = estimate(text);
    let word = match bits / rules.bits {
        ..0.5 => "très faible",
        0.5..1.0 => "faible",
        1.0..1.6 => "suffisante",
        _ => "élevée",
    };
    format!("Force : {word} ({} sur {})", bits.floor(), rules.bits)
}

/// Says the strength of what is being typed; nothing is kept.
pub async fn measure(State(app): State<App>, form: Form) -> String {
    strength(form.raw("mot_de_passe"), Rules::from(&*app.settings()))
}
