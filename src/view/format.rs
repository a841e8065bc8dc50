//! Numbers, times and shares as a person reads them.

use jiff::tz::TimeZone;

pub(super) use crate::analysis::figures::{count, share};
use crate::model::{Nanos, Timestamp};

/// Something a second or a minute: `12.4`, `412`, `1,468`.
#[must_use]
pub(super) fn rate(rate: f64) -> String {
    match format!("{rate:.0}").parse() {
        Ok(whole) if rate >= 100.0 => count(whole),
        _ => format!("{rate:.1}"),
    }
}

/// How long ago: `2 s`, `3 m`, `4 h`, `5 d`.
#[must_use]
pub(super) fn age(since: Nanos) -> String {
    let seconds = since.0 / 1_000_000_000;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} m", seconds / 60),
        3_600..86_400 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// A size in bytes: `512 MiB`, `1.5 GiB`, `17 KiB`, `9 B`.
#[must_use]
pub(super) fn bytes(size: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if size < 1024 {
        return format!("{size} B");
    }
    let mut unit = 0;
    let mut tenths = u128::from(size) * 10 / 1024;
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    if tenths >= 100 || tenths % 10 == 0 {
        format!("{} {}", tenths / 10, UNITS[unit])
    } else {
        format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
    }
}

/// The time of day with milliseconds, local: `14:02:11.480`; `-` where it is not known.
#[must_use]
pub(super) fn time_of_day(at: Timestamp, zone: &TimeZone) -> String {
    zoned(at, zone).map_or_else(|| "-".to_owned(), |at| at.strftime("%H:%M:%S%.3f").to_string())
}

/// Date, time of day and zone, local: `2026-11-21 14:02:11.480 CET`.
#[must_use]
pub(super) fn date_and_time(at: Timestamp, zone: &TimeZone) -> String {
    zoned(at, zone).map_or_else(|| "-".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M:%S%.3f %Z").to_string())
}

/// The time of day to the minute, local: `14:02`.
#[must_use]
pub(super) fn clock(at: Timestamp, zone: &TimeZone) -> String {
    zoned(at, zone).map_or_else(|| "-".to_owned(), |at| at.strftime("%H:%M").to_string())
}

fn zoned(at: Timestamp, zone: &TimeZone) -> Option<jiff::Zoned> {
    if at.0 == 0 {
        return None;
    }
    let at = jiff::Timestamp::from_nanosecond(i128::from(at.0)).ok()?;
    Some(at.to_zoned(zone.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_ages_take_the_unit_that_fits() {
        let shown: Vec<_> = [9, 1024, 1_572_864, 536_870_912, 10_737_418_240].map(bytes).into();
        assert_eq!(shown, ["9 B", "1 KiB", "1.5 MiB", "512 MiB", "10 GiB"]);
        let shown: Vec<_> = [0, 59, 60, 7_300, 200_000].map(|s| age(Nanos::from_secs(s))).into();
        assert_eq!(shown, ["0 s", "59 s", "1 m", "2 h", "2 d"]);
    }

    #[test]
    fn times_are_told_in_the_zone_given() {
        let at = Timestamp(1_763_733_731_480_000_000);
        assert_eq!(time_of_day(at, &TimeZone::UTC), "14:02:11.480");
        assert_eq!(date_and_time(at, &TimeZone::UTC), "2025-11-21 14:02:11.480 UTC");
        assert_eq!(time_of_day(Timestamp(0), &TimeZone::UTC), "-");
    }
}
