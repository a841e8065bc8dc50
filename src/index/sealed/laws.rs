//! What is sealed comes back exactly.

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::chunk::{Chunk, ODD_STATUS, mark, narrow};
use super::super::extras::{self, Extra};
use super::super::paged::Paged;
use super::super::segment::{Shape, is_set, set};
use super::super::word::{Fixed, Slot, Word};
use super::{Depth, NOWHERE, Sealed, seal};

/// A row as anyone sees it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    trace: u32,
    ids: [[u8; 8]; 2],
    times: [u64; 2],
    class: [u32; 4],
    status: u8,
    marks: u8,
    values: Vec<(Word, Vec<u8>, u64)>,
    extras: Vec<u8>,
}

pub(super) fn row(chunk: &Chunk, row: usize) -> Row {
    let value = |word: &Word| match word.slot() {
        Slot::Text(at) | Slot::Bytes(at) | Slot::Message(at) => {
            (super::cells::with_offset(*word, 0), chunk.bytes_at(at).to_vec(), 0)
        }
        Slot::Int(at) | Slot::Double(at) => (super::cells::with_offset(*word, 0), Vec::new(), chunk.wide[at as usize]),
        _ => (*word, Vec::new(), 0),
    };
    Row {
        trace: chunk.trace[row],
        ids: [chunk.span_id[row], chunk.parent[row]],
        times: [chunk.start[row], chunk.end[row]],
        class: [chunk.operation[row], chunk.shape[row], chunk.origin[row], chunk.flags[row]],
        status: chunk.status[row],
        marks: chunk.marks[row],
        values: chunk.values(row).iter().map(value).collect(),
        extras: chunk.extras(row).to_vec(),
    }
}

#[derive(Clone, Debug)]
enum Value {
    Plain(Word),
    String(u8, Vec<u8>),
    Wide(bool, u64),
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => (0_u32..6).prop_map(|id| Value::Plain(Word::new(Slot::Known(id)))),
        2 => any::<u32>().prop_map(|id| Value::Plain(Word::new(Slot::Known(id >> 3)))),
        2 => (-(1_i32 << 28)..1 << 28).prop_map(|small| Value::Plain(Word::new(Slot::Small(small)))),
        1 => prop_oneof![Just(Fixed::Empty), Just(Fixed::False), Just(Fixed::True)]
            .prop_map(|fixed| Value::Plain(Word::new(Slot::Fixed(fixed)))),
        3 => (0_u8..3, vec(any::<u8>(), 0..12)).prop_map(|(sort, bytes)| Value::String(sort, bytes)),
        1 => vec(b'a'..b'd', 290..300).prop_map(|bytes| Value::String(0, bytes)),
        2 => (any::<bool>(), prop_oneof![any::<u64>(), Just(f64::NAN.to_bits())])
            .prop_map(|(double, number)| Value::Wide(double, number)),
    ]
}

fn time() -> impl Strategy<Value = u64> {
    prop_oneof![4 => 0_u64..50, 4 => 1_000_000_u64..2_000_000, 1 => any::<u64>(), 1 => Just(0), 1 => Just(u64::MAX)]
}

fn id() -> impl Strategy<Value = [u8; 8]> {
    prop_oneof![3 => (0_u8..20).prop_map(|byte| [byte; 8]), 1 => any::<[u8; 8]>()]
}

/// The shapes of [`chunk`]: number `n` has `n` keys.
pub(super) fn shapes() -> Paged<Shape> {
    let mut shapes = Paged::default();
    for depth in 0..5_u32 {
        shapes.push(Shape { parent: depth.saturating_sub(1), key: 100 + depth / 2, depth });
    }
    shapes
}

type Draft = ((u32, [u8; 8], [u8; 8], u64, u64, bool), (u32, u32, u32, u8), (u32, Vec<Value>), Vec<(u8, Vec<u8>)>);

fn draft() -> impl Strategy<Value = Draft> {
    (
        (prop_oneof![5_u32..9, any::<u32>()], id(), id(), time(), time(), any::<bool>()),
        (0_u32..3, 0_u32..3, prop_oneof![4 => Just(0_u32), 1 => any::<u32>()], prop_oneof![0_u8..4, Just(ODD_STATUS)]),
        (0_u32..5).prop_flat_map(|shape| (Just(shape), vec(value(), shape as usize..shape as usize + 2))),
        prop_oneof![3 => Just(Vec::new()), 1 => vec((0_u8..6, vec(any::<u8>(), 0..20)), 1..4)],
    )
}

fn push(chunk: &mut Chunk, draft: Draft) {
    let ((trace, span_id, parent, start, end, dead), (operation, origin, flags, status), (shape, values), extra) =
        draft;
    let _ = dead;
    let mut marks = if values.len() > shape as usize { mark::MORE } else { 0 };
    let at = narrow(chunk.words.len());
    for (place, value) in values.into_iter().enumerate() {
        let word = match value {
            _ if place >= shape as usize => Slot::Message(chunk.push_bytes(b"\x0a\x03abc")),
            Value::Plain(word) => word.slot(),
            Value::String(0, bytes) => Slot::Text(chunk.push_bytes(&bytes)),
            Value::String(1, bytes) => Slot::Bytes(chunk.push_bytes(&bytes)),
            Value::String(_, bytes) => Slot::Message(chunk.push_bytes(&bytes)),
            Value::Wide(true, number) => Slot::Double(chunk.push_wide(number)),
            Value::Wide(false, number) => Slot::Int(chunk.push_wide(number)),
        };
        chunk.words.push(Word::new(word));
    }
    for (sort, bytes) in extra {
        let sorts =
            [Extra::Event, Extra::Link, Extra::StatusMessage, Extra::OddParent, Extra::StatusCode, Extra::Dropped];
        extras::push(chunk, sorts[usize::from(sort)], &bytes);
        marks |= mark::EXTRAS;
    }
    chunk.trace.push(trace);
    chunk.parent.push(parent);
    chunk.start.push(start);
    chunk.end.push(end);
    chunk.prev.push(0);
    chunk.operation.push(operation);
    chunk.shape.push(shape);
    chunk.origin.push(origin);
    chunk.flags.push(flags);
    chunk.status.push(status);
    chunk.marks.push(marks);
    chunk.values_at.push(at);
    chunk.span_id.push(span_id);
}

/// A few chunks that follow each other, and their dead rows.
pub(super) fn chunks() -> impl Strategy<Value = Vec<(Chunk, Vec<u64>)>> {
    vec(vec(draft(), 1..120), 1..5).prop_map(|all| {
        let mut base = 1000;
        let mut chunks = Vec::new();
        for drafts in all {
            let mut chunk = Chunk { base, ..Chunk::default() };
            let mut dead = Vec::new();
            for (row, draft) in drafts.into_iter().enumerate() {
                if draft.0.5 && row % 3 == 0 {
                    set(&mut dead, row);
                }
                push(&mut chunk, draft);
            }
            chunk.freeze();
            base += chunk.rows() as u64;
            chunks.push((chunk, dead));
        }
        link(&mut chunks);
        chunks
    })
}

/// Chains the rows of each trace; traces with even numbers go on before the first chunk.
fn link(chunks: &mut [(Chunk, Vec<u64>)]) {
    let mut heads = std::collections::HashMap::new();
    for (chunk, _) in chunks {
        for row in 0..chunk.rows() {
            let trace = chunk.trace[row];
            let ordinal = chunk.base + row as u64;
            let before =
                heads.insert(trace, ordinal).or_else(|| (trace % 2 == 0).then_some(u64::from(trace % 100) + 1));
            chunk.prev[row] = before.map_or(0, |before| u32::try_from(ordinal - before).unwrap());
        }
    }
}

pub(super) fn sealed(chunks: &[(Chunk, Vec<u64>)]) -> (Sealed, Vec<u32>) {
    let parts: Vec<_> = chunks.iter().map(|(chunk, dead)| (chunk, &dead[..])).collect();
    seal(1000, &parts, &shapes())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn what_was_sealed_is_thawed(chunks in chunks(), cut in 0_usize..300, length in 0_usize..40) {
        let (sealed, places) = sealed(&chunks);
        let live = |(chunk, dead): &(Chunk, Vec<u64>)| (0..chunk.rows()).filter(|row| !is_set(dead, *row)).count();
        prop_assert_eq!(sealed.rows(), chunks.iter().map(live).sum::<usize>());
        let whole = sealed.thaw(0..sealed.rows(), Depth::Whole);
        for (chunk, dead) in &chunks {
            for at in 0..chunk.rows() {
                let place = places[usize::try_from(chunk.base - 1000).unwrap() + at];
                prop_assert_eq!(place == NOWHERE, is_set(dead, at));
                if place != NOWHERE {
                    prop_assert_eq!(row(&whole, place as usize), row(chunk, at));
                    prop_assert_eq!(sealed.start(place as usize), chunk.start[at]);
                    prop_assert_eq!(sealed.trace_of(place as usize), chunk.trace[at]);
                }
            }
        }
        let from = cut.min(sealed.rows());
        let to = (from + length).min(sealed.rows());
        let part = sealed.thaw(from..to, Depth::Whole);
        let light = sealed.thaw(from..to, Depth::Light);
        prop_assert_eq!(part.rows(), to - from);
        for place in from..to {
            prop_assert_eq!(row(&part, place - from), row(&whole, place));
            let mut known = row(&whole, place);
            (known.values, known.extras) = (Vec::new(), Vec::new());
            let told = Row { extras: Vec::new(), ..row(&light, place - from) };
            prop_assert_eq!(told, known);
        }
    }

    #[test]
    fn traces_are_found_with_their_rows_and_what_is_before(chunks in chunks()) {
        let (sealed, _) = sealed(&chunks);
        let whole = sealed.thaw(0..sealed.rows(), Depth::Light);
        for (chunk, _) in &chunks {
            for trace in &chunk.trace {
                let (rows, before) = sealed.run(*trace).unwrap_or_default();
                let own: Vec<usize> = (0..whole.rows()).filter(|row| whole.trace[*row] == *trace).collect();
                prop_assert_eq!(rows.clone().collect::<Vec<_>>(), own);
                prop_assert_eq!(before, if trace % 2 == 0 { u64::from(trace % 100) + 1 } else { 0 });
                prop_assert!(rows.clone().skip(1).all(|row| whole.prev[row] == 1));
                let ranks: Vec<_> = rows.map(|row| whole.start[row].wrapping_sub(1)).collect();
                prop_assert!(ranks.is_sorted());
            }
        }
        let mut sum = 0;
        sealed.each_run(&mut |trace, rows| {
            sum += rows.len();
            assert!(rows.clone().all(|row| whole.trace[row] == trace));
        });
        prop_assert_eq!(sum, sealed.rows());
        prop_assert!(sealed.run(4).is_none());
    }
}

#[test]
fn a_block_without_rows_is_sound() {
    let (sealed, places) = seal(7, &[], &shapes());
    assert_eq!((sealed.rows(), places.len()), (0, 0));
    assert_eq!(sealed.thaw(0..9, Depth::Whole).rows(), 0);
}
