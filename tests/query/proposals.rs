//! What is proposed while a filter is typed.

use super::{from, span, views_of, with};
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

/// The first proposals for the word at `|`.
fn proposed(view: &View, text: &str) -> Vec<String> {
    let cursor = text.find('|').unwrap();
    let text = text.replace('|', "");
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
fn proposals_fit_where_they_are_put() {
    for view in views() {
        for text in
            ["x -http.route=/o|z y", "|service", "a=\"b c\" operation=\"GE|T\" z", "-|", "\"http.route\"=/|", "é ser|"]
        {
            let cursor = text.find('|').unwrap();
            let text = text.replace('|', "");
            for completion in complete(&text, cursor, &view, 5) {
                let mut done = text.clone();
                done.replace_range(completion.replace.0..completion.replace.1, &completion.text);
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
        for text in ["é\"ü =:\"", "\"", "a=\"\\", "=", "-", ""] {
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
