//! Records of hosts as servers, and the numbers that their budgets depend on.

use hashbrown::HashSet;

use crate::model::{HostRecord, QueueName};
use crate::store::codec::keys::{after_prefix, pair_key, split_pair_key};
use crate::store::codec::sums::decode_sums;
use crate::store::db::schema::{HOSTS, PAIRS, ROBOTS};
use crate::store::{Store, StoreError, codec};
use crate::urls::{Surt, host_prefix};

/// Maximum number of rows read to count linking domains.
const MAX_ROWS: usize = 20_000;
/// Records read between two checks for an abort.
const RECORDS_PER_CHECK: u64 = 512;
/// Rows of one domain in sequence before a seek to the next domain.
const ROWS_BEFORE_SEEK: usize = 16;

fn decode(key: &[u8], value: &[u8]) -> Result<HostRecord, StoreError> {
    codec::decode_host(value).map_err(|damage| StoreError::damaged(HOSTS, key, damage.0))
}

impl Store {
    /// The record of a scheme, host and port as a server; the default if there is none.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or the record is damaged.
    pub fn host(&self, queue: &QueueName) -> Result<HostRecord, StoreError> {
        let key = queue.as_bytes();
        let value = self.get(HOSTS, key)?;
        value.map_or(Ok(HostRecord::default()), |value| decode(key, &value))
    }

    /// All servers of a host and of the hosts below it: schemes and ports with their records.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or a record is damaged.
    pub fn servers(&self, host: &str) -> Result<Vec<(QueueName, HostRecord)>, StoreError> {
        let mut servers = Vec::new();
        self.for_each_server(&host_prefix(host), &|| Ok::<_, StoreError>(()), |name, host| {
            servers.push((name, host));
        })?;
        Ok(servers)
    }

    /// As [`Self::servers`], without the hosts below it.
    ///
    /// # Errors
    /// As [`Self::servers`].
    pub fn servers_at(&self, host: &str) -> Result<Vec<QueueName>, StoreError> {
        let mut servers = Vec::new();
        // A port follows the host, or the end of the authority.
        for end in [b')', b':'] {
            let prefix = [host_prefix(host), vec![end]].concat();
            self.for_each_server(&prefix, &|| Ok::<_, StoreError>(()), |name, _| servers.push(name))?;
        }
        Ok(servers)
    }

    /// The number of different pages fetched from a registrable domain, and the number of schemes, hosts and ports
    /// that they came from. Servers without any visit, such as names without an address, do not count. Reads all
    /// records of the domain.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or a record is damaged.
    pub fn domain_pages(&self, domain: &str) -> Result<(u64, u64), StoreError> {
        self.count_domain_pages(domain, &|| Ok(()))
    }

    /// As [`Self::domain_pages`]. Calls `proceed` every few hundred records; its error ends the count.
    ///
    /// # Errors
    /// As [`Self::domain_pages`], and the error of `proceed`.
    pub fn count_domain_pages<E: From<StoreError>>(
        &self,
        domain: &str,
        proceed: &dyn Fn() -> Result<(), E>,
    ) -> Result<(u64, u64), E> {
        let (mut pages, mut servers) = (0, 0);
        self.for_each_server(&host_prefix(domain), proceed, |name, host| {
            let is_own = || {
                Surt::decode_host(name.as_bytes()).is_ok_and(|name| self.suffixes.domain_of(&name) == domain)
            };
            if host.visits > 0 && is_own() {
                pages += host.pages;
                servers += 1;
            }
        })?;
        Ok((pages, servers))
    }

    fn for_each_server<E: From<StoreError>>(
        &self,
        prefix: &[u8],
        proceed: &dyn Fn() -> Result<(), E>,
        mut each: impl FnMut(QueueName, HostRecord),
    ) -> Result<(), E> {
        let mut cursor = self.cursor_before(HOSTS, after_prefix(prefix))?;
        cursor.seek(prefix);
        let mut count = 0_u64;
        while let Some((key, value)) = cursor.item() {
            each(QueueName::from_stored(key), decode(key, value)?);
            count += 1;
            if count.is_multiple_of(RECORDS_PER_CHECK) {
                proceed()?;
            }
            cursor.next();
        }
        cursor.status().map_err(StoreError::from)?;
        Ok(())
    }

    /// The number of registrable domains, other than its own, that link to a host, counted up to `most`. With `below`,
    /// to the host and all hosts below it.
    ///
    /// Reads a limited number of rows. Among the hosts of one domain that link to one host, it skips all but the first
    /// few. If there are still too many rows, it counts the domains of the first ones.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or a record is damaged.
    pub fn linking_domains(&self, host: &str, below: bool, most: usize) -> Result<usize, StoreError> {
        let own = self.suffixes.domain_of(host);
        let mut prefix = host_prefix(host);
        if !below {
            prefix.push(0);
        }
        let mut domains: HashSet<String> = HashSet::new();
        let (mut last, mut run, mut rows) = (String::new(), 0, 0);
        let mut cursor = self.cursor_before(PAIRS, after_prefix(&prefix))?;
        cursor.seek(&prefix);
        while let (Some((key, value)), true) = (cursor.item(), domains.len() < most && rows < MAX_ROWS) {
            rows += 1;
            let damaged = |what| StoreError::damaged(PAIRS, key, what);
            let (target, source) = split_pair_key(key).map_err(|damage| damaged(damage.0))?;
            let source = Surt::decode_host(source).map_err(|_| damaged("the source host"))?;
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
            // The domains below a public suffix are different domains.
            let is_counted = domain == own || domains.contains(domain);
            match after_prefix(&pair_key(target, &host_prefix(domain))) {
                Some(next)
                    if is_counted && run >= ROWS_BEFORE_SEEK && self.suffixes.suffix_of(domain) != domain =>
                {
                    cursor.seek(next);
                }
                _ => cursor.next(),
            }
        }
        cursor.status()?;
        Ok(domains.len())
    }

    /// The bytes that [`Self::keep_robots`] stored for a scheme, host and port.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub fn robots(&self, origin: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.get(ROBOTS, origin)?.map(|value| value.to_vec()))
    }

    /// Stores a robots.txt as bytes, which only the caller interprets.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub fn keep_robots(&self, origin: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.put_row(ROBOTS, origin, bytes)
    }
}
