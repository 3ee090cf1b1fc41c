// SPDX-License-Identifier: EUPL-1.2
//! A stored message made ready to leave: link, footer, text and HTML of the same words (03 §8.1).
use super::Kind;
use crate::{settings::Settings, text};
use askama::Template;
use lettre::{
    Message,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
};
use uuid::Uuid;

/// Stands in the stored text where the link goes.
pub const LINK: &str = "[lien personnel]";

pub struct Letter<'a> {
    pub id: Uuid,
    pub kind: Kind,
    pub recipient: &'a str,
    pub subject: &'a str,
    pub body: &'a str,
    pub link: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "mail/message.html")]
struct Html<'a> {
    subject: &'a str,
    greeting: String,
    paragraphs: Vec<String>,
    link: Option<&'a str>,
    label: &'static str,
    foot: &'a [String],
}

impl Html<'_> {
    fn is_link(&self, paragraph: &str) -> bool {
        paragraph == LINK
    }
}

impl Letter<'_> {
    /// The words as they leave, without the footer.
    pub fn text(&self) -> String {
        typeset(&match self.link {
            Some(link) => self.body.replace(LINK, link),
            None => self.body.to_owned(),
        })
    }

    fn foot(&self, settings: &Settings) -> Vec<String> {
        let mut lines = Vec::new();
        if !settings.organisation.is_empty() {
            lines.push(settings.organisation.clone());
        }
        lines.push(typeset(self.kind.why()));
        if !settings.contact.is_empty() {
            lines.push(typeset(&format!("Contact : {}", settings.contact)));
        }
        lines
    }

    /// # Errors
    /// An address that is none.
    pub fn build(
        &self,
        from: &Mailbox,
        settings: &Settings,
        host: &str,
    ) -> anyhow::Result<Message> {
        let foot = self.foot(settings);
        let plain = format!("{}\n\n-- \n{}\n", self.text(), foot.join("\n"));
        let mut paragraphs: Vec<String> = self
            .body
            .split("\n\n")
            .map(|p| if p == LINK { p.to_owned() } else { typeset(p) })
            .collect();
        let greeting = paragraphs.remove(0);
        let label = if self.kind == Kind::AccountCreated {
            "Activer mon compte"
        } else {
            "Choisir un nouveau mot de passe"
        };
        let html = Html {
            subject: self.subject,
            greeting,
            paragraphs,
            link: self.link,
            label,
            foot: &foot,
        }
        .render()?;
        let name = if settings.organisation.is_empty() {
            "OpsTracker".to_owned()
        } else {
            format!("OpsTracker – {}", settings.organisation)
        };
        let mut message = Message::builder()
            .from(Mailbox::new(Some(one_line(&name)), from.email.clone()))
            .to(Mailbox::new(None, self.recipient.parse()?))
            .subject(one_line(self.subject))
            .message_id(Some(format!("<{}@{host}>", self.id)))
            .multipart(MultiPart::alternative_plain_html(plain, html))?;
        for (name, value) in [
            ("Auto-Submitted", "auto-generated"),
            ("X-Auto-Response-Suppress", "All"),
            ("Content-Language", "fr"),
        ] {
            let name = HeaderName::new_from_ascii(name.to_owned())?;
            message.headers_mut().insert_raw(HeaderValue::new(name, value.to_owned()));
        }
        Ok(message)
    }
}

/// No header can be added by data.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// French spaces and apostrophes (RG-086); an address stays as it is.
fn typeset(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for (n, word) in text.split(' ').enumerate() {
        if n > 0 {
            let before = out.ends_with('«');
            out.push(match word.chars().next() {
                Some(':' | '»') => '\u{a0}',
                Some(';' | '!' | '?' | '%') => text::NARROW,
                _ if before => '\u{a0}',
                _ => ' ',
            });
        }
        out.push_str(&if word.contains("://") {
            word.to_owned()
        } else {
            word.replace('\'', "’")
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rg_086_messages_are_typeset() {
        assert_eq!(
            typeset("qu'il : « oui » ! http://a'b/?c"),
            "qu’il\u{a0}: «\u{a0}oui\u{a0}»\u{202f}! http://a'b/?c"
        );
    }

    #[test]
    fn no_header_comes_from_data() {
        let settings = Settings {
            organisation: "Mairie\r\nBcc: x@evil.example".into(),
            ..Settings::default()
        };
        let letter = Letter {
            id: Uuid::now_v7(),
            kind: Kind::SecurityNotice,
            recipient: "karim@ops.test",
            subject: "Objet\r\nBcc: y@evil.example",
            body: "Bonjour Karim,\n\nTexte",
            link: None,
        };
        let message =
            letter.build(&"ops@ops.test".parse().unwrap(), &settings, "ops.test").unwrap();
        let text = String::from_utf8(message.formatted()).unwrap();
        let (headers, _) = text.split_once("\r\n\r\n").unwrap();
        assert!(!headers.contains("\r\nBcc:"), "{headers}");
        assert!(
            headers.contains("Subject: ") && headers.contains("Auto-Submitted: auto-generated"),
            "{headers}"
        );
    }
}
