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
