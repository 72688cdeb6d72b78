//! Schemas of replies and bodies, declared with each endpoint and written as JSON Schema (draft 2020-12) for the
//! OpenAPI document.

use serde_json::{Map, Value, json};

use crate::query::ValueType;

/// The schema of a JSON value. Objects have exactly the named keys.
#[derive(Clone, Copy, Debug)]
pub enum Schema {
    /// A non-negative integer.
    Count,
    /// A number from 0 to 100: a rank or a percentage.
    Hundredths,
    /// A number from 0 to 1.
    Share,
    /// A number from 0 on, with a fraction.
    Quantity,
    /// A non-negative integer or null.
    OptionalCount,
    Flag,
    Null,
    Text,
    /// A string or null.
    OptionalText,
    /// A URL, host or domain, as a client may write it.
    UrlOrHost,
    /// A day as a string, yyyyMMdd.
    Day,
    /// A day as a number, yyyyMMdd.
    DayNumber,
    /// One of these strings.
    Words(&'static [&'static str]),
    /// A string that matches this regular expression.
    Pattern(&'static str),
    Object(&'static [Property]),
    /// An object with these keys, and possibly others.
    OpenObject(&'static [Property]),
    /// An object with some of these keys, and no others.
    Partial(&'static [Property]),
    /// An object with any keys, whose values have this schema.
    Map(&'static Schema),
    List(&'static Schema),
    /// As [`Self::List`], with at least one element of the second schema.
    ListContaining(&'static Schema, &'static Schema),
    /// A list of URLs, hosts or domains that is not empty and has at most `api.max_urls` elements.
    Urls,
    OneOf(&'static [Schema]),
}

/// A key and the schema of its value.
pub(crate) type Property = (&'static str, Schema);

/// The schema of a whole reply.
#[derive(Clone, Copy, Debug)]
pub enum ReplySchema {
    /// `response` is a list of such rows.
    Rows(Schema),
    /// As [`Self::Rows`], with `count`.
    CountedRows(Schema),
    /// As [`Self::CountedRows`], with the list of days `calendar`.
    Calendar(Schema),
    /// These keys and `status`.
    Object(&'static [Property]),
    /// A document of its own.
    Anything,
}

/// The body of a POST request.
#[derive(Clone, Copy, Debug)]
pub struct BodySchema {
    pub schema: Schema,
    /// An example in JSON, for error messages and for the OpenAPI document.
    pub example: &'static str,
}

impl Schema {
    /// Returns the schema of the values of a column.
    pub fn of(kind: ValueType) -> Self {
        match kind {
            ValueType::Number => Self::Count,
            ValueType::Hundredths => Self::Hundredths,
            ValueType::TenThousandths => Self::Share,
            ValueType::Flag => Self::Flag,
            ValueType::Day => Self::Day,
            ValueType::DayNumber => Self::DayNumber,
            ValueType::Text | ValueType::Address => Self::Text,
        }
    }

    /// Writes the schema as JSON Schema. `max_urls` is `api.max_urls`.
    pub fn to_json(self, max_urls: usize) -> Value {
        match self {
            Self::Count => json!({ "type": "integer", "minimum": 0 }),
            Self::Hundredths => json!({ "type": "number", "minimum": 0, "maximum": 100 }),
            Self::Share => json!({ "type": "number", "minimum": 0, "maximum": 1 }),
            Self::Quantity => json!({ "type": "number", "minimum": 0 }),
            Self::OptionalCount => json!({ "type": ["integer", "null"], "minimum": 0 }),
            Self::Flag => json!({ "type": "boolean" }),
            Self::Null => json!({ "type": "null" }),
            Self::Text => json!({ "type": "string" }),
            Self::OptionalText => json!({ "type": ["string", "null"] }),
            Self::UrlOrHost => json!({ "type": "string", "format": "url-host-or-domain" }),
            Self::Day => json!({ "type": "string", "pattern": "^[0-9]{8}$" }),
            Self::DayNumber => json!({ "type": "integer", "minimum": 19_700_101, "maximum": 99_991_231 }),
            Self::Words(words) => json!({ "type": "string", "enum": words }),
            Self::Pattern(class) => json!({ "type": "string", "pattern": class }),
            Self::Object(properties) => object_of(properties, true, max_urls),
            Self::Partial(properties) => object_of(properties, false, max_urls),
            Self::OpenObject(properties) => {
                let mut open = Self::Object(properties).to_json(max_urls);
                open["additionalProperties"] = json!(true);
                open
            }
            Self::Map(schema) => {
                json!({ "type": "object", "additionalProperties": schema.to_json(max_urls) })
            }
            Self::List(schema) => json!({ "type": "array", "items": schema.to_json(max_urls) }),
            Self::ListContaining(schema, one) => json!({
                "type": "array", "items": schema.to_json(max_urls), "contains": one.to_json(max_urls),
            }),
            Self::Urls => json!({
                "type": "array", "items": Self::UrlOrHost.to_json(max_urls), "minItems": 1, "maxItems": max_urls,
            }),
            Self::OneOf(schemas) => {
                let schemas: Vec<Value> = schemas.iter().map(|schema| schema.to_json(max_urls)).collect();
                json!({ "oneOf": schemas })
            }
        }
    }
}

fn object_of(properties: &[Property], required: bool, max_urls: usize) -> Value {
    object(properties.iter().map(|(name, schema)| (*name, schema.to_json(max_urls))), required)
}

impl ReplySchema {
    /// Writes the schema of the whole reply as JSON Schema.
    pub fn to_json(self, max_urls: usize) -> Value {
        let rows = |row: Schema| json!({ "type": "array", "items": row.to_json(max_urls) });
        let count = || ("count", Schema::Count.to_json(max_urls));
        let properties = match self {
            Self::Anything => return json!({ "type": "object" }),
            Self::Rows(row) => vec![("response", rows(row))],
            Self::CountedRows(row) => vec![("response", rows(row)), count()],
            Self::Calendar(row) => {
                let calendar = Schema::List(&Schema::DayNumber).to_json(max_urls);
                vec![("calendar", calendar), ("response", rows(row)), count()]
            }
            Self::Object(properties) => {
                properties.iter().map(|(name, schema)| (*name, schema.to_json(max_urls))).collect()
            }
        };
        reply(properties)
    }
}

/// Returns the schema of a reply with these keys, `status`, and optionally `warnings`.
pub(crate) fn reply(properties: Vec<(&str, Value)>) -> Value {
    let status = ("status", json!({ "const": 200 }));
    let mut reply = object(properties.into_iter().chain([status]), true);
    reply["properties"]["warnings"] = json!({
        "type": "array", "items": { "type": "string" }, "minItems": 1,
        "description": "What was passed over: parameters that are not known, order fields that are not allowed.",
    });
    reply
}

/// Returns the schema of an object with these keys and no others.
pub(crate) fn object<'n>(properties: impl Iterator<Item = (&'n str, Value)>, required: bool) -> Value {
    let properties: Map<String, Value> = properties.map(|(name, schema)| (name.to_owned(), schema)).collect();
    let mut object = json!({ "type": "object", "additionalProperties": false });
    if required {
        object["required"] = properties.keys().cloned().collect();
    }
    object["properties"] = Value::Object(properties);
    object
}
