//! Trace, span and source ids.

use std::fmt;

/// A trace id: 16 bytes, shown as 32 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct TraceId(pub [u8; 16]);

/// A span id: 8 bytes, shown as 16 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct SpanId(pub [u8; 8]);

/// Which source a span came from: an index into [`super::Health::sources`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Debug)]
pub struct SourceId(pub u16);

/// What tells a span from the others of its trace.
///
/// The kind belongs to it because senders in the Zipkin tradition give the client and the server side of
/// one call the same span id.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Debug)]
pub struct SpanKey {
    /// The span's id.
    pub id: SpanId,
    /// The span's kind.
    pub kind: super::Kind,
}

impl TraceId {
    /// The id in `bytes`, or `None` where the length is wrong or every byte is zero (invalid by the
    /// OpenTelemetry specification).
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        let id: [u8; 16] = bytes.try_into().ok()?;
        (id != [0; 16]).then_some(Self(id))
    }

    /// The id written in `hex`: up to 32 hex digits of any case; shorter ones are padded with zeros on the
    /// left, as Jaeger prints ids whose high half is zero.
    #[must_use]
    pub fn from_hex(hex: &str) -> Option<Self> {
        let mut id = [0; 16];
        decode_hex(hex, &mut id)?;
        (id != [0; 16]).then_some(Self(id))
    }
}

impl SpanId {
    /// The id in `bytes`, or `None` where the length is wrong or every byte is zero.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        let id: [u8; 8] = bytes.try_into().ok()?;
        (id != [0; 8]).then_some(Self(id))
    }

    /// The id written in `hex`: up to 16 hex digits of any case, padded on the left.
    #[must_use]
    pub fn from_hex(hex: &str) -> Option<Self> {
        let mut id = [0; 8];
        decode_hex(hex, &mut id)?;
        (id != [0; 8]).then_some(Self(id))
    }
}

fn decode_hex(hex: &str, out: &mut [u8]) -> Option<()> {
    let digits = hex.as_bytes();
    if digits.is_empty() || digits.len() > out.len() * 2 {
        return None;
    }
    let length = out.len();
    for (place, digit) in digits.iter().rev().enumerate() {
        let value = u8::try_from(char::from(*digit).to_digit(16)?).ok()?;
        out[length - 1 - place / 2] |= value << (4 * (place % 2));
    }
    Some(())
}

fn write_hex(bytes: &[u8], out: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
}

impl fmt::Display for TraceId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, out)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, out)
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, out)
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, out)
    }
}

/// Bytes in hexadecimal, lower case, two digits each: ids as they came, which may be of any length.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_round_trips_and_short_ids_are_padded() {
        let id = TraceId::from_hex("5B8EFFF798038103D269B633813FC60C").unwrap();
        assert_eq!(id.to_string(), "5b8efff798038103d269b633813fc60c");
        assert_eq!(TraceId::from_hex("abc").unwrap().to_string(), "00000000000000000000000000000abc");
        assert_eq!(SpanId::from_hex("0"), None);
        assert_eq!(SpanId::from_hex("xyz"), None);
        assert_eq!(SpanId::from_slice(&[1; 7]), None);
    }
}
