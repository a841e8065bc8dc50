//! What servers call things.

/// An operation of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Operation {
    /// Its name, as spans are called.
    pub name: String,
    /// The kind of its spans in lower case; empty where the server does not say.
    pub kind: String,
}

/// A value of an attribute.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct TagValue {
    /// As text.
    pub value: String,
    /// Its type as the server calls it: `string`, `int`, `keyword`.
    pub kind: String,
}
