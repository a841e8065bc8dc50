use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use super::*;
use crate::analysis::analyse;
use crate::analysis::{Thresholds, TraceNotes};
use crate::index::{Options, View, open};
use crate::model::{Attribute, Category, Kind, Nanos, SourceId, Span, SpanId, Timestamp, Trace, TraceId, Value};
use crate::otlp::encode;

/// A span: name, milliseconds from the start and taken, attributes.
#[derive(Clone, Debug, Default)]
struct Made {
    name: String,
    parent: Option<u8>,
    from: u64,
    millis: u64,
    attributes: Vec<(String, Value)>,
}

fn span(name: &str, parent: Option<u8>, (from, millis): (u64, u64), attributes: &[(&str, Value)]) -> Made {
    let attributes = attributes.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    Made { name: name.into(), parent, from, millis, attributes }
}

fn lean(made: &[Made]) -> Trace {
    let trace = held(&[made]).trace(id(0)).unwrap();
    // In the order in which they were made, whatever began first.
    let mut spans = trace.spans;
    spans.sort_by_key(|span| span.key);
    Trace { spans, ..trace }
}

fn id(number: usize) -> TraceId {
    TraceId((number as u128 + 1).to_be_bytes())
}

fn held(traces: &[impl AsRef<[Made]>]) -> View {
    let (mut writer, reader) = open(Options::new(u64::MAX), TraceNotes::default());
    for (number, made) in traces.iter().enumerate() {
        let spans = made.as_ref().iter().enumerate().map(|(at, made)| whole(id(number), at, made));
        let body = encode::spans(&spans.collect::<Vec<_>>());
        writer.insert_spans(SourceId(0), &body, Timestamp(1)).unwrap();
    }
    writer.publish();
    reader.view()
}

fn whole(trace_id: TraceId, at: usize, made: &Made) -> Span {
    let attribute = |key: &str, value: Value| Attribute { key: key.into(), value };
    let mut attributes: Vec<_> = made.attributes.iter().map(|(key, value)| attribute(key, value.clone())).collect();
    if made.name.starts_with("SELECT") {
        attributes.extend([attribute("db.system", text("sqlite")), attribute("db.statement", text(&made.name))]);
    }
    Span {
        trace_id,
        span_id: SpanId([u8::try_from(at).unwrap() + 1; 8]),
        parent_id: made.parent.map(|at| SpanId([at + 1; 8])),
        kind: Kind(1),
        name: made.name.as_str().into(),
        start: Timestamp(1_000_000_000 + made.from * 1_000_000),
        end: Timestamp(1_000_000_000 + (made.from + made.millis) * 1_000_000),
        attributes,
        ..Span::default()
    }
}

fn digests(words: &mut Vocabulary, traces: &[impl AsRef<[Made]>]) -> Vec<Digest> {
    let (view, shared, mut reader) = (held(traces), Mutex::new(std::mem::take(words)), Reader::default());
    let digests = (0..traces.len()).map(|number| reader.digest(&view, id(number), &shared).unwrap()).collect();
    *words = shared.into_inner().unwrap();
    digests
}

fn digest(words: &mut Vocabulary, made: &[Made]) -> Digest {
    digests(words, &[made]).remove(0)
}

fn text(value: &str) -> Value {
    Value::Text(value.into())
}

/// Requests to `GET /cart`, each with so many queries of so many milliseconds, of a version.
fn requests(words: &mut Vocabulary, count: usize, (queries, millis): (u64, u64), version: &str) -> Vec<Digest> {
    let made = |number: usize| {
        let id = text(&format!("{version}-{number}"));
        let size = Value::Int(i64::try_from(number * 10).unwrap() + if queries > 2 { 5_000 } else { 0 });
        let attributes = [("version", text(version)), ("request.id", id), ("size", size), ("region", text("eu"))];
        let mut spans = vec![span("GET /cart", None, (0, queries * millis + 1), &attributes)];
        for query in 0..queries {
            let statement = format!("SELECT * FROM item WHERE id = {query}");
            spans.push(span(&statement, Some(0), (query * millis, millis), &[]));
        }
        spans
    };
    digests(words, &(0..count).map(made).collect::<Vec<_>>())
}

fn compared(words: &Vocabulary, one: &[Digest], other: &[Digest]) -> Comparison {
    compare(words, (&one.iter().collect::<Vec<_>>(), &other.iter().collect::<Vec<_>>()), Wanted::Most)
}

#[test]
fn a_fixed_n_plus_one_shows_as_fewer_calls_a_trace_and_the_version_that_fixed_it() {
    let mut words = Vocabulary::default();
    let (before, after) = (requests(&mut words, 40, (51, 2), "1.9.1"), requests(&mut words, 30, (2, 2), "1.9.2"));
    let found = compared(&words, &after, &before);
    let chosen = found.chosen().unwrap();
    assert_eq!((&*chosen.operation.name, chosen.selection.n, chosen.baseline.n), ("GET /cart", 30, 40));
    assert_eq!((chosen.selection.p50, chosen.baseline.p99), (Nanos::from_millis(5), Nanos::from_millis(103)));
    let query = found.operations.iter().find(|row| row.operation.category == Category::Sql).unwrap();
    assert_eq!(&*query.operation.name, "SELECT * FROM item WHERE id = ?");
    assert!((query.selection.calls() - 2.0).abs() < 1e-9 && (query.baseline.calls() - 51.0).abs() < 1e-9);
    assert_eq!(query.ratio(), Some(1.0));
    let told: Vec<_> = found.differences.rows.iter().map(|row| (row.key.as_str(), row.is_significant())).collect();
    // The version before and after, and the size, which is a quantity; the region is the same everywhere.
    assert_eq!(told, [("version", true), ("version", true), ("size", true)]);
    assert_eq!(found.differences.names, ["request.id"]);
    let version = found.differences.rows.iter().find(|row| row.size() > 0.0).unwrap();
    let value = DifferenceKind::Value { value: "1.9.2".into(), counts: [30, 0] };
    assert_eq!((&version.kind, version.traces), (&value, [30, 40]));
    assert!(version.corrected < 1e-9);
}

#[test]
fn only_traces_with_the_same_root_are_compared() {
    let mut words = Vocabulary::default();
    let slow = requests(&mut words, 3, (1, 900), "1");
    let mut rest = requests(&mut words, 9, (1, 9), "1");
    rest.extend((0..50).map(|_| digest(&mut words, &[span("GET /health", None, (0, 1), &[])])));
    let found = compared(&words, &slow, &rest);
    assert_eq!(found.roots.len(), 1);
    assert_eq!((found.chosen().unwrap().selection.n, found.chosen().unwrap().baseline.n), (3, 9));
    assert!(found.chosen().unwrap().is_small());
    assert!(found.operations.iter().all(|row| &*row.operation.name != "GET /health"));
}

#[test]
fn statements_of_one_side_are_new_or_gone() {
    let mut words = Vocabulary::default();
    let with = |statement: &str| [span("GET /", None, (0, 9), &[]), span(statement, Some(0), (1, 5), &[])];
    let before = [digest(&mut words, &with("SELECT 1 FROM old"))];
    let after = [digest(&mut words, &with("SELECT 7 FROM new"))];
    let found = compared(&words, &after, &before);
    let told: Vec<_> = found.statements().map(|row| (&*row.operation.name, row.is_new(), row.is_gone())).collect();
    assert_eq!(told, [("SELECT ? FROM new", true, false), ("SELECT ? FROM old", false, true)]);
}

#[test]
fn a_side_without_traces_is_compared_with_nothing() {
    let mut words = Vocabulary::default();
    let some = requests(&mut words, 2, (1, 1), "1");
    assert_eq!(compared(&words, &[], &some), Comparison::default());
    let alone = compared(&words, &some, &[]);
    assert_eq!((alone.roots.len(), alone.differences.rows.len()), (1, 0));
    assert!(alone.operations.iter().all(|row| !row.is_new() && !row.is_gone() && row.ratio().is_none()));
}

#[test]
fn a_key_with_more_values_than_are_told_apart_is_named_and_left_out() {
    let mut words = Vocabulary::default();
    let one = |number: i64| {
        let user = text(&format!("user {number}"));
        [span("GET /", None, (0, 1), &[("user", user), ("order.id", Value::Int(number))])]
    };
    let all = digests(&mut words, &(0..6_000).map(one).collect::<Vec<_>>());
    let (some, rest) = all.split_at(100);
    let found = compared(&words, some, rest);
    assert!(found.differences.rows.is_empty());
    assert_eq!(found.differences.crowded, ["order.id", "user"]);
}

fn factorial(number: u64) -> f64 {
    (1..=u32::try_from(number).unwrap()).map(f64::from).product()
}

fn choose(from: u64, some: u64) -> f64 {
    factorial(from) / factorial(some) / factorial(from - some)
}

/// Every table with these margins, one by one.
fn fisher_by_hand((count, all): (u64, u64), (other_count, other_all): (u64, u64)) -> f64 {
    let with = count + other_count;
    let probability = |count: u64| choose(all, count) * choose(other_all, with - count) / choose(all + other_all, with);
    let possible = (0..=all).filter(|count| *count <= with && with - count <= other_all);
    possible.map(probability).filter(|p| *p <= probability(count) * (1.0 + 1e-9)).sum::<f64>()
}

#[test]
fn fisher_agrees_with_every_table_counted_out() {
    for all in 1..=9 {
        for other_all in 1..=9 {
            for (count, other_count) in (0..=all).flat_map(|one| (0..=other_all).map(move |other| (one, other))) {
                let (one, other) = ((count, all), (other_count, other_all));
                let (p, by_hand) = (fisher(one, other), fisher_by_hand(one, other));
                assert!((p - by_hand).abs() < 1e-9, "{one:?} {other:?}: {p} and not {by_hand}");
            }
        }
    }
}

#[test]
fn known_tests_have_their_known_results() {
    // The lady tasting tea, and a table of R's documentation of `fisher.test`.
    assert!((fisher((3, 4), (1, 4)) - 0.485_714).abs() < 1e-6);
    assert!((fisher((10, 13), (2, 17)) - 0.000_536_7).abs() < 1e-6);
    assert!((fisher((1000, 1000), (0, 1000))) < 1e-300);
    let (distance, p) = kolmogorov_smirnov(&mut [1.0, 2.0, 3.0, 4.0], &mut [5.0, 6.0, 7.0, 8.0]);
    // Two orders of seventy are as far apart.
    assert!((distance + 1.0).abs() < 1e-12 && (p - 2.0 / 70.0).abs() < 1e-12, "{distance} {p}");
    let corrected = benjamini_hochberg(&[0.01, 0.04, 0.03, 0.5]);
    let expected = [0.04, 0.16 / 3.0, 0.16 / 3.0, 0.5];
    assert!(corrected.iter().zip(expected).all(|(one, other)| (one - other).abs() < 1e-12), "{corrected:?}");
}

#[test]
fn exact_and_limiting_chance_of_a_distance_agree_on_larger_samples() {
    let mut one: Vec<f64> = (0..90).map(f64::from).collect();
    let mut other: Vec<f64> = (0..100).map(|number| f64::from(number) + 17.5).collect();
    let (_, exact) = kolmogorov_smirnov(&mut one, &mut other);
    one.extend((0..90).map(|number| f64::from(number) + 0.1));
    other.extend((0..100).map(|number| f64::from(number) + 17.6));
    let (_, limit) = kolmogorov_smirnov(&mut one, &mut other);
    assert!((0.0001..0.1).contains(&exact), "{exact}");
    assert!(limit < exact, "{limit} {exact}");
}

fn some_traces() -> impl Strategy<Value = Vec<Vec<Made>>> {
    let attribute = (prop::sample::select(vec!["a", "b", "size"]), 0_i64..4).prop_map(|(key, number)| {
        let value = if key == "size" { Value::Int(number * 7) } else { text(&number.to_string()) };
        (key.to_owned(), value)
    });
    let one = (
        prop::sample::select(vec!["GET /", "work", "SELECT 1"]),
        0_u64..9,
        0_u64..99,
        prop::collection::vec(attribute, 0..3),
    );
    let one = one.prop_map(|(name, from, millis, attributes)| Made {
        name: name.into(),
        parent: None,
        from,
        millis,
        attributes,
    });
    let trace = prop::collection::vec(one, 1..6).prop_map(|mut spans| {
        for span in spans.iter_mut().skip(1) {
            span.parent = Some(0);
        }
        spans[0].name = "GET /".into();
        spans
    });
    prop::collection::vec(trace, 1..12)
}

proptest! {
    #[test]
    fn a_comparison_with_its_sides_changed_over_says_the_opposite(one in some_traces(), other in some_traces()) {
        let mut words = Vocabulary::default();
        let [one, other] = [one, other].map(|traces| digests(&mut words, &traces));
        let (there, back) = (compared(&words, &one, &other), compared(&words, &other, &one));
        prop_assert_eq!(there.operations.len(), back.operations.len());
        for (row, mirrored) in there.operations.iter().zip(&back.operations) {
            prop_assert_eq!(&row.operation, &mirrored.operation);
            prop_assert_eq!((row.selection, row.baseline), (mirrored.baseline, mirrored.selection));
            prop_assert!((row.change() + mirrored.change()).abs() < f64::EPSILON);
            prop_assert_eq!((row.is_new(), row.is_gone()), (mirrored.is_gone(), mirrored.is_new()));
        }
        let mut mirrored: Vec<_> = back.differences.rows.iter().map(|row| (&row.key, -row.size(), row.p, row.corrected)).collect();
        let mut rows: Vec<_> = there.differences.rows.iter().map(|row| (&row.key, row.size(), row.p, row.corrected)).collect();
        let order = |one: &(&String, f64, f64, f64), other: &(&String, f64, f64, f64)| {
            one.0.cmp(other.0).then(one.1.total_cmp(&other.1)).then(one.2.total_cmp(&other.2))
        };
        rows.sort_by(order);
        mirrored.sort_by(order);
        prop_assert_eq!(rows, mirrored);
        prop_assert_eq!(there.differences.significant, back.differences.significant);
    }

    #[test]
    fn percentiles_are_those_of_the_sorted_list(mut millis in prop::collection::vec(0_u64..1000, 1..200)) {
        let mut words = Vocabulary::default();
        let traces: Vec<_> = millis.iter().map(|millis| [span("a", None, (0, *millis), &[])]).collect();
        let all = digests(&mut words, &traces);
        let found = compared(&words, &all, &[]);
        millis.sort_unstable();
        let side = found.chosen().unwrap().selection;
        for (percent, told) in [(50, side.p50), (95, side.p95), (99, side.p99)] {
            // The least value that so many percent are no larger than.
            let enough = |value: &&u64| millis.iter().filter(|other| other <= value).count() * 100 >= percent * millis.len();
            prop_assert_eq!(told, Nanos::from_millis(*millis.iter().find(enough).unwrap()));
        }
    }

    #[test]
    fn corrected_chances_keep_their_order_and_are_no_smaller(tests in prop::collection::vec(0.0_f64..1.0, 0..40)) {
        let corrected = benjamini_hochberg(&tests);
        for (test, corrected) in tests.iter().zip(&corrected) {
            prop_assert!(corrected >= test && *corrected <= 1.0);
        }
        for (at, test) in tests.iter().enumerate() {
            for (other, corrected_other) in tests.iter().zip(&corrected) {
                prop_assert!(test > other || corrected[at] <= *corrected_other + 1e-12);
            }
        }
    }

    #[test]
    fn a_trace_beside_itself_shows_each_span_once_and_no_change(made in some_traces()) {
        for made in &made {
            let analysis = analyse(Arc::new(lean(made)), &Thresholds::default());
            let found = pair(&analysis, &analysis);
            let spans: u32 = found.rows.iter().filter_map(|row| row.strands[0]).map(|strand| strand.count).sum();
            prop_assert_eq!(spans as usize, made.len());
            prop_assert!(found.rows.iter().all(|row| row.strands[0] == row.strands[1] && row.change() == Some(0)));
        }
    }
}

#[test]
fn spans_of_two_traces_are_matched_by_path_and_turn() {
    let mut first = vec![
        span("GET /", None, (0, 100), &[]),
        span("auth", Some(0), (0, 10), &[]),
        span("load", Some(0), (10, 60), &[]),
        span("SELECT 1 FROM t", Some(2), (12, 50), &[]),
        span("audit", Some(0), (80, 5), &[]),
    ];
    let second = lean(&[
        span("GET /", None, (0, 40), &[]),
        span("auth", Some(0), (0, 10), &[]),
        span("load", Some(0), (10, 20), &[]),
        span("SELECT 2 FROM t", Some(2), (12, 4), &[]),
        span("SELECT 3 FROM t", Some(2), (20, 4), &[]),
        span("cache", Some(0), (30, 2), &[]),
    ]);
    let told = |first: &[Made]| -> Vec<String> {
        let [first, second] =
            [lean(first), second.clone()].map(|trace| analyse(Arc::new(trace), &Thresholds::default()));
        let tell = |row: &PairRow| {
            let counts = row.strands.map(|strand| strand.map_or(0, |strand| strand.count));
            let change = row.change().map_or_else(|| "-".into(), |change| (change / 1_000_000).to_string());
            format!("{}{} {}:{} {change}", "·".repeat(row.depth as usize), row.operation.name, counts[0], counts[1])
        };
        pair(&first, &second).rows.iter().map(tell).collect()
    };
    let same = ["GET / 1:1 -60", "·auth 1:1 0", "·load 1:1 -40"];
    let apart = ["··SELECT ? FROM t 1:1 -46", "··SELECT ? FROM t 0:1 -", "·cache 0:1 -", "·audit 1:0 -"];
    assert_eq!(told(&first), [&same[..], &apart].concat());
    first.extend((0..6).map(|turn| span("SELECT 9 FROM t", Some(2), (62 + turn, 1), &[])));
    // Many equal ones are one row: seven became two.
    assert_eq!(told(&first), [&same[..], &["··SELECT ? FROM t 7:2 -48", "·cache 0:1 -", "·audit 1:0 -"]].concat());
}

#[test]
fn the_interval_of_a_p95_is_that_of_the_order_statistics() {
    use super::chance::ranks_of_p95;
    // Below the 90th of 100 values lies the 95th percentile in 1.1 of 100 cases, below the 91st in 2.8.
    let cases = [
        (0, None),
        (1, None),
        (20, Some((17, None))),
        (59, Some((52, None))),
        (72, Some((64, Some(72)))),
        (100, Some((90, Some(100)))),
        (1_000, Some((936, Some(964)))),
    ];
    for (n, expected) in cases {
        assert_eq!(ranks_of_p95(n), expected, "{n}");
    }
    // Of very many, where the normal distribution says: 1.96 standard deviations on either side.
    let (from, to) = ranks_of_p95(1_000_000).unwrap();
    assert!(from.abs_diff(949_573) < 5 && to.unwrap().abs_diff(950_428) < 5, "{from} {to:?}");
}
