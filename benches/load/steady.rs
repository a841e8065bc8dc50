//! Whether memory stays where it is.

/// How memory went once the budget was reached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Trend {
    /// Mean of the last third over the mean of the middle third, minus one.
    pub(crate) thirds: f64,
    /// The line of least squares: its rise over the time looked at, as a share of the mean.
    pub(crate) rise: f64,
}

/// More than this share up is not flat. What allocators do moves two minutes' figures by up to 4 %; a leak of eight bytes a
/// span at 20,000 spans a second shows in them, one of a quarter of a byte in an hour.
const FLAT: f64 = 0.05;

impl Trend {
    /// Of samples at even distances, without the first quarter, in which the budget fills. None where there are too few.
    #[expect(clippy::cast_precision_loss, reason = "sizes of memory and counts of samples")]
    pub(crate) fn of(samples: &[u64]) -> Option<Self> {
        let late: Vec<f64> = samples.iter().skip(samples.len() / 4).map(|bytes| *bytes as f64).collect();
        let third = late.len() / 3;
        if third < 4 {
            return None;
        }
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let (middle, last) = (late.get(third..third * 2)?, late.get(late.len() - third..)?);
        let (centre, level) = ((late.len() - 1) as f64 / 2.0, mean(&late));
        let points = || late.iter().enumerate().map(|(place, bytes)| (place as f64 - centre, bytes - level));
        let slope = points().map(|(x, y)| x * y).sum::<f64>() / points().map(|(x, _)| x * x).sum::<f64>();
        Some(Self { thirds: mean(last) / mean(middle) - 1.0, rise: slope * late.len() as f64 / level })
    }

    /// Whether it does not grow.
    pub(crate) fn is_flat(self) -> bool {
        self.thirds <= FLAT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_budget_is_flat_and_a_leak_is_not() {
        let flat = |sample: &dyn Fn(u64) -> u64| Trend::of(&(0..240).map(sample).collect::<Vec<_>>()).unwrap();
        let filling = flat(&|at| 1000 + at.min(70) * 10);
        assert!(filling.is_flat() && filling.rise < 0.03, "{filling:?}");
        assert!(flat(&|at| 1000 + at % 8 * 20).is_flat(), "segments come and go");
        let leak = flat(&|at| 1000 + at);
        assert!(!leak.is_flat() && leak.rise > 0.1, "{leak:?}");
        assert_eq!(Trend::of(&[1; 10]), None);
    }
}
