//! The write side: commits of the crawl, imports, and everything that they derive from visit records.

pub(super) mod builder;
pub(super) mod change_numbers;
pub(super) mod commit;
pub(super) mod days;
pub(super) mod diff;
pub(super) mod history;
pub(super) mod host_pairs;
pub(super) mod hosts;
pub(super) mod ranks;
pub(super) mod stored_page;
