// SPDX-License-Identifier: EUPL-1.2
//! The end of the walk: what was cut off, what the file of checkpoints says otherwise, what nothing
//! signs, what was slipped in or taken away before its seal.
use super::{
    checkpoint::{self, Checkpoint},
    form::GENESIS,
    seal::BETWEEN_CHECKPOINTS,
    verify::{Outcome, Walk, broken},
};
use crate::{
    text::{count, number},
    web::format,
};
use chrono::{DateTime, Duration, Utc};
use std::{collections::HashMap, io};

/// Lines of the file compared at once.
const POINTS: usize = 2_000;
/// A checkpoint a day, and time for a busy machine to make it.
const BETWEEN_DAYS: Duration = Duration::hours(26);

impl Walk {
    /// After the last seal: what was cut off, what was slipped in.
    pub(super) async fn end(&mut self) -> anyhow::Result<Outcome> {
        let signed = checkpoint::last(&mut self.tx).await?;
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
                self.kept.by_ref().take(POINTS).collect::<io::Result<_>>()?;
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
        if many <= BETWEEN_CHECKPOINTS && self.span(covered).await? <= BETWEEN_DAYS {
            return Ok(None);
        }
        let why = format!(
            "aucun point de contrôle ne couvre {}, alors qu’il s’en fait un par jour et toutes les {} entrées",
            count(many, "entrée", "entrées"),
            number(BETWEEN_CHECKPOINTS)
        );
        Ok(Some(broken(covered + 1, None, why)))
    }

    /// Between the oldest and the latest entry sealed after this place.
    async fn span(&mut self, place: i64) -> sqlx::Result<Duration> {
        let ends: (Option<DateTime<Utc>>, Option<DateTime<Utc>>) = sqlx::query_as(
            "select min(e.at), max(e.at) from audit_seals s join audit_entries e on e.seq = s.entry where s.position > $1",
        )
        .bind(place)
        .fetch_one(&mut *self.tx)
        .await?;
        Ok(ends.0.zip(ends.1).map_or(Duration::zero(), |(first, last)| last - first))
    }
}

/// The chain is not the one that this checkpoint signed.
pub fn another(checkpoint: &Checkpoint) -> Outcome {
    let at = format::instant(checkpoint.at);
    let why = format!("la chaîne n’est plus celle que le point de contrôle du {at} a signée");
    broken(checkpoint.position, None, why)
}
