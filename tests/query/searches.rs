//! How a search goes on: pages, limits, what changed.

use std::cell::Cell;

use super::{NOW, found, span, trace_id, views_of, with};
use tracefall::index::{Options, Sealing, View, open};
use tracefall::model::{SourceId, Span, SpanId, Timestamp, TraceId, Value};
use tracefall::otlp::encode;
use tracefall::query::{Page, evaluate_traces, matching_spans, parse, run, run_pages, run_pages_with, run_with};

fn id(number: u32) -> TraceId {
    let mut id = [7; 16];
    id[..4].copy_from_slice(&number.to_be_bytes());
    TraceId(id)
}

/// Many traces of two spans, a few to a publication.
fn many(count: u32, sealing: Sealing) -> View {
    let (mut writer, reader) = open(Options { budget: 256 << 20, sealing }, super::NoSummary);
    let numbers: Vec<u32> = (0..count).collect();
    for some in numbers.chunks(50) {
        let two = |number: &u32| {
            let one = Span { trace_id: id(*number), ..with(span(1, 1, "one", 5), "n", i64::from(number % 10)) };
            let other = Span { trace_id: id(*number), parent_id: Some(one.span_id), ..span(1, 2, "other", 1) };
            [one, other]
        };
        let spans: Vec<Span> = some.iter().flat_map(two).collect();
        writer.insert_spans(SourceId(0), &encode::spans(&spans), Timestamp(1)).unwrap();
        writer.publish();
    }
    reader.view()
}

fn both(count: u32) -> [View; 2] {
    [Sealing::Never, Sealing::Inline(3)].map(|sealing| many(count, sealing))
}

fn pages(text: &str, view: &View) -> Vec<Page> {
    let mut pages = Vec::new();
    run_pages(&parse(text).unwrap(), view, NOW, &|| false, &mut |page| pages.push(page));
    pages
}

#[test]
fn the_first_page_comes_before_everything_was_looked_at() {
    for view in both(20_000) {
        for text in ["", "n=3", "-n=3", "{ .n = 3 } > { }", "{ .n < 5 } | count() = 1", "parent.n=3"] {
            let pages = pages(text, &view);
            let seen: Vec<f32> = pages.iter().map(|page| page.seen).collect();
            assert!(pages.len() > 1 && seen[0] < 0.5, "{text}: {seen:?}");
            assert!(seen.is_sorted() && seen.last() == Some(&1.0), "{text}: {seen:?}");
            assert_eq!(pages.iter().filter(|page| page.last).count(), 1);
            let paged: Vec<_> = pages.into_iter().flat_map(|page| page.hits).collect();
            let mut all = run(&parse(text).unwrap(), &view, NOW, &|| false).hits;
            all.reverse();
            assert_eq!(paged, all, "{text}");
        }
    }
}

#[test]
fn what_is_found_does_not_depend_on_how_many_threads_look() {
    // Of these so many are candidates that scattered ones are shared out too.
    for view in both(40_000) {
        for text in ["", "n=3", "-n=3", "n=3 limit=5", "{ .n = 3 } > { }", "{ .n < 5 } | count() = 1", "root.n=3"] {
            let query = parse(text).unwrap();
            let found = |threads| {
                let mut hits = Vec::new();
                run_pages_with(threads, &query, (&view, NOW), &|| false, &mut |page| hits.extend(page.hits));
                hits
            };
            let all = found(1);
            for threads in [2, 4] {
                assert_eq!(found(threads), all, "{text}");
                let hits = run_with(threads, &query, (&view, NOW), &|| false).hits;
                assert!(hits.into_iter().rev().eq(all.iter().copied()), "{text}");
            }
        }
    }
}

/// Where few rows of a block are found, their traces are looked for otherwise than where many are.
#[test]
fn few_and_many_spans_of_a_block_are_found_in_their_traces() {
    for sealing in [Sealing::Never, Sealing::Inline(3)] {
        let (mut writer, reader) = open(Options { budget: 256 << 20, sealing }, super::NoSummary);
        let three = |number: u32| {
            let own =
                |place: u8| Span { trace_id: id(number), ..with(span(1, place, "one", 5), "n", i64::from(number)) };
            [own(1), own(2), own(3)]
        };
        for first in (0..2_000).step_by(100) {
            let spans: Vec<Span> = (first..first + 100).flat_map(three).collect();
            writer.insert_spans(SourceId(0), &encode::spans(&spans), Timestamp(1)).unwrap();
            writer.publish();
        }
        let view = reader.view();
        for (from, to) in [(0, 1), (17, 18), (99, 101), (250, 257), (500, 700), (0, 2_000)] {
            let query = parse(&format!("n>={from} n<{to} -operation=two")).unwrap();
            let hits = run(&query, &view, NOW, &|| false).hits;
            assert_eq!(hits.iter().map(|hit| hit.trace).collect::<Vec<_>>(), (from..to).map(id).collect::<Vec<_>>());
            let first = span(1, 1, "one", 5).span_id;
            assert!(hits.iter().all(|hit| hit.matched == 3 && hit.first.is_some_and(|key| key.id == first)), "{from}");
        }
    }
}

#[test]
fn a_search_on_several_threads_ends_where_it_is_told_to() {
    for view in both(20_000) {
        for allowed in [0, 1, 5] {
            let asked = Cell::new(0);
            let cancelled = || asked.replace(asked.get() + 1) >= allowed;
            let mut pages: Vec<Page> = Vec::new();
            run_pages_with(4, &parse("-n=3").unwrap(), (&view, NOW), &cancelled, &mut |page| pages.push(page));
            assert!(asked.get() <= allowed + 2);
            assert!(pages.last().is_some_and(|page| page.last && page.partial));
        }
    }
}

#[test]
fn a_limit_keeps_the_newest() {
    for view in both(5_000) {
        for text in ["limit=3", "n=3 limit=3", "-n=4 limit=3", "{ .n = 3 } > { } limit=3"] {
            let query = parse(text).unwrap();
            let hits = run(&query, &view, NOW, &|| false).hits;
            let all =
                run(&parse(&text.replace(" limit=3", "").replace("limit=3", "")).unwrap(), &view, NOW, &|| false).hits;
            assert_eq!(hits, all[all.len() - 3..], "{text}");
        }
    }
}

#[test]
fn late_spans_of_an_old_trace_count() {
    for sealing in [Sealing::Never, Sealing::Inline(3)] {
        let (mut writer, reader) = open(Options { budget: 256 << 20, sealing }, super::NoSummary);
        let mut take = |spans: &[Span]| {
            writer.insert_spans(SourceId(0), &encode::spans(spans), Timestamp(1)).unwrap();
            writer.publish();
        };
        take(&[span(1, 1, "first", 1), span(2, 2, "first", 1)]);
        for number in 10..200 {
            take(&[span(number, 3, "between", 1)]);
        }
        take(&[span(1, 4, "late", 1)]);
        let view = reader.view();
        assert_eq!(found(&view, "name=late"), [4]);
        assert_eq!(found(&view, "name:* { name = \"first\" } && { name = \"late\" }"), [1, 4]);
        assert_eq!(found(&view, "name=first any.name=late limit=1"), [1]);
        let hits = run(&parse("-name=late -name=between").unwrap(), &view, NOW, &|| false).hits;
        assert_eq!(hits.iter().map(|hit| hit.trace).collect::<Vec<_>>(), [trace_id(2)]);
    }
}

#[test]
fn what_changed_is_evaluated_alone() {
    for view in both(3_000) {
        let some = [id(13), id(14), id(2_993), id(999_999)];
        let cases: [(&str, &[u32], u32); 5] = [
            ("n=3", &[13, 2_993], 1),
            ("-n=3", &[14], 0),
            ("", &[13, 14, 2_993], 0),
            ("{ .n = 3 } > { }", &[13, 2_993], 1),
            ("limit=1 n=3", &[13, 2_993], 1),
        ];
        for (text, expected, matched) in cases {
            let hits = evaluate_traces(&parse(text).unwrap(), &view, NOW, &some);
            assert!(hits.iter().all(|hit| hit.matched == matched), "{text}");
            let found: Vec<TraceId> = hits.into_iter().map(|hit| hit.trace).collect();
            assert_eq!(found, expected.iter().map(|number| id(*number)).collect::<Vec<_>>(), "{text}");
        }
    }
}

#[test]
fn a_search_ends_where_it_is_told_to() {
    for view in both(20_000) {
        for text in ["n=3", "-n=3", "{ .n >= 0 } > { }"] {
            for allowed in [0, 1, 5] {
                let asked = Cell::new(0);
                let cancelled = || asked.replace(asked.get() + 1) >= allowed;
                let mut pages: Vec<Page> = Vec::new();
                run_pages(&parse(text).unwrap(), &view, NOW, &cancelled, &mut |page| pages.push(page));
                assert!(asked.get() <= allowed + 2, "{text}");
                assert!(pages.last().is_some_and(|page| page.last && page.partial), "{text} {allowed}");
            }
        }
    }
}

#[test]
fn a_trace_that_is_not_held_has_no_matches() {
    for view in views_of(&[&[span(1, 1, "a", 1)]]) {
        assert_eq!(matching_spans(&parse("name=a").unwrap(), &view, NOW, trace_id(9)), []);
        assert_eq!(found(&view, "09090909090909090909090909090909"), Vec::<u8>::new());
    }
}

#[test]
fn what_texts_are_passed_over_by_says_nothing_of_numbers_in_lists() {
    // Too long to be a word of a dictionary: it stands in a page of texts, beside the lists.
    let long = |end: &str| format!("{}{end}", "x".repeat(1_100));
    let list = Value::Array(vec![Value::Int(4_712), Value::Text("no".into())]);
    let spans = [
        with(span(1, 1, "a", 1), "v", &*long("none")),
        with(span(2, 2, "a", 1), "v", list),
        with(span(3, 3, "a", 1), "v", &*long("A 4712 B")),
        with(span(4, 4, "a", 1), "v", 4_712),
    ];
    for view in views_of(&[&spans]) {
        assert_eq!(found(&view, "v:4712"), [2, 3, 4]);
        assert_eq!(found(&view, "v=~.*4712.*"), [2, 3, 4]);
        assert_eq!(found(&view, "v:a*4712"), [3]);
        assert_eq!(found(&view, "v=~\"x+A [0-9]+ B\""), [3]);
        assert_eq!(found(&view, "v!~\"x+A [0-9]+ B\""), [1, 2, 4]);
        assert_eq!(found(&view, "v:\"no\""), [1, 2]);
    }
}

#[test]
fn relatives_are_found_whatever_the_order_they_started_in() {
    let under = |parent: u8, span: Span| Span { parent_id: Some(SpanId([parent; 8])), ..span };
    let spans = [
        // 5 > 4 > 3, which began one after the other the other way round; 6 has no known parent, as has 7.
        under(4, span(1, 3, "three", 1)),
        under(5, span(1, 4, "four", 1)),
        span(1, 5, "five", 1),
        under(99, span(1, 6, "six", 1)),
        under(99, span(1, 7, "seven", 1)),
        // Each the parent of the other, and one that is its own.
        under(11, span(2, 10, "ten", 1)),
        under(10, span(2, 11, "eleven", 1)),
        under(12, span(2, 12, "twelve", 1)),
    ];
    for view in views_of(&[&spans]) {
        assert_eq!(found(&view, "{ name = \"five\" } >> { }"), [3, 4]);
        assert_eq!(found(&view, "{ name = \"three\" } << { }"), [4, 5]);
        assert_eq!(found(&view, "{ name = \"five\" } !>> { name != \"four\" }"), [5, 6, 7, 10, 11, 12]);
        assert_eq!(found(&view, "{ name = \"six\" } ~ { }"), [7]);
        assert_eq!(found(&view, "{ name = \"ten\" } >> { }"), [10, 11]);
        assert_eq!(found(&view, "{ name = \"twelve\" } > { }"), Vec::<u8>::new());
        assert_eq!(found(&view, "{ name = \"three\" } &<< { name = \"five\" }"), [3, 5]);
        assert_eq!(found(&view, "{ } | by(duration) | count() > 3"), [3, 4, 5, 6, 7]);
    }
}

/// Of a trace in two blocks one span was in a group by itself: codes of the other block's spans were lost where the first had
/// as many rows as were looked at together.
#[test]
fn a_block_as_large_as_what_is_looked_at_leaves_other_blocks_their_groups() {
    let from = |(trace, id, source): (u8, u8, u16)| Span { source: SourceId(source), ..span(trace, id, "x", 1) };
    let early = [(4, 1, 0), (1, 2, 1), (4, 3, 1)].map(from);
    let late = [(2, 4, 0), (2, 5, 0), (1, 6, 1), (1, 7, 1), (2, 8, 0), (2, 9, 0), (2, 10, 1), (2, 11, 1)].map(from);
    for view in views_of(&[&early, &late]) {
        let text = "{ (!(.a = \"x\") || .a = \"x\") } | by(kind) | count()";
        assert_eq!(found(&view, &format!("{text} = 1")), [] as [u8; 0]);
        assert_eq!(found(&view, &format!("{text} = 3")), [2, 6, 7]);
    }
}
