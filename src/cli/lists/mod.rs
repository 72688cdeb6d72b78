//! The lists of an index: seeds and blocked hosts, each a text file in the data directory.
//!
//! A file has one entry per line. It may be edited by hand, and comments are kept. A change writes a new file and
//! renames it over the old one, under a lock on the directory: neither a crash nor two concurrent changes lose a
//! line. A daemon that runs on the directory reloads the list.

mod edit;
mod entry;
mod file;

pub use edit::{EditResult, ListEdit};
pub use entry::ListEntry;
pub use file::{read_or_empty, rewrite_file};

/// A change to a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListChange {
    Add,
    Remove,
}
