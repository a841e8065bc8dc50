//! What a database label says without its values: enough to tell that two statements are the same one.

use std::borrow::Cow;

use crate::model::Category;

/// `label` with numbers and quoted strings as `?`, so that equal statements with different values are equal text.
/// Labels of other than database spans come back as they are.
///
/// One pass, never fails: truncated text is fine. Placeholders (`$1`, `:name`, `@p1`) stay; in commands of other
/// databases than relational ones, double quotes hold values and `key:17` ends in one.
#[must_use]
pub fn normalise(category: Category, label: &str) -> Cow<'_, str> {
    if !category.is_database() {
        return Cow::Borrowed(label);
    }
    let sql = category == Category::Sql;
    let mut out = String::new();
    // What stands between the last value and `at` is copied in one go.
    let (mut copied, mut at) = (0, 0);
    while let Some(found) = label.get(at..).and_then(|rest| rest.bytes().position(|byte| may_begin_value(byte, sql))) {
        let from = at + found;
        let (before, rest) = label.split_at_checked(from).unwrap_or((label, ""));
        let length = if rest.starts_with(|symbol: char| symbol.is_ascii_digit()) {
            if starts_number(before.chars().next_back(), sql) { number_length(rest, sql) } else { 0 }
        } else {
            quoted_length(rest.as_bytes())
        };
        at = from + length.max(1);
        if length > 0 {
            out.reserve(label.len() + 1 - out.len().min(label.len()));
            out.push_str(label.get(copied..from).unwrap_or_default());
            out.push('?');
            copied = at;
        }
    }
    if copied == 0 {
        return Cow::Borrowed(label);
    }
    out.push_str(label.get(copied..).unwrap_or_default());
    Cow::Owned(out)
}

fn may_begin_value(byte: u8, sql: bool) -> bool {
    byte.is_ascii_digit() || byte == b'\'' || (byte == b'"' && !sql)
}

/// Whether a digit after `before` begins a value. After a letter it belongs to a name, after `$` or `:` it is a
/// placeholder.
fn starts_number(before: Option<char>, sql: bool) -> bool {
    let Some(before) = before else { return true };
    let name = before.is_alphanumeric() || matches!(before, '_' | '$');
    let placeholder = sql && matches!(before, ':' | '@');
    !(name || placeholder)
}

/// Points inside a number belong to it, and so does whatever is glued to it: 1e9, 0xFF, a UUID.
fn number_length(rest: &str, sql: bool) -> usize {
    let ends = |symbol: char| !(symbol.is_alphanumeric() || symbol == '.' || (!sql && symbol == '-'));
    rest.find(ends).unwrap_or(rest.len())
}

/// How long the quoted text is that `rest` begins with; a doubled or escaped quote does not end it.
fn quoted_length(rest: &[u8]) -> usize {
    let Some(quote) = rest.first() else { return 0 };
    let mut at = 1;
    while let Some(byte) = rest.get(at) {
        if *byte == b'\\' || (byte == quote && rest.get(at + 1) == Some(quote)) {
            at += 2;
        } else if byte == quote {
            return at + 1;
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// A statement in two words, `SELECT patients`: its operation and the first table it names. Other labels, and
/// statements that do not read as one, come back as they are.
#[must_use]
pub fn summary(category: Category, label: &str) -> Cow<'_, str> {
    if category != Category::Sql {
        return Cow::Borrowed(label);
    }
    let separator = |symbol: char| symbol.is_whitespace() || matches!(symbol, '(' | ')' | ',' | ';');
    let mut words = label.split(separator).filter(|word| !word.is_empty());
    let Some(operation) = words.next() else { return Cow::Borrowed(label) };
    let before_table: &[&str] = match operation.to_ascii_uppercase().as_str() {
        "SELECT" | "DELETE" => &["FROM"],
        "INSERT" | "REPLACE" | "MERGE" => &["INTO"],
        "UPDATE" => &["UPDATE"],
        "WITH" => &["FROM", "INTO", "UPDATE"],
        _ => return Cow::Borrowed(label),
    };
    let is_before = |word: &str| before_table.iter().any(|mark| word.eq_ignore_ascii_case(mark));
    let is_noise = |word: &str| ["ONLY", "SELECT", "LATERAL"].iter().any(|noise| word.eq_ignore_ascii_case(noise));
    let mut rest = std::iter::once(operation).chain(words).skip_while(|word| !is_before(word)).skip(1);
    match rest.find(|word| !is_noise(word)) {
        Some(table) => {
            let table = table.trim_matches(|symbol| matches!(symbol, '"' | '`' | '[' | ']'));
            Cow::Owned(format!("{} {table}", operation.to_ascii_uppercase()))
        }
        None => Cow::Borrowed(label),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_question_marks_and_names_stay() {
        let cases = [
            (Category::Sql, "SELECT * FROM t WHERE id = 17", "SELECT * FROM t WHERE id = ?"),
            (Category::Sql, "SELECT 'it''s' , 'a\\'b', 1.5e9 FROM t2", "SELECT ? , ?, ? FROM t2"),
            (Category::Sql, "SELECT \"col1\" FROM t WHERE a=$1 AND b=:2 AND c=@3", ""),
            (Category::Sql, "SELECT 'cut o", "SELECT ?"),
            (Category::Sql, "SELECT 'cut \\", "SELECT ?"),
            (Category::Sql, "INSERT INTO größe1 VALUES ('ü', é2, 3ü), 4", "INSERT INTO größe1 VALUES (?, é2, ?), ?"),
            (Category::Sql, "", ""),
            (Category::Database, "GET patient:9999999", "GET patient:?"),
            (Category::Database, "GET session:abc123", ""),
            (Category::Database, "SET k:9f1c-2 \"v 1\"", "SET k:? ?"),
            (Category::Http, "GET /orders/17", ""),
        ];
        for (category, label, expected) in cases {
            let expected = if expected.is_empty() { label } else { expected };
            assert_eq!(normalise(category, label), expected);
        }
    }

    #[test]
    fn a_statement_is_summed_up_in_two_words() {
        let cases = [
            ("SELECT * FROM patients WHERE id = $1", "SELECT patients"),
            ("select a, (select 1) from \"public\".x", "SELECT public\".x"),
            ("INSERT INTO t(a) VALUES (1)", "INSERT t"),
            ("UPDATE t SET a = 1", "UPDATE t"),
            ("DELETE FROM t", "DELETE t"),
            ("WITH x AS (SELECT 1 FROM a) SELECT * FROM x", "WITH a"),
            ("SELECT * FROM (SELECT id FROM inner_table) s", "SELECT id"),
            ("COMMIT", "COMMIT"),
            ("SELECT 1", "SELECT 1"),
            ("", ""),
        ];
        for (label, expected) in cases {
            assert_eq!(summary(Category::Sql, label), expected, "{label}");
        }
        assert_eq!(summary(Category::Database, "GET from a"), "GET from a");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_and_reading_twice_changes_nothing(text in "[a-c0-2'\"\\\\$:@?é .,()-]{0,24}", sql: bool) {
            let category = if sql { Category::Sql } else { Category::Database };
            let once = normalise(category, &text).into_owned();
            proptest::prop_assert_eq!(normalise(category, &once), once.as_str());
            let _ = summary(category, &text);
        }
    }
}
