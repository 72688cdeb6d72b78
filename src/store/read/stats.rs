//! Statistics of the index.

use std::collections::HashSet;

use crate::store::codec::keys::after_prefix;
use crate::store::db::schema::PAGES;
use crate::store::{Store, StoreError};
use crate::urls::Surt;

/// The size of the index.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Stats {
    /// URLs visited at least once.
    pub visited: u64,
    /// Pages whose last settled response was HTML.
    pub html_pages: u64,
    /// Active links, internal and external.
    pub links: u64,
    /// Active external links: the backlinks.
    pub backlinks: u64,
    /// Links that disappeared.
    pub inactive_links: u64,
    /// Hosts and registrable domains with visited URLs.
    pub hosts: u64,
    pub domains: u64,
    /// Queued URLs.
    pub queued: u64,
    /// Bytes of the database's files.
    pub disk_bytes: u64,
}

impl Stats {
    /// Bytes on disk per link, active or inactive; 0 if there is no link.
    pub fn bytes_per_link(&self) -> f64 {
        match self.links + self.inactive_links {
            0 => 0.0,
            links => self.disk_bytes as f64 / links as f64,
        }
    }
}

impl Store {
    /// The size of the index. Hosts, domains and the queue are counted by reading their keys. The other numbers are
    /// stored.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or a record is damaged.
    pub fn stats(&self) -> Result<Stats, StoreError> {
        let [visited, html_pages, links, backlinks, inactive_links] = self.counters()?;
        let hosts = self.visited_hosts()?;
        Ok(Stats {
            visited,
            html_pages,
            links,
            backlinks,
            inactive_links,
            hosts: hosts.len() as u64,
            domains: self.domains_of(&hosts).len() as u64,
            queued: self.queue_length()?,
            disk_bytes: self.disk_bytes()?,
        })
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
        Ok(self.domains_of(&self.visited_hosts()?))
    }

    fn domains_of(&self, hosts: &HashSet<String>) -> HashSet<String> {
        hosts.iter().map(|host| self.suffixes.domain_of(host).to_owned()).collect()
    }

    fn visited_hosts(&self) -> Result<HashSet<String>, StoreError> {
        let mut cursor = self.cursor(PAGES)?;
        cursor.seek_to_first();
        let mut hosts = HashSet::new();
        while let Some(key) = cursor.key() {
            hosts.insert(Surt::host_of(key).map_err(|_| StoreError::damaged(PAGES, key, "the host"))?);
            // Continue at the next host and port: all keys of this one share the text up to the parenthesis.
            let end = key.iter().position(|&b| b == b')').map_or(key.len(), |at| at + 1);
            match after_prefix(&key[..end]) {
                Some(next) => cursor.seek(next),
                None => break,
            }
        }
        cursor.status()?;
        Ok(hosts)
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
