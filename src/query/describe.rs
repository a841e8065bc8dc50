//! What was understood of a filter, in words.

use super::{Comparison, Field, Literal, Query, Term};

/// The whole filter in one line: `service is pay · span takes at least 100 ms · span failed`. Empty for the empty filter.
#[must_use]
pub fn describe(query: &Query) -> String {
    chips(query).join(" · ")
}

/// Each term in words, in the order of [`Query::terms`].
#[must_use]
pub fn chips(query: &Query) -> Vec<String> {
    // Alone, negated terms are about the whole trace, and beside others about the span that those select.
    let alone = query.terms.iter().all(|term| term.negated || term.is_about_trace());
    let chip = |term: &Term| match (term.negated, alone && !term.is_about_trace()) {
        (false, _) => words(term),
        (true, true) => format!("no span with: {}", words(term)),
        (true, false) => format!("not: {}", words(term)),
    };
    query.terms.iter().map(chip).collect()
}

fn words(term: &Term) -> String {
    let value = match &term.value {
        Literal::Text { text, quoted: false } => text.clone(),
        Literal::Text { text, quoted: true } => format!("\"{text}\""),
        Literal::Duration(duration) => duration.to_string(),
        Literal::Bool(value) => value.to_string(),
    };
    let sign = match term.comparison {
        Comparison::Equal => "is",
        Comparison::NotEqual => "is not",
        Comparison::AtLeast => "at least",
        Comparison::AtMost => "at most",
        Comparison::More => "more than",
        Comparison::Less => "less than",
        Comparison::Contains => "contains",
    };
    match &term.field {
        Field::Service => format!("service {sign} {value}"),
        Field::Operation => format!("operation {sign} {value}"),
        Field::Duration => match term.comparison {
            Comparison::Equal | Comparison::NotEqual => format!("duration {sign} {value}"),
            _ => format!("span takes {sign} {value}"),
        },
        Field::Error if (term.value == Literal::Bool(true)) == (term.comparison == Comparison::Equal) => {
            "span failed".to_owned()
        }
        Field::Error => "span did not fail".to_owned(),
        Field::Kind => format!("kind {sign} {value}"),
        Field::Status => format!("status {sign} {value}"),
        Field::TraceId => format!("trace {sign} {value}"),
        Field::Attribute { key, exact: false } => format!("{key} {sign} {value}"),
        Field::Attribute { key, exact: true } => format!("\"{key}\" {sign} {value}"),
        Field::Text => format!("any text {sign} {value}"),
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
