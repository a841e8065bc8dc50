//! A second evaluator, as simple as possible, that shares no code with the first.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use regex::Regex;

use super::{ended, from, of_kind, span, value, views_of, with, with_event};
use tracefall::model::{Attribute, Kind, Span, StatusCode, Text, Value};
use tracefall::query::{Comparison, Field, Literal, Query, Term, matching_spans, parse, run};

const KEYS: [&str; 6] = ["a", "b.c", "db.statement", "db.query.text", "db.system", "http.status_code"];
const VALUES: [&str; 9] = ["x", "X y", "500", "-0.5", "007", "true", "mssql", "microsoft.sql_server", "größe"];

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        prop::sample::select(&VALUES[..]).prop_map(value),
        prop::sample::select(&[0_i64, 7, 500, -1][..]).prop_map(value),
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

fn spans() -> impl Strategy<Value = Vec<Span>> {
    let attributes = prop::collection::vec((prop::sample::select(&KEYS[..]), values()), 0..4);
    let event = prop::option::of((prop::sample::select(&KEYS[..]), values()));
    let text = || prop::sample::select(&VALUES[..]);
    let one = (1..5_u8, text(), 0..4_u64, 0..6_i32, 0..3_i32, prop::option::of(text()), (attributes, event, text()));
    let one = one.prop_map(|(trace, name, millis, kind, code, service, (attributes, event, message))| {
        let bare = of_kind(Kind(kind), span(trace, 0, name, millis * 10));
        let bare = ended(StatusCode(code), message, bare);
        let bare = match service {
            Some(service) => from(service, bare),
            None => bare,
        };
        let full = attributes.into_iter().fold(bare, |span, (key, value)| with(span, key, value));
        match event {
            Some((key, value)) => with_event(full, "happened", key, value),
            None => full,
        }
    });
    // Each span has an id and a start of its own.
    prop::collection::vec(one, 0..12).prop_map(|spans| {
        let place = |(index, one): (u8, Span)| {
            let own = span(0, index, "", 0);
            Span { span_id: own.span_id, end: own.start.plus(one.end.since(one.start)), start: own.start, ..one }
        };
        (1..).zip(spans).map(place).collect()
    })
}

fn filter() -> impl Strategy<Value = String> {
    const FIXED: [&str; 6] = ["error=true", "error=false", "kind=server", "kind!=client", "status=ok", "status!=unset"];
    let typed = || {
        let plain = prop::sample::select(
            &["x", "500", "-0.5", "007", "true", "mssql", "GRÖSSE", "größe", "0.5", "*", "x*y"][..],
        );
        let quoted = prop::sample::select(&["\"X y\"", "\"500\"", "\"*\"", "\"true\""][..]);
        prop_oneof![plain, quoted]
    };
    let key = prop::sample::select(
        &[
            "a",
            "b.c",
            "db.statement",
            "db.query.text",
            "db.system.name",
            "\"db.system\"",
            "http.status_code",
            "service.name",
        ][..],
    );
    let sign = prop::sample::select(&["=", "!=", ":"][..]);
    let text = (prop::sample::select(&["service", "operation"][..]), sign.clone(), typed());
    let order = prop::sample::select(&[">", ">=", "<", "<=", "=", "!="][..]);
    let number = prop::sample::select(&["0", "7", "-0.5", "500"][..]);
    let length = prop::sample::select(&["0s", "10ms", "15ms", "30ms"][..]);
    let term = prop_oneof![
        4 => (key.clone(), sign, typed()).prop_map(|(key, sign, value)| format!("{key}{sign}{value}")),
        2 => (key, order.clone(), number).prop_map(|(key, sign, value)| format!("{key}{sign}{value}")),
        2 => text.prop_map(|(key, sign, value)| format!("{key}{sign}{value}")),
        1 => (order, length).prop_map(|(sign, value)| format!("duration{sign}{value}")),
        1 => prop::sample::select(&FIXED[..]).prop_map(str::to_owned),
        1 => typed().prop_map(str::to_owned),
        1 => prop::sample::select(&["happened", "db.st", "b.c"][..]).prop_map(str::to_owned),
    ];
    let term = (any::<bool>(), term).prop_map(|(negated, term)| {
        let negated = negated && !term.starts_with('-');
        if negated { format!("-{term}") } else { term }
    });
    prop::collection::vec(term, 0..4).prop_map(|terms| terms.join(" "))
}

fn contains(text: &str, pattern: &str, quoted: bool) -> bool {
    let parts: Vec<String> =
        if quoted { vec![regex::escape(pattern)] } else { pattern.split('*').map(regex::escape).collect() };
    Regex::new(&format!("(?is){}", parts.join(".*"))).unwrap().is_match(text)
}

fn number(text: &str) -> Option<f64> {
    let form = Regex::new(r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?$").unwrap();
    form.is_match(text).then(|| text.parse().unwrap())
}

/// All that is in a value, itself first; what is in maps only where wanted.
fn leaves(value: &Value, in_maps: bool) -> Vec<Value> {
    match value {
        Value::Array(members) => members.iter().flat_map(|member| leaves(member, in_maps)).collect(),
        Value::Map(members) if in_maps => members
            .iter()
            .flat_map(|member| {
                let key = Value::Text(member.key.clone());
                std::iter::once(key).chain(leaves(&member.value, in_maps)).collect::<Vec<_>>()
            })
            .collect(),
        Value::Map(_) => Vec::new(),
        leaf => vec![leaf.clone()],
    }
}

fn spelled(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.lossy().into_owned()),
        Value::Int(number) => Some(number.to_string()),
        Value::Double(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// Values of `db.system` that mean the same.
fn one_name(key: &str, text: &str) -> String {
    if key.contains("db.system") && text == "mssql" { "microsoft.sql_server".to_owned() } else { text.to_owned() }
}

fn value_holds(term: &Term, (key, exact): (&str, bool), value: &Value) -> bool {
    let Literal::Text { text, quoted } = &term.value else { return false };
    leaves(value, term.comparison == Comparison::Contains).iter().any(|leaf| {
        let Some(have) = spelled(leaf) else { return false };
        let numeric = !matches!(leaf, Value::Bool(_));
        let order = numeric.then(|| number(&have)?.partial_cmp(&number(text)?)).flatten();
        let is_text = matches!(leaf, Value::Text(_));
        let same = have == *text || (is_text && !exact && one_name(key, &have) == one_name(key, text));
        match term.comparison {
            Comparison::Contains => contains(&have, text, *quoted),
            Comparison::Equal | Comparison::NotEqual if *quoted => is_text && same,
            Comparison::Equal | Comparison::NotEqual => same || order.is_some_and(std::cmp::Ordering::is_eq),
            Comparison::AtLeast => order.is_some_and(std::cmp::Ordering::is_ge),
            Comparison::AtMost => order.is_some_and(std::cmp::Ordering::is_le),
            Comparison::More => order.is_some_and(std::cmp::Ordering::is_gt),
            Comparison::Less => order.is_some_and(std::cmp::Ordering::is_lt),
        }
    })
}

fn attributes(span: &Span) -> Vec<&Attribute> {
    let events = span.events.iter().flat_map(|event| &event.attributes);
    span.attributes.iter().chain(&span.resource.attributes).chain(&span.scope.attributes).chain(events).collect()
}

fn service(span: &Span) -> String {
    let named = span.resource.attributes.iter().find(|attribute| attribute.key == "service.name");
    named.and_then(|attribute| spelled(&attribute.value)).unwrap_or_else(|| "unknown_service".to_owned())
}

fn text_holds(term: &Term, have: &str) -> bool {
    let Literal::Text { text, quoted } = &term.value else { return false };
    match term.comparison {
        Comparison::Contains => contains(have, text, *quoted),
        Comparison::NotEqual => have != text,
        _ => have == text,
    }
}

fn any_text(span: &Span) -> Vec<Text> {
    let mut texts = vec![span.name.clone(), service(span).into(), span.status.message.clone()];
    texts.extend(span.events.iter().map(|event| event.name.clone()));
    for attribute in attributes(span) {
        texts.push(attribute.key.clone());
        if let Value::Text(text) = &attribute.value {
            texts.push(text.clone());
        }
    }
    texts
}

fn other_names(key: &str) -> Vec<&str> {
    match key {
        "db.statement" | "db.query.text" => vec!["db.statement", "db.query.text"],
        "db.system.name" => vec!["db.system.name", "db.system"],
        other => vec![other],
    }
}

/// Whether a term holds, its `-` left aside.
fn holds(term: &Term, span: &Span) -> bool {
    let not_equal = term.comparison == Comparison::NotEqual;
    let is = |name: &str| matches!(&term.value, Literal::Text { text, .. } if text == name) != not_equal;
    match (&term.field, &term.value) {
        (Field::Service, _) => text_holds(term, &service(span)),
        (Field::Operation, _) => text_holds(term, &span.name.lossy()),
        (Field::Duration, Literal::Duration(wanted)) => {
            let have = span.end.0 - span.start.0;
            match term.comparison {
                Comparison::AtLeast => have >= wanted.0,
                Comparison::AtMost => have <= wanted.0,
                Comparison::More => have > wanted.0,
                Comparison::Less => have < wanted.0,
                _ => (have == wanted.0) != not_equal,
            }
        }
        (Field::Error, Literal::Bool(wanted)) => ((span.status.code == StatusCode::ERROR) == *wanted) != not_equal,
        (Field::Kind, _) => is(span.kind.name()),
        (Field::Status, _) => is(span.status.code.name()),
        (Field::Attribute { key, exact }, _) => {
            let names = if *exact { vec![key.as_str()] } else { other_names(key) };
            let under =
                attributes(span).into_iter().filter(|attribute| names.iter().any(|name| attribute.key == **name));
            let under: Vec<_> = under.collect();
            let equal = under.iter().any(|attribute| value_holds(term, (key, *exact), &attribute.value));
            if not_equal { !under.is_empty() && !equal } else { equal }
        }
        (Field::Text, _) => any_text(span).iter().any(|text| text_holds(term, &text.lossy())),
        _ => false,
    }
}

/// Trace numbers with the numbers of their matching spans.
fn expected(query: &Query, spans: &[Span]) -> BTreeMap<u8, Vec<u8>> {
    let mut found: BTreeMap<u8, Vec<u8>> = BTreeMap::new();
    if query.terms.iter().all(|term| term.negated) {
        let traces: BTreeSet<u8> = spans.iter().map(|span| span.trace_id.0[0]).collect();
        let excluded = |trace: u8| {
            let mut own = spans.iter().filter(|span| span.trace_id.0[0] == trace);
            own.any(|span| query.terms.iter().any(|term| holds(term, span)))
        };
        return traces.into_iter().filter(|trace| !excluded(*trace)).map(|trace| (trace, Vec::new())).collect();
    }
    for span in spans {
        if query.terms.iter().all(|term| holds(term, span) != term.negated) {
            found.entry(span.trace_id.0[0]).or_default().push(span.span_id.0[0]);
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_filter_finds_what_a_naive_evaluation_finds(spans in spans(), text in filter(), cut in any::<prop::sample::Index>()) {
        let query = parse(&text).unwrap();
        let (one, other) = spans.split_at(cut.index(spans.len() + 1));
        for view in views_of(&[one, other]) {
        let hits = run(&query, &view, &|| false).hits;
        let found: BTreeMap<u8, Vec<u8>> = hits
            .iter()
            .map(|hit| {
                let spans = matching_spans(&query, &view, hit.trace);
                assert_eq!((hit.matched as usize, hit.first), (spans.len(), spans.first().copied()));
                (hit.trace.0[0], spans.iter().map(|key| key.id.0[0]).collect())
            })
            .collect();
        prop_assert_eq!(found, expected(&query, &spans), "{}", text);
        }
    }
}
