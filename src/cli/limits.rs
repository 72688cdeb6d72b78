//! The operating system's limit of open files, made to fit what the configuration asks for.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config::Config;

/// Files besides those of the database and the fetches: logs, search indexes, API clients.
const OTHERS: u64 = 512;

/// Raises the limit as far as it may be raised without asking anybody; says when that is not enough.
pub(super) fn raise_open_files(config: &Config) {
    let files = u64::try_from(config.store.max_open_files).unwrap_or(0);
    let fetchers = config.crawl.fetchers as u64 + config.crawl.slow_fetchers as u64;
    let connections = fetchers + config.fetch.max_idle_connections as u64;
    let wanted = files + connections + OTHERS;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|current| current >= wanted) {
        return;
    }
    let most = maximum.map_or(wanted, |maximum| maximum.min(wanted));
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(most), maximum }).is_ok();
    if !raised || most < wanted {
        tracing::warn!(
            limit = if raised { Some(most) } else { current },
            wanted,
            "the limit of open files is lower than store.max_open_files, crawl.fetchers, crawl.slow_fetchers and \
             fetch.max_idle_connections ask for; raise it (ulimit -n, or LimitNOFILE= of the service), or lower them"
        );
    }
}
