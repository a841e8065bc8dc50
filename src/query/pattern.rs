//! Contains: case-insensitive, with wildcards.

/// What `key:text` and bare words look for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    /// In lower case, in the order they must follow each other; none of them empty.
    parts: Vec<String>,
}

impl Pattern {
    /// `text` with `*` for anything; without wildcards where it was quoted.
    pub(super) fn new(text: &str, quoted: bool) -> Self {
        let lower = text.to_lowercase();
        let parts = if quoted { vec![lower] } else { lower.split('*').map(str::to_owned).collect() };
        Self { parts: parts.into_iter().filter(|part| !part.is_empty()).collect() }
    }

    /// Its longest part, in lower case; every text that holds the pattern has it in its own lower case.
    pub(super) fn part(&self) -> &str {
        self.parts.iter().max_by_key(|part| part.len()).map_or("", String::as_str)
    }

    /// Whether `text` holds it. An empty pattern is in everything.
    pub(super) fn is_in(&self, text: &str) -> bool {
        if text.is_ascii() {
            return self.follow(text.as_bytes());
        }
        self.follow(text.to_lowercase().as_bytes())
    }

    fn follow(&self, mut text: &[u8]) -> bool {
        for part in &self.parts {
            let Some(end) = find(text, part.as_bytes()) else { return false };
            text = text.get(end..).unwrap_or_default();
        }
        true
    }
}

/// Where the first occurrence of `part` (lower case, not empty) ends, ASCII letters of either case taken as equal.
fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    let first = part.first().copied()?;
    let last_start = text.len().checked_sub(part.len())?;
    let starts = memchr::memchr2_iter(first, first.to_ascii_uppercase(), text.get(..=last_start)?);
    let matches =
        |start: &usize| text.get(*start..*start + part.len()).is_some_and(|here| here.eq_ignore_ascii_case(part));
    starts.into_iter().find(matches).map(|start| start + part.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contains_ignores_case_and_stars_stand_for_anything() {
        let cases = [
            ("select*", "x SELECT 1", true),
            ("from*where", "select a FROM b Where c", true),
            ("where*from", "select a from b where c", false),
            ("", "", true),
            ("*", "anything", true),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("GRÖSSE", "die größe", false),
            ("GRÖẞE", "die größe", true),
            ("k", "\u{212a}elvin", true),
            ("abc", "ab", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(Pattern::new(pattern, false).is_in(text), expected, "{pattern} in {text}");
        }
        assert!(Pattern::new("t * FROM", true).is_in("SELECT * from a"));
        assert!(!Pattern::new("t*FROM", true).is_in("SELECT * from a"));
    }
}
