//! Who lost patience, and who was cancelled for it.

/// Whether an exception of this type, or this message, says that somebody waited long enough.
pub(in crate::analysis) fn is_timeout(kind: &str, message: &str) -> bool {
    says((kind, message), &["timeout", "timed out", "time out", "deadline"])
}

/// Whether it says that somebody else ended it.
pub(in crate::analysis) fn is_cancelled(kind: &str, message: &str) -> bool {
    says((kind, message), &["cancel", "abort"]) && !is_timeout(kind, message)
}

fn says((kind, message): (&str, &str), words: &[&str]) -> bool {
    let (kind, message) = (kind.to_lowercase(), message.to_lowercase());
    words.iter().any(|word| kind.contains(word) || message.contains(word))
}
