//! What is counted per service since the start.

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::HashMap;

use crate::model::{ServiceHealth, Timestamp};

/// Names told apart; further ones share one entry.
const MAX_SERVICES: usize = 4096;

/// The longest name that is kept whole here, in bytes.
const MAX_NAME: usize = 1024;

/// The entry of all names beyond the limit.
const OTHER: &str = "(other)";

/// Counts per service.
#[derive(Debug, Default)]
pub(super) struct Services {
    /// Places by name.
    places: HashMap<Arc<str>, u16>,
    /// Names and counts by place.
    entries: Vec<(Arc<str>, ServiceHealth)>,
    /// As last published.
    published: Arc<BTreeMap<String, ServiceHealth>>,
    /// Something changed since then.
    changed: bool,
    /// Bytes of all names.
    names: usize,
}

impl Services {
    /// The place of a service.
    pub(super) fn place(&mut self, name: &str) -> u16 {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        let known = self.entries.len();
        let name = if known + 1 >= MAX_SERVICES || name.len() > MAX_NAME { OTHER } else { name };
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        let place = u16::try_from(known).unwrap_or(u16::MAX);
        self.names += name.len();
        let name: Arc<str> = Arc::from(name);
        self.entries.push((Arc::clone(&name), ServiceHealth::default()));
        self.places.insert(name, place);
        place
    }

    /// The counts at a place, to change, as something of it arrives.
    pub(super) fn arrive(&mut self, place: u16, now: Timestamp) -> Option<&mut ServiceHealth> {
        self.changed = true;
        let (_, health) = self.entries.get_mut(usize::from(place))?;
        health.last_arrival = health.last_arrival.max(now);
        Some(health)
    }

    /// The counts by name.
    pub(super) fn publish(&mut self) -> Arc<BTreeMap<String, ServiceHealth>> {
        if std::mem::take(&mut self.changed) {
            let named = self.entries.iter().map(|(name, health)| (name.to_string(), health.clone()));
            self.published = Arc::new(named.collect());
        }
        Arc::clone(&self.published)
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        self.names * 2 + self.entries.len() * (2 * size_of::<ServiceHealth>() + 128)
    }
}

/// The services that took part in a trace, by place. Traces rarely have more than stand here, so that copying a page of
/// traces allocates nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct ServiceSet {
    few: [u16; FEW],
    /// How many of `few` there are.
    count: u8,
    more: Option<Arc<Vec<u16>>>,
}

/// Services of a trace that need no allocation.
const FEW: usize = 7;

impl ServiceSet {
    /// Adds one; answers whether it is new.
    pub(super) fn insert(&mut self, place: u16) -> bool {
        let count = usize::from(self.count);
        if self.few.iter().take(count).any(|known| *known == place) {
            return false;
        }
        if let Some(free) = self.few.get_mut(count) {
            *free = place;
            self.count += 1;
            return true;
        }
        let more = Arc::make_mut(self.more.get_or_insert_default());
        let new = !more.contains(&place);
        if new {
            more.push(place);
        }
        new
    }

    /// Each of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = u16> {
        let few = self.few.iter().take(usize::from(self.count));
        few.chain(self.more.iter().flat_map(|more| more.iter())).copied()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        usize::from(self.count) + self.more.as_ref().map_or(0, |more| more.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_beyond_the_limit_share_an_entry() {
        let mut services = Services::default();
        for number in 0..MAX_SERVICES * 2 {
            let place = services.place(&format!("service {number}"));
            services.arrive(place, Timestamp(1)).unwrap().spans += 1;
        }
        let published = services.publish();
        assert_eq!(published.len(), MAX_SERVICES);
        assert_eq!(published.values().map(|health| health.spans).sum::<u64>(), 2 * MAX_SERVICES as u64);
        assert!(published[OTHER].spans > 1);
    }
}
