// SPDX-License-Identifier: EUPL-1.2
//! Roles open the doors of modules; they add up (RG-003).

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    Admin,
    CampaignManager,
    Technician,
    Coordinator,
    Reader,
}

impl Role {
    pub const ALL: [Self; 5] =
        [Self::Admin, Self::CampaignManager, Self::Technician, Self::Coordinator, Self::Reader];

    /// The word stored in the base.
    pub fn code(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::CampaignManager => "campaign_manager",
            Self::Technician => "technician",
            Self::Coordinator => "coordinator",
            Self::Reader => "reader",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.code() == code)
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Admin => "Administrateur",
            Self::CampaignManager => "Gestionnaire",
            Self::Technician => "Technicien",
            Self::Coordinator => "Coordinateur",
            Self::Reader => "Lecteur",
        }
    }

    /// The line beside the box when an account is created (US-103.5).
    pub fn description(self) -> &'static str {
        match self {
            Self::Admin => "Gère les comptes et l’instance, voit toutes les campagnes.",
            Self::CampaignManager => {
                "Crée des campagnes, pilote les siennes et celles qui lui sont confiées."
            }
            Self::Technician => "Réalise les interventions qui lui sont assignées.",
            Self::Coordinator => "Positionne les agents de son périmètre.",
            Self::Reader => "Consulte les campagnes publiques ou partagées avec lui.",
        }
    }
}

/// A set of roles; one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Roles(u8);

impl Roles {
    pub fn has(self, role: Role) -> bool {
        self.0 & (1 << role as u8) != 0
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether this is the only role.
    pub fn only(self, role: Role) -> bool {
        self.0 == 1 << role as u8
    }

    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(move |role| self.has(*role))
    }

    pub fn codes(self) -> Vec<String> {
        self.iter().map(|role| role.code().to_owned()).collect()
    }

    /// « Gestionnaire, Technicien »
    pub fn labels(self) -> String {
        self.iter().map(Role::label).collect::<Vec<_>>().join(", ")
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        Self(roles.into_iter().fold(0, |bits, role| bits | 1 << role as u8))
    }
}

impl From<Vec<String>> for Roles {
    fn from(codes: Vec<String>) -> Self {
        codes.iter().filter_map(|code| Role::from_code(code)).collect()
    }
}
