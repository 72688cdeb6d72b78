//! The character encoding of a document: how to detect it, and how to encode query strings in it.

pub mod detect;
mod prescan;
pub mod query;
