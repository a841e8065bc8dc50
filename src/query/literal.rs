//! Values as they are typed: numbers, lengths of time, moments.

use std::cmp::Ordering;

use crate::model::{Kind, Nanos, StatusCode, Timestamp};

/// What a condition compares with.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// Text; a number or truth value typed without quotes also equals an attribute of that type.
    Text {
        /// As typed, without its quotes.
        text: String,
        /// Typed in quotes: equals text only.
        quoted: bool,
    },
    /// A whole number.
    Int(i64),
    /// A floating-point number; finite.
    Float(f64),
    /// A truth value.
    Bool(bool),
    /// A length of time.
    Duration(Nanos),
    /// A point in time.
    Moment(Timestamp),
    /// A status.
    Status(StatusCode),
    /// A kind.
    Kind(Kind),
    /// Nothing: the attribute is not there.
    Nil,
}

impl Literal {
    /// Text without quotes.
    #[must_use]
    pub fn plain(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), quoted: false }
    }
}

/// A point in time as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// So long ago.
    Ago(Nanos),
    /// Then.
    At(Timestamp),
}

impl Moment {
    /// `15m` (ago), or a time as RFC 3339 has it.
    pub(super) fn read(text: &str) -> Option<Self> {
        if let Some(ago) = read_duration(text) {
            return Some(Self::Ago(ago));
        }
        let moment: jiff::Timestamp = text.parse().ok()?;
        u64::try_from(moment.as_nanosecond()).ok().map(|nanos| Self::At(Timestamp(nanos)))
    }

    /// As it can be read again.
    pub(super) fn spell(self) -> String {
        match self {
            Self::Ago(ago) => spell_duration(ago),
            Self::At(moment) => {
                let known = jiff::Timestamp::from_nanosecond(i128::from(moment.0));
                known.map_or_else(|_| moment.0.to_string(), |known| known.to_string())
            }
        }
    }

    /// When it is, now.
    pub(super) fn then(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(ago) => Timestamp(now.0.saturating_sub(ago.0)),
            Self::At(moment) => moment,
        }
    }
}

/// A number, exact where it is whole.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    Whole(i64),
    Broken(f64),
}

impl Number {
    /// The number that `text` is: `500`, `-1.5`, `2e3`. Whole numbers that 64 bits do not hold are none (they would
    /// equal their neighbours), nor is text that begins with a superfluous zero or plus: such text is an identifier.
    pub(super) fn read(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let first = digits.chars().next()?;
        let superfluous =
            digits.strip_prefix('0').is_some_and(|rest| rest.starts_with(|symbol: char| symbol.is_ascii_digit()));
        if !first.is_ascii_digit() || superfluous {
            return None;
        }
        if digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return text.parse().ok().map(Self::Whole);
        }
        text.parse().ok().filter(|number: &f64| number.is_finite()).map(Self::Broken)
    }

    #[expect(clippy::cast_precision_loss, reason = "a whole number beside a broken one is compared as one")]
    pub(super) fn float(self) -> f64 {
        match self {
            Self::Whole(number) => number as f64,
            Self::Broken(number) => number,
        }
    }

    /// `None` beside NaN.
    pub(super) fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Whole(one), Self::Whole(other)) => Some(one.cmp(&other)),
            _ => self.float().partial_cmp(&other.float()),
        }
    }
}

const UNITS: [(&str, u64); 11] = [
    ("y", 31_536_000_000_000_000),
    ("w", 604_800_000_000_000),
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ns", 1),
];

/// A length of time as Jaeger and Go write it: `100ms`, `1.5s`, `10us`, `1h30m`, and as Prometheus does: `2d`, `1w`, `1y`
/// (365 days). Parts below a nanosecond are cut off. `None` where it is not one, or longer than 64 bits of nanoseconds.
pub(super) fn read_duration(text: &str) -> Option<Nanos> {
    let mut total = 0_u64;
    let mut rest = text;
    while !rest.is_empty() {
        let number_end = rest.find(|symbol: char| !symbol.is_ascii_digit() && symbol != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at_checked(number_end)?;
        let unit_end = after.find(|symbol: char| symbol.is_ascii_digit() || symbol == '.').unwrap_or(after.len());
        let (unit, next) = after.split_at_checked(unit_end)?;
        let (_, size) = UNITS.iter().find(|(name, _)| *name == unit)?;
        total = total.checked_add(scaled(number, *size)?)?;
        rest = next;
    }
    (!text.is_empty()).then_some(Nanos(total))
}

/// A decimal number times `unit`, exactly.
fn scaled(number: &str, unit: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let mut total = u128::from(whole) * u128::from(unit);
    // Further digits are below a nanosecond in every unit.
    let mut part = u128::from(unit) * 1_000_000_000_000_000;
    let mut below = 0;
    for digit in fraction.bytes().take(15) {
        part /= 10;
        below += part * u128::from(digit - b'0');
    }
    total += below / 1_000_000_000_000_000;
    u64::try_from(total).ok()
}

/// A moment as it can be read again, to the nanosecond.
#[must_use]
pub fn spell_moment(at: Timestamp) -> String {
    Moment::At(at).spell()
}

/// A length of time as one number in the largest unit that holds it exactly.
#[must_use]
pub fn spell_duration(duration: Nanos) -> String {
    let exact = UNITS.iter().skip(3).find(|(_, size)| duration.0 > 0 && duration.0.is_multiple_of(*size));
    exact.map_or_else(|| format!("{}ms", duration.0), |(unit, size)| format!("{}{unit}", duration.0 / size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read_as_jaeger_writes_them() {
        let cases = [
            ("100ms", Some(100_000_000)),
            ("1.5s", Some(1_500_000_000)),
            ("10us", Some(10_000)),
            ("10µs", Some(10_000)),
            ("2m", Some(120_000_000_000)),
            ("1h", Some(3_600_000_000_000)),
            ("1h30m", Some(5_400_000_000_000)),
            (".5ms", Some(500_000)),
            ("0s", Some(0)),
            ("0.1234567891234567s", Some(123_456_789)),
            ("1.9ns", Some(1)),
            ("", None),
            ("100", None),
            ("ms", None),
            (".s", None),
            ("1.2.3s", None),
            ("-1s", None),
            ("1 s", None),
            ("1d", Some(86_400_000_000_000)),
            ("1x", None),
            ("99999999999h", None),
            ("99999999999999999999h", None),
        ];
        for (text, expected) in cases {
            assert_eq!(read_duration(text), expected.map(Nanos), "{text}");
        }
        for nanos in [0, 1, 999, 1_000, 1_500_000_000, 60_000_000_000, 7_200_000_000_000, u64::MAX] {
            assert_eq!(read_duration(&spell_duration(Nanos(nanos))), Some(Nanos(nanos)));
        }
    }

    #[test]
    fn numbers_are_exact_and_identifiers_are_none() {
        for text in ["", "-", "007", "+5", "1x", "inf", "NaN", "99999999999999999999", ".5", "1_000"] {
            assert_eq!(Number::read(text), None, "{text}");
        }
        let order = |one: &str, other: &str| Number::read(one).unwrap().compare(Number::read(other).unwrap());
        assert_eq!(order("9007199254740993", "9007199254740992"), Some(Ordering::Greater));
        assert_eq!(order("500", "500.0"), Some(Ordering::Equal));
        assert_eq!(order("-0.5", "1e3"), Some(Ordering::Less));
        assert_eq!(Number::Broken(f64::NAN).compare(Number::Whole(1)), None);
    }
}
