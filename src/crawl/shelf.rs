//! Where robots.txt files are kept across restarts: in the store.

use std::sync::Arc;

use crate::fetch::{KeptRobots, RobotsShelf};
use crate::store::Store;

/// The shelf over a store. What cannot be read is fetched anew; what cannot be kept is kept in memory alone.
pub(super) struct StoreShelf(pub Arc<Store>);

impl RobotsShelf for StoreShelf {
    fn load(&self, origin: &str) -> Option<KeptRobots> {
        match self.0.robots(origin) {
            Ok(kept) => kept.and_then(|bytes| KeptRobots::decode(&bytes)),
            Err(error) => {
                tracing::error!(origin, %error, "a robots.txt that was kept cannot be read");
                None
            }
        }
    }

    fn keep(&self, origin: &str, kept: &KeptRobots) {
        if let Err(error) = self.0.keep_robots(origin, &kept.encode()) {
            tracing::error!(origin, %error, "a robots.txt cannot be kept");
        }
    }
}
