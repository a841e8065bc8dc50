//! Comments to the end of a line, in a label that has one line only.

use std::borrow::Cow;

/// `sql` with each `-- …` that more lines follow as `/* … */`: on one line it would swallow the rest of the statement.
pub(super) fn enclosed(sql: Cow<'_, str>) -> String {
    if !sql.contains("--") || !sql.contains('\n') {
        return sql.into_owned();
    }
    let mut out = String::with_capacity(sql.len() + 8);
    let mut quote = None;
    let mut rest = &*sql;
    while let Some(at) = rest.find(['\'', '"', '`', '-']) {
        let (before, found) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.push_str(before);
        let comment = found.strip_prefix("--").filter(|_| quote.is_none());
        if let Some((comment, after)) = comment.and_then(|comment| comment.split_once('\n')) {
            out.push_str("/* ");
            out.push_str(&comment.trim().replace("*/", "* /"));
            out.push_str(" */\n");
            rest = after;
            continue;
        }
        let mut symbols = found.chars();
        if let Some(symbol) = symbols.next() {
            out.push(symbol);
            quote = match quote {
                None if symbol != '-' => Some(symbol),
                Some(open) if open == symbol => None,
                quote => quote,
            };
        }
        rest = symbols.as_str();
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_to_the_end_of_its_line_gets_an_end_of_its_own() {
        let cases = [
            ("SELECT a -- why\nFROM t", "SELECT a /* why */\nFROM t"),
            ("SELECT '--\n' -- */ b\n, c", "SELECT '--\n' /* * / b */\n, c"),
            ("SELECT a - 1\nFROM t -- last", "SELECT a - 1\nFROM t -- last"),
            ("SELECT a -- last", "SELECT a -- last"),
        ];
        for (sql, expected) in cases {
            assert_eq!(enclosed(Cow::Borrowed(sql)), expected);
        }
    }
}
