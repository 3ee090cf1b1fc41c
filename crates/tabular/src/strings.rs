// SPDX-License-Identifier: EUPL-1.2
//! The shared strings of an XLSX workbook: one text and where each string ends in it.
//! The only thing whose memory grows with the file, up to what a workbook may inflate to.

use crate::package::Package;
use crate::xml::{Event, Xml, push_text};
use crate::{Error, Limits};

#[derive(Default)]
pub(crate) struct Strings {
    text: String,
    ends: Vec<u32>,
}

impl Strings {
    pub fn read(package: &Package, name: &str, limits: &Limits) -> Result<Self, Error> {
        let mut xml = Xml::open(package, name)?;
        let mut strings = Strings::default();
        let mut rich = Rich::default();
        while let Some(event) = xml.next()? {
            if let Event::End(tag) = &event
                && tag.local_name().as_ref() == "si"
            {
                strings.close(limits)?;
            } else if let Event::Empty(tag) = &event
                && tag.local_name().as_ref() == "si"
            {
                strings.close(limits)?;
            } else if rich.holds_text(&event) {
                push_text(&event, |piece| strings.text.push_str(piece))?;
            }
        }
        Ok(strings)
    }

    fn close(&mut self, limits: &Limits) -> Result<(), Error> {
        let start = self.ends.last().map_or(0, |&end| end as usize);
        unescape(&mut self.text, start);
        // Four bytes for each: an archive of empty strings must not outgrow its own limit.
        if (self.text.len() + self.ends.len() * 4) as u64 > limits.max_inflated {
            return Err(Error::Bomb);
        }
        self.ends.push(self.text.len() as u32);
        Ok(())
    }

    pub fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)? as usize;
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        Some(&self.text[start..end])
    }
}

/// Follows a rich text: its runs are `<t>`, and `<rPh>` is how to pronounce it.
#[derive(Default)]
pub(crate) struct Rich {
    in_text: bool,
    in_phonetic: bool,
}

impl Rich {
    /// True for an event that is part of the text itself.
    pub fn holds_text(&mut self, event: &Event<'_>) -> bool {
        let (name, opens) = match event {
            Event::Start(tag) => (tag.local_name(), true),
            Event::End(tag) => (tag.local_name(), false),
            _ => return self.in_text && !self.in_phonetic,
        };
        match name.as_ref() {
            "t" => self.in_text = opens,
            "rPh" => self.in_phonetic = opens,
            _ => {}
        }
        false
    }
}

/// `_x000D_` stands for a character that XML cannot hold, from `start` to the end.
pub(crate) fn unescape(text: &mut String, start: usize) {
    if !text[start..].contains("_x") {
        return;
    }
    let escaped = text.split_off(start);
    let mut rest = escaped.as_str();
    while let Some(at) = rest.find("_x") {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let code = rest.get(2..7).filter(|code| code.ends_with('_'));
        let code = code.and_then(|code| u32::from_str_radix(&code[..4], 16).ok());
        match code.and_then(char::from_u32) {
            Some(c) => {
                text.push(c);
                rest = &rest[7..];
            }
            None => {
                text.push_str("_x");
                rest = &rest[2..];
            }
        }
    }
    text.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_of_control_characters() {
        for (stored, read) in [
            ("a_x000D_b", "a\rb"),
            ("_x005F_x000D_", "_x000D_"),
            ("_x00", "_x00"),
            ("_xyzzy_", "_xyzzy_"),
            ("prix_xé", "prix_xé"),
        ] {
            let mut text = format!("avant {stored}");
            unescape(&mut text, 6);
            assert_eq!(text, format!("avant {read}"));
        }
    }
}
