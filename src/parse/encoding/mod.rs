//! The character encoding of a document: how to detect it, and how to encode query strings in it.

pub(super) mod detect;
mod prescan;
pub(super) mod query;
