//! How a span compares with all others of its kind: of the same statement, or of the same service, name and kind.

use std::sync::Arc;

use crate::model::{Nanos, percentile};

/// What others of its kind took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Baseline {
    /// How many there are, this one included.
    pub of: u64,
    /// How many of them took less time.
    pub faster: u64,
    /// How many took more.
    pub slower: u64,
    /// Their median.
    pub p50: Nanos,
    /// Their 95th percentile.
    pub p95: Nanos,
    /// What they have in common.
    pub kin: Kin,
    /// There are more than were looked at: these are the newest.
    pub partial: bool,
}

/// What spans of a kind have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Kin {
    /// Service and statement, without its values.
    Statement(Arc<str>, Arc<str>),
    /// Service, name and kind.
    Operation(Arc<str>, Arc<str>, crate::model::Kind),
}

/// Of fewer spans a percentile says less than the place among them.
const FEW: u64 = 10;

impl Baseline {
    /// Compares `duration` with the durations of all of its kind, which are in order.
    #[must_use]
    pub fn new(duration: Nanos, all: &[u64], kin: Kin, partial: bool) -> Self {
        let at = |percent: usize| Nanos(percentile(all, percent).unwrap_or_default());
        let faster = all.partition_point(|other| *other < duration.0) as u64;
        let slower = (all.len() - all.partition_point(|other| *other <= duration.0)) as u64;
        Self { of: all.len() as u64, faster, slower, p50: at(50), p95: at(95), kin, partial }
    }

    /// The share of all that took less time, in percent, rounded down.
    #[must_use]
    pub fn percentile(&self) -> u64 {
        self.faster * 100 / self.of.max(1)
    }

    /// Short, for a place beside the duration: `p97 of 412`, among few `2nd slowest of 7`. `None` where there is nothing to
    /// compare with.
    #[must_use]
    pub fn short(&self) -> Option<String> {
        let Self { of, slower, .. } = *self;
        if of < 2 {
            return None;
        }
        let of_all = format!("{of}{}", if self.partial { "+" } else { "" });
        if of >= FEW {
            return Some(format!("p{} of {of_all}", self.percentile()));
        }
        Some(match slower {
            0 => format!("slowest of {of_all}"),
            1 => format!("2nd slowest of {of_all}"),
            2 => format!("3rd slowest of {of_all}"),
            more => format!("{}th slowest of {of_all}", more + 1),
        })
    }

    /// In one line: what is compared, with what, and what is usual.
    #[must_use]
    pub fn explain(&self, duration: Nanos) -> String {
        let what = match &self.kin {
            Kin::Statement(service, _) => format!("calls of this statement by {service}"),
            Kin::Operation(service, name, _) => format!("spans {name} of {service}"),
        };
        let Self { of, faster, p50, p95, .. } = self;
        if *of < 2 {
            return format!("{duration}: nothing to compare with, it is the only one held of {what}");
        }
        let newest = if self.partial { "newest " } else { "" };
        format!("{duration}: slower than {faster} of the {of} {newest}{what}; half take up to {p50}, 95 % up to {p95}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Kind;

    fn baseline(duration: u64, all: &[u64]) -> Baseline {
        Baseline::new(Nanos(duration), all, Kin::Operation("shop".into(), "GET /".into(), Kind::SERVER), false)
    }

    #[test]
    fn the_place_of_a_duration_is_told_by_percentile_or_among_few_by_rank() {
        let all: Vec<u64> = (1..=400).collect();
        let one = baseline(389, &all);
        assert_eq!((one.short().as_deref(), one.p50, one.p95), (Some("p97 of 400"), Nanos(200), Nanos(380)));
        assert_eq!(baseline(1, &all).short().as_deref(), Some("p0 of 400"));
        let few = |duration| baseline(duration, &[1, 2, 2, 9]).short();
        assert_eq!(few(9).as_deref(), Some("slowest of 4"));
        assert_eq!(few(2).as_deref(), Some("2nd slowest of 4"));
        assert_eq!(few(1).as_deref(), Some("4th slowest of 4"));
        assert_eq!(baseline(5, &[5]).short(), None);
        assert_eq!(baseline(5, &[]).short(), None);
    }

    #[test]
    fn the_explanation_names_what_is_compared() {
        assert_eq!(
            baseline(9, &[1, 2, 2, 9]).explain(Nanos(9)),
            "9 ns: slower than 3 of the 4 spans GET / of shop; half take up to 2 ns, 95 % up to 9 ns"
        );
        assert!(baseline(9, &[9]).explain(Nanos(9)).contains("nothing to compare with"));
    }
}
