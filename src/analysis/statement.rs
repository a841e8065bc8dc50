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
    let has_value = |symbol: char| symbol.is_ascii_digit() || symbol == '\'' || symbol == '"';
    if !category.is_database() || !label.contains(has_value) {
        return Cow::Borrowed(label);
    }
    let sql = category == Category::Sql;
    let mut out = String::with_capacity(label.len());
    let mut before = ' ';
    let mut symbols = label.chars().peekable();
    while let Some(symbol) = symbols.next() {
        let quote = symbol == '\'' || (symbol == '"' && !sql);
        if quote {
            skip_quoted(&mut symbols, symbol);
            out.push('?');
        } else if symbol.is_ascii_digit() && starts_number(before, sql) {
            // Signs and points inside a number belong to it, and so does whatever is glued to it: 1e9, 0xFF, a UUID.
            while symbols.next_if(|next| next.is_alphanumeric() || *next == '.' || (!sql && *next == '-')).is_some() {}
            out.push('?');
        } else {
            out.push(symbol);
        }
        before = symbol;
    }
    Cow::Owned(out)
}

/// Whether a digit after `before` begins a value. After a letter it belongs to a name, after `$` or `:` it is a
/// placeholder.
fn starts_number(before: char, sql: bool) -> bool {
    let name = before.is_alphanumeric() || matches!(before, '_' | '$');
    let placeholder = sql && matches!(before, ':' | '@');
    !(name || placeholder)
}

fn skip_quoted(symbols: &mut std::iter::Peekable<std::str::Chars<'_>>, quote: char) {
    while let Some(symbol) = symbols.next() {
        if symbol == '\\' {
            symbols.next();
        } else if symbol == quote && symbols.next_if_eq(&quote).is_none() {
            return;
        }
    }
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
}
