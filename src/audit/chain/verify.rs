// SPDX-License-Identifier: EUPL-1.2
//! The walk that proves the chain (03 §12.3): every seal against the one before, every entry and every
//! personal value against its digest, every checkpoint against the chain and its signature, every line
//! of the file of checkpoints, then what no seal and no checkpoint covers. One snapshot of the base,
//! batches by position, memory that does not grow.
use super::{
    checkpoint::Checkpoint,
    form::{CONTENT_COLUMNS, Content, GENESIS, commitment, hex, seal_hash},
    key::{SigningKey, is_signed},
    ledger,
    seal::BETWEEN_CHECKPOINTS,
};
use crate::{
    app::App,
    text::{count, number},
    web::format,
};
use chrono::{DateTime, Duration, Utc};
use sqlx::{FromRow, Postgres, Row, Transaction, postgres::PgRow};
use std::{collections::HashMap, io, sync::Arc};

const BATCH: i64 = 2_000;
/// A checkpoint a day, and time for a busy machine to make it.
const BETWEEN_DAYS: Duration = Duration::hours(26);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Intact {
        entries: i64,
        /// The instant of the last sealed entry.
        until: Option<DateTime<Utc>>,
        /// Entries written since, that wait for their seal.
        waiting: i64,
    },
    Broken {
        /// The place of the chain, and the entry that stands there.
        position: Option<i64>,
        entry: Option<i64>,
        why: String,
    },
}

impl Outcome {
    pub fn is_intact(&self) -> bool {
        matches!(self, Self::Intact { .. })
    }

    /// The sentence of 03 §12.3.
    pub fn sentence(&self) -> String {
        match self {
            Self::Intact { until: None, .. } => "Chaîne intègre : aucune entrée scellée.".into(),
            Self::Intact { entries, until: Some(until), waiting } => {
                let entries = count(*entries, "entrée vérifiée", "entrées vérifiées");
                let waiting = match waiting {
                    0 => String::new(),
                    n => {
                        format!(" {} leur sceau.", count(*n, "entrée attend", "entrées attendent"))
                    }
                };
                let until = format::instant(*until);
                format!("Chaîne intègre : {entries} jusqu’au {until}.{waiting}")
            }
            Self::Broken { position: Some(place), why, .. } => {
                format!("Chaîne rompue à la place {} : {why}.", number(*place))
            }
            Self::Broken { why, .. } => format!("Chaîne rompue : {why}."),
        }
    }
}

/// A seal and the entry it names, as the base has them now.
struct Link {
    position: i64,
    entry: i64,
    digest: Vec<u8>,
    previous: Vec<u8>,
    hash: Vec<u8>,
    content: Option<Content>,
}

impl FromRow<'_, PgRow> for Link {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let present: Option<i64> = row.try_get("seq")?;
        Ok(Self {
            position: row.try_get("position")?,
            entry: row.try_get("entry")?,
            digest: row.try_get("digest")?,
            previous: row.try_get("previous")?,
            hash: row.try_get("hash")?,
            content: present.map(|_| Content::from_row(row)).transpose()?,
        })
    }
}

struct Personal {
    key: String,
    salt: Vec<u8>,
    value: String,
}

pub struct Walk {
    tx: Transaction<'static, Postgres>,
    key: Arc<SigningKey>,
    /// The checkpoints of the file, which the base cannot take back.
    kept: ledger::Points,
    /// The end of the chain when the walk began.
    pub total: i64,
    position: i64,
    hash: Vec<u8>,
    until: Option<DateTime<Utc>>,
}

/// What a step finds wrong.
type Found = Result<(), Outcome>;

fn broken(position: impl Into<Option<i64>>, entry: impl Into<Option<i64>>, why: String) -> Outcome {
    Outcome::Broken { position: position.into(), entry: entry.into(), why }
}

impl Walk {
    /// # Errors
    /// The base fails, or the file of the checkpoints cannot be read.
    pub async fn begin(app: &App) -> anyhow::Result<Self> {
        // Opened before the snapshot: whatever the file holds was committed.
        let (key, kept) = (app.audit_key.clone(), ledger::points(&app.config.data_dir)?);
        let mut tx = app.db.begin().await?;
        sqlx::query("set transaction isolation level repeatable read, read only")
            .execute(&mut *tx)
            .await?;
        let total: i64 = sqlx::query_scalar("select coalesce(max(position), 0) from audit_seals")
            .fetch_one(&mut *tx)
            .await?;
        Ok(Self { tx, key, kept, total, position: 0, hash: GENESIS.to_vec(), until: None })
    }

    pub fn position(&self) -> i64 {
        self.position
    }

    /// One batch further; the outcome at the first fault, or at the end.
    ///
    /// # Errors
    /// The base fails, or the file of the checkpoints.
    pub async fn step(&mut self) -> anyhow::Result<Option<Outcome>> {
        let links: Vec<Link> = sqlx::QueryBuilder::new(
            "select s.position, s.entry, s.digest, s.previous, s.hash, ",
        )
        .push(CONTENT_COLUMNS)
        .push(
            " from audit_seals s left join audit_entries e on e.seq = s.entry where s.position > ",
        )
        .push_bind(self.position)
        .push(" order by s.position limit ")
        .push_bind(BATCH)
        .build_query_as()
        .fetch_all(&mut *self.tx)
        .await?;
        let checkpoints =
            self.checkpoints(links.last().map_or(self.position, |l| l.position)).await?;
        let before = checkpoints.get(&0).map_or(&[][..], Vec::as_slice);
        if let Err(outcome) = before.iter().try_for_each(|c| self.signed(c)) {
            return Ok(Some(outcome));
        }
        if links.is_empty() {
            return self.end().await.map(Some);
        }
        let personal = self.personal(&links).await?;
        for link in &links {
            let here = checkpoints.get(&link.position).map_or(&[][..], Vec::as_slice);
            let found = self
                .follow(link)
                .and_then(|()| held(link, personal.get(&link.entry)))
                .and_then(|()| here.iter().try_for_each(|c| self.signed(c)));
            if let Err(outcome) = found {
                return Ok(Some(outcome));
            }
        }
        Ok(None)
    }

    /// The seal follows the one before, and its entry is what it was.
    fn follow(&mut self, link: &Link) -> Found {
        let (place, entry) = (link.position, number(link.entry));
        if place != self.position + 1 {
            let why = "un sceau a été retiré".to_owned();
            return Err(broken(self.position + 1, None, why));
        }
        let Some(content) = &link.content else {
            return Err(broken(place, link.entry, format!("l’entrée n° {entry} a été retirée")));
        };
        if link.previous != self.hash {
            let why = format!("l’entrée n° {entry} ne suit plus celle qui la précédait");
            return Err(broken(place, link.entry, why));
        }
        if link.digest != content.digest() {
            let why = format!("l’entrée n° {entry} a été modifiée après son scellement");
            return Err(broken(place, link.entry, why));
        }
        if link.hash != seal_hash(place, &link.previous, link.entry, &link.digest) {
            let why = format!("le sceau de l’entrée n° {entry} a été modifié");
            return Err(broken(place, link.entry, why));
        }
        (self.position, self.hash, self.until) = (place, link.hash.clone(), Some(content.at));
        Ok(())
    }

    /// A checkpoint says of its place what the chain says, in the hand of a key that we know.
    fn signed(&self, checkpoint: &Checkpoint) -> Found {
        let at = format::instant(checkpoint.at);
        let place = checkpoint.position;
        if !is_signed(&checkpoint.public_key, &checkpoint.text(), &checkpoint.signature) {
            let why = format!("la signature du point de contrôle du {at} est fausse");
            return Err(broken(place, None, why));
        }
        if !self.key.trusts(&checkpoint.public_key) {
            let why = format!(
                "le point de contrôle du {at} est signé par une clé que cette machine ne reconnaît pas ({})",
                hex(&checkpoint.public_key)
            );
            return Err(broken(place, None, why));
        }
        if checkpoint.hash == self.hash { Ok(()) } else { Err(another(checkpoint)) }
    }

    /// After the last seal: what was cut off, what was slipped in.
    async fn end(&mut self) -> anyhow::Result<Outcome> {
        let signed = super::checkpoint::last(&mut self.tx).await?;
        let covered = signed.as_ref().map_or(0, |last| last.position);
        if let Some(last) = signed.filter(|last| last.position > self.position) {
            return Ok(self.cut_off(&last));
        }
        if let Some(outcome) = self.kept().await? {
            return Ok(outcome);
        }
        if let Some(outcome) = self.uncovered(covered).await? {
            return Ok(outcome);
        }
        let slipped: Option<i64> = sqlx::query_scalar(
            "select e.seq from audit_entries e
             where not exists (select from audit_seals s where s.entry = e.seq)
               and not exists (select from audit_unsealed w where w.seq = e.seq)
             order by e.seq limit 1",
        )
        .fetch_optional(&mut *self.tx)
        .await?;
        if let Some(seq) = slipped {
            let why = format!("l’entrée n° {} a été ajoutée hors du journal", number(seq));
            return Ok(broken(None, seq, why));
        }
        let vanished: Option<i64> = sqlx::query_scalar(
            "select w.seq from audit_unsealed w
             where not exists (select from audit_entries e where e.seq = w.seq) order by w.seq limit 1",
        )
        .fetch_optional(&mut *self.tx)
        .await?;
        if let Some(seq) = vanished {
            let why =
                format!("l’entrée n° {}, qui attendait son sceau, a été retirée", number(seq));
            return Ok(broken(None, seq, why));
        }
        let waiting: i64 = sqlx::query_scalar("select count(*) from audit_unsealed")
            .fetch_one(&mut *self.tx)
            .await?;
        Ok(Outcome::Intact { entries: self.position, until: self.until, waiting })
    }

    fn cut_off(&self, last: &Checkpoint) -> Outcome {
        let why = format!(
            "la fin manque, le point de contrôle du {} compte {} et la chaîne s’arrête à {}",
            format::instant(last.at),
            count(last.position, "entrée", "entrées"),
            number(self.position)
        );
        broken(self.position + 1, None, why)
    }

    /// The chain is the one that every line of the file says.
    async fn kept(&mut self) -> anyhow::Result<Option<Outcome>> {
        loop {
            let points: Vec<Checkpoint> =
                self.kept.by_ref().take(BATCH as usize).collect::<io::Result<_>>()?;
            if points.is_empty() {
                return Ok(None);
            }
            let places: Vec<i64> = points.iter().map(|point| point.position).collect();
            let hashes: Vec<(i64, Vec<u8>)> =
                sqlx::query_as("select position, hash from audit_seals where position = any($1)")
                    .bind(&places)
                    .fetch_all(&mut *self.tx)
                    .await?;
            let hashes: HashMap<i64, Vec<u8>> =
                hashes.into_iter().chain([(0, GENESIS.to_vec())]).collect();
            for point in points {
                match hashes.get(&point.position) {
                    Some(hash) if *hash == point.hash => {}
                    Some(_) => return Ok(Some(another(&point))),
                    None => return Ok(Some(self.cut_off(&point))),
                }
            }
        }
    }

    /// What no checkpoint covers is the work of a day at most. Ages are told from one sealed entry to
    /// another, since the program may have been stopped for a week.
    async fn uncovered(&mut self, covered: i64) -> sqlx::Result<Option<Outcome>> {
        let many = self.position - covered;
        let span: Option<Duration> = match many > BETWEEN_CHECKPOINTS {
            true => None,
            false => {
                let ages: (Option<DateTime<Utc>>, Option<DateTime<Utc>>) = sqlx::query_as(
                    "select min(e.at), max(e.at) from audit_seals s join audit_entries e on e.seq = s.entry where s.position > $1",
                )
                .bind(covered)
                .fetch_one(&mut *self.tx)
                .await?;
                ages.0.zip(ages.1).map(|(first, last)| last - first)
            }
        };
        if many <= BETWEEN_CHECKPOINTS && span.is_none_or(|span| span <= BETWEEN_DAYS) {
            return Ok(None);
        }
        let why = format!(
            "aucun point de contrôle ne couvre {}, alors qu’il s’en fait un par jour et toutes les {} entrées",
            count(many, "entrée", "entrées"),
            number(BETWEEN_CHECKPOINTS)
        );
        Ok(Some(broken(covered + 1, None, why)))
    }

    /// By position, from the one after the last step to `to`; those that precede any entry with the first.
    async fn checkpoints(&mut self, to: i64) -> sqlx::Result<HashMap<i64, Vec<Checkpoint>>> {
        let from = if self.position == 0 { -1 } else { self.position };
        let rows: Vec<Checkpoint> = sqlx::query_as(
            "select position, hash, at, public_key, signature from audit_checkpoints where position > $1 and position <= $2 order by position, id",
        )
        .bind(from)
        .bind(to)
        .fetch_all(&mut *self.tx)
        .await?;
        let mut out: HashMap<i64, Vec<Checkpoint>> = HashMap::new();
        for row in rows {
            out.entry(row.position).or_default().push(row);
        }
        Ok(out)
    }

    async fn personal(&mut self, links: &[Link]) -> sqlx::Result<HashMap<i64, Vec<Personal>>> {
        let entries: Vec<i64> = links.iter().map(|link| link.entry).collect();
        let rows = sqlx::query!(
            "select entry, key, salt, value from audit_personal where entry = any($1)",
            &entries
        )
        .fetch_all(&mut *self.tx)
        .await?;
        let mut out: HashMap<i64, Vec<Personal>> = HashMap::new();
        for row in rows {
            let part = Personal { key: row.key, salt: row.salt, value: row.value };
            out.entry(row.entry).or_default().push(part);
        }
        Ok(out)
    }
}

/// The chain is not the one that this checkpoint signed.
fn another(checkpoint: &Checkpoint) -> Outcome {
    let at = format::instant(checkpoint.at);
    let why = format!("la chaîne n’est plus celle que le point de contrôle du {at} a signée");
    broken(checkpoint.position, None, why)
}

/// What is kept apart is what the entry committed to; what is gone was erased (03 §12.4).
fn held(link: &Link, parts: Option<&Vec<Personal>>) -> Found {
    let Some((content, parts)) = link.content.as_ref().zip(parts) else { return Ok(()) };
    let changes: serde_json::Value = serde_json::from_str(&content.changes).unwrap_or_default();
    for part in parts {
        let expected = hex(&commitment(&part.salt, &part.value));
        if changes[&part.key]["commitment"].as_str() != Some(&expected) {
            let why = format!(
                "une donnée personnelle de l’entrée n° {} a été modifiée",
                number(link.entry)
            );
            return Err(broken(link.position, link.entry, why));
        }
    }
    Ok(())
}
