//! The lists of an index: seeds and blocked hosts, each a text file in the data directory.
//!
//! A file has one entry per line. It may be edited by hand, and comments are kept. A change writes a new file and
//! renames it over the old one, under a lock on the directory: neither a crash nor two concurrent changes lose a
//! line. A daemon that runs on the directory reloads the list.

mod edit;
mod entry;
mod file;

pub(super) use edit::{EditResult, ListEdit};
pub(super) use entry::ListEntry;
pub(super) use file::{read_or_empty, rewrite_file};

/// A change to a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ListChange {
    Add,
    Remove,
}
