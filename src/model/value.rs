//! Attribute values.

use super::Text;

/// A value as OTLP's `AnyValue` has it.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Value {
    /// Nothing set (also: the value field is missing altogether).
    #[default]
    Empty,
    /// A string.
    Text(Text),
    /// A truth value.
    Bool(bool),
    /// A signed whole number.
    Int(i64),
    /// A floating-point number; NaN and the infinities occur.
    Double(f64),
    /// A list; members may be of different types.
    Array(Vec<Self>),
    /// A map in the order it came; keys may repeat.
    Map(Vec<Attribute>),
    /// Raw bytes.
    Bytes(Vec<u8>),
}

/// A key with its value. Order is kept, keys may repeat.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Attribute {
    /// The key.
    pub key: Text,
    /// The value.
    pub value: Value,
}

/// The value under `key`: the last one where the key repeats.
#[must_use]
pub fn lookup<'a>(attributes: &'a [Attribute], key: &str) -> Option<&'a Value> {
    attributes.iter().rev().find(|attribute| attribute.key == *key).map(|attribute| &attribute.value)
}
