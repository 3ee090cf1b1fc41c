// SPDX-License-Identifier: EUPL-1.2
//! A form: what was typed, and what is wrong with it. It comes back filled (422, RG-085).
use crate::text::clean;
use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
};

/// Ordered pairs as the browser sent them, and the errors by field.
#[derive(Clone, Debug, Default)]
pub struct Form {
    pairs: Vec<(String, String)>,
    errors: Vec<FieldError>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// Name of the field; empty for the form as a whole.
    pub field: String,
    pub message: String,
}

impl Form {
    /// A form filled from what exists.
    pub fn filled<K: Into<String>, V: Into<String>>(
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        Self {
            pairs: pairs.into_iter().map(|(k, v)| (k.into(), v.into())).collect(),
            errors: Vec::new(),
        }
    }

    pub fn parse(body: &[u8]) -> Self {
        Self::filled(form_urlencoded::parse(body).map(|(k, v)| (k.into_owned(), v.into_owned())))
    }

    /// What was typed, as it was; empty when absent. For redisplay and for passwords.
    pub fn raw(&self, name: &str) -> &str {
        self.pairs.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// What was typed, cleaned: NFC, trimmed, no control character.
    pub fn text(&self, name: &str) -> String {
        clean(self.raw(name))
    }

    pub fn given(&self, name: &str) -> Option<String> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    /// Every value of a repeated field.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn has(&self, name: &str, value: &str) -> bool {
        self.all(name).any(|v| v == value)
    }

    pub fn checked(&self, name: &str) -> bool {
        self.pairs.iter().any(|(key, value)| key == name && !value.is_empty())
    }

    pub fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }

    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.pairs.retain(|(key, _)| key != name);
        self.pairs.push((name.to_owned(), value.into()));
    }

    /// A field that must not be empty.
    pub fn required(&mut self, name: &str) -> String {
        let text = self.text(name);
        if text.is_empty() {
            self.refuse(name, "Ce champ est obligatoire");
        }
        text
    }

    /// A mandatory date, `jj/mm/aaaa`.
    pub fn date(&mut self, name: &str) -> Option<chrono::NaiveDate> {
        let text = self.required(name);
        let date = super::format::parse_date(&text);
        if date.is_none() && !text.is_empty() {
            self.refuse(
                name,
                format!("Date invalide «\u{a0}{text}\u{a0}» (attendu\u{a0}: jj/mm/aaaa)"),
            );
        }
        date
    }

    pub fn refuse(&mut self, field: &str, message: impl Into<String>) {
        self.errors.push(FieldError { field: field.to_owned(), message: message.into() });
    }

    pub fn is_valid(&self) -> bool {
        self.errors.is_empty()
    }

    pub fn errors(&self) -> &[FieldError] {
        &self.errors
    }

    pub fn error(&self, field: &str) -> Option<&str> {
        self.errors.iter().find(|e| e.field == field).map(|e| e.message.as_str())
    }
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = axum::extract::rejection::BytesRejection;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::parse(&Bytes::from_request(request, state).await?))
    }
}

#[cfg(test)]
mod tests {
    use super::Form;

    #[test]
    fn keeps_what_was_typed() {
        let mut form = Form::parse(b"nom=%C3%89tage++2+&roles=a&roles=b&vide=");
        assert_eq!(form.raw("nom"), "Étage  2 ");
        assert_eq!(form.text("nom"), "Étage  2");
        assert!(form.has("roles", "b") && !form.checked("vide"));
        assert_eq!(form.required("vide"), "");
        assert_eq!(form.error("vide"), Some("Ce champ est obligatoire"));
        assert_eq!(form.raw("nom"), "Étage  2 ");
    }
}
