//! What is proposed while a filter is typed.

use super::{found, from, span, views_of, with};
use tracefall::index::View;
use tracefall::query::{complete, parse};

fn views() -> Vec<View> {
    let spans: Vec<_> = (1..10_u8)
        .map(|number| {
            let name = if number < 7 { "GET /a b" } else { "work" };
            let bare = from(if number < 4 { "pay" } else { "shop" }, span(1, number, name, 1));
            let bare = with(bare, "http.route", if number < 3 { "/a b" } else { "/orders" });
            if number < 4 { with(bare, "span.mark", "=odd") } else { bare }
        })
        .collect();
    views_of(&[&spans])
}

/// A text without its `|` (or `¦`, where it has pipes), and where that stood.
fn with_cursor(text: &str) -> (String, usize) {
    let mark = if text.contains('¦') { '¦' } else { '|' };
    (text.replace(mark, ""), text.find(mark).unwrap())
}

/// The first proposals for the word at the cursor.
fn proposed(view: &View, text: &str) -> Vec<String> {
    let (text, cursor) = with_cursor(text);
    complete(&text, cursor, view, 3).into_iter().map(|completion| completion.text).collect()
}

#[test]
fn keys_and_values_are_proposed() {
    for view in views() {
        let cases: [(&str, &[&str]); 16] = [
            ("|", &["service=", "operation=", "minDuration="]),
            ("serv|", &["service=", "service.name="]),
            ("a=b -hrou|", &["http.route="]),
            ("@rout|", &["http.route="]),
            ("mark|", &["@span.mark="]),
            ("service=|", &["shop", "pay"]),
            ("service=p|", &["pay", "shop"]),
            ("service!=pa|", &["pay"]),
            ("operation=g|", &["\"GET /a b\""]),
            ("operation=\"get /|", &["\"GET /a b\""]),
            ("-http.route=/o|", &["/orders"]),
            ("http.route:\"a b|", &["\"/a b\""]),
            ("@span.mark=|", &["\"=odd\""]),
            ("error=|", &["true", "false"]),
            ("kind=serv|", &["server"]),
            ("nothing.like.it=|", &[]),
        ];
        for (text, expected) in cases {
            let proposed = proposed(&view, text);
            assert_eq!(proposed[..proposed.len().min(expected.len())], *expected, "{text}");
            assert!(!expected.is_empty() || proposed.is_empty(), "{text}");
        }
    }
}

#[test]
fn words_of_the_language_are_proposed_in_both_modes() {
    for view in views() {
        let cases: [(&str, &[&str]); 37] = [
            ("traceD|", &["traceDuration>"]),
            ("look|", &["lookback="]),
            ("lookback=|", &["5m", "15m", "1h"]),
            ("limit=|", &["20", "50", "100"]),
            ("duration>|", &["10ms", "50ms", "100ms"]),
            ("root.serv|", &["service=", "service.name="]),
            ("parent.kind=cl|", &["client"]),
            ("root.service=|", &["shop", "pay"]),
            ("resource.serv|", &["service.name="]),
            ("resource.service.name=p|", &["pay", "shop"]),
            ("(service=|", &["shop", "pay"]),
            ("(a OR -hrou|) x", &["http.route="]),
            ("NOT stat|", &["status=", "statusMessage:"]),
            ("rootServiceName=|", &["shop", "pay"]),
            ("rootName=~\"GE|", &["\"GET /a b\""]),
            ("{ |", &["duration > ", "name = ", "status = "]),
            ("{ dura|", &["duration > ", "traceDuration > "]),
            ("{ .hrou|", &["http.route = "]),
            ("{ hrou|", &[".http.route = "]),
            ("{ span.http.rou|", &["http.route = "]),
            ("{ resource.serv| }", &["service.name = "]),
            ("{ span.http.route = |", &["\"/orders\"", "\"/a b\""]),
            ("{ span.http.route = \"/a| }", &["\"/a b\""]),
            ("{ span.http.route =~ \"/o|", &["\"/orders\""]),
            ("{ kind=se|", &["server"]),
            ("{ kind = |", &["server", "client", "internal"]),
            ("{ status != er|", &["error"]),
            ("{ name = \"x\" && duration > |", &["10ms", "50ms", "100ms"]),
            ("{ trace:rootService = pa|", &["\"pay\""]),
            ("{ } | co¦", &["count() > ", "coalesce()"]),
            ("{ } | ¦", &["count() > ", "avg(duration) > ", "max(duration) > "]),
            ("service=pay | count() > ¦", &["1", "5", "10"]),
            ("{ } | { .hrou¦", &["http.route = "]),
            ("{ } | by(resource.ser¦", &["service.name"]),
            ("{ } | by(name, dura¦)", &["duration"]),
            ("{ } | avg(¦", &["duration", "name", "status"]),
            ("{ kind = server } service=|", &["shop", "pay"]),
        ];
        for (text, expected) in cases {
            let proposed = proposed(&view, text);
            assert_eq!(proposed[..proposed.len().min(expected.len())], *expected, "{text}");
        }
    }
}

#[test]
fn numbers_and_truth_values_are_proposed_as_well_as_texts_and_find_what_they_count() {
    let spans: Vec<_> = (1..8_u8)
        .map(|number| {
            let span = from("pay", span(1, number, "GET", 1));
            let span = match number {
                7 => with(span, "http.status_code", "503"),
                5 | 6 => with(span, "http.status_code", -7),
                _ => with(span, "http.status_code", 200),
            };
            with(span, "retried", number < 3)
        })
        .collect();
    for view in views_of(&[&spans]) {
        for (start, end, expected) in [
            ("http.status_code=", "", [("200", 4), ("-7", 2), ("503", 1)].as_slice()),
            ("{ span.http.status_code = ", " }", &[("200", 4), ("-7", 2), ("503", 1)]),
            ("retried=", "", &[("false", 5), ("true", 2)]),
            ("{ .retried = ", " }", &[("false", 5), ("true", 2)]),
        ] {
            let proposals = complete(start, start.len(), &view, 5);
            let told: Vec<_> = proposals.iter().map(|told| (told.text.as_str(), told.count.unwrap())).collect();
            assert_eq!(told, expected, "{start}");
            for (value, count) in told {
                assert_eq!(found(&view, &format!("{start}{value}{end}")).len() as u64, count, "{start}{value}");
            }
        }
    }
}

#[test]
fn proposals_fit_where_they_are_put() {
    for view in views() {
        for text in [
            "x -http.route=/o|z y",
            "|service",
            "a=\"b c\" operation=\"GE|T\" z",
            "-|",
            "\"http.route\"=/|",
            "é ser|",
            "(a OR http.route=/o|) b",
            "root.servi|",
            "{ span.http.route = /o| && .a = 1 }",
            "{ status = | }",
            "{ duration > ¦ && name = \"x\" } | count() > 1",
            "{ } | max(duration) > ¦",
        ] {
            let (text, cursor) = with_cursor(text);
            for completion in complete(&text, cursor, &view, 5) {
                let mut done = text.clone();
                done.replace_range(completion.replace.0..completion.replace.1, &completion.text);
                // A prefix waits for more.
                if completion.text.ends_with(['.', ':', '(']) {
                    continue;
                }
                let done = if completion.text.ends_with(['=', '>']) {
                    let at = completion.replace.0 + completion.text.len();
                    format!("{}1s{}", done.get(..at).unwrap(), done.get(at..).unwrap())
                } else {
                    done
                };
                assert!(parse(&done).is_ok(), "{done}");
            }
        }
    }
}

#[test]
fn counts_are_those_of_the_index_and_any_cursor_is_fine() {
    for view in views() {
        let shop = complete("service=sh", 10, &view, 1);
        assert_eq!((shop[0].count, shop[0].replace), (Some(6), (8, 10)));
        for text in [
            "é\"ü =:\"",
            "\"",
            "a=\"\\",
            "=",
            "-",
            "",
            "{ é.ü = \"ß",
            "{} | é(",
            "{(((\"",
            "} ) | {",
            "root.span.é",
            "{ `é",
        ] {
            for cursor in 0..text.len() + 2 {
                for completion in complete(text, cursor, &view, 10) {
                    let (start, end) = completion.replace;
                    assert!(
                        start <= end && text.is_char_boundary(start) && text.is_char_boundary(end),
                        "{text} {cursor}"
                    );
                }
            }
        }
    }
}

#[test]
fn fractions_and_texts_too_many_for_the_dictionary_are_proposed() {
    let spans: Vec<_> = (0..60_u8)
        .map(|number| {
            let span = with(from("pay", span(1, number + 1, "GET", 1)), "ratio", if number < 40 { 0.25 } else { 1.5 });
            let span = with(span, "large", if number < 3 { i64::MAX } else { 1 << 40 });
            with(
                span,
                "note",
                format!("{} {number}", "a text so long that no dictionary takes it ".repeat(30)).as_str(),
            )
        })
        .collect();
    for view in views_of(&[&spans]) {
        for (text, expected) in
            [("ratio=", [("0.25", 40), ("1.5", 20)]), ("large=", [("1099511627776", 57), ("9223372036854775807", 3)])]
        {
            let told = complete(text, text.len(), &view, 5);
            let told: Vec<_> = told.iter().map(|told| (told.text.as_str(), told.count.unwrap())).collect();
            assert_eq!(told, expected);
            for (value, count) in told {
                assert_eq!(found(&view, &format!("{text}{value}")).len() as u64, count, "{text}{value}");
            }
        }
        assert_eq!(complete("note=", 5, &view, 100).len(), 60);
        let every = view.every_value("note", 50);
        assert_eq!((every.values.len(), every.more, every.others), (50, 10, 0));
    }
}

#[test]
fn what_only_a_server_knows_is_proposed_behind_what_is_held() {
    use std::sync::Arc;
    use tracefall::model::Names;
    use tracefall::query::{complete_with, key_at};
    let names = [Arc::new(Names {
        services: vec!["shop".into(), "shoes".into()],
        operations: vec!["POST /shoes".into()],
        tags: vec!["span.shoe.size".into(), "resource.shoe.shop".into(), "duration".into()],
        values: [("shoe.size".to_owned(), vec!["38".to_owned(), "large one".to_owned()])].into(),
        ..Names::default()
    })];
    for view in views() {
        let texts = |text: &str| -> Vec<String> {
            let found = complete_with(text, text.len(), (&view, &names), 50);
            found.into_iter().map(|completion| completion.text).collect()
        };
        let services = texts("service=sh");
        assert_eq!(services.iter().filter(|service| *service == "shop").count(), 1, "{services:?}");
        assert_eq!(services.last().map(String::as_str), Some("shoes"));
        assert!(texts("shoe").contains(&"shoe.size=".to_owned()), "{:?}", texts("shoe"));
        // Intrinsic ones have words of the language.
        assert!(!texts("dur").contains(&"duration=".to_owned()));
        assert_eq!(texts("span.shoe.size="), ["38", "\"large one\""]);
        assert_eq!(texts("{ span.shoe.size = "), ["38", "\"large one\""]);
        assert!(texts("operation=POST").iter().any(|text| text.contains("/shoes")));
        assert_eq!(complete("service=sho", 11, &view, 50).len() + 1, texts("service=sho").len());
    }
    for (text, key) in [
        ("shoe.size=3", Some("shoe.size")),
        ("error=true root.span.shoe.size=", Some("shoe.size")),
        ("{ resource.shoe.shop = \"a", Some("shoe.shop")),
        ("shoe.si", None),
    ] {
        assert_eq!(key_at(text, text.len()).as_deref(), key, "{text}");
    }
}
