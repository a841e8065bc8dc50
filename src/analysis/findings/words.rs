//! What is read out of labels: what a call is called, whether it reads, whether its values can be seen.

use std::borrow::Cow;

use crate::analysis::statement;
use crate::model::{Category, Nanos, TraceSpan};

/// Longest name of a subject, in characters.
const LONGEST: usize = 80;

/// What a span is called in findings: a statement by its operation and table, a request by its route, without values.
pub(super) fn subject(span: &TraceSpan) -> String {
    let label = match span.category {
        Category::Sql => statement::summary(span.category, &span.label),
        // A document is no name.
        Category::Database => {
            let label = statement::normalise(span.category, &span.label);
            let end = label.find(['{', '[']).filter(|end| *end > 0).unwrap_or(label.len());
            Cow::Owned(label.get(..end).unwrap_or_default().trim_end().to_owned())
        }
        Category::Http => Cow::Owned(pattern(&span.label)),
        _ => Cow::Borrowed(&*span.label),
    };
    if label.chars().nth(LONGEST).is_none() {
        return label.into_owned();
    }
    label.chars().take(LONGEST - 1).chain(['…']).collect()
}

/// A method with a path whose ids became `*`: numbers, UUIDs and what else looks as if somebody had drawn it.
pub(super) fn pattern(label: &str) -> String {
    let segment = |text: &str| if is_id(text) { "*".to_owned() } else { text.to_owned() };
    label.split('/').map(segment).collect::<Vec<_>>().join("/")
}

fn is_id(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let hex = || text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    digits > 0 && (digits == text.len() || (text.len() >= 8 && hex()))
}

/// The first word of a label in upper case, without the system that stands before the commands of some.
fn verb(span: &TraceSpan) -> String {
    const SYSTEMS: &[&str] = &["redis", "valkey", "keydb", "dragonfly", "memcached", "mongodb", "elasticsearch"];
    let mut words = span.label.split(|symbol: char| symbol.is_whitespace() || symbol == '(').filter(|w| !w.is_empty());
    let first = words.next().unwrap_or_default();
    let word = if SYSTEMS.contains(&first) { words.next().unwrap_or(first) } else { first };
    word.trim_end_matches(';').to_ascii_uppercase()
}

/// Whether a database call is about the connection or the transaction, not about data: nobody asks for these in a loop.
pub(super) fn is_chatter(span: &TraceSpan) -> bool {
    const SQL: &[&str] = &[
        "BEGIN",
        "START",
        "COMMIT",
        "ROLLBACK",
        "SAVEPOINT",
        "RELEASE",
        "SET",
        "SHOW",
        "DISCARD",
        "DEALLOCATE",
        "PREPARE",
        "FETCH",
        "CLOSE",
        "DECLARE",
        "LISTEN",
        "UNLISTEN",
        "CONNECT",
    ];
    // Some of them wait for something to come.
    const OTHERS: &[&str] = &[
        "PING",
        "AUTH",
        "HELLO",
        "INFO",
        "CLIENT",
        "MULTI",
        "EXEC",
        "WATCH",
        "UNWATCH",
        "GETMORE",
        "ISMASTER",
        "BLPOP",
        "BRPOP",
        "BLMOVE",
        "XREAD",
        "XREADGROUP",
        "SUBSCRIBE",
        "PSUBSCRIBE",
        "CONNECT",
    ];
    let words = match span.category {
        Category::Sql => SQL,
        Category::Database => OTHERS,
        _ => return false,
    };
    let verb = verb(span);
    let of_connection = || ["CONNECT", "RESET_SESSION", "CONN.", "POOL."].iter().any(|word| verb.contains(word));
    // JDBC and database/sql have spans of their own for what belongs to a call.
    words.contains(&verb.as_str()) || (!verb.contains(':') && of_connection()) || verb.starts_with("SQL.")
}

/// Whether a call only reads, as far as can be told.
pub(super) fn is_read(span: &TraceSpan) -> bool {
    let verb = verb(span);
    match span.category {
        Category::Sql => {
            matches!(verb.as_str(), "SELECT" | "WITH") && !has_word(&span.label, &["INSERT", "UPDATE", "DELETE"])
        }
        Category::Database => matches!(
            verb.as_str(),
            "GET"
                | "MGET"
                | "HGET"
                | "HGETALL"
                | "HMGET"
                | "EXISTS"
                | "SMEMBERS"
                | "SISMEMBER"
                | "LRANGE"
                | "ZRANGE"
                | "ZSCORE"
                | "TTL"
                | "FIND"
                | "FINDONE"
                | "AGGREGATE"
                | "COUNT"
                | "COUNTDOCUMENTS"
                | "SEARCH"
        ),
        Category::Http => matches!(verb.as_str(), "GET" | "HEAD"),
        _ => false,
    }
}

/// Whether a loop over a call is worth a word: all database calls, HTTP only where it reads, RPC.
pub(super) fn is_loopable(span: &TraceSpan) -> bool {
    match span.category {
        Category::Sql | Category::Database => !is_chatter(span),
        Category::Http => is_read(span),
        Category::Rpc => true,
        Category::Messaging | Category::Other => false,
    }
}

fn has_word(label: &str, words: &[&str]) -> bool {
    let mut parts = label.split(|symbol: char| !symbol.is_alphanumeric() && symbol != '_');
    parts.any(|part| words.iter().any(|word| part.eq_ignore_ascii_case(word)))
}

/// Whether a statement shows that its values are somewhere else: `?`, `$1`, `:name`, `@p1`, `%s`, `%(name)s`.
pub(super) fn has_placeholder(label: &str) -> bool {
    let mut quote = None;
    let mut before = ' ';
    let mut letters = label.chars().peekable();
    while let Some(letter) = letters.next() {
        match quote {
            Some(open) if letter == open => quote = None,
            Some(_) => {}
            None => {
                let next = letters.peek().copied().unwrap_or(' ');
                let found = match letter {
                    '\'' => {
                        quote = Some(letter);
                        false
                    }
                    '?' => true,
                    '$' | '@' => next.is_alphanumeric() && !before.is_alphanumeric(),
                    ':' => {
                        (next.is_alphabetic() || next.is_ascii_digit()) && before != ':' && !before.is_alphanumeric()
                    }
                    '%' => matches!(next, 's' | '(') && !before.is_alphanumeric(),
                    _ => false,
                };
                if found {
                    return true;
                }
            }
        }
        before = letter;
    }
    false
}

/// Whether the values of a database read can be seen in its label, so that equal labels ask for the same: `Some(false)` where they
/// are elsewhere, `None` where equal questions need not have equal answers, or the label is no whole question.
pub(super) fn shows_values(span: &TraceSpan) -> Option<bool> {
    const MOODS: &[&str] = &[
        "now",
        "random",
        "rand",
        "nextval",
        "currval",
        "lastval",
        "current_timestamp",
        "clock_timestamp",
        "uuid",
        "sysdate",
        "last_insert_id",
        "getdate",
        "newid",
        "pg_sleep",
        "sleep",
        "pg_try_advisory_lock",
        "pg_advisory_lock",
    ];
    let label = &*span.label;
    if label.ends_with('…') {
        return None;
    }
    match span.category {
        Category::Sql if !has_word(label, &["FROM"]) || has_word(label, MOODS) => None,
        // A lock is not taken for what it reads.
        Category::Sql if has_word(label, &["SHARE"]) || label.to_ascii_uppercase().contains("FOR UPDATE") => None,
        Category::Sql => Some(!has_placeholder(label)),
        Category::Database => {
            let keyed = label.split_whitespace().nth(2).is_some();
            (keyed && !label.contains('?')).then_some(true)
        }
        _ => None,
    }
}

/// What a database call reads or changes: the first table, or the key.
pub(super) fn target(span: &TraceSpan) -> String {
    let of = match span.category {
        Category::Sql => {
            statement::summary(span.category, &span.label).split_whitespace().nth(1).map(str::to_lowercase)
        }
        _ => span.label.split_whitespace().nth(2).map(str::to_owned),
    };
    of.unwrap_or_default()
}

/// Whether a statement reads under no condition.
pub(super) fn is_unconditional(span: &TraceSpan) -> bool {
    span.category == Category::Sql && is_read(span) && !has_word(&span.label, &["WHERE"])
}

/// `3 times`, `once`.
pub(super) fn times(count: usize) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        count => format!("{} times", crate::analysis::figures::count(count as u64)),
    }
}

/// `1 span`, `3 spans`.
pub(super) fn many(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// `sum` over so many, each.
pub(super) fn each(sum: Nanos, count: usize) -> Nanos {
    Nanos(sum.0.checked_div(count as u64).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_in_a_path_are_values_and_words_are_not() {
        for (label, expected) in [
            ("GET insurance/policies/17", "GET insurance/policies/*"),
            ("GET api/v1/orders/9f1c2d3e-aaaa-4bbb-8ccc-0123456789ab/lines", "GET api/v1/orders/*/lines"),
            ("GET shop/decade/facade", "GET shop/decade/facade"),
            ("GET localhost", "GET localhost"),
            ("POST a/0123456789abcdef", "POST a/*"),
        ] {
            assert_eq!(pattern(label), expected);
        }
    }

    #[test]
    fn values_that_stand_elsewhere_are_seen_by_their_placeholders() {
        for label in ["a = ?", "a = $1", "a = :id", "a = @p1", "a = %s", "a = %(id)s", "IN (?, ?)", "x = ANY($2)"] {
            assert!(has_placeholder(label), "{label}");
        }
        for label in ["a = 17", "a = 'what?'", "a::text", "SELECT '$1'", "a % 2", "now()", "12:30", "user@host"] {
            assert!(!has_placeholder(label), "{label}");
        }
    }

    #[test]
    fn talk_about_the_connection_is_no_call_for_data() {
        let of = |category, label: &str| TraceSpan { category, label: label.into(), ..TraceSpan::default() };
        for label in
            ["BEGIN", "commit;", "SET search_path TO x", "pg-pool.connect", "sql.conn.reset_session", "connect"]
        {
            assert!(is_chatter(&of(Category::Sql, label)), "{label}");
        }
        for label in ["SELECT connect FROM t", "INSERT INTO t VALUES (?)", "pg.query:SELECT recipe"] {
            assert!(!is_chatter(&of(Category::Sql, label)), "{label}");
        }
        assert!(is_chatter(&of(Category::Database, "redis PING")));
        assert!(!is_chatter(&of(Category::Database, "redis GET a:1")));
        assert!(is_read(&of(Category::Database, "redis GET a:1")));
        assert!(!is_read(&of(Category::Sql, "WITH x AS (DELETE FROM t) SELECT 1")));
    }
}
