//! The RocksDB database itself: its directory, column families, opening, errors, and salvage of damaged files.

pub(super) mod directory;
pub(super) mod error;
pub(super) mod exchange;
pub(super) mod families;
pub(super) mod open;
pub(super) mod permissions;
pub(super) mod salvage;
pub(super) mod schema;
pub(super) mod secondary;
