//! Backoff: how a crawl waits for hosts that fail, for resources of this machine, for disk space, and for the
//! store.

pub(super) mod disk;
pub(super) mod host;
pub(super) mod resources;
pub(super) mod store;
