//! A host of the made web.

use std::time::Duration;

pub struct Host {
    pub name: String,
    /// Last numbers of its addresses, in the network of this number.
    pub addresses: Vec<u8>,
    pub network: u8,
    pub pages: usize,
    /// Where its robots.txt has moved to.
    pub moved: Option<usize>,
    pub found_by_dns: bool,
    pub failing: u64,
    /// How long each of its answers takes, and each of its name; `None`: some time.
    pub takes: Option<Duration>,
    pub name_takes: Option<Duration>,
}

impl Default for Host {
    fn default() -> Self {
        Self {
            name: String::new(),
            addresses: vec![1],
            network: 2,
            pages: 1,
            moved: None,
            found_by_dns: true,
            failing: 0,
            takes: None,
            name_takes: None,
        }
    }
}
