//! What is counted per service since the start.

use std::sync::Arc;

use hashbrown::HashMap;

use crate::model::{ServiceHealth, Timestamp};

/// Names told apart; further ones share one entry.
const MAX_SERVICES: usize = 4096;

/// The longest name that is kept whole here, in bytes.
const MAX_NAME: usize = 1024;

/// The entry of all names beyond the limit.
const OTHER: &str = "(other)";

/// Services a page holds. A publication copies each page whose counts changed, so pages are not large.
const PAGE: usize = 32;

/// Names and counts of some services.
type Page = Vec<(Arc<str>, ServiceHealth)>;

/// Counts per service since the start, in order of first arrival. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceCounts {
    /// All but the last have [`PAGE`] services.
    pages: Arc<Vec<Arc<Page>>>,
}

impl ServiceCounts {
    /// Each service's name and counts.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ServiceHealth)> {
        self.pages.iter().flat_map(|page| page.iter()).map(|(name, health)| (&**name, health))
    }

    /// Each service's counts.
    pub fn values(&self) -> impl Iterator<Item = &ServiceHealth> {
        self.iter().map(|(_, health)| health)
    }

    fn len(&self) -> usize {
        self.pages.last().map_or(0, |last| (self.pages.len() - 1) * PAGE + last.len())
    }

    fn push(&mut self, name: Arc<str>) {
        let pages = Arc::make_mut(&mut self.pages);
        if pages.last().is_none_or(|last| last.len() >= PAGE) {
            pages.push(Arc::new(Vec::with_capacity(PAGE)));
        }
        if let Some(last) = pages.last_mut() {
            Arc::make_mut(last).push((name, ServiceHealth::default()));
        }
    }

    fn change(&mut self, place: usize) -> Option<&mut ServiceHealth> {
        let page = Arc::make_mut(&mut self.pages).get_mut(place / PAGE)?;
        Arc::make_mut(page).get_mut(place % PAGE).map(|(_, health)| health)
    }
}

/// Counts per service.
#[derive(Debug, Default)]
pub(super) struct Services {
    /// Places by name.
    places: HashMap<Arc<str>, u16>,
    /// Names and counts by place.
    counts: ServiceCounts,
    /// Bytes of all names.
    names: usize,
    /// By place: what [`Self::settle`] is to add. A body has many groups of few services, and each look at what readers
    /// share has its price.
    waiting: Vec<Tally>,
    /// Places where something waits.
    touched: Vec<u16>,
}

/// What came of a service.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) spans: u64,
    pub(super) errors: u64,
    pub(super) slow_sql: u64,
    pub(super) traces: u64,
}

impl Services {
    /// The place of a service.
    pub(super) fn place(&mut self, name: &str) -> u16 {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        let known = self.counts.len();
        let name = if known + 1 >= MAX_SERVICES || name.len() > MAX_NAME { OTHER } else { name };
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        let place = u16::try_from(known).unwrap_or(u16::MAX);
        self.names += name.len();
        let name: Arc<str> = Arc::from(name);
        self.counts.push(Arc::clone(&name));
        self.places.insert(name, place);
        place
    }

    /// The counts at a place, to change, as something of it arrives.
    pub(super) fn arrive(&mut self, place: u16, now: Timestamp) -> Option<&mut ServiceHealth> {
        let health = self.counts.change(usize::from(place))?;
        health.last_arrival = health.last_arrival.max(now);
        Some(health)
    }

    /// Takes note of what came of a service, to be counted by [`Self::settle`].
    pub(super) fn tally(&mut self, place: u16, more: Tally) {
        let at = usize::from(place);
        if self.waiting.len() <= at {
            self.waiting.resize(at + 1, Tally::default());
        }
        let waiting = &mut self.waiting[at];
        if waiting.spans == 0 {
            self.touched.push(place);
        }
        waiting.spans += more.spans;
        waiting.errors += more.errors;
        waiting.slow_sql += more.slow_sql;
        waiting.traces += more.traces;
    }

    /// Counts what was taken note of; it came at `now`.
    pub(super) fn settle(&mut self, now: Timestamp) {
        while let Some(place) = self.touched.pop() {
            let more = std::mem::take(&mut self.waiting[usize::from(place)]);
            if let Some(health) = self.arrive(place, now) {
                health.spans += more.spans;
                health.errors += more.errors;
                health.slow_sql += more.slow_sql;
                health.traces += more.traces;
            }
        }
    }

    /// The counts by name.
    pub(super) fn publish(&self) -> ServiceCounts {
        self.counts.clone()
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        self.names * 2 + self.counts.len() * (size_of::<(Arc<str>, ServiceHealth)>() + 64)
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
        assert!(published.iter().any(|(name, health)| name == OTHER && health.spans > 1));
    }

    #[test]
    fn a_publication_shares_what_did_not_change_with_the_one_before() {
        let mut services = Services::default();
        let places: Vec<u16> = (0..PAGE * 3).map(|number| services.place(&format!("service {number}"))).collect();
        let before = services.publish();
        services.arrive(places[PAGE], Timestamp(7)).unwrap().spans += 1;
        let after = services.publish();
        let same: Vec<bool> = (0..3).map(|page| Arc::ptr_eq(&before.pages[page], &after.pages[page])).collect();
        assert_eq!(same, [true, false, true]);
        assert!(before.values().all(|health| health.spans == 0));
        assert_eq!(after.values().map(|health| health.spans).sum::<u64>(), 1);
    }
}
