//! The limit of open files, and the configuration that must fit it.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config::Config;

/// Files other than those of the database and of connections: logs, search indexes, archives.
const OTHER_FILES: u64 = 512;

/// The program does not start with a lower limit: the database alone may need this many.
pub(crate) const MIN_LIMIT: u64 = 96;

/// Files that the configuration may need open at once.
pub(crate) fn wanted_open_files(config: &Config) -> u64 {
    let files = u64::try_from(config.store.max_open_files).unwrap_or(0);
    let fetchers = config.crawl.fetchers as u64 + config.crawl.slow_fetchers as u64;
    let connections = config.fetch.max_idle_connections as u64 + config.api.max_connections as u64;
    files + fetchers + connections + OTHER_FILES
}

/// The limit that a process may have, without an id this one; `None` without a limit.
pub(crate) fn attainable_open_files(pid: Option<u32>) -> Option<u64> {
    let limits = pid.and_then(|pid| std::fs::read_to_string(format!("/proc/{pid}/limits")).ok());
    if let Some(hard) = limits.as_deref().and_then(hard_open_files) {
        return hard.parse().ok();
    }
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    current.and(maximum)
}

/// The hard limit of open files in the text of `/proc/PID/limits` (proc(5)): a number, or `unlimited`.
fn hard_open_files(limits: &str) -> Option<&str> {
    let limit = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    limit.split_whitespace().nth(1)
}

/// Raises the limit as far as the process may. If that is not enough, lowers the configuration to fit and logs a
/// warning: running out of files in the middle of a crawl costs time.
///
/// # Errors
/// When the limit is too low for any work.
pub(crate) fn fit_open_file_limit(config: &mut Config) -> anyhow::Result<()> {
    let wanted = wanted_open_files(config);
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let Some(current) = current.filter(|current| *current < wanted) else { return Ok(()) };
    let most = maximum.map_or(wanted, |maximum| maximum.min(wanted));
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(most), maximum }).is_ok();
    let limit = if raised { most } else { current };
    if limit < MIN_LIMIT {
        anyhow::bail!(
            "the limit of open files is {limit}, too low to start; raise it (ulimit -n, or LimitNOFILE= of the service) to \
             {wanted}, or to {MIN_LIMIT} at least"
        );
    }
    if limit < wanted {
        let share = |part: u64| usize::try_from(limit / part).unwrap_or(usize::MAX);
        let database = i32::try_from(limit / 3).unwrap_or(i32::MAX);
        let (store, crawl, fetch) = (&mut config.store, &mut config.crawl, &mut config.fetch);
        store.max_open_files =
            if store.max_open_files < 0 { database } else { store.max_open_files.min(database) };
        crawl.fetchers = crawl.fetchers.min(share(8));
        crawl.slow_fetchers = crawl.slow_fetchers.min(share(8));
        fetch.max_idle_connections = fetch.max_idle_connections.min(share(8));
        config.api.max_connections = config.api.max_connections.min(share(8));
        tracing::warn!(
            limit,
            wanted,
            store.max_open_files = store.max_open_files,
            crawl.fetchers = crawl.fetchers,
            crawl.slow_fetchers = crawl.slow_fetchers,
            api.max_connections = config.api.max_connections,
            fetch.max_idle_connections = fetch.max_idle_connections,
            "the limit of open files is lower than the configuration asks for, and these keys are lowered to fit; raise \
             it (ulimit -n, or LimitNOFILE= of the service)"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hard_limit_of_a_process_is_its_second_number() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max processes             1                    2                    processes \n\
                      Max open files            1024                 524288               files     \n";
        assert_eq!(hard_open_files(limits), Some("524288"));
        assert_eq!(hard_open_files(&limits.replace("524288", "unlimited")), Some("unlimited"));
        assert_eq!(hard_open_files(""), None);
        assert_eq!(attainable_open_files(Some(std::process::id())), attainable_open_files(None));
    }
}
