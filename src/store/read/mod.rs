//! The read side: consistent snapshots, range scans by scope, lookups of many keys, and statistics.

pub(super) mod backlink_batch;
pub(super) mod display;
pub(super) mod host_pairs;
pub(super) mod hosts;
pub(super) mod known;
pub(super) mod multi_get;
pub(super) mod pages;
pub(super) mod ranks;
pub(super) mod scan;
pub(super) mod servers;
pub(super) mod snapshot;
pub(super) mod stats;
