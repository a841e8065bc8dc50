//! Keys without braces.

use super::ParseError;
use super::cursor::Cursor;
use crate::query::field::{Attribute, Field, Scope};
use crate::query::{Comparison, Relation};

/// A key and the comparison after it.
pub(super) struct Key {
    pub(super) of: Relation,
    /// What it means as an attribute: where, and in quotes or marked by `@`.
    pub(super) named: Named,
    pub(super) sign: Comparison,
    /// Where the comparison stands.
    pub(super) sign_at: usize,
}

/// How a key was named.
pub(super) enum Named {
    /// By an intrinsic's name with a colon.
    Field(Field, String),
    /// In quotes, or after `@`.
    Attribute(Attribute),
    /// By a bare name.
    Name(String),
}

/// Reads a key with its comparison; `None`, and nothing is read, where there is no comparison.
pub(super) fn key(cursor: &mut Cursor<'_>) -> Result<Option<Key>, ParseError> {
    let start = cursor.at;
    if let Some((of, scope)) = quoted_prefix(cursor) {
        let key = cursor.quoted_text()?;
        let sign_at = cursor.at;
        let Some(sign) = comparison(cursor) else {
            return Err(cursor.fault(sign_at, "a comparison after the quoted key"));
        };
        let named = Named::Attribute(Attribute { scope, key, exact: true });
        return Ok(Some(Key { of, named, sign, sign_at }));
    }
    let of = relation(cursor);
    if let Some((name, field)) = intrinsic(cursor) {
        let sign_at = cursor.at;
        let Some(sign) = comparison(cursor) else {
            return Err(cursor.fault(sign_at, format!("a comparison after `{name}` (the attribute is `@{name}`)")));
        };
        return Ok(Some(Key { of, named: Named::Field(field, name.to_owned()), sign, sign_at }));
    }
    let from = cursor.at;
    let text = name(cursor)?;
    let sign_at = cursor.at;
    let Some(sign) = comparison(cursor) else {
        cursor.at = start;
        return Ok(None);
    };
    // `a!` could not be compared with `=`, because that would be `!=`.
    if text.is_empty() || text.ends_with('!') {
        return Err(cursor.fault(from, "a name before the comparison, in quotes if it is an odd one"));
    }
    let named = match text.strip_prefix('@').filter(|key| !key.is_empty()) {
        Some(key) => Named::Attribute(Attribute { scope: Scope::Anywhere, key: key.to_owned(), exact: false }),
        None => Named::Name(text.to_owned()),
    };
    Ok(Some(Key { of, named, sign, sign_at }))
}

/// Takes the prefixes before a quote, if there are any.
fn quoted_prefix(cursor: &mut Cursor<'_>) -> Option<(Relation, Scope)> {
    let start = cursor.at;
    let of = relation(cursor);
    let scope = scope(cursor);
    if cursor.at > start && cursor.peek() == Some('"') {
        return Some((of, scope));
    }
    cursor.at = start;
    None
}

fn relation(cursor: &mut Cursor<'_>) -> Relation {
    let found = Relation::WITH_PREFIX.into_iter().find(|relation| cursor.eat(relation.prefix()));
    found.unwrap_or(Relation::Own)
}

fn scope(cursor: &mut Cursor<'_>) -> Scope {
    if cursor.eat("scope.") {
        return Scope::Instrumentation;
    }
    let found = Scope::WITH_PREFIX.into_iter().find(|scope| cursor.eat(scope.prefix()));
    found.unwrap_or(Scope::Anywhere)
}

/// The scope in a name, and the name in it.
pub(super) fn scoped(name: &str) -> (Scope, &str) {
    let mut cursor = Cursor::new(name);
    let scope = scope(&mut cursor);
    (scope, cursor.rest())
}

/// An intrinsic with a colon: in `span:duration` the colon does not compare.
fn intrinsic(cursor: &mut Cursor<'_>) -> Option<(&'static str, Field)> {
    let rest = cursor.rest();
    let is_next = |name: &&str| {
        let after = rest.strip_prefix(*name);
        after.is_some_and(|after| !after.starts_with(|symbol: char| symbol.is_alphanumeric() || symbol == '_'))
    };
    let name = Field::scoped_names().find(is_next)?;
    cursor.eat(name);
    Some((name, Field::scoped(name)?))
}

fn name<'a>(cursor: &mut Cursor<'a>) -> Result<&'a str, ParseError> {
    cursor.run(|here| match here.chars().next() {
        Some('=' | '<' | '>') => true,
        Some('!') => here.starts_with("!=") || here.starts_with("!~"),
        // `http://host` is a word, not a key with a value.
        Some(':') => !here.starts_with("://"),
        _ => false,
    })
}

/// A comparison, if there is one.
pub(super) fn comparison(cursor: &mut Cursor<'_>) -> Option<Comparison> {
    const SIGNS: [(&str, Comparison); 9] = [
        ("=~", Comparison::Matches),
        ("!~", Comparison::MatchesNot),
        ("!=", Comparison::NotEqual),
        (">=", Comparison::AtLeast),
        ("<=", Comparison::AtMost),
        (">", Comparison::More),
        ("<", Comparison::Less),
        ("=", Comparison::Equal),
        (":", Comparison::Contains),
    ];
    SIGNS.iter().find(|(sign, _)| cursor.eat(sign)).map(|(_, comparison)| *comparison)
}

/// Whether an attribute of this name can stand within braces without quotes.
pub(in crate::query) fn is_plain_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(super::braces::ends_name)
}
