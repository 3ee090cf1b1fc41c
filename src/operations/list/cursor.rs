// SPDX-License-Identifier: EUPL-1.2
//! Where a page begins: after or before a row, told by what orders it. Opaque in the address.
use crate::web::Form;
use uuid::Uuid;

/// What orders a row: its segment, the value it is sorted by, its identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub segment: Uuid,
    pub key: String,
    pub identifier: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Cursor {
    #[default]
    First,
    After(Place),
    Before(Place),
}

impl Place {
    /// Hexadecimal: it goes anywhere in an address without escaping.
    pub fn encode(&self) -> String {
        let text = format!("{}\u{1f}{}\u{1f}{}", self.segment.simple(), self.key, self.identifier);
        text.bytes().map(|b| format!("{b:02x}")).collect()
    }

    pub fn decode(text: &str) -> Option<Self> {
        if !text.is_ascii() || text.len() % 2 == 1 || text.len() > 4_096 {
            return None;
        }
        let bytes = (0..text.len())
            .step_by(2)
            .map(|i| u8::from_str_radix(&text[i..i + 2], 16).ok())
            .collect::<Option<Vec<_>>>()?;
        let text = String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))?;
        let mut parts = text.splitn(3, '\u{1f}');
        Some(Self {
            segment: parts.next()?.parse().ok()?,
            key: parts.next()?.to_owned(),
            identifier: parts.next()?.to_owned(),
        })
    }
}

impl Cursor {
    /// A cursor that cannot be read is the first page.
    pub fn of(query: &Form) -> Self {
        let place = |name| Place::decode(query.raw(name));
        match (place("apres"), place("avant")) {
            (Some(place), _) => Self::After(place),
            (None, Some(place)) => Self::Before(place),
            (None, None) => Self::First,
        }
    }

    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::First => None,
            Self::After(place) | Self::Before(place) => Some(place),
        }
    }

    pub fn is_backward(&self) -> bool {
        matches!(self, Self::Before(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_survives_the_address_and_nonsense_is_the_first_page() {
        let place =
            Place {
                segment: Uuid::max(), key: "élan & « co »".into(), identifier: "a-1".into()
            };
        assert_eq!(Place::decode(&place.encode()), Some(place));
        for bad in ["", "zz", "abc", "é0", "00", "6161"] {
            assert_eq!(Place::decode(bad), None, "{bad}");
        }
        assert_eq!(Cursor::of(&Form::parse(b"apres=%27;drop")), Cursor::First);
    }
}
