//! What is known of hosts as servers, and what their budgets go by.

use rocksdb::WriteBatch;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::frontier::QueueName;
use crate::model::{HostRecord, HostVisit, PageRecord, Visit};
use crate::urls::{Surt, host_prefix};

use super::keys::{after_prefix, pair, split_pair};
use super::schema::{HOSTS, PAIRS, ROBOTS, bounded, decode_sums};
use super::{Store, StoreError, values};

/// Rows looked at, when linking domains are counted.
const MOST_ROWS: usize = 20_000;
/// Rows of one domain after which the rest of them is passed over.
const RUN: usize = 16;

/// The hosts that a batch changes.
#[derive(Default)]
pub(super) struct HostChanges(FxHashMap<QueueName, HostRecord>);

impl HostChanges {
    pub fn host(&mut self, store: &Store, queue: QueueName) -> Result<&mut HostRecord, StoreError> {
        Ok(match self.0.entry(queue) {
            std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::hash_map::Entry::Vacant(free) => {
                let host = store.host(free.key())?;
                free.insert(host)
            }
        })
    }

    /// Adds what a visit tells of its host. A body that cannot be read is the page's fault, not the host's.
    pub fn add_visit(
        &mut self,
        store: &Store,
        queue: QueueName,
        record: &PageRecord,
    ) -> Result<(), StoreError> {
        let (status, failure) = match &record.visit {
            Visit::Answered(content) => (content.status, 0),
            Visit::NotModified => (304, 0),
            Visit::Failed(kind, _) => (0, *kind as u8),
        };
        self.host(store, queue)?.add(HostVisit { at: record.visited, status, failure });
        Ok(())
    }

    pub fn stage(self, store: &Store, batch: &mut WriteBatch) -> Result<(), StoreError> {
        let family = store.family(HOSTS)?;
        for (queue, host) in self.0 {
            batch.put_cf(family, queue.as_bytes(), values::encode_host(&host));
        }
        Ok(())
    }
}

fn decode(key: &[u8], value: &[u8]) -> Result<HostRecord, StoreError> {
    values::decode_host(value).map_err(|damage| StoreError::damaged(HOSTS, key, damage.0))
}

impl Store {
    /// What is known of a scheme, host and port as a server; nothing yet: the default.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or the record is damaged.
    pub fn host(&self, queue: &QueueName) -> Result<HostRecord, StoreError> {
        let key = queue.as_bytes();
        let value = self.db.get_pinned_cf(self.family(HOSTS)?, key)?;
        value.map_or(Ok(HostRecord::default()), |value| decode(key, &value))
    }

    /// The servers of a host, or of a host and all below it: schemes and ports with what is known of them.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or a record is damaged.
    pub fn servers(&self, host: &str) -> Result<Vec<(QueueName, HostRecord)>, StoreError> {
        let mut servers = Vec::new();
        self.each_server(&host_prefix(host), |name, host| servers.push((name, host)))?;
        Ok(servers)
    }

    /// Different pages fetched from a registrable domain, and from how many schemes, hosts and ports of it: names
    /// that were never asked for a page, because nobody answers for them, are none of these. Reads all that are
    /// known of the domain.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or a record is damaged.
    pub fn domain_pages(&self, domain: &str) -> Result<(u64, u64), StoreError> {
        let (mut pages, mut servers) = (0, 0);
        self.each_server(&host_prefix(domain), |name, host| {
            let is_own =
                || Surt::host_of(name.as_bytes()).is_ok_and(|name| self.suffixes.domain_of(&name) == domain);
            if host.visits > 0 && is_own() {
                pages += host.pages;
                servers += 1;
            }
        })?;
        Ok((pages, servers))
    }

    fn each_server(
        &self,
        prefix: &[u8],
        mut each: impl FnMut(QueueName, HostRecord),
    ) -> Result<(), StoreError> {
        let mut cursor = self.db.raw_iterator_cf_opt(self.family(HOSTS)?, bounded(after_prefix(prefix)));
        cursor.seek(prefix);
        while let Some((key, value)) = cursor.item() {
            each(QueueName::from_stored(key), decode(key, value)?);
            cursor.next();
        }
        cursor.status()?;
        Ok(())
    }

    /// How many registrable domains, other than its own, link to a host, counted up to `most`. With `below`, to
    /// the host and all hosts below it. Looks at a bounded number of rows: of the hosts of one domain that link to
    /// one host it passes over all but the first, and where there are too many all the same, it counts those that
    /// come first.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or a record is damaged.
    pub fn linking_domains(&self, host: &str, below: bool, most: usize) -> Result<usize, StoreError> {
        let own = self.suffixes.domain_of(host);
        let mut prefix = host_prefix(host);
        if !below {
            prefix.push(0);
        }
        let mut domains: FxHashSet<String> = FxHashSet::default();
        let (mut last, mut run, mut rows) = (String::new(), 0, 0);
        let mut cursor = self.db.raw_iterator_cf_opt(self.family(PAIRS)?, bounded(after_prefix(&prefix)));
        cursor.seek(&prefix);
        while let (Some((key, value)), true) = (cursor.item(), domains.len() < most && rows < MOST_ROWS) {
            rows += 1;
            let damaged = |what| StoreError::damaged(PAIRS, key, what);
            let (target, source) = split_pair(key).map_err(|damage| damaged(damage.0))?;
            let source = Surt::host_of(source).map_err(|_| damaged("the source host"))?;
            let domain = self.suffixes.domain_of(&source);
            run = if domain == last { run + 1 } else { 0 };
            if run == 0 {
                domain.clone_into(&mut last);
            }
            if domain != own
                && !domains.contains(domain)
                && decode_sums(PAIRS, key, value)?.first().is_some_and(|&links| links > 0)
            {
                domains.insert(domain.to_owned());
            }
            // Below a public suffix stand the domains of others.
            let is_told = domain == own || domains.contains(domain);
            match after_prefix(&pair(target, &host_prefix(domain))) {
                Some(next) if is_told && run >= RUN && self.suffixes.suffix_of(domain) != domain => {
                    cursor.seek(next);
                }
                _ => cursor.next(),
            }
        }
        cursor.status()?;
        Ok(domains.len())
    }

    /// What [`Self::keep_robots`] kept for a scheme, host and port.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub fn robots(&self, origin: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.db.get_cf(self.family(ROBOTS)?, origin)?)
    }

    /// Keeps what is known of a robots.txt, as bytes that only their writer reads.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub fn keep_robots(&self, origin: &str, bytes: &[u8]) -> Result<(), StoreError> {
        Ok(self.db.put_cf(self.family(ROBOTS)?, origin, bytes)?)
    }
}
