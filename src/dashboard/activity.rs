// SPDX-License-Identifier: EUPL-1.2
//! What people did in a campaign, in words (RG-202): the author of the act, never the assignee.
//!
//! Events of an import are one line, taken from the import itself.
use crate::{
    accounts::{self, User},
    campaigns::{Campaign, NO_SEGMENT},
    clock,
    db::Id,
    text::count,
    web::format,
    workflows::Category,
};
use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use std::cmp::Reverse;
use uuid::Uuid;

/// One line of the feed.
#[derive(Clone, Debug)]
pub struct Line {
    pub at: DateTime<Utc>,
    /// « Karim B. »
    pub who: String,
    /// « a terminé »
    pub verb: String,
    /// « PC-0847 », and the operation's page when it still exists.
    pub what: String,
    pub url: Option<String>,
    /// « au 17 mars 2026 », « à Karim BENALI »
    pub rest: String,
    /// « Bâtiment A »; empty for an import.
    pub place: String,
    pub reason: Option<String>,
    pub class: &'static str,
    pub icon: &'static str,
}

impl Line {
    /// « il y a 3 min »
    pub fn ago(&self, now: DateTime<Utc>) -> String {
        format::ago(self.at, now)
    }
    pub fn absolute(&self) -> String {
        format::full_instant(self.at)
    }
    pub fn machine(&self) -> String {
        format::machine(self.at)
    }
}

/// Which lines are asked for (US-609).
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub kind: Option<Kind>,
    pub author: Option<Id<User>>,
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
    /// Lines older than this event: the keyset of the next page.
    pub before: Option<i64>,
}

/// What the filter calls a type of event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Status,
    Date,
    Assignment,
    Edit,
    Note,
    Creation,
    Import,
}

impl Kind {
    pub const ALL: [Self; 7] = [
        Self::Status,
        Self::Date,
        Self::Assignment,
        Self::Edit,
        Self::Note,
        Self::Creation,
        Self::Import,
    ];

    pub fn code(self) -> &'static str {
        match self {
            Self::Status => "statut",
            Self::Date => "date",
            Self::Assignment => "affectation",
            Self::Edit => "modification",
            Self::Note => "note",
            Self::Creation => "creation",
            Self::Import => "import",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Status => "Changement de statut",
            Self::Date => "Date prévue",
            Self::Assignment => "Affectation",
            Self::Edit => "Modification",
            Self::Note => "Note",
            Self::Creation => "Ajout ou suppression",
            Self::Import => "Import",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    fn events(self) -> &'static [&'static str] {
        match self {
            Self::Status => &["transition", "correction", "undo"],
            Self::Date => &["planned"],
            Self::Assignment => &["assigned"],
            Self::Edit => &["edited", "moved"],
            Self::Note => &["note"],
            Self::Creation => &["created", "deleted", "restored"],
            Self::Import => &[],
        }
    }
}

/// A page of the feed, newest first, and the key of the next one.
pub struct Feed {
    pub lines: Vec<Line>,
    pub next: Option<i64>,
}

/// At most `limit` events and the imports among them.
pub async fn feed(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
    wanted: &Wanted,
    limit: i64,
) -> sqlx::Result<Feed> {
    let since = wanted.from.map(clock::start_of);
    let until = wanted.to.and_then(|to| to.succ_opt()).map(clock::start_of);
    let mut rows = events(conn, campaign, wanted, since, until, limit + 1).await?;
    let has_more = i64::try_from(rows.len()).unwrap_or_default() > limit;
    rows.truncate(usize::try_from(limit).unwrap_or_default());
    let next = rows.last().map(|row| row.seq).filter(|_| has_more);
    // Imports of the time that this page covers.
    let upper = match wanted.before {
        Some(seq) => {
            sqlx::query_scalar!("select at from operation_events where seq = $1", seq)
                .fetch_optional(&mut *conn)
                .await?
        }
        None => None,
    };
    let lower = rows.last().map(|row| row.at).filter(|_| has_more);
    let mut lines: Vec<Line> = rows.into_iter().map(|row| row.line(campaign)).collect();
    if wanted.kind.is_none_or(|kind| kind == Kind::Import) {
        lines.extend(
            imports(
                conn,
                campaign,
                wanted.author,
                (since.max(lower), earliest(until, upper)),
                limit,
            )
            .await?,
        );
        lines.sort_by_key(|line| Reverse(line.at));
    }
    Ok(Feed { lines, next })
}

fn earliest(a: Option<DateTime<Utc>>, b: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    a.into_iter().chain(b).min()
}

struct Row {
    seq: i64,
    at: DateTime<Utc>,
    kind: String,
    actor_kind: String,
    first_name: Option<String>,
    last_name: Option<String>,
    from: Option<Category>,
    to: Option<Category>,
    to_name: Option<String>,
    planned_after: Option<DateTime<Utc>>,
    reason: Option<String>,
    changes: Option<Value>,
    operation_id: Uuid,
    identifier: String,
    is_deleted: bool,
    segment: Option<String>,
}

async fn events(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
    wanted: &Wanted,
    since: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
    limit: i64,
) -> sqlx::Result<Vec<Row>> {
    let kinds: Option<Vec<String>> =
        wanted.kind.map(|kind| kind.events().iter().map(|&k| k.to_owned()).collect());
    sqlx::query_as!(
        Row,
        r#"select e.seq, e.at, e.kind, e.actor_kind, u.first_name as "first_name?", u.last_name as "last_name?", 
                  sf.category as "from?: Category", st.category as "to?: Category", st.name as "to_name?", e.planned_after, e.reason, e.changes, e.operation_id, o.identifier, o.deleted_at is not null as "is_deleted!", s.name as "segment?"
           from operation_events e
           join operations o on o.id = e.operation_id
           left join users u on u.id = e.actor_id
           left join segments s on s.id = o.segment_id
           left join workflow_statuses sf on sf.id = e.from_status left join workflow_statuses st on st.id = e.to_status
           where e.campaign_id = $1 and e.kind not in ('imported', 'import_undone', 'remapped', 'ticked', 'unticked', 'checklist_moved')
             and ($2::text[] is null or e.kind = any ($2)) and ($3::uuid is null or e.actor_id = $3)
             and ($4::timestamptz is null or e.at >= $4) and ($5::timestamptz is null or e.at < $5)
             and ($6::bigint is null or e.seq < $6)
           order by e.seq desc limit $7"#,
        campaign as _,
        kinds as _,
        wanted.author.map(Id::uuid),
        since,
        until,
        wanted.before,
        limit
    )
    .fetch_all(conn)
    .await
}

impl Row {
    fn line(self, campaign: Id<Campaign>) -> Line {
        let (verb, rest) = self.said();
        let (class, icon) = match (self.kind.as_str(), self.to) {
            ("transition" | "correction", Some(to)) => (to.code(), to.icon()),
            ("undo", _) => ("cancelled", "undo"),
            ("planned", _) => ("planned", "calendar"),
            ("assigned", _) => ("todo", "user"),
            ("note", _) => ("todo", "message"),
            ("created", _) => ("todo", "plus"),
            ("deleted", _) => ("cancelled", "trash"),
            ("restored", _) => ("todo", "undo"),
            _ => ("todo", "edit"),
        };
        Line {
            at: self.at,
            who: author(&self.actor_kind, self.first_name.as_deref(), self.last_name.as_deref()),
            verb,
            url: (!self.is_deleted)
                .then(|| format!("/campagnes/{campaign}/operations/{}", self.operation_id)),
            what: self.identifier,
            rest,
            place: self.segment.unwrap_or_else(|| NO_SEGMENT.into()),
            reason: self.reason,
            class,
            icon,
        }
    }

    /// The words before and after the identifier.
    fn said(&self) -> (String, String) {
        let date = self
            .planned_after
            .map(|at| format!("au {}", format::long(clock::day(at))))
            .unwrap_or_default();
        let changed =
            |key: &str| self.changes.as_ref().and_then(|c| c[key][1].as_str()).map(str::to_owned);
        let (verb, rest) = match self.kind.as_str() {
            "transition" => return transition_said(self.from, self.to, date),
            "correction" => {
                ("a corrigé le statut de", self.to_name.as_ref().map(|name| format!(": {name}")))
            }
            "undo" => ("a annulé son action sur", None),
            "planned" if self.planned_after.is_none() => ("a retiré la date de", None),
            "planned" => ("a planifié", Some(date)),
            "assigned" => match changed("Technicien") {
                Some(name) => ("a confié", Some(format!("à {name}"))),
                None => ("a retiré le technicien de", None),
            },
            "moved" => ("a déplacé", changed("Segment").map(|name| format!("vers {name}"))),
            "note" => ("a ajouté une note sur", None),
            "created" => ("a ajouté", None),
            "deleted" => ("a supprimé", None),
            "restored" => ("a restauré", None),
            _ => ("a modifié", None),
        };
        (verb.to_owned(), rest.unwrap_or_default())
    }
}

fn transition_said(from: Option<Category>, to: Option<Category>, date: String) -> (String, String) {
    use Category::{Blocked, Cancelled, Done, InProgress, Planned, Postponed, Todo};
    let (verb, rest) = match (from, to) {
        (_, Some(Done)) => ("a terminé", String::new()),
        (Some(Blocked), Some(InProgress)) => ("a débloqué", String::new()),
        (_, Some(InProgress)) => ("a démarré", String::new()),
        (_, Some(Postponed)) => ("a reporté", date),
        (_, Some(Blocked)) => ("a signalé un problème sur", String::new()),
        (_, Some(Cancelled)) => ("a annulé", String::new()),
        (Some(Postponed | Blocked), Some(Planned | Todo)) => ("a replanifié", date),
        (_, Some(Planned)) => ("a planifié", date),
        (_, Some(Todo)) => ("a remis à planifier", String::new()),
        (_, None) => ("a changé le statut de", String::new()),
    };
    (verb.to_owned(), rest)
}

fn author(kind: &str, first: Option<&str>, last: Option<&str>) -> String {
    match (kind, first, last) {
        (_, Some(first), Some(last)) => accounts::brief_name(first, last),
        ("command_line", ..) => "La ligne de commande".into(),
        _ => "OpsTracker".into(),
    }
}

async fn imports(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
    author_id: Option<Id<User>>,
    (since, until): (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
    limit: i64,
) -> sqlx::Result<Vec<Line>> {
    let rows = sqlx::query!(
        r#"select i.finished_at as "at!", i.file_name, i.counters, u.first_name as "first_name?", u.last_name as "last_name?"
           from imports i left join users u on u.id = i.author_id
           where i.campaign_id = $1 and i.state in ('done', 'undone') and i.finished_at is not null
             and ($2::uuid is null or i.author_id = $2)
             and ($3::timestamptz is null or i.finished_at >= $3) and ($4::timestamptz is null or i.finished_at < $4)
           order by i.created_at desc limit $5"#,
        campaign as _,
        author_id.map(Id::uuid),
        since,
        until,
        limit
    )
    .fetch_all(conn)
    .await?;
    let line = |at, counters: Option<Value>, who, file: String| {
        let n = |key: &str| counters.as_ref().and_then(|c| c[key].as_u64()).unwrap_or_default();
        let updated = match n("updated") {
            0 => String::new(),
            n => format!("et en a modifié {}", crate::text::number(n)),
        };
        Line {
            at,
            who,
            verb: "a importé".into(),
            what: count(n("created"), "opération", "opérations"),
            url: None,
            rest: updated,
            place: file,
            reason: None,
            class: "planned",
            icon: "upload",
        }
    };
    Ok(rows
        .into_iter()
        .map(|row| {
            line(
                row.at,
                row.counters,
                author("command_line", row.first_name.as_deref(), row.last_name.as_deref()),
                row.file_name,
            )
        })
        .collect())
}
