//! A host of the simulated web.

use std::time::Duration;

pub struct Host {
    pub name: String,
    /// Last bytes of its addresses, in the network of this number.
    pub addresses: Vec<u8>,
    pub network: u8,
    pub pages: usize,
    /// The host to which its robots.txt redirects.
    pub moved: Option<usize>,
    pub found_by_dns: bool,
    pub failing: u64,
    /// Duration of each of its responses, and of each resolution of its name; `None`: a random time.
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
