//! What is known of a host or a URL, and why it is not fetched. Reads the store; changes nothing.
//!
//! In: a URL. Out: [`UrlReport`] and [`OriginReport`], plain data that serializes to JSON. Times are Unix seconds. The
//! reasons come from the rules of [`crate::policy`], which the crawl applies.

mod host_list;
mod robots;
mod server;
mod url;

use crate::config::Config;
use crate::policy::BlockListError;
use crate::store::{Store, StoreError};
use crate::urls::{CanonicalUrl, UrlError, UrlRules};

pub use host_list::{HostColumn, HostList, HostListRequest, HostOrder, HostRow};
pub use robots::RobotsReport;
pub use server::{BudgetReport, FailureReport, OriginReport, VisitReport};
pub use url::{PageReport, QueueReport, UrlReport};

/// Inspects a store.
pub struct Inspector<'a> {
    pub store: &'a Store,
    pub config: &'a Config,
    pub rules: &'a UrlRules,
    /// The list of seeds of the index, for `crawl.stay_on_seed_domains`. It may be empty without that key.
    pub seeds: &'a [CanonicalUrl],
    /// The time of the inspection.
    pub now: u64,
    /// Called for every few hundred rows. Its error ends the inspection.
    pub proceed: &'a dyn Fn() -> Result<(), InspectError>,
}

/// The reason why an inspection fails.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a block list cannot be used")]
    Blocks(#[from] BlockListError),
    #[error(transparent)]
    Url(#[from] UrlError),
    #[error("the inspection takes too long")]
    Interrupted,
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::config::StoreConfig;
    use crate::model::{DiscoveredUrl, HostFailure, QueueName};
    use crate::store::{BLOCKS_FILE, Commit};
    use crate::urls::Suffixes;

    pub(super) const NOW: u64 = 1_700_000_000;

    pub(super) fn url(text: &str) -> CanonicalUrl {
        UrlRules::default().canonical(text).unwrap()
    }

    /// A store with these URLs in its queues, each with its depth. `asleep.test` is in backoff after a failure, the
    /// backoff of `gone.test` is over, and `blocked.test` is blocked.
    pub(super) fn store_of(folder: &std::path::Path, found: &[(&str, u16)]) -> Store {
        let suffixes = Arc::new(Suffixes::built_in().unwrap());
        let store = Store::open(folder, &StoreConfig::default(), suffixes).unwrap();
        let [asleep, gone] =
            ["http://asleep.test/", "http://gone.test/"].map(|home| QueueName::of(&url(home)));
        let failure = HostFailure {
            at: NOW - 1,
            url: "http://asleep.test/x".to_owned(),
            kind: "timeout".to_owned(),
            cause: "no answer".to_owned(),
        };
        let discovered = found.iter().map(|(text, depth)| DiscoveredUrl::page(url(text), *depth));
        let commit = Commit {
            discovered: discovered.collect(),
            backoffs: vec![(asleep.clone(), NOW + 60), (gone, NOW - 60)],
            failures: vec![(asleep, failure)],
            ..Commit::default()
        };
        store.commit(commit).unwrap();
        store.merge_discovered().unwrap();
        std::fs::write(folder.join(BLOCKS_FILE), "blocked.test\n").unwrap();
        store
    }

    fn filled_store(folder: &std::path::Path) -> Store {
        store_of(folder, &[("http://a.test/deep", 3), ("http://a.test/new", 2), ("http://asleep.test/", 0)])
    }

    #[test]
    fn each_rule_against_a_url_gives_its_reason() {
        let folder = tempfile::tempdir().unwrap();
        let (store, rules) = (filled_store(folder.path()), UrlRules::default());
        let mut config = Config::default();
        config.crawl.max_depth = 2;
        config.crawl.host_pages = 5;
        config.crawl.min_free_disk_bytes = 0;
        let reasons = |config: &Config, text: &str| {
            let seeds = [url("http://a.test/")];
            let (seeds, proceed) = (&seeds[..], &|| Ok(()));
            let inspector = Inspector { store: &store, config, rules: &rules, seeds, now: NOW, proceed };
            let report = serde_json::to_value(inspector.url(&url(text)).unwrap()).unwrap();
            serde_json::from_value::<Vec<String>>(report["reasons"].clone()).unwrap()
        };
        let new = "It was not discovered yet: no page, sitemap or seed names it.";
        let blocked = "crawl.block_list or blocks.txt names its host: the entry is blocked.test.";
        assert_eq!(reasons(&config, "http://a.test/new"), [""; 0]);
        assert_eq!(
            reasons(&config, "http://a.test/deep"),
            ["It is 3 links away from a seed, more than crawl.max_depth."]
        );
        assert_eq!(reasons(&config, "http://www.blocked.test/"), [new, blocked]);
        assert_eq!(
            reasons(&config, "http://asleep.test/"),
            [
                "Its host is left alone until 2023-11-14T22:14:20Z, because it did not answer, answered with errors or \
                 asked for a pause.",
                "The last failure there, at 2023-11-14T22:13:19Z: http://asleep.test/x: timeout: no answer.",
            ]
        );
        config.crawl.host_pages = 0;
        assert_eq!(reasons(&config, "http://a.test/new"), ["Its host has used its budget of 0 new pages."]);
        config.crawl.stay_on_seed_domains = true;
        assert_eq!(reasons(&config, "http://a.test/other"), [new]);
        let off = "crawl.stay_on_seed_domains is on, and blocked.test is no domain of a seed: links to it are not followed.";
        assert_eq!(reasons(&config, "http://blocked.test/"), [new, blocked, off]);
    }

    #[test]
    fn the_servers_of_a_host_are_those_with_a_queue_or_a_request() {
        let folder = tempfile::tempdir().unwrap();
        let (store, rules, config) = (filled_store(folder.path()), UrlRules::default(), Config::default());
        let (config, proceed) = (&config, &|| Ok(()));
        let inspector = Inspector { store: &store, config, rules: &rules, seeds: &[], now: NOW, proceed };
        let [server] = &inspector.origin_reports(&url("https://a.test/any")).unwrap()[..] else {
            panic!("one server")
        };
        assert_eq!((server.origin.as_str(), server.queued, server.blocked), ("http://a.test", 2, false));
        let [server] = &inspector.origin_reports(&url("http://asleep.test/")).unwrap()[..] else {
            panic!("one server")
        };
        assert_eq!((server.backoff_until, server.failures.len()), (Some(NOW + 60), 1));
        assert_eq!(inspector.origin_reports(&url("http://b.test/")).unwrap(), []);
    }
}
