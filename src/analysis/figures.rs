//! Counts and shares as a person reads them.

use crate::model::Nanos;

/// `31,907`.
#[must_use]
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A share in percent without its sign: `100`, `79`, `9.4`, `0.3`, `0`.
#[must_use]
pub fn share(part: Nanos, whole: Nanos) -> String {
    if whole.0 == 0 || part.0 == 0 {
        return "0".to_owned();
    }
    let tenths = (u128::from(part.0) * 1000 + u128::from(whole.0) / 2) / u128::from(whole.0);
    if tenths >= 100 { ((tenths + 5) / 10).to_string() } else { format!("{}.{}", tenths / 10, tenths % 10) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_separators() {
        let shown: Vec<_> = [0, 999, 1_000, 31_907, 1_234_567].map(count).into();
        assert_eq!(shown, ["0", "999", "1,000", "31,907", "1,234,567"]);
    }

    #[test]
    fn shares_are_short_and_small_ones_have_a_decimal() {
        let shown: Vec<_> = [2310, 1820, 216, 7, 1, 0].map(|part| share(Nanos(part), Nanos(2310))).into();
        assert_eq!(shown, ["100", "79", "9.4", "0.3", "0.0", "0"]);
    }
}
