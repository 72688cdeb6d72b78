//! Which commit last changed what: the numbers by which an answer kept elsewhere is known to be still true.
//!
//! Commits that change anything a query can show are numbered, from 1 on, across restarts. Kept are, for each
//! registrable domain, the number of the last that changed links *into* it and of the last that changed its own
//! pages or the links on them; and the number of the last of all. They are written in the batch that changes the
//! rows, so a snapshot shows either both or neither.
//!
//! What a visit changes without anybody seeing it counts as no change: the time of the visit, the number of failures in
//! a row and their cause. Everything else does, the day of the last successful fetch included: a page that is fetched
//! again on a later day changes its own domain and, as backlinks show that day, those that it links to. New ranks
//! change no domain, but the last of all; [`Snapshot::rank_generation`] tells of them.

use rocksdb::{ColumnFamily, WriteBatch};
use rustc_hash::FxHashSet;

use crate::model::StoredPage;
use crate::urls::{Surt, host_prefix};

use super::codec::{Reader, put_varint};
use super::ranks::{GENERATION_KEY, decode_generation};
use super::schema::{CHANGES, META};
use super::{Snapshot, Store, StoreError};

/// The numbers of the last commits that changed what is known of a registrable domain; 0 where there was none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Changes {
    /// Links from other hosts into the domain, lost ones and host pairs included.
    pub incoming: u64,
    /// The domain's own pages, or the links on them.
    pub outgoing: u64,
}

/// The key of the number of the last commit of all.
pub(super) const ANYTHING: &[u8] = &[0];

/// More than any index comes to, a thousand commits a second for thousands of years: what is beyond is damage.
const MOST: u64 = 1 << 48;

/// What of a domain a number is about: the first byte of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Direction {
    Incoming = 1,
    Outgoing = 2,
}

/// The registrable domains that a batch changes something of.
#[derive(Debug, Default)]
pub(super) struct ChangedDomains {
    incoming: FxHashSet<String>,
    outgoing: FxHashSet<String>,
}

impl ChangedDomains {
    pub fn add_incoming(&mut self, domain: &str) {
        add(&mut self.incoming, domain);
    }

    pub fn add_outgoing(&mut self, domain: &str) {
        add(&mut self.outgoing, domain);
    }

    pub fn len(&self) -> usize {
        self.incoming.len() + self.outgoing.len()
    }

    pub fn is_empty(&self) -> bool {
        self.incoming.is_empty() && self.outgoing.is_empty()
    }

    /// Writes the number of the batch wherever it belongs.
    pub fn stage(&self, batch: &mut WriteBatch, family: &ColumnFamily, number: u64) {
        let mut value = Vec::with_capacity(8);
        put_varint(&mut value, number);
        batch.put_cf(family, ANYTHING, &value);
        for (direction, domains) in
            [(Direction::Incoming, &self.incoming), (Direction::Outgoing, &self.outgoing)]
        {
            for domain in domains {
                batch.put_cf(family, key(direction, domain), &value);
            }
        }
    }
}

fn add(domains: &mut FxHashSet<String>, domain: &str) {
    // Most links of a batch lead to few domains: asking first saves the copy.
    if !domains.contains(domain) {
        domains.insert(domain.to_owned());
    }
}

/// `direction · domain in sortable form`.
pub(super) fn key(direction: Direction, domain: &str) -> Vec<u8> {
    let mut key = vec![direction as u8];
    key.extend_from_slice(&host_prefix(domain));
    key
}

/// Direction and domain of a key; `None` when it is none of a domain's.
pub(super) fn split_key(key: &[u8]) -> Option<(Direction, String)> {
    let (first, part) = key.split_first()?;
    let direction =
        [Direction::Incoming, Direction::Outgoing].into_iter().find(|kind| *kind as u8 == *first)?;
    let domain = Surt::host_of(part).ok()?;
    (part.len() > 1 && host_prefix(&domain) == part).then_some((direction, domain))
}

pub(super) fn decode(key: &[u8], value: Option<&[u8]>) -> Result<u64, StoreError> {
    let Some(value) = value else { return Ok(0) };
    let mut reader = Reader(value);
    let number = reader.varint("the number of a commit").and_then(|number| reader.end().map(|()| number));
    let number = number.map_err(|damage| StoreError::damaged(CHANGES, key, damage.0))?;
    if number <= MOST { Ok(number) } else { Err(StoreError::damaged(CHANGES, key, "the number of a commit")) }
}

/// Whether a visit changed anything of a page that can be seen.
pub(super) fn page_differs(old: Option<&StoredPage>, new: &StoredPage) -> bool {
    old.is_none_or(|old| {
        let unseen = StoredPage {
            visited: new.visited,
            failures: new.failures,
            cause: new.cause.clone(),
            depth: new.depth,
            next_visit: new.next_visit,
            interval: new.interval,
            ..old.clone()
        };
        unseen != *new
    })
}

impl Store {
    /// The number of the last commit that changed anything, as a fresh snapshot would tell it, without touching the
    /// disk. It is raised once the change can be seen: an answer computed from a snapshot taken after this number
    /// was read is still true while the number stays the same.
    pub fn change_number(&self) -> u64 {
        self.change_number.load(std::sync::atomic::Ordering::Acquire)
    }

    /// Writes a batch as the next numbered one. Only whoever holds the writer's lock may call this.
    pub(super) fn write_numbered(
        &self,
        mut batch: WriteBatch,
        changed: &ChangedDomains,
    ) -> Result<(), StoreError> {
        let number = self.change_number() + 1;
        changed.stage(&mut batch, self.family(CHANGES)?, number);
        self.write(batch)?;
        self.change_number.store(number, std::sync::atomic::Ordering::Release);
        Ok(())
    }

    /// Goes on counting where the last process stopped. Where that cannot be read, nobody could open the index to
    /// repair it: then beyond all numbers that domains have, so that none is given twice.
    pub(super) fn resume_numbers(&mut self) -> Result<(), StoreError> {
        let value = self.db.get_cf(self.family(CHANGES)?, ANYTHING)?;
        let number = match decode(ANYTHING, value.as_deref()) {
            Ok(number) if number > 0 => number,
            read => match self.greatest_number()? {
                // A new index.
                0 if read.is_ok() => 0,
                greatest => {
                    tracing::warn!(
                        number = greatest + 1,
                        "the number of the last commit cannot be read; counting goes on behind the greatest that a \
                         domain has; `backlinkd verify --repair` mends it"
                    );
                    greatest + 1
                }
            },
        };
        *self.change_number.get_mut() = number;
        Ok(())
    }

    /// The greatest number that a domain has, as far as they can be read.
    fn greatest_number(&self) -> Result<u64, StoreError> {
        let mut greatest = 0;
        let mut cursor = self.db.raw_iterator_cf(self.family(CHANGES)?);
        cursor.seek_to_first();
        while let Some((key, value)) = cursor.item() {
            if split_key(key).is_some() {
                greatest = decode(key, Some(value)).map_or(greatest, |number| greatest.max(number));
            }
            cursor.next();
        }
        cursor.status()?;
        Ok(greatest)
    }

    /// Sees to it that numbers to come are greater than this one. For whoever holds the writer's lock.
    pub(super) fn count_beyond(&self, number: u64) {
        self.change_number.fetch_max(number, std::sync::atomic::Ordering::AcqRel);
    }
}

impl Snapshot<'_> {
    /// When a registrable domain last changed.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or a number is damaged.
    pub fn changes(&self, domain: &str) -> Result<Changes, StoreError> {
        Ok(Changes {
            incoming: self.number(&key(Direction::Incoming, domain))?,
            outgoing: self.number(&key(Direction::Outgoing, domain))?,
        })
    }

    /// The number of the last commit that changed anything at all, ranks included; 0 before the first.
    ///
    /// # Errors
    /// As [`Self::changes`].
    pub fn last_change(&self) -> Result<u64, StoreError> {
        self.number(ANYTHING)
    }

    /// Which ranks are current: another number for each computation that was published, 0 before the first.
    ///
    /// # Errors
    /// As [`Self::changes`].
    pub fn rank_generation(&self) -> Result<u32, StoreError> {
        decode_generation(self.get(META, GENERATION_KEY)?.as_deref())
    }

    fn number(&self, key: &[u8]) -> Result<u64, StoreError> {
        decode(key, self.get(CHANGES, key)?.as_deref())
    }
}
