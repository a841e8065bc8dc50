//! What is kept of a trace to be compared.

use super::packed::{Packed, put, put_call, put_number, put_part, take_call, take_number};
use crate::model::{Nanos, SpanKey, TraceId};

/// Bytes of a digest that count as one entry: about what two spans leave behind.
const ENTRY: usize = 64;

/// A trace as far as it is compared. Numbers are those of a [`Vocabulary`](super::Vocabulary).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Digest {
    /// Its id.
    pub trace: TraceId,
    /// From its earliest start to its latest end.
    pub duration: Nanos,
    /// The operation of its root.
    pub(super) root: u32,
    /// Some of its pairs were too many to be kept.
    pub(super) cut: bool,
    /// Its calls, pairs and numbers: many traces are kept, so they are packed.
    pub(super) bytes: Box<[u8]>,
}

impl Digest {
    /// Packs it. `pairs` and `numbers` are in order, each once; the last two are scratch.
    pub(super) fn packed(
        self,
        calls: impl Iterator<Item = (u32, Nanos, SpanKey)>,
        (pairs, numbers): (&[u32], &[(u32, f64)]),
        [part, whole]: &mut [Vec<u8>; 2],
    ) -> Self {
        part.clear();
        whole.clear();
        calls.for_each(|call| put_call(call, part));
        put_part(part, whole);
        part.clear();
        let mut before = 0;
        for pair in pairs {
            put(u64::from(pair - before), part);
            before = *pair;
        }
        put_part(part, whole);
        for number in numbers {
            put_number(*number, whole);
        }
        Self { bytes: whole.as_slice().into(), ..self }
    }

    /// How much is kept of it.
    #[must_use]
    pub fn entries(&self) -> usize {
        ((size_of::<Self>() + self.bytes.len()) / ENTRY).max(1)
    }

    /// Operation, duration and span of each of its spans, the root first.
    pub(super) fn calls(&self) -> impl Iterator<Item = (u32, Nanos, SpanKey)> {
        let mut calls = Packed(&self.bytes).take_part();
        std::iter::from_fn(move || (!calls.0.is_empty()).then(|| take_call(&mut calls)))
    }

    /// Pairs of key and value that some span of it has, each once, in order.
    pub(super) fn pairs(&self) -> impl Iterator<Item = u32> {
        let mut left = Packed(&self.bytes);
        left.take_part();
        let (mut pairs, mut before) = (left.take_part(), 0_u32);
        std::iter::from_fn(move || {
            (!pairs.0.is_empty()).then(|| {
                before = before.saturating_add(pairs.take_small());
                before
            })
        })
    }

    /// The largest number under each key that has numbers, in order of the keys.
    pub(super) fn numbers(&self) -> impl Iterator<Item = (u32, f64)> {
        let mut left = Packed(&self.bytes);
        left.take_part();
        left.take_part();
        std::iter::from_fn(move || (!left.0.is_empty()).then(|| take_number(&mut left)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Kind, SpanId};

    proptest! {
        #[test]
        fn what_is_packed_is_there_again(
            calls in prop::collection::vec((any::<u32>(), any::<u64>(), any::<[u8; 8]>(), any::<i32>()), 0..9),
            pairs in prop::collection::btree_set(any::<u32>(), 0..9),
            numbers in prop::collection::btree_map(any::<u32>(), prop_oneof![any::<f64>(), (0_u32..9).prop_map(f64::from)], 0..9),
        ) {
            let calls: Vec<_> = calls
                .into_iter()
                .map(|(operation, took, id, kind)| (operation, Nanos(took), SpanKey { id: SpanId(id), kind: Kind(kind) }))
                .collect();
            let (pairs, numbers): (Vec<_>, Vec<_>) = (pairs.into_iter().collect(), numbers.into_iter().collect());
            let digest =
                Digest::default().packed(calls.iter().copied(), (&pairs, &numbers), &mut Default::default());
            prop_assert_eq!(digest.calls().collect::<Vec<_>>(), calls);
            prop_assert_eq!(digest.pairs().collect::<Vec<_>>(), pairs);
            let bits = |(key, number): (u32, f64)| (key, number.to_bits());
            let found: Vec<_> = digest.numbers().map(bits).collect();
            prop_assert_eq!(found, numbers.into_iter().map(bits).collect::<Vec<_>>());
        }
    }
}
