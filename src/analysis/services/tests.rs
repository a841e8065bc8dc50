//! Who calls whom in traces written by hand, and the laws of reports.

use std::sync::Arc;

use super::{Names, Peer, Report, TraceCalls, report, trace_calls};
use crate::analysis::tests::{analysed, failed, id, millis, of_kind, span};
use crate::model::{Attribute, Category, Kind, Link, Nanos, Span, Timestamp, TraceId, TraceSpan, Value};

fn of(service: &str, kind: Kind, lean: TraceSpan) -> TraceSpan {
    TraceSpan { service: service.into(), ..of_kind(kind, lean) }
}

fn whole(lean: &TraceSpan, attributes: &[(&str, &str)]) -> Span {
    let attribute = |(key, value): &(&str, &str)| Attribute { key: (*key).into(), value: Value::Text((*value).into()) };
    Span {
        span_id: lean.key.id,
        kind: lean.key.kind,
        attributes: attributes.iter().map(attribute).collect(),
        ..Span::default()
    }
}

/// A report of one trace, an hour later.
fn told(spans: Vec<(TraceSpan, &[(&str, &str)])>) -> Report {
    let wholes: Vec<Span> = spans.iter().map(|(lean, attributes)| whole(lean, attributes)).collect();
    let mut names = Names::default();
    let analysis = analysed(spans.into_iter().map(|(lean, _)| lean).collect());
    let calls = trace_calls(&analysis, &wholes, &|_, _| None, &mut names);
    report(std::iter::once(&calls), &names, millis(3_600_000))
}

fn edges(report: &Report) -> Vec<String> {
    let peer = |peer: &Peer| format!("{}{}", peer.name(), if peer.what().is_empty() { "" } else { "*" });
    let network = |edge: &super::Edge| edge.network.map_or_else(String::new, |(_, p50, _)| format!(" {p50}"));
    let mut edges: Vec<String> = report
        .edges
        .iter()
        .map(|edge| {
            format!("{} > {} {}/{}{}", peer(&edge.from), peer(&edge.to), edge.failed, edge.calls, network(edge))
        })
        .collect();
    edges.sort();
    edges
}

#[test]
fn only_entry_spans_count_and_an_edge_fails_if_either_side_does() {
    let report = told(vec![
        (of("web", Kind::CLIENT, span(1, 0, 0, 100)), &[]),
        (of("api", Kind::SERVER, span(2, 1, 10, 90)), &[]),
        (of("api", Kind::INTERNAL, span(3, 2, 20, 80)), &[]),
        (failed(of("api", Kind::CLIENT, span(4, 3, 30, 70))), &[("http.request.method", "GET")]),
        (of("pay", Kind::SERVER, span(5, 4, 35, 60)), &[]),
        (
            TraceSpan { category: Category::Sql, ..of("pay", Kind::CLIENT, span(6, 5, 40, 50)) },
            &[("db.system", "postgresql"), ("db.name", "ledger")],
        ),
        (of("pay", Kind::CLIENT, span(7, 5, 51, 52)), &[("server.address", "mail"), ("server.port", "25")]),
        (of("pay", Kind::CLIENT, span(8, 5, 53, 54)), &[("peer.service", "bank"), ("url.full", "https://b.example/x")]),
        (of("pay", Kind::CLIENT, span(9, 5, 55, 56)), &[("http.url", "https://u:p@b.example:8443/x?y")]),
    ]);
    let rows: Vec<_> = report.services.iter().map(|row| (&*row.name, row.figures.calls, row.figures.failed)).collect();
    assert_eq!(rows, [("api", 1, 0), ("pay", 1, 0), ("web", 1, 0)]);
    assert_eq!(
        edges(&report),
        [
            "api > pay 1/1 15 ms",
            "pay > b.example:8443* 0/1",
            "pay > bank* 0/1",
            "pay > mail:25* 0/1",
            "pay > postgresql ledger* 0/1",
            "web > api 0/1 20 ms",
        ]
    );
    assert_eq!((report.traces, report.failed, report.crossing), (1, 0, 1));
}

#[test]
fn messages_go_through_their_queue_and_wait_there() {
    let topic: &[(&str, &str)] = &[("messaging.destination.name", "orders")];
    let report = told(vec![
        (of("shop", Kind::PRODUCER, span(1, 0, 0, 10)), topic),
        (failed(of("stock", Kind::CONSUMER, span(2, 1, 40, 60))), topic),
        // Without a name the two services are told.
        (of("shop", Kind::PRODUCER, span(3, 1, 0, 10)), &[]),
        (of("mail", Kind::CONSUMER, span(4, 3, 15, 20)), &[]),
    ]);
    assert_eq!(edges(&report), ["orders* > stock 1/1 30 ms", "shop > mail 0/1 5 ms", "shop > orders* 0/1"]);
}

#[test]
fn a_batch_waits_as_long_as_the_message_that_was_sent_first() {
    let analysis = analysed(vec![of("stock", Kind::CONSUMER, span(2, 0, 100, 120))]);
    let mut consumer = whole(&analysis.trace.spans[0], &[("messaging.destination", "orders")]);
    let link = |trace: u8| Link { trace_id: [trace; 16].into(), span_id: id(7).0.into(), ..Link::default() };
    consumer.links = vec![link(1), link(2), link(3)];
    let sent = |trace: TraceId, span| match trace.0[0] {
        1 if span == id(7) => Some(millis(80)),
        2 => Some(millis(30)),
        _ => None,
    };
    let mut names = Names::default();
    let calls = trace_calls(&analysis, &[consumer], &sent, &mut names);
    assert_eq!(calls.calls[0].network, Some(Nanos::from_millis(70)));
}

#[test]
fn both_sides_of_a_zipkin_call_share_an_id_and_a_call_without_a_client_span_is_one_too() {
    let shared = TraceSpan { key: crate::model::SpanKey { id: id(1), kind: Kind::SERVER }, ..span(1, 0, 2, 8) };
    let report = told(vec![
        (of("web", Kind::CLIENT, span(1, 0, 0, 10)), &[]),
        (TraceSpan { service: "api".into(), ..shared }, &[]),
        (of("old", Kind::INTERNAL, span(3, 1, 3, 4)), &[]),
    ]);
    assert_eq!(edges(&report), ["api > old 0/1", "web > api 0/1 4 ms"]);
}

#[test]
fn a_call_that_nobody_answered_waits_ten_seconds_for_the_other_half() {
    let analysis = analysed(vec![of("api", Kind::CLIENT, span(1, 0, 0, 100))]);
    let client = whole(&analysis.trace.spans[0], &[("server.address", "10.0.0.7")]);
    let mut names = Names::default();
    let calls = trace_calls(&analysis, &[client], &|_, _| None, &mut names);
    let at = |now| report(std::iter::once(&calls), &names, now);
    let young = at(millis(5_000));
    assert_eq!((young.pending, young.edges.len()), (1, 0));
    let old = at(millis(10_200));
    assert_eq!((old.pending, edges(&old)), (0, vec!["api > 10.0.0.7* 0/1".to_owned()]));
}

#[test]
fn percentiles_are_exact_by_nearest_rank() {
    let mut names = Names::default();
    let (service, operation): (Arc<str>, Arc<str>) = ("api".into(), "GET /".into());
    let number = names.operation(&service, &operation);
    let entry = |at: u64| super::Entry {
        operation: number,
        at: millis(at),
        duration: Nanos(at),
        failed: at.is_multiple_of(10),
    };
    let calls = TraceCalls { entries: (1..=200).map(entry).collect(), ..TraceCalls::default() };
    let report = report(std::iter::once(&calls), &names, Timestamp::default());
    let figures = &report.services[0].figures;
    assert_eq!((figures.p50, figures.p95, figures.p99), (Nanos(100), Nanos(190), Nanos(198)));
    assert_eq!((figures.calls, figures.failed), (200, 20));
}

#[test]
fn names_beyond_the_limit_are_put_together() {
    let mut names = Names::default();
    let service: Arc<str> = "api".into();
    let numbers: std::collections::HashSet<u32> =
        (0..70_000).map(|at| names.operation(&service, &format!("GET /{at}").into())).collect();
    assert_eq!(numbers.len(), (1 << 16) + 1);
    let last = names.operation(&service, &"GET /69999".into());
    assert_eq!(names.operation_of(last).map(|(name, _)| &**name), Some("(others)"));
}

proptest::proptest! {
    #[test]
    fn every_entry_and_call_is_in_the_report_whatever_the_order_of_traces(
        parts in proptest::collection::vec(
            proptest::collection::vec((0..9_u64, 0..6_i32, 0..3_usize, 0..90_u64, proptest::bool::ANY), 0..9), 0..5),
    ) {
        let mut names = Names::default();
        let traces: Vec<TraceCalls> = parts.iter().map(|spans| {
            let lean: Vec<TraceSpan> = spans.iter().zip(1..).map(|((parent, kind, service, from, bad), number)| {
                let lean = of(["a", "b", "c"][*service], Kind(*kind), span(number, *parent, *from, from + 10));
                if *bad { failed(lean) } else { lean }
            }).collect();
            let wholes: Vec<Span> = lean.iter().map(|lean| whole(lean, &[("server.address", "x")])).collect();
            trace_calls(&analysed(lean), &wholes, &|_, _| None, &mut names)
        }).collect();
        let whole = report(traces.iter(), &names, millis(3_600_000));
        proptest::prop_assert_eq!(&whole, &report(traces.iter().rev(), &names, millis(3_600_000)));
        let entries: usize = traces.iter().map(|trace| trace.entries.len()).sum();
        let calls: usize = traces.iter().map(|trace| trace.calls.len()).sum();
        proptest::prop_assert_eq!(whole.services.iter().map(|row| row.figures.calls).sum::<u64>(), entries as u64);
        proptest::prop_assert_eq!(whole.edges.iter().map(|edge| edge.calls).sum::<u64>(), calls as u64);
        for row in &whole.services {
            let of_operations: u64 = row.operations.iter().map(|operation| operation.figures.calls).sum();
            proptest::prop_assert_eq!(row.figures.calls, of_operations);
            proptest::prop_assert!(row.figures.p50 <= row.figures.p95 && row.figures.p95 <= row.figures.p99);
        }
    }
}
