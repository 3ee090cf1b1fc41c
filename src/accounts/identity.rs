// SPDX-License-Identifier: EUPL-1.2
//! First name, last name, e-mail and roles as typed in a form.
use super::{Identity, Role, Roles};
use crate::web::Form;

const NAME: usize = 80;
const EMAIL: usize = 254;

/// First name, last name, e-mail in lower case.
pub fn read_person(form: &mut Form) -> (String, String, String) {
    let first = read_name(form, "prenom");
    let last = read_name(form, "nom");
    let email = form.required("email").to_lowercase();
    if !email.is_empty() && !is_email(&email) {
        form.refuse("email", "Adresse e-mail invalide (attendu : nom@domaine.fr)");
    }
    (first, last, email)
}

fn read_name(form: &mut Form, name: &str) -> String {
    let text = form.required(name).split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() > NAME {
        form.refuse(name, format!("{NAME} caractères au plus"));
    }
    text
}

pub fn is_email(text: &str) -> bool {
    text.len() <= EMAIL && text.parse::<lettre::Address>().is_ok()
}

pub fn read(form: &mut Form) -> Identity {
    let (first_name, last_name, email) = read_person(form);
    let roles: Roles = form.all("roles").filter_map(Role::from_code).collect();
    if roles.is_empty() {
        form.refuse("roles", "Choisissez au moins un rôle");
    }
    Identity { first_name, last_name, email, roles }
}

#[cfg(test)]
mod tests {
    use super::is_email;

    #[test]
    fn addresses() {
        for good in ["karim.benali@ops.test", "o'brien+x@mairie-saint-malo.fr", "dsi@intranet"] {
            assert!(is_email(good), "{good}");
        }
        for bad in
            ["karim", "karim@", "@ops.test", "a b@ops.test", "a@ops.test\r\nbcc: x@y.fr", "a@b@c"]
        {
            assert!(!is_email(bad), "{bad}");
        }
    }
}
