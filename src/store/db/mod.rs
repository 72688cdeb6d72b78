//! The RocksDB database itself: its directory, column families and their rows, opening, errors, and salvage of damaged
//! files. Only this folder imports `rocksdb`.

pub(super) mod directory;
pub(super) mod error;
pub(super) mod exchange;
pub(super) mod families;
pub(super) mod open;
pub(super) mod permissions;
pub(super) mod rows;
pub(super) mod salvage;
pub(super) mod schema;
pub(super) mod secondary;
