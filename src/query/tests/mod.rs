//! The language as tables, and its laws.

mod laws;

use crate::query::{
    Attribute, Condition, Expr, Field, Literal, ParseError, Relation, Says, Scope, key_text, parse, value_text,
};

/// What a filter without one of its terms' places says: `field sign value`, one term each.
fn read(text: &str) -> Vec<String> {
    let query = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    query
        .terms
        .iter()
        .map(|term| match &term.says {
            Says::Spans(part) => word(part),
            other => format!("{other:?}"),
        })
        .collect()
}

fn word(part: &Expr) -> String {
    match part {
        Expr::Not(inner) => format!("not {}", word(inner)),
        Expr::Is(condition) => pair(condition),
        other => format!("{other:?}"),
    }
}

fn pair(condition: &Condition) -> String {
    let value = match &condition.value {
        Literal::Text { text, quoted: true } => format!("text<{text}>"),
        Literal::Text { text, quoted: false } => format!("<{text}>"),
        Literal::Duration(duration) => format!("{}ns", duration.0),
        Literal::Bool(value) => value.to_string(),
        Literal::Kind(kind) => format!("<{}>", kind.name()),
        Literal::Status(code) => format!("<{}>", code.name()),
        other => format!("{other:?}"),
    };
    let scope = |scope: &Scope| if *scope == Scope::Anywhere { String::new() } else { format!("{scope:?} ") };
    let field = match &condition.field {
        Field::Attribute(Attribute { key, exact: true, scope: at }) => format!("{}exactly {key}", scope(at)),
        Field::Attribute(Attribute { key, exact: false, scope: at }) => format!("{}attribute {key}", scope(at)),
        other => format!("{other:?}"),
    };
    let of = if condition.of == Relation::Own { String::new() } else { format!("{:?}: ", condition.of) };
    format!("{of}{field} {:?} {value}", condition.comparison)
}

#[test]
fn filters_are_read() {
    let cases: [(&str, &[&str]); 40] = [
        ("", &[]),
        ("   \t\n", &[]),
        ("service=pay", &["Service Equal <pay>"]),
        ("service!=pay", &["Service NotEqual <pay>"]),
        ("service:PAY*", &["Service Contains <PAY*>"]),
        ("operation=\"GET /x\"", &["Name Equal text<GET /x>"]),
        ("name=GET", &["Name Equal <GET>"]),
        ("minDuration=100ms maxDuration=1.5s", &["Duration AtLeast 100000000ns", "Duration AtMost 1500000000ns"]),
        ("duration>10us", &["Duration More 10000ns"]),
        ("duration>=10us", &["Duration AtLeast 10000ns"]),
        ("duration<2m", &["Duration Less 120000000000ns"]),
        ("duration<=1h", &["Duration AtMost 3600000000000ns"]),
        ("duration=\"5ns\"", &["Duration Equal 5ns"]),
        ("error=true", &["Error Equal true"]),
        ("error=false", &["Error Equal false"]),
        ("-error=true", &["not Error Equal true"]),
        ("kind=Server", &["Kind Equal <server>"]),
        ("span.kind=client", &["Kind Equal <client>"]),
        ("status!=ok", &["Status NotEqual <ok>"]),
        ("http.status_code=500", &["attribute http.status_code Equal <500>"]),
        ("http.status_code=\"500\"", &["attribute http.status_code Equal text<500>"]),
        ("http.status_code>=500", &["attribute http.status_code AtLeast <500>"]),
        ("ratio<-0.5", &["attribute ratio Less <-0.5>"]),
        ("a/b-c.d_e%f=x", &["attribute a/b-c.d_e%f Equal <x>"]),
        ("\"db.statement\"=x", &["exactly db.statement Equal <x>"]),
        ("\"a b\":\"c \\\" \\\\ \\d\"", &["exactly a b Contains text<c \" \\ \\d>"]),
        ("@operation=x", &["attribute operation Equal <x>"]),
        ("@span.x=y", &["attribute span.x Equal <y>"]),
        ("db.statement:SELECT*orders", &["attribute db.statement Contains <SELECT*orders>"]),
        ("-http.route=/health", &["not attribute http.route Equal </health>"]),
        ("http.route=/patients/{id}", &["attribute http.route Equal </patients/{id}>"]),
        ("key=a=b:c", &["attribute key Equal <a=b:c>"]),
        ("key=\"\"", &["attribute key Equal text<>"]),
        ("key:*", &["attribute key Contains <*>"]),
        ("timeout checkout", &["Text Contains <timeout>", "Text Contains <checkout>"]),
        ("-\"from orders\"", &["not Text Contains text<from orders>"]),
        ("http://host/x", &["Text Contains <http://host/x>"]),
        (
            "wow! or @home a-b foo(x)",
            &[
                "Text Contains <wow!>",
                "Text Contains <or>",
                "Text Contains <@home>",
                "Text Contains <a-b>",
                "Text Contains <foo(x)>",
            ],
        ),
        ("5B8EFFF798038103D269B633813FC60C", &["TraceId Equal <5b8efff798038103d269b633813fc60c>"]),
        ("trace_id!=abc", &["TraceId NotEqual <00000000000000000000000000000abc>"]),
    ];
    for (text, expected) in cases {
        assert_eq!(read(text), expected, "{text}");
    }
}

/// Texts that are no filters: the column of the fault, and what is said of it.
const FAULTS: [(&str, usize, &str); 111] = [
    ("ü service=", 10, "text, in quotes"),
    ("http.route=", 11, "a value: a number"),
    ("http.route=~", 12, "a regular expression"),
    ("a>", 2, "a number"),
    ("kind=", 5, "one of unspecified, internal, server"),
    ("kind=foo", 5, "one of unspecified, internal, server"),
    ("status=foo", 7, "one of ok, error, unset"),
    ("error=", 6, "true or false"),
    ("minDuration=", 12, "a duration"),
    ("since=", 6, "how long ago"),
    ("{ kind = foo }", 9, "a kind: unspecified, internal, server"),
    ("{ status = }", 11, "a status: ok, error or unset"),
    ("{ duration > }", 13, "a number or a duration"),
    ("{ name = }", 9, "text"),
    ("service= pay", 8, "text"),
    ("key=>5", 4, "begins like a comparison"),
    ("=x", 0, "a name"),
    (":x", 0, "a name"),
    ("a!:x", 0, "a name"),
    ("- x", 1, "exclude"),
    ("--x", 1, "exclude"),
    ("\"abc", 4, "closing quote"),
    ("\"abc\"d", 5, "a space or a comparison"),
    ("a=\"b\"c", 5, "a space"),
    ("minDuration=100", 12, "unit"),
    ("minDuration>1s", 11, "`=`"),
    ("duration:1s", 8, "`>`"),
    ("service>pay", 7, "`=`"),
    ("error=yes", 6, "true or false"),
    ("error:true", 5, "`=`"),
    ("kind=servant", 5, "one of"),
    ("status:err", 6, "`=`"),
    ("trace_id=xyz", 9, "hex"),
    ("a>b", 2, "a number"),
    ("a>\"5\"", 2, "a number"),
    ("a OR", 4, "a term"),
    ("OR a", 0, "a term"),
    (" || a", 1, "a term"),
    ("a AND AND b", 6, "a term before"),
    ("NOT", 3, "what to exclude"),
    ("! a", 1, "exclude"),
    ("(a b", 4, "`)` for the `(` at column 1"),
    ("()", 1, "a term"),
    ("a )", 2, "opening `(`"),
    ("a }", 2, "`{`"),
    ("a | count()", 11, "a comparison"),
    ("| count() > 1", 0, "a filter before"),
    ("{} | rate()", 5, "`rate()`, metrics over time, is not supported"),
    ("{} | quantile_over_time(duration, .9)", 5, "`quantile_over_time()`"),
    ("{} | compare({status=error})", 5, "`compare()`"),
    ("{} | rate() | topk(5)", 5, "`rate()`"),
    ("{} | topk(5)", 5, "`topk()`"),
    ("{} | frobnicate(5)", 5, "a stage: by()"),
    ("{} | duration > 5s", 5, "only within"),
    ("{} | avg(span.a)", 16, "a comparison"),
    ("{} | avg(name) > 1", 9, "a number"),
    ("{} | by(span.a", 14, "`,` or `)`"),
    ("{} x | {} | 5", 12, "a stage"),
    ("a=~b(", 5, "quotes around"),
    ("a=~\"b(\"", 3, "regular expression"),
    ("a=~*", 3, "regular expression"),
    ("root.=x", 5, "a name"),
    ("root.any.x=1", 0, "one relation only"),
    ("resource.=x", 0, "the name of an attribute"),
    ("span.\"a b\" c", 10, "a comparison"),
    ("span:duration", 13, "a comparison"),
    ("span:duration:5s", 13, "`>`"),
    ("traceDuration>1", 14, "unit"),
    ("lookback=yesterday", 9, "unit"),
    ("since=yesterday", 6, "how long ago"),
    ("limit=0", 6, "from 1"),
    ("limit>5", 5, "`=`"),
    ("-limit=5", 1, "cannot be excluded"),
    ("(limit=5 a)", 1, "beside the whole filter"),
    ("a OR limit=5", 5, "beside the whole filter"),
    ("-{ .a = 1 }", 1, "no `{` after a negation"),
    ("-(a { .a = 1 })", 1, "no `{` after a negation"),
    ("{ span.a = 1", 12, "`}` for the `{` at column 1"),
    ("{ span. = 1 }", 7, "the name of an attribute"),
    ("{ foo = 1 }", 2, "`foo` is neither"),
    ("{ span.a = foo }", 11, "`foo` is neither"),
    ("{ span.a = }", 11, "a value"),
    ("{ [1] = span.a }", 2, "a list of values stands after"),
    ("{ span.a > [1] }", 9, "before a list"),
    ("{ span.a + 1 = [1] }", 13, "a field before"),
    ("{ span.a = [] }", 12, "a value"),
    ("{ span.a = [1, span.b] }", 15, "a value as it is"),
    ("{ span.a = [1; 2] }", 13, "`,` or `]`"),
    ("{ span.a IN 5 }", 12, "a list of values"),
    ("{ kind = [server, \"x\"] }", 18, "consumer; this is text"),
    ("{ name =~ [\"(\"] }", 11, "regular expression"),
    ("{ span.a = 1 } >> x", 18, "`{` or `(`"),
    ("{ span.a = 1 } >> (x)", 18, "`{ }` on both sides"),
    ("(x) >> { span.a = 1 }", 4, "`{ }` on both sides"),
    ("{ status = 5 }", 11, "a status: ok, error or unset; this is a number"),
    ("{ status > error }", 9, "no order"),
    ("{ kind =~ \"a\" }", 7, "has no text"),
    ("{ span.a = ok }", 11, "compares only with"),
    ("{ duration = \"x\" }", 13, "a number or a duration; this is text"),
    ("{ duration = nil }", 13, "only attributes"),
    ("{ span.a > nil }", 9, "`= nil`"),
    ("{ name =~ span.a }", 10, "in quotes"),
    ("{ name =~ \"(\" }", 10, "regular expression"),
    ("{ name + 1 > 2 }", 2, "a number or a duration; this is text"),
    ("{ duration }", 2, "a condition"),
    ("{ count() > 2 }", 2, "after `|`"),
    ("{ trace:id = \"xyz\" }", 13, "hex"),
    ("{ 99999999999999999999 = .a }", 2, "64 bits"),
    ("{ 5x = .a }", 2, "a number, or a duration"),
    ("{} with(", 8, "`name=value`"),
    ("{} with(a=b)", 10, "true, false"),
];

#[test]
fn faults_are_named_at_their_column() {
    for (text, column, part) in FAULTS {
        let ParseError { column: at, expected } = parse(text).expect_err(text);
        assert!(at == column && expected.contains(part), "{text}: column {at}: {expected}");
    }
}

#[test]
fn parts_know_their_place_and_can_be_taken_away() {
    let text = "ä -service=\"a b\"  x {.a = 1} >> {} | by(.b) | count() > 2";
    let query = parse(text).unwrap();
    let places: Vec<_> = (0..query.parts()).map(|part| query.part_at(part).unwrap()).collect();
    let parts: Vec<_> = places.into_iter().map(|(from, to)| text.get(from..to).unwrap()).collect();
    assert_eq!(parts, ["ä", "-service=\"a b\"", "x", "{.a = 1} >> {}", "by(.b)", "count() > 2"]);
    let left = |part| query.without(part).text;
    assert_eq!(left(0), "-service=\"a b\" x { .a = 1 } >> {} | by(.b) | count() > 2");
    assert_eq!(left(3), "ä -service=\"a b\" x | by(.b) | count() > 2");
    assert_eq!(left(5), "ä -service=\"a b\" x { .a = 1 } >> {} | by(.b)");
    assert_eq!(parse("{ .a = 1 } | count() > 2").unwrap().without(0).text, "{} | count() > 2");
    assert_eq!(parse("a OR b").unwrap().without(0).text, "");
}

#[test]
fn a_term_is_added_once_and_beside_all_that_is_there() {
    let term = parse("service=pay").unwrap().terms.remove(0).says;
    let added = |text: &str| parse(text).unwrap().with(term.clone()).text;
    assert_eq!(added(""), "service=pay");
    assert_eq!(added("service=pay x"), "service=pay x");
    assert_eq!(added("a OR b"), "(a OR b) service=pay");
    assert_eq!(added("{ .a = 1 } | count() > 2"), "{ .a = 1 } service=pay | count() > 2");
}

/// Filters and how they are printed: in one way, whatever they were typed like.
#[test]
fn filters_are_printed_in_one_way() {
    let cases = [
        ("a && b||c AND(d)", "a b OR c d"),
        ("!a NOT b -(c OR d)", "-a -b -(c OR d)"),
        ("(a OR b) c", "(a OR b) c"),
        ("((a))", "a"),
        ("minDuration=1500ms", "duration>=1500ms"),
        ("span.kind=SERVER", "kind=server"),
        ("parent.service=x root.@service=y any.\"a b\"=z", "parent.service=x root.@service=y any.\"a b\"=z"),
        ("scope.library=x span.a=1", "instrumentation.library=x span.a=1"),
        ("span:duration>1s span:status=ok", "duration>1s status=ok"),
        ("trace:rootName=~a.* event:name=x", "rootName=~a.* event:name=x"),
        ("lookback=90m since=2026-11-21T08:30:00Z limit=5", "lookback=90m since=2026-11-21T08:30:00Z limit=5"),
        ("1-5759e988-bd862e3fe1be46a994272793", "5759e988bd862e3fe1be46a994272793"),
        // As some servers show it, without the zeros that it begins with.
        ("26df137877eea39e0679d3e1def488a", "026df137877eea39e0679d3e1def488a"),
        ("00-5b8efff798038103d269b633813fc60c-eee19b7ec3c1b174-01", "5b8efff798038103d269b633813fc60c"),
        ("EEE19B7EC3C1B174", "eee19b7ec3c1b174"),
        ("{}", "{}"),
        ("{span.a=1&&.b!=nil||!(name=`x`)}", "{ span.a = 1 && .b != nil || !(name = \"x\") }"),
        ("{ 1+2*-3 ^ 2 = duration % 5ms - .a }", "{ 1 + 2 * (-3 ^ 2) = duration % 5ms - .a }"),
        ("{ span:name = \"x\" && trace:rootService =~ \"y\" }", "{ name = \"x\" && rootServiceName =~ \"y\" }"),
        (
            "{ parent = nil && parent.a = 1 && parent.resource.b = 2 }",
            "{ span:parentID = nil && parent.a = 1 && parent.resource.b = 2 }",
        ),
        ("{ span.\"a b\" = 1.50 && .\"c\" = 1e3 }", "{ span.\"a b\" = 1.5 && .\"c\" = 1000.0 }"),
        ("{}>>{}!>{}&<<({}&&{})", "{} >> {} !> {} &<< ({} {})"),
        ("{} > ({} > {})", "{} > ({} > {})"),
        ("({} | count() > 1) || {}", "({} | count() > 1) OR {}"),
        ("{ .a=[1, \"x\"] }", "{ .a = 1 || .a = \"x\" }"),
        ("{ .a IN[-1.5,2s]&&.b }", "{ (.a = -1.5 || .a = 2s) && .b }"),
        ("{ kind NOT  IN [server, client] }", "{ kind != server && kind != client }"),
        ("{ name !~ [`a.*`] || name =~ [\"b\", \"c\"] }", "{ name !~ \"a.*\" || (name =~ \"b\" || name =~ \"c\") }"),
        ("{}|by( .a , name )|coalesce()|select(.b)|{ .c }", "{} | by(.a, name) | coalesce() | select(.b) | { .c }"),
        ("{} | avg(duration)*2 >= max(.a)", "{} | avg(duration) * 2 >= max(.a)"),
        ("{} with ( most_recent = true,sample=0.1 )", "{} with(most_recent=true, sample=0.1)"),
    ];
    for (text, expected) in cases {
        let query = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(query.to_string(), expected, "{text}");
        assert_eq!(parse(expected), Ok(query), "{text}");
    }
}

#[test]
fn trees_of_any_depth_are_refused_and_not_followed() {
    for part in ["(", "{", "-(", "!", "NOT ", "{ (", "{ !", "{ -", "{} >> (", "{ 1 ^ ", "{ 1 + ", "{} >> ", "{} | ("] {
        for text in [part.repeat(100_000), format!("{}a", part.repeat(100_000))] {
            assert!(parse(&text).is_err(), "{part}");
        }
    }
    for text in [
        format!("{{ 1 {} > 2 }}", "+ 1 ".repeat(100_000)),
        format!("{{}} {}", ">> {}".repeat(100_000)),
        format!("{{ .a {} }}", "= .a ".repeat(100_000)),
    ] {
        assert!(parse(&text).unwrap_err().expected.contains("no more than"));
    }
    // What is joined by AND and OR is as long as it likes.
    assert!(parse(&format!("{{ .a {} }}", "&& .a ".repeat(10_000))).is_ok());
    assert!(parse(&format!("a {}", "OR a ".repeat(10_000))).is_ok());
}

/// Printed with its value in quotes it said something else: text only, no wildcards.
#[test]
fn a_value_of_two_slashes_after_a_quoted_key_is_printed_as_typed() {
    for text in [
        "\"db.statement\"://h",
        "\"a\"://x*",
        "\"a\":\"//x\"",
        "event:name://x",
        "operation:\"//x\"",
        "span:name://x",
        "root.span:statusMessage://x",
    ] {
        assert_eq!(parse(text).unwrap().to_string(), text);
    }
}

#[test]
fn keys_and_values_are_quoted_where_they_must_be() {
    let keys = [
        ("http.route", "http.route"),
        ("service", "@service"),
        ("span.x", "@span.x"),
        ("a b", "\"a b\""),
        ("a=b", "\"a=b\""),
        ("", "\"\""),
        ("-a", "@-a"),
        ("@a", "@@a"),
        ("a\"b\\", "a\"b\\"),
        ("(x)", "@(x)"),
    ];
    for (key, expected) in keys {
        assert_eq!(key_text(key), expected);
    }
    let values =
        [("a", "a"), ("", "\"\""), ("a b", "\"a b\""), ("=a", "\"=a\""), ("\"a\"", "\"\\\"a\\\"\""), ("a\"", "a\"")];
    for (value, expected) in values {
        assert_eq!(value_text(value), expected);
    }
}

#[test]
fn odd_key_with_scope_is_printed_as_it_was_typed() {
    for text in ["event.a!.b!~x", "event.exception.type!.exception.type!~x", "span.a&b=1", "root.resource.a|b=x"] {
        let query = parse(text).unwrap();
        assert_eq!(query.to_string(), text);
        assert_eq!(parse(&query.to_string()).unwrap(), query);
    }
}

#[test]
fn a_joint_after_a_sign_is_no_word() {
    for text in ["!OR{", "-AND(x", "-OR", "!NOT{ }"] {
        assert!(parse(text).is_err(), "{text}");
    }
    assert_eq!(parse("-ORDER").unwrap().to_string(), "-ORDER");
}

/// After braces or parentheses they were printed as signs between sets.
#[test]
fn a_word_like_a_structural_sign_is_printed_after_and() {
    let cases = [
        ("(a=b c=d) AND &~  NOT e", "(a=b c=d) AND &~ -e"),
        ("{} AND ~x", "{} AND ~x"),
        ("({} AND ~ OR x) y", "({} AND ~ OR x) y"),
        ("{} AND &>5 ~y", "{} AND &>5 ~y"),
        ("{} > {} && ~=x", "{} > {} AND ~=x"),
        ("{} AND with(x)", "{} AND with(x)"),
        ("{} && with (x OR y)", "{} AND with (x OR y)"),
        ("-(a OR b) ~x", "-(a OR b) ~x"),
    ];
    for (text, printed) in cases {
        let query = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(query.to_string(), printed);
        assert_eq!(parse(printed), Ok(query), "{text}");
    }
    for text in ["{} @service:x ~ .:x", "{} x with(y)", "{} x with (y OR z)"] {
        let less = parse(text).unwrap().without(1);
        assert_eq!(parse(&less.text), Ok(less.clone()), "{text}");
    }
}

/// It was printed as a field that is missing its comparison.
#[test]
fn an_attribute_named_like_a_scope_is_marked() {
    for text in ["@span:duration>", "root.@trace:id", "@event:\"name\""] {
        let query = parse(text).unwrap();
        assert_eq!(query.to_string(), text);
        assert_eq!(parse(&query.to_string()), Ok(query));
    }
}

#[test]
fn a_list_is_as_long_as_it_may_be() {
    let list = |length| format!("{{ .a = [{}] }}", vec!["1"; length].join(","));
    assert!(parse(&list(200)).is_ok());
    assert!(parse(&list(201)).unwrap_err().expected.contains("no more than 200"));
}

/// Alone it was printed as a count of spans.
#[test]
fn an_attribute_named_like_a_count_is_marked() {
    for (text, printed) in [("x count()>5", "@count()>5"), ("x maxInt^count()>5", "@maxInt^count()>5")] {
        let less = parse(text).unwrap().without(0);
        assert_eq!(less.text, printed);
        assert_eq!(parse(printed), Ok(less));
    }
    let query = parse("(min(.a)) -5>3 | count() > 1").unwrap();
    assert_eq!(query.to_string(), query.text);
    let less = parse("a min(.a) -5>3").unwrap().without(0);
    assert_eq!((less.text.as_str(), less.part_at(1)), ("(min(.a)) -5>3", Some((10, 14))));
    assert_eq!(parse(&less.text), Ok(less));
}
