//! The cursor over protobuf wire bytes that every reader of this room shares.
//!
//! The encoding: <https://protobuf.dev/programming-guides/encoding/>. What is accepted and refused is what prost
//! accepts and refuses, except that text is not checked for UTF-8 and messages may nest as deep as they like.

/// Why a body was refused whole: its protobuf framing is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("broken protobuf at byte {offset}: {what}")]
pub struct WireError {
    /// Where in the body, in bytes.
    pub offset: usize,
    /// What is wrong there.
    pub what: &'static str,
}

/// A [`WireError`] before its offset is known. Nested messages are slices that know nothing of the body around
/// them, so the place is remembered by its address and compared with the body's at the door.
#[derive(Clone, Copy, Debug)]
pub(super) struct Broken {
    address: usize,
    what: &'static str,
}

impl Broken {
    #[cold]
    pub(super) fn new(at: &[u8], what: &'static str) -> Self {
        Self { address: at.as_ptr().addr(), what }
    }

    /// The error as a place in `body`.
    #[cold]
    pub(super) fn within(self, body: &[u8]) -> WireError {
        let offset = self.address.saturating_sub(body.as_ptr().addr()).min(body.len());
        WireError { offset, what: self.what }
    }
}

/// The key of a varint field.
pub(super) const fn varint_key(number: u64) -> u64 {
    number << 3
}

/// The key of a fixed64 or double field.
pub(super) const fn fixed64_key(number: u64) -> u64 {
    number << 3 | 1
}

/// The key of a string, bytes or message field.
pub(super) const fn bytes_key(number: u64) -> u64 {
    number << 3 | 2
}

/// The key of a fixed32 field.
pub(super) const fn fixed32_key(number: u64) -> u64 {
    number << 3 | 5
}

/// A set of field numbers below 32, a bit each.
pub(super) const fn numbers(set: &[u8]) -> u32 {
    let mut bits = 0;
    let mut place = 0;
    while place < set.len() {
        bits |= 1 << set[place];
        place += 1;
    }
    bits
}

/// Groups may nest in unknown fields; nobody sends them, so the depth is held to what prost takes.
const GROUP_DEPTH: usize = 100;

/// Reads one message from front to back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    #[inline]
    pub(super) fn new(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Has memory send what is some way ahead, as many bytes as the caller is about to read before it comes back: a large
    /// body is read faster than the processor foresees by itself, above all where a page ends.
    #[inline]
    pub(super) fn call_up(&self, bytes: usize) {
        const AHEAD: usize = 1536;
        const LINE: usize = 64;
        let ahead = self.rest.get(AHEAD..).unwrap_or_default();
        for line in ahead.iter().step_by(LINE).take(bytes / LINE + 1) {
            std::hint::black_box(*line);
        }
    }

    /// How many bytes are left.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.rest.len()
    }

    /// The next varint: a field's key, a number, or a length.
    #[inline]
    pub(super) fn varint(&mut self) -> Result<u64, Broken> {
        match *self.rest {
            [first, ref rest @ ..] if first < 0x80 => {
                self.rest = rest;
                Ok(u64::from(first))
            }
            [first, second, ref rest @ ..] if second < 0x80 => {
                self.rest = rest;
                Ok(u64::from(first & 0x7f) | u64::from(second) << 7)
            }
            _ => self.long_varint(),
        }
    }

    #[inline(never)]
    fn long_varint(&mut self) -> Result<u64, Broken> {
        let mut value = 0;
        for (place, byte) in self.rest.iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * place);
            if *byte < 0x80 {
                if place == 9 && *byte > 1 {
                    return Err(Broken::new(self.rest, "a number has more than 64 bits"));
                }
                self.rest = self.rest.get(place + 1..).unwrap_or_default();
                return Ok(value);
            }
        }
        let what = if self.rest.len() < 10 { "a number is cut off" } else { "a number has more than 64 bits" };
        Err(Broken::new(self.rest, what))
    }

    /// A varint of 32 bits; excess bits are cut off, as protobuf has it.
    #[inline]
    pub(super) fn uint32(&mut self) -> Result<u32, Broken> {
        #[expect(clippy::cast_possible_truncation, reason = "protobuf says to keep the low 32 bits")]
        self.varint().map(|value| value as u32)
    }

    /// A varint that is an enumeration or `int32`.
    #[inline]
    pub(super) fn int32(&mut self) -> Result<i32, Broken> {
        self.uint32().map(u32::cast_signed)
    }

    /// The next string, bytes or message.
    #[inline]
    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Broken> {
        let at = self.rest;
        let length = self.varint()?;
        match usize::try_from(length).ok().and_then(|length| self.rest.split_at_checked(length)) {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(taken)
            }
            None => Err(Broken::new(at, "a length runs past the end")),
        }
    }

    /// The next string, bytes or message if it is of the field whose key is the byte `key` and shorter than 128 bytes.
    #[inline]
    pub(super) fn short_member(&mut self, key: u8) -> Option<&'a [u8]> {
        match *self.rest {
            [first, length @ ..0x80, ref rest @ ..] if first == key => {
                let (taken, rest) = rest.split_at_checked(usize::from(length))?;
                self.rest = rest;
                Some(taken)
            }
            _ => None,
        }
    }

    #[inline]
    fn chunk<const N: usize>(&mut self) -> Result<[u8; N], Broken> {
        match self.rest.split_first_chunk::<N>() {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(*taken)
            }
            None => Err(Broken::new(self.rest, "a fixed-width number is cut off")),
        }
    }

    #[inline]
    pub(super) fn fixed32(&mut self) -> Result<u32, Broken> {
        self.chunk().map(u32::from_le_bytes)
    }

    #[inline]
    pub(super) fn fixed64(&mut self) -> Result<u64, Broken> {
        self.chunk().map(u64::from_le_bytes)
    }

    #[inline]
    pub(super) fn double(&mut self) -> Result<f64, Broken> {
        self.chunk().map(f64::from_le_bytes)
    }

    /// Steps over a field none of whose keys the caller takes: an unknown one, or one whose number is in
    /// `known` and whose wire type is therefore wrong, which breaks the message.
    #[inline(never)]
    pub(super) fn other(&mut self, key: u64, known: u32) -> Result<(), Broken> {
        let number = key >> 3;
        if number < 32 && known >> number & 1 == 1 {
            return Err(Broken::new(self.rest, "a field has the wrong wire type"));
        }
        self.skip(key)
    }

    /// Steps over the value of the field with `key`.
    pub(super) fn skip(&mut self, key: u64) -> Result<(), Broken> {
        if key > u64::from(u32::MAX) || key < 8 {
            return Err(Broken::new(self.rest, "a field number is out of range"));
        }
        match key & 7 {
            0 => self.varint().map(|_| ()),
            1 => self.chunk::<8>().map(|_| ()),
            2 => self.bytes().map(|_| ()),
            3 => self.skip_group(key),
            5 => self.chunk::<4>().map(|_| ()),
            4 => Err(Broken::new(self.rest, "a group ends that did not begin")),
            _ => Err(Broken::new(self.rest, "a wire type does not exist")),
        }
    }

    fn skip_group(&mut self, key: u64) -> Result<(), Broken> {
        let mut open = [0; GROUP_DEPTH];
        open[0] = key;
        let mut depth = 1;
        while depth > 0 {
            let at = self.rest;
            let key = self.varint()?;
            match key & 7 {
                3 if key > u64::from(u32::MAX) || key < 8 => {
                    return Err(Broken::new(at, "a field number is out of range"));
                }
                3 => {
                    let Some(slot) = open.get_mut(depth) else {
                        return Err(Broken::new(at, "groups nest too deep"));
                    };
                    *slot = key;
                    depth += 1;
                }
                4 if key == open[depth - 1] + 1 => depth -= 1,
                _ => self.skip(key)?,
            }
        }
        Ok(())
    }
}

/// The occurrences of one length-delimited field in a message, in order; other fields are stepped over. Ends
/// where the framing is broken.
#[derive(Clone, Debug)]
pub(super) struct Occurrences<'a> {
    cursor: Cursor<'a>,
    key: u64,
}

impl<'a> Occurrences<'a> {
    /// Those of field `number` in `message`.
    #[inline]
    pub(super) fn new(message: &'a [u8], number: u64) -> Self {
        Self { cursor: Cursor::new(message), key: bytes_key(number) }
    }
}

impl<'a> Iterator for Occurrences<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        while !self.cursor.is_empty() {
            let key = self.cursor.varint().ok()?;
            if key == self.key {
                return self.cursor.bytes().ok();
            }
            self.cursor.skip(key).ok()?;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_are_taken_up_to_ten_bytes_and_64_bits() {
        let cases: [(&[u8], Result<u64, &str>); 9] = [
            (&[0], Ok(0)),
            (&[0x7f], Ok(127)),
            (&[0xac, 0x02], Ok(300)),
            (&[0x80, 0x00], Ok(0)),
            (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], Ok(u64::MAX)),
            (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02], Err("a number has more than 64 bits")),
            (&[0x80; 11], Err("a number has more than 64 bits")),
            (&[0x80; 9], Err("a number is cut off")),
            (&[], Err("a number is cut off")),
        ];
        for (bytes, expected) in cases {
            let read = Cursor::new(bytes).varint();
            assert_eq!(read.map_err(|broken| broken.what), expected, "{bytes:x?}");
        }
    }

    #[test]
    fn unknown_fields_of_every_wire_type_are_stepped_over() {
        let cases: [(&[u8], bool); 12] = [
            (&[0x98, 0x06, 0x05], true),
            (&[0x99, 0x06, 1, 2, 3, 4, 5, 6, 7, 8], true),
            (&[0x9a, 0x06, 2, 1, 1], true),
            (&[0x9d, 0x06, 1, 2, 3, 4], true),
            (&[0x9b, 0x06, 0x9c, 0x06], true),
            (&[0x9b, 0x06, 0x08, 0x01, 0x0b, 0x0c, 0x9c, 0x06], true),
            (&[0x9b, 0x06, 0x0c], false),
            (&[0x9b, 0x06], false),
            (&[0x9c, 0x06], false),
            (&[0x9e, 0x06], false),
            (&[0x00, 0x01], false),
            (&[0x9a, 0x06, 3, 1, 1], false),
        ];
        for (bytes, taken) in cases {
            let mut cursor = Cursor::new(bytes);
            let skipped = cursor.varint().and_then(|key| cursor.skip(key));
            assert_eq!(skipped.is_ok() && cursor.is_empty(), taken, "{bytes:x?}");
        }
    }

    #[test]
    fn a_million_open_groups_are_refused() {
        let body = vec![0x0b; 1_000_000];
        let mut cursor = Cursor::new(&body);
        let skipped = cursor.varint().and_then(|key| cursor.skip(key));
        assert_eq!(skipped.unwrap_err().what, "groups nest too deep");
    }
}
