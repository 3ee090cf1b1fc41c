// SPDX-License-Identifier: EUPL-1.2
//! The four rights of a campaign as words, and sets of them (RG-115).
use super::Grantable;

/// A set of the four rights; one bit each. The last three imply « voir ».
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rights(u8);

impl Grantable {
    pub const ALL: [Self; 4] = [Self::View, Self::Place, Self::Configure, Self::Export];

    /// The word in forms.
    pub fn code(self) -> &'static str {
        match self {
            Self::View => "voir",
            Self::Place => "positionner",
            Self::Configure => "configurer",
            Self::Export => "exporter",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::View => "Voir",
            Self::Place => "Positionner",
            Self::Configure => "Configurer",
            Self::Export => "Exporter",
        }
    }

    pub fn explained(self) -> &'static str {
        match self {
            Self::View => "Tableau de bord, opérations, segments, documents",
            Self::Place => "Placer, déplacer et annuler les rendez-vous",
            Self::Configure => "Importer, modifier, assigner, paramétrer",
            Self::Export => "Tableurs et tableau de bord en PDF",
        }
    }
}

impl Rights {
    pub const ALL: Self = Self(0b1111);

    pub fn has(self, right: Grantable) -> bool {
        self.0 & (1 << right as u8) != 0
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn iter(self) -> impl Iterator<Item = Grantable> {
        Grantable::ALL.into_iter().filter(move |right| self.has(*right))
    }

    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those of `self` that `other` has not.
    pub fn beyond(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// « voir configurer », as forms carry it and as two editors are compared.
    pub fn codes(self) -> String {
        self.iter().map(Grantable::code).collect::<Vec<_>>().join(" ")
    }

    /// « Voir », and these.
    pub fn given(place: bool, configure: bool, export: bool) -> Self {
        [
            (true, Grantable::View),
            (place, Grantable::Place),
            (configure, Grantable::Configure),
            (export, Grantable::Export),
        ]
        .into_iter()
        .filter_map(|(given, right)| given.then_some(right))
        .collect()
    }

    pub fn from_codes<'a>(codes: impl IntoIterator<Item = &'a str>) -> Self {
        let codes: Vec<_> = codes.into_iter().collect();
        Grantable::ALL.into_iter().filter(|right| codes.contains(&right.code())).collect()
    }

    /// « Voir, Configurer »
    pub fn labels(self) -> String {
        self.iter().map(Grantable::label).collect::<Vec<_>>().join(", ")
    }
}

impl FromIterator<Grantable> for Rights {
    fn from_iter<I: IntoIterator<Item = Grantable>>(rights: I) -> Self {
        let bits = rights.into_iter().fold(0, |bits, right| bits | 1 << right as u8);
        Self(if bits == 0 { 0 } else { bits | 1 << Grantable::View as u8 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rg_115_the_last_three_imply_view() {
        assert_eq!(Rights::from_codes(["configurer"]).labels(), "Voir, Configurer");
        assert_eq!(
            Rights::from_codes(["exporter", "positionner"]).codes(),
            "voir positionner exporter"
        );
        assert!(Rights::from_codes([]).is_empty());
        assert_eq!(
            Rights::from_codes(["exporter"]).beyond(Rights::from_codes(["voir"])).labels(),
            "Exporter"
        );
    }
}
