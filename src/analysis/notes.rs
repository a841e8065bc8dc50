//! What the list says of a trace: its badges, judged.

use std::fmt;
use std::sync::Arc;

use super::slow_sql::{self, Slow};
use super::statement;
use super::thresholds::Thresholds;
use super::waterfall::GROUP_AT_LEAST;
use crate::model::{Category, Nanos, TraceSummary};

/// One remark on a trace.
#[derive(Clone, Debug, PartialEq)]
pub enum Note {
    /// Some of its spans failed.
    Error {
        /// How many spans have status error; 0 where only an exception was recorded.
        count: u32,
        /// Type of the first exception, or the first status message; `None` where the sender gave neither.
        text: Option<Arc<str>>,
    },
    /// Its longest database call is slow.
    SlowSql {
        /// How long it took.
        duration: Nanos,
        /// Its statement or name.
        label: Arc<str>,
        /// Why it counts as slow.
        why: Slow,
    },
    /// One statement runs again and again below one parent.
    Repeated {
        /// How often.
        count: u32,
        /// Its statement or name.
        label: Arc<str>,
    },
}

/// What stands out in a trace, the worst first: errors, then slow statements, then repetition.
#[must_use]
pub fn notes(summary: &TraceSummary, thresholds: &Thresholds) -> Vec<Note> {
    let badges = &summary.badges;
    let error = (summary.errors > 0 || badges.error.is_some())
        .then(|| Note::Error { count: summary.errors, text: badges.error.as_ref().map(bare_type) });
    let slow = badges.longest_db.as_ref().and_then(|(duration, label)| {
        // Only database calls are entered there, of which sort does not matter to the judgement.
        let why = slow_sql::judge(thresholds, Category::Sql, *duration, summary.duration())?;
        Some(Note::SlowSql { duration: *duration, label: Arc::clone(label), why })
    });
    let repeated = badges.repeated.as_ref().filter(|(count, _)| *count as usize >= GROUP_AT_LEAST);
    let repeated = repeated.map(|(count, label)| Note::Repeated { count: *count, label: Arc::clone(label) });
    [error, slow, repeated].into_iter().flatten().collect()
}

/// The type without the modules it is in, which would leave no room for it: `OperationalError` of
/// `sqlalchemy.exc.OperationalError`. Messages stay as they are.
fn bare_type(text: &Arc<str>) -> Arc<str> {
    let is_path = text.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '.' | '_' | '$'));
    match text.rsplit_once('.') {
        Some((_, name)) if is_path && name.chars().any(char::is_alphabetic) => name.into(),
        _ => Arc::clone(text),
    }
}

/// In plain words, for lines of text: `error NotFoundError`, `slow SQL 1.82 s SELECT patients`, `×47 SELECT visits`.
impl fmt::Display for Note {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error { text: Some(text), .. } => write!(out, "error {text}"),
            Self::Error { text: None, .. } => out.write_str("error"),
            Self::SlowSql { duration, label, .. } => {
                write!(out, "slow SQL {duration} {}", statement::summary(Category::Sql, label))
            }
            Self::Repeated { count, label } => write!(out, "×{count} {}", statement::summary(Category::Sql, label)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Badges, Timestamp};

    #[test]
    fn the_worst_comes_first_and_what_is_usual_is_not_said() {
        let millis = |count| Timestamp(Nanos::from_millis(count).0);
        let mut summary = TraceSummary {
            start: millis(1_000),
            end: millis(1_200),
            errors: 2,
            badges: Badges {
                longest_db: Some((Nanos::from_millis(150), "SELECT a".into())),
                repeated: Some((47, "SELECT b".into())),
                error: Some("NotFoundError".into()),
            },
            ..TraceSummary::default()
        };
        let error = Note::Error { count: 2, text: Some("NotFoundError".into()) };
        let slow = |millis, why| Note::SlowSql { duration: Nanos::from_millis(millis), label: "SELECT a".into(), why };
        let repeated = Note::Repeated { count: 47, label: "SELECT b".into() };
        assert_eq!(notes(&summary, &Thresholds::default()), [error, slow(150, Slow::Absolute), repeated]);

        summary.errors = 0;
        summary.end = millis(1_050);
        summary.badges = Badges {
            longest_db: Some((Nanos::from_millis(30), "SELECT a".into())),
            repeated: Some((4, "SELECT b".into())),
            error: None,
        };
        assert_eq!(notes(&summary, &Thresholds::default()), [slow(30, Slow::Share)]);
        summary.end = millis(1_100);
        assert_eq!(notes(&summary, &Thresholds::default()), []);
    }

    #[test]
    fn an_exception_is_named_without_its_modules() {
        let cases = [
            ("sqlalchemy.exc.OperationalError", "OperationalError"),
            ("java.lang.IllegalStateException", "IllegalStateException"),
            ("NotFoundError", "NotFoundError"),
            ("cannot reach db.internal", "cannot reach db.internal"),
            ("10.0.0.5", "10.0.0.5"),
            ("WebhookError: 503.", "WebhookError: 503."),
        ];
        for (text, expected) in cases {
            assert_eq!(&*bare_type(&text.into()), expected);
        }
    }

    #[test]
    fn notes_read_as_words() {
        let label: Arc<str> = "SELECT * FROM visits WHERE id = ?".into();
        let slow =
            Note::SlowSql { duration: Nanos::from_millis(1_820), label: Arc::clone(&label), why: Slow::Absolute };
        let cases = [
            (Note::Error { count: 1, text: Some("NotFoundError".into()) }, "error NotFoundError"),
            (Note::Error { count: 1, text: None }, "error"),
            (slow, "slow SQL 1.82 s SELECT visits"),
            (Note::Repeated { count: 47, label }, "×47 SELECT visits"),
        ];
        for (note, expected) in cases {
            assert_eq!(note.to_string(), expected);
        }
    }
}
