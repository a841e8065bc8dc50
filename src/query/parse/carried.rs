//! A trace id within something that was copied from elsewhere: a statement out of a database's log, a header.

use super::pair::id;
use crate::query::field::Field;

/// Names of headers that carry a trace, with what stands before the id in their value.
const HEADERS: &[(&str, &str)] = &[("traceparent", ""), ("x-amzn-trace-id", "root=")];

/// The key of a `SQLCommenter` comment that carries a trace, with its opening quote
/// (<https://google.github.io/sqlcommenter/spec/>).
const COMMENT: &str = "traceparent='";

/// The trace that `text` carries as a whole: in the comment `/*traceparent='…'*/` of a statement, or as the line of a header
/// (`traceparent: 00-…`, `X-Amzn-Trace-Id: Root=1-…`).
pub(super) fn trace(text: &str) -> Option<String> {
    in_comment(text).or_else(|| in_header(text))
}

fn in_comment(text: &str) -> Option<String> {
    let (_, after) = text.split_once(COMMENT)?;
    let (value, _) = after.split_once('\'')?;
    of(value)
}

fn in_header(text: &str) -> Option<String> {
    let (name, value) = text.split_once([':', '='])?;
    let name = name.trim().trim_matches(['"', '\'']);
    let (_, before) = HEADERS.iter().find(|(header, _)| name.eq_ignore_ascii_case(header))?;
    let value = value.trim().trim_end_matches([',', ';']).trim_matches(['"', '\'']);
    let value = value.split(';').map(str::trim).find_map(|part| {
        let start = part.get(..before.len())?;
        start.eq_ignore_ascii_case(before).then(|| part.get(before.len()..)).flatten()
    })?;
    of(value)
}

fn of(value: &str) -> Option<String> {
    // A bare id of hex digits as a header's value would be a guess.
    let (field, trace) = id(value).filter(|_| value.contains('-'))?;
    (field == Field::TraceId).then_some(trace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_copied_from_a_log_or_a_request_names_its_trace() {
        let id = "5bd66ef5095369c7b0d1f8f4bd33716a";
        let parent = format!("00-{id}-c532cb4098ac3dd2-01");
        for text in [
            format!("/*traceparent='{parent}'*/"),
            format!("SELECT * FROM t WHERE a = 'b' AND c > 1 /*db_driver='psycopg2',traceparent='{parent}'*/;"),
            format!("traceparent='{parent}'"),
            format!("traceparent: {parent}"),
            format!(" Traceparent:{parent} "),
            format!("\"traceparent\": \"{parent}\","),
            format!("traceparent={parent}"),
        ] {
            assert_eq!(trace(&text).as_deref(), Some(id), "{text}");
        }
        let root = "1-5759e988-bd862e3fe1be46a994272793";
        let header = format!("X-Amzn-Trace-Id: Self=1-67891234-12456789abcdef012345678a;Root={root};Sampled=1");
        assert_eq!(trace(&header).as_deref(), Some("5759e988bd862e3fe1be46a994272793"));
        for other in
            ["", "traceparent", "traceparent:", "traceparent=abc", "traceparent='00-x'", "a=b", "tracestate: a=b"]
        {
            assert_eq!(trace(other), None, "{other}");
        }
    }
}
