//! The values of a statement masked, and nothing else changed: what the semantic conventions ask of `db.query.text`.

use super::lexer::{Lexer, Token};

/// `sql` with each value as `?` and without its comments; white space, placeholders and lists stay as they are.
///
/// Follows the semantic conventions' shared vectors, the sign that belongs to a number included: `99+100` is `??`. For
/// telling statements apart there is `normalise`, which goes further.
#[must_use]
pub fn sanitise(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len());
    let mut tokens = Lexer::new(sql);
    while let Some((token, from, end)) = tokens.next() {
        match token {
            Token::Value => out.push('?'),
            Token::Comment => {
                // What a comment kept apart stays apart.
                let joins = !out.is_empty() && !out.ends_with(is_space);
                if joins && sql.get(end..).is_some_and(|rest| !rest.is_empty() && !rest.starts_with(is_space)) {
                    out.push(' ');
                }
            }
            _ => out.push_str(sql.get(from..end).unwrap_or_default()),
        }
    }
    out
}

fn is_space(symbol: char) -> bool {
    matches!(symbol, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
}
