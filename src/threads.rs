//! Priorities of threads.

/// Has the calling thread give way to those of a crawl.
pub fn lower_priority() {}
