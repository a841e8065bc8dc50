use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

/// The shared vectors of OpenTelemetry's semantic conventions (`db-sql-test-cases.json`, Apache-2.0).
const VECTORS: &str = include_str!("../../../tests/fixtures/semconv/db-sql-test-cases.json");

#[test]
fn the_shared_vectors_of_the_semantic_conventions_hold() {
    let vectors: Vec<serde_json::Value> = serde_json::from_str(VECTORS).unwrap();
    assert_eq!(vectors.len(), 24);
    let mut wrong = String::new();
    for vector in vectors {
        let query = vector["input"]["query"].as_str().unwrap();
        let (text, summary) = (sanitise(query), query_summary(query));
        let texts = vector["expected"]["db.query.text"].as_array().unwrap();
        if !texts.iter().any(|one| *one == *text) || vector["expected"]["db.query.summary"] != *summary {
            writeln!(wrong, "{}: {text:?}, {summary:?}", vector["name"]).unwrap();
        }
    }
    assert_eq!(wrong, "");
}

#[test]
fn values_become_question_marks_and_names_stay() {
    let cases = [
        ("SELECT * FROM t WHERE id = 17", "SELECT * FROM t WHERE id = ?"),
        ("SELECT 'it''s' , 'a\\'b', 1.5e9 FROM t2", "SELECT ? , ?, ? FROM t2"),
        ("SELECT \"col1\" FROM t WHERE a=$1 AND b=:2 AND c=@3", "SELECT \"col1\" FROM t WHERE a=? AND b=? AND c=?"),
        ("SELECT 'cut o", "SELECT ?"),
        ("SELECT 'cut \\", "SELECT ?"),
        ("SELECT a FROM t WHERE b = 'cut o…", "SELECT a FROM t WHERE b = ?"),
        ("SELECT a FROM t WHERE b = 1 AND lo…", "SELECT a FROM t WHERE b = ? AND lo…"),
        ("INSERT INTO größe1 VALUES ('ü', é2, 3ü), 4", "INSERT INTO größe1 VALUES (?, é2, ?), ?"),
        ("", ""),
        ("a = ?1 AND b = :name AND c = @p1 AND d = %s AND e = %(id)s", "a = ? AND b = ? AND c = ? AND d = ? AND e = ?"),
        ("EXEC sp_find @id = 5, @@rowcount", "EXEC sp_find @id = ?, @@rowcount"),
        ("SELECT a::int, b%s, t.a-1, x[1], d ->> 'k'", "SELECT a::int, b%s, t.a-?, x[?], d ->> ?"),
        ("SELECT $$it's$$, $f$ $$ $f$, E'a\\'b', N'n', X'ff', U&'d', 0xFF", "SELECT ?, ?, ?, ?, ?, ?, ?"),
        ("SELECT [a 1], dbo.[b 2] FROM [t 3]", "SELECT [a 1], dbo.[b 2] FROM [t 3]"),
        ("SELECT `a 1` FROM `t` WHERE b = \"v\" AND c > \"w\"", "SELECT `a 1` FROM `t` WHERE b = ? AND c > ?"),
        (
            "SELECT a FROM t WHERE n = \"bob\" AND \"t\".\"x\" = \"u\".\"y\"",
            "SELECT a FROM t WHERE n = ? AND \"t\".\"x\" = \"u\".\"y\"",
        ),
        ("SELECT a FROM t WHERE path = 'C:\\' AND b = 1", "SELECT a FROM t WHERE path = ? AND b = ?"),
    ];
    for (label, expected) in cases {
        assert_eq!(normalise(Category::Sql, label), expected);
    }
    assert!(matches!(normalise(Category::Sql, "SELECT a FROM t WHERE b = ?"), Cow::Borrowed(_)));
}

#[test]
fn comments_and_spaces_make_no_other_statement() {
    let cases = [
        ("SELECT  a -- it's\n\tFROM t ; ", "SELECT a FROM t"),
        ("/* a /* nested */ 'b */SELECT 1", "SELECT ?"),
        ("/* a /* not nested */ SELECT 1", "SELECT ?"),
        ("SELECT/**/a/*x*//*y*/b", "SELECT a b"),
        (
            "SELECT a FROM t /*traceparent='00-5bd66ef5095369c7b0d1f8f4bd33716a-c532cb4098ac3dd2-01'*/",
            "SELECT a FROM t",
        ),
        ("SELECT a /* cut", "SELECT a"),
    ];
    for (label, expected) in cases {
        assert_eq!(normalise(Category::Sql, label), expected);
    }
}

#[test]
fn lists_of_values_collapse() {
    let cases = [
        ("a IN (1, 2, 3) AND b NOT IN ( $1,$2 )", "a IN (?) AND b NOT IN (?)"),
        ("a IN (NULL, 'x')", "a IN (?)"),
        ("(a, b) IN ((1, 2), (3, 4))", "(a, b) IN ((?, ?))"),
        ("a IN (SELECT b FROM c WHERE d IN (1,2))", "a IN (SELECT b FROM c WHERE d IN (?))"),
        ("a IN (f(1), 2)", "a IN (f(?), ?)"),
        ("a IN ()", "a IN ()"),
        ("[NULL:a", "[NULL:a"),
        ("[NULL--", "[?"),
        ("a IN (1, 2; ;", "a IN (?"),
        ("SELECT 1; SELECT 2;", "SELECT ?; SELECT ?"),
        ("a = ANY(ARRAY[1, 2])", "a = ANY(ARRAY[?])"),
        ("a IN (1, 2, …", "a IN (?…"),
        ("f(1, 2)", "f(?, ?)"),
        (
            "INSERT INTO t (a, b) VALUES (1, 'x'), (2, NULL), (now(), 3) RETURNING id",
            "INSERT INTO t (a, b) VALUES (?, ?) RETURNING id",
        ),
        ("INSERT INTO t VALUES (1, f(2)), (3, …", "INSERT INTO t VALUES (?, f(?))…"),
        (
            "INSERT INTO t VALUES (1) ON DUPLICATE KEY UPDATE a = VALUES(a), b = VALUES(b)",
            "INSERT INTO t VALUES (?) ON DUPLICATE KEY UPDATE a = VALUES(a), b = VALUES(b)",
        ),
    ];
    for (label, expected) in cases {
        assert_eq!(normalise(Category::Sql, label), expected);
    }
}

/// Oracle's other way to quote, and values that Cassandra has without quotes.
#[test]
fn values_that_one_dialect_alone_spells_so_are_values() {
    let id = "9c858901-8a57-4791-81fe-4c455b099bc9";
    let cases = [
        ("SELECT q'[it's]' FROM dual WHERE a = :1".to_owned(), "SELECT ? FROM dual WHERE a = ?"),
        ("SELECT nq'{a}b}', Q'!c'!' FROM dual".to_owned(), "SELECT ?, ? FROM dual"),
        ("SELECT q'[cut o".to_owned(), "SELECT ?"),
        ("SELECT q.a FROM t q WHERE q = 'x'".to_owned(), "SELECT q.a FROM t q WHERE q = ?"),
        (format!("SELECT * FROM ks.t WHERE id = {id}"), "SELECT * FROM ks.t WHERE id = ?"),
        ("SELECT * FROM t WHERE id = e3b0c442-98fc-1c14-9afb-f4c8996fb924;".to_owned(), "SELECT * FROM t WHERE id = ?"),
        ("SELECT deadbeef-1 FROM t".to_owned(), "SELECT deadbeef-? FROM t"),
    ];
    for (label, expected) in cases {
        assert_eq!(normalise(Category::Sql, &label), expected, "{label}");
    }
}

#[test]
fn other_stores_keep_their_own_commands() {
    let cases = [
        ("redis GET patient:9999999", "redis GET patient:?"),
        ("redis GET session:abc123", ""),
        ("redis GET session:0f8c4c2ab3d94e11a6b2", "redis GET session:?"),
        ("redis SET k:9f1c-2 \"v 1\"", "redis SET k:? ?"),
        ("redis MGET a:1 b:2 c:3", "redis MGET a:? ?"),
        ("redis HMSET cart bob 2", "redis HMSET cart ?"),
        ("redis PING", ""),
        ("redis", ""),
        (
            "mongodb find recipes {\"category\": \"soup\", \"rank\": {\"$gt\": -3}}",
            "mongodb find recipes {category: ?, rank: {$gt: ?}}",
        ),
        ("find tags {\"_id\": {\"$in\": [\"a\", \"b\", 3]}, \"a b\": ?}", "find tags {_id: {$in: [?]}, \"a b\": ?}"),
        ("find tags [1, a, -2, b, 3]", "find tags [?, a, b]"),
        ("elasticsearch GET /orders-v2/_doc/1234", "elasticsearch GET /orders-v2/_doc/?"),
        ("MATCH (n:Person {name: 'Ann'}) RETURN n.age", "MATCH (n:Person {name: ?}) RETURN n.age"),
    ];
    for (label, expected) in cases {
        let expected = if expected.is_empty() { label } else { expected };
        assert_eq!(normalise(Category::Database, label), expected);
    }
    assert_eq!(normalise(Category::Http, "GET /orders/17"), "GET /orders/17");
}

#[test]
fn inserts_of_more_documents_are_the_same_command() {
    let insert =
        |documents: &[&str]| format!("insert reviews {{\"documents\":[{}],\"ordered\":true}}", documents.join(","));
    let (plain, other) = ("{\"stars\":5,\"tags\":[\"a\",\"b\"],\"by\":{\"name\":\"x\"}}", "{\"text\":\"t\"}");
    let one = "insert reviews {documents:[{stars:?,tags:[?],by:{name:?}}],ordered:true}";
    for count in [1, 2, 7] {
        assert_eq!(normalise(Category::Database, &insert(&vec![plain; count])), one);
    }
    let both = "insert reviews {documents:[{stars:?,tags:[?],by:{name:?}},{text:?}],ordered:true}";
    for documents in [&[plain, other][..], &[plain, other, plain], &[plain, plain, other, other, plain]] {
        assert_eq!(normalise(Category::Database, &insert(documents)), both);
    }
    // Wherever the text was cut behind the first document: it is one command.
    let long = insert(&[plain; 3]);
    let second = long.find(plain).map(|at| at + plain.len() + 2).unwrap();
    for at in second..second + 2 * plain.len() - 2 {
        let cut = format!("{}…", long.get(..at).unwrap());
        let begun = "insert reviews {documents:[{stars:?,tags:[?],by:{name:?}}…";
        assert_eq!(normalise(Category::Database, &cut), begun, "{cut}");
    }
}

#[test]
fn a_statement_is_summed_up_in_few_words() {
    let cases = [
        ("SELECT * FROM patients WHERE id = $1", "SELECT patients"),
        ("select a, (select 1) from \"public\".x", "select select public.x"),
        ("INSERT INTO t(a) VALUES (1)", "INSERT t"),
        ("INSERT IGNORE INTO `t` VALUES (1) ON DUPLICATE KEY UPDATE a = 1", "INSERT t"),
        ("INSERT OR REPLACE INTO t VALUES (1)", "INSERT t"),
        ("UPDATE t SET a = replace(b, 'x', 'y')", "UPDATE t"),
        ("DELETE FROM ONLY t WHERE a IN (SELECT b FROM [dbo].[u v])", "DELETE t SELECT dbo.u v"),
        ("WITH x AS (SELECT 1 FROM a) SELECT * FROM x", "SELECT a SELECT x"),
        (
            "SELECT extract(year FROM born), trim(a), x IS DISTINCT FROM y FROM p, q LEFT JOIN r ON p.a = r.b",
            "SELECT p q r",
        ),
        ("SELECT a FROM t FOR UPDATE", "SELECT t"),
        ("SELECT a FROM (b JOIN c ON true), d WHERE e IN (1, 2)", "SELECT b c d"),
        ("CREATE TABLE IF NOT EXISTS t (a int)", "CREATE TABLE t"),
        ("CALL do_it(1)", "CALL do_it"),
        ("COMMIT", "COMMIT"),
        ("SELECT 1", "SELECT 1"),
        ("", ""),
    ];
    for (label, expected) in cases {
        assert_eq!(summary(Category::Sql, label), expected, "{label}");
    }
    assert_eq!(summary(Category::Database, "GET from a"), "GET from a");
    assert_eq!(query_summary("BEGIN"), "BEGIN");
    let long = query_summary(&format!("SELECT a FROM t{}", " JOIN table_1".repeat(200)));
    assert!(long.len() <= 255 && long.ends_with(|last: char| last.is_ascii_digit()));
}

#[test]
fn what_never_closes_costs_no_more_than_its_length() {
    for piece in
        ["/* /* */ ", "[a ", "$a$b", "'\\", "\"", "((", "IN (", "VALUES (1), (", "%(a", "`", "/*", "E'", "'\\'"]
    {
        let text = piece.repeat(300_000);
        let once = normalise(Category::Sql, &text).into_owned();
        assert_eq!(normalise(Category::Sql, &once), once);
        let _ = (sanitise(&text), query_summary(&text), normalise(Category::Database, &text).len());
    }
}

/// Pieces of statements that meet in odd ways.
fn texts() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "'", "\"", "`", "[", "]", "(", ")", ",", " ", "-", "--", "+", "/*", "*/", "/", "*", "\n", "$", "$$", "$1",
        "$a$", "?", ":", "::", ":a", "@", "@p1", "@@", "%", "%s", "%(a)s", ".", "1", "17", "0x", "1e", "e", "E", "n",
        "u&", "a", "é", "\\", "=", ";", "IN", "IN (", "VALUES", "VALUES (", "NULL", "SELECT", "FROM", "a1", "{", "}",
        "redis ", "#",
    ]);
    // Labels that were cut end in a mark of it.
    let cut = prop::sample::select(vec!["", "", "…"]);
    (prop::collection::vec(piece, 0..24), cut).prop_map(|(pieces, cut)| pieces.concat() + cut)
}

proptest! {
    #[test]
    fn any_text_is_read_and_reading_twice_changes_nothing(text in texts(), sql: bool) {
        let category = if sql { Category::Sql } else { Category::Database };
        let once = normalise(category, &text).into_owned();
        prop_assert_eq!(normalise(category, &once), once.as_str());
        let _ = summary(category, &text);
    }

    #[test]
    fn what_is_sanitised_stays_so(text in texts(), any in ".{0,40}") {
        for text in [text, any] {
            let once = sanitise(&text);
            prop_assert_eq!(&sanitise(&once), &once);
            prop_assert!(query_summary(&text).len() <= 255);
        }
    }

    #[test]
    fn every_byte_is_in_one_token(text in texts()) {
        let mut tokens = lexer::Lexer::new(&text);
        let mut at = 0;
        while let Some((_, from, end)) = tokens.next() {
            prop_assert!(from == at && end > from && text.is_char_boundary(end));
            at = end;
        }
        prop_assert_eq!(at, text.len());
    }
}
