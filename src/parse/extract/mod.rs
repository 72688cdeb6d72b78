//! Extracts the title, directives, canonical URL and links from a document tree.

mod anchors;
pub mod directives;
pub mod refresh;
pub mod resolve;
mod text;
pub mod walk;
