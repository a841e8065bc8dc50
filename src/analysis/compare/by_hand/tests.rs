//! What is compared of many traces, held against counting by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use super::super::*;
use crate::analysis::{TraceNotes, statement};
use crate::index::{Options, Sealing, View, open};
use crate::model::{Attribute, Nanos, SourceId, StatusCode, Timestamp, TraceId, Value, percentile};
use crate::source::load::{Load, Shape};

/// A trace in words: what its spans do, with how long they took; its attributes; its largest numbers.
#[derive(Default)]
struct Plain {
    calls: Vec<(String, Nanos)>,
    pairs: BTreeSet<(String, String)>,
    numbers: BTreeMap<String, f64>,
}

fn plain(view: &View, id: TraceId) -> Plain {
    let mut plain = Plain::default();
    for span in view.trace(id).unwrap().spans {
        let name = if span.category.is_database() { &span.label } else { &span.name };
        let name = statement::normalise(span.category, name);
        plain.calls.push((format!("{} {name}", span.service), span.end.since(span.start)));
    }
    for span in view.spans(id).unwrap() {
        let mut attributes: Vec<(String, Value)> = Vec::new();
        let all = |attribute: &Attribute| (attribute.key.lossy().into_owned(), attribute.value.clone());
        attributes.extend(span.attributes.iter().chain(&span.resource.attributes).map(all));
        let exceptions = span.events.iter().filter(|event| event.name == *"exception");
        attributes
            .extend(exceptions.flat_map(|event| &event.attributes).filter(|one| one.key == *"exception.type").map(all));
        if span.status.code == StatusCode::ERROR {
            attributes.push(("status".into(), Value::Text("error".into())));
        }
        for (key, value) in attributes.into_iter().filter(|(key, _)| key != "db.query.text") {
            if let (Value::Int(number), false) = (&value, key.ends_with("id") || key.ends_with("port")) {
                #[expect(clippy::cast_precision_loss, reason = "small numbers")]
                let number = *number as f64;
                let most = plain.numbers.entry(key.clone()).or_insert(number);
                *most = most.max(number);
            }
            let value = match value {
                Value::Text(text) => text.lossy().into_owned(),
                Value::Int(number) => number.to_string(),
                other => panic!("{other:?}"),
            };
            plain.pairs.insert((key, value));
        }
    }
    plain
}

/// The traces of either side that begin with the operation that is compared.
type Sides = [Vec<Plain>; 2];

fn name(operation: &Operation) -> String {
    format!("{} {}", operation.service, operation.name)
}

fn with(sides: &Sides, pair: &(String, String)) -> [u64; 2] {
    let count = |side: &Vec<Plain>| side.iter().filter(|plain| plain.pairs.contains(pair)).count() as u64;
    [count(&sides[0]), count(&sides[1])]
}

fn medians(sides: &Sides, key: &str) -> [u64; 2] {
    let median = |side: &Vec<Plain>| {
        let mut numbers: Vec<f64> = side.iter().filter_map(|plain| plain.numbers.get(key).copied()).collect();
        numbers.sort_by(f64::total_cmp);
        numbers.get(numbers.len().saturating_sub(1) / 2).copied().unwrap_or_default().to_bits()
    };
    [median(&sides[0]), median(&sides[1])]
}

fn check_operations(found: &Comparison, sides: &Sides) {
    for row in &found.operations {
        for (side, of) in [row.selection, row.baseline].into_iter().enumerate() {
            let calls = sides[side].iter().flat_map(|plain| &plain.calls);
            let mut took: Vec<Nanos> =
                calls.filter(|(called, _)| *called == name(&row.operation)).map(|(_, took)| *took).collect();
            took.sort_unstable();
            let total = Nanos(took.iter().map(|took| took.0).sum());
            let p95 = percentile(&took, 95).unwrap_or_default();
            assert_eq!((of.n, of.total, of.p95), (took.len() as u64, total, p95));
        }
    }
}

fn check_differences(found: &Differences, sides: &Sides) {
    let traces = [0, 1].map(|side| sides[side].len() as u64);
    // The rows of each key, and whether it is a quantity.
    let mut told: BTreeMap<&str, (usize, bool)> = BTreeMap::new();
    for row in &found.rows {
        let (rows, is_quantity) = told.entry(&row.key).or_default();
        *rows += 1;
        match &row.kind {
            DifferenceKind::Value { value, counts } => {
                let pair = (row.key.clone(), value.clone());
                assert_eq!((*counts, row.traces), (with(sides, &pair), traces), "{pair:?}");
            }
            DifferenceKind::Quantity { medians: of, .. } => {
                *is_quantity = true;
                assert_eq!(of.map(f64::to_bits), medians(sides, &row.key), "{}", row.key);
            }
        }
    }
    // And nothing is missing: of each key that sorts traces, every value that not all of them have.
    assert!(found.tested == found.rows.len() && told.len() > 8, "{told:?}");
    let all: BTreeSet<_> = sides.iter().flatten().flat_map(|plain| &plain.pairs).collect();
    for (key, (rows, is_quantity)) in told {
        let differs = |pair: &&&(String, String)| with(sides, pair).iter().sum::<u64>() < traces[0] + traces[1];
        let differ = all.iter().filter(|(of, _)| of == key).filter(differs).count();
        assert_eq!(rows, if is_quantity { 1 } else { differ }, "{key}");
    }
}

#[test]
fn what_is_found_in_many_traces_is_what_counting_by_hand_finds() {
    let options = Options { sealing: Sealing::Inline(700), ..Options::new(u64::MAX) };
    let (mut writer, reader) = open(options, TraceNotes::default());
    for body in Load::new(Shape::default()).take(30) {
        writer.insert_spans(SourceId(0), &body, Timestamp(1)).unwrap();
    }
    writer.publish();
    let view = reader.view().for_many();
    let words = Mutex::new(Vocabulary::default());
    // Two readers, as two threads would have them.
    let mut readers = [Reader::default(), Reader::default()];
    let ids: Vec<TraceId> = view.traces().collect();
    let digests: Vec<Digest> =
        ids.iter().enumerate().map(|(at, id)| readers[at % 2].digest(&view, *id, &words).unwrap()).collect();
    let all: Vec<&Digest> = digests.iter().collect();
    let (some, rest) = all.split_at(ids.len() / 3);
    let found = compare(&words.into_inner().unwrap(), (some, rest), Wanted::Most);
    let root = found.chosen().unwrap();
    let mut sides = Sides::default();
    for (at, id) in ids.iter().enumerate() {
        let plain = plain(&view, *id);
        if plain.calls[0].0 == name(&root.operation) {
            sides[usize::from(at >= some.len())].push(plain);
        }
    }
    let traces = [0, 1].map(|side| sides[side].len() as u64);
    assert_eq!([root.selection.n, root.baseline.n], traces);
    assert!(traces.iter().all(|traces| *traces > 10) && found.operations.len() > 20, "{traces:?}");
    check_operations(&found, &sides);
    check_differences(&found.differences, &sides);
}
