// SPDX-License-Identifier: EUPL-1.2
//! Which column goes where (03 §2.1, §2.2): proposed from the headers, decided by a person.
use super::stats::ColumnStats;
use crate::{
    campaigns::{Field, FieldKind, Usage},
    text::norm,
};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// What a column of the file becomes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    Ignore,
    /// An existing field, by its number.
    Field(i32),
    /// « Créer un champ » of this kind, named as the header.
    New(String),
    Segment,
    PlannedDate,
    PlannedTime,
    /// E-mail of an active technician.
    Technician,
    Notes,
}

/// How a proposal was found, said in words beside the column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// « ✓ Automatique »
    Sure,
    /// « ⚠ À vérifier »
    ToCheck,
    /// « ○ Ignorée »
    Ignored,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    pub header: String,
    pub target: Target,
    pub confidence: Confidence,
    /// « Ajouter aux choix »: values outside the field's list join it instead of being errors.
    #[serde(default)]
    pub opens_list: bool,
}

impl Target {
    /// The word of its option in the form.
    pub fn code(&self) -> String {
        match self {
            Self::Ignore => "ignorer".into(),
            Self::Field(number) => format!("champ-{number}"),
            Self::New(kind) => format!("nouveau-{kind}"),
            Self::Segment => "segment".into(),
            Self::PlannedDate => "date".into(),
            Self::PlannedTime => "heure".into(),
            Self::Technician => "technicien".into(),
            Self::Notes => "notes".into(),
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Some(match code {
            "ignorer" => Self::Ignore,
            "segment" => Self::Segment,
            "date" => Self::PlannedDate,
            "heure" => Self::PlannedTime,
            "technicien" => Self::Technician,
            "notes" => Self::Notes,
            _ => {
                if let Some(number) = code.strip_prefix("champ-") {
                    Self::Field(number.parse().ok()?)
                } else {
                    Self::New(FieldKind::from_code(code.strip_prefix("nouveau-")?)?.code().into())
                }
            }
        })
    }

    /// Ignoring and creating may be chosen many times, the rest once.
    fn is_unique(&self) -> bool {
        !matches!(self, Self::Ignore | Self::New(_))
    }
}

/// Headers compared lower-cased, without accents, punctuation and underscores as spaces.
pub fn header_key(header: &str) -> String {
    let spaced: String =
        norm(header).chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[derive(Clone, Copy)]
enum Known {
    Usage(Usage),
    Email,
    Target(fn() -> Target),
}

/// The table of 03 §2.2.
const KNOWN: [(Known, &[&str]); 11] = [
    (
        Known::Usage(Usage::Identifier),
        &["matricule", "mat", "numero agent", "n agent", "id agent", "identifiant"],
    ),
    (
        Known::Usage(Usage::Label),
        &[
            "nom",
            "nom agent",
            "nom utilisateur",
            "utilisateur",
            "nom prenom",
            "libelle",
            "agent",
            "collaborateur",
        ],
    ),
    (
        Known::Usage(Usage::Equipment),
        &[
            "poste",
            "pc",
            "num pc",
            "n poste",
            "equipement",
            "machine",
            "hostname",
            "numero de serie",
        ],
    ),
    (Known::Usage(Usage::Location), &["bureau", "localisation", "lieu", "piece", "salle"]),
    (Known::Usage(Usage::Contact), &["telephone", "tel", "portable", "mobile", "contact"]),
    (Known::Email, &["email", "e mail", "mail", "courriel", "adresse mail"]),
    (
        Known::Target(|| Target::Segment),
        &["segment", "site", "service", "batiment", "bat", "building", "departement", "zone"],
    ),
    (
        Known::Target(|| Target::PlannedDate),
        &["date", "date prevue", "date planifiee", "date rdv", "jour", "day"],
    ),
    (
        Known::Target(|| Target::PlannedTime),
        &["heure", "heure prevue", "horaire", "heure rdv", "time", "hour"],
    ),
    (
        Known::Target(|| Target::Technician),
        &["technicien", "tech", "intervenant", "e mail du technicien"],
    ),
    (Known::Target(|| Target::Notes), &["notes", "note", "commentaire", "remarque", "observation"]),
];

/// What an export says (03 §5.1) that an import does not take: found out by the program, or
/// changed by a gesture of its own.
const TOLD: [&str; 10] = [
    "statut",
    "categorie",
    "technicien",
    "date initiale",
    "reports",
    "dernier motif",
    "date de debut",
    "date de realisation",
    "duree min",
    "mise a jour",
];

/// Whether the file is an export of this program: « Identifiant », « Libellé », then « Segment »,
/// with « Statut » and « Catégorie » perhaps between.
fn is_export(headers: &[String]) -> bool {
    let keys = headers.iter().take(5).map(|header| header_key(header));
    let keys: Vec<String> =
        keys.filter(|key| !matches!(key.as_str(), "statut" | "categorie")).collect();
    keys.starts_with(&["identifiant".into(), "libelle".into(), "segment".into()])
}

/// Where a column of an export goes; `None` when its name is that of a field, or unknown.
fn exported(key: &str, fields: &[Field]) -> Option<Target> {
    // A field named as one of our columns is exported as « Statut (champ) ».
    let field = key
        .strip_suffix(" champ")
        .and_then(|label| fields.iter().find(|f| header_key(&f.label) == label && !f.is_column()));
    match field {
        Some(field) => Some(Target::Field(field.number)),
        None if key == "segment" => Some(Target::Segment),
        None => TOLD.contains(&key).then_some(Target::Ignore),
    }
}

/// Proposes a target for each column. `previous` is the last mapping of the campaign, by header key.
pub fn propose(
    headers: &[String],
    stats: &[ColumnStats],
    fields: &[Field],
    previous: &[Column],
) -> Vec<Column> {
    let mut taken = HashSet::new();
    let mut columns: Vec<Option<Column>> = vec![None; headers.len()];
    if is_export(headers) {
        for (i, header) in headers.iter().enumerate() {
            let key = header_key(header);
            if let Some(target) = exported(&key, fields) {
                let confidence = match target {
                    Target::Ignore => Confidence::Ignored,
                    _ => Confidence::Sure,
                };
                if target.is_unique() {
                    taken.insert(target.clone());
                }
                let header = header.clone();
                columns[i] = Some(Column { header, target, confidence, opens_list: false });
            }
        }
    }
    // Sure matches first, so that a mere resemblance never takes a target from an exact name.
    for exact in [true, false] {
        for (i, header) in headers.iter().enumerate() {
            if columns[i].is_some() {
                continue;
            }
            let key = header_key(header);
            let found = if exact { sure(&key, fields, previous) } else { resembling(&key, fields) };
            let found = found.filter(|target| suits(target, stats.get(i), fields));
            let Some(target) = found.filter(|t| !t.is_unique() || !taken.contains(t)) else {
                continue;
            };
            if target.is_unique() {
                taken.insert(target.clone());
            }
            let confidence = if exact { Confidence::Sure } else { Confidence::ToCheck };
            columns[i] =
                Some(Column { header: header.clone(), target, confidence, opens_list: false });
        }
    }
    let create = |i: usize| {
        Target::New(stats.get(i).map_or(FieldKind::ShortText, ColumnStats::kind).code().into())
    };
    columns
        .into_iter()
        .enumerate()
        .map(|(i, column)| {
            column.unwrap_or_else(|| {
                let empty = stats.get(i).is_some_and(|s| s.filled == 0);
                let (target, confidence) = if empty {
                    (Target::Ignore, Confidence::Ignored)
                } else {
                    (create(i), Confidence::ToCheck)
                };
                Column { header: headers[i].clone(), target, confidence, opens_list: false }
            })
        })
        .collect()
}

/// A technician is an e-mail address, a date column holds dates: names alone do not decide.
fn suits(target: &Target, stats: Option<&ColumnStats>, fields: &[Field]) -> bool {
    let Some(stats) = stats.filter(|s| s.filled > 0) else { return true };
    match target {
        Target::Technician => stats.emails > 0,
        Target::PlannedDate => stats.dates * 2 > stats.judged(),
        Target::Field(number) => {
            fields.iter().find(|f| f.number == *number).is_none_or(|f| match f.kind {
                FieldKind::Phone => stats.phones * 2 > stats.judged(),
                FieldKind::Date => stats.dates * 2 > stats.judged(),
                FieldKind::Number => stats.numbers * 2 > stats.judged(),
                FieldKind::Choice => {
                    stats.examples.iter().any(|e| f.choices.iter().any(|c| norm(c) == norm(e)))
                }
                _ => true,
            })
        }
        _ => true,
    }
}

fn sure(key: &str, fields: &[Field], previous: &[Column]) -> Option<Target> {
    if let Some(field) = fields.iter().find(|f| header_key(&f.label) == key) {
        return Some(Target::Field(field.number));
    }
    if let Some(column) =
        previous.iter().find(|c| header_key(&c.header) == key && c.target.is_unique())
    {
        let alive = match column.target {
            Target::Field(number) => fields.iter().any(|f| f.number == number),
            _ => true,
        };
        if alive {
            return Some(column.target.clone());
        }
    }
    KNOWN
        .iter()
        .find(|(_, names)| names.contains(&key))
        .and_then(|(known, _)| resolve(*known, fields))
}

fn resembling(key: &str, fields: &[Field]) -> Option<Target> {
    let words: Vec<&str> = key.split(' ').collect();
    let near = |name: &str| {
        let contains = name.split(' ').all(|w| w.len() > 2 && words.contains(&w));
        contains || (name.len() > 4 && distance(name, key) <= 2)
    };
    if let Some(field) = fields.iter().find(|f| near(&header_key(&f.label))) {
        return Some(Target::Field(field.number));
    }
    KNOWN
        .iter()
        .find(|(_, names)| names.iter().any(|name| near(name)))
        .and_then(|(known, _)| resolve(*known, fields))
}

fn resolve(known: Known, fields: &[Field]) -> Option<Target> {
    match known {
        Known::Usage(usage) => fields.iter().find(|f| f.is(usage)).map(|f| Target::Field(f.number)),
        Known::Email => Some(
            fields
                .iter()
                .find(|f| f.kind == FieldKind::Email)
                .map_or_else(|| Target::New("email".into()), |f| Target::Field(f.number)),
        ),
        Known::Target(target) => Some(target()),
    }
}

/// Edits between two short texts (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let substitution = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = substitution.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

/// What is wrong with a mapping, by column number where it is one column's fault.
pub fn faults(columns: &[Column], fields: &[Field]) -> Vec<(Option<usize>, String)> {
    let mut faults = Vec::new();
    let identifier =
        fields.iter().find(|f| f.is(Usage::Identifier)).map(|f| Target::Field(f.number));
    if !columns.iter().any(|c| Some(&c.target) == identifier.as_ref()) {
        faults.push((None, "La colonne identifiant est obligatoire".to_owned()));
    }
    let mut seen = HashSet::new();
    for (i, column) in columns.iter().enumerate() {
        if column.target.is_unique() && !seen.insert(&column.target) {
            faults.push((
                Some(i),
                format!(
                    "La colonne « {} » vise la même donnée qu’une autre colonne",
                    column.header
                ),
            ));
        }
        if let Target::Field(number) = column.target
            && !fields.iter().any(|f| f.number == number)
        {
            faults.push((
                Some(i),
                format!("Le champ choisi pour « {} » n’existe plus", column.header),
            ));
        }
    }
    let dated = columns.iter().any(|c| c.target == Target::PlannedDate);
    if !dated && let Some(i) = columns.iter().position(|c| c.target == Target::PlannedTime) {
        faults.push((Some(i), "Une heure prévue demande une colonne de date prévue".to_owned()));
    }
    for field in fields.iter().filter(|f| f.required && !f.is_column()) {
        if !columns.iter().any(|c| c.target == Target::Field(field.number)) {
            faults.push((
                None,
                format!("Le champ « {} » est obligatoire : choisissez sa colonne", field.label),
            ));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn field(number: i32, label: &str, kind: FieldKind, usages: &[&str]) -> Field {
        Field {
            id: Uuid::nil(),
            number,
            label: label.into(),
            label_norm: norm(label),
            kind,
            required: false,
            searchable: true,
            in_list: true,
            sortable: false,
            hidden: false,
            pattern: None,
            hint: None,
            choices: Vec::new(),
            usages: usages.iter().map(|u| (*u).into()).collect(),
            position: number,
        }
    }

    fn campaign() -> Vec<Field> {
        vec![
            field(1, "Matricule", FieldKind::ShortText, &["identifier", "agent_key"]),
            field(2, "Nom utilisateur", FieldKind::ShortText, &["label"]),
            field(3, "Équipement", FieldKind::ShortText, &["equipment"]),
            field(4, "Localisation", FieldKind::ShortText, &["location"]),
        ]
    }

    fn proposed(headers: &[&str]) -> Vec<(String, Confidence)> {
        let headers: Vec<String> = headers.iter().map(|h| (*h).to_owned()).collect();
        propose(&headers, &[], &campaign(), &[])
            .into_iter()
            .map(|c| (c.target.code(), c.confidence))
            .collect()
    }

    #[test]
    fn a_field_takes_its_own_column_again_however_long_the_file() {
        let mut stats = ColumnStats::default();
        for n in 0..12_000 {
            stats.add(&format!("01990{n:05}"));
        }
        let mut fields = campaign();
        fields.push(field(5, "Téléphone", FieldKind::Phone, &[]));
        let found = propose(&["Téléphone".to_owned()], &[stats], &fields, &[]);
        assert_eq!(found[0].target, Target::Field(5));
    }

    #[test]
    fn us_204_1_headers_of_the_story() {
        use Confidence::{Sure, ToCheck};
        assert_eq!(
            proposed(&["NOM_AGENT", "MATRICULE", "NUM_PC", "ETAGE", "BATIMENT"]),
            [
                ("champ-2".into(), Sure),
                ("champ-1".into(), Sure),
                ("champ-3".into(), Sure),
                ("nouveau-short_text".into(), ToCheck),
                ("segment".into(), Sure),
            ]
        );
    }

    #[test]
    fn each_target_once_and_exact_names_first() {
        let got = proposed(&["Nom de l’agent", "Nom", "Service", "Site"]);
        assert_eq!(got[1], ("champ-2".into(), Confidence::Sure));
        assert_ne!(got[0].0, "champ-2");
        assert_eq!((got[2].0.as_str(), got[3].0.as_str()), ("segment", "nouveau-short_text"));
    }

    #[test]
    fn p_055_other_spelling_same_field() {
        for header in ["NOM", "Nom", " nom_utilisateur ", "Nom-Prénom"] {
            assert_eq!(proposed(&[header])[0].0, "champ-2", "{header}");
        }
    }

    #[test]
    fn faults_are_named() {
        let column = |header: &str, target| Column {
            header: header.into(),
            target,
            confidence: Confidence::Sure,
            opens_list: false,
        };
        let fields = campaign();
        let got = faults(
            &[
                column("A", Target::Field(2)),
                column("B", Target::Field(2)),
                column("H", Target::PlannedTime),
            ],
            &fields,
        );
        assert_eq!(got[0].1, "La colonne identifiant est obligatoire");
        assert_eq!(got.len(), 3);
        assert!(faults(&[column("A", Target::Field(1))], &fields).is_empty());
    }

    #[test]
    fn codes_round_trip() {
        for target in [
            Target::Ignore,
            Target::Field(12),
            Target::New("date".into()),
            Target::Segment,
            Target::Technician,
        ] {
            assert_eq!(Target::from_code(&target.code()), Some(target));
        }
        assert_eq!(Target::from_code("nouveau-fichier"), None);
    }
}
