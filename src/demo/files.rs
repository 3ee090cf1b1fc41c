// SPDX-License-Identifier: EUPL-1.2
//! The files delivered with the demonstration (09 §7): the targets of the large campaign as they
//! were imported, the same corrected, one with every fault, and the one that the wizard waits for.
use super::{
    people,
    targets::{Target, targets},
    windows11,
};
use anyhow::{Context, Result};
use std::path::Path;

const HEADER: &str = "NOM_AGENT;MATRICULE;NUM_PC;ETAGE;BATIMENT;EMAIL";

pub const CORRECTED: &str = "cibles-windows11-corrige.csv";
pub const FAULTY: &str = "cibles-defauts.csv";
pub const PHONES: &str = "telephones.csv";

/// Writes them all; returns their names.
pub fn write(dir: &Path) -> Result<Vec<&'static str>> {
    std::fs::create_dir_all(dir).with_context(|| format!("création de {}", dir.display()))?;
    let files = [
        (windows11::FILE, cibles()),
        (CORRECTED, corrected()),
        (FAULTY, faulty()),
        (PHONES, phones()),
    ];
    for (name, content) in &files {
        std::fs::write(dir.join(name), content).with_context(|| format!("écriture de {name}"))?;
    }
    Ok(files.iter().map(|(name, _)| *name).collect())
}

struct Line {
    label: String,
    matricule: String,
    equipment: String,
    floor: String,
    building: &'static str,
    email: String,
}

impl From<&Target> for Line {
    fn from(t: &Target) -> Self {
        Self {
            label: t.agent.label(),
            matricule: t.agent.matricule(),
            equipment: t.equipment.clone(),
            floor: t.floor(),
            building: t.building_name(),
            email: t.agent.email.clone(),
        }
    }
}

fn file(lines: &[Line]) -> Vec<u8> {
    let mut text = format!("{HEADER}\r\n");
    for l in lines {
        text.push_str(&format!(
            "{};{};{};{};{};{}\r\n",
            l.label, l.matricule, l.equipment, l.floor, l.building, l.email
        ));
    }
    windows_1252(&text)
}

/// 847 lines in Windows-1252.
pub fn cibles() -> Vec<u8> {
    file(&targets().iter().map(Line::from).collect::<Vec<_>>())
}

/// Absent from the corrected file.
const GONE: [usize; 3] = [311, 528, 790];

/// The same, where 12 lines changed, 5 are new and 3 are missing.
pub fn corrected() -> Vec<u8> {
    let all = targets();
    let mut lines: Vec<Line> =
        all.iter().filter(|t| !GONE.contains(&t.number())).map(Line::from).collect();
    let mut change = |number: usize, with: fn(&mut Line)| {
        let matricule = format!("A7{number:04}");
        lines.iter_mut().filter(|l| l.matricule == matricule).for_each(with);
    };
    for number in [15, 130, 266, 402, 640] {
        change(number, |l| l.equipment.push_str("-N"));
    }
    for number in [58, 217, 519, 733] {
        change(number, |l| l.floor = if l.floor == "3" { "2".into() } else { "3".into() });
    }
    for number in [77, 345, 808] {
        change(number, |l| l.email = l.email.replace("@demo.example", "@siege.demo.example"));
    }
    for agent in people::agents().iter().skip(all.len()) {
        lines.push(Line {
            label: agent.label(),
            matricule: agent.matricule(),
            equipment: format!("PC-{:04}", agent.number),
            floor: "1".into(),
            building: "Bâtiment C",
            email: agent.email.clone(),
        });
    }
    file(&lines)
}

/// What real files do (07 §3): a title, an empty and a double header, empty lines, quoted delimiters
/// and line ends, impossible dates, wrong values, three spellings of a building, a formula.
pub fn faulty() -> Vec<u8> {
    const TEXT: &str = "\
Extraction du parc – siège\r
\r
NOM_AGENT;MATRICULE;NUM_PC;ETAGE;BATIMENT;EMAIL;DATE;HEURE;TECHNICIEN;;NUM_PC\r
LEBŒUF Zoé;D00001;PC-D001;1;Bâtiment A;zoe.leboeuf@demo.example;10/02/2026;09:00;karim.benali@demo.example;;\r
FAÇON Éric;D00002;PC-D002;2;batiment a;eric.facon@demo.example;10/02/26;;luc.bernard@demo.example;;\r
\"Dupont, Jean\";D00003;\"a;b\";0;BÂTIMENT  A;jean.dupont@demo.example;2026-02-11 15h00;;;;\r
\"D'HAUTEFEUILLE\r\nMarie-Ève\";D00004;PC-D004;1;0;marie-eve@demo.example;;;;;\r
;;;;;;;;;;\r
GÉRARD Noël;D00005;PC-D005;deux;Bâtiment B;noel.gerard@demo.example;;;;;\r
SŒUR Inès;D00006;PC-D006;3;Bâtiment B;ines.soeur;;;;;\r
MAÇON Théo;D00007;PC-D007;1;Bâtiment B;theo.macon@demo.example;31/02/2026;;;;\r
O'BRIEN Yaël;D00008;PC-D008;1;Bâtiment B;yael.obrien@demo.example;45/13/2026;;;;\r
KONÉ Aïcha;D00009;PC-D009;1;Bâtiment B;aicha.kone@demo.example;10/02/0026;;;;\r
NOËL Léa;D00010;PC-D010;1;Bâtiment C;lea.noel@demo.example;12/02/2026;25h00;;;\r
LÉVÊQUE Odile;D00011;PC-D011;1;Bâtiment C;odile.leveque@demo.example;29/03/2026;02:30;;;\r
ZIEGLER Alizée;D00001;PC-D012;1;Bâtiment C;alizee.ziegler@demo.example;;;;;\r
;D00013;PC-D013;1;Bâtiment C;inconnu@demo.example;;;;;\r
THÉVENET Gaël;;PC-D014;1;Bâtiment C;gael.thevenet@demo.example;;;;;\r
N'DIAYE Fatou;D00015;PC-D015;1;Bâtiment C;fatou.ndiaye@demo.example;;;personne@demo.example;;\r
PRÉVOST Rémi;D00016;=HYPERLINK(\"http://exemple.invalid\");1;Bâtiment C;remi.prevost@demo.example;;;;;\r
ROY-DUPONT Clément;D00017;PC-D017\r
VALLÉE Solène;D00018;PC-D018;1;Bâtiment C;solene.vallee@demo.example;;;;;;en trop;100 €\r
;;;;;;;;;;\r
";
    windows_1252(TEXT)
}

/// 60 telephones, three lines of which are refused: a number, an address of nobody, a missing name.
pub fn phones() -> Vec<u8> {
    let mut text = String::from("NOM;MATRICULE;POSTE;BUREAU;TELEPHONE;SITE\r\n");
    for (rank, target) in targets().iter().skip(400).take(60).enumerate() {
        let agent = &target.agent;
        let site = ["Site Central", "Site Nord", "Site Est"][rank / 20];
        let phone = crate::operations::values::national(&format!("+3363998{:04}", 4000 + rank));
        let phone = if rank == 11 { "06 39 98".into() } else { phone.replace('\u{a0}', " ") };
        let matricule = if rank == 27 { String::new() } else { agent.matricule() };
        let label = if rank == 44 { String::new() } else { agent.label() };
        text.push_str(&format!(
            "{label};{matricule};TEL-{:03};Bureau {};{phone};{site}\r\n",
            rank + 1,
            target.office
        ));
    }
    windows_1252(&text)
}

/// The characters of our files are Latin-1, but for these.
fn windows_1252(text: &str) -> Vec<u8> {
    text.chars()
        .map(|c| match c {
            '€' => 0x80,
            'Œ' => 0x8c,
            'œ' => 0x9c,
            '’' => 0x92,
            '–' => 0x96,
            c => u8::try_from(c as u32).unwrap_or(b'?'),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    /// The lines of a file by matricule.
    fn read(bytes: &[u8]) -> HashMap<String, Vec<String>> {
        assert!(!bytes.contains(&b'?'), "a character that the file cannot say");
        let text: String = bytes.iter().map(|b| *b as char).collect();
        let lines: Vec<Vec<String>> =
            text.lines().skip(1).map(|l| l.split(';').map(str::to_owned).collect()).collect();
        let count = lines.len();
        let map: HashMap<_, _> = lines.into_iter().map(|l| (l[1].clone(), l)).collect();
        assert_eq!(map.len(), count);
        map
    }

    #[test]
    fn corrected_is_12_changes_5_new_3_missing() {
        let (before, after) = (read(&cibles()), read(&corrected()));
        assert_eq!(before.len(), 847);
        assert!(std::str::from_utf8(&cibles()).is_err(), "Windows-1252");
        assert_eq!(after.keys().filter(|k| !before.contains_key(*k)).count(), 5);
        assert_eq!(before.keys().filter(|k| !after.contains_key(*k)).count(), 3);
        assert_eq!(
            before
                .iter()
                .filter(|(k, line)| after.get(*k).is_some_and(|other| other != *line))
                .count(),
            12
        );
    }

    #[test]
    fn files_are_written() {
        let dir = std::env::temp_dir().join(format!("opstracker-demo-{}", uuid::Uuid::new_v4()));
        let names = write(&dir).unwrap();
        assert!(names.iter().all(|name| dir.join(name).exists()));
        std::fs::remove_dir_all(dir).unwrap();
    }
}
