// SPDX-License-Identifier: EUPL-1.2
//! The walk that proves the chain (03 §12.3): every seal against the one before, every entry and every
//! personal value against its digest, every checkpoint against the chain and its signature, every line
//! of the file of checkpoints, then what no seal and no checkpoint covers. One snapshot of the base,
//! batches by position, memory that does not grow.
use super::{
    checkpoint::Checkpoint,
    end::another,
    form::{CONTENT_COLUMNS, Content, GENESIS, commitment, hex, seal_hash},
    key::{SigningKey, is_signed},
    ledger,
};
use crate::{
    app::App,
    text::{count, number},
    web::format,
};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, Postgres, Row, Transaction, postgres::PgRow};
use std::{collections::HashMap, sync::Arc};

const BATCH: i64 = 2_000;

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
    pub(super) tx: Transaction<'static, Postgres>,
    key: Arc<SigningKey>,
    /// The checkpoints of the file, which the base cannot take back.
    pub(super) kept: ledger::Points,
    /// The end of the chain when the walk began.
    pub total: i64,
    pub(super) position: i64,
    hash: Vec<u8>,
    pub(super) until: Option<DateTime<Utc>>,
}

/// What a step finds wrong.
type Found = Result<(), Outcome>;

pub(super) fn broken(
    position: impl Into<Option<i64>>,
    entry: impl Into<Option<i64>>,
    why: String,
) -> Outcome {
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
