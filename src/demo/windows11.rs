// SPDX-License-Identifier: EUPL-1.2
//! « Migration Windows 11 – Siège »: 847 operations and what happened to each (09 §5, §6).
use super::{
    accounts::Cast,
    calendar::{Calendar, at},
    campaign::{self, Field, File, Open, Plan, Right, To},
    seed::Rng,
    story::{Birth, Chronicle, Teller},
    targets::{BUILDINGS, End, Target, targets},
    types::{BOOKED, MIGRATION, MODELS},
    visits::{self, Visit},
};
use crate::{
    campaigns::{FieldKind::*, Status},
    workflows::Workflow,
};
use anyhow::Result;
use chrono::{DateTime, Duration, Utc};
use serde_json::{Map, Value};
use sqlx::PgConnection;
use uuid::Uuid;

pub const NAME: &str = "Migration Windows 11 – Siège";
pub const FILE: &str = "cibles-windows11.csv";

const KARIM: &str = "karim.benali";
const LUC: &str = "luc.bernard";
const EMILIE: &str = "emilie.rousseau";
const PAUL: &str = "paul.moreau";

pub const FIELDS: [Field; 9] = [
    Field::new("Matricule", ShortText, &["identifier", "agent_key"]).required(),
    Field::new("Nom utilisateur", ShortText, &["label"]).required(),
    Field::new("Équipement", ShortText, &["equipment"]).listed(),
    Field::new("Localisation", ShortText, &["location"]).listed(),
    Field::new("Contact", Phone, &["contact"]),
    Field::new("Étage", Number, &[]),
    Field::new("Modèle", Choice, &[]).among(&MODELS),
    Field::new("Fin de garantie", Date, &[]),
    Field::new("E-mail", Email, &[]),
];

const POSTPONED: [&str; 6] = [
    "Utilisateur indisponible",
    "Poste en réparation",
    "Utilisateur indisponible",
    "Sauvegarde du profil à terminer",
    "Déménagement du bureau prévu",
    "Logiciel métier à valider avant la migration",
];
const BLOCKED: [&str; 4] = [
    "Erreur au démarrage",
    "Disque dur défaillant",
    "Mémoire insuffisante",
    "Poste introuvable à l’adresse indiquée",
];
const NOTES: [&str; 5] = [
    "Station d’accueil remplacée, second écran rebranché.",
    "Profil volumineux : prévoir une heure de plus la prochaine fois.",
    "Imprimante du couloir reconfigurée à la demande de l’agent.",
    "Ancien poste rendu au magasin.",
    "Logiciel de numérisation réinstallé, à vérifier par le service.",
];

/// What every operation of the campaign is told with.
struct Scene<'a> {
    cal: &'a Calendar,
    cast: &'a Cast,
    workflow: &'a Workflow,
    open: &'a Open,
    searched: Vec<&'a str>,
    import: Uuid,
    imported: DateTime<Utc>,
}

pub async fn write(
    conn: &mut PgConnection,
    cal: &Calendar,
    cast: &Cast,
    told: &mut Chronicle,
) -> Result<()> {
    let first = cal.before(33);
    let imported = at(first, 9 * 60 + 25);
    let plan = Plan {
        name: NAME,
        description: "Remplacement de Windows 10 sur les postes des trois bâtiments du siège, avec sauvegarde du profil et vérification des logiciels spécifiques.",
        type_id: MIGRATION,
        workflow: BOOKED,
        owner: "sophie.martin",
        public: false,
        period: (cal.shifted(-45), cal.shifted(45)),
        status: Status::Running,
        created: at(first, 9 * 60 + 12),
        statuses: &[(at(first, 9 * 60 + 34), Status::Running)],
        fields: &FIELDS,
        segments: &BUILDINGS.map(|b| b.0),
        contact: "Assistance informatique, 01 99 00 10 10",
    };
    let open = campaign::open(conn, cast, told, &plan).await?;
    for right in [
        Right { to: To::Group("Direction"), configure: false, export: true },
        Right { to: To::Person("thomas.oeuvrard"), configure: true, export: true },
    ] {
        campaign::grant(conn, cast, open.id, &right).await?;
    }
    let workflow = Workflow::load(conn, BOOKED).await?;
    let all = targets();
    let file = File { name: FILE, lines: all.len(), fields: &FIELDS, segment: "Bâtiment" };
    let import = campaign::imported(conn, told, &open, &file, cast.id("sophie.martin"), imported)
        .await?
        .uuid();
    let scene = Scene {
        cal,
        cast,
        workflow: &workflow,
        searched: open.searched(),
        open: &open,
        import,
        imported,
    };
    scene.tell(told, &all)
}

impl Scene<'_> {
    fn tell(&self, told: &mut Chronicle, all: &[Target]) -> Result<()> {
        let mut rng = Rng::new(12);
        let of = |end: End| all.iter().filter(move |t| t.end == end && !t.is_pinned());
        self.tell_done(told, of(End::Done).collect(), &mut rng)?;
        self.tell_planned(told, of(End::Planned).collect(), &mut rng)?;
        self.tell_postponed(told, of(End::Postponed).collect(), &mut rng)?;
        self.tell_blocked(told, of(End::Blocked).collect(), &mut rng)?;
        all.iter().filter(|t| t.is_pinned()).try_for_each(|t| self.tell_karims(told, t))
    }

    /// Imported, given to a technician and planned, for the first time, `ago` working days ago.
    fn begin<'c>(
        &'c self,
        told: &'c mut Chronicle,
        t: &Target,
        who: Option<&str>,
        ago: usize,
        planned: DateTime<Utc>,
    ) -> Result<Teller<'c>> {
        let birth = Birth {
            campaign: self.open.id,
            segment: Some(self.open.segments[t.building]),
            identifier: t.agent.matricule(),
            label: t.agent.label(),
            values: values(t),
            import: Some(self.import),
            by: self.sophie(),
            at: self.imported,
        };
        let mut teller = Teller::begin(told, self.workflow, &self.searched, birth)?;
        if let Some(who) = who {
            teller.assign(
                self.sophie(),
                at(self.cal.before(33), 10 * 60 + 40),
                self.cast.named(who),
            )?;
        }
        let day = self.cal.before(ago.clamp(1, 32));
        let minute = 16 * 60 + (t.number() % 50) as u32;
        teller.step_to(self.sophie(), at(day, minute), "plan", planned)?;
        Ok(teller)
    }

    fn sophie(&self) -> crate::db::Id<crate::accounts::User> {
        self.cast.id("sophie.martin")
    }

    /// Buildings one after the other, more or less: A is nearly over, C began late.
    fn tell_done(&self, told: &mut Chronicle, mut done: Vec<&Target>, rng: &mut Rng) -> Result<()> {
        let mut keys: Vec<(usize, usize)> =
            done.iter().enumerate().map(|(i, t)| (rng.below(100) + 22 * t.building, i)).collect();
        keys.sort_unstable();
        done = keys.into_iter().map(|(_, i)| done[i]).collect();
        let visits = visits::before_today(self.cal, rng).into_iter().chain(visits::today(self.cal));
        for (t, visit) in done.into_iter().zip(visits) {
            let mut teller = match rng.below(100) {
                0..8 if (1..=24).contains(&visit.ago) => {
                    self.postponed_once(told, t, &visit, rng)?
                }
                8..12 if (1..=26).contains(&visit.ago) => {
                    self.blocked_once(told, t, &visit, rng)?
                }
                _ => {
                    let mut teller =
                        self.begin(told, t, Some(visit.who), visit.ago + 6, visit.planned)?;
                    teller.step(self.cast.id(visit.who), visit.started, "start")?;
                    teller
                }
            };
            // Now and then Sophie closes an operation that its technician forgot.
            let who = if visit.ago > 0 && rng.percent(4) {
                self.sophie()
            } else {
                self.cast.id(visit.who)
            };
            teller.step(who, visit.done, "complete")?;
            if visit.ago > 0 && rng.percent(4) {
                teller.note(
                    self.cast.id(visit.who),
                    visit.done + Duration::minutes(2),
                    rng.pick(&NOTES),
                );
            }
            teller.end();
        }
        Ok(())
    }

    fn postponed_once<'c>(
        &'c self,
        told: &'c mut Chronicle,
        t: &Target,
        visit: &Visit,
        rng: &mut Rng,
    ) -> Result<Teller<'c>> {
        let who = self.cast.id(visit.who);
        let first = at(self.cal.before(visit.ago + 4), 570);
        let mut teller = self.begin(told, t, Some(visit.who), visit.ago + 9, first)?;
        teller.moves(
            who,
            first + Duration::minutes(6),
            "postpone",
            None,
            Some(rng.pick(&POSTPONED)),
        )?;
        teller.step_to(who, at(self.cal.before(visit.ago + 3), 990), "replan", visit.planned)?;
        teller.step(who, visit.started, "start")?;
        Ok(teller)
    }

    fn blocked_once<'c>(
        &'c self,
        told: &'c mut Chronicle,
        t: &Target,
        visit: &Visit,
        rng: &mut Rng,
    ) -> Result<Teller<'c>> {
        let who = self.cast.id(visit.who);
        let first = at(self.cal.before(visit.ago + 1), 900);
        let mut teller = self.begin(told, t, Some(visit.who), visit.ago + 7, first)?;
        teller.step(who, first + Duration::minutes(4), "start")?;
        teller.moves(
            who,
            first + Duration::minutes(27),
            "report_problem",
            None,
            Some(rng.pick(&BLOCKED)),
        )?;
        teller.moves(who, visit.started, "unblock", None, Some("Pièce reçue"))?;
        Ok(teller)
    }

    /// Seven of today beside Karim's four, the rest on the days that come.
    fn tell_planned(
        &self,
        told: &mut Chronicle,
        mut planned: Vec<&Target>,
        rng: &mut Rng,
    ) -> Result<()> {
        const AFTERNOON: [(&str, u32); 7] = [
            (LUC, 890),
            (EMILIE, 900),
            (LUC, 930),
            (EMILIE, 945),
            (LUC, 970),
            (EMILIE, 990),
            (LUC, 1010),
        ];
        rng.shuffle(&mut planned);
        for (t, (who, minute)) in planned.iter().zip(AFTERNOON) {
            self.begin(told, t, Some(who), 5, at(self.cal.day, minute))?.end();
        }
        for (rank, t) in planned.iter().skip(AFTERNOON.len()).enumerate() {
            let who = match rank {
                r if r % 22 == 21 => None,
                r if r % 33 == 4 => Some(KARIM),
                r if r % 11 == 1 || r % 11 == 7 => Some(PAUL),
                r if r % 2 == 0 => Some(LUC),
                _ => Some(EMILIE),
            };
            let job = (rank % 12) as u32;
            let minute = 510 + 35 * job + if job >= 6 { 45 } else { 0 };
            self.begin(told, t, who, 1 + rank % 6, at(self.cal.after(1 + rank / 12), minute))?
                .end();
        }
        Ok(())
    }

    /// One today, a dozen this week, the rest before; all have a new date.
    fn tell_postponed(
        &self,
        told: &mut Chronicle,
        mut postponed: Vec<&Target>,
        rng: &mut Rng,
    ) -> Result<()> {
        rng.shuffle(&mut postponed);
        for (rank, t) in postponed.into_iter().enumerate() {
            let (who, ago) = (
                if rank % 2 == 0 { EMILIE } else { LUC },
                if rank <= 12 { rank.div_ceil(3) } else { 5 + rank % 16 },
            );
            let minute = 540 + 15 * (rank as u32 % 20);
            let (first, when) = if rank == 0 {
                let when = self.cal.done_today(11 * 60 + 47);
                (when - Duration::minutes(2), when)
            } else {
                let first = at(self.cal.before(ago), minute);
                (first, first + Duration::minutes(rng.between(1, 12).into()))
            };
            let reason = (rank == 0 || rng.percent(85))
                .then(|| if rank == 0 { POSTPONED[0] } else { rng.pick(&POSTPONED) });
            let mut teller = self.begin(told, t, Some(who), ago + 5, first)?;
            let next = at(self.cal.after(2 + rank % 14), minute);
            teller.moves(self.cast.id(who), when, "postpone", Some(next), reason)?;
            teller.end();
        }
        Ok(())
    }

    /// One today; in Bâtiment C the network is not ready.
    fn tell_blocked(
        &self,
        told: &mut Chronicle,
        mut blocked: Vec<&Target>,
        rng: &mut Rng,
    ) -> Result<()> {
        rng.shuffle(&mut blocked);
        for (rank, t) in blocked.into_iter().enumerate() {
            let (who, ago) = (
                if rank % 2 == 0 { LUC } else { EMILIE },
                if rank == 0 { 0 } else { 1 + rank % 18 },
            );
            let (start, stop) = if rank == 0 {
                (self.cal.done_today(13 * 60 + 20), self.cal.done_today(13 * 60 + 58))
            } else {
                let start =
                    at(self.cal.before(ago), 525 + 25 * (rank as u32 % 16)) + Duration::minutes(3);
                (start, start + Duration::minutes(rng.between(9, 34).into()))
            };
            let reason = match (rank, t.building) {
                (0, _) => BLOCKED[0],
                (_, 2) if rank % 4 != 0 => "Câblage réseau absent",
                _ => rng.pick(&BLOCKED),
            };
            let who = self.cast.named(who);
            let mut teller = self.begin(
                told,
                t,
                Some(if rank % 2 == 0 { LUC } else { EMILIE }),
                ago + 6,
                start - Duration::minutes(3),
            )?;
            teller.step(who.0, start, "start")?;
            teller.moves(who.0, stop, "report_problem", None, Some(reason))?;
            if rank % 5 == 3 {
                teller.note(
                    who.0,
                    stop + Duration::minutes(1),
                    "Signalé au responsable du bâtiment, retour attendu cette semaine.",
                );
            }
            teller.end();
        }
        Ok(())
    }

    /// The day that the tour tells (09 §6).
    fn tell_karims(&self, told: &mut Chronicle, t: &Target) -> Result<()> {
        let karim = self.cast.id(KARIM);
        let (cal, day) = (self.cal, |minute| at(self.cal.day, minute));
        let past = |ago, minute| at(cal.before(ago), minute);
        let begin = |told, ago, planned| self.begin(told, t, Some(KARIM), ago, planned);
        let teller = match t.number() {
            42 => self.karim_did(told, t, 9 * 60, (9 * 60 + 3, 9 * 60 + 52))?,
            89 => self.karim_did(told, t, 10 * 60 + 30, (10 * 60 + 31, 11 * 60 + 24))?,
            156 => begin(told, 5, day(14 * 60))?,
            201 => begin(told, 5, day(15 * 60 + 30))?,
            233 => begin(told, 4, day(16 * 60))?,
            90 => {
                let mut teller = begin(told, 8, past(3, 10 * 60))?;
                teller.moves(
                    karim,
                    past(3, 10 * 60 + 8),
                    "postpone",
                    None,
                    Some("Utilisateur indisponible"),
                )?;
                teller.step_to(karim, past(2, 16 * 60 + 20), "replan", day(16 * 60 + 30))?;
                teller
            }
            140 => begin(told, 7, past(2, 9 * 60))?,
            172 => {
                let mut teller = begin(told, 9, past(4, 14 * 60))?;
                teller.moves(
                    karim,
                    past(4, 14 * 60 + 5),
                    "postpone",
                    None,
                    Some("Poste en réparation"),
                )?;
                teller
            }
            188 => {
                let mut teller = begin(told, 11, past(6, 11 * 60))?;
                teller.moves(karim, past(6, 11 * 60 + 12), "postpone", None, None)?;
                teller
            }
            _ => {
                let mut teller = begin(told, 6, past(1, 14 * 60 + 30))?;
                teller.step(karim, past(1, 14 * 60 + 34), "start")?;
                teller.moves(
                    karim,
                    past(1, 15 * 60 + 10),
                    "report_problem",
                    None,
                    Some("Erreur au démarrage"),
                )?;
                teller
            }
        };
        teller.end();
        Ok(())
    }

    fn karim_did<'c>(
        &'c self,
        told: &'c mut Chronicle,
        t: &Target,
        planned: u32,
        (start, done): (u32, u32),
    ) -> Result<Teller<'c>> {
        let karim = self.cast.id(KARIM);
        let mut teller = self.begin(told, t, Some(KARIM), 6, at(self.cal.day, planned))?;
        teller.step(karim, self.cal.done_today(start), "start")?;
        teller.step(karim, self.cal.done_today(done), "complete")?;
        Ok(teller)
    }
}

/// By field number, without identifier and label.
pub fn values(t: &Target) -> Map<String, Value> {
    let mut map = Map::new();
    let phone = t.agent.phone.clone().unwrap_or_default();
    let texts = [
        ("3", t.equipment.clone()),
        ("4", t.location()),
        ("5", phone),
        ("6", t.floor()),
        ("7", t.model.to_owned()),
        ("8", t.warranty.to_owned()),
        ("9", t.agent.email.clone()),
    ];
    map.extend(
        texts
            .into_iter()
            .filter(|(_, text)| !text.is_empty())
            .map(|(key, text)| (key.to_owned(), text.into())),
    );
    map
}
