// SPDX-License-Identifier: EUPL-1.2
//! A workflow as a drawing: statuses in columns by their distance from the initial one, an arrow for
//! each way, numbered like the list that says the same in words (US-803.1).
use super::{Category, Definition};
use std::collections::{BTreeMap, HashMap};

const WIDTH: i32 = 156;
const HEIGHT: i32 = 44;
const COLUMN: i32 = 252;
const ROW: i32 = 92;
const MARGIN: i32 = 24;

pub struct Node {
    /// What fits in the box.
    pub short: String,
    pub name: String,
    pub category: Category,
    pub initial: bool,
    pub x: i32,
    pub y: i32,
}

pub struct Edge {
    /// Path data.
    pub path: String,
    /// Arrow head: a triangle at the target.
    pub head: String,
    /// « 1 », or « 2, 5 » when several transitions go the same way.
    pub label: String,
    pub x: i32,
    pub y: i32,
}

pub struct Graph {
    pub nodes: Vec<Node>,
    pub edges: Vec<Edge>,
    pub width: i32,
    pub height: i32,
}

impl Graph {
    /// The drawing of any definition, valid or not.
    pub fn of(definition: &Definition) -> Self {
        let ranks = ranks(definition);
        let mut rows: HashMap<i32, i32> = HashMap::new();
        let mut places: HashMap<&str, (i32, i32)> = HashMap::new();
        for status in &definition.statuses {
            let rank = ranks[status.key.as_str()];
            let row = rows.entry(rank).or_default();
            places.insert(&status.key, (MARGIN + rank * COLUMN, MARGIN + *row * ROW));
            *row += 1;
        }
        let columns = rows.keys().max().map_or(1, |last| last + 1);
        let lines = rows.values().max().copied().unwrap_or(1);
        let nodes = definition
            .statuses
            .iter()
            .map(|s| {
                let (x, y) = places[s.key.as_str()];
                Node {
                    short: shortened(&s.name),
                    name: s.name.clone(),
                    category: s.category,
                    initial: s.initial,
                    x,
                    y,
                }
            })
            .collect();
        let edges: Vec<_> = ways(definition)
            .into_iter()
            .enumerate()
            .filter_map(|(n, ((from, to), numbers))| {
                let (a, b) = (places.get(from)?, places.get(to)?);
                Some(edge(*a, *b, &numbers, n as i32))
            })
            .collect();
        let backward = edges.iter().map(|e| e.y + 20).max().unwrap_or(0);
        Self {
            nodes,
            width: 2 * MARGIN + (columns - 1) * COLUMN + WIDTH + 40,
            height: (2 * MARGIN + (lines - 1) * ROW + HEIGHT).max(backward),
            edges,
        }
    }
}

fn shortened(name: &str) -> String {
    match name.char_indices().nth(14) {
        Some((end, _)) if name.chars().count() > 15 => format!("{}…", name[..end].trim_end()),
        _ => name.to_owned(),
    }
}

/// The distance of each status from the initial one; those never reached come last.
fn ranks(definition: &Definition) -> HashMap<&str, i32> {
    let mut ranks: HashMap<&str, i32> =
        definition.statuses.iter().filter(|s| s.initial).map(|s| (s.key.as_str(), 0)).collect();
    let mut rank = 0;
    loop {
        let mut next = Vec::new();
        for t in &definition.transitions {
            if t.from.iter().any(|from| ranks.get(from.as_str()) == Some(&rank))
                && definition.status(&t.to).is_some()
                && !ranks.contains_key(t.to.as_str())
            {
                next.push(t.to.as_str());
            }
        }
        if next.is_empty() {
            break;
        }
        rank += 1;
        ranks.extend(next.into_iter().map(|key| (key, rank)));
    }
    for status in &definition.statuses {
        ranks.entry(&status.key).or_insert(rank + 1);
    }
    ranks
}

/// (from, to) → numbers of the transitions that go that way.
fn ways(definition: &Definition) -> BTreeMap<(&str, &str), Vec<usize>> {
    let mut ways: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    for (n, t) in definition.transitions.iter().enumerate() {
        for from in &t.from {
            ways.entry((from, &t.to)).or_default().push(n + 1);
        }
    }
    ways
}

/// Forward: right side to left side. Same column: a loop on the right. Backward: below.
fn edge((ax, ay): (i32, i32), (bx, by): (i32, i32), numbers: &[usize], n: i32) -> Edge {
    let label = numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    // Neighbouring arrows do not hide each other.
    let shift = (n % 5 - 2) * 5;
    let (p0, p1, p2, p3, head) = if bx > ax {
        let (x0, y0, x3, y3) = (ax + WIDTH, ay + HEIGHT / 2 + shift, bx, by + HEIGHT / 2 + shift);
        let bend = ((x3 - x0) / 2).max(40);
        let head = format!("M{x3} {y3}l-9 -5v10z");
        ((x0, y0), (x0 + bend, y0), (x3 - bend, y3), (x3, y3), head)
    } else if bx == ax {
        let (x, y0, y3) = (ax + WIDTH, ay + HEIGHT / 2 + shift, by + HEIGHT / 2 - shift);
        let bend = 34 + (y3 - y0).abs() / 6;
        let head = format!("M{x} {y3}l9 -5v10z");
        ((x, y0), (x + bend, y0), (x + bend, y3), (x, y3), head)
    } else {
        let (x0, x3) = (ax + WIDTH / 2 + shift * 3, bx + WIDTH / 2 + shift * 3);
        let (y0, y3) = (ay + HEIGHT, by + HEIGHT);
        let low = y0.max(y3) + 26 + (n % 3) * 10;
        let head = format!("M{x3} {y3}l-5 9h10z");
        ((x0, y0), (x0, low), (x3, low), (x3, y3), head)
    };
    let middle = |a: i32, b: i32, c: i32, d: i32| (a + 3 * b + 3 * c + d) / 8;
    Edge {
        path: format!("M{} {}C{} {} {} {} {} {}", p0.0, p0.1, p1.0, p1.1, p2.0, p2.1, p3.0, p3.1),
        head,
        label,
        x: middle(p0.0, p1.0, p2.0, p3.0),
        y: middle(p0.1, p1.1, p2.1, p3.1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_is_drawn_even_those_never_reached() {
        let mut definition = Definition::starting();
        definition.transitions.pop();
        let graph = Graph::of(&definition);
        assert_eq!(graph.nodes.iter().map(|n| n.x).collect::<Vec<_>>(), [24, 276, 528]);
        assert_eq!(graph.edges.len(), 1);
        assert_eq!(graph.edges[0].label, "1");
    }
}
