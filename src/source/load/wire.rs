//! Writes protobuf.

/// A message that is being written.
#[derive(Clone, Debug, Default)]
pub(super) struct Message {
    bytes: Vec<u8>,
}

/// Appends a varint.
fn varint(into: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        into.push(u8::try_from(value & 0x7f).unwrap_or_default() | 0x80);
        value >>= 7;
    }
    into.push(u8::try_from(value).unwrap_or_default());
}

/// Appends a length-delimited field.
pub(super) fn field(into: &mut Vec<u8>, number: u64, bytes: &[u8]) {
    varint(into, number << 3 | 2);
    varint(into, bytes.len() as u64);
    into.extend_from_slice(bytes);
}

impl Message {
    /// The message's bytes.
    pub(super) fn finish(self) -> Vec<u8> {
        self.bytes
    }

    /// A string, bytes or message field.
    pub(super) fn bytes(&mut self, number: u64, bytes: &[u8]) {
        field(&mut self.bytes, number, bytes);
    }

    /// A string field.
    pub(super) fn text(&mut self, number: u64, text: &str) {
        self.bytes(number, text.as_bytes());
    }

    /// Fields that are encoded already.
    pub(super) fn raw(&mut self, fields: &[u8]) {
        self.bytes.extend_from_slice(fields);
    }

    /// A varint field.
    pub(super) fn number(&mut self, number: u64, value: u64) {
        varint(&mut self.bytes, number << 3);
        varint(&mut self.bytes, value);
    }

    /// A fixed64 field.
    pub(super) fn fixed64(&mut self, number: u64, value: u64) {
        varint(&mut self.bytes, number << 3 | 1);
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// A fixed32 field.
    pub(super) fn fixed32(&mut self, number: u64, value: u32) {
        varint(&mut self.bytes, number << 3 | 5);
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    fn attribute(&mut self, number: u64, key: &str, value: &[u8]) {
        let mut pair = Vec::with_capacity(key.len() + value.len() + 6);
        field(&mut pair, 1, key.as_bytes());
        field(&mut pair, 2, value);
        self.bytes(number, &pair);
    }

    /// An attribute with a text, as field `number`.
    pub(super) fn text_attribute(&mut self, number: u64, key: &str, text: &str) {
        let mut value = Vec::with_capacity(text.len() + 3);
        field(&mut value, 1, text.as_bytes());
        self.attribute(number, key, &value);
    }

    /// An attribute with a whole number, as field `number`.
    pub(super) fn int_attribute(&mut self, number: u64, key: &str, int: u64) {
        let mut value = vec![3 << 3];
        varint(&mut value, int);
        self.attribute(number, key, &value);
    }
}

/// A stream of random numbers: splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
#[derive(Clone, Debug)]
pub(super) struct Random(pub(super) u64);

impl Random {
    /// The next number.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    /// One of `list`.
    pub(super) fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        let place = usize::try_from(self.below(list.len() as u64)).unwrap_or_default();
        list[place]
    }

    /// True so many times out of a hundred.
    pub(super) fn percent(&mut self, share: u64) -> bool {
        self.below(100) < share
    }
}
