// SPDX-License-Identifier: EUPL-1.2
//! « Différences » of a re-import (US-217): conflicts, changes, what was kept or is empty, rows that
//! the file no longer names or that are in the bin; each with what a person decides. Every button
//! writes its choice at once; nothing reaches the campaign before « Importer ».
mod choose;
mod found;
mod page;
mod view;

pub use self::{choose::choose, page::page};

use crate::web::Form;
use view::View;

/// The address of a page of a view, with its filters.
fn query(view: View, form: &Form, after: &str) -> String {
    let mut out = form_urlencoded::Serializer::new(String::new());
    out.append_pair("vue", view.code());
    for name in ["colonne", "texte"] {
        if let Some(value) = form.given(name) {
            out.append_pair(name, &value);
        }
    }
    if !after.is_empty() {
        out.append_pair("apres", after);
    }
    out.finish()
}
