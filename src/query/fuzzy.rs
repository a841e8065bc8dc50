//! Ranking by what was typed.

use fuzzy_matcher::FuzzyMatcher;
use fuzzy_matcher::skim::SkimMatcherV2;

/// How well `text` answers to `pattern`: higher is better, `None` where it does not. Case does not matter. An empty
/// pattern answers to everything alike.
#[must_use]
pub fn fuzzy(pattern: &str, text: &str) -> Option<i64> {
    matcher().fuzzy_match(text, pattern)
}

/// The matcher behind [`fuzzy`], for ranking many.
pub(super) fn matcher() -> SkimMatcherV2 {
    SkimMatcherV2::default().ignore_case()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_in_order_answer_and_the_closer_is_better() {
        assert!(fuzzy("hsc", "http.status_code").is_some());
        assert!(fuzzy("csh", "http.status_code").is_none());
        assert!(fuzzy("stat", "status") > fuzzy("stat", "sxtxaxtxus"));
        assert_eq!(fuzzy("", "a"), fuzzy("", "bcd"));
        assert!(fuzzy("STATUS", "http.status_code").is_some());
    }
}
