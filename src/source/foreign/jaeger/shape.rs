//! The shapes of Jaeger's JSON, read leniently: each member may be absent, null, or of another type than Jaeger gives it.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value as Json;
use serde_json::value::RawValue;

/// A value of any type.
#[derive(Clone, Debug, Default)]
pub(super) enum Scalar<'a> {
    #[default]
    Absent,
    Bool(bool),
    Int(i64),
    Large(u64),
    Float(f64),
    Text(Cow<'a, str>),
    Composite(Json),
}

impl Scalar<'_> {
    /// As text, if it is that.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            _ => "",
        }
    }

    /// As a whole number that is not negative, if it is one or is text that is.
    pub(super) fn unsigned(&self) -> Option<u64> {
        match self {
            Self::Int(number) => u64::try_from(*number).ok(),
            Self::Large(number) => Some(*number),
            Self::Float(number) => whole(*number),
            Self::Text(text) => text.trim().parse().ok(),
            _ => None,
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
fn whole(number: f64) -> Option<u64> {
    (0.0..1.8e19).contains(&number).then(|| number.round() as u64)
}

impl<'de: 'a, 'a> Deserialize<'de> for Scalar<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any<'a>(PhantomData<&'a ()>);

        impl<'de: 'a, 'a> Visitor<'de> for Any<'a> {
            type Value = Scalar<'a>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("any value")
            }

            fn visit_unit<E>(self) -> Result<Scalar<'a>, E> {
                Ok(Scalar::Absent)
            }

            fn visit_bool<E>(self, truth: bool) -> Result<Scalar<'a>, E> {
                Ok(Scalar::Bool(truth))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Scalar<'a>, E> {
                Ok(Scalar::Int(number))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Scalar<'a>, E> {
                Ok(i64::try_from(number).map_or(Scalar::Large(number), Scalar::Int))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Scalar<'a>, E> {
                Ok(Scalar::Float(number))
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Scalar<'a>, E> {
                Ok(Scalar::Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Scalar<'a>, E> {
                Ok(Scalar::Text(Cow::Owned(text.to_owned())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Scalar<'a>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = list.next_element()? {
                    members.push(member);
                }
                Ok(Scalar::Composite(Json::Array(members)))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Scalar<'a>, A::Error> {
                Json::deserialize(MapAccessDeserializer::new(map)).map(Scalar::Composite)
            }
        }

        deserializer.deserialize_any(Any(PhantomData))
    }
}

/// One object, a list of them, or neither. What is no object where one should be is counted.
#[derive(Clone, Debug)]
pub(super) struct Items<T> {
    pub(super) all: Vec<T>,
    /// What in the list was no object.
    pub(super) odd: u64,
    /// There is a list or an object at all.
    pub(super) given: bool,
}

impl<T> Default for Items<T> {
    fn default() -> Self {
        Self { all: Vec::new(), odd: 0, given: false }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Items<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Wanted(PhantomData))
    }
}

/// Takes an object or a list of them.
struct Wanted<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Wanted<T> {
    type Value = Items<T>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object or a list of objects")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Items<T>, A::Error> {
        let one = T::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Items { all: vec![one], odd: 0, given: true })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Items<T>, A::Error> {
        let mut items = Items { given: true, ..Items::default() };
        while let Some(member) = list.next_element::<Items<T>>()? {
            items.odd += u64::from(!member.given) + member.odd;
            items.all.extend(member.all);
        }
        Ok(items)
    }

    fn visit_unit<E>(self) -> Result<Items<T>, E> {
        Ok(Items::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Items<T>, E> {
        Ok(Items::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Items<T>, E> {
        Ok(Items::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Items<T>, E> {
        Ok(Items::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Items<T>, E> {
        Ok(Items::default())
    }

    fn visit_str<E>(self, _: &str) -> Result<Items<T>, E> {
        Ok(Items::default())
    }
}

/// A list of which each member is kept as it is written: read at once they would take many times their room.
#[derive(Clone, Debug, Default)]
pub(super) struct Raw<'a> {
    pub(super) all: Vec<&'a RawValue>,
    /// There is an object where a list should be.
    pub(super) odd: u64,
    /// There is a list or an object at all.
    pub(super) given: bool,
}

impl<'de: 'a, 'a> Deserialize<'de> for Raw<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<'a>(PhantomData<&'a ()>);

        impl<'de: 'a, 'a> Visitor<'de> for Members<'a> {
            type Value = Raw<'a>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Raw<'a>, A::Error> {
                let mut raw = Raw { given: true, ..Raw::default() };
                while let Some(member) = list.next_element()? {
                    raw.all.push(member);
                }
                Ok(raw)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw<'a>, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Raw { odd: 1, given: true, ..Raw::default() })
            }

            fn visit_unit<E>(self) -> Result<Raw<'a>, E> {
                Ok(Raw::default())
            }

            fn visit_bool<E>(self, _: bool) -> Result<Raw<'a>, E> {
                Ok(Raw::default())
            }

            fn visit_i64<E>(self, _: i64) -> Result<Raw<'a>, E> {
                Ok(Raw::default())
            }

            fn visit_u64<E>(self, _: u64) -> Result<Raw<'a>, E> {
                Ok(Raw::default())
            }

            fn visit_f64<E>(self, _: f64) -> Result<Raw<'a>, E> {
                Ok(Raw::default())
            }

            fn visit_str<E>(self, _: &str) -> Result<Raw<'a>, E> {
                Ok(Raw::default())
            }
        }

        deserializer.deserialize_any(Members(PhantomData))
    }
}

/// The members of an object in order, by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Named<T>(pub(super) Vec<(String, T)>);

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de> + Default> Visitor<'de> for Members<T> {
            type Value = Named<T>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Named<T>, A::Error> {
                let mut members = Vec::new();
                while let Some((name, items)) = map.next_entry::<String, Items<T>>()? {
                    members.extend(items.all.into_iter().map(|item| (name.clone(), item)));
                }
                Ok(Named(members))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Named<T>, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Named::default())
            }

            fn visit_unit<E>(self) -> Result<Named<T>, E> {
                Ok(Named::default())
            }
        }

        deserializer.deserialize_any(Members(PhantomData))
    }
}

/// The envelope of the HTTP API, or a trace by itself: the members of both.
#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct Document<'a> {
    #[serde(default)]
    pub(super) data: Option<Items<Trace<'a>>>,
    #[serde(default)]
    pub(super) errors: Items<Fault<'a>>,
    #[serde(default, rename = "traceID")]
    pub(super) trace: Scalar<'a>,
    #[serde(default)]
    pub(super) spans: Raw<'a>,
    #[serde(default)]
    pub(super) processes: Named<Process<'a>>,
}

/// What the server says went wrong.
#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct Fault<'a> {
    #[serde(default)]
    pub(super) msg: Scalar<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub(super) struct Trace<'a> {
    #[serde(default, rename = "traceID")]
    pub(super) id: Scalar<'a>,
    #[serde(default)]
    pub(super) spans: Raw<'a>,
    #[serde(default)]
    pub(super) processes: Named<Process<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub(super) struct Process<'a> {
    #[serde(default)]
    pub(super) service_name: Scalar<'a>,
    #[serde(default)]
    pub(super) tags: Items<Tag<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub(super) struct Span<'a> {
    #[serde(default, rename = "traceID")]
    pub(super) trace: Scalar<'a>,
    #[serde(default, rename = "spanID")]
    pub(super) id: Scalar<'a>,
    #[serde(default, rename = "parentSpanID")]
    pub(super) parent: Scalar<'a>,
    #[serde(default)]
    pub(super) flags: Scalar<'a>,
    #[serde(default)]
    pub(super) operation_name: Scalar<'a>,
    #[serde(default)]
    pub(super) references: Items<Reference<'a>>,
    #[serde(default)]
    pub(super) start_time: Scalar<'a>,
    #[serde(default)]
    pub(super) duration: Scalar<'a>,
    #[serde(default)]
    pub(super) tags: Items<Tag<'a>>,
    #[serde(default)]
    pub(super) logs: Items<Log<'a>>,
    #[serde(default, rename = "processID")]
    pub(super) process_id: Scalar<'a>,
    /// Some writers put the process into the span.
    #[serde(default)]
    pub(super) process: Items<Process<'a>>,
    #[serde(default)]
    pub(super) warnings: Scalar<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub(super) struct Reference<'a> {
    #[serde(default)]
    pub(super) ref_type: Scalar<'a>,
    #[serde(default, rename = "traceID")]
    pub(super) trace: Scalar<'a>,
    #[serde(default, rename = "spanID")]
    pub(super) span: Scalar<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct Log<'a> {
    #[serde(default)]
    pub(super) timestamp: Scalar<'a>,
    #[serde(default)]
    pub(super) fields: Items<Tag<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct Tag<'a> {
    #[serde(default)]
    pub(super) key: Scalar<'a>,
    #[serde(default, rename = "type")]
    pub(super) kind: Scalar<'a>,
    #[serde(default)]
    pub(super) value: Scalar<'a>,
}
