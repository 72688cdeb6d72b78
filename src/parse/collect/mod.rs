//! Extracts the title, directives, canonical URL and links from a document tree.

mod anchors;
pub(super) mod directives;
pub(super) mod refresh;
pub(super) mod resolve;
mod text;
pub(super) mod walk;
