//! The filter language under broken and random text.

use std::collections::BTreeSet;

use tracefall::analysis::TraceNotes;
use tracefall::index::{self, Options, Sealing, View};
use tracefall::model::{SourceId, SpanKey, Timestamp, TraceId};
use tracefall::query::{
    Expr, Field, Query, Relation, Says, Term, chips, complete, describe, matching_spans, parse, run,
};

use crate::common::fixtures::frames;
use crate::cost::assert_linear;
use crate::wreck::{Random, budget, wreck};

const FILTERS: [&str; 31] = [
    "service=hmis-backend minDuration=200ms error=true",
    "service:hmis* -operation:redis kind!=client",
    "operation=\"GET /patients/{id}\" status=error",
    "duration>=10us duration<1h30m maxDuration=1.5s",
    "http.status_code>=500 -http.route=/health",
    "\"db.statement\":\"SELECT * FROM\" db.system=postgresql",
    "db.query.text:select*from*where",
    "-error=false -status=ok -kind=server",
    "trace_id=5b8efff798038103d269b633813fc60c",
    "5B8EFFF798038103D269B633813FC60C -5b8efff798038103d269b633813fc60d",
    "timeout checkout -\"from orders\"",
    "@operation=x @span.x!=y \"a b\"=\"c \\\" \\\\ \\d\"",
    "http://host/x:y größe µs İ ﬀ \u{202e}abc",
    "ratio<-0.5 ratio>1e3 n=007 n=9223372036854775807",
    "duration=0s duration!=18446744073709551615ns",
    "service!=unknown_service",
    "{ span.http.status_code = 500 } | count() > 2",
    "(a=b OR c=d) AND NOT e=f",
    "a=~\"x.*\" b!~y root.service=z",
    "service=",
    "\"unclosed",
    "key:* key=\"\" key:\"\"",
    "select insert update redis get set patients",
    "(service=hmis-backend OR -kind=client) AND NOT (error=true || x) lookback=1h limit=5",
    "root.http.route:patients parent.service=hmis-backend any.db.system=redis none.error=true child.kind=client",
    "resource.service.name=hmis-backend span.db.system=~\"redis|postgres.*\" event.exception.type!~x traceDuration>1ms",
    "{ span.http.status_code >= 200 && .db.system != nil || !(name =~ `.*`) } >> { status = error } | count() > 1",
    "{ duration * 2 > 10ms - 1 } &>> ({ kind = client } && { parent = nil }) | by(resource.service.name) | avg(duration) > 1ms",
    "({ } | p95(duration) > 1ms) || { rootName = \"x\" && childCount > 1 } !< { event:name = \"exception\" } with(a=1)",
    "{ parent.span.a = span.b } ~ { trace:id != \"5b8efff798038103d269b633813fc60c\" } | select(name, .a) | coalesce()",
    "minDuration=1ms",
];

const PIECES: [&str; 44] = [
    " ",
    "\"",
    "\\",
    "=",
    "!=",
    ">=",
    "<",
    ":",
    "-",
    "@",
    "*",
    "**********",
    "{",
    "}",
    "(",
    ")",
    "|",
    "OR",
    "=~",
    "!",
    "ms",
    "99999999999999999999",
    "1e309",
    "service=",
    "duration>",
    "error=true",
    "\u{0}",
    "\u{1b}",
    "ß",
    "\u{1f469}\u{200d}",
    " >> ",
    " !<< ",
    " &~ ",
    " && ",
    " || ",
    "{ }",
    " | ",
    "count() > 1",
    "by(name)",
    "root.",
    "none.",
    "span:",
    "nil",
    "^",
];

/// When the recordings were made, and a day.
const NOW: Timestamp = Timestamp(1_800_000_000_000_000_000);

/// Views of two small recorded exports: with rows at rest, and as they came.
fn views() -> [View; 2] {
    [Sealing::Inline(1), Sealing::Never].map(view)
}

fn view(sealing: Sealing) -> View {
    let (mut writer, reader) = index::open(Options { budget: 64 << 20, sealing }, TraceNotes::default());
    let mut bodies = frames("hmis-python-grpc.otlp.pb");
    bodies.sort_by_key(Vec::len);
    for body in bodies.iter().take(2) {
        writer.insert_spans(SourceId(0), body, Timestamp(1)).unwrap();
        writer.publish();
    }
    reader.view()
}

type Found = BTreeSet<(TraceId, SpanKey)>;

/// The spans that a query finds; what it says of a trace is what it says of its spans.
fn found(query: &Query, view: &View) -> Found {
    let mut found = Found::new();
    for hit in run(query, view, NOW, &|| false).hits {
        let spans = matching_spans(query, view, NOW, hit.trace);
        assert_eq!((hit.matched as usize, hit.first), (spans.len(), spans.first().copied()), "{}", query.text);
        found.extend(spans.into_iter().map(|key| (hit.trace, key)));
    }
    found
}

/// Whether it was read. A filter that is read is printed, said in words and run; one that is not names a place in it.
fn is_refused_or_run(text: &str, [view, other]: &[View; 2]) -> bool {
    let query = match parse(text) {
        Ok(query) => query,
        Err(error) => {
            assert!(error.column <= text.chars().count(), "{error}: {text:?}");
            assert!(!error.expected.is_empty());
            return false;
        }
    };
    let printed = query.to_string();
    let again = parse(&printed).unwrap_or_else(|error| panic!("{error}: {printed:?} of {text:?}"));
    assert_eq!(query, again, "{text:?} {printed:?}");
    let parts = (0..query.parts()).map(|part| query.part_at(part));
    assert!(parts.into_iter().all(|at| at.is_some_and(|(from, to)| text.get(from..to).is_some())), "{text:?}");
    assert_eq!(chips(&query).len(), query.parts());
    assert_eq!(describe(&query).is_empty(), query.is_empty());
    let spans = found(&query, view);
    assert_eq!(spans, found(&again, other), "{text:?} {printed:?}");
    let conditions = query.terms.iter().all(|term| {
        let plain = |of| matches!(of, Relation::Own | Relation::Root | Relation::Parent | Relation::Child);
        matches!(&term.says, Says::Spans(Expr::Is(condition))
            if plain(condition.of) && !matches!(condition.field, Field::TraceId | Field::TraceDuration | Field::TraceStart))
    });
    if query.terms.len() > 1 && query.stages.is_empty() && conditions {
        let one = |term: &Term| Query::of(vec![term.clone()], Vec::new(), Vec::new());
        let each = query.terms.iter().map(|term| found(&one(term), view));
        assert_eq!(Some(spans), each.reduce(|one, other| &one & &other), "{text:?}");
    }
    true
}

/// Text of so many pieces.
type Make<'a> = &'a dyn Fn(usize) -> String;

/// Text with pieces strewn into it, or nothing but pieces, or characters of any kind.
fn strewn(filters: &[Vec<u8>], random: &mut Random) -> String {
    match random.below(16) {
        0 => (0..random.below(30)).map(|_| char::from(random.byte()).to_uppercase().next().unwrap_or('x')).collect(),
        1..=3 => (0..random.below(12)).map(|_| PIECES[random.below(PIECES.len())]).collect(),
        _ => {
            let mut text = wreck(filters, random);
            for _ in 0..random.below(3) {
                let place = random.below(text.len() + 1);
                drop(text.splice(place..place, PIECES[random.below(PIECES.len())].bytes()));
            }
            String::from_utf8_lossy(&text).into_owned()
        }
    }
}

#[test]
fn wrecked_filters_are_refused_or_run() {
    let mut budget = budget(40_000);
    let mut random = Random::seeded(0x9e6c_63d0_876a_9a47);
    let filters: Vec<Vec<u8>> = FILTERS.iter().map(|filter| filter.as_bytes().to_vec()).collect();
    let views = views();
    let mut read = [0_u64; 2];
    while budget > 0 {
        let text = strewn(&filters, &mut random);
        read[usize::from(is_refused_or_run(&text, &views))] += 1;
        if random.one_in(16) {
            let cursor = random.below(text.len() + 2);
            for completion in complete(&text, cursor, &views[0], 8) {
                let (start, end) = completion.replace;
                assert!(text.get(start..end).is_some(), "{text:?} {cursor} {completion:?}");
            }
        }
        budget = budget.saturating_sub(text.len() + 1);
    }
    assert!(read[0] > 100 && read[1] > 100, "both happen: {read:?}");
}

#[test]
fn filters_of_any_shape_cost_as_much_as_they_are_long() {
    let shapes: [(&str, Make<'_>); 16] = [
        ("terms", &|size| "a=b ".repeat(size)),
        ("words", &|size| "-x ".repeat(size)),
        ("one word", &|size| "x".repeat(size)),
        ("bangs", &|size| "a!".repeat(size)),
        ("colons", &|size| "://".repeat(size)),
        ("backslashes", &|size| format!("\"{}", "\\".repeat(size))),
        ("quotes", &|size| "\"\"=\"\" ".repeat(size)),
        ("digits", &|size| format!("duration>{}", "1".repeat(size))),
        ("alternatives", &|size| format!("a{}", " OR b=c".repeat(size))),
        ("opened", &|size| "(".repeat(size)),
        ("pairs of braces", &|size| "{} ".repeat(size)),
        ("conditions", &|size| format!("{{ .a {}}}", "&& span.b = 1 ".repeat(size))),
        ("stages", &|size| format!("{{}} {}", "| by(.a) ".repeat(size))),
        ("keys", &|size| format!("{{}} | by(.a{})", ", name".repeat(size))),
        ("prefixes", &|size| "root.span.".repeat(size)),
        ("an expression", &|size| format!("a=~{}", "a*".repeat(size.min(400)))),
    ];
    for (name, make) in shapes {
        assert_linear(name, 2_000, make, |text| {
            if let Ok(query) = parse(text) {
                let _ = (query.to_string(), describe(&query), query.without(0));
            }
        });
    }
}
