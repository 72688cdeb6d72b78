//! The OpenAPI document, generated from the declarations of the endpoints.

mod document;
mod examples;
pub(super) mod schema;
mod where_pattern;

pub(super) use document::document;
