// SPDX-License-Identifier: EUPL-1.2
//! The address of a list as ordered pairs: filters live there, so reload, share and back keep them.
use crate::web::Form;

/// What the address says beside the cursor.
const KEPT: [&str; 12] = [
    "q",
    "statut",
    "categorie",
    "segment",
    "technicien",
    "du",
    "au",
    "tri",
    "sens",
    "replier",
    "vue",
    "checklist",
];

#[derive(Clone, Debug, Default)]
pub struct Address(Vec<(String, String)>);

impl Address {
    pub fn of(query: &Form) -> Self {
        let known =
            query.pairs().iter().filter(|(key, value)| is_kept(key) && !value.trim().is_empty());
        Self(known.cloned().collect())
    }

    pub fn without(&self, name: &str) -> Self {
        Self(self.0.iter().filter(|(key, _)| key != name).cloned().collect())
    }

    /// Without this value of a repeated name.
    pub fn without_value(&self, name: &str, value: &str) -> Self {
        Self(self.0.iter().filter(|(key, v)| key != name || v != value).cloned().collect())
    }

    pub fn with(&self, name: &str, value: impl Into<String>) -> Self {
        let mut pairs = self.without(name).0;
        pairs.push((name.to_owned(), value.into()));
        Self(pairs)
    }

    /// One more value of a repeated name.
    pub fn adding(&self, name: &str, value: impl Into<String>) -> Self {
        let mut pairs = self.0.clone();
        pairs.push((name.to_owned(), value.into()));
        Self(pairs)
    }

    /// The order alone: « Réinitialiser » forgets the filters.
    pub fn only(&self, names: &[&str]) -> Self {
        Self(self.0.iter().filter(|(key, _)| names.contains(&key.as_str())).cloned().collect())
    }

    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// `statut=done&tri=prevue`
    pub fn query(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }

    /// Relative to the page's folder: `operations?statut=done`.
    pub fn url(&self, page: &str) -> String {
        if self.0.is_empty() {
            return page.to_owned();
        }
        format!("{page}?{}", self.query())
    }
}

/// A field of the campaign filters by its own name, `champ-3`.
fn is_kept(key: &str) -> bool {
    KEPT.contains(&key)
        || key.strip_prefix("champ-").is_some_and(|number| number.parse::<i32>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn us_303_2_the_address_keeps_filters_and_order_but_not_the_page() {
        let address = Address::of(&Form::parse(
            b"statut=done&statut=blocked&q=%C3%A9+%25&apres=xyz&tri=prevue&inconnu=1&du=",
        ));
        assert_eq!(
            address.url("operations"),
            "operations?statut=done&statut=blocked&q=%C3%A9+%25&tri=prevue"
        );
        assert_eq!(
            Address::of(&Form::parse(b"champ-3=x&champ-=y&champ-z=1&champs-2=3")).url("o"),
            "o?champ-3=x"
        );
        assert_eq!(
            address.without_value("statut", "done").url("o"),
            "o?statut=blocked&q=%C3%A9+%25&tri=prevue"
        );
        assert_eq!(address.only(&["tri", "sens"]).url("o"), "o?tri=prevue");
        assert_eq!(address.only(&[]).with("sens", "desc").url("o"), "o?sens=desc");
    }
}
