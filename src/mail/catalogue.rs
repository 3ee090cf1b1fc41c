// SPDX-License-Identifier: EUPL-1.2
//! The messages of accounts (03 §8.2): M-11, M-12, M-13.
use super::{Post, render::LINK};
use crate::{
    accounts::{Purpose, Roles, User},
    db::Id,
    web::format,
};
use chrono::{DateTime, Duration, Utc};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// M-11
    AccountCreated,
    /// M-12
    PasswordReset,
    /// M-13
    SecurityNotice,
    /// A request of `/contact`, for the organisation (US-1601).
    ContactRequest,
}

impl Kind {
    const ALL: [Self; 4] =
        [Self::AccountCreated, Self::PasswordReset, Self::SecurityNotice, Self::ContactRequest];

    pub fn code(self) -> &'static str {
        match self {
            Self::AccountCreated => "account_created",
            Self::PasswordReset => "password_reset",
            Self::SecurityNotice => "security_notice",
            Self::ContactRequest => "contact_request",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::AccountCreated => "Création de compte",
            Self::PasswordReset => "Réinitialisation du mot de passe",
            Self::SecurityNotice => "Avis de sécurité",
            Self::ContactRequest => "Demande de contact",
        }
    }

    /// The link made when the message is rendered.
    pub fn link(self) -> Option<Purpose> {
        match self {
            Self::AccountCreated => Some(Purpose::Activation),
            Self::PasswordReset => Some(Purpose::Reset),
            Self::SecurityNotice | Self::ContactRequest => None,
        }
    }

    /// How long the message is of use.
    pub fn life(self) -> Duration {
        match self {
            Self::AccountCreated => Duration::hours(72),
            Self::PasswordReset => Duration::hours(1),
            Self::SecurityNotice => Duration::hours(24),
            Self::ContactRequest => Duration::days(7),
        }
    }

    /// Why the person receives this, at the foot of the message.
    pub fn why(self) -> &'static str {
        match self {
            Self::AccountCreated => {
                "Vous recevez ce message parce qu’un administrateur vous a créé un compte."
            }
            Self::PasswordReset => {
                "Vous recevez ce message parce qu’un nouveau mot de passe a été demandé pour votre compte."
            }
            Self::ContactRequest => {
                "Vous recevez ce message parce que cette adresse reçoit les demandes du formulaire de contact."
            }
            Self::SecurityNotice => {
                "Vous recevez ce message parce que vous avez un compte ; il ne peut pas être désactivé."
            }
        }
    }
}

pub fn account_created(
    user: Id<User>,
    roles: Roles,
    organisation: &str,
    now: DateTime<Utc>,
) -> Post {
    let place = if organisation.is_empty() { String::new() } else { format!(" de {organisation}") };
    let many = if roles.iter().count() > 1 { "Vos rôles" } else { "Votre rôle" };
    Post {
        kind: Kind::AccountCreated,
        user,
        subject: "[OpsTracker] Activez votre compte".into(),
        body: format!(
            "Un compte vous a été créé sur OpsTracker{place}. {many} : {}.\n\n\
             Pour choisir votre mot de passe et vous connecter, ouvrez ce lien :\n\n{LINK}\n\n\
             Il est valable 72 heures et ne sert qu'une fois. Passé ce délai, demandez un nouveau lien à votre administrateur.",
            roles.labels()
        ),
        not_after: now + Kind::AccountCreated.life(),
    }
}

pub fn password_reset(user: Id<User>, now: DateTime<Utc>) -> Post {
    Post {
        kind: Kind::PasswordReset,
        user,
        subject: "[OpsTracker] Réinitialisez votre mot de passe".into(),
        body: format!(
            "Un nouveau mot de passe a été demandé pour votre compte. Pour le choisir, ouvrez ce lien :\n\n{LINK}\n\n\
             Il est valable 1 heure et ne sert qu'une fois.\n\n\
             Si vous n'êtes pas à l'origine de cette demande, ne faites rien : votre mot de passe reste le même."
        ),
        not_after: now + Kind::PasswordReset.life(),
    }
}

/// `what` is a sentence: « Votre mot de passe a été modifié. »
pub fn security_notice(user: Id<User>, what: &str, contact: &str, now: DateTime<Utc>) -> Post {
    let contact =
        if contact.is_empty() { "votre administrateur".to_owned() } else { contact.to_owned() };
    Post {
        kind: Kind::SecurityNotice,
        user,
        subject: "[OpsTracker] Modification de la sécurité de votre compte".into(),
        body: format!(
            "{what}\n\nC’était le {}.\n\nSi vous n’êtes pas à l’origine de ce changement, prévenez sans attendre {contact}.",
            format::full_instant(now)
        ),
        not_after: now + Kind::SecurityNotice.life(),
    }
}
