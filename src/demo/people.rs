// SPDX-License-Identifier: EUPL-1.2
//! The agents: invented names with what French names are made of, matricules A70001…, telephone
//! numbers of the ranges reserved for fiction.
use super::seed::Rng;
use crate::text::norm;
use std::collections::HashSet;

/// Of the largest campaign, plus five that only the corrected file knows.
pub const AGENTS: usize = 852;

const LAST: [&str; 112] = [
    "ABADIE",
    "ALLÈGRE",
    "ANDRIEUX",
    "AUBRY",
    "AUGER",
    "BARBIER",
    "BAZIN",
    "BÉCHARD",
    "BELLEC",
    "BENOÎT",
    "BERTHELOT",
    "BESNARD",
    "BLANCHET",
    "BOËLLE",
    "BOISSEAU",
    "BONNAFOUS",
    "BOUÉ",
    "BRÉHAT",
    "BUISSON",
    "CADIOU",
    "CAMUS",
    "CARRÉ",
    "CAZENAVE",
    "CHÂTELAIN",
    "CHEVALLIER",
    "CŒURDEROY",
    "COLLET",
    "CORMIER",
    "COUDRAY",
    "D'ALMEIDA",
    "D'HAUTEFEUILLE",
    "DA COSTA",
    "DELAUNAY",
    "DELMAS",
    "DESCHAMPS",
    "DE LA TOUR",
    "DIALLO",
    "DRÉANO",
    "DUBOIS-MOREL",
    "DUMAS",
    "DUVAL",
    "EL AMRANI",
    "ESTÈVE",
    "FABRE",
    "FAÇON",
    "FERREIRA",
    "FLEURY",
    "FOURNIER",
    "FRANÇOIS",
    "GAILLARD",
    "GARÇON",
    "GAUTHIER",
    "GÉRARD",
    "GIRAULT",
    "GOMÈS",
    "GRÉGOIRE",
    "GUÉRIN",
    "GUILLOU",
    "HÉBERT",
    "HÉNAULT",
    "HUET",
    "JACQUET",
    "JOLY",
    "KERBRAT",
    "KERVELLA",
    "KONÉ",
    "L'HERMITTE",
    "LACHAISE",
    "LAMBERT",
    "LARROQUE",
    "LE BIHAN",
    "LE GOFF",
    "LEBŒUF",
    "LECLERCQ",
    "LEMAÎTRE",
    "LEROY",
    "LÉVÊQUE",
    "MAÇON",
    "MAHÉ",
    "MARÉCHAL",
    "MASSÉ",
    "MÉNARD",
    "MEUNIER",
    "MICHAUD",
    "N'DIAYE",
    "NOËL",
    "O'BRIEN",
    "OLLIVIER",
    "PÉRON",
    "PERRIN",
    "PICARD",
    "POIRIER",
    "PRÉVOST",
    "QUÉMÉNEUR",
    "RENAUD",
    "RIVIÈRE",
    "ROBINEAU",
    "ROY-DUPONT",
    "SAINT-MARTIN",
    "SANTOS",
    "SCHMITT",
    "SÉGUIN",
    "SIMONNET",
    "SŒUR",
    "TANGUY",
    "TEISSIER",
    "THÉVENET",
    "TRAORÉ",
    "VALLÉE",
    "VASSAL",
    "VERGNE",
    "ZIEGLER",
];

const FIRST: [&str; 84] = [
    "Agathe",
    "Aïcha",
    "Alain",
    "Alizée",
    "Amélie",
    "Anaïs",
    "André",
    "Anne-Sophie",
    "Antoine",
    "Arnaud",
    "Aurélie",
    "Béatrice",
    "Benoît",
    "Bérénice",
    "Camille",
    "Catherine",
    "Cécile",
    "Cédric",
    "Céline",
    "Chloé",
    "Christian",
    "Clément",
    "Clémence",
    "Damien",
    "Danièle",
    "Delphine",
    "Didier",
    "Élise",
    "Éloïse",
    "Emmanuel",
    "Éric",
    "Estelle",
    "Étienne",
    "Ève",
    "Fabien",
    "Fatou",
    "Florence",
    "François",
    "Françoise",
    "Frédéric",
    "Gaël",
    "Geneviève",
    "Gérard",
    "Grégory",
    "Guillaume",
    "Gwenaëlle",
    "Héloïse",
    "Hervé",
    "Ibrahim",
    "Inès",
    "Isabelle",
    "Jean-Baptiste",
    "Jean-Luc",
    "Jérôme",
    "Joël",
    "Judith",
    "Laëtitia",
    "Laurent",
    "Léa",
    "Loïc",
    "Lucie",
    "Maëlle",
    "Marie-Ève",
    "Mathieu",
    "Maïté",
    "Mélanie",
    "Michèle",
    "Mickaël",
    "Nadège",
    "Noémie",
    "Odile",
    "Pascal",
    "Raphaël",
    "Régis",
    "Rémi",
    "Rose",
    "Sébastien",
    "Solène",
    "Stéphane",
    "Sylvie",
    "Théo",
    "Valérie",
    "Yaël",
    "Zoé",
];

/// Agents whose names the demonstration tells by heart (09 §3, §6), by number.
const KNOWN: [(usize, &str, &str); 12] = [
    (7, "BERNARD", "Julien"),
    (23, "BERNARD", "Julien"),
    (42, "MARTIN", "Jean"),
    (89, "DURAND", "Sophie"),
    (90, "MOREAU", "Anne"),
    (119, "TESSIER", "Ève"),
    (140, "VASSEUR", "Agnès"),
    (156, "PETIT", "Marc"),
    (172, "FERRÉ", "Odile"),
    (188, "DA SILVA", "Rui"),
    (201, "LEBLANC", "Marie"),
    (233, "NGUYEN", "Thi Lan"),
];

#[derive(Clone)]
pub struct Agent {
    /// From 1.
    pub number: usize,
    pub last: &'static str,
    pub first: &'static str,
    pub email: String,
    /// E.164.
    pub phone: Option<String>,
}

impl Agent {
    pub fn matricule(&self) -> String {
        format!("A7{:04}", self.number)
    }

    /// « MARTIN Jean »
    pub fn label(&self) -> String {
        format!("{} {}", self.last, self.first)
    }
}

/// The same agents, in the same order, each time.
pub fn agents() -> Vec<Agent> {
    let mut rng = Rng::new(1);
    let mut taken: HashSet<(&str, &str)> =
        KNOWN.iter().map(|(_, last, first)| (*last, *first)).collect();
    let mut addresses = HashSet::new();
    (1..=AGENTS)
        .map(|number| {
            let known =
                KNOWN.iter().find(|(n, ..)| *n == number).map(|(_, last, first)| (*last, *first));
            let (last, first) = known.unwrap_or_else(|| {
                loop {
                    let name = (rng.pick(&LAST), rng.pick(&FIRST));
                    if taken.insert(name) {
                        break name;
                    }
                }
            });
            let email = address(first, last, &mut addresses);
            let phone =
                if number == 156 { Some("+33199004156".into()) } else { phone(number, &mut rng) };
            Agent { number, last, first, email, phone }
        })
        .collect()
}

fn address(first: &str, last: &str, taken: &mut HashSet<String>) -> String {
    let part = |text: &str| {
        norm(text).chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect::<String>()
    };
    let base = format!("{}.{}", part(first), part(last));
    let mut local = base.clone();
    let mut n = 2;
    while !taken.insert(local.clone()) {
        local = format!("{base}{n}");
        n += 1;
    }
    format!("{local}@demo.example")
}

/// One agent in sixteen has none.
fn phone(number: usize, rng: &mut Rng) -> Option<String> {
    if number % 16 == 11 {
        return None;
    }
    let start = if rng.percent(60) { "+3319900" } else { "+3363998" };
    Some(format!("{start}{:04}", 1000 + number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_are_distinct_and_always_the_same() {
        let agents = agents();
        assert_eq!(agents.len(), AGENTS);
        let distinct =
            |of: fn(&Agent) -> String| agents.iter().map(of).collect::<HashSet<_>>().len();
        assert_eq!(distinct(|a| a.email.clone()), AGENTS);
        assert_eq!(distinct(|a| a.matricule()), AGENTS);
        assert_eq!(distinct(|a| a.label()), AGENTS - 1, "two homonyms");
        assert!(agents.iter().all(|a| a.email.is_ascii() && a.email.ends_with("@demo.example")));
        assert!(
            agents
                .iter()
                .filter_map(|a| a.phone.as_ref())
                .all(|p| p.starts_with("+3319900") || p.starts_with("+3363998"))
        );
        assert!(agents.iter().filter_map(|a| a.phone.as_ref()).all(|p| p.len() == 12));
        assert_eq!(agents[0].label(), self::agents()[0].label());
        for letter in ['É', 'ç', 'œ', '\'', '-'] {
            let has =
                |a: &Agent| a.label().contains(letter) || a.label().to_lowercase().contains(letter);
            assert!(agents.iter().any(has), "{letter}");
        }
    }
}
