//! What a database label says without its values: enough to tell that two statements are the same one.
//!
//! In: the label of a span, or any text of a statement. Out, kept apart on purpose:
//!
//! - [`normalise`]: the identity of a call. Values and placeholders are `?`, comments are gone, lists are collapsed.
//! - [`sanitise()`] and [`query_summary`]: `db.query.text` and `db.query.summary` as the semantic conventions define them.
//! - [`summary`]: few words for a narrow place on a screen.
//!
//! One lexer reads all of them. Must never know: where a statement came from, screens.

use std::borrow::Cow;

use crate::model::Category;

mod command;
mod lexer;
mod normal;
mod sanitise;
mod summarise;

pub use sanitise::sanitise;
pub use summarise::query_summary;

/// `label` without values, so that equal calls with different values are equal text. Labels of other than database spans
/// come back as they are.
///
/// One pass, never fails: truncated text is fine. SQL: [`sanitise()`] and further, placeholders are `?` too, white space is
/// one blank, a list of values behind `IN` is one, of the rows behind `VALUES` the first stays. Other stores keep the words
/// of their commands: `redis GET patient:?`.
#[must_use]
pub fn normalise(category: Category, label: &str) -> Cow<'_, str> {
    match category {
        Category::Sql => match normal::normal(label) {
            Cow::Owned(normal) if normal == label => Cow::Borrowed(label),
            normal => normal,
        },
        Category::Database => command::command(label),
        _ => Cow::Borrowed(label),
    }
}

/// A statement in few words, `SELECT patients`: its [`query_summary`] without the quotes of names. Other labels, and
/// statements that name no table, come back as they are.
#[must_use]
pub fn summary(category: Category, label: &str) -> Cow<'_, str> {
    if category != Category::Sql {
        return Cow::Borrowed(label);
    }
    let summarised = summarise::summarise(label);
    if summarised.targets == 0 {
        return Cow::Borrowed(label);
    }
    let mut text = summarised.text;
    text.retain(|symbol| !matches!(symbol, '"' | '`' | '[' | ']'));
    Cow::Owned(text)
}

#[cfg(test)]
mod tests;
