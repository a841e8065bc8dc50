//! Writing protobuf by hand: tags, varints, and nested messages whose length is known only once they end.

/// The wire types that OTLP needs. <https://protobuf.dev/programming-guides/encoding/>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    /// Variable-length integer.
    Varint = 0,
    /// Eight bytes, little endian.
    Fixed64 = 1,
    /// A length, then that many bytes.
    Delimited = 2,
    /// Four bytes, little endian.
    Fixed32 = 5,
}

/// A protobuf message in the making.
///
/// A nested message leaves a hole of one byte for its length. Most are shorter than 128 bytes, for which one byte
/// is right; the others are remembered and their holes are widened in one pass by [`Writer::finish`]. So the work
/// is linear in the size of the message at any depth of nesting, and every length has its shortest encoding.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
    wide: Vec<Hole>,
    growth: usize,
}

/// A hole that is too narrow for its length.
#[derive(Debug)]
struct Hole {
    at: usize,
    length: usize,
}

/// A nested message that has begun.
#[must_use]
#[derive(Debug)]
pub(crate) struct Open {
    at: usize,
    growth: usize,
}

/// A state of the writer to which it can be taken back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    bytes: usize,
    wide: usize,
    growth: usize,
}

impl Writer {
    /// A writer that expects about `capacity` bytes.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self { bytes: Vec::with_capacity(capacity), ..Self::default() }
    }

    /// Bytes written so far, but for what long lengths will add.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Writes a field's tag.
    #[inline]
    pub(crate) fn tag(&mut self, field: u32, wire: Wire) {
        self.varint(u64::from(field << 3 | wire as u32));
    }

    /// Writes a variable-length integer, without a tag.
    #[inline]
    pub(crate) fn varint(&mut self, value: u64) {
        put_varint(&mut self.bytes, value);
    }

    /// Writes bytes as they are, without a tag or a length.
    #[inline]
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Writes a whole field of text or bytes.
    #[inline]
    pub(crate) fn delimited(&mut self, field: u32, bytes: &[u8]) {
        self.tag(field, Wire::Delimited);
        self.varint(bytes.len() as u64);
        self.raw(bytes);
    }

    /// The buffer, for a decoder that appends to it.
    #[inline]
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Begins a nested message (or text or bytes of a length not known yet).
    #[inline]
    pub(crate) fn open(&mut self, field: u32) -> Open {
        self.tag(field, Wire::Delimited);
        let open = Open { at: self.bytes.len(), growth: self.growth };
        self.bytes.push(0);
        open
    }

    /// Ends a nested message.
    #[inline]
    pub(crate) fn close(&mut self, open: &Open) {
        let length = self.bytes.len() - open.at - 1 + (self.growth - open.growth);
        match u8::try_from(length) {
            Ok(short) if short < 0x80 => self.bytes[open.at] = short,
            _ => {
                self.wide.push(Hole { at: open.at, length });
                self.growth += varint_width(length as u64) - 1;
            }
        }
    }

    /// The current state.
    #[inline]
    pub(crate) fn mark(&self) -> Mark {
        Mark { bytes: self.bytes.len(), wide: self.wide.len(), growth: self.growth }
    }

    /// Forgets everything written since `mark`.
    pub(crate) fn rewind(&mut self, mark: Mark) {
        self.bytes.truncate(mark.bytes);
        self.wide.truncate(mark.wide);
        self.growth = mark.growth;
    }

    /// The finished message.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        if self.wide.is_empty() {
            return self.bytes;
        }
        // Inner messages end before outer ones, so the holes are not in the order of the bytes.
        self.wide.sort_unstable_by_key(|hole| hole.at);
        let mut out = Vec::with_capacity(self.bytes.len() + self.growth);
        let mut from = 0;
        for hole in &self.wide {
            out.extend_from_slice(&self.bytes[from..hole.at]);
            put_varint(&mut out, hole.length as u64);
            from = hole.at + 1;
        }
        out.extend_from_slice(&self.bytes[from..]);
        out
    }
}

#[inline]
fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            out.push(low & 0x7f);
            return;
        }
        out.push(low | 0x80);
    }
}

/// How many bytes `value` takes as a varint.
fn varint_width(value: u64) -> usize {
    let bits = (u64::BITS - value.leading_zeros()).max(1);
    bits.div_ceil(7) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_are_as_prost_writes_them() {
        for value in [0, 1, 127, 128, 300, 16_383, 16_384, 1 << 35, u64::MAX] {
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            put_varint(&mut ours, value);
            prost::encoding::encode_varint(value, &mut theirs);
            assert_eq!(ours, theirs, "{value}");
            assert_eq!(varint_width(value), theirs.len(), "{value}");
        }
    }

    #[test]
    fn nested_lengths_are_the_shortest_at_any_depth() {
        let mut writer = Writer::default();
        let opens: Vec<Open> = (0..300).map(|_| writer.open(1)).collect();
        writer.raw(b"the core");
        for open in opens.iter().rev() {
            writer.close(open);
        }
        let mut expected = b"the core".to_vec();
        for _ in 0..300 {
            let mut outer = vec![0x0a];
            put_varint(&mut outer, expected.len() as u64);
            outer.extend(expected);
            expected = outer;
        }
        assert_eq!(writer.finish(), expected);
    }

    #[test]
    fn rewound_bytes_leave_no_trace() {
        let mut writer = Writer::default();
        let outer = writer.open(1);
        writer.delimited(2, b"kept");
        let mark = writer.mark();
        let inner = writer.open(3);
        writer.raw(&[7; 1_000]);
        writer.close(&inner);
        writer.rewind(mark);
        writer.close(&outer);
        assert_eq!(writer.finish(), b"\x0a\x06\x12\x04kept");
    }
}
