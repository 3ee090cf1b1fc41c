// SPDX-License-Identifier: EUPL-1.2
//! The topics that somebody watches in this process, and a counter for each.
use crate::{accounts::User, campaigns::Campaign, db::Id};
use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex},
};
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    Campaign(Id<Campaign>),
    /// The « Mes interventions » of a person.
    Person(Id<User>),
}

impl Topic {
    /// (campaign, user) as stored in `live_events`.
    pub fn columns(self) -> (Option<Uuid>, Option<Uuid>) {
        match self {
            Self::Campaign(id) => (Some(id.uuid()), None),
            Self::Person(id) => (None, Some(id.uuid())),
        }
    }

    pub fn from_columns(campaign: Option<Uuid>, user: Option<Uuid>) -> Option<Self> {
        match (campaign, user) {
            (Some(id), _) => Some(Self::Campaign(id.into())),
            (_, Some(id)) => Some(Self::Person(id.into())),
            _ => None,
        }
    }

    /// The text of a notification: `c<uuid>` or `p<uuid>`.
    pub fn encode(self) -> String {
        match self {
            Self::Campaign(id) => format!("c{id}"),
            Self::Person(id) => format!("p{id}"),
        }
    }

    pub fn decode(text: &str) -> Option<Self> {
        let id = Uuid::parse_str(text.get(1..)?).ok()?;
        match text.as_bytes().first()? {
            b'c' => Some(Self::Campaign(id.into())),
            b'p' => Some(Self::Person(id.into())),
            _ => None,
        }
    }
}

/// Rows of `live_events` remembered as heard: far more than a minute has.
const HEARD: usize = 20_000;
/// Changes remembered by topic, so that a stream that comes back knows whether it missed one.
const REMEMBERED: usize = 10_000;

struct Inner {
    /// Names this hub in the marks it gives: another process counts otherwise.
    tag: String,
    topics: Mutex<HashMap<Topic, watch::Sender<()>>>,
    memory: Mutex<Memory>,
    /// Moves at each change of any campaign.
    all: watch::Sender<()>,
    outgoing: mpsc::UnboundedSender<Notice>,
}

/// What the other processes are to hear of: a committed row of `live_events`, or a bare topic.
pub type Notice = (Topic, Option<i64>);

#[derive(Default)]
struct Memory {
    /// Rows heard of, by whatever way: the same change is told once.
    heard: BTreeSet<i64>,
    /// Changes heard by this process, all topics together.
    count: u64,
    /// The count at the last change of each topic.
    last: HashMap<Topic, u64>,
    /// The count at the last change of any campaign.
    campaigns: u64,
    /// The count at the last [`Hub::stir`].
    stirred: u64,
    /// Changes up to this one may have been forgotten.
    forgotten: u64,
}

#[derive(Clone)]
pub struct Hub(Arc<Inner>);

/// What a page has heard of when it was asked for: `<hub>-<count>`, the id of the stream's events.
pub type Mark = String;

impl Hub {
    /// The hub, and what this process has to notify the others of.
    pub fn new() -> (Self, mpsc::UnboundedReceiver<Notice>) {
        let (outgoing, notices) = mpsc::unbounded_channel();
        let tag = format!("{:08x}", Uuid::now_v7().as_u128() as u32);
        let inner = Inner {
            tag,
            topics: Mutex::default(),
            memory: Mutex::default(),
            all: watch::Sender::new(()),
            outgoing,
        };
        (Self(Arc::new(inner)), notices)
    }

    /// After a commit: this process at once, the others by notification.
    pub fn tell_row(&self, topic: Topic, row: i64) {
        self.hear(topic, &[row]);
        let _ = self.0.outgoing.send((topic, Some(row)));
    }

    /// Something to look at again that no transaction wrote: the progress of a job.
    pub fn tell(&self, topic: Topic) {
        self.changed(topic);
        let _ = self.0.outgoing.send((topic, None));
    }

    /// What another hub (or this one, echoed) notified.
    pub fn hear_from(&self, tag: &str, topic: Topic, rows: &[i64]) {
        if tag != self.0.tag {
            if rows.is_empty() { self.changed(topic) } else { self.hear(topic, rows) }
        }
    }

    pub fn tag(&self) -> &str {
        &self.0.tag
    }

    /// Rows committed by whoever; those already heard of change nothing.
    pub fn hear(&self, topic: Topic, rows: &[i64]) {
        if self.note(rows) {
            self.changed(topic);
        }
    }

    /// Remembers these rows; whether one of them was new.
    pub fn note(&self, rows: &[i64]) -> bool {
        let Ok(mut memory) = self.0.memory.lock() else { return true };
        let new = rows.iter().filter(|row| memory.heard.insert(**row)).count() > 0;
        while memory.heard.len() > HEARD {
            memory.heard.pop_first();
        }
        new
    }

    /// The rows heard of that may still be read in the table.
    pub fn heard(&self) -> Vec<i64> {
        self.0
            .memory
            .lock()
            .map(|memory| memory.heard.iter().copied().collect())
            .unwrap_or_default()
    }

    /// Moves the topic's watchers.
    pub fn changed(&self, topic: Topic) {
        crate::dashboard::forget(topic);
        if let Ok(mut memory) = self.0.memory.lock() {
            memory.add(topic);
        }
        if let Ok(topics) = self.0.topics.lock()
            && let Some(sender) = topics.get(&topic)
        {
            sender.send_replace(());
        }
        if matches!(topic, Topic::Campaign(_)) {
            self.0.all.send_replace(());
        }
    }

    /// The mark of now: to be taken before reading what the page shows.
    pub fn mark(&self) -> Mark {
        let count = self.0.memory.lock().map(|memory| memory.count).unwrap_or_default();
        format!("{}-{count}", self.0.tag)
    }

    /// Whether this topic (`None`: any campaign) changed since, as far as this process knows.
    /// It does when the mark is another process's.
    pub fn changed_since(&self, mark: &str, topic: Option<Topic>) -> bool {
        let (Some(count), Ok(memory)) = (self.count_of(mark), self.0.memory.lock()) else {
            return true;
        };
        let last = match topic {
            Some(topic) => memory.last.get(&topic).copied().unwrap_or(memory.forgotten),
            None => memory.campaigns,
        };
        last > count
    }

    /// Moves the watchers of all campaigns, though none changed: something was put off.
    pub fn stir(&self) {
        if let Ok(mut memory) = self.0.memory.lock() {
            memory.count += 1;
            memory.campaigns = memory.count;
            memory.stirred = memory.count;
        }
        self.0.all.send_replace(());
    }

    /// The campaigns that changed since; `None` when this process cannot tell which.
    pub fn moved_since(&self, mark: &str) -> Option<Vec<Id<Campaign>>> {
        let count = self.count_of(mark)?;
        let memory = self.0.memory.lock().ok()?;
        (memory.stirred <= count && memory.forgotten <= count).then(|| {
            let moved = memory.last.iter().filter(|(_, at)| **at > count);
            moved
                .filter_map(|(topic, _)| match topic {
                    Topic::Campaign(id) => Some(*id),
                    Topic::Person(_) => None,
                })
                .collect()
        })
    }

    /// The count of this mark, if this hub gave it.
    fn count_of(&self, mark: &str) -> Option<u64> {
        let (tag, count) = mark.split_once('-')?;
        count.parse().ok().filter(|_| tag == self.0.tag)
    }

    pub fn watch(&self, topic: Topic) -> watch::Receiver<()> {
        match self.0.topics.lock() {
            Ok(mut topics) => {
                topics.retain(|known, sender| *known == topic || sender.receiver_count() > 0);
                topics.entry(topic).or_insert_with(|| watch::Sender::new(())).subscribe()
            }
            Err(_) => self.watch_all(),
        }
    }

    /// How many streams are open.
    #[cfg(test)]
    pub fn watchers(&self) -> usize {
        let topics = self.0.topics.lock().unwrap();
        self.0.all.receiver_count()
            + topics.values().map(watch::Sender::receiver_count).sum::<usize>()
    }

    pub fn watch_all(&self) -> watch::Receiver<()> {
        self.0.all.subscribe()
    }
}

impl Memory {
    fn add(&mut self, topic: Topic) {
        self.count += 1;
        self.last.insert(topic, self.count);
        if matches!(topic, Topic::Campaign(_)) {
            self.campaigns = self.count;
        }
        if self.last.len() > REMEMBERED {
            self.forgotten = self.count.saturating_sub(REMEMBERED as u64 / 2);
            let limit = self.forgotten;
            self.last.retain(|_, at| *at > limit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_knows_what_was_missed() {
        let (hub, _outgoing) = Hub::new();
        let (one, two) = (Topic::Campaign(Id::new()), Topic::Person(Id::new()));
        let mark = hub.mark();
        assert!(!hub.changed_since(&mark, Some(one)) && !hub.changed_since(&mark, None));
        hub.changed(one);
        assert!(hub.changed_since(&mark, Some(one)) && hub.changed_since(&mark, None));
        assert!(!hub.changed_since(&mark, Some(two)) && !hub.changed_since(&hub.mark(), Some(one)));
        assert!(hub.changed_since("deadbeef-7", Some(two)), "another process counted otherwise");
        assert!(hub.changed_since("12", Some(two)));
    }

    #[test]
    fn the_campaigns_that_moved_are_known() {
        let (hub, _outgoing) = Hub::new();
        let (one, two) = (Id::new(), Id::new());
        hub.changed(Topic::Campaign(one));
        let mark = hub.mark();
        hub.changed(Topic::Campaign(two));
        hub.changed(Topic::Person(Id::new()));
        assert_eq!(hub.moved_since(&mark), Some(vec![two]));
        assert_eq!(hub.moved_since(&hub.mark()), Some(vec![]));
        assert_eq!(hub.moved_since("deadbeef-7"), None, "another process counted otherwise");
        hub.stir();
        assert_eq!(hub.moved_since(&mark), None);
    }

    #[test]
    fn memory_is_bounded_and_errs_towards_telling() {
        let (hub, _outgoing) = Hub::new();
        let old = Topic::Campaign(Id::new());
        let mark = hub.mark();
        hub.changed(old);
        (0..REMEMBERED * 2).for_each(|_| hub.changed(Topic::Person(Id::new())));
        assert!(hub.0.memory.lock().unwrap().last.len() <= REMEMBERED);
        assert!(hub.changed_since(&mark, Some(old)));
        assert!(!hub.changed_since(&hub.mark(), Some(old)));
    }

    #[test]
    fn topics_nobody_watches_are_let_go() {
        let (hub, _outgoing) = Hub::new();
        for _ in 0..100 {
            drop(hub.watch(Topic::Campaign(Id::new())));
        }
        assert!(hub.0.topics.lock().unwrap().len() <= 1);
    }

    #[test]
    fn topics_travel_as_text() {
        for topic in [Topic::Campaign(Id::new()), Topic::Person(Id::new())] {
            assert_eq!(Topic::decode(&topic.encode()), Some(topic));
        }
        assert_eq!(Topic::decode("x"), None);
        assert_eq!(Topic::decode("é0198a000-0000-7000-8000-000000000011"), None);
    }
}
