//! Searches as Jaeger's form and API have them, and what they find here.
//!
//! The form's fields (`service`, `operation`, `tags` in logfmt, `minDuration`, `maxDuration`, `lookback`, `limit`), the
//! pseudo-tags of its query service (`error`, `span.kind`, `span.status`, `scope.name`, `scope.version`, `resource.`), and
//! the ids its search box takes.

use std::sync::Arc;

use super::{NOW, ended, found, from, of_kind, span, views_of, with, with_event};
use tracefall::index::View;
use tracefall::model::{Kind, Link, Scope, Span, SpanId, StatusCode};
use tracefall::query::{parse, run};

/// Jaeger's `HotROD`: 1 is the page, 2 asks for the customer, 3 reads it, 4 and 5 look for drivers, 6 is a retry; 7 and 8
/// are another trace, 9 a third.
fn spans() -> Vec<Span> {
    let scope =
        |name: &str, version: &str| Arc::new(Scope { name: name.into(), version: version.into(), ..Scope::default() });
    let page = with(
        with(span(1, 1, "HTTP GET /dispatch", 700), "http.status_code", 200),
        "http.url",
        "/dispatch?customer=392",
    );
    let ask = with(with(span(1, 2, "HTTP GET", 300), "http.method", "GET"), "peer.service", "customer");
    let read = with(
        with(span(1, 3, "SQL SELECT", 290), "sql.query", "SELECT * FROM customer WHERE customer_id=392"),
        "request",
        "48-1",
    );
    let find = with(span(1, 4, "GetDriver", 14), "param.driverID", "T761284C");
    let lost =
        with_event(with(span(1, 5, "GetDriver", 33), "param.driverID", "T750000C"), "redis timeout", "level", "error");
    let retry = with(with(span(1, 6, "GetDriver", 9), "retry", true), "attempt", 2);
    let route = with(with(span(2, 7, "HTTP GET /route", 60), "http.status_code", "200"), "pickup", "115,277");
    let bad = with(span(2, 8, "HTTP GET /route", 90), "http.status_code", 500);
    let link = Link { trace_id: [1; 16].into(), span_id: [1; 8].into(), ..Link::default() };
    vec![
        of_kind(Kind::SERVER, from("frontend", page)),
        of_kind(Kind::CLIENT, from("frontend", ask)),
        Span { scope: scope("otelsql", "0.1"), ..of_kind(Kind::CLIENT, from("customer", read)) },
        Span { scope: scope("redis", "9"), ..from("driver", find) },
        Span { scope: scope("redis", "9"), ..ended(StatusCode::ERROR, "redis timeout", from("driver", lost)) },
        ended(StatusCode::OK, "", from("driver", retry)),
        of_kind(Kind::SERVER, from("route", route)),
        of_kind(Kind::SERVER, ended(StatusCode::ERROR, "bad address", from("route", bad))),
        Span {
            links: vec![link],
            ..of_kind(Kind::CONSUMER, from("billing", with(span(3, 9, "receive", 2), "net.peer.name", "mq")))
        },
    ]
    .into_iter()
    .map(|span| Span { parent_id: parent(&span), ..span })
    .collect()
}

fn parent(span: &Span) -> Option<SpanId> {
    match span.span_id.0[0] {
        2 | 4 | 5 | 6 => Some(SpanId([1; 8])),
        3 => Some(SpanId([2; 8])),
        8 => Some(SpanId([7; 8])),
        _ => None,
    }
}

fn views() -> Vec<View> {
    let spans = spans();
    let (one, other) = spans.split_at(4);
    views_of(&[one, other])
}

const SEARCHES: [(&str, &[u8]); 52] = [
    // The form: service, operation, durations.
    ("service=frontend", &[1, 2]),
    ("service=frontend operation=\"HTTP GET /dispatch\"", &[1]),
    ("service=route operation=\"HTTP GET /route\" minDuration=70ms", &[8]),
    ("service=driver minDuration=10ms maxDuration=20ms", &[4]),
    ("service=driver maxDuration=14ms", &[4, 6]),
    ("minDuration=1.2s", &[]),
    ("minDuration=700ms", &[1]),
    ("minDuration=100us service=driver", &[4, 5, 6]),
    ("maxDuration=5ms", &[9]),
    // Tags in logfmt: a space is AND, all on one span.
    ("http.status_code=200", &[1, 7]),
    ("http.status_code=\"200\"", &[7]),
    ("http.status_code=200 service=route", &[7]),
    ("http.status_code=200 http.method=GET", &[]),
    ("http.url=\"/dispatch?customer=392\"", &[1]),
    ("http.url=/dispatch?customer=392", &[1]),
    ("sql.query=\"SELECT * FROM customer WHERE customer_id=392\"", &[3]),
    ("param.driverID=T761284C", &[4]),
    ("pickup=115,277", &[7]),
    ("request=48-1", &[3]),
    ("retry=true", &[6]),
    ("attempt=2", &[6]),
    ("attempt=\"2\"", &[]),
    ("level=error", &[5]),
    ("http.status_code=404", &[]),
    // Pseudo-tags.
    ("error=true", &[5, 8]),
    ("error=false service=driver", &[4, 6]),
    ("error=true service=driver", &[5]),
    ("error=true http.status_code=500", &[8]),
    ("span.kind=server", &[1, 7, 8]),
    ("span.kind=client service=customer", &[3]),
    ("span.kind=consumer", &[9]),
    ("span.status=error", &[5, 8]),
    ("span.status=ok", &[6]),
    ("span.status=unset service=driver", &[4]),
    ("scope.name=otelsql", &[3]),
    ("scope.name=redis scope.version=9", &[4, 5]),
    ("resource.service.name=billing", &[9]),
    ("resource.http.method=GET", &[]),
    // Lookback, time and limit: the spans began within the minute before now.
    ("lookback=1h", &[]),
    ("service=driver lookback=1h", &[4, 5, 6]),
    ("service=driver lookback=59995ms", &[5, 6]),
    ("service=driver lookback=1s", &[]),
    ("service=driver since=1970-01-01T00:16:40.006Z", &[6]),
    ("service=driver until=1970-01-01T00:16:40.004Z", &[4]),
    ("error=true limit=1", &[8]),
    ("error=true limit=20", &[5, 8]),
    // Words, as in the search within a trace; here all must occur.
    ("driver timeout", &[5]),
    ("customer -select", &[1, 2]),
    ("\"FROM customer\"", &[3]),
    ("getdriver OR \"bad address\"", &[4, 5, 6, 8]),
    ("peer.service:cust", &[2]),
    ("0505050505050505", &[5]),
];

/// What Jaeger's search does not have.
const BEYOND: [(&str, &[u8]); 12] = [
    ("http.status_code>=500", &[8]),
    ("http.status_code!=200", &[8]),
    ("service=~\"front.*|route\"", &[1, 2, 7, 8]),
    ("root.service=frontend error=true", &[5]),
    ("parent.operation:dispatch", &[2, 4, 5, 6]),
    ("child.error=true", &[1, 7]),
    ("any.error=true service=customer", &[3]),
    ("none.error=true service:*", &[9]),
    ("(service=driver OR service=route) error=true", &[5, 8]),
    ("traceDuration>500ms error=true", &[5]),
    ("link:traceID=01010101010101010101010101010101", &[9]),
    ("server.address=mq", &[9]),
];

#[test]
fn searches_find_what_they_find_in_jaeger() {
    for view in views() {
        for (text, expected) in SEARCHES.iter().chain(&BEYOND) {
            assert_eq!(found(&view, text), *expected, "{text}");
        }
    }
}

#[test]
fn traces_are_found_by_the_ids_that_people_paste() {
    for view in views() {
        for text in [
            "02020202020202020202020202020202",
            "1-02020202-020202020202020202020202",
            "00-02020202020202020202020202020202-0707070707070707-01",
            "trace_id=02020202020202020202020202020202",
            "traceID=02020202020202020202020202020202",
        ] {
            let hits = run(&parse(text).unwrap(), &view, NOW, &|| false).hits;
            assert_eq!(hits.iter().map(|hit| hit.trace.0[0]).collect::<Vec<_>>(), [2], "{text}");
        }
    }
}
