//! Numbers in as few bytes as they need: seven bits a byte, the last one without the eighth (LEB128).

use crate::model::{Kind, Nanos, SpanId, SpanKey};

pub(super) fn put(number: u64, into: &mut Vec<u8>) {
    let mut left = number;
    while left >= 0x80 {
        into.push(left.to_le_bytes()[0] | 0x80);
        left >>= 7;
    }
    into.push(left.to_le_bytes()[0]);
}

/// What is left of some numbers; where it ends early, all further ones are 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packed<'a>(pub(super) &'a [u8]);

impl Packed<'_> {
    pub(super) fn take(&mut self) -> u64 {
        let (mut number, mut shift) = (0_u64, 0_u32);
        while let [byte, rest @ ..] = self.0 {
            self.0 = rest;
            number |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            if byte & 0x80 == 0 {
                break;
            }
            shift += 7;
        }
        number
    }

    pub(super) fn take_small(&mut self) -> u32 {
        u32::try_from(self.take()).unwrap_or(u32::MAX)
    }

    pub(super) fn take_bytes<const N: usize>(&mut self) -> [u8; N] {
        let Some((bytes, rest)) = self.0.split_first_chunk() else { return [0; N] };
        self.0 = rest;
        *bytes
    }

    /// The part that [`put_part`] put, which stands before what is left.
    pub(super) fn take_part(&mut self) -> Self {
        let length = usize::try_from(self.take()).unwrap_or(usize::MAX);
        let (part, rest) = self.0.split_at_checked(length).unwrap_or_default();
        self.0 = rest;
        Self(part)
    }
}

pub(super) fn put_part(part: &[u8], into: &mut Vec<u8>) {
    put(part.len() as u64, into);
    into.extend_from_slice(part);
}

pub(super) fn put_call((operation, duration, span): (u32, Nanos, SpanKey), into: &mut Vec<u8>) {
    put(operation.into(), into);
    put(duration.0, into);
    put(span.kind.0.cast_unsigned().into(), into);
    into.extend_from_slice(&span.id.0);
}

pub(super) fn take_call(from: &mut Packed<'_>) -> (u32, Nanos, SpanKey) {
    let (operation, duration) = (from.take_small(), Nanos(from.take()));
    let kind = Kind(from.take_small().cast_signed());
    (operation, duration, SpanKey { id: SpanId(from.take_bytes()), kind })
}

/// A number under a key: eight bytes, or fewer where it is whole and not large.
pub(super) fn put_number((key, number): (u32, f64), into: &mut Vec<u8>) {
    put(key.into(), into);
    if let Some(whole) = whole(number) {
        put(u64::from(whole) + 1, into);
    } else {
        put(0, into);
        into.extend_from_slice(&number.to_le_bytes());
    }
}

pub(super) fn take_number(from: &mut Packed<'_>) -> (u32, f64) {
    let key = from.take_small();
    let number = match from.take().checked_sub(1).and_then(|whole| u32::try_from(whole).ok()) {
        Some(whole) => f64::from(whole),
        None => f64::from_le_bytes(from.take_bytes()),
    };
    (key, number)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held against what it was")]
fn whole(number: f64) -> Option<u32> {
    let whole = number as u32;
    (f64::from(whole).to_bits() == number.to_bits()).then_some(whole)
}
