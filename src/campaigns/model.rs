// SPDX-License-Identifier: EUPL-1.2
//! A campaign as one person sees it.
use super::{Audit, Configure, Status, View};
use crate::{
    accounts::User,
    db::Id,
    web::{Tab, auth::Permits, format},
};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use uuid::Uuid;

/// `can_*` are the union of this person's grants, direct and by group (RG-115).
#[derive(Clone, Debug)]
pub struct Campaign {
    pub id: Id<Campaign>,
    pub name: String,
    pub description: String,
    pub type_id: Uuid,
    pub type_name: String,
    pub start_date: NaiveDate,
    pub end_date: NaiveDate,
    pub owner_id: Id<User>,
    pub owner_name: String,
    /// A campaign whose owner's account is off is flagged « Sans propriétaire actif » (RG-111).
    pub owner_active: bool,
    pub is_public: bool,
    pub status: Status,
    pub is_forced: bool,
    pub is_draft: bool,
    pub is_archived: bool,
    pub finished_at: Option<DateTime<Utc>>,
    pub workflow_version_id: Uuid,
    pub default_time: NaiveTime,
    pub finish_level: String,
    pub time_tracking: bool,
    pub wizard_step: i16,
    pub version: i32,
    pub can_view: bool,
    pub can_place: bool,
    pub can_configure: bool,
    pub can_export: bool,
}

impl Campaign {
    pub fn url(&self) -> String {
        format!("/campagnes/{}", self.id)
    }

    pub fn path(&self, rest: &str) -> String {
        format!("/campagnes/{}/{rest}", self.id)
    }
}

impl Campaign {
    /// « 26 janvier → 26 avril 2026 »
    pub fn period(&self) -> String {
        format::period(self.start_date, self.end_date)
    }

    /// « Échéance dépassée »: the end date has passed and the campaign is not over (RG-010).
    pub fn is_overdue(&self, today: NaiveDate) -> bool {
        self.status.is_overdue(self.end_date, today)
    }
}

/// The tabs that exist today, only those allowed (05 §1). `current` is the tab's address.
pub fn tabs(campaign: &Campaign, user: &User, current: &str) -> Vec<Tab> {
    let sees = Permits::<View>::permits(campaign, user);
    let configures = Permits::<Configure>::permits(campaign, user) && !campaign.is_archived;
    let audits = Permits::<Audit>::permits(campaign, user);
    [
        (sees, "Tableau de bord", "tableau-de-bord"),
        (sees, "Opérations", "operations"),
        (sees, "Calendrier", "calendrier"),
        (sees, "Segments", "segments"),
        (sees, "Prérequis", "prerequis"),
        (sees, "Documents", "documents"),
        (configures, "Imports", "imports"),
        (sees, "Activité", "activite"),
        (audits, "Historique", "historique"),
        (configures, "Paramètres", "parametres/general"),
    ]
    .into_iter()
    .filter(|(allowed, ..)| *allowed)
    .map(|(_, label, path)| Tab {
        label,
        url: campaign.path(path),
        current: path == current
            || (path.starts_with("parametres") && current.starts_with("parametres")),
    })
    .collect()
}
