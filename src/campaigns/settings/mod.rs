// SPDX-License-Identifier: EUPL-1.2
//! « Paramètres » of a campaign (05 §5): general, fields, grants, visibility, owner.
pub mod field;
pub mod fields;
pub mod general;
pub mod grants;
pub mod owner;
pub mod status;
pub mod visibility;

use super::{Campaign, tabs};
use crate::{accounts::User, web::Shell};

/// (name, address, for the owner only).
pub const SECTIONS: [(&str, &str, bool); 10] = [
    ("Général", "parametres/general", false),
    ("Champs", "parametres/champs", false),
    ("Workflow", "parametres/workflow", false),
    ("Checklist", "parametres/checklist", false),
    ("Habilitations", "parametres/habilitations", false),
    ("Visibilité", "parametres/visibilite", false),
    ("Partage", "parametres/partage", false),
    ("Statut", "parametres/statut", true),
    ("Propriétaire", "parametres/proprietaire", true),
    ("Corbeille", "parametres/corbeille", false),
];

/// (code, name, explanation) of RG-112.
pub const VISIBILITIES: [(&str, &str, &str); 2] = [
    ("restreinte", "Restreinte", "Vous, les personnes habilitées et les administrateurs"),
    (
        "publique",
        "Publique",
        "En plus, tous les gestionnaires et les lecteurs peuvent la consulter",
    ),
];

/// (code, name, explanation) of RG-036.
pub const FINISH_LEVELS: [(&str, &str, &str); 3] = [
    ("warn", "Avertir", "Le technicien confirme s’il reste des étapes obligatoires"),
    ("block", "Bloquer", "Les étapes obligatoires doivent être cochées"),
    ("free", "Libre", "Aucun contrôle"),
];

/// The shell of a page of settings: under the campaign, with its tabs.
fn section(shell: Shell, campaign: &Campaign, user: &User, path: &str) -> Shell {
    shell
        .under("Campagnes", "/campagnes")
        .under(&campaign.name, campaign.url())
        .with_tabs(tabs(campaign, user, path))
}
