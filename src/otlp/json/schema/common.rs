//! Values, attributes, resources and scopes.

use super::{Field, Kind, Message, Role, Scalar};

/// `common.v1.AnyValue`. References into a profile's string table have no meaning in these signals.
pub(super) static ANY_VALUE: Message = Message::new(
    Role::Part,
    &[
        Field::present("stringValue", 1, Scalar::Text),
        Field::present("intValue", 3, Scalar::Int64),
        Field::present("boolValue", 2, Scalar::Bool),
        Field::present("doubleValue", 4, Scalar::Double),
        Field::one("arrayValue", 5, &ARRAY_VALUE),
        Field::one("kvlistValue", 6, &KEY_VALUE_LIST),
        Field::present("bytesValue", 7, Scalar::Bytes),
    ],
);

static ARRAY_VALUE: Message = Message::new(Role::Part, &[Field::each("values", 1, &ANY_VALUE)]);

static KEY_VALUE_LIST: Message = Message::new(Role::Part, &[Field::each("values", 1, &KEY_VALUE)]);

/// `common.v1.KeyValue`.
pub(super) static KEY_VALUE: Message =
    Message::new(Role::Part, &[Field::scalar("key", 1, Scalar::Text), Field::one("value", 2, &ANY_VALUE)]);

/// `resource.v1.Resource`.
pub(super) static RESOURCE: Message = Message::new(
    Role::Description,
    &[
        Field::each("attributes", 1, &KEY_VALUE),
        Field::scalar("droppedAttributesCount", 2, Scalar::Uint32),
        Field::each("entityRefs", 3, &ENTITY_REF),
    ],
);

static ENTITY_REF: Message = Message::new(
    Role::Part,
    &[
        Field::scalar("schemaUrl", 1, Scalar::Text),
        Field::scalar("type", 2, Scalar::Text),
        Field::new("idKeys", 3, Kind::Texts),
        Field::new("descriptionKeys", 4, Kind::Texts),
    ],
);

/// `common.v1.InstrumentationScope`.
pub(super) static SCOPE: Message = Message::new(
    Role::Description,
    &[
        Field::scalar("name", 1, Scalar::Text),
        Field::scalar("version", 2, Scalar::Text),
        Field::each("attributes", 3, &KEY_VALUE),
        Field::scalar("droppedAttributesCount", 4, Scalar::Uint32),
    ],
);
