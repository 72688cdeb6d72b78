//! The document tree: nodes in an arena, and html5ever's tree builder that fills it.

pub(super) mod builder;
pub(super) mod node;
pub(super) mod sink;
