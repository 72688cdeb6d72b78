//! The queue entry of a sitemap that several hosts declare at several times.

use std::sync::Arc;

use backlinkd::config::StoreConfig;
use backlinkd::model::{
    DiscoveredUrl, Disposition, Lane, Priority, QueueEntry, QueueName, SitemapGrant, Target,
};
use backlinkd::store::{Commit, Store};
use backlinkd::urls::{CanonicalUrl, Suffixes};

use crate::pipeline::oracle::url;

struct Queue {
    folder: tempfile::TempDir,
    config: StoreConfig,
    store: Option<Store>,
}

impl Queue {
    fn new(most_hosts: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = StoreConfig::default();
        (config.block_cache_bytes, config.write_buffer_bytes) = (1 << 20, 1 << 20);
        config.max_sitemap_hosts = most_hosts;
        let mut queue = Self { folder, config, store: None };
        queue.reopen();
        queue
    }

    fn reopen(&mut self) {
        self.store = None;
        let suffixes = Arc::new(Suffixes::built_in().unwrap());
        self.store = Some(Store::open(self.folder.path(), &self.config, suffixes).unwrap());
    }

    fn commit(&self, commit: Commit) {
        self.store.as_ref().unwrap().commit(commit).unwrap();
    }

    fn find(&self, grants: &[SitemapGrant]) {
        self.commit(Commit { discovered: grants.iter().map(found).collect(), ..Commit::default() });
    }

    /// All queue entries of the sitemap's host.
    fn entries(&self) -> Vec<QueueEntry> {
        let store = self.store.as_ref().unwrap();
        store.entries_of_lane(&QueueName::of(&address()), Lane::Unbudgeted, None, 10).unwrap()
    }

    #[track_caller]
    fn assert_queued(&self, expected: &[&SitemapGrant]) {
        let grants: Vec<SitemapGrant> = self
            .entries()
            .into_iter()
            .map(|entry| match entry.target {
                Target::Sitemap(grant) => *grant,
                Target::Page => panic!("{entry:?}"),
            })
            .collect();
        assert_eq!(grants.iter().collect::<Vec<_>>(), expected);
        for entry in self.entries() {
            assert_eq!(self.store.as_ref().unwrap().reread_entry(&entry).unwrap(), Some(entry));
        }
    }
}

fn address() -> CanonicalUrl {
    url("http://bucket.storage.test/all.xml")
}

fn grant(level: u8, own_domain: bool, hosts: &[&str]) -> SitemapGrant {
    SitemapGrant { level, own_domain, hosts: hosts.iter().map(|&host| host.into()).collect() }
}

fn found(grant: &SitemapGrant) -> DiscoveredUrl {
    let target = Target::Sitemap(Box::new(grant.clone()));
    DiscoveredUrl { url: address(), priority: Priority::Sitemap, depth: 0, target }
}

fn entry(grant: &SitemapGrant, attempts: u32) -> QueueEntry {
    let DiscoveredUrl { url, priority, depth, target } = found(grant);
    QueueEntry { url, priority, depth, attempts, target }
}

#[test]
fn a_sitemap_is_queued_once_for_all_hosts_that_declare_it() {
    let mut queue = Queue::new(3);
    let (a, b) = (grant(0, true, &["a.test"]), grant(0, true, &["b.test:8080"]));
    let nested = grant(2, false, &["c.test", "a.test"]);
    queue.find(&[a.clone(), nested]);
    queue.assert_queued(&[&grant(0, true, &["a.test", "c.test"])]);
    queue.find(&[b]);
    let all = grant(0, true, &["a.test", "c.test", "b.test:8080"]);
    queue.assert_queued(&[&all]);
    // More hosts than the limit: the last ones are dropped.
    queue.find(&[grant(1, false, &["d.test"])]);
    queue.assert_queued(&[&all]);
    queue.reopen();
    queue.assert_queued(&[&all]);
    for plain in [grant(0, true, &[]), grant(2, true, &[]), grant(1, false, &["a.test"])] {
        let queue = Queue::new(3);
        queue.find(std::slice::from_ref(&plain));
        queue.assert_queued(&[&plain]);
    }
}

#[test]
fn a_read_sitemap_stays_queued_for_hosts_that_declared_it_meanwhile() {
    let (a, b) = (grant(0, true, &["a.test"]), grant(1, false, &["b.test"]));
    let both = grant(0, true, &["a.test", "b.test"]);
    let done = |grant: &SitemapGrant| Commit {
        dispositions: vec![(entry(grant, 1), Disposition::Fetched)],
        ..Commit::default()
    };
    let queue = Queue::new(9);
    queue.find(std::slice::from_ref(&a));
    queue.find(std::slice::from_ref(&b));
    queue.commit(done(&a));
    queue.assert_queued(&[&both]);
    queue.commit(done(&both));
    queue.assert_queued(&[]);
    // Declared in the commit that removes the entry.
    queue.find(std::slice::from_ref(&a));
    queue.commit(Commit { discovered: vec![found(&b)], ..done(&a) });
    queue.assert_queued(&[&b]);
    // Closer to a robots.txt than the processed entry.
    queue.find(&[grant(0, false, &["b.test"])]);
    queue.commit(done(&b));
    queue.assert_queued(&[&grant(0, false, &["b.test"])]);
    // A postponed sitemap is removed as well, if it was taken with the stored hosts.
    let dispositions = vec![(entry(&grant(0, false, &["b.test"]), 0), Disposition::Postponed(5))];
    queue.commit(Commit { dispositions, ..Commit::default() });
    queue.assert_queued(&[]);
}

#[test]
fn a_retry_is_for_all_hosts_that_declare_the_sitemap() {
    let (a, b) = (grant(0, true, &["a.test"]), grant(0, true, &["b.test"]));
    let queue = Queue::new(9);
    queue.find(std::slice::from_ref(&a));
    queue.find(&[b]);
    queue.commit(Commit { dispositions: vec![(entry(&a, 2), Disposition::Retry)], ..Commit::default() });
    queue.assert_queued(&[&grant(0, true, &["a.test", "b.test"])]);
    assert_eq!(queue.entries()[0].attempts, 2);
}
