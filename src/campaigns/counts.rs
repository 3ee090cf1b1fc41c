// SPDX-License-Identifier: EUPL-1.2
//! Operations of campaigns counted by category: one query, whatever the number of campaigns.
use super::Campaign;
use crate::{db::Id, workflows::Category};
use sqlx::PgConnection;
use std::collections::HashMap;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts([i64; Category::ALL.len()]);

impl Counts {
    pub fn add(&mut self, category: Category, n: i64) {
        self.0[category as usize] += n;
    }

    pub fn of(&self, category: Category) -> i64 {
        self.0[category as usize]
    }

    pub fn done(&self) -> i64 {
        self.of(Category::Done)
    }

    /// What the rates are computed over: all but the cancelled ones (RG-043).
    pub fn scope(&self) -> i64 {
        self.0.iter().sum::<i64>() - self.of(Category::Cancelled)
    }

    /// Neither done nor cancelled.
    pub fn active(&self) -> i64 {
        self.scope() - self.done()
    }

    pub fn progress(&self) -> Option<u8> {
        progress(self.done(), self.scope())
    }

    /// « 73 % », or « — » when there is nothing to measure.
    pub fn progress_text(&self) -> String {
        self.progress().map_or_else(|| "—".into(), crate::web::format::percent)
    }
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.0.iter_mut().zip(other.0).for_each(|(n, more)| *n += more);
    }
}

/// Done over scope, rounded; 100 only when all is done, 0 only when nothing is (RG-043).
pub fn progress(done: i64, scope: i64) -> Option<u8> {
    if scope <= 0 {
        return None;
    }
    let rounded = (done * 200 + scope) / (scope * 2);
    let honest = match done {
        0 => 0,
        _ if done >= scope => 100,
        _ => rounded.clamp(1, 99),
    };
    u8::try_from(honest).ok()
}

/// The counts of each of these campaigns; one without operations is absent.
pub async fn counts(
    conn: &mut PgConnection,
    campaigns: &[Id<Campaign>],
) -> sqlx::Result<HashMap<Id<Campaign>, Counts>> {
    // The status is in the covering index `operations_counts`, the category is not.
    let rows = sqlx::query!(
        r#"select n.campaign_id as "campaign_id!: Id<Campaign>", w.category, n.n as "n!"
           from (select campaign_id, status_id, count(*) as n from operations
                 where campaign_id = any($1) and deleted_at is null group by campaign_id, status_id) n
           join workflow_statuses w on w.id = n.status_id"#,
        campaigns as _
    )
    .fetch_all(conn)
    .await?;
    let mut all: HashMap<_, Counts> = HashMap::new();
    for row in rows {
        all.entry(row.campaign_id).or_default().add(row.category, row.n);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::progress;

    #[test]
    fn rg_043_progress_is_honest() {
        for (done, scope, expected) in [
            (0, 0, None),
            (0, 847, Some(0)),
            (1, 847, Some(1)),
            (619, 847, Some(73)),
            (846, 847, Some(99)),
            (847, 847, Some(100)),
            (1, 2, Some(50)),
        ] {
            assert_eq!(progress(done, scope), expected, "{done}/{scope}");
        }
    }
}
