//! What a process that holds a data directory tells about itself.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use crate::metrics::ProcessActivity;

/// What a server knows once it listens.
#[derive(Default)]
pub(crate) struct RunningServer {
    /// The address of the API, with its actual port.
    pub address: OnceLock<SocketAddr>,
    /// The rankings; not set in a process that computes none.
    pub rankings: OnceLock<Arc<ProcessActivity>>,
}

/// The answer to a request for the status.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ServerStatus {
    pub pid: u32,
    pub version: String,
    /// `None` before it listens.
    pub address: Option<SocketAddr>,
    /// Whether the process crawls.
    pub crawls: bool,
    pub is_ranking: bool,
    /// Rankings that ended, and those of them that failed.
    pub rankings: u64,
    pub failed_rankings: u64,
}

impl RunningServer {
    pub(super) fn status(&self, crawls: bool) -> ServerStatus {
        let activity = self.rankings.get();
        ServerStatus {
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            address: self.address.get().copied(),
            crawls,
            is_ranking: activity.is_some_and(|activity| activity.is_ranking()),
            rankings: activity.map_or(0, |activity| activity.ended_rankings()),
            failed_rankings: activity.map_or(0, |activity| activity.failed_rankings()),
        }
    }
}
