//! Replies of endpoints: lists, exports and errors, as JSON or as rows in other formats.

pub mod emptiness;
pub mod error_response;
pub mod exports;
pub mod headers;
pub mod lists;
pub mod provenance;
pub mod rows;
pub mod spreadsheet;
