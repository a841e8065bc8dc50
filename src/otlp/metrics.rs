//! How many data points an `ExportMetricsServiceRequest` carries. Metrics are counted and let go.

use super::check::Form;
use super::peek::service_name;
use super::reader::{Header, WireError};
use super::wire::{Broken, Cursor, Occurrences, bytes_key, numbers};
use crate::model::Text;

/// The data points of one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataPoints {
    /// `service.name` of the resource, if it has one.
    pub service: Option<Text>,
    /// How many there are, in all its metrics.
    pub count: u64,
}

/// Counts the data points of `body` by resource, in order. The framing is checked down to the data points, not
/// inside of them.
///
/// # Errors
/// Where the framing is broken.
pub fn count(body: &[u8]) -> Result<Vec<DataPoints>, WireError> {
    request(body).map_err(|broken| broken.within(body))
}

fn request(body: &[u8]) -> Result<Vec<DataPoints>, Broken> {
    const RESOURCE_METRICS: u64 = bytes_key(1);
    let mut counts = Vec::new();
    let mut cursor = Cursor::new(body);
    while !cursor.is_empty() {
        match cursor.varint()? {
            RESOURCE_METRICS => {
                let outer = cursor.bytes()?;
                let header = Header::read(outer, Form::Resource)?;
                let mut count = 0;
                for inner in Occurrences::new(outer, 2) {
                    Header::read(inner, Form::Scope)?;
                    for message in Occurrences::new(inner, 2) {
                        count += metric(message)?;
                    }
                }
                counts.push(DataPoints { service: service_name(&header.message).map(Text::from), count });
            }
            key => cursor.other(key, numbers(&[1]))?,
        }
    }
    Ok(counts)
}

/// The data points of one metric. Gauge, sum, both histograms and summary are a `oneof`: the last kind set counts.
fn metric(message: &[u8]) -> Result<u64, Broken> {
    const GAUGE: u64 = bytes_key(5);
    const SUM: u64 = bytes_key(7);
    const HISTOGRAM: u64 = bytes_key(9);
    const EXPONENTIAL_HISTOGRAM: u64 = bytes_key(10);
    const SUMMARY: u64 = bytes_key(11);
    let (mut kind, mut points) = (0, 0);
    let mut cursor = Cursor::new(message);
    while !cursor.is_empty() {
        match cursor.varint()? {
            key @ (GAUGE | SUM | HISTOGRAM | EXPONENTIAL_HISTOGRAM | SUMMARY) => {
                let here = data_points(cursor.bytes()?)?;
                points = if kind == key { points + here } else { here };
                kind = key;
            }
            key => cursor.other(key, numbers(&[5, 7, 9, 10, 11]))?,
        }
    }
    Ok(points)
}

fn data_points(message: &[u8]) -> Result<u64, Broken> {
    const DATA_POINT: u64 = bytes_key(1);
    let mut points = 0;
    let mut cursor = Cursor::new(message);
    while !cursor.is_empty() {
        match cursor.varint()? {
            DATA_POINT => {
                cursor.bytes()?;
                points += 1;
            }
            key => cursor.other(key, numbers(&[1]))?,
        }
    }
    Ok(points)
}

#[cfg(test)]
mod tests {
    use super::super::put::Writer;
    use super::*;

    /// A body with one metric that has a message with `points` data points in each field of `kinds`.
    fn body(kinds: &[(u32, usize)]) -> Vec<u8> {
        let mut out = Writer::default();
        let opens = [out.open(1), out.open(2), out.open(2)];
        for (kind, points) in kinds {
            let kind = out.open(*kind);
            (0..*points).for_each(|_| out.delimited(1, b""));
            out.close(&kind);
        }
        opens.iter().rev().for_each(|open| out.close(open));
        out.finish()
    }

    #[test]
    fn data_points_of_every_kind_of_metric_count() {
        for kind in [5, 7, 9, 10, 11] {
            let counts = count(&body(&[(kind, 3)])).unwrap();
            assert_eq!(counts, [DataPoints { service: None, count: 3 }]);
        }
        assert_eq!(count(&body(&[(5, 3), (5, 1)])).unwrap()[0].count, 4, "parts of one message add up");
        assert_eq!(count(&body(&[(5, 3), (7, 1)])).unwrap()[0].count, 1, "of a oneof the last is set");
        assert_eq!(count(&body(&[(6, 3)])).unwrap()[0].count, 0, "no such kind");
    }

    #[test]
    fn broken_framing_is_an_error() {
        let body = body(&[(5, 3)]);
        for end in 1..body.len() {
            assert!(count(&body[..end]).is_err(), "cut at {end}");
        }
    }
}
