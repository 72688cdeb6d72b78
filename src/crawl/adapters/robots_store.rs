//! Stores robots.txt files, so that they survive restarts.

use std::sync::Arc;

use crate::fetch::{RobotsStore, StoredRobots};
use crate::store::Store;

/// Robots.txt files in the store. An unreadable one is fetched again; one that cannot be stored stays in
/// memory only.
pub(in crate::crawl) struct RobotsAdapter(Arc<Store>);

impl RobotsAdapter {
    pub(crate) fn new(store: &Arc<Store>) -> Self {
        Self(Arc::clone(store))
    }
}

impl RobotsStore for RobotsAdapter {
    fn load(&self, origin: &str) -> Option<StoredRobots> {
        match self.0.robots(origin) {
            Ok(kept) => kept.and_then(|bytes| StoredRobots::decode(&bytes)),
            Err(error) => {
                tracing::error!(origin, %error, "a stored robots.txt cannot be read");
                None
            }
        }
    }

    fn keep(&self, origin: &str, kept: &StoredRobots) {
        if let Err(error) = self.0.keep_robots(origin, &kept.encode()) {
            tracing::error!(origin, %error, "a robots.txt cannot be stored");
        }
    }
}
