//! URLs to fetch: the queue, the schedule of later visits, and the seen set that lets each into the queue once.

pub(super) mod arrivals;
pub(super) mod entries;
pub(super) mod recent_urls;
pub(super) mod resting_pages;
pub(super) mod schedule;
pub(super) mod seen_set;
pub(super) mod sitemaps;
