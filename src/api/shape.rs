//! The shapes of answers, as JSON Schema (draft 2020-12) says them: declared beside each endpoint, for the document
//! that describes the API.

use serde_json::{Map, Value, json};

use crate::query::Kind;

/// What a JSON value looks like. Objects have exactly the keys named.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// A whole number from 0 on.
    Count,
    /// A number from 0 to 100: a rank or a percentage.
    Hundredths,
    /// A number from 0 to 1.
    Share,
    Flag,
    Text,
    /// A URL, host or domain as it may be asked about.
    Asked,
    /// A day as a text yyyyMMdd.
    Day,
    /// A day as a number yyyyMMdd.
    DayNumber,
    /// One of these texts.
    Words(&'static [&'static str]),
    /// A text with some character of this class.
    Holding(&'static str),
    Object(&'static [Property]),
    /// An object with these keys, and maybe others.
    Open(&'static [Property]),
    /// An object with any keys.
    Map(&'static Shape),
    List(&'static Shape),
    /// As [`Self::List`], of this many elements at least, one of which is of the other shape.
    ListHolding(&'static Shape, &'static Shape),
    /// As [`Self::List`], not empty, of no more elements than `api.max_urls`.
    Urls,
    OneOf(&'static [Shape]),
}

/// A key and what stands there.
pub type Property = (&'static str, Shape);

/// The whole answer of an endpoint.
#[derive(Clone, Copy, Debug)]
pub enum Reply {
    /// `response` is a list of such rows.
    Rows(Shape),
    /// As [`Self::Rows`], with `count`.
    CountedRows(Shape),
    /// As [`Self::CountedRows`], with the list of days `calendar`.
    Calendar(Shape),
    /// These keys besides `status`.
    Object(&'static [Property]),
    /// A document of its own.
    Anything,
}

/// The body of a POST.
#[derive(Clone, Copy, Debug)]
pub struct Body {
    pub shape: Shape,
    /// As JSON, for messages and the document.
    pub example: &'static str,
}

impl Shape {
    /// The shape of values of a kind.
    pub fn of(kind: Kind) -> Self {
        match kind {
            Kind::Number => Self::Count,
            Kind::Hundredths => Self::Hundredths,
            Kind::TenThousandths => Self::Share,
            Kind::Flag => Self::Flag,
            Kind::Day => Self::Day,
            Kind::DayNumber => Self::DayNumber,
            Kind::Text | Kind::Address => Self::Text,
        }
    }

    /// As JSON Schema. `max_urls` is `api.max_urls`.
    pub fn schema(self, max_urls: usize) -> Value {
        match self {
            Self::Count => json!({ "type": "integer", "minimum": 0 }),
            Self::Hundredths => json!({ "type": "number", "minimum": 0, "maximum": 100 }),
            Self::Share => json!({ "type": "number", "minimum": 0, "maximum": 1 }),
            Self::Flag => json!({ "type": "boolean" }),
            Self::Text => json!({ "type": "string" }),
            Self::Asked => json!({ "type": "string", "format": "url-host-or-domain" }),
            Self::Day => json!({ "type": "string", "pattern": "^[0-9]{8}$" }),
            Self::DayNumber => json!({ "type": "integer", "minimum": 19_700_101, "maximum": 99_991_231 }),
            Self::Words(words) => json!({ "type": "string", "enum": words }),
            Self::Holding(class) => json!({ "type": "string", "pattern": class }),
            Self::Object(properties) => {
                let properties = properties.iter().map(|(name, shape)| (*name, shape.schema(max_urls)));
                object(properties, true)
            }
            Self::Open(properties) => {
                let mut open = Self::Object(properties).schema(max_urls);
                open["additionalProperties"] = json!(true);
                open
            }
            Self::Map(shape) => json!({ "type": "object", "additionalProperties": shape.schema(max_urls) }),
            Self::List(shape) => json!({ "type": "array", "items": shape.schema(max_urls) }),
            Self::ListHolding(shape, one) => json!({
                "type": "array", "items": shape.schema(max_urls), "contains": one.schema(max_urls),
            }),
            Self::Urls => json!({
                "type": "array", "items": Self::Asked.schema(max_urls), "minItems": 1, "maxItems": max_urls,
            }),
            Self::OneOf(shapes) => {
                let shapes: Vec<Value> = shapes.iter().map(|shape| shape.schema(max_urls)).collect();
                json!({ "oneOf": shapes })
            }
        }
    }
}

impl Reply {
    /// The whole answer as JSON Schema.
    pub fn schema(self, max_urls: usize) -> Value {
        let rows = |row: Shape| json!({ "type": "array", "items": row.schema(max_urls) });
        let count = || ("count", Shape::Count.schema(max_urls));
        let properties = match self {
            Self::Anything => return json!({ "type": "object" }),
            Self::Rows(row) => vec![("response", rows(row))],
            Self::CountedRows(row) => vec![("response", rows(row)), count()],
            Self::Calendar(row) => {
                let calendar = Shape::List(&Shape::DayNumber).schema(max_urls);
                vec![("calendar", calendar), ("response", rows(row)), count()]
            }
            Self::Object(properties) => {
                properties.iter().map(|(name, shape)| (*name, shape.schema(max_urls))).collect()
            }
        };
        answer(properties)
    }
}

/// An answer with these keys, `status`, and maybe `warnings`.
pub fn answer(properties: Vec<(&str, Value)>) -> Value {
    let status = ("status", json!({ "const": 200 }));
    let mut answer = object(properties.into_iter().chain([status]), true);
    answer["properties"]["warnings"] = json!({
        "type": "array", "items": { "type": "string" }, "minItems": 1,
        "description": "What was passed over: parameters that are not known, order fields that are not allowed.",
    });
    answer
}

/// An object with these keys and no others.
pub fn object<'n>(properties: impl Iterator<Item = (&'n str, Value)>, required: bool) -> Value {
    let properties: Map<String, Value> = properties.map(|(name, schema)| (name.to_owned(), schema)).collect();
    let mut object = json!({ "type": "object", "additionalProperties": false });
    if required {
        object["required"] = properties.keys().cloned().collect();
    }
    object["properties"] = Value::Object(properties);
    object
}
