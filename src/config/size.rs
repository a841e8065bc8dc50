//! Sizes and lengths of time as people write them.

use crate::model::Nanos;

/// A size in bytes from `512MiB`, `512m`, `2G`, `1.5GiB` or a plain number. Units are powers of 1024.
#[must_use]
pub fn parse_size(text: &str) -> Option<u64> {
    let (number, unit) = split(text)?;
    let shift: u8 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        _ => return None,
    };
    scale(number, f64::from(shift).exp2())
}

/// A length of time from `100ms`, `1.5s`, `10us`, `2m`, `1h`.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Nanos> {
    let (number, unit) = split(text)?;
    let nanos = match unit {
        "ns" => 1.0,
        "us" | "µs" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        "m" => 60e9,
        "h" => 3600e9,
        _ => return None,
    };
    scale(number, nanos).map(Nanos)
}

fn split(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    Some((number.parse().ok()?, unit.trim()))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be in range")]
fn scale(number: f64, by: f64) -> Option<u64> {
    let scaled = number * by;
    (0.0..9e18).contains(&scaled).then_some(scaled as u64)
}
