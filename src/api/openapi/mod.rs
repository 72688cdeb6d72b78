//! The OpenAPI document, generated from the declarations of the endpoints.

mod columns;
mod document;
mod examples;
pub(super) mod schema;

pub(super) use document::document;
