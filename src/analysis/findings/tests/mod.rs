//! Every rule on cases planted for it and on near misses, and on traffic in which they are mixed: what was planted is found,
//! what was not is not said.

mod cases;
mod mixed;
mod past;
mod truth;

use std::sync::Arc;

use super::{Evidence, Finding, Nothing, Rule, judge_all};
use crate::analysis::tests::{analysed, failed, of_kind, span, sql};
use crate::analysis::{Analysis, Thresholds, analyse};
use crate::model::{Category, Kind, Trace, TraceSpan};

/// The rules that find something, with what they say, the worst first.
fn said(spans: Vec<TraceSpan>) -> Vec<(Rule, String)> {
    findings(spans, &Nothing).into_iter().map(|finding| (finding.rule, finding.why)).collect()
}

fn findings(spans: Vec<TraceSpan>, evidence: &dyn Evidence) -> Vec<Finding> {
    judge_all(&analysed(spans), &Thresholds::default(), evidence)
}

/// Which of the rules `about` find something.
fn rules(spans: Vec<TraceSpan>) -> Vec<Rule> {
    let mut rules: Vec<Rule> = said(spans).into_iter().map(|(rule, _)| rule).collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

fn http(number: u64, parent: u64, times: (u64, u64), label: &str) -> TraceSpan {
    let span = span(number, parent, times.0, times.1);
    TraceSpan { label: label.into(), category: Category::Http, ..of_kind(Kind::CLIENT, span) }
}

fn served(number: u64, parent: u64, times: (u64, u64), label: &str, status: &str) -> TraceSpan {
    TraceSpan { remark: status.into(), ..of_kind(Kind::SERVER, http(number, parent, times, label)) }
}

fn redis(number: u64, parent: u64, times: (u64, u64), label: &str) -> TraceSpan {
    TraceSpan { category: Category::Database, ..sql(number, parent, times, label) }
}

fn of_service(service: &str, span: TraceSpan) -> TraceSpan {
    TraceSpan { service: service.into(), ..span }
}
