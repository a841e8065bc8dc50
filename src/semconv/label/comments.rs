//! Comments to the end of a line, in a label that has one line only.

use std::borrow::Cow;

/// `sql` with each `-- …` that more lines follow as `/* … */`: on one line it would swallow the rest of the statement. Where `hash`
/// begins a comment too, each `# …`, at the end as well: no one else knows it for a comment.
pub(super) fn enclosed(sql: Cow<'_, str>, hash: bool) -> String {
    let dashes = sql.contains("--") && sql.contains('\n');
    let hash = hash && sql.contains('#');
    if !dashes && !hash {
        return sql.into_owned();
    }
    let mut out = String::with_capacity(sql.len() + 8);
    let mut quote = None;
    let mut rest = &*sql;
    while let Some(at) = rest.find(['\'', '"', '`', '-', '#', '/']) {
        let (before, found) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.push_str(before);
        let free = quote.is_none();
        let comment = found.strip_prefix('#').filter(|_| free && hash);
        let line = comment.map(|comment| comment.split_once('\n').unwrap_or((comment, "")));
        let dashed = || found.strip_prefix("--").filter(|_| free)?.split_once('\n');
        if let Some((comment, after)) = line.or_else(dashed) {
            out.push_str("/* ");
            out.push_str(&comment.trim().replace("*/", "* /"));
            out.push_str(" */");
            out.push_str(if comment.len() + 1 < found.len() { "\n" } else { "" });
            rest = after;
            continue;
        }
        if let Some(comment) = found.strip_prefix("/*").filter(|_| free) {
            let end = comment.find("*/").map_or(found.len(), |end| end + 4);
            let (comment, after) = found.split_at_checked(end).unwrap_or((found, ""));
            out.push_str(comment);
            rest = after;
            continue;
        }
        let mut symbols = found.chars();
        if let Some(symbol) = symbols.next() {
            out.push(symbol);
            quote = match quote {
                None if !matches!(symbol, '-' | '#' | '/') => Some(symbol),
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
            ("SELECT /* it's -- */ a -- why\nFROM t", "SELECT /* it's -- */ a /* why */\nFROM t"),
            ("SELECT a #> b\nFROM t # c", "SELECT a #> b\nFROM t # c"),
        ];
        for (sql, expected) in cases {
            assert_eq!(enclosed(Cow::Borrowed(sql), false), expected);
        }
    }

    #[test]
    fn where_a_hash_begins_a_comment_it_gets_an_end_too() {
        let cases = [
            ("SELECT a # why */\nFROM t", "SELECT a /* why * / */\nFROM t"),
            ("SELECT a FROM t # traceparent=1", "SELECT a FROM t /* traceparent=1 */"),
            ("SELECT a FROM t #", "SELECT a FROM t /*  */"),
            ("SELECT a FROM t #\n", "SELECT a FROM t /*  */\n"),
            ("SELECT '#' , `#`, \"#\" /* it's # */ FROM t", "SELECT '#' , `#`, \"#\" /* it's # */ FROM t"),
            ("SELECT a -- b # c\n, d # e", "SELECT a /* b # c */\n, d /* e */"),
        ];
        for (sql, expected) in cases {
            assert_eq!(enclosed(Cow::Borrowed(sql), true), expected);
        }
    }
}
