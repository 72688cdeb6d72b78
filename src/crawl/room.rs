//! Room in memory for what answers bring: `crawl.store_queue_bytes` of URLs and texts that wait to be stored.
//!
//! An answer takes room for as much as it may bring before it is read, keeps as much of that as it did bring, and gives
//! it back once that is stored. Those that find none wait as they came, which takes far less.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::Config;
use crate::frontier::Target;

/// Bytes that a permit stands for, so that their number fits.
const UNIT: usize = 1 << 10;

/// All the room there is.
#[derive(Clone)]
pub(super) struct Rooms {
    free: Arc<Semaphore>,
    /// What a page and a sitemap may bring.
    page: u32,
    sitemap: u32,
}

impl Rooms {
    pub fn new(config: &Config) -> Self {
        let all = units(config.crawl.store_queue_bytes);
        Self {
            free: Arc::new(Semaphore::new(all as usize)),
            // Each of its links may be one to follow besides.
            page: units(config.parse.max_links_bytes.saturating_mul(2)).min(all),
            sitemap: units(config.sitemaps.max_bytes).min(all),
        }
    }

    /// Waits until there is room for whatever the answer may bring.
    pub async fn take(&self, target: &Target) -> Option<Room> {
        let most = match target {
            Target::Page => self.page,
            Target::Sitemap(_) => self.sitemap,
        };
        Arc::clone(&self.free).acquire_many_owned(most).await.ok().map(Room)
    }
}

/// Room that is taken, until it is dropped.
pub(super) struct Room(OwnedSemaphorePermit);

impl Room {
    /// Gives back what so many bytes do not need.
    pub fn keep(&mut self, bytes: usize) {
        let rest = self.0.num_permits().saturating_sub(units(bytes) as usize);
        drop(self.0.split(rest));
    }
}

fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).min(MOST)
}

/// Units there may be at most; tokio's semaphores have no more on any machine.
const MOST: u32 = u32::MAX >> 3;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frontier::SitemapGrant;

    #[tokio::test]
    async fn room_is_there_again_when_it_is_given_back() {
        let mut config = Config::default();
        (config.crawl.store_queue_bytes, config.parse.max_links_bytes) = (4_096, 1_024);
        let rooms = Rooms::new(&config);
        let mut first = rooms.take(&Target::Page).await.unwrap();
        let second = rooms.take(&Target::Page).await.unwrap();
        assert_eq!(rooms.free.available_permits(), 0);
        first.keep(1_025);
        assert_eq!(rooms.free.available_permits(), 0);
        first.keep(1_024);
        assert_eq!(rooms.free.available_permits(), 1);
        first.keep(0);
        assert_eq!(rooms.free.available_permits(), 2);
        drop((first, second));
        // What may bring more than there is room for has all of it.
        let sitemap = Target::Sitemap(Box::new(SitemapGrant::at_level(0)));
        let _all = rooms.take(&sitemap).await.unwrap();
        assert_eq!(rooms.free.available_permits(), 0);
    }
}
