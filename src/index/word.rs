//! How an attribute's value stands in a column: one 32-bit word, tag in the low three bits.

use crate::otlp::AttributeValue;

/// A value as a column has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word(pub(super) u32);

/// A [`Word`] taken apart. Offsets are into the arenas of the row's chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// A text in the segment's dictionary.
    Known(u32),
    /// A whole number of up to 29 bits.
    Small(i32),
    /// Nothing, `false`, `true`.
    Fixed(Fixed),
    /// A text of its own: offset of a length and the bytes.
    Text(u32),
    /// A whole number: place among the wide ones.
    Int(u32),
    /// A floating-point number: place among the wide ones.
    Double(u32),
    /// Raw bytes: offset of a length and the bytes.
    Bytes(u32),
    /// A `KeyValue` message that holds an array or a map, or, behind the last key of a shape, every further
    /// attribute as fields of a message: offset of a length and the bytes.
    Message(u32),
}

/// The values that need no payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fixed {
    Empty,
    False,
    True,
}

impl Word {
    /// Payloads are below this: 29 bits.
    pub(super) const LIMIT: u32 = 1 << 29;

    pub(super) fn new(slot: Slot) -> Self {
        let (tag, payload) = match slot {
            Slot::Known(id) => (0, id),
            Slot::Small(number) => (1, number.cast_unsigned() & (Self::LIMIT - 1)),
            Slot::Fixed(fixed) => (2, fixed as u32),
            Slot::Text(at) => (3, at),
            Slot::Int(at) => (4, at),
            Slot::Double(at) => (5, at),
            Slot::Bytes(at) => (6, at),
            Slot::Message(at) => (7, at),
        };
        Self(payload << 3 | tag)
    }

    pub(super) fn slot(self) -> Slot {
        let payload = self.0 >> 3;
        match self.0 & 7 {
            0 => Slot::Known(payload),
            1 => Slot::Small(self.0.cast_signed() >> 3),
            2 => Slot::Fixed(match payload {
                0 => Fixed::Empty,
                1 => Fixed::False,
                _ => Fixed::True,
            }),
            3 => Slot::Text(payload),
            4 => Slot::Int(payload),
            5 => Slot::Double(payload),
            6 => Slot::Bytes(payload),
            _ => Slot::Message(payload),
        }
    }

    /// Whether it stands for text.
    pub(super) fn is_text(self) -> bool {
        matches!(self.slot(), Slot::Known(_) | Slot::Text(_))
    }

    /// The word of a value that needs neither dictionary nor arena.
    pub(super) fn immediate(value: &AttributeValue<'_>) -> Option<Self> {
        let slot = match value {
            AttributeValue::Empty => Slot::Fixed(Fixed::Empty),
            AttributeValue::Bool(false) => Slot::Fixed(Fixed::False),
            AttributeValue::Bool(true) => Slot::Fixed(Fixed::True),
            AttributeValue::Int(number) => {
                let small = i32::try_from(*number).ok()?;
                Slot::Small(Some(small).filter(|small| (-(1 << 28)..1 << 28).contains(small))?)
            }
            _ => return None,
        };
        Some(Self::new(slot))
    }

    /// The same value after its chunk's arenas were appended to others that hold `text` bytes and `wide` numbers.
    pub(super) fn moved(self, text: u32, wide: u32) -> Self {
        match self.slot() {
            Slot::Text(at) => Self::new(Slot::Text(at + text)),
            Slot::Bytes(at) => Self::new(Slot::Bytes(at + text)),
            Slot::Message(at) => Self::new(Slot::Message(at + text)),
            Slot::Int(at) => Self::new(Slot::Int(at + wide)),
            Slot::Double(at) => Self::new(Slot::Double(at + wide)),
            Slot::Known(_) | Slot::Small(_) | Slot::Fixed(_) => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slot_survives_the_word() {
        let top = Word::LIMIT - 1;
        for slot in [
            Slot::Known(0),
            Slot::Known(top),
            Slot::Small(-(1 << 28)),
            Slot::Small(-1),
            Slot::Small((1 << 28) - 1),
            Slot::Fixed(Fixed::Empty),
            Slot::Fixed(Fixed::False),
            Slot::Fixed(Fixed::True),
            Slot::Text(top),
            Slot::Int(3),
            Slot::Double(4),
            Slot::Bytes(5),
            Slot::Message(top),
        ] {
            assert_eq!(Word::new(slot).slot(), slot);
        }
    }

    #[test]
    fn numbers_that_do_not_fit_are_not_immediate() {
        for (number, fits) in [(0, true), (-(1 << 28), true), (1 << 28, false), (i64::MIN, false), (i64::MAX, false)] {
            assert_eq!(Word::immediate(&AttributeValue::Int(number)).is_some(), fits, "{number}");
        }
    }
}
