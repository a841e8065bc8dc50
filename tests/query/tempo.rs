//! `TraceQL` as Tempo's documentation has it, and what it finds here.
//!
//! After the pages "Construct a TraceQL query" and "TraceQL metrics queries"; what differs on purpose is in
//! [`DIFFERENT`], and in the README under "Coming from Tempo".

use std::sync::Arc;

use super::{ended, found, of_kind, span, value, views_of, with, with_event};
use tracefall::index::View;
use tracefall::model::{Attribute, Kind, Link, Nanos, Resource, Scope, Span, SpanId, StatusCode, Value};
use tracefall::query::parse;

fn attribute(key: &str, value: Value) -> Attribute {
    Attribute { key: key.into(), value }
}

fn at(service: &str, environment: &str, region: &str, span: Span) -> Span {
    let mut attributes = vec![attribute("service.name", value(service))];
    for (key, own) in [("deployment.environment", environment), ("cloud.region", region)] {
        if !own.is_empty() {
            attributes.push(attribute(key, value(own)));
        }
    }
    if environment == "production" {
        attributes.push(attribute("service.namespace", value("ecommerce")));
        attributes.push(attribute("k8s.cluster.name", value("service-name")));
    }
    Span { resource: Arc::new(Resource { attributes, ..Resource::default() }), ..span }
}

fn under(parent: u8, span: Span) -> Span {
    Span { parent_id: Some(SpanId([parent; 8])), ..span }
}

/// Trace 1: an order that fails. 1 calls 2 calls 3 calls 4, 5 and 6.
fn order() -> Vec<Span> {
    let home = |span| at("frontend", "production", "us-east-1", span);
    let orders = |span| at("orders", "production", "us-east-1", span);
    let java = Scope {
        name: "grpc".into(),
        version: "1.0.0".into(),
        attributes: vec![attribute("language", value("java"))],
        ..Scope::default()
    };
    let link = Link {
        trace_id: [2; 16].into(),
        span_id: [8; 8].into(),
        attributes: vec![attribute("opentracing.ref_type", value("child_of"))],
        ..Link::default()
    };
    let one = with(with(span(1, 1, "POST /api/orders", 900), "http.method", "POST"), "http.status_code", 500);
    let two = with(with(span(1, 2, "call orders", 800), "http.method", "GET"), "http.status_code", 200);
    let three = with(with(span(1, 3, "POST /orders", 700), "http.status_code", 503), "retry_count", 2);
    let mut three = with_event(three, "exception", "exception.message", "oh something went wrong here");
    three.events[0].time = three.start.plus(Nanos::from_millis(3));
    let four = with(with(span(1, 4, "SELECT orders", 300), "db.system", "postgresql"), "db.name", "db-shard-001");
    let five = with(span(1, 5, "SELECT items", 200), "db.system", "mysql");
    let six = with(span(1, 6, "publish", 4), "attribute name with space", "value");
    vec![
        of_kind(Kind::SERVER, ended(StatusCode::ERROR, "Forbidden", home(with(one, "http.url", "/path/of/api")))),
        under(1, of_kind(Kind::CLIENT, ended(StatusCode::OK, "", home(with(two, "cache.hit", true))))),
        under(2, of_kind(Kind::SERVER, ended(StatusCode::ERROR, "timeout", orders(three)))),
        Span {
            scope: Arc::new(java),
            ..under(3, of_kind(Kind::CLIENT, orders(with(four, "bytesProcessed", 700_000_000))))
        },
        under(3, of_kind(Kind::CLIENT, orders(with(five, "bytesProcessed", 500_000_000)))),
        Span { links: vec![link], ..under(3, of_kind(Kind::PRODUCER, ended(StatusCode::ERROR, "", orders(six)))) },
    ]
}

/// Trace 2: a page. 7 calls 8 and 10, 8 calls 9. Trace 3: span 11 alone.
fn others() -> Vec<Span> {
    let list = |one: &str, other: &str| Value::Array(vec![value(one), value(other)]);
    let seven = with(with(span(2, 7, "GET /api/products/{id}", 100), "http.method", "GET"), "http.status_code", 200);
    let seven = with(seven, "http.request.header.Accept", list("application/json", "text/html"));
    let seven = with(seven, "foo", list("bar", "baz"));
    let eight = with(with(span(2, 8, "ListProducts", 60), "http.method", "DELETE"), "http.status_code", 200);
    let eight = with(with(eight, "foo", "qux"), "value", 1.5);
    let nine = with(with(span(2, 9, "SELECT", 40), "db.system", "postgresql"), "foo", 7);
    let ten = with(with(span(2, 10, "recommend", 30), "optional_field", "x"), "cache.hit", false);
    let eleven = with(with(span(3, 11, "tick", 6_000), "http.status_code", "404"), "value", i64::MAX);
    vec![
        of_kind(Kind::SERVER, ended(StatusCode::OK, "", at("frontend", "staging", "us-west-1", seven))),
        under(7, of_kind(Kind::SERVER, at("productcatalogservice", "prod-eu", "", eight))),
        under(8, of_kind(Kind::CLIENT, at("productcatalogservice", "prod-eu", "", nine))),
        under(7, at("recommender", "", "", ten)),
        at("cron", "production", "us-west-1", eleven),
    ]
}

fn views() -> Vec<View> {
    views_of(&[&order(), &others()])
}

const ALL: &[u8] = &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];

/// Queries as Tempo's documentation has them, and the spans they find.
const PUBLISHED: [(&str, &[u8]); 86] = [
    ("{ }", ALL),
    ("{ span.http.status_code >= 200 && span.http.status_code < 300 } | count() > 2", &[]),
    ("{ span.http.status_code >= 200 && span.http.status_code < 300 } | count() > 1", &[7, 8]),
    ("{resource.service.name = \"frontend\" && name = \"POST /api/orders\"}", &[1]),
    (
        "{\n  resource.service.namespace = \"ecommerce\" &&\n  resource.service.name = \"frontend\" &&\n  \
         resource.deployment.environment = \"production\" &&\n  name = \"POST /api/orders\"\n}",
        &[1],
    ),
    ("{ resource.service.name=\"frontend\" && name = \"POST /api/orders\" && status = error }", &[1]),
    ("{ resource.service.name=\"frontend\" && name = \"POST /api/orders\" && span.http.status_code >= 500 }", &[1]),
    (
        "{resource.service.name=\"frontend\" && name = \"GET /api/products/{id}\"} && {span.db.system=\"postgresql\"}",
        &[7, 9],
    ),
    ("{span.service.name=\"frontend\" && name = \"GET /api/products/{id}\"} && {span.db.system=\"postgresql\"}", &[]),
    ("{ resource.deployment.environment = \"production\" } && { resource.deployment.environment = \"staging\" }", &[]),
    (
        "{ resource.deployment.environment = \"staging\" } && { resource.deployment.environment = \"prod-eu\" }",
        &[7, 8, 9],
    ),
    ("{ span.foo = \"bar\" }", &[7]),
    ("{ span.http.request.header.Accept =~ \"application.*\" }", &[7]),
    ("{ span.http.request.header.Accept !~ \"application.*\" }", &[]),
    ("{ resource.service.name=\"frontend\" } >> { status = error }", &[3, 6]),
    ("{ } !< { resource.service.name = \"productcatalogservice\" }", &[9]),
    ("{ resource.service.name = \"productcatalogservice\" } ~ { resource.service.name=\"recommender\" }", &[10]),
    ("{ resource.service.name = \"productcatalogservice\" } ~ { resource.service.name=\"frontend\" }", &[]),
    ("{ span:childCount = 0 }", &[4, 5, 6, 9, 10, 11]),
    ("{ resource.service.name = \"productcatalogservice\" && span:childCount = 0 }", &[9]),
    ("{ span:childCount > 2 }", &[3]),
    ("{ span.http.status_code = 200 } | select(resource.service.name)", &[2, 7, 8]),
    ("{ resource.deployment.environment = \"production\" } && { span.http.status_code = 200 }", &[1, 2, 3, 4, 5, 6]),
    ("{ span.http.method = \"GET\" && status = ok } && { span.http.method = \"DELETE\" && status != ok }", &[7, 8]),
    ("{ resource.deployment.environment =~ \"prod-.*\" && span.http.status_code = 200 }", &[8]),
    ("{ trace:duration > 5s }", &[11]),
    ("{ resource.deployment.environment = \"production\" && trace:duration > 2s } | count() > 30", &[]),
    (
        "{ resource.deployment.environment = \"production\" && trace:duration > 500ms } | count() > 3",
        &[1, 2, 3, 4, 5, 6],
    ),
    ("{ span:name = \"publish\" }", &[6]),
    ("{ event:name = \"exception\" }", &[3]),
    ("{ trace:id = \"02020202020202020202020202020202\" }", &[7, 8, 9, 10]),
    ("{ link:traceID = \"02020202020202020202020202020202\" }", &[6]),
    ("{ link:spanID = \"0808080808080808\" }", &[6]),
    ("{ span:status = ok }", &[2, 7]),
    ("{ span:statusMessage = \"Forbidden\" }", &[1]),
    ("{ span:duration > 100ms }", &[1, 2, 3, 4, 5, 11]),
    ("{ span:kind = server }", &[1, 3, 7, 8]),
    ("{ span:id = \"0303030303030303\" }", &[3]),
    ("{ span:parentID = \"0303030303030303\" }", &[4, 5, 6]),
    ("{ span:childCount > 0 }", &[1, 2, 3, 7, 8]),
    ("{ trace:duration > 100ms }", &[1, 2, 3, 4, 5, 6, 11]),
    ("{ trace:rootName = \"POST /api/orders\" }", &[1, 2, 3, 4, 5, 6]),
    ("{ trace:rootService = \"cron\" }", &[11]),
    ("{ event:timeSinceStart > 2ms}", &[3]),
    ("{ event:timeSinceStart > -5s }", &[3]),
    ("{ instrumentation:name = \"grpc\" }", &[4]),
    ("{ instrumentation:version = \"1.0.0\" }", &[4]),
    ("{ instrumentation.language = \"java\" }", &[4]),
    ("{ resource.k8s.cluster.name=\"service-name\" && trace:rootName !~ \".*orders.*\"}", &[11]),
    ("{ span.http.method = \"GET\" }", &[2, 7]),
    ("{ span.db.system =~ \"postgresql|mysql\" }", &[4, 5, 9]),
    ("{ event.exception.message =~ \".*something went wrong.*\" }", &[3]),
    ("{ link.opentracing.ref_type = \"child_of\" }", &[6]),
    ("{ span.\"attribute name with space\" = \"value\" }", &[6]),
    ("{ span.attribute.\"attribute name with space\" = \"value\" }", &[]),
    ("{ span.retry_count > -1 }", &[3]),
    ("{ span.value != minInt && span.value != maxInt }", &[8]),
    ("{ span.value > 1.25 }", &[8, 11]),
    ("{ span.optional_field = nil }", &[1, 2, 3, 4, 5, 6, 7, 8, 9, 11]),
    ("{ span.optional_field != nil }", &[10]),
    ("{ resource.service.namespace = nil }", &[7, 8, 9, 10]),
    ("{ event.exception.message = nil && resource.service.name = \"orders\" }", &[4, 5, 6]),
    ("{ span.cache.hit = true }", &[2]),
    ("{ span.cache.hit || span.http.status_code = 500 }", &[1, 2]),
    ("{ span.cache.hit = true || span.http.status_code = 500 }", &[1, 2]),
    ("{ span.http.status_code >= 400 && span.http.status_code < 500 }", &[11]),
    ("{ span.http.status_code >= \"400\" }", &[11]),
    ("{ span.http.method =~ \"DELETE|GET\" }", &[2, 7, 8]),
    ("{ span.http.method = \"DELETE\" && status != ok }", &[8]),
    ("{ resource.cloud.region = \"us-east-1\" } && { resource.cloud.region = \"us-west-1\" }", &[]),
    ("{ resource.cloud.region = \"us-east-1\" && resource.cloud.region = \"us-west-1\" }", &[]),
    (
        "{ resource.cloud.region = \"us-east-1\" } || { resource.cloud.region = \"us-west-1\" }",
        &[1, 2, 3, 4, 5, 6, 7, 11],
    ),
    ("{ resource.cloud.region =~ \"us-east-1|us-west-1\" }", &[1, 2, 3, 4, 5, 6, 7, 11]),
    ("{ span.http.url = \"/path/of/api\" } >> { span.db.name = \"db-shard-001\" }", &[4]),
    ("{ span.http.url = \"/path/of/api\" && status = error } &>> { status = error }", &[1, 3, 6]),
    ("{ status = error } !< { status = error }", &[1, 6]),
    ("count() > 5", &[1, 2, 3, 4, 5, 6]),
    ("avg(duration) > 60ms", &[1, 2, 3, 4, 5, 6, 11]),
    ("{ span.http.status_code = 200 } | count() > 1", &[7, 8]),
    ("{ } | sum(span.bytesProcessed) > 1000000000", &[1, 2, 3, 4, 5, 6]),
    ("{ status = error } | by(resource.service.name) | count() > 1", &[3, 6]),
    ("{ span.bytesProcessed > 500 * 1000 * 1000 }", &[4]),
    ("{ status = error } | select(span.http.status_code, span.http.url)", &[1, 3, 6]),
    ("{} with (most_recent=true)", ALL),
    ("{ span.foo = \"bar\" } >> { kind = client } with (most_recent=true)", &[9]),
    ("{ nestedSetParent < 0 }", &[1, 7, 11]),
];

/// The structural operators, each with its negated and its union form.
const STRUCTURAL: [(&str, &[u8]); 17] = [
    ("{ name = \"POST /orders\" } > { }", &[4, 5, 6]),
    ("{ name = \"POST /orders\" } < { }", &[2]),
    ("{ name = \"POST /orders\" } >> { kind = client }", &[4, 5]),
    ("{ name = \"POST /orders\" } << { }", &[1, 2]),
    ("{ name = \"publish\" } ~ { }", &[4, 5]),
    ("{ kind = server } !> { kind = client }", &[]),
    ("{ name = \"POST /orders\" } !> { kind = client }", &[2, 9]),
    ("{ kind = client } !< { kind = server }", &[7]),
    ("{ kind = server } !>> { }", &[1, 7, 11]),
    ("{ status = error } !<< { status = error }", &[6]),
    ("{ kind = client } !~ { kind = producer }", &[]),
    ("{ status = error } &> { kind = client }", &[1, 2, 3, 4, 5]),
    ("{ kind = producer } &< { }", &[3, 6]),
    ("{ name = \"publish\" } &<< { kind = server }", &[1, 3, 6]),
    ("{ name = \"publish\" } &~ { kind = client }", &[4, 5, 6]),
    ("{ kind = server } > { kind = client } > { kind = server }", &[3]),
    ("({ kind = server } | count() > 1) && { kind = producer }", &[1, 3, 6]),
];

/// Lists of values, which Tempo has in what it makes of a query, and prints.
const LISTS: [(&str, &[u8]); 9] = [
    ("{ span.http.status_code = [200, 500] }", &[1, 2, 7, 8]),
    ("{ span.http.status_code IN [200, 500] }", &[1, 2, 7, 8]),
    ("{ span.http.status_code NOT IN [200, 500] }", &[3, 11]),
    ("{ span.foo = [\"baz\", \"qux\"] }", &[7, 8]),
    ("{ span.foo != [\"baz\", \"other\"] }", &[8, 9]),
    ("{ span.foo !~ [\"q.*\", \"ba.\"] }", &[9]),
    ("{ kind IN [producer, client] && status != error }", &[2, 4, 5, 9]),
    ("{ span.db.system =~ [\"postgres.*\", \"my.*\"] }", &[4, 5, 9]),
    ("{ resource.cloud.region = [\"us-west-1\", \"eu\"] }", &[7, 11]),
];

/// What finds something else than in Tempo, on purpose: the query, what is found here, why.
const DIFFERENT: [(&str, &[u8], &str); 10] = [
    ("{ span.http.method = [\"GET\", \"DELETE\"] }", &[2, 7, 8], "lists of values are read"),
    ("{ span.http.status_code = 404 }", &[11], "text that is a number equals and compares as one"),
    ("{ span.http.status_code =~ \"50.\" }", &[1, 3], "a regular expression looks at numbers as they are spelled"),
    (
        "{ span.db.system.name = \"postgresql\" }",
        &[4, 9],
        "old and new names of the semantic conventions mean the same",
    ),
    ("{ span.\"db.system.name\" = \"postgresql\" }", &[], "a quoted key is that key alone"),
    ("{ .exception.message != nil }", &[3], "a key without scope is looked for on events, links and the scope too"),
    (
        "{ name = \"tick\" } || { status = error } && { name = \"publish\" }",
        &[1, 3, 6, 11],
        "`&&` binds tighter than `||`, between braces and within",
    ),
    (
        "{ name = \"nothing\" } !>> { kind = producer }",
        &[6],
        "where there is nothing on the left, all on the right is apart from it",
    ),
    ("{ status = error } | p95(duration) > 800ms", &[1, 3, 6], "percentiles of the spans of a trace"),
    ("{ .foo != 7 }", &[7, 8], "a value of another type is there, and is not equal"),
];

#[test]
fn published_queries_find_what_they_say() {
    for view in views() {
        for (text, expected) in PUBLISHED.iter().chain(&STRUCTURAL).chain(&LISTS) {
            assert_eq!(found(&view, text), *expected, "{text}");
        }
    }
}

#[test]
fn what_differs_from_tempo_differs_on_purpose() {
    let readme = include_str!("../../README.md").replace("\\|", "|");
    for view in views() {
        for (text, expected, why) in DIFFERENT {
            assert_eq!(found(&view, text), expected, "{text}: {why}");
            assert!(readme.contains(why), "the README does not say: {why}");
        }
    }
}

#[test]
fn metrics_over_time_are_refused_by_name() {
    let cases = [
        ("{ span:duration < 5ms } | count_over_time() by(resource.service.name) | topk(10)", "`count_over_time()`"),
        ("{ resource.service.name = \"foo\" } | rate() by (instrumentation:name)", "`rate()`"),
        ("{ } | quantile_over_time(duration, .99, .9, .5)", "`quantile_over_time()`"),
        ("{ } | histogram_over_time(duration) by (span.foo)", "`histogram_over_time()`"),
        ("{ } | min_over_time(duration)", "`min_over_time()`"),
        ("{ } | max_over_time(duration)", "`max_over_time()`"),
        ("{ } | avg_over_time(duration)", "`avg_over_time()`"),
        ("{ } | sum_over_time(span.a)", "`sum_over_time()`"),
        ("{ status = error } | compare({ duration > 1s }, 10)", "`compare()`"),
        ("{ } | bottomk(2)", "`bottomk()`"),
    ];
    for (text, name) in cases {
        let error = parse(text).unwrap_err();
        assert!(error.expected.contains(name) && error.expected.contains("not supported"), "{text}: {error}");
        assert_eq!(error.column, text.find('|').unwrap() + 2);
    }
}
