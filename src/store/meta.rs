//! What there is once per database: its format version, its counters, its users, its token key.

use std::collections::HashSet;
use std::path::Path;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use crate::urls::Surt;

use super::codec::{Reader, put_varint};
use super::keys::after_prefix;
use super::schema::{self, FORMAT, META, OLDEST_FORMAT, PAGES, bounded, decode_sums};
use super::{Store, StoreError};

pub(super) const FORMAT_KEY: &[u8] = b"format";
pub(super) const TOKEN_KEY: &[u8] = b"token-key";
pub(super) const USER_PREFIX: &[u8] = b"user/";
/// Sums: visited pages, HTML pages, active links, active external links, inactive links.
pub(super) const COUNTERS: &[u8] = b"counters";

/// The size of the index.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Stats {
    /// URLs visited at least once.
    pub visited: u64,
    /// Pages whose last settled answer was HTML.
    pub html_pages: u64,
    /// Active links, internal and external.
    pub links: u64,
    /// Active external links: the backlinks.
    pub backlinks: u64,
    /// Links that were there once.
    pub inactive_links: u64,
    /// Hosts and registrable domains with visited URLs.
    pub hosts: u64,
    pub domains: u64,
    /// URLs waiting to be fetched.
    pub queued: u64,
    /// Bytes of the database's files.
    pub disk_bytes: u64,
}

impl Stats {
    /// Bytes on disk for each active or inactive link; 0 when there is none.
    pub fn bytes_per_link(&self) -> f64 {
        match self.links + self.inactive_links {
            0 => 0.0,
            links => self.disk_bytes as f64 / links as f64,
        }
    }
}

impl Store {
    /// Carries a database of an earlier format over, if `upgrade` allows it; refuses one of any other; stamps a new
    /// one.
    pub(super) fn check_format(&self, upgrade: bool) -> Result<(), StoreError> {
        match self.db.get_cf(self.family(META)?, FORMAT_KEY)? {
            Some(value) => self.upgrade(expect_format(&self.directory, &value)?, upgrade),
            None => {
                let value = format_value();
                let mut key = [0u8; 32];
                getrandom::fill(&mut key).map_err(|error| StoreError::Random(error.to_string()))?;
                let mut batch = rocksdb::WriteBatch::default();
                batch.put_cf(self.family(META)?, TOKEN_KEY, key);
                batch.put_cf(self.family(META)?, FORMAT_KEY, value);
                self.write(batch)
            }
        }
    }

    /// Carries a database over to this program's format. The number is all that changes at once, so that a crash leaves
    /// either format whole.
    fn upgrade(&self, found: u32, allowed: bool) -> Result<(), StoreError> {
        if found == FORMAT {
            return Ok(());
        }
        let directory = self.directory.display();
        if !allowed {
            let directory = self.directory.clone();
            return Err(StoreError::UpgradeRefused { directory, found, expected: FORMAT });
        }
        tracing::info!(%directory, from = found, to = FORMAT, "the data directory is carried over to a new format");
        let mut batch = rocksdb::WriteBatch::default();
        batch.put_cf(self.family(META)?, FORMAT_KEY, format_value());
        self.write_with(batch, true)?;
        tracing::info!(%directory, format = FORMAT, "the data directory has the new format; earlier versions of backlinkd cannot read it now");
        Ok(())
    }

    /// Refuses a database of a format that cannot be read, and one that has none yet.
    pub(super) fn refuse_other_formats(&self) -> Result<(), StoreError> {
        match self.db.get_cf(self.family(META)?, FORMAT_KEY)? {
            Some(value) => expect_format(&self.directory, &value).map(|_| ()),
            None => Err(StoreError::Absent(self.directory.clone())),
        }
    }

    /// A random key made when the database was, for signing tokens.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or the key is damaged.
    pub fn token_key(&self) -> Result<[u8; 32], StoreError> {
        let value = self.db.get_cf(self.family(META)?, TOKEN_KEY)?.unwrap_or_default();
        value.try_into().map_err(|_| StoreError::damaged(META, TOKEN_KEY, "the token key"))
    }

    /// Reads a little of what every answer needs.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or the token key is damaged.
    pub fn check_readable(&self) -> Result<(), StoreError> {
        self.token_key()?;
        let mut cursor = self.db.raw_iterator_cf(self.family(PAGES)?);
        cursor.seek_to_first();
        Ok(cursor.status()?)
    }

    /// Writes what is there already, to know whether anything can be written. Waits for no room that others make.
    ///
    /// # Errors
    /// [`StoreError`] that says why not.
    pub fn check_writable(&self) -> Result<(), StoreError> {
        let mut options = rocksdb::WriteOptions::default();
        options.set_sync(true);
        options.set_no_slowdown(true);
        Ok(self.db.put_cf_opt(self.family(META)?, FORMAT_KEY, format_value(), &options)?)
    }

    /// API users, by name: name and argon2 hash.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or a user is damaged.
    pub fn users(&self) -> Result<Vec<(String, String)>, StoreError> {
        let mut cursor = self.db.raw_iterator_cf_opt(self.family(META)?, bounded(after_prefix(USER_PREFIX)));
        cursor.seek(USER_PREFIX);
        let mut users = Vec::new();
        while let Some((key, value)) = cursor.item() {
            let text = |bytes: &[u8]| {
                String::from_utf8(bytes.to_vec()).map_err(|_| StoreError::damaged(META, key, "a user"))
            };
            users.push((text(&key[USER_PREFIX.len()..])?, text(value)?));
            cursor.next();
        }
        cursor.status()?;
        Ok(users)
    }

    /// Adds a user, or gives a known one a new password hash.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub fn put_user(&self, name: &str, hash: &str) -> Result<(), StoreError> {
        let _changing = self.changing_users.lock().unwrap_or_else(PoisonError::into_inner);
        self.db.put_cf(self.family(META)?, user_key(name), hash)?;
        self.has_users.store(true, Ordering::Release);
        self.users_number.fetch_add(1, Ordering::Release);
        Ok(())
    }

    /// Removes a user; tells whether there was one.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub fn remove_user(&self, name: &str) -> Result<bool, StoreError> {
        let _changing = self.changing_users.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.db.get_cf(self.family(META)?, user_key(name))?.is_some();
        self.db.delete_cf(self.family(META)?, user_key(name))?;
        // Nobody is remembered any more, whatever comes of the counting.
        self.users_number.fetch_add(1, Ordering::Release);
        self.look_for_users()?;
        Ok(known)
    }

    /// Whether there is a user. Does not touch the disk, so that every request may ask.
    pub fn has_users(&self) -> bool {
        self.has_users.load(Ordering::Acquire)
    }

    /// Looks whether there are users. One whose record is damaged is one: the API is not to be opened by damage.
    pub(super) fn look_for_users(&self) -> Result<(), StoreError> {
        let mut cursor = self.db.raw_iterator_cf_opt(self.family(META)?, bounded(after_prefix(USER_PREFIX)));
        cursor.seek(USER_PREFIX);
        self.has_users.store(cursor.valid(), Ordering::Release);
        Ok(cursor.status()?)
    }

    /// A number that is raised once a user has been added, changed or removed. While it stays the same, so do the
    /// users. Does not touch the disk.
    pub fn users_number(&self) -> u64 {
        self.users_number.load(Ordering::Acquire)
    }

    /// The size of the index. Hosts, domains and the queue are counted by walking their keys; the rest is kept.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or a record is damaged.
    pub fn stats(&self) -> Result<Stats, StoreError> {
        let value = self.db.get_cf(self.family(META)?, COUNTERS)?.unwrap_or_default();
        let sums = decode_sums(META, COUNTERS, &value)?;
        let count = |at: usize| sums.get(at).map_or(0, |&sum| u64::try_from(sum).unwrap_or(0));
        let hosts = self.visited_hosts()?;
        Ok(Stats {
            visited: count(0),
            html_pages: count(1),
            links: count(2),
            backlinks: count(3),
            inactive_links: count(4),
            hosts: hosts.len() as u64,
            domains: self.domains_of(&hosts).len() as u64,
            queued: self.queue_length()?,
            disk_bytes: self.disk_bytes()?,
        })
    }

    fn disk_bytes(&self) -> Result<u64, StoreError> {
        let unreadable = |error: std::io::Error| StoreError::Directory {
            directory: self.directory.clone(),
            reason: error.to_string(),
        };
        let mut bytes = 0;
        for entry in std::fs::read_dir(&self.directory).map_err(unreadable)? {
            // A file that a compaction deletes meanwhile takes no room any more.
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
        let mut cursor = self.db.raw_iterator_cf(self.family(PAGES)?);
        cursor.seek_to_first();
        let mut hosts = HashSet::new();
        while let Some(key) = cursor.key() {
            hosts.insert(Surt::host_of(key).map_err(|_| StoreError::damaged(PAGES, key, "the host"))?);
            // On to the next host and port: everything of this one shares the text up to the parenthesis.
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
        let mut cursor = self.db.raw_iterator_cf(self.family(PAGES)?);
        cursor.seek_to_first();
        let empty = !cursor.valid();
        cursor.status()?;
        Ok(empty)
    }
}

/// Refuses a database that lacks column families because it has an earlier format, before it is opened and the
/// column families are made. One whose first opening was cut short lacks them too, but has no format yet.
pub(super) fn refuse_earlier(directory: &Path) -> Result<(), StoreError> {
    let Some(db) = schema::incomplete(directory)? else { return Ok(()) };
    let Some(meta) = db.cf_handle(META) else { return Ok(()) };
    db.get_cf(meta, FORMAT_KEY)?.map_or(Ok(()), |value| expect_format(directory, &value).map(|_| ()))
}

fn format_value() -> Vec<u8> {
    let mut value = Vec::new();
    put_varint(&mut value, u64::from(FORMAT));
    value
}

/// The format of a database, if it can be read.
fn expect_format(directory: &Path, value: &[u8]) -> Result<u32, StoreError> {
    let found = Reader(value).u32("the format");
    match found.map_err(|damage| StoreError::damaged(META, FORMAT_KEY, damage.0))? {
        found @ OLDEST_FORMAT..=FORMAT => Ok(found),
        found => Err(StoreError::Format { directory: directory.to_owned(), found, expected: FORMAT }),
    }
}

fn user_key(name: &str) -> Vec<u8> {
    [USER_PREFIX, name.as_bytes()].concat()
}
