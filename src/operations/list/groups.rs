// SPDX-License-Identifier: EUPL-1.2
//! The groups of a page: its rows, cut where the segment changes.
use super::{
    filter::{Filter, segment_code},
    rows::{Listed, Row},
};
use crate::{
    campaigns::NO_SEGMENT,
    dashboard::{Counts, Figures},
    db::Id,
};
use std::ops::Range;
use uuid::Uuid;

pub struct Group {
    pub code: String,
    pub name: String,
    /// The class of its colour.
    pub swatch: Option<&'static str>,
    pub counts: Counts,
    pub folded: bool,
    /// Indices in `listed.rows`.
    pub rows: Range<usize>,
}

/// Cuts the page where the segment changes; the heads of folded groups keep their place.
pub fn groups<'a>(
    rows: impl ExactSizeIterator<Item = &'a Row>,
    figures: &Figures,
    filter: &Filter,
    listed: &Listed,
) -> Vec<Group> {
    let mut cuts: Vec<(Uuid, Range<usize>)> = Vec::new();
    for (i, row) in rows.enumerate() {
        match cuts.last_mut().filter(|(segment, _)| *segment == row.segment) {
            Some((_, range)) => range.end = i + 1,
            None => cuts.push((row.segment, i..i + 1)),
        }
    }
    let (first, last) = (cuts.first().map(|c| c.0), cuts.last().map(|c| c.0));
    let here = |segment: Uuid| {
        let rank = |segment| figures.rank(segment);
        (!listed.before || first.is_some_and(|f| rank(segment) > rank(f)))
            && (!listed.after || last.is_some_and(|l| rank(segment) < rank(l)))
    };
    let known = figures
        .segments
        .iter()
        .filter(|s| s.counts.total() > 0 && filter.has_segment(s.id))
        .map(|s| s.id.map_or(Uuid::max(), Id::uuid));
    cuts.extend(known.filter(|s| filter.folded.contains(s) && here(*s)).map(|s| (s, 0..0)));
    cuts.sort_by_key(|(segment, _)| figures.rank(*segment));
    cuts.into_iter().map(|(segment, rows)| group(segment, rows, figures)).collect()
}

fn group(segment: Uuid, rows: Range<usize>, figures: &Figures) -> Group {
    let known = figures.segments.iter().find(|s| s.id.map_or(Uuid::max(), Id::uuid) == segment);
    Group {
        code: segment_code(segment),
        name: known.map_or_else(
            || if segment.is_max() { NO_SEGMENT.into() } else { "Nouveau segment".into() },
            |s| s.name.clone(),
        ),
        swatch: known.and_then(|s| s.swatch()),
        counts: known.map(|s| s.counts).unwrap_or_default(),
        folded: rows.is_empty(),
        rows,
    }
}
