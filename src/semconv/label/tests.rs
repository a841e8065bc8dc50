//! Labels of spans as real senders describe them.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::*;

type Case = (&'static str, Kind, &'static [(&'static str, &'static str)], Category, Option<&'static str>, &'static str);

fn label(name: &str, kind: Kind, attributes: &[(&str, &str)]) -> Label {
    describe(name, kind, &|key| {
        assert!(is_asked(key), "{key} is asked for and not in is_asked");
        attributes.iter().find(|(name, _)| *name == key).map(|(_, value)| Cow::Owned((*value).to_owned()))
    })
}

fn check(cases: &[Case]) {
    for (name, kind, attributes, category, text, remark) in cases {
        let found = label(name, *kind, attributes);
        let expected = Label { category: *category, text: text.map(str::to_owned), remark: (*remark).to_owned() };
        assert_eq!(found, expected, "{name} {attributes:?}");
    }
}

#[test]
fn database_spans_show_their_statement() {
    check(&[
        (
            "SELECT hmis",
            Kind::CLIENT,
            &[
                ("db.system", "postgresql"),
                ("db.statement", "SELECT id, name\n  FROM patients -- all\n WHERE id = %(d)s "),
                ("db.operation", "SELECT hmis"),
            ],
            Category::Sql,
            Some("SELECT id, name FROM patients /* all */ WHERE id = %(d)s"),
            "",
        ),
        (
            "pg.query:SELECT recipe",
            Kind::CLIENT,
            &[
                ("db.system.name", "postgresql"),
                ("db.query.text", "COMMIT"),
                ("db.namespace", "recipe"),
                ("db.response.returned_rows", "17"),
            ],
            Category::Sql,
            Some("COMMIT"),
            "17 rows",
        ),
        (
            "both conventions",
            Kind::CLIENT,
            &[("db.system", "h2"), ("db.query.text", "SELECT ?"), ("db.statement", "SELECT 1")],
            Category::Sql,
            Some("SELECT ?"),
            "",
        ),
        (
            "empty",
            Kind::CLIENT,
            &[("db.system.name", "mysql"), ("db.query.text", ""), ("db.query.summary", "SELECT orders")],
            Category::Sql,
            Some("SELECT orders"),
            "",
        ),
        ("sql.conn.reset_session", Kind::CLIENT, &[("db.system.name", "postgresql")], Category::Sql, None, ""),
        (
            "SELECT linesdb",
            Kind::CLIENT,
            &[("db.system", "mysql"), ("db.operation", "SELECT")],
            Category::Sql,
            None,
            "",
        ),
        ("q", Kind::CLIENT, &[("db.statement", "SELECT 1")], Category::Sql, Some("SELECT 1"), ""),
        ("q", Kind::CLIENT, &[("db.system", "newdb")], Category::Database, None, ""),
    ]);
}

#[test]
fn other_stores_show_their_command() {
    check(&[
        (
            "GET",
            Kind::CLIENT,
            &[("db.statement", "GET patient:9999999"), ("db.system", "redis"), ("db.redis.database_index", "0")],
            Category::Database,
            Some("redis GET patient:9999999"),
            "",
        ),
        (
            "redis.pipeline client",
            Kind::CLIENT,
            &[("db.statement", "client setinfo LIB-NAME x\nclient setinfo LIB-VER 9"), ("db.system", "redis")],
            Category::Database,
            Some("redis client setinfo LIB-NAME x client setinfo LIB-VER 9"),
            "",
        ),
        (
            "insert reviews",
            Kind::CLIENT,
            &[
                ("db.system.name", "mongodb"),
                ("db.operation.name", "insert"),
                ("db.collection.name", "reviews"),
                ("db.query.text", "{\"insert\":\"?\"}"),
            ],
            Category::Database,
            Some("insert reviews {\"insert\":\"?\"}"),
            "",
        ),
        (
            "mongoose.Review.find",
            Kind::CLIENT,
            &[("db.system", "mongodb"), ("db.operation", "find"), ("db.mongodb.collection", "reviews")],
            Category::Database,
            Some("find reviews"),
            "",
        ),
    ]);
}

#[test]
fn served_http_spans_show_method_and_route() {
    check(&[
        (
            "GET /api/v1/patients/{pid}",
            Kind::SERVER,
            &[
                ("http.method", "GET"),
                ("http.target", "/api/v1/patients/1?x=1"),
                ("http.route", "/api/v1/patients/{pid}"),
                ("http.status_code", "200"),
            ],
            Category::Http,
            Some("GET /api/v1/patients/{pid}"),
            "200",
        ),
        (
            "GET /orders/{id}",
            Kind::SERVER,
            &[("http.request.method", "GET"), ("url.path", "/orders/1"), ("http.response.status_code", "503")],
            Category::Http,
            None,
            "503",
        ),
        (
            "GET",
            Kind::SERVER,
            &[("http.request.method", "GET"), ("url.path", "/panic")],
            Category::Http,
            Some("GET /panic"),
            "",
        ),
    ]);
}

#[test]
fn http_calls_show_where_they_went() {
    check(&[
        (
            "GET",
            Kind::CLIENT,
            &[
                ("http.method", "GET"),
                ("http.url", "http://127.0.0.1:8102/policies/1?a=b"),
                ("http.status_code", "200"),
            ],
            Category::Http,
            Some("GET 127.0.0.1:8102/policies/1"),
            "200",
        ),
        (
            "POST",
            Kind::CLIENT,
            &[("http.request.method", "POST"), ("url.full", "https://u:p@h/a"), ("url.template", "/{x}")],
            Category::Http,
            Some("POST h/{x}"),
            "",
        ),
        (
            "GET",
            Kind::CLIENT,
            &[("http.method", "GET"), ("net.peer.name", "pay"), ("http.target", "/charge?id=1")],
            Category::Http,
            Some("GET pay/charge"),
            "",
        ),
        ("fetch", Kind::CLIENT, &[("url.full", "http://h/x")], Category::Http, Some("h/x"), ""),
        ("HTTP", Kind::SERVER, &[("http.request.method", "_OTHER")], Category::Http, None, ""),
        (
            "HTTP",
            Kind::SERVER,
            &[("http.request.method", "_OTHER"), ("http.request.method_original", "BREW"), ("http.route", "/pot")],
            Category::Http,
            Some("BREW /pot"),
            "",
        ),
    ]);
}

#[test]
fn middleware_and_asgi_spans_keep_their_name() {
    check(&[
        ("request handler - /", Kind::INTERNAL, &[("http.route", "/")], Category::Other, None, ""),
        ("GET /x http send", Kind::INTERNAL, &[("http.status_code", "200")], Category::Other, None, ""),
        ("smtp send", Kind::CLIENT, &[("server.address", "mail.internal")], Category::Other, None, ""),
        ("auth_middleware", Kind::INTERNAL, &[], Category::Other, None, ""),
    ]);
}

#[test]
fn messages_and_calls_show_where_they_go() {
    check(&[
        (
            "recipe.created publish",
            Kind::PRODUCER,
            &[
                ("messaging.system", "kafka"),
                ("messaging.destination.name", "orders"),
                ("messaging.operation.type", "send"),
            ],
            Category::Messaging,
            Some("send orders"),
            "",
        ),
        (
            "queue publish",
            Kind::PRODUCER,
            &[("messaging.system", "kafka"), ("messaging.destination.name", "orders")],
            Category::Messaging,
            Some("send orders"),
            "",
        ),
        (
            "orders publish",
            Kind::PRODUCER,
            &[("messaging.system", "kafka"), ("messaging.destination", "orders"), ("messaging.operation", "publish")],
            Category::Messaging,
            Some("send orders"),
            "",
        ),
        ("queue process", Kind::CONSUMER, &[("messaging.system", "in_process")], Category::Messaging, None, ""),
        (
            "Get",
            Kind::CLIENT,
            &[
                ("rpc.system", "grpc"),
                ("rpc.service", "shop.Cart"),
                ("rpc.method", "Get"),
                ("rpc.grpc.status_code", "14"),
            ],
            Category::Rpc,
            Some("shop.Cart/Get"),
            "UNAVAILABLE",
        ),
        (
            "x",
            Kind::SERVER,
            &[("rpc.system.name", "grpc"), ("rpc.method", "shop.Cart/Get"), ("rpc.response.status_code", "OK")],
            Category::Rpc,
            Some("shop.Cart/Get"),
            "",
        ),
        (
            "DynamoDB.GetItem",
            Kind::CLIENT,
            &[("rpc.system", "aws-api"), ("db.system", "dynamodb"), ("db.operation", "GetItem")],
            Category::Database,
            None,
            "",
        ),
    ]);
}

#[test]
fn a_megabyte_of_statement_is_cut_on_a_character() {
    for statement in ["é ".repeat(500_000), "é".repeat(500_000), format!("SELECT {}", "日本".repeat(5_000))] {
        let text = label("q", Kind::CLIENT, &[("db.statement", &statement)]).text.unwrap();
        assert!(text.len() <= MAX_LABEL && text.len() > MAX_LABEL - 8 && text.ends_with('…'), "{}", text.len());
    }
}

#[test]
fn is_asked_names_no_key_that_is_never_asked() {
    let asked = RefCell::new(BTreeSet::new());
    for kind in [Kind::CLIENT, Kind::SERVER] {
        for present in ["db.system", "messaging.system", "rpc.system", "http.method", "url.full", "none"] {
            for value in ["x", "_OTHER", "{", "mongodb"] {
                for statement in [false, true] {
                    let _ = describe("name", kind, &|key| {
                        asked.borrow_mut().insert(key.to_owned());
                        let found = key == present || (statement && key == "db.statement");
                        found.then_some(Cow::Borrowed(value))
                    });
                }
            }
        }
    }
    assert!(asked.borrow().iter().all(|key| is_asked(key)));
    let source = include_str!("mod.rs").split("fn is_asked").nth(1).and_then(|rest| rest.split("\n}").next());
    let listed = source.unwrap().split('"').skip(1).step_by(2).filter(|key| key.contains('.'));
    for key in listed {
        assert!(asked.borrow().contains(key), "{key} is never asked");
    }
}
