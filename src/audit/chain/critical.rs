// SPDX-License-Identifier: EUPL-1.2
//! RG-072: the actions that a signature covers within a minute.

/// Deletions, archiving, overrides, purges, configuration imports, whatever they are about.
const VERBS: [&str; 11] = [
    "deleted",
    "removed",
    "archived",
    "restored",
    "transferred",
    "overridden",
    "forced",
    "corrected",
    "purged",
    "erased",
    "deactivated",
];

/// Rights and what gives them; retention.
const NOUNS: [&str; 9] = [
    "grant",
    "share_link",
    "group",
    "groups",
    "role",
    "perimeter",
    "retention",
    "override",
    "purge",
];

const ACTIONS: [&str; 11] = [
    "campaign.status_forced",
    "gate.passed",
    "type.field_deleted",
    "user.created",
    "user.changed",
    "user.reactivated",
    "campaign.visibility_changed",
    "configuration.imported",
    "import.undone",
    // What closes a verification, or a base written whole, is signed with it.
    "audit.verified",
    "demo.loaded",
];

pub fn is_critical(action: &str) -> bool {
    let (noun, verb) = action.split_once('.').unwrap_or((action, ""));
    VERBS.contains(&verb) || NOUNS.contains(&noun) || ACTIONS.contains(&action)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rg_072_deletion_archiving_rights_overrides_purge_configuration() {
        for action in [
            "field.deleted",
            "campaign.archived",
            "grant.given",
            "user.changed",
            "gate.overridden",
            "retention.executed",
            "configuration.imported",
        ] {
            assert!(is_critical(action), "{action}");
        }
        let told = ["forcé", "supprimé", "retiré"];
        for (action, sentence, _) in crate::audit::sentences::ACTIONS {
            if told.iter().any(|word| sentence.contains(word)) {
                assert!(is_critical(action), "{action}");
            }
        }
        for action in ["operation.moved", "session.opened", "campaign.edited"] {
            assert!(!is_critical(action), "{action}");
        }
    }
}
