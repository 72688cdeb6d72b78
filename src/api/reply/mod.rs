//! Replies of endpoints: lists, exports and errors, as JSON or as rows in other formats.

pub(super) mod columnar;
pub(super) mod emptiness;
pub(super) mod error_response;
pub(super) mod exports;
mod feed;
pub(super) mod graphs;
pub(super) mod headers;
pub(super) mod lists;
pub(super) mod provenance;
pub(super) mod rows;
pub(super) mod site_state;
pub(super) mod spreadsheet;
mod tables;
