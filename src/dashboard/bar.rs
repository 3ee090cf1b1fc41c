// SPDX-License-Identifier: EUPL-1.2
//! Bars are SVG rectangles whose width is an attribute: our policy refuses style attributes.
use super::Counts;
use crate::workflows::Category;

/// One part of a stacked bar of 100 units.
pub struct Part {
    pub class: &'static str,
    pub x: String,
    pub width: String,
    pub is_first: bool,
}

/// The order of the parts: what is done first, what needs action last.
const ORDER: [Category; 5] = [
    Category::Done,
    Category::InProgress,
    Category::Planned,
    Category::Postponed,
    Category::Blocked,
];

/// « À planifier » is the bare track at the end: a bar that is not started is empty.
pub fn stacked(counts: &Counts) -> Vec<Part> {
    let tenths = |n: u64| {
        u64::try_from(u128::from(n) * 1000 / u128::from(counts.scope().max(1))).unwrap_or(1000)
    };
    let mut from = 0;
    let mut parts = Vec::new();
    for category in ORDER {
        let n = counts.of(category);
        let (start, end) = (tenths(from), tenths(from + n));
        from += n;
        if end > start {
            parts.push(Part {
                class: category.code(),
                x: decimal(start),
                width: decimal(end - start),
                is_first: start == 0,
            });
        }
    }
    parts
}

fn decimal(tenths: u64) -> String {
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_follow_each_other_to_the_end() {
        let mut counts = Counts::default();
        for (category, n) in [
            (Category::Done, 619),
            (Category::Planned, 142),
            (Category::Postponed, 52),
            (Category::Blocked, 34),
            (Category::Cancelled, 9),
        ] {
            counts.add(category, n);
        }
        let parts: Vec<_> = stacked(&counts)
            .into_iter()
            .map(|p| format!("{} {}+{}", p.class, p.x, p.width))
            .collect();
        assert_eq!(
            parts,
            ["done 0.0+73.0", "planned 73.0+16.8", "postponed 89.8+6.1", "blocked 95.9+4.1"]
        );
        assert!(stacked(&Counts::default()).is_empty());
    }
}
