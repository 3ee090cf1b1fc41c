// SPDX-License-Identifier: EUPL-1.2
//! Two people edit the same object (RG-180): different fields are both kept, the same field is a
//! choice for the second, and nothing is overwritten in silence.
//!
//! A form carries, beside each field, what it showed when it was opened (`avant-<name>`). After a
//! conflict it also carries `conflit-<name>`, the value the person was shown, and their choice in
//! `choix-<name>`; `components/_conflict.html` draws it.
use super::Form;
use crate::text::clean;

/// What to do with one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// This person did not touch it: what is stored stays.
    Keep,
    /// Only this person touched it.
    Apply,
    /// Both did, differently.
    Conflict,
}

pub fn verdict(before: &str, mine: &str, theirs: &str) -> Verdict {
    if mine == before || mine == theirs {
        Verdict::Keep
    } else if before == theirs {
        Verdict::Apply
    } else {
        Verdict::Conflict
    }
}

/// One field that two people changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clash {
    pub name: String,
    pub label: String,
    pub mine: String,
    pub theirs: String,
    /// The two as a person reads them, when a value is a code.
    pub mine_text: String,
    pub theirs_text: String,
}

impl Clash {
    fn new(name: &str, label: &str, mine: String, theirs: &str) -> Self {
        let theirs = theirs.to_owned();
        Self {
            name: name.into(),
            label: label.into(),
            mine_text: mine.clone(),
            theirs_text: theirs.clone(),
            mine,
            theirs,
        }
    }

    /// Says the two values of a field of codes.
    pub fn said(mut self, text: impl Fn(&str) -> String) -> Self {
        self.mine_text = text(&self.mine);
        self.theirs_text = text(&self.theirs);
        self
    }
}

/// The form as it opens: each value, and the same value as « before ».
pub fn opened<'a>(pairs: impl IntoIterator<Item = (&'a str, String)>) -> Form {
    Form::filled(pairs.into_iter().flat_map(|(name, value)| {
        [(format!("avant-{name}"), value.clone()), (name.to_owned(), value)]
    }))
}

/// Settles each field of the form against what is stored now: `fields` are (name, label), `stored`
/// gives the present value by name. Afterwards the form holds what must be written, and what
/// remains to be chosen comes back.
pub fn reconcile(
    form: &mut Form,
    fields: &[(&str, &str)],
    stored: impl Fn(&str) -> String,
) -> Vec<Clash> {
    fields
        .iter()
        .filter_map(|(name, label)| settle(form, name, label, &clean(&stored(name))))
        .collect()
}

fn settle(form: &mut Form, name: &str, label: &str, theirs: &str) -> Option<Clash> {
    let (asked, choice, former) =
        (format!("conflit-{name}"), format!("choix-{name}"), format!("avant-{name}"));
    let mine = form.text(name);
    let shown = form.pairs().iter().any(|(key, _)| *key == asked).then(|| form.text(&asked));
    let before = shown.clone().unwrap_or_else(|| form.text(&former));
    if form.has(&choice, "sienne") && shown.as_deref() == Some(theirs) {
        form.set(name, theirs);
        return None;
    }
    let undecided = shown.is_some() && !form.has(&choice, "mienne") && mine != theirs;
    match verdict(&before, &mine, theirs) {
        Verdict::Keep => form.set(name, theirs),
        Verdict::Apply if !undecided => {}
        Verdict::Apply | Verdict::Conflict => {
            form.set(&former, theirs);
            return Some(Clash::new(name, label, mine, theirs));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rg_180_table() {
        use Verdict::{Apply, Conflict, Keep};
        for (before, mine, theirs, expected) in [
            ("a", "a", "a", Keep),
            ("a", "a", "b", Keep),
            ("a", "b", "a", Apply),
            ("a", "b", "b", Keep),
            ("a", "b", "c", Conflict),
            ("", "b", "", Apply),
            ("a", "", "a", Apply),
            ("a", "", "c", Conflict),
        ] {
            assert_eq!(
                verdict(before, mine, theirs),
                expected,
                "{before} → {mine} against {theirs}"
            );
        }
    }

    fn settled(pairs: &[(&str, &str)], theirs: &str) -> (String, Vec<Clash>) {
        let mut form = Form::filled(pairs.iter().copied());
        let clashes = reconcile(&mut form, &[("nom", "Nom")], |_| theirs.to_owned());
        (form.raw("nom").to_owned(), clashes)
    }

    #[test]
    fn rg_180_different_fields_are_both_kept() {
        assert_eq!(settled(&[("nom", "a"), ("avant-nom", "a")], "b"), ("b".into(), vec![]));
        assert_eq!(settled(&[("nom", "c"), ("avant-nom", "a")], "a"), ("c".into(), vec![]));
    }

    #[test]
    fn rg_180_the_same_field_is_a_choice() {
        let (_, clashes) = settled(&[("nom", "c"), ("avant-nom", "a")], "b");
        assert_eq!(clashes, [Clash::new("nom", "Nom", "c".into(), "b")]);
        let shown = [("nom", "c"), ("avant-nom", "b"), ("conflit-nom", "b")];
        assert_eq!(settled(&shown, "b").1.len(), 1, "no choice made yet");
        let with = |choice| [shown.as_slice(), &[("choix-nom", choice)]].concat();
        assert_eq!(settled(&with("mienne"), "b"), ("c".into(), vec![]));
        assert_eq!(settled(&with("sienne"), "b"), ("b".into(), vec![]));
        assert_eq!(settled(&with("mienne"), "d").1.len(), 1, "changed once more meanwhile");
        assert_eq!(settled(&with("sienne"), "d").1.len(), 1, "the value chosen is no longer there");
    }
}
