//! The OpenAPI document, generated from the declarations of the endpoints.

pub(super) mod columns;
mod document;
mod examples;
mod formats;
pub(super) mod schema;

pub(super) use document::document;
