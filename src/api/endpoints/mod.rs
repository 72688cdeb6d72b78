//! One file per endpoint, each a declaration and, where it is no list, the few lines that answer it.

pub mod anabacklinks;
pub mod backlinks;
pub mod domainpopularity;
pub mod exportbacklinks;
pub mod exportpages;
pub mod health;
pub mod linktexts;
mod pieces;
pub mod referringdomains;
pub mod root;
pub mod sr;

use crate::query::{Compute, ListColumn};

/// A column of a list.
const fn column(name: &'static str, from: Compute) -> ListColumn {
    ListColumn { name, from }
}

/// A column that is a field of the rows under its own name.
const fn plain(name: &'static str) -> ListColumn {
    column(name, Compute::Field(name))
}
