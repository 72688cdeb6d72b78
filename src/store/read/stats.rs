//! Statistics of the index.

use std::collections::HashSet;

use crate::store::codec::keys::after_prefix;
use crate::store::db::rows::ReadPattern;
use crate::store::db::schema::{FRONTIER, META, PAGES};
use crate::store::meta::{COUNTERS, decode_counters};
use crate::store::{Snapshot, Store, StoreError};
use crate::urls::Surt;

/// Keys read between two checks for an abort.
const KEYS_PER_CHECK: u64 = 512;

/// The size of the index.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Stats {
    /// URLs visited at least once.
    pub visited: u64,
    /// Pages whose last conclusive response was HTML.
    pub html_pages: u64,
    /// Active links, internal and external.
    pub links: u64,
    /// Active external links: the backlinks.
    pub backlinks: u64,
    /// Links that disappeared.
    #[serde(rename = "inactive_links")]
    pub lost_links: u64,
    /// Hosts and registrable domains with visited URLs.
    pub hosts: u64,
    pub domains: u64,
    /// Queued URLs.
    pub queued: u64,
    /// Bytes of the database's files.
    pub disk_bytes: u64,
}

impl Stats {
    /// Bytes on disk per link, active or lost; 0 if there is no link.
    pub fn bytes_per_link(&self) -> f64 {
        match self.links + self.lost_links {
            0 => 0.0,
            links => self.disk_bytes as f64 / links as f64,
        }
    }
}

impl Snapshot<'_> {
    /// The size of the index. Hosts, domains and the queue are counted by reading their keys. The other numbers are
    /// stored. Calls `proceed` every few hundred keys; its error ends the count.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or a record is damaged, and the error of `proceed`.
    pub fn stats<E: From<StoreError>>(&self, proceed: &impl Fn() -> Result<(), E>) -> Result<Stats, E> {
        let counters = self.get(META, COUNTERS)?;
        let [visited, html_pages, links, backlinks, lost_links] = decode_counters(counters.as_deref())?;
        let hosts = self.visited_hosts(proceed)?;
        Ok(Stats {
            visited,
            html_pages,
            links,
            backlinks,
            lost_links,
            hosts: hosts.len() as u64,
            domains: self.store.domains_of(&hosts).len() as u64,
            queued: self.queue_length(proceed)?,
            disk_bytes: self.store.disk_bytes()?,
        })
    }

    fn queue_length<E: From<StoreError>>(&self, proceed: &impl Fn() -> Result<(), E>) -> Result<u64, E> {
        let mut cursor = self.cursor(FRONTIER, ReadPattern::Sequential, None)?;
        cursor.seek_to_first();
        let mut count = 0_u64;
        while cursor.valid() {
            if count.is_multiple_of(KEYS_PER_CHECK) {
                proceed()?;
            }
            count += 1;
            cursor.next();
        }
        cursor.status().map_err(StoreError::from)?;
        Ok(count)
    }

    fn visited_hosts<E: From<StoreError>>(
        &self,
        proceed: &impl Fn() -> Result<(), E>,
    ) -> Result<HashSet<String>, E> {
        let mut cursor = self.cursor(PAGES, ReadPattern::Random, None)?;
        cursor.seek_to_first();
        let mut hosts = HashSet::new();
        while let Some(key) = cursor.key() {
            if (hosts.len() as u64).is_multiple_of(KEYS_PER_CHECK) {
                proceed()?;
            }
            hosts.insert(Surt::decode_host(key).map_err(|_| StoreError::damaged(PAGES, key, "the host"))?);
            // Continue at the next host and port: all keys of this one share the text up to the parenthesis.
            let end = key.iter().position(|&b| b == b')').map_or(key.len(), |at| at + 1);
            match after_prefix(&key[..end]) {
                Some(next) => cursor.seek(next),
                None => break,
            }
        }
        cursor.status().map_err(StoreError::from)?;
        Ok(hosts)
    }
}

impl Store {
    /// The present size of the index.
    ///
    /// # Errors
    /// As [`Snapshot::stats`].
    pub fn stats(&self) -> Result<Stats, StoreError> {
        self.snapshot().stats(&|| Ok(()))
    }

    fn disk_bytes(&self) -> Result<u64, StoreError> {
        let unreadable = |error: std::io::Error| StoreError::unusable(&self.directory, error);
        let mut bytes = 0;
        for entry in std::fs::read_dir(&self.directory).map_err(unreadable)? {
            // A file that a compaction deletes meanwhile takes no space any more.
            bytes += entry.map_err(unreadable)?.metadata().map_or(0, |file| file.len());
        }
        Ok(bytes)
    }

    /// The registrable domains with visited URLs.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or a key is damaged.
    pub fn visited_domains(&self) -> Result<HashSet<String>, StoreError> {
        Ok(self.domains_of(&self.snapshot().visited_hosts(&|| Ok::<_, StoreError>(()))?))
    }

    fn domains_of(&self, hosts: &HashSet<String>) -> HashSet<String> {
        hosts.iter().map(|host| self.suffixes.domain_of(host).to_owned()).collect()
    }

    /// Whether no URL was ever visited.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub fn is_empty(&self) -> Result<bool, StoreError> {
        let mut cursor = self.cursor(PAGES)?;
        cursor.seek_to_first();
        let empty = !cursor.valid();
        cursor.status()?;
        Ok(empty)
    }
}
