//! Traces at rest: a page of the trace table in a third of the room. Most traces get no more spans.

use std::sync::Arc;

use super::batch::Figures;
use super::outline::Outline;
use super::room::fit;
use super::services::ServiceSet;
use super::traces::TraceRow;
use super::twins::Filter;
use crate::model::{Badges, SourceId, Timestamp, TraceId};

/// Some traces whose numbers follow each other.
#[derive(Clone, Debug)]
pub(super) struct ColdPage {
    /// The number of the first.
    first: u64,
    /// What the others are told against: the head, first arrival and revision of the first.
    base: [u64; 3],
    /// Here as they are: they are asked for most.
    ids: Vec<TraceId>,
    /// Where each begins in `bytes`.
    starts: Vec<u16>,
    /// All but ids and badges, as numbers of variable length.
    bytes: Vec<u8>,
    /// What stands out, by place.
    badges: Vec<(u16, Arc<Badges>)>,
}

/// Bits of the first byte of a row.
const TRUNCATED: u64 = 1;
const LARGE: u64 = 2;
const HAS_PARENT: u64 = 4;

/// Small where `to` is near `from`, in either direction.
fn step(from: u64, to: u64) -> u64 {
    let distance = to.wrapping_sub(from).cast_signed();
    (distance << 1 ^ distance >> 63).cast_unsigned()
}

/// The `to` of [`step`].
fn stepped(from: u64, step: u64) -> u64 {
    from.wrapping_add((step >> 1) ^ (step & 1).wrapping_neg())
}

fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

/// Numbers one after the other.
struct Numbers<'a>(std::slice::Iter<'a, u8>);

impl Numbers<'_> {
    fn next(&mut self) -> u64 {
        let mut number = 0;
        for (place, byte) in (0..).zip(self.0.by_ref()) {
            number |= u64::from(byte & 0x7f) << (7 * place);
            if *byte < 0x80 {
                break;
            }
        }
        number
    }

    fn narrow(&mut self) -> u32 {
        u32::try_from(self.next()).unwrap_or(u32::MAX)
    }
}

impl ColdPage {
    /// The page of these rows; `None` where some left, wait to be settled, or follow each other with a gap.
    pub(super) fn of(rows: &[TraceRow]) -> Option<Self> {
        let first = rows.first()?;
        let mut page = Self {
            first: first.number,
            base: [first.head, first.first_arrival.0, first.revision],
            ids: Vec::with_capacity(rows.len()),
            starts: Vec::with_capacity(rows.len()),
            bytes: Vec::with_capacity(rows.len() * 48),
            badges: Vec::new(),
        };
        for (place, row) in (0_u16..).zip(rows) {
            if row.gone || row.touched || row.stale || row.number != page.first + u64::from(place) {
                return None;
            }
            page.ids.push(row.id);
            page.starts.push(u16::try_from(page.bytes.len()).ok()?);
            page.badges.extend(row.badges.clone().map(|badges| (place, badges)));
            page.push(row);
        }
        fit(&mut page.bytes);
        fit(&mut page.badges);
        Some(page)
    }

    fn push(&mut self, row: &TraceRow) {
        let Self { base, bytes, .. } = self;
        let figures = &row.figures;
        let flags = u64::from(row.truncated) * TRUNCATED
            + u64::from(row.large) * LARGE
            + u64::from(figures.root_rank.0) * HAS_PARENT;
        let arrival = row.first_arrival.0;
        for number in [
            flags,
            step(base[0], row.head),
            step(base[1], arrival),
            step(base[2], row.revision),
            step(arrival, row.last_arrival.0),
            row.cost,
            step(row.head, figures.root),
            step(arrival, figures.start),
            step(figures.start, figures.end),
            step(figures.start, figures.root_rank.1),
            u64::from(figures.spans),
            u64::from(figures.errors),
            u64::from(row.orphans),
            u64::from(row.source.0),
            u64::from_le_bytes(figures.crowds),
            row.services.len() as u64,
        ] {
            put(bytes, number);
        }
        row.services.iter().for_each(|place| put(bytes, u64::from(place)));
    }

    /// How many traces there are.
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    fn place(&self, number: u64) -> Option<usize> {
        usize::try_from(number.checked_sub(self.first)?).ok().filter(|place| *place < self.ids.len())
    }

    /// The id of a trace.
    pub(super) fn id(&self, number: u64) -> Option<TraceId> {
        Some(self.ids[self.place(number)?])
    }

    /// A trace.
    pub(super) fn get(&self, number: u64) -> Option<TraceRow> {
        let place = self.place(number)?;
        let mut numbers = Numbers(self.bytes.get(usize::from(self.starts[place])..)?.iter());
        let mut next = || numbers.next();
        let flags = next();
        let [head, first_arrival, revision] = self.base.map(|base| stepped(base, next()));
        let last_arrival = Timestamp(stepped(first_arrival, next()));
        let cost = next();
        let root = stepped(head, next());
        let start = stepped(first_arrival, next());
        let end = stepped(start, next());
        let root_rank = (flags & HAS_PARENT != 0, stepped(start, next()));
        let (spans, errors, orphans) = (numbers.narrow(), numbers.narrow(), numbers.narrow());
        let source = SourceId(numbers.next().try_into().unwrap_or_default());
        let crowds = numbers.next().to_le_bytes();
        let mut services = ServiceSet::default();
        for _ in 0..numbers.next() {
            services.insert(u16::try_from(numbers.next()).unwrap_or_default());
        }
        let badges = self.badges.binary_search_by_key(&place, |(place, _)| usize::from(*place)).ok();
        // The filter is not kept: every new id may be held then, and is looked for.
        let filter = Filter::FULL;
        Some(TraceRow {
            id: self.ids[place],
            number,
            head,
            first_arrival: Timestamp(first_arrival),
            last_arrival,
            revision,
            cost,
            figures: Figures { root, root_rank, start, end, filter, crowds, spans, errors },
            orphans,
            services,
            source,
            truncated: flags & TRUNCATED != 0,
            touched: false,
            stale: false,
            large: flags & LARGE != 0,
            gone: false,
            badges: badges.map(|place| Arc::clone(&self.badges[place].1)),
        })
    }

    /// The outline of the trace at a place.
    fn outline(&self, place: usize) -> Option<Outline> {
        let mut numbers = Numbers(self.bytes.get(usize::from(*self.starts.get(place)?)..)?.iter());
        let mut next = || numbers.next();
        let (_flags, _head) = (next(), next());
        let first_arrival = stepped(self.base[1], next());
        let (_revision, _last_arrival, _cost, _root) = (next(), next(), next(), next());
        let start = stepped(first_arrival, next());
        let end = stepped(start, next());
        next();
        let (spans, errors) = (numbers.narrow(), numbers.narrow());
        Some(Outline::new(Timestamp(first_arrival), (start, end), spans, errors))
    }

    /// The outline of every trace.
    pub(super) fn outlines(&self) -> impl Iterator<Item = (TraceId, Outline)> {
        (0..).zip(&self.ids).filter_map(|(place, id)| Some((*id, self.outline(place)?)))
    }

    /// The id of every trace.
    pub(super) fn ids(&self) -> impl DoubleEndedIterator<Item = TraceId> {
        self.ids.iter().copied()
    }

    /// Every trace.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = TraceRow> {
        (self.first..self.first + self.ids.len() as u64).filter_map(|number| self.get(number))
    }

    /// Bytes held, without the badges.
    pub(super) fn bytes(&self) -> usize {
        self.ids.capacity() * 18 + self.bytes.capacity() + self.badges.capacity() * 16 + size_of::<Self>()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::traces::Traces;
    use super::*;
    use crate::model::Nanos;

    prop_compose! {
        fn row()(
            numbers in prop::array::uniform12(prop_oneof![0_u64..1000, any::<u64>(), Just(u64::MAX)]),
            small in prop::array::uniform4(any::<u32>()),
            crowds in any::<[u8; 8]>(),
            services in prop::collection::vec(any::<u16>(), 0..12),
            marks in any::<[bool; 4]>(),
            id in any::<[u8; 16]>(),
        ) -> TraceRow {
            let source = SourceId(small[3].try_into().unwrap_or(7));
            let mut row = Traces::blank(TraceId(id), 0, source, Timestamp(numbers[0]));
            row.last_arrival = Timestamp(numbers[1]);
            (row.head, row.revision, row.cost, row.orphans) = (numbers[2], numbers[3], numbers[4], small[0]);
            (row.truncated, row.large) = (marks[0], marks[1]);
            row.figures = Figures {
                root: numbers[5],
                root_rank: (marks[2], numbers[6]),
                start: numbers[7],
                end: numbers[8],
                filter: Filter::FULL,
                crowds,
                spans: small[1],
                errors: small[2],
            };
            for place in services {
                row.services.insert(place);
            }
            row.badges = marks[3].then(|| {
                Arc::new(Badges { longest_db: Some((Nanos(numbers[9]), "SELECT 1".into())), ..Badges::default() })
            });
            row
        }
    }

    proptest! {
        #[test]
        fn a_trace_comes_back_from_a_cold_page_as_it_was(
            mut rows in prop::collection::vec(row(), 1..40),
            first in 0..u64::MAX / 2,
        ) {
            for (number, row) in (first..).zip(&mut rows) {
                row.number = number;
            }
            let page = ColdPage::of(&rows).unwrap();
            prop_assert_eq!(page.len(), rows.len());
            for (row, back) in rows.iter().zip(page.iter()) {
                prop_assert_eq!(format!("{row:?}"), format!("{back:?}"));
                prop_assert_eq!(page.id(row.number), Some(row.id));
            }
            prop_assert!(page.get(first + rows.len() as u64).is_none());
            prop_assert!(page.outlines().eq(rows.iter().map(|row| (row.id, row.outline()))));
            prop_assert!(page.ids().eq(rows.iter().map(|row| row.id)));
        }
    }

    #[test]
    fn traces_in_the_middle_of_something_stay_as_they_are() {
        let row = Traces::blank(TraceId([1; 16]), 5, SourceId(0), Timestamp(1));
        assert!(ColdPage::of(std::slice::from_ref(&row)).is_some());
        assert!(ColdPage::of(&[]).is_none());
        assert!(ColdPage::of(&[TraceRow { touched: true, ..row.clone() }]).is_none());
        assert!(ColdPage::of(&[TraceRow { gone: true, ..row.clone() }]).is_none());
        assert!(ColdPage::of(&[row.clone(), row]).is_none());
    }
}
