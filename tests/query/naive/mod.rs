//! A second evaluator, as simple as possible, that shares no code with the first: it walks plain spans, one at a time.

mod conditions;
mod elsewhere;
mod given;
mod sets;
mod values;

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree;

use super::{NOW, views_of};
use tracefall::index::View;
use tracefall::model::{Span, TraceId};
use tracefall::query::{Hit, Page, Query, evaluate_traces, matching_spans, parse, run, run_pages, run_with};

/// Trace numbers with the numbers of their matching spans.
type Found = BTreeMap<u8, Vec<u8>>;

/// What a filter finds, asked in every way there is.
fn found(query: &Query, view: &View) -> Found {
    let hits = run(query, view, NOW, &|| false).hits;
    let mut pages: Vec<Page> = Vec::new();
    run_pages(query, view, NOW, &|| false, &mut |page| pages.push(page));
    assert!(pages.iter().rev().skip(1).all(|page| !page.last) && pages.last().is_some_and(|page| page.last));
    let paged: Vec<Hit> = pages.into_iter().flat_map(|page| page.hits).collect();
    assert_eq!(paged.into_iter().rev().collect::<Vec<_>>(), hits, "{}", query.text);
    assert_eq!(run_with(3, query, (view, NOW), &|| false).hits, hits, "{} on three threads", query.text);
    let traces: Vec<TraceId> = view.traces().collect();
    let again = evaluate_traces(query, view, NOW, &traces);
    if query.limit().is_none() {
        assert_eq!(again, hits, "{}", query.text);
    } else {
        assert!(hits.iter().all(|hit| again.contains(hit)), "{}", query.text);
    }
    let spans = |hit: &Hit| {
        let spans = matching_spans(query, view, NOW, hit.trace);
        assert_eq!((hit.matched as usize, hit.first), (spans.len(), spans.first().copied()), "{}", query.text);
        (hit.trace.0[0], spans.iter().map(|key| key.id.0[0]).collect())
    };
    hits.iter().map(spans).collect()
}

fn is_as_naive(spans: &[Span], text: &str, cut: usize) -> Result<(), TestCaseError> {
    let Ok(query) = parse(text) else { return Ok(()) };
    let (one, other) = spans.split_at(cut);
    for view in views_of(&[one, other]) {
        let order: Vec<u8> = view.traces().map(|trace| trace.0[0]).collect();
        prop_assert_eq!(found(&query, &view), sets::expected(&query, spans, &order), "{}", text);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_bare_filter_finds_what_a_naive_evaluation_finds(
        spans in given::spans(), text in given::bare(), cut in any::<prop::sample::Index>()
    ) {
        is_as_naive(&spans, &text, cut.index(spans.len() + 1))?;
    }

    #[test]
    fn every_filter_in_braces_finds_what_a_naive_evaluation_finds(
        spans in given::spans(), text in given::braces(), cut in any::<prop::sample::Index>()
    ) {
        is_as_naive(&spans, &text, cut.index(spans.len() + 1))?;
    }

    #[test]
    fn every_pipeline_finds_what_a_naive_evaluation_finds(
        spans in given::spans(), text in given::pipeline(), cut in any::<prop::sample::Index>()
    ) {
        is_as_naive(&spans, &text, cut.index(spans.len() + 1))?;
    }

    #[test]
    fn what_is_asked_of_a_server_loses_nothing_that_the_filter_finds(
        spans in given::spans(), text in prop_oneof![given::bare(), given::braces(), given::pipeline()]
    ) {
        if let Ok(query) = parse(&text) {
            elsewhere::loses_nothing(&spans, &query)?;
        }
    }
}

#[test]
fn most_of_what_is_given_is_read() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut share = |strategy: BoxedStrategy<String>| {
        let texts: Vec<String> = (0..300).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect();
        texts.iter().filter(|text| parse(text).is_ok()).count()
    };
    let shares = [share(given::bare().boxed()), share(given::braces().boxed()), share(given::pipeline().boxed())];
    assert!(shares.iter().all(|share| *share > 150), "{shares:?}");
}
