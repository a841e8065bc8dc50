//! The OTLP messages as tables: which JSON member is which protobuf field, and what it holds.
//!
//! One row a field, named as in JSON; the `snake_case` spelling follows from it. Numbers and types are those of
//! opentelemetry-proto 1.9 (`opentelemetry/proto/*/v1/*.proto`).

mod common;
mod logs;
mod metrics;
mod traces;

pub(super) use logs::LOGS;
pub(super) use metrics::METRICS;
pub(super) use traces::TRACES;

/// A message: what may stand in a JSON object.
pub(super) struct Message {
    pub(super) role: Role,
    pub(super) fields: &'static [Field],
}

/// What it costs when something in a message cannot be read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It holds items: what cannot be read in it is left out alone, and counted if items may have been in it.
    Carrier,
    /// It describes items (a resource, a scope): what cannot be read in it is left out, and no item is lost.
    Description,
    /// A span, log record or data point: it is left out as a whole and counted.
    Item,
    /// It belongs to whatever holds it, and so does its fault.
    Part,
}

impl Role {
    /// Whether a fault inside is mended inside.
    pub(super) fn mends(self) -> bool {
        matches!(self, Self::Carrier | Self::Description)
    }
}

/// A field of a message.
pub(super) struct Field {
    /// Its lowerCamelCase name.
    pub(super) name: &'static str,
    pub(super) number: u32,
    pub(super) kind: Kind,
    /// Whether a default value is written too: members of a oneof and `optional` fields have presence.
    pub(super) present: bool,
}

/// What a field holds.
pub(super) enum Kind {
    One(&'static Message),
    Each(&'static Message),
    /// An envelope: its members count as members of the message that holds it.
    Envelope(&'static Message),
    Scalar(Scalar),
    /// A repeated number, which protobuf packs.
    Packed(Scalar),
    /// Repeated text.
    Texts,
}

/// A value without structure.
#[derive(Clone, Copy)]
pub(super) enum Scalar {
    Text,
    /// Base64 text.
    Bytes,
    /// Hex text, or base64 where it cannot be hex.
    Id,
    Bool,
    Int64,
    Uint32,
    Uint64,
    Sint32,
    Fixed32,
    Fixed64,
    Sfixed64,
    Double,
    Enum(&'static Names),
}

/// The names of an enum: `prefix` and one of `names`, whose place is its number.
pub(super) struct Names {
    pub(super) prefix: &'static str,
    pub(super) names: &'static [&'static str],
}

impl Field {
    const fn new(name: &'static str, number: u32, kind: Kind) -> Self {
        Self { name, number, kind, present: false }
    }

    const fn scalar(name: &'static str, number: u32, scalar: Scalar) -> Self {
        Self::new(name, number, Kind::Scalar(scalar))
    }

    const fn present(name: &'static str, number: u32, scalar: Scalar) -> Self {
        Self { name, number, kind: Kind::Scalar(scalar), present: true }
    }

    const fn one(name: &'static str, number: u32, message: &'static Message) -> Self {
        Self::new(name, number, Kind::One(message))
    }

    const fn each(name: &'static str, number: u32, message: &'static Message) -> Self {
        Self::new(name, number, Kind::Each(message))
    }

    const fn envelope(name: &'static str, message: &'static Message) -> Self {
        Self::new(name, 0, Kind::Envelope(message))
    }

    /// Whether items are lost where this field cannot be read.
    pub(super) fn holds_items(&self) -> bool {
        match &self.kind {
            Kind::One(message) | Kind::Each(message) | Kind::Envelope(message) => {
                matches!(message.role, Role::Carrier | Role::Item)
            }
            Kind::Scalar(_) | Kind::Packed(_) | Kind::Texts => false,
        }
    }

    /// Whether `name` is this field's, in `camelCase` or in `snake_case`.
    #[inline]
    fn is_called(&self, name: &[u8]) -> bool {
        self.name.as_bytes() == name || (self.name.len() < name.len() && self.is_called_in_snake_case(name))
    }

    fn is_called_in_snake_case(&self, name: &[u8]) -> bool {
        let mut name = name.iter().copied();
        for letter in self.name.bytes() {
            if letter.is_ascii_uppercase() && name.next() != Some(b'_') {
                return false;
            }
            if name.next() != Some(letter.to_ascii_lowercase()) {
                return false;
            }
        }
        name.next().is_none()
    }
}

impl Message {
    const fn new(role: Role, fields: &'static [Field]) -> Self {
        Self { role, fields }
    }

    /// The field called `name` and its place, looked for from `start` on: senders keep to the order of the protocol.
    #[inline]
    pub(super) fn field(&self, name: &[u8], start: usize) -> Option<(usize, &'static Field)> {
        let mut places = (start..self.fields.len()).chain(0..start.min(self.fields.len()));
        places.find(|&place| self.fields[place].is_called(name)).map(|place| (place, &self.fields[place]))
    }
}
