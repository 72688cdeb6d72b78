//! Implements the storage traits of the frontier and of the robots.txt cache over the store.

pub(super) mod backlog;
pub(super) mod robots_store;
