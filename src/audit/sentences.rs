// SPDX-License-Identifier: EUPL-1.2
//! What each action says in French, after the author's name. A code without a sentence fails the
//! build's tests: a history that shows codes is not one.

/// (code, sentence, short name for filters); by object.
#[rustfmt::skip]
pub const ACTIONS: &[(&str, &str, &str)] = &[
    ("campaign.created", "a créé la campagne", "Création de la campagne"),
    ("campaign.edited", "a modifié les paramètres de la campagne", "Paramètres modifiés"),
    ("campaign.configured", "a configuré la campagne", "Configuration"),
    ("campaign.activated", "a terminé la création de la campagne", "Fin de la création"),
    ("campaign.status_changed", "a fait passer la campagne d’un statut à un autre", "Statut de la campagne"),
    ("campaign.archived", "a archivé la campagne", "Archivage"),
    ("campaign.restored", "a restauré la campagne", "Restauration"),
    ("campaign.deleted", "a supprimé la campagne", "Suppression de la campagne"),
    ("campaign.undeleted", "a restauré la campagne de la corbeille", "Restauration de la corbeille"),
    ("campaign.status_forced", "a forcé le statut de la campagne", "Statut forcé"),
    ("campaign.status_automatic", "a rendu le statut de la campagne automatique", "Statut automatique"),
    ("campaign.pinned", "a épinglé ou désépinglé une campagne", "Favori"),
    ("operation.deleted", "a supprimé une opération", "Opération supprimée"),
    ("operation.restored", "a restauré une opération", "Opération restaurée"),
    ("campaign.transferred", "a transféré la propriété de la campagne", "Propriété transférée"),
    ("campaign.visibility_changed", "a changé la visibilité de la campagne", "Visibilité"),
    ("campaign.workflow_applied", "a appliqué un workflow à la campagne", "Workflow appliqué"),
    ("campaign.checklist_applied", "a changé la checklist de la campagne", "Checklist de la campagne"),
    ("checklist.created", "a créé un modèle de checklist", "Modèle de checklist créé"),
    ("checklist.edited", "a modifié un modèle de checklist", "Modèle de checklist modifié"),
    ("checklist.deleted", "a supprimé un modèle de checklist", "Modèle de checklist supprimé"),
    ("checklist.draft_opened", "a ouvert un brouillon de checklist", "Brouillon de checklist ouvert"),
    ("checklist.draft_saved", "a modifié un brouillon de checklist", "Brouillon de checklist modifié"),
    ("checklist.draft_discarded", "a abandonné un brouillon de checklist", "Brouillon de checklist abandonné"),
    ("checklist.published", "a publié une version de checklist", "Checklist publiée"),
    ("type.created", "a créé un type d’opération", "Type créé"),
    ("type.edited", "a modifié un type d’opération", "Type modifié"),
    ("type.deleted", "a supprimé un type d’opération", "Type supprimé"),
    ("type.field_added", "a ajouté un champ à un type d’opération", "Champ de type ajouté"),
    ("type.field_edited", "a modifié un champ d’un type d’opération", "Champ de type modifié"),
    ("type.field_moved", "a déplacé un champ d’un type d’opération", "Champ de type déplacé"),
    ("type.field_deleted", "a retiré un champ d’un type d’opération", "Champ de type retiré"),
    ("workflow.created", "a créé un workflow", "Workflow créé"),
    ("workflow.edited", "a modifié un workflow", "Workflow modifié"),
    ("workflow.deleted", "a supprimé un workflow", "Workflow supprimé"),
    ("workflow.draft_opened", "a commencé une version de workflow", "Brouillon de workflow ouvert"),
    ("workflow.draft_saved", "a modifié le brouillon d’un workflow", "Brouillon de workflow"),
    ("workflow.draft_discarded", "a abandonné le brouillon d’un workflow", "Brouillon de workflow abandonné"),
    ("workflow.published", "a publié une version de workflow", "Workflow publié"),
    ("configuration.exported", "a exporté la configuration", "Configuration exportée"),
    ("configuration.imported", "a importé une configuration", "Configuration importée"),
    ("field.added", "a ajouté un champ", "Champ ajouté"),
    ("field.edited", "a modifié un champ", "Champ modifié"),
    ("field.moved", "a déplacé un champ", "Champ déplacé"),
    ("field.deleted", "a supprimé un champ", "Champ supprimé"),
    ("field.restored", "a rétabli un champ", "Champ rétabli"),
    ("field.usages_changed", "a changé les usages des champs", "Usages des champs"),
    ("grant.given", "a donné une habilitation", "Habilitation donnée"),
    ("grant.changed", "a modifié une habilitation", "Habilitation modifiée"),
    ("grant.removed", "a retiré une habilitation", "Habilitation retirée"),
    ("share_link.issued", "a créé un lien de partage", "Lien de partage créé"),
    ("share_link.revoked", "a révoqué un lien de partage", "Lien de partage révoqué"),
    ("segment.created", "a créé un segment", "Segment créé"),
    ("segment.renamed", "a renommé un segment", "Segment renommé"),
    ("segment.edited", "a modifié un segment", "Segment modifié"),
    ("segment.reordered", "a déplacé un segment dans la liste", "Ordre des segments"),
    ("segment.deleted", "a supprimé un segment", "Segment supprimé"),
    ("prerequisite.created", "a ajouté un prérequis", "Prérequis ajouté"),
    ("prerequisite.edited", "a modifié un prérequis", "Prérequis modifié"),
    ("prerequisite.status_changed", "a changé le statut d’un prérequis", "Statut d’un prérequis"),
    ("prerequisite.reordered", "a déplacé un prérequis dans la liste", "Ordre des prérequis"),
    ("prerequisite.deleted", "a supprimé un prérequis", "Prérequis supprimé"),
    ("document.deposited", "a déposé un document", "Document déposé"),
    ("document.edited", "a modifié un document", "Document modifié"),
    ("document.replaced", "a remplacé le fichier d’un document", "Fichier remplacé"),
    ("document.deleted", "a supprimé un document", "Document supprimé"),
    ("document.restored", "a restauré un document", "Document restauré"),
    ("document.downloaded", "a téléchargé un document", "Document téléchargé"),
    ("document.purged", "a effacé un document supprimé depuis 30 jours", "Document effacé"),
    ("document.file_purged", "a effacé un fichier remplacé depuis 30 jours", "Ancien fichier effacé"),
    ("gate.forced", "a forcé un prérequis bloquant", "Blocage forcé"),
    ("gate.restored", "a rétabli le blocage d’un prérequis", "Blocage rétabli"),
    ("gate.passed", "a forcé le démarrage d’une opération", "Démarrage forcé"),
    ("view.saved", "a enregistré une vue des opérations", "Vue enregistrée"),
    ("view.deleted", "a supprimé une vue des opérations", "Vue supprimée"),
    ("operation.created", "a ajouté une opération", "Opération ajoutée"),
    ("operation.edited", "a modifié les données d’une opération", "Données modifiées"),
    ("operation.ticked", "a coché une étape", "Étape cochée"),
    ("operation.unticked", "a décoché une étape", "Étape décochée"),
    ("operation.moved", "a changé le statut d’une opération", "Statut d’une opération"),
    ("operation.corrected", "a corrigé le statut d’une opération", "Statut corrigé"),
    ("operation.undone", "a annulé sa dernière action sur une opération", "Action annulée"),
    ("operation.assigned", "a changé le technicien d’une opération", "Technicien"),
    ("operation.planned", "a changé la date prévue d’une opération", "Date prévue"),
    ("operation.segment_changed", "a changé le segment d’une opération", "Segment d’une opération"),
    ("operation.noted", "a ajouté une note à une opération", "Note"),
    ("operations.imported", "a importé des opérations", "Opérations importées"),
    ("operations.exported", "a exporté des opérations", "Opérations exportées"),
    ("bulk.confirmed", "a lancé une action groupée", "Action groupée"),
    ("bulk.cancelled", "a arrêté ou annulé une action groupée", "Action groupée annulée"),
    ("import.received", "a déposé un fichier à importer", "Fichier déposé"),
    ("import.reread", "a changé la lecture d’un fichier à importer", "Lecture du fichier"),
    ("import.mapped", "a choisi la correspondance des colonnes d'un import", "Correspondance des colonnes"),
    ("import.decided", "a choisi ce que devient une différence d’un import", "Choix d’un import"),
    ("import.confirmed", "a lancé un import", "Import lancé"),
    ("import.cancelled", "a abandonné un import", "Import abandonné"),
    ("import.undone", "a annulé un import", "Import annulé"),
    ("import.redone", "a rétabli un import annulé", "Import rétabli"),
    ("message.retried", "a relancé l’envoi d’un message", "Message relancé"),
    ("message.cancelled", "a annulé l’envoi d’un message", "Message annulé"),
    ("link.issued", "a émis un lien à usage unique", "Lien émis"),
    ("link.shown", "a affiché un lien à usage unique", "Lien affiché"),
    ("link.used", "a utilisé un lien à usage unique", "Lien utilisé"),
    ("session.opened", "s’est connecté", "Connexion"),
    ("session.refused", "n'a pas pu se connecter", "Connexion refusée"),
    ("session.closed", "s’est déconnecté", "Déconnexion"),
    ("sessions.revoked", "a déconnecté toutes les sessions d’un compte", "Sessions fermées"),
    ("session.revoked", "a fermé une session", "Session fermée"),
    ("session.stolen", "a présenté un jeton de connexion déjà utilisé", "Jeton réutilisé"),
    ("account.locked", "a été bloqué après trop d’échecs", "Compte bloqué"),
    ("account.lock_lifted", "a levé le blocage d’un compte", "Blocage levé"),
    ("password.changed", "a changé un mot de passe", "Mot de passe changé"),
    ("password.reset_requested", "a demandé un nouveau mot de passe", "Mot de passe oublié"),
    ("user.password_changed", "a changé un mot de passe", "Mot de passe changé"),
    ("profile.changed", "a modifié son profil", "Profil"),
    ("session.half_opened", "a donné son mot de passe et doit encore donner un code", "Mot de passe accepté"),
    ("second_factor.enrolled", "a activé la double authentification", "Double authentification activée"),
    ("second_factor.removed", "a retiré sa double authentification", "Double authentification retirée"),
    ("second_factor.reset", "a réinitialisé la double authentification d’un compte", "Second facteur réinitialisé"),
    ("second_factor.refused", "a donné un code de double authentification faux", "Code refusé"),
    ("password.refused", "a donné un ancien mot de passe faux", "Ancien mot de passe refusé"),
    ("second_factor.codes_renewed", "a créé de nouveaux codes de récupération", "Codes de récupération"),
    ("second_factor.code_used", "a utilisé un code de récupération", "Code de récupération utilisé"),
    ("user.created", "a créé un compte", "Compte créé"),
    ("user.changed", "a modifié un compte", "Compte modifié"),
    ("user.reactivated", "a réactivé un compte", "Compte réactivé"),
    ("user.deactivated", "a désactivé un compte", "Compte désactivé"),
    ("group.created", "a créé un groupe", "Groupe créé"),
    ("group.renamed", "a renommé un groupe", "Groupe renommé"),
    ("group.member_added", "a ajouté un membre à un groupe", "Membre ajouté"),
    ("group.member_removed", "a retiré un membre d’un groupe", "Membre retiré"),
    ("group.deleted", "a supprimé un groupe", "Groupe supprimé"),
    ("mail.tried", "a envoyé un message d’essai", "Message d’essai"),
    ("contact.requested", "a envoyé une demande de contact", "Demande de contact"),
    ("contact.handled", "a marqué une demande de contact comme traitée", "Demande traitée"),
    ("settings.changed", "a modifié les paramètres de l’instance", "Paramètres de l’instance"),
    ("audit.verified", "a vérifié l’intégrité du journal", "Vérification du journal"),
    ("audit.exported", "a exporté le journal", "Journal exporté"),
    ("demo.loaded", "a chargé les données de démonstration", "Démonstration chargée"),
];

/// « a archivé la campagne »
pub fn sentence(action: &str) -> &str {
    known(action).map_or(action, |entry| entry.1)
}

/// « Archivage »
pub fn title(action: &str) -> &str {
    known(action).map_or(action, |entry| entry.2)
}

fn known(action: &str) -> Option<&'static (&'static str, &'static str, &'static str)> {
    ACTIONS.iter().find(|entry| entry.0 == action)
}

/// The kinds of objects, in the order of the filter.
#[rustfmt::skip]
pub const OBJECTS: &[&str] = &[
    "campaign", "operation", "field", "segment", "prerequisite", "document", "view", "grant", "share_link", "import", "bulk", "type", "workflow", "checklist", "configuration",
    "user", "group", "message", "contact_request", "instance", "audit",
];

/// The object's kind, as the filter and the table name it.
pub fn object(kind: &str) -> &str {
    match kind {
        "campaign" => "Campagne",
        "operation" => "Opération",
        "field" => "Champ",
        "segment" => "Segment",
        "prerequisite" => "Prérequis",
        "document" => "Document",
        "view" => "Vue",
        "grant" => "Habilitation",
        "checklist" => "Modèle de checklist",
        "share_link" => "Lien de partage",
        "import" => "Import",
        "user" => "Compte",
        "group" => "Groupe",
        "message" => "Message",
        "instance" => "Instance",
        "configuration" => "Configuration",
        "type" => "Type d’opération",
        "workflow" => "Workflow",
        "contact_request" => "Demande de contact",
        "audit" => "Journal",
        "bulk" => "Action groupée",
        other => other,
    }
}

/// A field of `changes`, in French; the fields of a campaign already carry their own label.
pub fn field(key: &str) -> &str {
    match key {
        "name" | "campaign" => "Nom",
        "description" => "Description",
        "start_date" => "Début",
        "end_date" => "Fin",
        "status" | "state" => "Statut",
        "owner" => "Propriétaire",
        "is_public" => "Visibilité",
        "workflow" => "Workflow",
        "finish_level" => "Étapes non cochées",
        "default_time" => "Heure par défaut",
        "time_tracking" => "Saisie du temps",
        "lock_days" => "Verrouillage (jours)",
        "reminder_days" => "Rappel (jours)",
        "contact" => "Contact",
        "agent_text" => "Texte pour les agents",
        "planned_at" => "Date prévue",
        "identifier" => "Identifiant",
        "label" => "Libellé",
        "color" => "Couleur",
        "responsible" => "Responsable",
        "target_date" => "Échéance",
        "gate_booking" => "Bloque l’ouverture",
        "gate_start" => "Bloque le démarrage",
        "note" => "Note",
        "gate" => "Prérequis bloquant",
        "shared" => "Partagée",
        "moved_to" => "Opérations déplacées vers",
        "operations" => "Opérations",
        "checklist" => "Checklist",
        "step" => "Étape",
        "phases" => "Phases",
        "steps" => "Étapes",
        "prerequisites" => "Prérequis",
        "kind" => "Nature",
        "required" => "Obligatoire",
        "searchable" => "Recherche",
        "in_list" => "Montré dans la liste",
        "sortable" => "Triable",
        "hidden" => "Masqué",
        "pattern" => "Format",
        "hint" => "Aide",
        "choices" => "Choix",
        "position" => "Position",
        "who" => "Personne",
        "group" => "Groupe",
        "members" => "Membres",
        "campaigns" => "Campagnes",
        "in_bin" => "Dont dans la corbeille",
        "rights" => "Droits",
        "roles" => "Rôles",
        "active" => "Actif",
        "file" => "Fichier",
        "size" => "Taille (octets)",
        "sha256" => "Empreinte SHA-256",
        "created" => "Créées",
        "updated" => "Modifiées",
        "unchanged" => "Inchangées",
        "rejected" => "Rejetées",
        "read" => "Lues",
        "removed" => "Retirées",
        "restored" => "Rétablies",
        "kept" => "Conservées",
        "first_name" => "Prénom",
        "last_name" => "Nom",
        "email" => "E-mail",
        "organisation" => "Organisation",
        "contact_email" => "Adresse des demandes",
        "dpo" => "Délégué à la protection des données",
        "source_url" => "Code source",
        "legal_notice" => "Mentions légales",
        "privacy_notice" => "Données personnelles",
        "password_bits" => "Force des mots de passe",
        "password_families" => "Quatre familles de caractères",
        "second_factor_roles" => "Rôles à double authentification",
        "codes_left" => "Codes restants",
        "recipient" => "Destinataire",
        "values_changed" => "Valeurs converties",
        "invalid" => "Valeurs à corriger",
        "values" => "Valeurs",
        "intact" => "Intègre",
        "entries" => "Entrées vérifiées",
        "fault" => "Rupture",
        "gesture" => "Action",
        "filters" => "Filtres",
        "rows" => "Lignes",
        "expires" => "Fin",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::BTreeSet, fs, path::Path};

    /// The text of every source file that records entries, tests aside.
    fn sources(dir: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()) {
            if entry.is_dir() {
                sources(&entry, found);
                continue;
            }
            let name = entry.file_name().unwrap().to_string_lossy().into_owned();
            if !name.ends_with(".rs") || name.contains("tests") || name == "sentences.rs" {
                continue;
            }
            let text = fs::read_to_string(&entry).unwrap();
            let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            if text.contains("Entry") || text.contains("throttle::trace") {
                found.push(text.to_owned());
            }
        }
    }

    fn written() -> Vec<String> {
        let mut found = Vec::new();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        sources(&root, &mut found);
        found
    }

    /// Every `noun.verb` of a text.
    fn codes(text: &str) -> BTreeSet<String> {
        let code = regex::Regex::new(r#""([a-z_]+\.[a-z_]+)""#).unwrap();
        let files = ["svg", "css", "js", "csv", "xlsx", "ods", "html", "pdf", "txt", "json"];
        text.lines()
            .filter(|line| !line.contains("const KIND") && !line.trim_start().starts_with("//"))
            .flat_map(|line| code.captures_iter(line).map(|found| found[1].to_owned()))
            .filter(|word| !files.contains(&word.rsplit('.').next().unwrap()))
            .collect()
    }

    #[test]
    fn every_action_of_the_source_has_a_sentence() {
        let written: BTreeSet<_> = written().iter().flat_map(|text| codes(text)).collect();
        assert!(
            ["campaign.archived", "operation.assigned", "second_factor.refused"]
                .iter()
                .all(|code| written.contains(*code)),
            "the search finds codes"
        );
        let missing: Vec<_> = written.iter().filter(|code| known(code).is_none()).collect();
        assert!(
            missing.is_empty(),
            "actions without a French sentence in audit/sentences.rs: {missing:?}"
        );
    }

    #[test]
    fn every_kind_of_object_of_the_source_has_a_name_and_its_filter() {
        let kind = regex::Regex::new(r#"Entry::(?:on|about)\(\s*[^,()]+,\s*"([a-z_]+)""#).unwrap();
        let kinds: BTreeSet<String> = written()
            .iter()
            .flat_map(|text| {
                kind.captures_iter(text).map(|found| found[1].to_owned()).collect::<Vec<_>>()
            })
            .collect();
        assert!(kinds.contains("type") && kinds.contains("contact_request"), "{kinds:?}");
        for kind in &kinds {
            assert!(OBJECTS.contains(&kind.as_str()), "{kind} is not in OBJECTS");
            assert_ne!(object(kind), kind, "without a French name");
        }
    }

    #[test]
    fn an_action_has_one_sentence() {
        let codes: BTreeSet<_> = ACTIONS.iter().map(|entry| entry.0).collect();
        assert_eq!(codes.len(), ACTIONS.len());
    }
}
