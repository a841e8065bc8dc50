//! Filters and the spans they find.

use super::{NOW, ended, found, from, of_kind, span, trace_id, traces, value, views_of, with, with_event};
use tracefall::index::View;
use tracefall::model::{Attribute, Kind, Link, Scope, Span, StatusCode, Value};
use tracefall::query::{Hit, Hits, matching_spans, parse, run};

/// Four small traces: spans 1 to 3 are trace 1, and so on, in order of first arrival.
fn spans() -> Vec<Span> {
    let list = Value::Array(vec![value("red"), value(7), value(true)]);
    let map = Value::Map(vec![Attribute { key: "inner".into(), value: value("Deep Value") }]);
    let link = Link { attributes: vec![Attribute { key: "why".into(), value: value("retry") }], ..Link::default() };
    let scope =
        Scope { attributes: vec![Attribute { key: "library".into(), value: value("sqlx") }], ..Scope::default() };
    vec![
        of_kind(
            Kind::SERVER,
            from("pay", with(with(span(1, 1, "GET /pay", 300), "http.status_code", 500), "tags", list)),
        ),
        ended(StatusCode::ERROR, "timed out", from("pay", with(span(1, 2, "charge", 150), "http.status_code", "500"))),
        of_kind(
            Kind::CLIENT,
            from(
                "pay",
                with(with(span(1, 3, "SELECT", 120), "db.statement", "SELECT * FROM Orders"), "db.system", "mssql"),
            ),
        ),
        of_kind(Kind::SERVER, from("shop", with(span(2, 4, "GET /health", 1), "http.route", "/health"))),
        from("shop", with(span(2, 5, "probe", 0), "http.status_code", 200)),
        from("shop", with(with(span(3, 6, "work", 20), "ratio", 0.5), "nested", map)),
        ended(
            StatusCode::OK,
            "",
            from("pay", with(with(span(3, 7, "db", 10), "db.query.text", "select 1"), "on", true)),
        ),
        with_event(span(4, 8, "lonely", 5), "exception", "exception.type", "NotFoundError"),
        Span { links: vec![link], scope: std::sync::Arc::new(scope), ..with(span(4, 9, "linked", 5), "service", "me") },
    ]
}

fn views() -> Vec<View> {
    let spans = spans();
    let (one, other) = spans.split_at(5);
    views_of(&[one, other])
}

/// Filters, and the spans they find.
const FOUND: [(&str, &[u8]); 66] = [
    ("service=pay", &[1, 2, 3, 7]),
    ("service=PAY", &[]),
    ("service:A", &[1, 2, 3, 7]),
    ("service!=pay", &[4, 5, 6, 8, 9]),
    ("service.name=shop", &[4, 5, 6]),
    ("@service=me", &[9]),
    ("operation=SELECT", &[3]),
    ("operation:select*", &[3]),
    ("operation:get*health", &[4]),
    ("operation!=SELECT service=pay", &[1, 2, 7]),
    ("minDuration=120ms", &[1, 2, 3]),
    ("minDuration=120ms maxDuration=150ms", &[2, 3]),
    ("duration>120ms", &[1, 2]),
    ("duration<1ms", &[5]),
    ("duration<=1ms", &[4, 5]),
    ("duration=5ms", &[8, 9]),
    ("duration!=5ms service:o", &[4, 5, 6]),
    ("duration<0s", &[]),
    ("error=true", &[2]),
    ("error=false service=pay", &[1, 3, 7]),
    ("error!=true service=pay", &[1, 3, 7]),
    ("status=ok", &[7]),
    ("status=unset service=pay", &[1, 3]),
    ("status!=unset", &[2, 7]),
    ("kind=server", &[1, 4]),
    ("span.kind=client", &[3]),
    ("kind!=internal", &[1, 3, 4]),
    ("http.status_code=500", &[1, 2]),
    ("http.status_code=\"500\"", &[2]),
    ("http.status_code=500.0", &[1, 2]),
    ("http.response.status_code=500", &[1, 2]),
    ("\"http.response.status_code\"=500", &[]),
    ("\"http.status_code\"=500", &[1, 2]),
    ("http.status_code>=500", &[1, 2]),
    ("http.status_code<500", &[5]),
    ("http.status_code<=200.5", &[5]),
    ("http.status_code>199", &[1, 2, 5]),
    ("http.status_code!=500", &[5]),
    ("http.status_code:50", &[1, 2]),
    ("http.status_code:*", &[1, 2, 5]),
    ("ratio=0.5", &[6]),
    ("ratio>0.25", &[6]),
    ("on=true", &[7]),
    ("on=\"true\"", &[]),
    ("on:TR", &[7]),
    ("tags=red", &[1]),
    ("tags=7", &[1]),
    ("tags=true", &[1]),
    ("tags!=red", &[]),
    ("tags!=blue", &[1]),
    ("tags>6", &[1]),
    ("tags:RE", &[1]),
    ("nested:deep*value", &[6]),
    ("nested:INNER", &[6]),
    ("nested=inner", &[]),
    ("db.statement:\"from orders\"", &[3]),
    ("db.query.text:select", &[3, 7]),
    ("\"db.statement\":select", &[3]),
    ("db.statement:\"T * F\"", &[3]),
    ("db.statement:\"T*F\"", &[]),
    ("db.system.name=microsoft.sql_server", &[3]),
    ("exception.type=NotFoundError", &[8]),
    ("why=retry", &[9]),
    ("library=sqlx", &[9]),
    ("minDuration=100ms http.status_code=500 error=true", &[2]),
    ("service=pay -http.status_code=500", &[3, 7]),
];

#[test]
fn spans_are_found_by_what_is_theirs() {
    for view in views() {
        for (text, expected) in FOUND {
            assert_eq!(found(&view, text), expected, "{text}");
        }
    }
}

#[test]
fn bare_words_look_everywhere() {
    for view in views() {
        let cases: [(&str, &[u8]); 10] = [
            ("orders", &[3]),
            ("\"from orders\"", &[3]),
            ("PAY", &[1, 2, 3, 7]),
            ("pay 500", &[2]),
            ("timed", &[2]),
            ("http.route", &[4]),
            ("notfound", &[8]),
            ("exception", &[8]),
            ("sqlx", &[9]),
            ("pay -charge -select", &[1]),
        ];
        for (text, expected) in cases {
            assert_eq!(found(&view, text), expected, "{text}");
        }
    }
}

#[test]
fn only_negated_terms_are_about_the_whole_trace() {
    for view in views() {
        let id = trace_id(3).to_string();
        let cases: [(String, &[u8]); 8] = [
            (String::new(), &[1, 2, 3, 4]),
            ("-http.route=/health".to_owned(), &[1, 3, 4]),
            ("-service=pay -lonely".to_owned(), &[2]),
            ("-service:*".to_owned(), &[]),
            (id.to_uppercase(), &[3]),
            (format!("-{id}"), &[1, 2, 4]),
            (format!("{id} -service=pay"), &[]),
            (format!("{id} trace_id=1"), &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(traces(&view, &text), expected, "{text}");
            assert!(
                run(&parse(&text).unwrap(), &view, NOW, &|| false).hits.iter().all(|hit| hit.matched == 0),
                "{text}"
            );
        }
        assert_eq!(found(&view, &format!("service=pay {id}")), [7]);
        assert_eq!(found(&view, &format!("service=pay trace_id!={id}")), [1, 2, 3]);
        assert_eq!(matching_spans(&parse(&format!("service=pay {id}")).unwrap(), &view, NOW, trace_id(1)), []);
    }
}

#[test]
fn hits_come_by_first_arrival_with_their_first_span() {
    for view in views() {
        let hits = run(&parse("duration<=5ms").unwrap(), &view, NOW, &|| false);
        let hit = |trace, matched, first: u8| Hit {
            trace: trace_id(trace),
            matched,
            first: spans().iter().map(Span::key).find(|key| key.id.0[0] == first),
        };
        assert_eq!(hits, Hits { hits: vec![hit(2, 2, 4), hit(4, 2, 8)], partial: false });
    }
}

#[test]
fn a_cancelled_search_says_so() {
    let view = views().swap_remove(0);
    for text in ["service=pay", "-service=pay"] {
        assert_eq!(run(&parse(text).unwrap(), &view, NOW, &|| true), Hits { hits: Vec::new(), partial: true });
    }
}
