//! What a process that holds a data directory tells about itself.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use crate::config::{COMMAND_LINE_VARIABLES, environment};
use crate::metrics::ProcessActivity;

/// Where the configuration of a process comes from, in ascending order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ConfigSources {
    /// The absolute path of its `--config` file.
    pub file: Option<PathBuf>,
    /// The variables of its environment that set keys.
    pub variables: Vec<(String, String)>,
    /// Its `--set` arguments.
    pub set: Vec<String>,
}

impl ConfigSources {
    /// The sources of a command with this file and these `--set` arguments.
    pub(crate) fn of(file: Option<&Path>, set: &[String]) -> Self {
        let file = file.map(|file| std::path::absolute(file).unwrap_or_else(|_| file.to_owned()));
        let is_key = |(name, _): &(String, String)| !COMMAND_LINE_VARIABLES.contains(&name.as_str());
        Self { file, variables: environment().filter(is_key).collect(), set: set.to_vec() }
    }
}

/// What a server knows of itself.
#[derive(Default)]
pub(crate) struct RunningServer {
    pub sources: ConfigSources,
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
    /// `None` in earlier versions.
    #[serde(default)]
    pub sources: Option<ConfigSources>,
}

impl RunningServer {
    /// A server that does not listen yet.
    pub(crate) fn with(sources: &ConfigSources) -> Self {
        Self { sources: sources.clone(), ..Self::default() }
    }

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
            sources: Some(self.sources.clone()),
        }
    }
}
