//! The attribute keys of events and links in a sealed block: most searches need not unpack any of them.

use super::super::extras::{self, Extra};
use crate::otlp::peek;

/// Keys that are told apart; where there are more, all are possible.
const MOST: usize = 256;

/// The longest key that is kept.
const LONGEST: usize = 256;

/// Which keys occur.
#[derive(Clone, Debug, Default)]
pub(super) struct ExtraKeys {
    events: Keys,
    links: Keys,
}

/// Keys in order.
#[derive(Clone, Debug, Default)]
struct Keys {
    known: Vec<Box<[u8]>>,
    /// There are others too.
    others: bool,
}

impl Keys {
    fn add(&mut self, key: &[u8]) {
        if let Err(place) = self.known.binary_search_by(|known| known[..].cmp(key)) {
            if self.known.len() < MOST && key.len() <= LONGEST {
                self.known.insert(place, key.into());
            } else {
                self.others = true;
            }
        }
    }

    fn may_have(&self, keys: &[&str]) -> bool {
        let is_known = |key: &&str| self.known.binary_search_by(|known| known[..].cmp(key.as_bytes())).is_ok();
        self.others || keys.iter().any(is_known)
    }

    fn bytes(&self) -> usize {
        self.known.iter().map(|key| key.len() + 32).sum()
    }
}

impl ExtraKeys {
    /// Takes note of the extras of a row.
    pub(super) fn add(&mut self, row: &[u8]) {
        for (extra, bytes) in extras::iter(row) {
            match extra {
                Extra::Event => peek::event_attributes(bytes).for_each(|(key, ..)| self.events.add(key)),
                Extra::Link => peek::link_attributes(bytes).for_each(|(key, ..)| self.links.add(key)),
                _ => {}
            }
        }
    }

    /// Whether some event may have an attribute under one of these keys.
    pub(super) fn events_may_have(&self, keys: &[&str]) -> bool {
        self.events.may_have(keys)
    }

    /// Whether some link may have one.
    pub(super) fn links_may_have(&self, keys: &[&str]) -> bool {
        self.links.may_have(keys)
    }

    pub(super) fn bytes(&self) -> usize {
        self.events.bytes() + self.links.bytes()
    }
}
