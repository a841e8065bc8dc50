//! Points in time and lengths of time, in nanoseconds.

use std::fmt;

/// Nanoseconds since the Unix epoch, as OTLP sends them. Zero means "not given".
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Debug)]
pub struct Timestamp(pub u64);

/// A length of time in nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Debug)]
pub struct Nanos(pub u64);

impl Timestamp {
    /// How long after `earlier` this is; zero where it is before.
    #[must_use]
    pub fn since(self, earlier: Self) -> Nanos {
        Nanos(self.0.saturating_sub(earlier.0))
    }

    /// The point in time `span` later, at most the last there is.
    #[must_use]
    pub fn plus(self, span: Nanos) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Nanos {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A length of time given in milliseconds.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// A length of time given in seconds.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000_000_000))
    }
}

/// Three significant digits and a unit: `1.82 s`, `288 ms`, `9.8 ms`, `412 µs`; from a minute on `1m 23s`, from an hour
/// on `30h 0m`; nothing at all is `0`.
impl fmt::Display for Nanos {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.0 {
            0 => "0".to_owned(),
            // What rounds up to the next unit is written in it.
            nanos @ 1..1_000 => format!("{nanos} ns"),
            nanos @ 1_000..999_500 => three_digits(nanos, 1_000, "µs"),
            nanos @ 999_500..999_500_000 => three_digits(nanos, 1_000_000, "ms"),
            nanos @ 999_500_000..59_950_000_000 => three_digits(nanos, 1_000_000_000, "s"),
            nanos => {
                let seconds = nanos / 1_000_000_000 + u64::from(nanos % 1_000_000_000 >= 500_000_000);
                let minutes = seconds / 60;
                if minutes < 60 {
                    format!("{minutes}m {}s", seconds % 60)
                } else {
                    format!("{}h {}m", minutes / 60, minutes % 60)
                }
            }
        };
        out.pad(&text)
    }
}

/// `nanos` in `unit`s, rounded to three digits, without zeros at the end of a fraction.
fn three_digits(nanos: u64, unit: u64, name: &str) -> String {
    let step = match nanos {
        _ if nanos * 1_000 < unit * 9_995 => unit / 100,
        _ if nanos * 100 < unit * 9_995 => unit / 10,
        _ => unit,
    };
    let rounded = (nanos + step / 2) / step * step;
    let whole = rounded / unit;
    let hundredths = rounded % unit * 100 / unit;
    match (hundredths / 10, hundredths % 10) {
        (0, 0) => format!("{whole} {name}"),
        (tenths, 0) => format!("{whole}.{tenths} {name}"),
        _ => format!("{whole}.{hundredths:02} {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_three_digits_and_a_unit() {
        let cases = [
            (0, "0"),
            (1, "1 ns"),
            (999, "999 ns"),
            (1_000, "1 µs"),
            (1_005, "1.01 µs"),
            (412_000, "412 µs"),
            (999_499, "999 µs"),
            (999_500, "1 ms"),
            (9_800_000, "9.8 ms"),
            (9_994_999, "9.99 ms"),
            (9_995_000, "10 ms"),
            (12_340_000, "12.3 ms"),
            (99_949_999, "99.9 ms"),
            (99_950_000, "100 ms"),
            (288_400_000, "288 ms"),
            (1_820_000_000, "1.82 s"),
            (2_000_000_000, "2 s"),
            (59_949_999_999, "59.9 s"),
            (59_950_000_000, "1m 0s"),
            (83_000_000_000, "1m 23s"),
            (3_599_499_999_999, "59m 59s"),
            (3_599_500_000_000, "1h 0m"),
            (108_000_000_000_000, "30h 0m"),
            (u64::MAX, "5124095h 34m"),
        ];
        for (nanos, expected) in cases {
            assert_eq!(Nanos(nanos).to_string(), expected);
        }
        assert_eq!(format!("{:>8}", Nanos(412_000)), "  412 µs");
    }
}
