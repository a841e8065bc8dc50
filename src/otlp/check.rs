//! Whether the framing of a message is whole, to its full depth.
//!
//! Not recursive: values may nest a million deep. A parent is remembered only while something of it is left after
//! its child, so the usual nesting needs no memory at all, and a hostile one a few bytes a level.

use smallvec::SmallVec;

use super::wire::{Broken, Cursor, bytes_key, fixed32_key, fixed64_key, numbers, varint_key};

/// The messages of OTLP that can be checked. The numbers of their fields are in the `.proto` files of
/// <https://github.com/open-telemetry/opentelemetry-proto>.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Value,
    Array,
    Map,
    Pair,
    Resource,
    EntityRef,
    Scope,
    Event,
    Link,
    LogsRequest,
    ResourceLogs,
    ScopeLogs,
    LogRecord,
}

/// What a field holds.
enum Content {
    Varint,
    Fixed32,
    Fixed64,
    Bytes,
    Message(Form),
}

impl Form {
    /// What the field with `key` holds, if this message has it with that wire type.
    fn content(self, key: u64) -> Option<Content> {
        let number = key >> 3;
        let content = match (self, number) {
            (Self::Value, 1 | 7)
            | (Self::Pair, 1)
            | (Self::EntityRef, 1..=4)
            | (Self::Scope, 1 | 2)
            | (Self::Event, 2)
            | (Self::Link, 1..=3)
            | (Self::ResourceLogs | Self::ScopeLogs, 3)
            | (Self::LogRecord, 3 | 9 | 10 | 12) => Content::Bytes,
            (Self::Value, 2 | 3 | 8)
            | (Self::Pair, 3)
            | (Self::Resource | Self::LogRecord, 2)
            | (Self::Scope | Self::Event, 4)
            | (Self::Link, 5)
            | (Self::LogRecord, 7) => Content::Varint,
            (Self::Value, 4) | (Self::Event, 1) | (Self::LogRecord, 1 | 11) => Content::Fixed64,
            (Self::Link, 6) | (Self::LogRecord, 8) => Content::Fixed32,
            (Self::Value, 5) => Content::Message(Self::Array),
            (Self::Value, 6) => Content::Message(Self::Map),
            (Self::Array, 1) | (Self::Pair, 2) | (Self::LogRecord, 5) => Content::Message(Self::Value),
            (Self::Map | Self::Resource, 1)
            | (Self::Scope | Self::Event, 3)
            | (Self::Link, 4)
            | (Self::LogRecord, 6) => Content::Message(Self::Pair),
            (Self::Resource, 3) => Content::Message(Self::EntityRef),
            (Self::LogsRequest, 1) => Content::Message(Self::ResourceLogs),
            (Self::ResourceLogs, 1) => Content::Message(Self::Resource),
            (Self::ResourceLogs, 2) => Content::Message(Self::ScopeLogs),
            (Self::ScopeLogs, 1) => Content::Message(Self::Scope),
            (Self::ScopeLogs, 2) => Content::Message(Self::LogRecord),
            _ => return None,
        };
        let expected = match content {
            Content::Varint => varint_key(number),
            Content::Fixed32 => fixed32_key(number),
            Content::Fixed64 => fixed64_key(number),
            Content::Bytes | Content::Message(_) => bytes_key(number),
        };
        (key == expected).then_some(content)
    }

    /// The numbers of its fields.
    const fn known(self) -> u32 {
        match self {
            Self::Value => numbers(&[1, 2, 3, 4, 5, 6, 7, 8]),
            Self::Array | Self::Map | Self::LogsRequest => numbers(&[1]),
            Self::Pair | Self::Resource | Self::ResourceLogs | Self::ScopeLogs => numbers(&[1, 2, 3]),
            Self::EntityRef | Self::Scope | Self::Event => numbers(&[1, 2, 3, 4]),
            Self::Link => numbers(&[1, 2, 3, 4, 5, 6]),
            Self::LogRecord => numbers(&[1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12]),
        }
    }
}

/// Checks `message`, which has the form `form`. Time is linear in its length; memory at most eight bytes for each
/// open parent that goes on after its child.
pub(super) fn check(message: &[u8], form: Form) -> Result<(), Broken> {
    let mut open: SmallVec<[(u32, Form); 16]> = SmallVec::new();
    let Ok(mut end) = u32::try_from(message.len()) else {
        return Err(Broken::new(message, "a message has four gigabytes or more"));
    };
    let mut form = form;
    let mut cursor = Cursor::new(message);
    loop {
        while !cursor.is_empty() {
            let key = cursor.varint()?;
            match form.content(key) {
                Some(Content::Message(inner)) => {
                    let child = cursor.bytes()?;
                    let left = u32::try_from(cursor.len()).unwrap_or_default();
                    if left > 0 {
                        open.push((end, form));
                    }
                    end -= left;
                    (form, cursor) = (inner, Cursor::new(child));
                }
                Some(Content::Bytes) => drop(cursor.bytes()?),
                Some(Content::Varint) => drop(cursor.varint()?),
                Some(Content::Fixed32) => drop(cursor.fixed32()?),
                Some(Content::Fixed64) => drop(cursor.fixed64()?),
                None => cursor.other(key, form.known())?,
            }
        }
        let Some((outer, parent)) = open.pop() else { return Ok(()) };
        let rest = message.get(end as usize..outer as usize).unwrap_or_default();
        (end, form, cursor) = (outer, parent, Cursor::new(rest));
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::VecDeque;

    use super::*;

    /// An `AnyValue` message with `levels` arrays inside each other around the number 7, each array and value
    /// followed by `after` in the message that holds it.
    pub(crate) fn nested(levels: usize, after: &[u8]) -> Vec<u8> {
        let mut message = VecDeque::from([0x18, 7]);
        for _ in 0..levels {
            for key in [bytes_key(1), bytes_key(5)] {
                let mut length = message.len();
                let mut prefix = vec![key.to_le_bytes()[0]];
                while length >= 0x80 {
                    prefix.push(length.to_le_bytes()[0] | 0x80);
                    length >>= 7;
                }
                prefix.push(length.to_le_bytes()[0]);
                prefix.iter().rev().for_each(|byte| message.push_front(*byte));
                message.extend(after);
            }
        }
        message.into()
    }

    /// An unknown field.
    pub(crate) const UNKNOWN: [u8; 3] = [0x98, 0x06, 0x05];

    #[test]
    fn values_of_any_depth_are_checked_to_the_bottom() {
        for after in [&[][..], &UNKNOWN] {
            let mut message = nested(200_000, after);
            assert!(check(&message, Form::Value).is_ok());
            let bottom = message.windows(2).position(|pair| pair == [0x18, 7]).unwrap();
            message[bottom] = 0x1f;
            let broken = check(&message, Form::Value).unwrap_err().within(&message);
            assert_eq!(broken.offset, bottom + 1);
        }
    }

    #[test]
    fn a_broken_end_behind_deep_nesting_is_found() {
        let mut message = nested(1_000, &UNKNOWN);
        message.push(0x48);
        let broken = check(&message, Form::Value).unwrap_err().within(&message);
        assert_eq!((broken.offset, broken.what), (message.len(), "a number is cut off"));
    }
}
