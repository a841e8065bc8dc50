//! What is masked and what is left alone.

use proptest::prelude::*;

use super::*;

fn redactor() -> Redactor {
    Redactor::default()
}

#[test]
fn secrets_in_text_are_masked_and_the_rest_stays() {
    let cases = [
        ("postgres://app:hunter2@db:5432/hmis?x=1", "postgres://app:••••••@db:5432/hmis?x=1"),
        ("amqp://u:p@ss@mq/x", "amqp://u:••••••@mq/x"),
        ("redis://:topsecret@cache:6379", "redis://:••••••@cache:6379"),
        ("host=db password=hunter2 user=app", "host=db password=•••••• user=app"),
        ("Server=db;Pwd=hunter2;Database=x", "Server=db;Pwd=••••••;Database=x"),
        ("/cb?access_token=abc.def&state=7", "/cb?access_token=••••••&state=7"),
        ("UPDATE users SET password = 'hunter2' WHERE id = 4", "UPDATE users SET password = '••••••' WHERE id = 4"),
        (
            "SELECT 1 FROM users WHERE token='a' AND pwd='b'",
            "SELECT 1 FROM users WHERE token='••••••' AND pwd='••••••'",
        ),
        ("CREATE USER a PASSWORD 'b c'", "CREATE USER a PASSWORD '••••••'"),
        (
            r#"{"user":"ann","password":"hu\"nter","ssn":"078051120"}"#,
            r#"{"user":"ann","password":"••••••","ssn":"••••••"}"#,
        ),
        (r#"body: "{\"apiKey\":\"k 1\"}""#, r#"body: "{\"apiKey\":\"••••••\"}""#),
        ("{'password': 'x y', 'id': 3}", "{'password': '••••••', 'id': 3}"),
        ("Authorization: Bearer abc123def456", "Authorization: Bearer ••••••"),
        ("sent Basic dXNlcjpwYXNz to h", "sent Basic •••••• to h"),
        ("Cookie: a=b; sid=c\nHost: h", "Cookie: ••••••\nHost: h"),
        ("jwt eyJhbGciOi.eyJzdWIi.c2ln end", "jwt •••••• end"),
        ("card 4111 1111 1111 1111, exp 12/27", "card ••••••, exp 12/27"),
        ("card=4111111111111111;", "card=••••••;"),
        ("amex 3782-822463-10005", "amex ••••••"),
        ("ssn is 123-45-6789.", "ssn is ••••••."),
        ("key AKIAIOSFODNN7EXAMPLE used", "key •••••• used"),
        ("ghp_abcdefghij0123456789", "••••••"),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----",
            "-----BEGIN RSA PRIVATE KEY-----••••••-----END RSA PRIVATE KEY-----",
        ),
        ("x -----BEGIN PRIVATE KEY----- MIIE cut…", "x -----BEGIN PRIVATE KEY-----••••••"),
        ("redis AUTH hunter2", "redis AUTH ••••••"),
        ("login failed, password: hunter2", "login failed, password: ••••••"),
        ("WHERE password = 'hunt", "WHERE password = '••••••"),
        ("config a=password=hunter2", "config a=password=••••••"),
    ];
    for (text, expected) in cases {
        assert_eq!(redactor().text(text), expected);
    }
}

#[test]
fn text_without_secrets_is_borrowed_unchanged() {
    let cases = [
        "",
        "SELECT id, password, token FROM users WHERE password = $1 AND token = ? AND pwd=%(pwd)s",
        "UPDATE users SET password = :password, token=@token WHERE u.password = p.password",
        "UPDATE users SET password=crypt($1, gen_salt('bf')) WHERE password::text = $2",
        "INSERT INTO users (name, password) VALUES ($1, $2)",
        "SELECT * FROM patients WHERE id = 9999999 AND ts > 1700000000000000000",
        "redis GET session:abc123",
        "redis AUTH ?",
        "5b8efff798038103d269b633813fc60c 4b8efff798038103",
        "12345678-1234-4234-8234-123456789012",
        "41111111-1111-1111-1111-111111111111",
        "0.4111111111111111",
        "4111111111111112",
        "1234567890123456",
        "order 4111-1111",
        "basic authentication is required",
        "bearer of bad news",
        "token_count=812 gen_ai.usage.input_tokens=77",
        "password: must not be empty",
        "authorization: denied",
        "token=None password=null secret=***",
        "GET https://host:8080/path@2x?a=b",
        "2026-11-21T10:00:00Z 000-12-3456",
        "auth failed for user",
        "auth middleware",
        "日本語 🛒 \u{1b}[31mred",
    ];
    for text in cases {
        assert!(matches!(redactor().text(text), Cow::Borrowed(_)), "{text:?} became {:?}", redactor().text(text));
    }
}

#[test]
fn values_under_secret_keys_are_masked_whole() {
    let masked = |key: &str, text: &str| {
        let result = redactor().value(key, text);
        (result.text.into_owned(), result.masked)
    };
    assert_eq!(masked("user.password", "hunter2"), (MASK.to_owned(), true));
    assert_eq!(masked("user.password", MASK), (MASK.to_owned(), true));
    assert_eq!(masked("patient.ssn", "123-45-6789"), (MASK.to_owned(), true));
    assert_eq!(masked("patient.note", "has 123-45-6789"), (format!("has {MASK}"), true));
    assert_eq!(masked("patient.note", "fine"), ("fine".to_owned(), false));
    assert_eq!(masked("has_password", "true"), ("true".to_owned(), false));
    assert_eq!(masked("user.password", ""), (String::new(), false));
    assert_eq!(masked("gen_ai.usage.input_tokens", "812"), ("812".to_owned(), false));
}

#[test]
fn own_rules_are_added_and_masking_can_be_off() {
    let rules = Rules { keys: vec!["patient.name".into()], patterns: vec!["MRN-([0-9]+)".into()], ..Rules::default() };
    let own = Redactor::new(&rules).unwrap();
    assert_eq!(own.text("MRN-4711 patientName=Ann"), format!("MRN-{MASK} patientName={MASK}"));
    assert!(own.value("patient.name", "Ann").masked);
    let off = Redactor::new(&Rules { off: true, ..rules }).unwrap();
    assert!(!off.value("user.password", "hunter2").masked);
    assert_eq!(off.text("password=hunter2"), "password=hunter2");
    let broken = Rules { patterns: vec!["(".into()], ..Rules::default() };
    assert!(Redactor::new(&broken).unwrap_err().to_string().contains("redaction pattern `(`"));
}

#[test]
fn a_megabyte_is_looked_through() {
    let text = "password ".repeat(15_000) + &"a=".repeat(50_000) + "pwd=hunter2";
    assert!(redactor().text(&text).ends_with("pwd=••••••"));
}

#[test]
fn masking_twice_changes_nothing_more() {
    let redactor = redactor();
    let part = prop_oneof![
        "[ -~•é]{0,8}",
        prop::sample::select(vec![
            "password=",
            "token: '",
            "'",
            "4111111111111111",
            "123-45-6789",
            "://u:",
            "@",
            "Bearer ",
            "-",
            "eyJhbGciOi.eyJzdWIi",
            "Cookie: ",
            "\n",
            "\"",
            "ssn:",
            "\\",
            "AUTH ",
            "AKIAIOSFODNN7EXAMPLE",
        ])
        .prop_map(str::to_owned),
    ];
    proptest!(|(parts in prop::collection::vec(part, 0..12))| {
        let text = parts.concat();
        let once = redactor.text(&text).into_owned();
        prop_assert_eq!(&redactor.text(&once), &once);
        prop_assert!(once.len() <= text.len() * 8 + MASK.len());
    });
}
