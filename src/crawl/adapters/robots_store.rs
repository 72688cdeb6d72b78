//! Stores robots.txt files, so that they survive restarts.

use std::sync::Arc;

use crate::fetch::{KeptRobots, RobotsShelf};
use crate::store::Store;

/// Robots.txt files in the store. An unreadable one is fetched again; one that cannot be stored stays in
/// memory only.
pub(in crate::crawl) struct RobotsStore(pub Arc<Store>);

impl RobotsShelf for RobotsStore {
    fn load(&self, origin: &str) -> Option<KeptRobots> {
        match self.0.robots(origin) {
            Ok(kept) => kept.and_then(|bytes| KeptRobots::decode(&bytes)),
            Err(error) => {
                tracing::error!(origin, %error, "a stored robots.txt cannot be read");
                None
            }
        }
    }

    fn keep(&self, origin: &str, kept: &KeptRobots) {
        if let Err(error) = self.0.keep_robots(origin, &kept.encode()) {
            tracing::error!(origin, %error, "a robots.txt cannot be stored");
        }
    }
}
