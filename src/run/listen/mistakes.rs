//! Mistakes of senders, explained on standard error as they happen.

use std::collections::HashSet;
use std::io::{self, Write as _};

use crate::model::Mishap;
use crate::view::visible;

/// More different mistakes than anybody reads.
const MOST: usize = 100;

/// Tells of each mistake once: a sender that is set up wrongly repeats it with every export.
#[derive(Default)]
pub(in crate::run) struct Mistakes {
    told: HashSet<String>,
}

impl Mistakes {
    /// Tells what is new. Standard error that cannot be written is nobody's loss.
    pub(in crate::run) fn tell(&mut self, mishaps: &[Mishap]) {
        for line in self.news(mishaps) {
            let _ = writeln!(io::stderr(), "{line}");
        }
    }

    fn news(&mut self, mishaps: &[Mishap]) -> Vec<String> {
        let mut lines = Vec::new();
        for Mishap { what, advice, .. } in mishaps {
            if self.told.len() < MOST && self.told.insert(advice.clone()) {
                lines.push(format!("mistake: {}: {}", visible(what), visible(advice)));
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    #[test]
    fn each_mistake_is_explained_once_however_often_it_is_made() {
        let mishap = |from: u16, advice: &str, count| Mishap {
            at: Timestamp::default(),
            what: format!("POST / over HTTP/1.1 arrived at 4317 from 127.0.0.1:{from}"),
            advice: advice.to_owned(),
            count,
        };
        let mut mistakes = Mistakes::default();
        let told = mistakes.news(&[mishap(1, "the path is missing", 3), mishap(2, "http, not https\u{1b}[2J", 1)]);
        assert_eq!(told.len(), 2);
        assert!(told[0].ends_with("from 127.0.0.1:1: the path is missing"), "{told:?}");
        assert!(!told[1].contains('\u{1b}'), "{told:?}");
        assert!(mistakes.news(&[mishap(9, "the path is missing", 4)]).is_empty());
    }
}
