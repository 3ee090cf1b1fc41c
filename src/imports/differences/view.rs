// SPDX-License-Identifier: EUPL-1.2
//! The seven views: what each holds, and what happens to it when nobody chooses.
use crate::imports::merge::Choice;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    Conflicts,
    Changes,
    Kept,
    Emptied,
    Created,
    Vanished,
    Binned,
}

impl View {
    pub const ALL: [Self; 7] = [
        Self::Conflicts,
        Self::Changes,
        Self::Kept,
        Self::Emptied,
        Self::Created,
        Self::Vanished,
        Self::Binned,
    ];

    pub fn code(self) -> &'static str {
        match self {
            Self::Conflicts => "conflits",
            Self::Changes => "modifications",
            Self::Kept => "gardees",
            Self::Emptied => "vides",
            Self::Created => "creations",
            Self::Vanished => "absentes",
            Self::Binned => "corbeille",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|view| view.code() == code)
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Conflicts => "Conflits",
            Self::Changes => "Modifications",
            Self::Kept => "Gardées à la main",
            Self::Emptied => "Vides dans le fichier",
            Self::Created => "À créer",
            Self::Vanished => "Absentes du fichier",
            Self::Binned => "Dans la corbeille",
        }
    }

    /// The verdict of its cells, for the views of cells.
    pub fn verdict(self) -> Option<&'static str> {
        match self {
            Self::Conflicts => Some("conflict"),
            Self::Changes => Some("apply"),
            Self::Kept => Some("kept"),
            Self::Emptied => Some("empty"),
            Self::Created | Self::Vanished | Self::Binned => None,
        }
    }

    /// What happens when nobody chooses.
    pub fn default_choice(self) -> Choice {
        if self == Self::Changes { Choice::File } else { Choice::Here }
    }

    pub fn explained(self) -> &'static str {
        match self {
            Self::Conflicts => {
                "Modifiées à la main depuis le dernier import, et différentes dans le fichier. Sans choix de votre part, la valeur saisie à la main est gardée."
            }
            Self::Changes => {
                "Modifiées dans le fichier, intactes ici depuis le dernier import. Sans choix de votre part, le fichier est appliqué."
            }
            Self::Kept => {
                "Modifiées à la main ; le fichier répète la valeur du dernier import. La valeur saisie à la main est gardée."
            }
            Self::Emptied => {
                "Le fichier n’a pas de valeur là où il y en a une. Rien n’est effacé, sauf si vous le demandez."
            }
            Self::Created => "Identifiants que la campagne n’a pas encore.",
            Self::Vanished => {
                "Opérations de la campagne que le fichier ne nomme plus. Elles sont gardées, sauf si vous demandez leur annulation."
            }
            Self::Binned => {
                "Identifiants du fichier qui n’existent que dans la corbeille. Ils sont créés à nouveau, sauf si vous demandez leur restauration."
            }
        }
    }
}
