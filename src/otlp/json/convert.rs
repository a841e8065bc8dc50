//! Walks JSON by the tables of the schema and writes protobuf as it goes.

use std::borrow::Cow;

use super::cursor::Cursor;
use super::scalar::{base64, double, enum_number, id, integer};
use super::schema::{Field, Kind, Message, Scalar};
use super::{Fault, MAX_DEPTH, MAX_ENVELOPES};
use crate::otlp::put::{Wire, Writer};

/// The state of a conversion.
pub(super) struct Converter<'a> {
    pub(super) json: Cursor<'a>,
    pub(super) out: Writer,
    /// Items that could not be read.
    pub(super) refused: u64,
    /// Bytes that may be written, about: those of the last element come on top until it ends.
    pub(super) most: usize,
}

/// How many members an object had, and how many of them the schema knows.
#[derive(Clone, Copy)]
pub(super) struct Members {
    pub(super) all: usize,
    pub(super) known: usize,
}

impl<'a> Converter<'a> {
    /// A converter at the start of `text`.
    pub(super) fn new(text: &'a str, most: usize) -> Self {
        // Protobuf is about half as long as the JSON it stands for.
        let out = Writer::with_capacity((text.len() / 2).min(most));
        Self { json: Cursor::new(text), out, refused: 0, most }
    }

    /// Converts an object; `depth` counts the brackets around it.
    pub(super) fn object(&mut self, message: &'static Message, depth: usize) -> Result<Members, Fault> {
        if depth > MAX_DEPTH || !self.json.take(b'{') {
            return Err(Fault::Malformed);
        }
        let mut members = Members { all: 0, known: 0 };
        let mut next = 0;
        let mut more = !self.json.take(b'}');
        while more {
            members.all += 1;
            let name = self.json.name()?.plain()?;
            if let Some((place, field)) = message.field(&name, next) {
                members.known += 1;
                next = place + 1;
                self.member(message, field, depth + 1)?;
            } else {
                self.json.skip()?;
            }
            more = self.json.more(b'}')?;
        }
        Ok(members)
    }

    /// Converts the value of a member. In a message that mends faults, a value that cannot be read is left out.
    fn member(&mut self, message: &'static Message, field: &'static Field, depth: usize) -> Result<(), Fault> {
        if self.json.take_word("null") {
            return Ok(());
        }
        if !message.role.mends() {
            return self.value(message, field, depth);
        }
        self.mending(field, |converter| converter.value(message, field, depth))
    }

    /// Runs `read`; if what it reads is malformed, takes it back, passes over it, and counts it if it was an item.
    fn mending(
        &mut self,
        field: &'static Field,
        read: impl FnOnce(&mut Self) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let (written, at) = (self.out.mark(), self.json.at());
        match read(self) {
            Err(Fault::Malformed) => {
                self.out.rewind(written);
                self.json.rewind(at);
                self.json.skip()?;
                self.refused += u64::from(field.holds_items());
                Ok(())
            }
            other => other,
        }
    }

    fn value(&mut self, message: &'static Message, field: &'static Field, depth: usize) -> Result<(), Fault> {
        match &field.kind {
            Kind::One(inner) => self.nested(field.number, inner, depth),
            Kind::Each(inner) if message.role.mends() => self.array(depth, |converter| {
                converter.mending(field, |converter| converter.nested(field.number, inner, depth + 1))
            }),
            Kind::Each(inner) => self.array(depth, |converter| converter.nested(field.number, inner, depth + 1)),
            Kind::Envelope(_) if depth > MAX_ENVELOPES => Err(Fault::Malformed),
            Kind::Envelope(inner) => self.object(inner, depth).map(|_| ()),
            Kind::Texts => self.array(depth, |converter| converter.text(field.number, true)),
            Kind::Packed(scalar) => {
                let open = self.out.open(field.number);
                self.array(depth, |converter| {
                    let bits = converter.number(*scalar)?;
                    converter.put(scalar.wire(), bits);
                    Ok(())
                })?;
                self.out.close(&open);
                Ok(())
            }
            Kind::Scalar(scalar) => self.scalar(field, *scalar),
        }
    }

    /// Converts an object to a nested message; `null` is an empty one.
    fn nested(&mut self, number: u32, message: &'static Message, depth: usize) -> Result<(), Fault> {
        let open = self.out.open(number);
        if !self.json.take_word("null") {
            self.object(message, depth)?;
        }
        self.out.close(&open);
        Ok(())
    }

    fn array(&mut self, depth: usize, mut element: impl FnMut(&mut Self) -> Result<(), Fault>) -> Result<(), Fault> {
        if depth > MAX_DEPTH || !self.json.take(b'[') {
            return Err(Fault::Malformed);
        }
        let mut more = !self.json.take(b']');
        while more {
            element(self)?;
            if self.out.len() > self.most {
                return Err(Fault::TooLarge);
            }
            more = self.json.more(b']')?;
        }
        Ok(())
    }

    fn scalar(&mut self, field: &'static Field, scalar: Scalar) -> Result<(), Fault> {
        match scalar {
            Scalar::Text => self.text(field.number, field.present),
            Scalar::Bytes => self.decoded(field, base64),
            Scalar::Id => self.decoded(field, id),
            Scalar::Bool => {
                let truth = self.json.take_word("true");
                if !truth && !self.json.take_word("false") {
                    return Err(Fault::Malformed);
                }
                self.put_number(field, Wire::Varint, u64::from(truth));
                Ok(())
            }
            number => {
                let bits = self.number(number)?;
                self.put_number(field, number.wire(), bits);
                Ok(())
            }
        }
    }

    /// Converts a string to text; an empty one is written only where `present`.
    fn text(&mut self, number: u32, present: bool) -> Result<(), Fault> {
        let quoted = self.json.string()?.ok_or(Fault::Malformed)?;
        match quoted.verbatim() {
            Some([]) if !present => {}
            Some(bytes) => self.out.delimited(number, bytes),
            None => {
                let open = self.out.open(number);
                quoted.unescape_to(self.out.buffer())?;
                self.out.close(&open);
            }
        }
        Ok(())
    }

    /// Converts a string that encodes bytes.
    fn decoded(&mut self, field: &'static Field, decode: fn(&[u8], &mut Vec<u8>) -> Option<()>) -> Result<(), Fault> {
        let text = self.json.string()?.ok_or(Fault::Malformed)?.plain()?;
        if text.is_empty() && !field.present {
            return Ok(());
        }
        let open = self.out.open(field.number);
        decode(&text, self.out.buffer()).ok_or(Fault::Malformed)?;
        self.out.close(&open);
        Ok(())
    }

    /// The next value as the bits that stand for it on the wire.
    fn number(&mut self, scalar: Scalar) -> Result<u64, Fault> {
        let text = match self.json.string()? {
            Some(quoted) => quoted.plain()?,
            None => Cow::Borrowed(self.json.number().ok_or(Fault::Malformed)?),
        };
        scalar.bits(&text).ok_or(Fault::Malformed)
    }

    fn put_number(&mut self, field: &'static Field, wire: Wire, bits: u64) {
        if bits != 0 || field.present {
            self.out.tag(field.number, wire);
            self.put(wire, bits);
        }
    }

    fn put(&mut self, wire: Wire, bits: u64) {
        let bytes = bits.to_le_bytes();
        match wire {
            Wire::Varint | Wire::Delimited => self.out.varint(bits),
            Wire::Fixed64 => self.out.raw(&bytes),
            Wire::Fixed32 => self.out.raw(&bytes[..4]),
        }
    }
}

impl Scalar {
    fn wire(self) -> Wire {
        match self {
            Self::Fixed32 => Wire::Fixed32,
            Self::Fixed64 | Self::Sfixed64 | Self::Double => Wire::Fixed64,
            Self::Text | Self::Bytes | Self::Id => Wire::Delimited,
            Self::Bool | Self::Int64 | Self::Uint32 | Self::Uint64 | Self::Sint32 | Self::Enum(_) => Wire::Varint,
        }
    }

    /// What goes on the wire for a number or a name; `None` where it does not fit the type.
    fn bits(self, text: &[u8]) -> Option<u64> {
        match self {
            Self::Double => double(text).map(f64::to_bits),
            Self::Fixed64 | Self::Uint64 => u64::try_from(integer(text)?).ok(),
            Self::Int64 | Self::Sfixed64 => i64::try_from(integer(text)?).ok().map(i64::cast_unsigned),
            Self::Uint32 | Self::Fixed32 => u32::try_from(integer(text)?).ok().map(u64::from),
            Self::Sint32 => {
                let value = i64::from(i32::try_from(integer(text)?).ok()?);
                Some((value << 1 ^ value >> 63).cast_unsigned())
            }
            Self::Enum(names) => {
                let number = integer(text).or_else(|| enum_number(text, names))?;
                // Protobuf extends the sign of an enum's 32 bits to 64.
                i32::try_from(number).ok().map(|number| i64::from(number).cast_unsigned())
            }
            Self::Text | Self::Bytes | Self::Id | Self::Bool => None,
        }
    }
}
