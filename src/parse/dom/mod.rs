//! The document tree: nodes in an arena, and html5ever's tree builder that fills it.

pub mod builder;
pub mod node;
pub mod sink;
