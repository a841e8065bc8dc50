//! What goes to a server and what does not.

use super::*;
use crate::model::TraceId;
use crate::query::parse;

const NOW: Timestamp = Timestamp(1_795_000_000_000_000_000);

const JAEGER: Abilities = Abilities { names: true, tags: true, durations: true, traceql: false };
const TEMPO: Abilities = Abilities { names: true, tags: true, durations: true, traceql: true };

fn pushed(text: &str, abilities: Abilities) -> Pushdown {
    push_down(&parse(text).unwrap_or_else(|fault| panic!("{text}: {fault}")), abilities, NOW)
}

/// The search in short: what is set in it beyond time and limit.
fn short(down: &Pushdown) -> String {
    let Ask::Search(search) = &down.ask else { return "by id".to_owned() };
    let mut said = Vec::new();
    said.extend(search.service.as_ref().map(|name| format!("service {name}")));
    said.extend(search.operation.as_ref().map(|name| format!("operation {name}")));
    said.extend(search.tags.iter().map(|(key, value)| format!("tag {key} {value}")));
    said.extend(search.min_duration.map(|length| format!("min {}", length.0)));
    said.extend(search.max_duration.map(|length| format!("max {}", length.0)));
    said.extend((!search.traceql.is_empty()).then(|| search.traceql.clone()));
    said.join(", ")
}

#[test]
fn a_jaeger_is_asked_what_it_honours_and_no_more() {
    // Filter, what is asked, and the parts that this covers.
    let cases: &[(&str, &str, &[usize])] = &[
        ("", "", &[]),
        ("service=a operation=b", "service a, operation b", &[0, 1]),
        ("service=a service=b", "service a", &[0]),
        ("service=a service=a", "service a", &[0, 1]),
        ("service!=a", "", &[]),
        ("-service=a", "", &[]),
        ("service:a", "", &[]),
        ("service=~\"a|b\"", "", &[]),
        ("service=unknown_service", "", &[]),
        ("service=\"\"", "", &[]),
        ("service=a OR service=b", "", &[]),
        ("(service=a OR service=b) name=c", "operation c", &[1]),
        ("(service=a name=b)", "service a, operation b", &[0]),
        ("(service=a -name=b)", "service a", &[]),
        ("root.service=a parent.name=b any.x=y none.x=z rootName=q", "", &[]),
        ("traceDuration>1s service=a", "service a", &[1]),
        ("minDuration=100ms", "min 100000000", &[0]),
        ("duration>1500ns duration<2500ns", "min 1000, max 3000", &[0, 1]),
        ("duration>=1s duration>=2s", "min 2000000000", &[0, 1]),
        ("duration>10ns", "min 0", &[]),
        ("duration=1s", "", &[]),
        ("any.duration>1s", "", &[]),
        ("-duration>1s", "", &[]),
        ("error=true kind=server status=error statusMessage=x", "", &[]),
        ("order.id=17 span.b=c resource.d=e event.f=g", "tag order.id 17, tag b c, tag d e, tag f g", &[0, 1, 2, 3]),
        ("link.a=b instrumentation.c=d scope.name=e", "", &[]),
        ("hit=true", "tag hit true", &[0]),
        ("hit=\"17.50\"", "tag hit 17.50", &[0]),
        ("a=17.5", "", &[]),
        ("a=1e3", "", &[]),
        ("a=007", "tag a 007", &[0]),
        ("a=12345678901", "", &[]),
        ("a=b a=c", "tag a b", &[0]),
        ("a!=b c:d e>5 f=nil g=~h", "", &[]),
        // Old and new names of one thing, and renamed values.
        ("http.status_code=500", "", &[]),
        ("http.response.status_code=500", "", &[]),
        ("\"http.status_code\"=500", "tag http.status_code 500", &[0]),
        ("db.system=mssql", "", &[]),
        // Names that mean something else there, and lists.
        ("@error=true", "", &[]),
        ("\"span.kind\"=client", "", &[]),
        ("http.request.header.x=y", "", &[]),
        ("words \"of text\"", "", &[]),
        // Braces: one set of spans.
        ("{ resource.a = \"b\" && duration > 1s && name = \"x\" }", "operation x, tag a b, min 1000000000", &[0]),
        ("{ name = \"x\" || name = \"y\" }", "", &[]),
        ("{ name = \"x\" && status = error }", "operation x", &[]),
        ("{ name = \"x\" } { name = \"y\" }", "operation x", &[0]),
        ("name=x { name = \"y\" }", "operation x", &[0]),
        ("{ name = \"x\" } >> { name = \"y\" }", "", &[]),
        ("{ name = \"x\" } | count() > 2", "operation x", &[0]),
        ("{ .a + 1 = 2 && !(name = \"x\") && parent.name = \"y\" }", "", &[]),
        ("{}", "", &[]),
    ];
    for (text, expected, parts) in cases {
        let down = pushed(text, JAEGER);
        assert_eq!((short(&down).as_str(), &down.pushed[..]), (*expected, *parts), "{text}");
        let mut all = [&down.pushed[..], &down.local].concat();
        all.sort_unstable();
        assert_eq!(all, (0..parse(text).unwrap().parts()).collect::<Vec<_>>(), "{text}");
    }
}

#[test]
fn an_older_server_is_asked_less() {
    let down = pushed("service=a x=y minDuration=1s", Abilities { names: true, ..Abilities::default() });
    assert_eq!((short(&down).as_str(), down.pushed, down.local), ("service a", vec![0], vec![1, 2]));
}

#[test]
fn a_tempo_is_asked_in_traceql() {
    let cases = [
        ("", "{}"),
        ("service=a error=true", "{ resource.service.name = \"a\" && status = error }"),
        ("kind=server duration>1500us", "{ kind = server && duration >= 1500000ns }"),
        ("span.a=b resource.\"c d\"=e", "{ span.a = \"b\" && resource.\"c d\" = \"e\" }"),
        ("span.n=5", "{ (span.n = \"5\" || span.n = 5) }"),
        ("a=b", "{ (.a = \"b\" || event.a = \"b\" || link.a = \"b\" || instrumentation.a = \"b\") }"),
        ("name=\"say \\\"hi\\\" \\\\\"", "{ name = \"say \\\"hi\\\" \\\\\" }"),
        ("name:x -kind=client http.method=GET", "{}"),
        ("kind=client OR kind=server", "{}"),
    ];
    for (text, expected) in cases {
        assert_eq!(short(&pushed(text, TEMPO)), expected, "{text}");
    }
    assert_eq!(pushed("service=a error=true name:x", TEMPO).pushed, [0, 1]);
}

#[test]
fn times_are_those_of_the_filter_or_the_last_hour() {
    let hour = 3_600_000_000_000;
    let at = |text: &str| match pushed(text, JAEGER) {
        Pushdown { ask: Ask::Search(search), assumed, pushed, .. } => {
            let ago = |moment: Timestamp| i128::from(NOW.0) - i128::from(moment.0);
            (ago(search.start), ago(search.end), assumed.lookback.is_some(), pushed)
        }
        down => panic!("{down:?}"),
    };
    assert_eq!(at("service=a"), (hour, -hour, true, vec![0]));
    assert_eq!(at("service=a since=15m lookback=2h"), (hour / 4, -hour, false, vec![0, 1, 2]));
    assert_eq!(at("since=2h until=1h"), (2 * hour, hour, false, vec![0, 1]));
    assert_eq!(at("until=1h service=a"), (2 * hour, hour, true, vec![0, 1]));
    // A trace that begins then has no earlier span, but later ones.
    let ago = |hours: i128| {
        let at = Timestamp(u64::try_from(i128::from(NOW.0) - hours * hour).unwrap());
        crate::query::spell_moment(at)
    };
    let within = format!("traceStart>={} traceStart<={}", ago(3), ago(2));
    assert_eq!(at(&within), (3 * hour, 2 * hour, false, vec![]));
    assert_eq!(at(&format!("{within} service=a")), (3 * hour, -hour, false, vec![2]));
    assert_eq!(at(&format!("{within} since=1h")), (hour, -hour, false, vec![2]));
    assert_eq!(at(&format!("{within} until=4h")), (3 * hour, 4 * hour, false, vec![2]));
}

#[test]
fn conditions_on_several_spans_are_not_held_to_the_times_of_one() {
    // The span that began late enough need not be the one of that name.
    for text in ["{ name = \"x\" } { name = \"y\" } since=1h", "name=x { name = \"y\" } since=1h"] {
        let down = pushed(text, JAEGER);
        assert_eq!((short(&down).as_str(), &down.pushed[..]), ("", &[2][..]), "{text}");
    }
    let down = pushed("{ name = \"x\" } { name = \"y\" } until=1h", JAEGER);
    assert_eq!((short(&down).as_str(), &down.pushed[..]), ("", &[2][..]));
    let down = pushed("{ name = \"x\" } since=1h", JAEGER);
    assert_eq!((short(&down).as_str(), &down.pushed[..]), ("operation x", &[0, 1][..]));
}

#[test]
fn a_limit_goes_along_but_leaves_room_for_what_is_filtered_here() {
    let limit = |text: &str| match pushed(text, JAEGER) {
        Pushdown { ask: Ask::Search(search), assumed, local, .. } => (search.limit, assumed.limit, local),
        down => panic!("{down:?}"),
    };
    assert_eq!(limit("service=a"), (100, Some(100), vec![]));
    assert_eq!(limit("service=a limit=6"), (6, None, vec![]));
    // With one alone no part of the time would ever be known to hold no newer trace.
    assert_eq!(limit("service=a limit=1"), (5, None, vec![]));
    assert_eq!(limit("service=a limit=5 error=true"), (100, None, vec![1, 2]));
    assert_eq!(limit("limit=500 error=true"), (500, None, vec![0, 1]));
}

#[test]
fn a_trace_that_is_named_is_fetched() {
    let id = TraceId::from_hex("5b8efff798038103d269b633813fc60c").unwrap();
    let down = pushed("5b8efff798038103d269b633813fc60c service=a", JAEGER);
    assert_eq!((down.ask, down.pushed, down.local), (Ask::Trace(id), vec![0], vec![1]));
    assert_ne!(pushed("-5b8efff798038103d269b633813fc60c", JAEGER).ask, Ask::Trace(id));
}
