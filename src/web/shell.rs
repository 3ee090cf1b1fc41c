// SPDX-License-Identifier: EUPL-1.2
//! What surrounds every page: header, navigation by roles, breadcrumb, tabs, flash (05 §1).
use super::auth::Visitor;
use crate::{
    accounts::{Role, User},
    app::App,
    campaigns::Pin,
};

/// One step of the breadcrumb; the last one is the page itself.
#[derive(Clone, Debug)]
pub struct Crumb {
    pub label: String,
    pub url: String,
}

/// One tab of a campaign.
#[derive(Clone, Debug)]
pub struct Tab {
    pub label: &'static str,
    pub url: String,
    pub current: bool,
}

pub struct NavEntry {
    pub label: &'static str,
    pub url: &'static str,
    pub icon: &'static str,
    pub current: bool,
}

#[derive(Clone)]
pub struct Shell {
    pub title: String,
    pub user: Option<User>,
    /// « Épinglés » (RG-201).
    pub pins: Vec<Pin>,
    pub organisation: String,
    /// Where this version's source is published; empty when the organisation has not said it.
    pub source_url: String,
    pub is_demo: bool,
    pub flash: Option<String>,
    pub path: String,
    pub crumbs: Vec<Crumb>,
    pub tabs: Vec<Tab>,
    /// Asked by a popover: the layout gives the content alone.
    pub fragment: bool,
    /// The address of the live stream of this page, when it has one (RG-040).
    pub live: Option<String>,
    /// What the live hub had heard of when the page was read.
    pub mark: String,
    /// What a live refresh says aloud when it changed: « 619 opérations réalisées sur 847 ».
    pub announce: String,
    /// « Mis à jour à … »
    pub updated: String,
    /// When the session ends if nothing more is asked, RFC 3339; empty when the browser is remembered.
    pub session_ends: String,
    pub version: &'static str,
}

impl Shell {
    pub fn new(app: &App, visitor: &Visitor, title: impl Into<String>) -> Self {
        let settings = app.settings();
        Self {
            title: title.into(),
            user: visitor.user.clone(),
            pins: visitor.pins.clone(),
            organisation: settings.organisation.clone(),
            source_url: settings.source_url.clone(),
            is_demo: settings.is_demo,
            flash: visitor.flash.clone(),
            path: visitor.path.clone(),
            crumbs: Vec::new(),
            tabs: Vec::new(),
            fragment: visitor.fragment,
            live: None,
            mark: String::new(),
            announce: String::new(),
            updated: super::format::second(visitor.now),
            session_ends: visitor.session_ends.map(super::format::machine).unwrap_or_default(),
            version: env!("CARGO_PKG_VERSION"),
        }
    }

    /// Adds a step above the page.
    pub fn under(mut self, label: impl Into<String>, url: impl Into<String>) -> Self {
        self.crumbs.push(Crumb { label: label.into(), url: url.into() });
        self
    }

    pub fn with_tabs(mut self, tabs: Vec<Tab>) -> Self {
        self.tabs = tabs;
        self
    }

    /// The page follows this topic of `/flux`.
    pub fn live(mut self, topic: impl Into<String>) -> Self {
        let since =
            if self.mark.is_empty() { String::new() } else { format!("&depuis={}", self.mark) };
        self.live = Some(format!("/flux?sujet={}{since}", topic.into()));
        self
    }

    pub fn marked(mut self, mark: &str) -> Self {
        self.mark = mark.to_owned();
        self
    }

    /// The help article of this screen.
    pub fn help(&self) -> &'static str {
        crate::help::article_of(&self.path)
    }

    /// An administrator who signs in with a password alone (RG-128).
    pub fn lacks_factor(&self) -> bool {
        self.user.as_ref().is_some_and(|user| user.is_admin() && !user.second_factor)
            && !self.path.starts_with("/profil/double-authentification")
    }

    pub fn theme(&self) -> &str {
        let theme = self.user.as_ref().map_or("", |user| user.theme.as_str());
        if matches!(theme, "light" | "dark") { theme } else { "" }
    }

    /// The entries of this person: roles add entries, they never switch a mode.
    pub fn nav(&self) -> Vec<NavEntry> {
        let Some(user) = &self.user else { return Vec::new() };
        let has = |role| user.roles.has(role);
        let desk = has(Role::Admin)
            || has(Role::CampaignManager)
            || has(Role::Reader)
            || has(Role::Coordinator);
        let entry = |shown: bool, label, url: &'static str, icon| {
            shown.then(|| NavEntry {
                label,
                url,
                icon,
                current: self.path == url || self.path.starts_with(&format!("{url}/")),
            })
        };
        [
            entry(desk, "Tableau de bord", "/tableau-de-bord", "gauge"),
            entry(true, "Campagnes", "/campagnes", "layers"),
            entry(has(Role::Technician), "Mes interventions", "/terrain", "list-checks"),
            entry(
                has(Role::Admin) || has(Role::CampaignManager),
                "Modèles de checklists",
                "/checklists",
                "list-checks",
            ),
            entry(has(Role::Admin), "Administration", "/administration", "settings"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}
