//! The language as tables, and its laws.

use proptest::prelude::*;

use crate::model::Nanos;
use crate::query::{Comparison, Field, Literal, ParseError, Query, Term, key_text, parse, value_text};

/// What a filter without one of its terms' places says: `field sign value`, one term each.
fn read(text: &str) -> Vec<String> {
    let word = |term: &Term| {
        let value = match &term.value {
            Literal::Text { text, quoted: true } => format!("text<{text}>"),
            Literal::Text { text, quoted: false } => format!("<{text}>"),
            Literal::Duration(duration) => format!("{}ns", duration.0),
            Literal::Bool(value) => value.to_string(),
        };
        let field = match &term.field {
            Field::Attribute { key, exact: true } => format!("exactly {key}"),
            Field::Attribute { key, exact: false } => format!("attribute {key}"),
            other => format!("{other:?}"),
        };
        format!("{}{field} {:?} {value}", if term.negated { "not " } else { "" }, term.comparison)
    };
    parse(text).unwrap_or_else(|error| panic!("{text}: {error}")).terms.iter().map(word).collect()
}

#[test]
fn filters_are_read() {
    let cases: [(&str, &[&str]); 40] = [
        ("", &[]),
        ("   \t\n", &[]),
        ("service=pay", &["Service Equal <pay>"]),
        ("service!=pay", &["Service NotEqual <pay>"]),
        ("service:PAY*", &["Service Contains <PAY*>"]),
        ("operation=\"GET /x\"", &["Operation Equal text<GET /x>"]),
        ("name=GET", &["Operation Equal <GET>"]),
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

#[test]
fn faults_are_named_at_their_column() {
    let cases = [
        ("ü service=", 10, "a value"),
        ("service= pay", 8, "a value"),
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
        ("a OR b", 2, "`OR`"),
        ("a AND b", 2, "`AND`"),
        ("NOT a", 0, "`NOT`"),
        ("(a b)", 0, "parentheses"),
        ("-(a b)", 1, "parentheses"),
        ("a )", 2, "parentheses"),
        ("{ span.a = 1 }", 0, "TraceQL"),
        ("a | count()", 2, "pipelines"),
        ("a || b", 2, "`||`"),
        ("a && b", 2, "`&&`"),
        ("!a", 0, "`!`"),
        ("a=~b.*", 1, "regular expressions"),
        ("a!~b", 1, "regular expressions"),
        ("root.http.route=/x", 0, "`root.`"),
        ("resource.service.name=x", 0, "`resource.`"),
        ("traceDuration>1s", 0, "`traceDuration`"),
        ("lookback=1h", 0, "`lookback`"),
        ("limit=5", 0, "`limit`"),
        ("span:duration>5s", 0, "`span:duration`"),
    ];
    for (text, column, part) in cases {
        let ParseError { column: at, expected } = parse(text).expect_err(text);
        assert!(at == column && expected.contains(part), "{text}: column {at}: {expected}");
    }
}

#[test]
fn terms_know_their_place() {
    let text = "ä -service=\"a b\"  x";
    let query = parse(text).unwrap();
    let places: Vec<_> = query.terms.iter().map(|term| text.get(term.at.0..term.at.1).unwrap()).collect();
    assert_eq!(places, ["ä", "-service=\"a b\"", "x"]);
}

/// Printed with its value in quotes it said something else: text only, no wildcards.
#[test]
fn a_value_of_two_slashes_after_a_quoted_key_is_printed_as_typed() {
    for text in ["\"db.statement\"://h", "\"a\"://x*", "\"a\":\"//x\""] {
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

fn some_text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z.]{1,6}", "\\PC{0,8}", "[\"\\\\ @=<>!~:(){}|&*-]{0,5}[a-z]{0,2}", Just("OR".to_owned())]
}

fn term() -> impl Strategy<Value = Term> {
    let text = || (some_text(), any::<bool>()).prop_map(|(text, quoted)| Literal::Text { text, quoted });
    let names = |names: &'static [&'static str]| {
        prop::sample::select(names).prop_map(|name: &str| Literal::Text { text: name.to_owned(), quoted: false })
    };
    let equality = || prop::sample::select(&[Comparison::Equal, Comparison::NotEqual][..]);
    let textual = || prop::sample::select(&[Comparison::Equal, Comparison::NotEqual, Comparison::Contains][..]);
    let ordered =
        || prop::sample::select(&[Comparison::AtLeast, Comparison::AtMost, Comparison::More, Comparison::Less][..]);
    let key = || (some_text(), any::<bool>()).prop_map(|(key, exact)| Field::Attribute { key, exact });
    let duration = any::<u64>().prop_map(|nanos| Literal::Duration(Nanos(nanos)));
    let number = any::<i64>().prop_map(|number| Literal::Text { text: number.to_string(), quoted: false });
    let id = "[1-9a-f]{32}".prop_map(|text| Literal::Text { text, quoted: false });
    let condition = prop_oneof![
        (Just(Field::Service), textual(), text()),
        (Just(Field::Operation), textual(), text()),
        (Just(Field::Duration), prop_oneof![ordered(), equality()], duration),
        (Just(Field::Error), equality(), any::<bool>().prop_map(Literal::Bool)),
        (Just(Field::Kind), equality(), names(&["server", "unspecified"])),
        (Just(Field::Status), equality(), names(&["ok", "unset"])),
        (Just(Field::TraceId), equality(), id),
        (key(), textual(), text()),
        (key(), ordered(), number),
        (Just(Field::Text), Just(Comparison::Contains), text()),
    ];
    (any::<bool>(), condition).prop_map(|(negated, (field, comparison, value))| Term {
        negated,
        field,
        comparison,
        value,
        at: (0, 0),
    })
}

/// Whether text without quotes can be typed so: otherwise there is no such filter to print.
fn can_be_typed(term: &Term) -> bool {
    let word = Query::of(vec![term.clone()]).text;
    let key = !matches!(&term.field, Field::Attribute { key, exact: false } if key_text(key).starts_with('"'));
    let value = match &term.value {
        Literal::Text { text, quoted: false } if text.starts_with("//") => false,
        Literal::Text { text, quoted: false } if term.field != Field::Text => !value_text(text).starts_with('"'),
        Literal::Text { quoted: false, .. } => !word.trim_start_matches('-').starts_with('"'),
        _ => true,
    };
    key && value
}

proptest! {
    #[test]
    fn what_is_printed_reads_as_the_same(terms in prop::collection::vec(term(), 0..5)) {
        let terms: Vec<Term> = terms.into_iter().filter(can_be_typed).collect();
        let query = Query::of(terms);
        prop_assert_eq!(query.to_string(), query.text.clone());
        prop_assert_eq!(parse(&query.text), Ok(query));
    }

    #[test]
    fn any_text_is_read_or_refused_at_a_place_in_it(text in prop_oneof!["\\PC{0,40}", "[a-c\"\\\\ @=<>!~:(){}|&*.-]{0,40}"]) {
        match parse(&text) {
            Ok(query) => {
                let again = parse(&query.to_string()).unwrap();
                prop_assert_eq!(again.terms.len(), query.terms.len());
                prop_assert!(again.terms.iter().zip(&query.terms).all(|(one, other)| one.says_as(other)));
            }
            Err(error) => prop_assert!(error.column <= text.chars().count()),
        }
    }
}

#[test]
fn long_texts_are_read_in_linear_time() {
    for part in ["a ", "\"a\" ", "a=b ", "-a:\"b\\\\\" ", "!", "\\", "\"\\\"", "a!", ":", "é"] {
        let text = part.repeat(200_000);
        let _ = parse(&text);
    }
}
