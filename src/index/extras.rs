//! What few spans have, kept beside the columns: a tag, a length and bytes each, in the order they came.

use super::chunk::{Chunk, narrow};

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extra {
    /// The bytes of an event's message.
    Event,
    /// The bytes of a link's message.
    Link,
    /// W3C trace state.
    TraceState,
    /// Status message.
    StatusMessage,
    /// Bytes of a parent id that is not a valid id.
    OddParent,
    /// A status code that does not fit into its column: four bytes.
    StatusCode,
    /// Dropped attributes, events and links: four bytes each.
    Dropped,
}

const TAGS: [Extra; 7] = [
    Extra::Event,
    Extra::Link,
    Extra::TraceState,
    Extra::StatusMessage,
    Extra::OddParent,
    Extra::StatusCode,
    Extra::Dropped,
];

/// Appends an entry for the row that is being filled: the one after the last.
pub(super) fn push(chunk: &mut Chunk, extra: Extra, bytes: &[u8]) {
    let row = narrow(chunk.rows());
    if chunk.extra_rows.last().is_none_or(|(last, _)| *last != row) {
        chunk.extra_rows.push((row, narrow(chunk.extras.len())));
    }
    chunk.extras.push(extra as u8);
    chunk.extras.extend_from_slice(&narrow(bytes.len()).to_le_bytes());
    chunk.extras.extend_from_slice(bytes);
}

/// The entries of one row.
pub(super) fn iter(mut rest: &[u8]) -> impl Iterator<Item = (Extra, &[u8])> {
    std::iter::from_fn(move || {
        let [tag, a, b, c, d, after @ ..] = rest else { return None };
        let (bytes, after) = after.split_at_checked(u32::from_le_bytes([*a, *b, *c, *d]) as usize)?;
        rest = after;
        Some((*TAGS.get(usize::from(*tag))?, bytes))
    })
}

/// The bytes of the first entry of a sort; empty where there is none.
pub(super) fn first(extras: &[u8], wanted: Extra) -> &[u8] {
    iter(extras).find(|(extra, _)| *extra == wanted).map(|(_, bytes)| bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_back_in_order() {
        let mut chunk = Chunk::default();
        for (place, extra) in TAGS.iter().enumerate() {
            assert_eq!(*extra as usize, place);
            push(&mut chunk, *extra, &vec![7; place]);
        }
        let read: Vec<_> = iter(chunk.extras(0)).map(|(extra, bytes)| (extra, bytes.len())).collect();
        assert_eq!(read, TAGS.iter().copied().zip(0..).collect::<Vec<_>>());
        assert_eq!(first(chunk.extras(0), Extra::Link), [7]);
        assert!(chunk.extras(1).is_empty());
    }
}
