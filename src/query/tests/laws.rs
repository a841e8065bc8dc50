//! The laws of the language.

use proptest::prelude::*;
use proptest::strategy::ValueTree;

use crate::query::parse;

fn some_text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z.]{1,6}", "\\PC{0,8}", "[\"\\\\ @=<>!~:(){}|&*-]{0,5}[a-z]{0,2}", Just("OR".to_owned())]
}

fn select(from: &'static [&'static str]) -> impl Strategy<Value = String> + Clone {
    prop::sample::select(from).prop_map(str::to_owned)
}

fn pair() -> impl Strategy<Value = String> {
    let relation = select(&["", "", "", "root.", "parent.", "child.", "any.", "none."]);
    let key = prop_oneof![
        select(&[
            "service",
            "source",
            "operation",
            "duration",
            "error",
            "kind",
            "status",
            "@source",
            "\"a b\"",
            "span.a"
        ]),
        select(&["a.b", "resource.x", "event.\"e\"", "span:duration", "event:name", "trace_id", "span:id", "limit"]),
        select(&[
            "traceDuration",
            "traceStart",
            "rootName",
            "span:childCount",
            "lookback",
            "minDuration",
            "since",
            "scope.name"
        ]),
        some_text(),
    ];
    let sign = select(&["=", "!=", ">", ">=", "<", "<=", ":", "=~", "!~"]);
    let value = prop_oneof![
        select(&["x", "5", "-0.5", "100ms", "true", "server", "ok", "nil", "abc", "a*b", "\"q\"", "//h", "(a)", "2h"]),
        select(&["2026-11-21T08:30:00Z", "2026-11-21T08:30:00.123456789+01:00"]),
        some_text(),
    ];
    (relation, key, sign, value).prop_map(|(of, key, sign, value)| format!("{of}{key}{sign}{value}"))
}

fn expression() -> impl Strategy<Value = String> {
    let field = select(&[
        "span.a",
        ".b",
        "resource.\"c d\"",
        "duration",
        "name",
        "status",
        "kind",
        "parent",
        "parent.x",
        "event:name",
        "5",
        "1.5",
        "-2",
        "100ms",
        "\"t\"",
        "`r`",
        "true",
        "nil",
        "error",
        "server",
        "minInt",
        "childCount",
        "trace:id",
        "span:source",
    ]);
    field.prop_recursive(4, 12, 2, |inner| {
        let signs = &["=", "!=", ">", "<=", "=~", "!~", "&&", "||", "+", "-", "*", "/", "%", "^"][..];
        prop_oneof![
            4 => (inner.clone(), prop::sample::select(signs), inner.clone()).prop_map(|(l, s, r)| format!("{l} {s} {r}")),
            1 => inner.clone().prop_map(|inner| format!("({inner})")),
            1 => inner.clone().prop_map(|inner| format!("!({inner})")),
            1 => inner.prop_map(|inner| format!("-({inner})")),
        ]
    })
}

/// Texts of which most are filters.
fn filter() -> impl Strategy<Value = String> {
    let braces = prop_oneof![
        Just("{}".to_owned()),
        Just("{ .a }".to_owned()),
        Just("{ status = error && .b > 5 }".to_owned()),
        expression().prop_map(|inner| format!("{{ {inner} }}")),
    ];
    let stage = prop_oneof![
        select(&[
            "count() > 2",
            "avg(duration) * 2 < 1s",
            "by(.a)",
            "by(name, .b)",
            "coalesce()",
            "select(.a)",
            "{ .a }"
        ]),
        (select(&["sum", "p95", "max"]), expression()).prop_map(|(name, inner)| format!("{name}({inner}) >= 5")),
    ];
    let term = prop_oneof![4 => pair(), 1 => some_text(), 2 => braces];
    let terms = term.prop_recursive(4, 24, 4, move |inner| {
        let place = prop::sample::select(&[">", "<<", "~", "!>>", "&<", ">>"][..]);
        prop_oneof![
            3 => prop::collection::vec(inner.clone(), 1..4).prop_map(|terms| terms.join(" ")),
            2 => prop::collection::vec(inner.clone(), 1..4).prop_map(|terms| terms.join(" OR ")),
            1 => prop::collection::vec(inner.clone(), 1..4).prop_map(|terms| terms.join("&&")),
            2 => inner.clone().prop_map(|inner| format!("({inner})")),
            2 => inner.clone().prop_map(|inner| format!("-{inner}")),
            1 => inner.clone().prop_map(|inner| format!("NOT ({inner})")),
            2 => (inner.clone(), place, inner.clone()).prop_map(|(l, s, r)| format!("{l} {s} {r}")),
            1 => (inner, stage.clone()).prop_map(|(inner, stage)| format!("({inner} | {stage})")),
        ]
    });
    let stage = select(&["", "", "", " | count() > 2", " | by(.a) | p95(duration) > 1s", " with(a=true)"]);
    (terms, stage).prop_map(|(terms, stage)| format!("{terms}{stage}"))
}

fn says_itself(text: &str) -> Result<(), TestCaseError> {
    match parse(text) {
        Ok(query) => {
            let printed = query.to_string();
            prop_assert_eq!(parse(&printed), Ok(query.clone()), "{} {}", text, printed);
            let again = parse(&printed).map(|query| query.to_string());
            prop_assert_eq!(again, Ok(printed));
            let parts = (0..query.parts()).map(|part| query.part_at(part));
            prop_assert!(parts.into_iter().all(|at| at.is_some_and(|(from, to)| text.get(from..to).is_some())));
            prop_assert_eq!(crate::query::chips(&query).len(), query.parts());
            for part in 0..query.parts() {
                let less = query.without(part);
                prop_assert_eq!(parse(&less.text), Ok(less.clone()), "{} without {}", text, part);
            }
        }
        Err(error) => prop_assert!(error.column <= text.chars().count() && !error.expected.is_empty()),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn what_is_printed_reads_as_the_same(text in filter()) {
        says_itself(&text)?;
    }

    #[test]
    fn any_text_is_read_or_refused_at_a_place_in_it(
        text in prop_oneof!["\\PC{0,40}", "[a-c\"\\\\ @=<>!~:(){}|&*.-]{0,40}", "[.a1 =>!~(){}|&+*^-]{0,40}"]
    ) {
        says_itself(&text)?;
    }
}

#[test]
fn most_generated_filters_are_filters() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let read = (0..500).filter(|_| {
        let text = filter().new_tree(&mut runner).unwrap().current();
        parse(&text).is_ok()
    });
    assert!(read.count() > 60);
}

#[test]
fn long_texts_are_read_in_linear_time() {
    for part in ["a ", "\"a\" ", "a=b ", "-a:\"b\\\\\" ", "!", "\\", "\"\\\"", "a!", ":", "é", "(", "a(", "&&", "{} "]
    {
        let text = part.repeat(200_000);
        let _ = parse(&text);
    }
}
