//! The OpenAPI document, generated from the declarations of the endpoints.

mod document;
pub mod schema;
mod where_pattern;

pub use document::document;
