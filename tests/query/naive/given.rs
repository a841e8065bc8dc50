//! Random spans, and random filters that find some of them.

use std::sync::Arc;

use proptest::prelude::*;
use tracefall::model::{Attribute, Kind, Link, Scope, SourceId, Span, SpanId, StatusCode, Value};

use super::super::{ended, from, of_kind, span, value, with, with_event};

const KEYS: [&str; 6] = ["a", "b.c", "db.statement", "db.query.text", "db.system", "http.status_code"];
const VALUES: [&str; 9] = ["x", "X y", "500", "-0.5", "007", "true", "mssql", "microsoft.sql_server", "größe"];

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        prop::sample::select(&VALUES[..]).prop_map(value),
        prop::sample::select(&[0_i64, 7, 500, -1, i64::MAX][..]).prop_map(value),
        prop::sample::select(&[0.5, -0.5, 500.0, f64::NAN][..]).prop_map(value),
        any::<bool>().prop_map(value),
        Just(Value::Empty),
        Just(Value::Bytes(vec![b'x'])),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| {
        let member = (prop::sample::select(&KEYS[..]), inner.clone());
        let member = member.prop_map(|(key, value)| Attribute { key: key.into(), value });
        prop_oneof![
            prop::collection::vec(inner, 0..3).prop_map(Value::Array),
            prop::collection::vec(member, 0..3).prop_map(Value::Map),
        ]
    })
}

fn pair() -> impl Strategy<Value = Attribute> {
    (prop::sample::select(&KEYS[..]), values()).prop_map(|(key, value)| Attribute { key: key.into(), value })
}

/// What few spans have.
#[derive(Clone, Debug)]
struct Rare {
    event: Option<(&'static str, Attribute)>,
    link: Option<(u8, Attribute)>,
    scope: Option<(&'static str, Attribute)>,
}

fn rare() -> impl Strategy<Value = Rare> {
    let event = prop::option::of((prop::sample::select(&["happened", "exception"][..]), pair()));
    let link = prop::option::weighted(0.2, (1..4_u8, pair()));
    let scope = prop::option::weighted(0.3, (prop::sample::select(&["lib", "sqlx"][..]), pair()));
    (event, link, scope).prop_map(|(event, link, scope)| Rare { event, link, scope })
}

pub(super) fn spans() -> impl Strategy<Value = Vec<Span>> {
    let attributes = prop::collection::vec(pair(), 0..4);
    let text = || prop::sample::select(&VALUES[..]);
    let fixed = (1..5_u8, 0..16_u8, text(), 0..4_i64, 0..6_i32, 0..3_i32);
    let one = (fixed, prop::option::of(text()), attributes, text(), rare());
    let one = one.prop_map(|((trace, parent, name, length, kind, code), service, attributes, message, rare)| {
        let mut bare = of_kind(Kind(kind), span(trace, parent, name, 0));
        // Some end before they start.
        bare.end.0 = bare.start.0.wrapping_add_signed((length - 1) * 10_000_000);
        let bare = ended(StatusCode(code), message, bare);
        let bare = match service {
            Some(service) => from(service, bare),
            None => bare,
        };
        let full = attributes.into_iter().fold(bare, |span, pair| with(span, &pair.key.lossy(), pair.value));
        let full = match rare.event {
            Some((name, pair)) => with_event(full, name, &pair.key.lossy(), pair.value),
            None => full,
        };
        let links = rare.link.map(|(number, pair)| Link {
            trace_id: [number; 16].into(),
            span_id: [number; 8].into(),
            attributes: vec![pair],
            ..Link::default()
        });
        let scope = rare.scope.map(|(name, pair)| Scope {
            name: name.into(),
            version: "1".into(),
            attributes: vec![pair],
            ..Scope::default()
        });
        Span { links: links.into_iter().collect(), scope: Arc::new(scope.unwrap_or_default()), ..full }
    });
    // Each span has an id and a start of its own; its parent is any span, itself or one that is not there.
    prop::collection::vec(one, 0..14).prop_map(|spans| {
        let place = |(index, one): (u8, Span)| {
            let own = span(0, index, "", 0);
            let parent = one.span_id.0[0];
            let end = own.start.0.wrapping_add(one.end.0).wrapping_sub(one.start.0);
            let moved = i64::try_from(own.start.0).unwrap() - i64::try_from(one.start.0).unwrap();
            let mut events = one.events.clone();
            // Some events happen after the start.
            for event in &mut events {
                event.time.0 = event.time.0.wrapping_add_signed(moved) + u64::from(index % 3) * 1_000_000;
            }
            Span {
                span_id: own.span_id,
                parent_id: (parent > 0).then_some(SpanId([parent; 8])),
                end: tracefall::model::Timestamp(end),
                start: own.start,
                source: SourceId(u16::from(index / 2 % 2)),
                events,
                ..one
            }
        };
        (1..).zip(spans).map(place).collect()
    })
}

fn chosen(from: &'static [&'static str]) -> impl Strategy<Value = String> + Clone {
    prop::sample::select(from).prop_map(str::to_owned)
}

fn condition() -> impl Strategy<Value = String> {
    let typed = || {
        let plain = chosen(&["x", "500", "-0.5", "007", "true", "mssql", "GRÖSSE", "größe", "0.5", "*", "x*y", "nil"]);
        let quoted = chosen(&["\"X y\"", "\"500\"", "\"*\"", "\"true\"", "\"nil\""]);
        prop_oneof![3 => plain, 1 => quoted]
    };
    let key = chosen(&[
        "a",
        "b.c",
        "db.statement",
        "db.query.text",
        "db.system.name",
        "\"db.system\"",
        "http.status_code",
        "service.name",
        "span.a",
        "resource.service.name",
        "event.a",
        "link.b.c",
        "scope.a",
        "span.\"db.statement\"",
    ]);
    let sign = chosen(&["=", "!=", ":"]);
    let order = chosen(&[">", ">=", "<", "<=", "=", "!="]);
    let text = chosen(&[
        "service",
        "operation",
        "source",
        "statusMessage",
        "event:name",
        "scope.name",
        "rootName",
        "rootServiceName",
    ]);
    let regex = chosen(&["x", "5.*", "(X y|true)", "[0-9.-]+", ".*ß.*", "lib|happened"]);
    let regex = regex.prop_map(|regex| format!("\"{regex}\""));
    prop_oneof![
        4 => (key.clone(), sign.clone(), typed()).prop_map(|(key, sign, value)| format!("{key}{sign}{value}")),
        2 => (key.clone(), order.clone(), chosen(&["0", "7", "-0.5", "500"])).prop_map(|(k, s, v)| format!("{k}{s}{v}")),
        2 => (prop_oneof![key, text.clone()], chosen(&["=~", "!~"]), regex).prop_map(|(k, s, v)| format!("{k}{s}{v}")),
        2 => (text, sign, typed()).prop_map(|(key, sign, value)| format!("{key}{sign}{value}")),
        1 => (chosen(&["duration", "traceDuration", "event:timeSinceStart"]), order.clone(), chosen(&["0s", "10ms", "1ms", "21ms"]))
            .prop_map(|(key, sign, value)| format!("{key}{sign}{value}")),
        1 => (order.clone(), chosen(&["40Z", "40.003Z", "40.005Z", "40.01Z"]))
            .prop_map(|(sign, value)| format!("traceStart{sign}1970-01-01T00:16:{value}")),
        1 => (chosen(&["span:childCount", "nestedSetLeft", "nestedSetRight", "nestedSetParent"]), order, chosen(&["0", "1", "2", "-1"]))
            .prop_map(|(key, sign, value)| format!("{key}{sign}{value}")),
        2 => chosen(&[
            "error=true", "error=false", "kind=server", "kind!=client", "status=ok", "status!=unset",
            "span:parentID=nil", "span:parentID!=nil", "span:id=0303030303030303", "link:spanID=0202020202020202",
            "link:traceID!=01010101010101010101010101010101", "span:parentID!=0202020202020202",
            "trace_id!=01010101010101010101010101010101", "02020202020202020202020202020202",
        ]),
        1 => typed().prop_filter("a word", |text| text != "nil" && text != "-0.5"),
        1 => chosen(&["happened", "db.st", "b.c"]),
    ]
}

/// Filters without braces.
pub(super) fn bare() -> impl Strategy<Value = String> {
    let relation = chosen(&["", "", "", "", "", "root.", "parent.", "child.", "any.", "none."]);
    let one = (relation, condition()).prop_map(|(of, condition)| {
        let key = condition.contains(['=', '<', '>', '~']) || condition.contains(':');
        if key { format!("{of}{condition}") } else { condition }
    });
    let terms = one.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            2 => inner.clone().prop_map(|inner| if inner.starts_with('-') { inner } else { format!("-{inner}") }),
            1 => inner.clone().prop_map(|inner| format!("-({inner})")),
            1 => prop::collection::vec(inner.clone(), 1..4).prop_map(|terms| format!("({})", terms.join(" OR "))),
            1 => prop::collection::vec(inner.clone(), 1..3).prop_map(|terms| format!("({})", terms.join(" "))),
        ]
    });
    let bound = chosen(&[
        "",
        "",
        "",
        "lookback=59995ms",
        "until=59996ms",
        "since=1970-01-01T00:16:40.004Z",
        "limit=2",
        "limit=1",
    ]);
    let joined = (prop::collection::vec(terms.clone(), 0..4), bound)
        .prop_map(|(terms, bound)| format!("{} {bound}", terms.join(" ")));
    let either = prop::collection::vec(terms, 2..4).prop_map(|terms| terms.join(" OR "));
    prop_oneof![3 => joined, 1 => either]
}

fn expression() -> impl Strategy<Value = String> {
    let attribute = || {
        chosen(&[
            ".a",
            ".b.c",
            ".db.query.text",
            "span.db.statement",
            "resource.service.name",
            "event.a",
            "span.http.status_code",
            "parent.a",
            "parent.span.b.c",
            "span.\"db.system\"",
            ".db.system.name",
            "instrumentation.a",
        ])
    };
    let number = || {
        chosen(&[
            "duration",
            "childCount",
            "traceDuration",
            "nestedSetLeft",
            "event:timeSinceStart",
            ".http.status_code",
            ".a",
        ])
    };
    let literal = || chosen(&["500", "0", "-0.5", "10ms", "7", "2", "maxInt"]);
    let order = || chosen(&["=", "!=", ">", ">=", "<", "<="]);
    let text = chosen(&["\"x\"", "\"500\"", "\"X y\"", "`größe`", "\"mssql\"", "\"true\"", "nil"]);
    let amount = prop_oneof![number(), literal()];
    let amount = amount.prop_recursive(2, 4, 2, |inner| {
        let signs = prop::sample::select(&["+", "-", "*", "/", "%", "^"][..]);
        prop_oneof![
            (inner.clone(), signs, inner.clone()).prop_map(|(l, s, r)| format!("({l} {s} {r})")),
            inner.prop_map(|inner| format!("(-{inner})")),
        ]
    });
    let one = prop_oneof![
        3 => (attribute(), chosen(&["=", "!="]), text.clone()).prop_map(|(l, s, r)| format!("{l} {s} {r}")),
        1 => (attribute(), chosen(&["<", ">="]), chosen(&["\"x\"", "\"500\""])).prop_map(|(l, s, r)| format!("{l} {s} {r}")),
        3 => (amount.clone(), order(), amount).prop_map(|(l, s, r)| format!("{l} {s} {r}")),
        1 => (attribute(), order(), attribute()).prop_map(|(l, s, r)| format!("{l} {s} {r}")),
        1 => (attribute(), chosen(&["=~", "!~"]), chosen(&["\"5.*\"", "\"x|true\"", "\".*\""]))
            .prop_map(|(l, s, r)| format!("{l} {s} {r}")),
        2 => chosen(&[
            "status = error", "kind != server", "name = \"x\"", "name >= \"X\"", "parent = nil", "parent != nil", ".on", "!.on", "true",
            "!.a", ".a", "rootName = name", "rootServiceName =~ \"x|.*_.*\"", "event:name = \"exception\"", "statusMessage != \"x\"",
            "trace:id = \"02020202020202020202020202020202\"", "kind = kind", "instrumentation:version = \"1\"",
            "span:source = \"x\"", "span:source != \"x\"", "span:source = name", "rootName != span:source", "span:source = .a", "(.a = 500) = true", "5 > 3", "\"a\" = \"a\"", "10ms < duration", "\"x\" != .a",
        ]),
    ];
    one.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" && "))),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" || "))),
            inner.prop_map(|inner| format!("!({inner})")),
        ]
    })
}

fn set() -> impl Strategy<Value = String> {
    prop_oneof![
        1 => Just("{}".to_owned()),
        2 => chosen(&["{ status = error }", "{ kind = server }", "{ .a != nil }", "{ name = \"x\" }", "{ duration > 0s }"]),
        5 => expression().prop_map(|inner| format!("{{ {inner} }}")),
    ]
}

/// Filters with braces.
pub(super) fn braces() -> impl Strategy<Value = String> {
    set().prop_recursive(3, 6, 2, |inner| {
        let place = prop::sample::select(
            &[">", "<", ">>", "<<", "~", "!>", "!<", "!>>", "!<<", "!~", "&>", "&<", "&>>", "&<<", "&~"][..],
        );
        prop_oneof![
            4 => (inner.clone(), place, inner.clone()).prop_map(|(l, s, r)| format!("({l} {s} {r})")),
            1 => (inner.clone(), inner.clone()).prop_map(|(l, r)| format!("({l} && {r})")),
            1 => (inner.clone(), inner.clone()).prop_map(|(l, r)| format!("({l} || {r})")),
            1 => (inner.clone(), condition()).prop_map(|(l, r)| format!("({l} {r})")),
            1 => (inner.clone(), condition()).prop_map(|(l, r)| format!("({l} -{r})")),
            1 => inner.prop_map(|inner| format!("({inner} | count() > 1)")),
        ]
    })
}

/// Filters with stages.
pub(super) fn pipeline() -> impl Strategy<Value = String> {
    let first =
        prop_oneof![2 => set(), 1 => braces(), 1 => bare().prop_filter("something", |text| !text.trim().is_empty())];
    let field = || chosen(&["duration", ".a", ".http.status_code", "childCount", "span.b.c"]);
    let key = || chosen(&["name", ".a", "kind", "resource.service.name", "status", "parent.a", ".b.c"]);
    let aggregate = (chosen(&["avg", "min", "max", "sum", "p50", "p95", "p99"]), field());
    let aggregate = aggregate.prop_map(|(name, field)| format!("{name}({field})"));
    let order = || chosen(&["=", "!=", ">", ">=", "<", "<="]);
    let stage = prop_oneof![
        3 => (order(), chosen(&["0", "1", "2", "3"])).prop_map(|(sign, count)| format!("count() {sign} {count}")),
        3 => (aggregate.clone(), order(), chosen(&["10ms", "500", "0", "5"])).prop_map(|(l, s, r)| format!("{l} {s} {r}")),
        1 => (aggregate.clone(), order(), aggregate).prop_map(|(l, s, r)| format!("{l} + 1 {s} {r} * 2")),
        2 => key().prop_map(|key| format!("by({key})")),
        1 => (key(), key()).prop_map(|(one, other)| format!("by({one}, {other})")),
        1 => Just("coalesce()".to_owned()),
        1 => key().prop_map(|key| format!("select({key})")),
        1 => set(),
        1 => (set(), set()).prop_map(|(l, r)| format!("{l} >> {r}")),
    ];
    (first, prop::collection::vec(stage, 1..4)).prop_map(|(first, stages)| format!("{first} | {}", stages.join(" | ")))
}
