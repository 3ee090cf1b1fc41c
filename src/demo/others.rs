// SPDX-License-Identifier: EUPL-1.2
//! The five other campaigns of 09 §5: the other statuses, public and walled off, another workflow.
use super::{
    accounts::Cast,
    calendar::{Calendar, at},
    campaign::{self, Field, File, Open, Plan, Right, To},
    people::Agent,
    seed::Rng,
    story::{Birth, Chronicle, Teller},
    targets::{Target, targets},
    types::{BOOKED, Badges, MAINTENANCE, SOFTWARE, STANDARD},
    visits::minute,
    windows11,
};
use crate::{
    campaigns::{Campaign, FieldKind::*, Status},
    db::Id,
    workflows::Workflow,
};
use anyhow::Result;
use chrono::{DateTime, Duration, Utc};
use serde_json::{Map, Value};
use sqlx::PgConnection;
use uuid::Uuid;

const SOPHIE: &str = "sophie.martin";
const NADIA: &str = "nadia.lambert";
const THOMAS: &str = "thomas.oeuvrard";
const LUC: &str = "luc.bernard";
const EMILIE: &str = "emilie.rousseau";
const JEANNE: &str = "jeanne.petit";

/// One operation to be told.
struct Item {
    segment: usize,
    identifier: String,
    label: String,
    values: Map<String, Value>,
}

/// A campaign under way of being told.
struct Tale<'a> {
    cast: &'a Cast,
    open: &'a Open,
    workflow: &'a Workflow,
    owner: &'static str,
    import: Uuid,
    imported: DateTime<Utc>,
}

impl Tale<'_> {
    fn begin<'c>(&'c self, told: &'c mut Chronicle, item: Item, who: &str) -> Result<Teller<'c>> {
        let owner = self.cast.id(self.owner);
        let birth = Birth {
            campaign: self.open.id,
            segment: Some(self.open.segments[item.segment]),
            identifier: item.identifier,
            label: item.label,
            values: item.values,
            import: Some(self.import),
            by: owner,
            at: self.imported,
        };
        let mut teller = Teller::begin(told, self.workflow, &self.open.searched(), birth)?;
        teller.assign(owner, self.imported + Duration::minutes(30), self.cast.named(who))?;
        Ok(teller)
    }
}

/// A campaign to archive once its operations are written: the base refuses them afterwards.
pub type ToArchive = (Id<Campaign>, DateTime<Utc>);

pub async fn write(
    conn: &mut PgConnection,
    cal: &Calendar,
    cast: &Cast,
    badges: &Badges,
    told: &mut Chronicle,
) -> Result<ToArchive> {
    office(conn, cal, cast, told).await?;
    maintenance(conn, cal, cast, told).await?;
    phones(conn, cal, cast, told).await?;
    photos(conn, cal, cast, badges, told).await?;
    printers(conn, cal, cast, told).await
}

/// The campaign's operations came from this file.
async fn tale<'a>(
    conn: &mut PgConnection,
    told: &mut Chronicle,
    (cast, open, workflow): (&'a Cast, &'a Open, &'a Workflow),
    (owner, imported): (&'static str, DateTime<Utc>),
    file: File<'_>,
) -> Result<Tale<'a>> {
    let import =
        campaign::imported(conn, told, open, &file, cast.id(owner), imported).await?.uuid();
    Ok(Tale { cast, open, workflow, owner, import, imported })
}

fn text(pairs: &[(&str, String)]) -> Map<String, Value> {
    pairs
        .iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(key, text)| ((*key).to_owned(), text.clone().into()))
        .collect()
}

/// À venir: thirty appointments given, twenty to give; no booking yet.
async fn office(
    conn: &mut PgConnection,
    cal: &Calendar,
    cast: &Cast,
    told: &mut Chronicle,
) -> Result<()> {
    let created = at(cal.before(9), 14 * 60 + 8);
    let plan = Plan {
        name: "Déploiement Office 365 – Vague 2",
        description: "Installation de la suite bureautique et reprise des modèles de documents, sur rendez-vous.",
        type_id: SOFTWARE,
        workflow: BOOKED,
        owner: SOPHIE,
        public: false,
        period: (cal.shifted(7), cal.shifted(28)),
        status: Status::Upcoming,
        created,
        statuses: &[(created + Duration::minutes(19), Status::Upcoming)],
        fields: &windows11::FIELDS,
        segments: &["Site Central", "Site Nord", "Site Est"],
        contact: "Assistance informatique, 01 99 00 10 10",
    };
    let open = campaign::open(conn, cast, told, &plan).await?;
    for right in [
        Right { to: To::Group("Direction"), configure: false, export: true },
        Right { to: To::Person(THOMAS), configure: false, export: false },
    ] {
        campaign::grant(conn, cast, open.id, &right).await?;
    }
    let workflow = Workflow::load(conn, BOOKED).await?;
    let file = File {
        name: "office-vague-2.xlsx",
        lines: 50,
        fields: &windows11::FIELDS,
        segment: "Site",
    };
    let when = created + Duration::minutes(11);
    let tale = tale(conn, told, (cast, &open, &workflow), (SOPHIE, when), file).await?;
    for (rank, target) in targets().into_iter().take(50).enumerate() {
        let segment = if rank < 20 {
            0
        } else if rank < 35 {
            1
        } else {
            2
        };
        let item = Item {
            segment,
            identifier: target.agent.matricule(),
            label: target.agent.label(),
            values: windows11::values(&target),
        };
        let who = [LUC, EMILIE, THOMAS][segment];
        let mut teller = tale.begin(told, item, who)?;
        if rank % 5 < 3 {
            let (minute, _) = minute(rank % 6, 6);
            let day = cal.worked(9 + (rank / 3) as i64);
            teller.step_to(
                cast.id(SOPHIE),
                at(cal.before(3), 15 * 60 + rank as u32),
                "plan",
                at(day, minute),
            )?;
        }
        teller.end();
    }
    Ok(())
}

/// Terminée: 47 done, 3 cancelled.
async fn maintenance(
    conn: &mut PgConnection,
    cal: &Calendar,
    cast: &Cast,
    told: &mut Chronicle,
) -> Result<()> {
    let (start, end) = (cal.worked(-98), cal.worked(-70));
    let created = at(cal.worked(-105), 10 * 60 + 2);
    let plan = Plan {
        name: "Maintenance préventive – T4",
        description: "Nettoyage, contrôle des disques et des batteries, mise à jour des micrologiciels.",
        type_id: MAINTENANCE,
        workflow: STANDARD,
        owner: SOPHIE,
        public: false,
        period: (start, end),
        status: Status::Finished,
        created,
        statuses: &[
            (created + Duration::minutes(24), Status::Upcoming),
            (at(start, 5), Status::Running),
            (at(end, 16 * 60 + 48), Status::Finished),
        ],
        fields: &windows11::FIELDS,
        segments: &["Bâtiment A", "Bâtiment B", "Bâtiment C"],
        contact: "Assistance informatique, 01 99 00 10 10",
    };
    let open = campaign::open(conn, cast, told, &plan).await?;
    let right =
        Right { to: To::Group("Équipe postes de travail"), configure: false, export: false };
    campaign::grant(conn, cast, open.id, &right).await?;
    let workflow = Workflow::load(conn, STANDARD).await?;
    let file = File {
        name: "maintenance-t4.csv",
        lines: 50,
        fields: &windows11::FIELDS,
        segment: "Bâtiment",
    };
    let when = created + Duration::minutes(13);
    let tale = tale(conn, told, (cast, &open, &workflow), (SOPHIE, when), file).await?;
    let all = targets();
    let chosen: Vec<&Target> = [20, 15, 15]
        .into_iter()
        .enumerate()
        .flat_map(|(building, count)| {
            all.iter().filter(move |t| t.building == building && !t.is_pinned()).take(count)
        })
        .collect();
    for (rank, target) in chosen.into_iter().enumerate() {
        let who = [LUC, EMILIE, JEANNE][rank % 3];
        let item = Item {
            segment: target.building,
            identifier: target.agent.matricule(),
            label: target.agent.label(),
            values: windows11::values(target),
        };
        let mut teller = tale.begin(told, item, who)?;
        if [13, 27, 41].contains(&rank) {
            teller.moves(
                cast.id(SOPHIE),
                created + Duration::hours(2),
                "cancel",
                None,
                Some("Poste retiré du parc"),
            )?;
            teller.end();
            continue;
        }
        let day = cal.worked(-97 + (rank as i64 * 26) / 50);
        let (begins, _) = minute(rank % 6, 6);
        let planned = if rank == 49 { at(end, 16 * 60) } else { at(day, begins) };
        teller.plan(cast.id(SOPHIE), created + Duration::hours(1), planned)?;
        teller.step(cast.id(who), planned + Duration::minutes(2 + rank as i64 % 7), "start")?;
        teller.step(
            cast.id(who),
            planned + Duration::minutes(33 + rank as i64 % 16),
            "complete",
        )?;
        teller.end();
    }
    Ok(())
}

const PRINTERS: [Field; 5] = [
    Field::new("Numéro d’inventaire", ShortText, &["identifier"]).required(),
    Field::new("Imprimante", ShortText, &["label"]).required(),
    Field::new("Modèle", Choice, &["equipment"]).listed().among(&[
        "LaserJet M507",
        "EcoTank L15180",
        "bizhub C300i",
    ]),
    Field::new("Localisation", ShortText, &["location"]).listed(),
    Field::new("Mise en service", Date, &[]),
];

/// Archivée, publique.
async fn printers(
    conn: &mut PgConnection,
    cal: &Calendar,
    cast: &Cast,
    told: &mut Chronicle,
) -> Result<ToArchive> {
    let (start, end, archived) =
        (cal.worked(-190), cal.worked(-150), at(cal.worked(-140), 11 * 60 + 20));
    let created = at(cal.worked(-198), 9 * 60 + 40);
    let plan = Plan {
        name: "Renouvellement des imprimantes",
        description: "Remplacement de trente imprimantes et retrait des anciennes.",
        type_id: MAINTENANCE,
        workflow: STANDARD,
        owner: THOMAS,
        public: true,
        period: (start, end),
        status: Status::Finished,
        created,
        statuses: &[
            (created + Duration::minutes(22), Status::Upcoming),
            (at(start, 5), Status::Running),
            (at(end, 15 * 60 + 41), Status::Finished),
            (archived, Status::Archived),
        ],
        fields: &PRINTERS,
        segments: &["Bâtiment A", "Bâtiment B", "Bâtiment C"],
        contact: "Assistance informatique, 01 99 00 10 10",
    };
    let open = campaign::open(conn, cast, told, &plan).await?;
    let workflow = Workflow::load(conn, STANDARD).await?;
    let file = File { name: "imprimantes.ods", lines: 30, fields: &PRINTERS, segment: "Bâtiment" };
    let when = created + Duration::minutes(9);
    let tale = tale(conn, told, (cast, &open, &workflow), (THOMAS, when), file).await?;
    let mut rng = Rng::new(15);
    for rank in 0..30usize {
        let segment = [0, 1, 2][rank * 3 / 30];
        let (floor, wing) = (rank % 5, ["nord", "sud"][rank / 5 % 2]);
        let item = Item {
            segment,
            identifier: format!("IMP-{:03}", 101 + rank),
            label: format!("Imprimante étage {floor}, aile {wing}"),
            values: text(&[
                ("3", rng.pick(PRINTERS[2].choices).to_owned()),
                ("4", format!("Couloir {wing}, étage {floor}")),
                ("5", cal.worked(-190 + rank as i64).to_string()),
            ]),
        };
        let who = if rank % 3 == 0 { LUC } else { THOMAS };
        let mut teller = tale.begin(told, item, who)?;
        let planned = if rank == 29 {
            at(end, 15 * 60)
        } else {
            at(cal.worked(-189 + rank as i64), minute(rank % 3, 4).0)
        };
        teller.plan(cast.id(THOMAS), created + Duration::hours(1), planned)?;
        teller.step(cast.id(who), planned + Duration::minutes(1), "start")?;
        teller.step(cast.id(who), planned + Duration::minutes(41), "complete")?;
        teller.end();
    }
    Ok((open.id, archived))
}

/// The campaign whose wizard waits for its columns to be checked.
pub const PHONES: &str = "Remplacement des téléphones";

/// Préparation: the wizard waits for its file (`files::phones`).
async fn phones(
    conn: &mut PgConnection,
    cal: &Calendar,
    cast: &Cast,
    told: &mut Chronicle,
) -> Result<()> {
    const FIELDS: [Field; 5] = [
        Field::new("Matricule", ShortText, &["identifier", "agent_key"]).required(),
        Field::new("Nom utilisateur", ShortText, &["label"]).required(),
        Field::new("Équipement", ShortText, &["equipment"]).listed(),
        Field::new("Localisation", ShortText, &["location"]).listed(),
        Field::new("Contact", Phone, &["contact"]).listed(),
    ];
    let plan = Plan {
        name: PHONES,
        description: "Échange des téléphones de service et reprise des contacts.",
        type_id: SOFTWARE,
        workflow: STANDARD,
        owner: SOPHIE,
        public: false,
        period: (cal.shifted(30), cal.shifted(60)),
        status: Status::Draft,
        created: at(cal.before(1), 17 * 60 + 6),
        statuses: &[],
        fields: &FIELDS,
        segments: &[],
        contact: "",
    };
    campaign::open(conn, cast, told, &plan).await?;
    Ok(())
}

const SERVICES: [&str; 5] =
    ["Accueil", "Comptabilité", "Ressources humaines", "Affaires juridiques", "Logistique"];

/// En cours, restreinte, on the custom workflow: invisible to Sophie.
async fn photos(
    conn: &mut PgConnection,
    cal: &Calendar,
    cast: &Cast,
    badges: &Badges,
    told: &mut Chronicle,
) -> Result<()> {
    const FIELDS: [Field; 4] = [
        Field::new("Matricule", ShortText, &["identifier", "agent_key"]).required(),
        Field::new("Nom", ShortText, &["label"]).required(),
        Field::new("Bureau", ShortText, &["location"]).listed(),
        Field::new("Téléphone", Phone, &["contact"]).listed(),
    ];
    let created = at(cal.before(13), 9 * 60 + 50);
    let plan = Plan {
        name: "Photos des badges",
        description: "Prise des photos et remise des nouveaux badges d’accès.",
        type_id: badges.type_id,
        workflow: badges.workflow_version,
        owner: NADIA,
        public: false,
        period: (cal.shifted(-16), cal.shifted(20)),
        status: Status::Running,
        created,
        statuses: &[(created + Duration::minutes(17), Status::Running)],
        fields: &FIELDS,
        segments: &SERVICES,
        contact: "Accueil, 01 99 00 10 20",
    };
    let open = campaign::open(conn, cast, told, &plan).await?;
    let workflow = Workflow::load(conn, badges.workflow_version).await?;
    let file = File { name: "badges.csv", lines: 40, fields: &FIELDS, segment: "Service" };
    let when = created + Duration::minutes(8);
    let tale = tale(conn, told, (cast, &open, &workflow), (NADIA, when), file).await?;
    let mut fates: Vec<usize> =
        (0..40).map(|rank| if rank == 39 { GIVEN_UP } else { rank % 8 }).collect();
    Rng::new(16).shuffle(&mut fates);
    for (rank, (target, fate)) in targets().into_iter().skip(300).zip(fates).enumerate() {
        let item = badge(rank, &target);
        let who = if rank % 2 == 0 { THOMAS } else { EMILIE };
        let mut teller = tale.begin(told, item, who)?;
        tell_photo(&mut teller, cal, cast, who, (rank, fate))?;
        teller.end();
    }
    Ok(())
}

fn badge(rank: usize, target: &Target) -> Item {
    let agent: &Agent = &target.agent;
    Item {
        segment: rank / 8,
        identifier: agent.matricule(),
        label: agent.label(),
        values: text(&[
            ("3", format!("Bureau {}", target.office)),
            ("4", agent.phone.clone().unwrap_or_default()),
        ]),
    }
}

/// One of the forty fates.
const GIVEN_UP: usize = 8;

/// Of eight fates, three are handed, one photographed, two ready, one to prepare, one to do again.
fn tell_photo(
    teller: &mut Teller<'_>,
    cal: &Calendar,
    cast: &Cast,
    who: &str,
    (rank, fate): (usize, usize),
) -> Result<()> {
    let (nadia, who) = (cast.id(NADIA), cast.id(who));
    let start = 540 + 20 * (rank as u32 % 12);
    let photo = at(cal.before(1 + rank % 9), start);
    let prepare = |teller: &mut Teller<'_>| {
        teller.step_to(nadia, at(cal.before(11), 600 + rank as u32), "prepare", photo)
    };
    match fate {
        0..=2 => {
            prepare(teller)?;
            teller.step(who, photo + Duration::minutes(2), "photograph")?;
            teller.step(who, photo + Duration::minutes(185), "hand")
        }
        3 => {
            prepare(teller)?;
            teller.step(who, photo + Duration::minutes(4), "photograph")
        }
        4 | 5 => {
            let day = cal.after(1 + rank % 5);
            teller.step_to(nadia, at(cal.before(11), 600 + rank as u32), "prepare", at(day, start))
        }
        6 => Ok(()),
        GIVEN_UP => teller.moves(
            nadia,
            at(cal.before(2), 700),
            "abandon",
            None,
            Some("Agent muté dans une autre direction"),
        ),
        _ => {
            prepare(teller)?;
            teller.step(who, photo + Duration::minutes(3), "photograph")?;
            teller.moves(
                who,
                photo + Duration::minutes(50),
                "redo",
                None,
                Some("Photo trop sombre"),
            )
        }
    }
}
