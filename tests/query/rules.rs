//! The rules of the language, one test each.

use std::sync::Arc;

use super::{ended, found, from, of_kind, span, traces, value, views_of, with, with_event};
use tracefall::model::{Attribute, Kind, Link, Scope, Span, SpanId, StatusCode, Timestamp, Value};
use tracefall::query::parse;

fn under(parent: u8, span: Span) -> Span {
    Span { parent_id: Some(SpanId([parent; 8])), ..span }
}

/// What each filter finds, hot and sealed.
fn all_find(spans: &[Span], cases: &[(&str, &[u8])]) {
    for view in views_of(&[spans]) {
        for (text, expected) in cases {
            assert_eq!(found(&view, text), *expected, "{text}");
        }
    }
}

/// Which traces each filter finds, hot and sealed.
fn all_trace(spans: &[Span], cases: &[(&str, &[u8])]) {
    for view in views_of(&[spans]) {
        for (text, expected) in cases {
            let mut found = traces(&view, text);
            found.sort_unstable();
            assert_eq!(found, *expected, "{text}");
        }
    }
}

#[test]
fn bare_conditions_hold_on_one_span() {
    let spans = [with(span(1, 1, "a", 300), "x", "1"), with(span(1, 2, "b", 10), "y", "2")];
    all_find(
        &spans,
        &[
            ("x=1 y=2", &[]),
            ("x=1 minDuration=100ms", &[1]),
            ("y=2 minDuration=100ms", &[]),
            ("{ .x = \"1\" && .y = \"2\" }", &[]),
            ("{ .x = \"1\" } && { .y = \"2\" }", &[1, 2]),
            ("x=1 any.y=2", &[1]),
            ("x=1 { .y = \"2\" }", &[1, 2]),
        ],
    );
}

#[test]
fn relatives_are_seen_from_the_span() {
    let spans = [
        from("web", with(span(1, 1, "root", 9), "http.route", "/pay")),
        under(1, from("pay", span(1, 2, "middle", 8))),
        under(2, from("db", ended(StatusCode::ERROR, "", with(span(1, 3, "leaf", 7), "db.system.name", "postgresql")))),
        from("db", with(span(2, 4, "other", 1), "db.system.name", "postgresql")),
    ];
    all_find(
        &spans,
        &[
            ("root.http.route=/pay db.system.name=postgresql", &[3]),
            ("root.service=db", &[4]),
            ("root.duration<5ms", &[4]),
            ("parent.service=pay", &[3]),
            ("parent.service!=pay", &[2]),
            ("child.error=true", &[2]),
            ("any.error=true", &[1, 2, 3]),
            ("none.error=true service:*", &[4]),
            ("-parent.service=pay service:*", &[1, 2, 4]),
            ("-root.service=web db.system.name:*", &[4]),
        ],
    );
}

#[test]
fn without_quotes_other_types_of_the_same_text_are_equal() {
    let spans = [
        with(span(1, 1, "a", 1), "v", 500),
        with(span(1, 2, "a", 1), "v", "500"),
        with(span(1, 3, "a", 1), "v", 500.0),
        with(span(1, 4, "a", 1), "v", true),
        with(span(1, 5, "a", 1), "v", "true"),
        with(span(1, 6, "a", 1), "v", "0500"),
    ];
    all_find(
        &spans,
        &[
            ("v=500", &[1, 2, 3]),
            ("v=\"500\"", &[2]),
            ("v=true", &[4, 5]),
            ("v=\"true\"", &[5]),
            ("v=0500", &[6]),
            ("{ .v = 500 }", &[1, 2, 3]),
            ("{ .v = \"500\" }", &[2]),
            ("{ .v = true }", &[4, 5]),
            ("{ .v = 500ns }", &[1, 2, 3]),
        ],
    );
}

#[test]
fn text_that_is_a_number_compares_as_one() {
    let spans = [
        with(span(1, 1, "a", 1), "http.status_code", "503"),
        with(span(1, 2, "a", 1), "http.status_code", 500),
        with(span(1, 3, "a", 1), "http.status_code", "none"),
        with(span(1, 4, "a", 1), "http.status_code", "99"),
    ];
    all_find(
        &spans,
        &[
            ("http.status_code>=500", &[1, 2]),
            ("http.status_code<500", &[4]),
            ("{ .http.status_code + 1 > 500 }", &[1, 2]),
            ("{ .http.status_code > \"5\" }", &[1, 3, 4]),
        ],
    );
}

#[test]
fn regular_expressions_are_anchored_and_case_counts_and_a_dot_is_a_newline_too() {
    let spans = [with(span(1, 1, "GET /pay", 1), "v", "one\ntwo"), with(span(1, 2, "get", 1), "v", 503)];
    all_find(
        &spans,
        &[
            ("name=~GET", &[]),
            ("name=~GET.*", &[1]),
            ("name=~\"(?i)get|x\"", &[2]),
            ("name!~GET.*", &[2]),
            ("v=~one.two", &[1]),
            ("v=~5..", &[2]),
            ("v!~5..", &[1]),
            ("w!~5..", &[]),
            ("name=~\"GET|get\"", &[2]),
            ("{ name =~ `GET.*` }", &[1]),
        ],
    );
}

#[test]
fn a_colon_is_contains_after_a_bare_key_and_part_of_an_intrinsics_name() {
    let spans =
        [with(span(1, 1, "Checkout", 700), "path", "/API/orders"), with(span(1, 2, "x", 1), "span", "duration")];
    all_find(
        &spans,
        &[
            ("path:api", &[1]),
            ("path:a*ORD", &[1]),
            ("path:\"a*ord\"", &[]),
            ("span:duration>500ms", &[1]),
            ("span:name=Checkout", &[1]),
            ("@span:dur", &[2]),
            ("span:dur", &[2]),
        ],
    );
}

#[test]
fn structural_operators_stand_between_braces_only() {
    let spans = [span(1, 1, "a", 9_000), under(1, span(1, 2, "b", 1))];
    all_find(&spans, &[("duration>5s", &[1]), ("{ name = \"a\" } > { }", &[2]), ("({ name = \"a\" }) > ({ })", &[2])]);
    assert_eq!(parse("(name=a) > { }").unwrap_err().column, 9);
}

#[test]
fn and_binds_tighter_than_or_in_both_modes() {
    let spans = [with(span(1, 1, "a", 1), "v", 1), with(span(1, 2, "b", 1), "v", 2), with(span(1, 3, "c", 1), "v", 2)];
    all_find(
        &spans,
        &[
            ("name=a OR name=b v=1", &[1]),
            ("name=a || name=b && v=2", &[1, 2]),
            ("v=2 name=b OR name=a", &[1, 2]),
            ("v=2 (name=b OR name=a)", &[2]),
            ("{ name = \"a\" || name = \"b\" && .v = 2 }", &[1, 2]),
            ("{ name = \"a\" } || { name = \"b\" } && { .v = 9 }", &[1]),
            ("({ name = \"a\" } || { name = \"b\" }) && { .v = 9 }", &[]),
        ],
    );
}

#[test]
fn old_and_new_names_mean_the_same_and_quotes_turn_that_off() {
    let spans = [
        with(span(1, 1, "a", 1), "db.statement", "select 1 from orders"),
        with(span(1, 2, "a", 1), "db.query.text", "select 2 from orders"),
        with(span(1, 3, "a", 1), "db.system", "mssql"),
    ];
    all_find(
        &spans,
        &[
            ("db.statement:orders", &[1, 2]),
            ("db.query.text:orders", &[1, 2]),
            ("\"db.statement\":orders", &[1]),
            ("{ span.db.query.text =~ \".*orders\" }", &[1, 2]),
            ("{ span.\"db.query.text\" =~ \".*orders\" }", &[2]),
            ("db.system.name=microsoft.sql_server", &[3]),
            ("{ .db.query.text != nil }", &[1, 2]),
        ],
    );
}

#[test]
fn a_sender_that_writes_old_and_new_names_is_counted_once() {
    let dup = with(with(span(1, 1, "a", 1), "http.status_code", 200), "http.response.status_code", 200);
    let spans = [dup, with(span(1, 2, "a", 1), "http.status_code", 200)];
    all_find(
        &spans,
        &[
            ("http.status_code=200", &[1, 2]),
            ("{ .http.status_code = 200 } | count() = 2", &[1, 2]),
            ("{ } | sum(.http.response.status_code) = 400", &[1, 2]),
            ("{ } | by(.http.response.status_code) | count() = 2", &[1, 2]),
            ("http.status_code!=200", &[]),
        ],
    );
}

#[test]
fn only_negated_terms_mean_no_span_of_the_trace() {
    let spans = [
        with(span(1, 1, "a", 1), "http.route", "/health"),
        span(1, 2, "b", 1),
        with(span(2, 3, "c", 1), "http.route", "/pay"),
        span(3, 4, "d", 2_000),
    ];
    all_trace(
        &spans,
        &[
            ("-http.route=/health", &[2, 3]),
            ("-http.route=/health -http.route=/pay", &[3]),
            ("none.http.route=/health", &[2, 3]),
            ("-(http.route=/health OR http.route=/pay)", &[3]),
            ("-http.route=/health OR -http.route=/pay", &[1, 2, 3]),
            ("http.route=/pay OR -http.route:*", &[2, 3]),
            // Beside a positive term negation stays on that same span.
            ("name:* -http.route=/health", &[1, 2, 3]),
            ("{ name != \"\" } -http.route=/health", &[2, 3]),
            // In braces it is about the span, as in TraceQL.
            ("{ .http.route != \"/health\" }", &[2]),
            ("{ !(.http.route = \"/health\") }", &[1, 2, 3]),
        ],
    );
}

#[test]
fn limit_time_bounds_trace_duration_and_none_are_not_positive_terms() {
    let spans = [
        with(span(1, 1, "a", 2_000), "http.route", "/health"),
        span(1, 2, "b", 1),
        span(2, 3, "c", 2_000),
        span(3, 4, "d", 1),
    ];
    all_trace(
        &spans,
        &[
            ("-http.route=/health limit=5", &[2, 3]),
            ("-http.route=/health limit=1", &[3]),
            ("-http.route=/health lookback=1h", &[2, 3]),
            ("-http.route=/health until=59997ms", &[2]),
            ("-http.route=/health traceDuration>1s", &[2]),
            ("-http.route=/health none.name=d", &[2]),
            ("-traceDuration>1s", &[3]),
        ],
    );
}

#[test]
fn an_unscoped_key_looks_at_span_scope_resource_events_and_links() {
    let scope = Scope { attributes: vec![Attribute { key: "k".into(), value: value("v") }], ..Scope::default() };
    let link = Link { attributes: scope.attributes.clone(), ..Link::default() };
    let resource = tracefall::model::Resource { attributes: scope.attributes.clone(), ..Default::default() };
    let spans = [
        with(span(1, 1, "a", 1), "k", "v"),
        Span { scope: Arc::new(scope), ..span(1, 2, "a", 1) },
        Span { resource: Arc::new(resource), ..span(1, 3, "a", 1) },
        with_event(span(1, 4, "a", 1), "e", "k", "v"),
        Span { links: vec![link], ..span(1, 5, "a", 1) },
    ];
    all_find(
        &spans,
        &[
            ("k=v", &[1, 2, 3, 4, 5]),
            ("{ .k = \"v\" }", &[1, 2, 3, 4, 5]),
            ("span.k=v", &[1]),
            ("scope.k=v", &[2]),
            ("instrumentation.k=v", &[2]),
            ("resource.k=v", &[3]),
            ("event.k=v", &[4]),
            ("link.k=v", &[5]),
            ("{ link.k = \"v\" || event.k = \"v\" }", &[4, 5]),
            ("k=nil", &[]),
            ("span.k=nil", &[2, 3, 4, 5]),
        ],
    );
}

#[test]
fn a_span_that_ends_before_it_starts_has_no_duration() {
    let backward = span(1, 1, "a", 0);
    let spans = [Span { end: Timestamp(backward.start.0 - 5), ..backward }, span(1, 2, "b", 3)];
    all_find(
        &spans,
        &[
            ("duration=0s", &[1]),
            ("duration<1ms", &[1]),
            ("{ duration + 1 = 1 }", &[1]),
            ("{} | min(duration) = 0", &[1, 2]),
        ],
    );
}

#[test]
fn the_duration_of_a_trace_is_from_its_earliest_start_to_its_latest_end() {
    let spans = [span(1, 1, "a", 2), span(1, 9, "b", 1), span(2, 3, "c", 8)];
    all_trace(
        &spans,
        &[
            ("traceDuration=9ms", &[1]),
            ("traceDuration=8ms", &[2]),
            ("traceDuration>8ms", &[1]),
            ("traceDuration!=8ms", &[1]),
            ("name=a traceDuration>8ms", &[1]),
            ("name=a traceDuration<9ms", &[]),
            ("{ trace:duration > 8ms }", &[1]),
            ("{ duration * 4 < traceDuration }", &[1]),
        ],
    );
}

#[test]
fn error_is_a_status_and_kinds_go_by_name() {
    let failed = ended(StatusCode::ERROR, "", of_kind(Kind::PRODUCER, with(span(1, 1, "a", 1), "error", false)));
    let fine = ended(StatusCode::OK, "", of_kind(Kind::CONSUMER, with(span(1, 2, "b", 1), "error", true)));
    let spans = [failed, fine, span(1, 3, "c", 1)];
    all_find(
        &spans,
        &[
            ("error=true", &[1]),
            ("error=false", &[2, 3]),
            ("@error=true", &[2]),
            ("{ .error = true }", &[2]),
            ("kind=producer", &[1]),
            ("kind=CONSUMER", &[2]),
            ("span.kind=internal", &[3]),
            ("status=unset", &[3]),
            ("{ kind != producer }", &[2, 3]),
        ],
    );
}

#[test]
fn an_attribute_named_like_a_word_of_the_language_is_marked() {
    let spans = [with(with(span(1, 1, "a", 1), "operation", "x"), "limit", 5), with(span(1, 2, "x", 1), "root.k", 1)];
    all_find(
        &spans,
        &[
            ("@operation=x", &[1]),
            ("operation=x", &[2]),
            ("@limit=5", &[1]),
            ("\"operation\"=x", &[1]),
            ("@root.k=1", &[2]),
            ("root.@operation=x", &[1, 2]),
        ],
    );
}

#[test]
fn an_array_is_so_if_one_of_its_members_is_and_not_if_none_is() {
    let list = Value::Array(vec![value("bar"), value(7)]);
    let spans = [with(span(1, 1, "a", 1), "foo", list), with(span(1, 2, "a", 1), "foo", "qux"), span(1, 3, "a", 1)];
    all_find(
        &spans,
        &[
            ("foo=bar", &[1]),
            ("foo!=bar", &[2]),
            ("foo!=nothing", &[1, 2]),
            ("foo=~b.*", &[1]),
            ("foo!~b.*", &[2]),
            ("foo>5", &[1]),
            ("{ .foo * 2 = 14 }", &[1]),
            ("foo=nil", &[3]),
            ("foo!=nil", &[1, 2]),
        ],
    );
}

#[test]
fn arithmetic_is_exact_and_what_is_no_number_comes_to_nothing() {
    let spans = [with(with(span(1, 1, "a", 1), "n", 7), "t", "x"), with(span(1, 2, "a", 1), "n", i64::MAX)];
    all_find(
        &spans,
        &[
            ("{ .n % 4 = 3 && .n / 2 = 3.5 && .n ^ 2 = 49 }", &[1]),
            ("{ .n - 1 = 9223372036854775806 }", &[2]),
            ("{ .n / 0 > 0 }", &[]),
            ("{ .t + 1 > 0 }", &[]),
            ("{ .missing + 1 != 0 }", &[]),
            ("{ 2 ^ 3 ^ 2 = 512 && -2 ^ 2 = -4 && 7 - 2 - 1 = 4 }", &[1, 2]),
            ("{ 1s + 500ms = 1.5s && 10 * 1ms = 10ms }", &[1, 2]),
        ],
    );
}

#[test]
fn stages_work_on_the_spans_of_one_trace() {
    let spans = [
        from("a", span(1, 1, "x", 10)),
        from("a", span(1, 2, "y", 20)),
        from("b", span(1, 3, "x", 60)),
        from("b", span(2, 4, "x", 100)),
    ];
    all_find(
        &spans,
        &[
            ("{} | count() > 2", &[1, 2, 3]),
            ("service=a | count() = 2", &[1, 2]),
            ("{} | by(resource.service.name) | count() > 1", &[1, 2]),
            ("{} | by(resource.service.name) | count() > 1 | coalesce() | count() = 2", &[1, 2]),
            ("{} | by(name) | max(duration) > 50ms", &[1, 3, 4]),
            ("{} | avg(duration) = 30ms", &[1, 2, 3]),
            ("{} | sum(duration) = 90ms && min(duration) = 10ms", &[1, 2, 3]),
            ("{} | p50(duration) = 20ms | p99(duration) = 60ms", &[1, 2, 3]),
            ("{} | { name = \"x\" } | count() = 2", &[1, 3]),
            ("{} | avg(.missing) >= 0", &[]),
            ("{} | count() - 1 < max(duration) / 50ms", &[4]),
            ("-name=y | count() = 1", &[4]),
        ],
    );
}

#[test]
fn the_nested_set_numbers_the_tree() {
    let spans = [
        span(1, 1, "root", 9),
        under(1, span(1, 2, "a", 1)),
        under(1, span(1, 3, "b", 1)),
        under(9, span(2, 4, "orphan", 1)),
    ];
    all_find(
        &spans,
        &[
            ("{ nestedSetParent < 0 }", &[1]),
            ("{ nestedSetLeft = 1 }", &[1, 4]),
            ("{ nestedSetRight - nestedSetLeft = 1 }", &[2, 3, 4]),
            ("{ parent = nil }", &[1]),
            ("{ span:parentID != nil }", &[2, 3, 4]),
            ("span:childCount=2", &[1]),
        ],
    );
}

/// Zipkin's senders give both sides of a call one id.
#[test]
fn both_sides_of_a_call_with_one_id_are_told_apart() {
    let side = |kind, name| of_kind(kind, span(1, 2, name, 1));
    let spans = [
        span(1, 1, "root", 9),
        under(1, side(Kind::CLIENT, "calling")),
        under(1, side(Kind::SERVER, "serving")),
        under(2, span(1, 3, "below", 1)),
    ];
    for view in views_of(&[&spans]) {
        let names = |text: &str| -> Vec<u8> { found(&view, text) };
        assert_eq!(names("parent.name=serving"), [3]);
        assert_eq!(names("parent.name=calling"), [2]);
        assert_eq!(names("{ name = \"calling\" } >> { }"), [2, 3]);
        assert_eq!(names("{ name = \"root\" } > { }"), [2]);
    }
}
