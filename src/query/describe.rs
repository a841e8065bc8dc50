//! What was understood of a filter, in words.

use super::field::{Attribute, Field};
use super::literal::{Literal, Moment};
use super::print::braced_literal;
use super::{Comparison, Condition, Expr, Query, Relation, Says};

/// The whole filter in one line: `service is pay · span takes at least 100 ms · span failed`. Empty for the empty filter.
#[must_use]
pub fn describe(query: &Query) -> String {
    chips(query).join(" · ")
}

/// Each part in words, in the order of [`Query::part_at`]: the terms, then the stages.
#[must_use]
pub fn chips(query: &Query) -> Vec<String> {
    let positive = |says: &Says| matches!(says, Says::Spans(part) if part.is_positive());
    // Alone, negated terms are about the whole trace, and beside others about the span that those select.
    let alone = !query.terms.iter().any(|term| positive(&term.says));
    let mut chips: Vec<String> = query.terms.iter().map(|term| said(&term.says, alone)).collect();
    chips.extend(query.stages.iter().map(|stage| format!("| {}", stage.stage)));
    chips
}

fn said(says: &Says, alone: bool) -> String {
    let when = |moment: &Moment| match moment {
        Moment::Ago(ago) => format!("{ago} ago"),
        Moment::At(_) => moment.spell(),
    };
    match says {
        Says::Spans(Expr::Not(inner)) if alone && !is_about_trace(inner) => {
            format!("no span with: {}", expression(inner, false))
        }
        Says::Spans(part) => expression(part, false),
        Says::Limit(limit) => format!("at most {limit} traces"),
        Says::Since(moment) => format!("since {}", when(moment)),
        Says::Until(moment) => format!("until {}", when(moment)),
        Says::Lookback(length) => format!("within the last {length}"),
    }
}

fn is_about_trace(part: &Expr) -> bool {
    matches!(part, Expr::Is(condition) if condition.field.is_of_trace())
}

fn expression(part: &Expr, nested: bool) -> String {
    let joined = |parts: &[Expr], joint: &str| {
        let list: Vec<String> = parts.iter().map(|part| expression(part, true)).collect();
        if nested { format!("({})", list.join(joint)) } else { list.join(joint) }
    };
    match part {
        Expr::All(parts) => joined(parts, " and "),
        Expr::Any(parts) => joined(parts, " or "),
        Expr::Not(inner) => format!("not: {}", expression(inner, true)),
        Expr::Is(condition) => words(condition),
        Expr::Braces(_) | Expr::Structural(_) | Expr::Piped(..) => super::print::spelled(part),
    }
}

fn words(condition: &Condition) -> String {
    let own = own_words(condition);
    match condition.of {
        Relation::Own => own,
        Relation::Root => format!("root: {own}"),
        Relation::Parent => format!("parent: {own}"),
        Relation::Child => format!("a child: {own}"),
        Relation::Any => format!("any span: {own}"),
        Relation::None => format!("no span: {own}"),
    }
}

fn own_words(condition: &Condition) -> String {
    let value = match &condition.value {
        Literal::Text { text, quoted: false } => text.clone(),
        Literal::Text { text, quoted: true } => format!("\"{text}\""),
        Literal::Duration(duration) => duration.to_string(),
        Literal::Nil => "there".to_owned(),
        value => braced_literal(value),
    };
    let sign = match condition.comparison {
        Comparison::Equal if condition.value == Literal::Nil => "is not",
        Comparison::NotEqual if condition.value == Literal::Nil => "is",
        Comparison::Equal => "is",
        Comparison::NotEqual => "is not",
        Comparison::AtLeast => "at least",
        Comparison::AtMost => "at most",
        Comparison::More => "more than",
        Comparison::Less => "less than",
        Comparison::Contains => "contains",
        Comparison::Matches => "matches",
        Comparison::MatchesNot => "does not match",
    };
    let ordered = !matches!(condition.comparison, Comparison::Equal | Comparison::NotEqual);
    let name = match &condition.field {
        Field::Error if (condition.value == Literal::Bool(true)) == (condition.comparison == Comparison::Equal) => {
            return "span failed".to_owned();
        }
        Field::Error => return "span did not fail".to_owned(),
        Field::Duration if ordered => "span takes",
        Field::TraceDuration if ordered => "trace takes",
        Field::TraceStart => return format!("trace began {} {value}", moment_words(condition.comparison)),
        Field::Service => "service",
        Field::Name => "operation",
        Field::Duration => "duration",
        Field::TraceDuration => "duration of the trace",
        Field::Kind => "kind",
        Field::Status => "status",
        Field::StatusMessage => "status message",
        Field::Source => "source",
        Field::TraceId => "trace",
        Field::SpanId => "span",
        Field::ParentId => "parent",
        Field::ChildCount => "number of children",
        Field::RootName => "operation of the root",
        Field::RootService => "service of the root",
        Field::EventName => "an event",
        Field::EventTime => "time of an event",
        Field::LinkTraceId => "trace of a link",
        Field::LinkSpanId => "span of a link",
        Field::ScopeName => "instrumentation",
        Field::ScopeVersion => "version of the instrumentation",
        Field::NestedLeft | Field::NestedRight | Field::NestedParent => condition.field.own_name(true),
        Field::Text => "any text",
        Field::Attribute(Attribute { scope, key, exact: false }) => {
            return format!("{}{key} {sign} {value}", scope.prefix());
        }
        Field::Attribute(Attribute { scope, key, exact: true }) => {
            return format!("{}\"{key}\" {sign} {value}", scope.prefix());
        }
    };
    format!("{name} {sign} {value}")
}

fn moment_words(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::AtLeast => "at or after",
        Comparison::AtMost => "at or before",
        Comparison::More => "after",
        Comparison::Less => "before",
        Comparison::NotEqual => "not at",
        _ => "at",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::parse;

    #[test]
    fn a_filter_is_said_in_words() {
        let cases = [
            ("", ""),
            ("service=pay minDuration=100ms error=true", "service is pay · span takes at least 100 ms · span failed"),
            ("error=false status!=ok", "span did not fail · status is not ok"),
            ("-http.route=/health", "no span with: http.route is /health"),
            ("-http.route=/health kind=server", "not: http.route is /health · kind is server"),
            ("timeout \"from orders\"", "any text contains timeout · any text contains \"from orders\""),
            (
                "traceStart>=2026-11-21T08:30:00Z -traceStart<2026-11-21T09:30:00.5Z",
                "trace began at or after 2026-11-21T08:30:00Z · not: trace began before 2026-11-21T09:30:00.5Z",
            ),
            ("\"db.statement\":x", "\"db.statement\" contains x"),
            ("http.status_code>=500 duration<2s", "http.status_code at least 500 · span takes less than 2 s"),
            (
                "5b8efff798038103d269b633813fc60c -x",
                "trace is 5b8efff798038103d269b633813fc60c · no span with: any text contains x",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(describe(&parse(text).unwrap()), expected);
        }
    }
}
