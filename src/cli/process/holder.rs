//! The process that has the database of a data directory open. RocksDB locks the file `LOCK` for it.

use std::fs::OpenOptions;
use std::path::Path;

use rustix::process::{Flock, FlockType, Pid, fcntl_getlk};

/// The lock file of RocksDB.
const LOCK_FILE: &str = "LOCK";

/// The id of the process; `None` without one. The lock of this process itself does not count.
pub(crate) fn holder(data: &Path) -> Option<i32> {
    let file = OpenOptions::new().read(true).open(data.join(LOCK_FILE)).ok()?;
    let lock = fcntl_getlk(&file, &Flock::from(FlockType::WriteLock)).ok()??;
    Some(Pid::as_raw(lock.pid))
}
