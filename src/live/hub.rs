// SPDX-License-Identifier: EUPL-1.2
//! The topics that somebody watches in this process, and a counter for each.
use crate::{accounts::User, campaigns::Campaign, db::Id};
use std::{
    collections::HashMap,
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

struct Inner {
    /// How many times each watched topic changed; `all` moves at each change of any campaign.
    topics: Mutex<HashMap<Topic, watch::Sender<u64>>>,
    all: watch::Sender<u64>,
    outgoing: mpsc::UnboundedSender<Topic>,
}

#[derive(Clone)]
pub struct Hub(Arc<Inner>);

impl Hub {
    /// The hub, and what this process has to notify the others of.
    pub fn new() -> (Self, mpsc::UnboundedReceiver<Topic>) {
        let (outgoing, notices) = mpsc::unbounded_channel();
        (Self(Arc::new(Inner { topics: Mutex::default(), all: watch::Sender::new(0), outgoing })), notices)
    }

    /// After a commit: this process at once, the others by notification.
    pub fn tell(&self, topic: Topic) {
        self.changed(topic);
        let _ = self.0.outgoing.send(topic);
    }

    /// A change seen, ours or another process's.
    pub fn changed(&self, topic: Topic) {
        crate::dashboard::forget(topic);
        if let Ok(topics) = self.0.topics.lock()
            && let Some(sender) = topics.get(&topic)
        {
            sender.send_modify(|n| *n += 1);
        }
        if matches!(topic, Topic::Campaign(_)) {
            self.0.all.send_modify(|n| *n += 1);
        }
    }

    pub fn watch(&self, topic: Topic) -> watch::Receiver<u64> {
        match self.0.topics.lock() {
            Ok(mut topics) => {
                topics.retain(|known, sender| *known == topic || sender.receiver_count() > 0);
                topics.entry(topic).or_insert_with(|| watch::Sender::new(0)).subscribe()
            }
            Err(_) => self.watch_all(),
        }
    }

    pub fn watch_all(&self) -> watch::Receiver<u64> {
        self.0.all.subscribe()
    }
}
