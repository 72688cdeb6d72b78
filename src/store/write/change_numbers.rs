//! Change numbers: which commit last changed what. A cached answer is current while its number is.
//!
//! Commits that change anything visible to queries are numbered from 1, across restarts. The store keeps two numbers
//! for each registrable domain: that of the last commit that changed links *into* it, and that of the last commit that
//! changed its own pages or the links on them. It also keeps the number of the last commit of all. The batch that
//! changes the rows writes the numbers too, so a snapshot shows both or neither.
//!
//! Invisible changes of a visit do not count: the time of the visit, the number of consecutive failures and their
//! cause, the depth, the next visit and the interval. All other changes do, including the day of the last conclusive
//! response. A page that is fetched again on a later day changes its own domain. It also changes the domains that
//! it links to, because backlinks show that day.
//!
//! New ranks change no domain, but the last number of all. [`crate::store::Snapshot::rank_generation`] identifies them.

use hashbrown::HashSet;

use crate::model::{StoredPage, stored_code};
use crate::store::codec::varint::{Reader, put_varint};
use crate::store::db::rows::RowBatch;
use crate::store::db::schema::CHANGES;
use crate::store::{Store, StoreError};
use crate::urls::{Surt, host_prefix};

/// The numbers of the last commits that changed a registrable domain; 0 if there was none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ChangeNumbers {
    /// Links from other hosts into the domain, including lost ones, and host pairs.
    pub incoming: u64,
    /// The pages of the domain, or the links on them.
    pub outgoing: u64,
}

/// The key of the number of the last commit of all.
pub(in crate::store) const LAST_CHANGE_KEY: &[u8] = &[0];

/// The greatest valid number: a thousand commits per second take thousands of years to reach it. Greater numbers are
/// damage.
const MAX_NUMBER: u64 = 1 << 48;

/// The subject of a domain's number: the first byte of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(in crate::store) enum Direction {
    Incoming = 1,
    Outgoing = 2,
}

impl Direction {
    const ALL: [Self; 2] = [Self::Incoming, Self::Outgoing];
}

stored_code!(pub(crate) Direction);

/// The registrable domains that a batch changes.
#[derive(Debug, Default)]
pub(in crate::store) struct ChangedDomains {
    incoming: HashSet<String>,
    outgoing: HashSet<String>,
}

impl ChangedDomains {
    pub(crate) fn add_incoming(&mut self, domain: &str) {
        insert_new(&mut self.incoming, domain);
    }

    pub(crate) fn add_outgoing(&mut self, domain: &str) {
        insert_new(&mut self.outgoing, domain);
    }

    pub(crate) fn len(&self) -> usize {
        self.incoming.len() + self.outgoing.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.incoming.is_empty() && self.outgoing.is_empty()
    }

    /// Adds the number of the batch to all changed domains.
    pub(crate) fn stage(&self, batch: &mut RowBatch<'_>, number: u64) -> Result<(), StoreError> {
        let mut value = Vec::with_capacity(8);
        put_varint(&mut value, number);
        batch.put(CHANGES, LAST_CHANGE_KEY, &value)?;
        for (direction, domains) in
            [(Direction::Incoming, &self.incoming), (Direction::Outgoing, &self.outgoing)]
        {
            for domain in domains {
                batch.put(CHANGES, domain_key(direction, domain), &value)?;
            }
        }
        Ok(())
    }
}

fn insert_new(domains: &mut HashSet<String>, domain: &str) {
    // Most links of a batch lead to few domains: the lookup saves the copy.
    if !domains.contains(domain) {
        domains.insert(domain.to_owned());
    }
}

/// `direction · domain as in a SURT`.
pub(in crate::store) fn domain_key(direction: Direction, domain: &str) -> Vec<u8> {
    let mut key = vec![direction.code()];
    key.extend_from_slice(&host_prefix(domain));
    key
}

/// Splits the key of a domain's number. `None` if it is another key.
pub(in crate::store) fn split_domain_key(key: &[u8]) -> Option<(Direction, String)> {
    let (first, part) = key.split_first()?;
    let direction = Direction::from_code(*first)?;
    let domain = Surt::decode_host(part).ok()?;
    (part.len() > 1 && host_prefix(&domain) == part).then_some((direction, domain))
}

pub(in crate::store) fn decode_number(key: &[u8], value: Option<&[u8]>) -> Result<u64, StoreError> {
    let Some(value) = value else { return Ok(0) };
    let mut reader = Reader(value);
    let number = reader.varint("the number of a commit").and_then(|number| reader.end().map(|()| number));
    let number = number.map_err(|damage| StoreError::damaged(CHANGES, key, damage.0))?;
    if number <= MAX_NUMBER {
        Ok(number)
    } else {
        Err(StoreError::damaged(CHANGES, key, "the number of a commit"))
    }
}

/// Whether a visit changed anything visible of a page.
pub(in crate::store) fn page_differs(old: Option<&StoredPage>, new: &StoredPage) -> bool {
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
    /// The number of the last commit that changed anything, as a new snapshot would report it, without disk access. It
    /// is raised after the change is visible. Therefore an answer from a snapshot that was taken after this number was
    /// read is current while the number stays the same.
    pub fn change_number(&self) -> u64 {
        self.change_number.load(std::sync::atomic::Ordering::Acquire)
    }

    /// Writes a batch under the next number. The caller must hold the writer's lock.
    pub(in crate::store) fn write_numbered(
        &self,
        mut batch: RowBatch<'_>,
        changed: &ChangedDomains,
    ) -> Result<(), StoreError> {
        let number = self.change_number() + 1;
        changed.stage(&mut batch, number)?;
        self.write(batch)?;
        self.change_number.store(number, std::sync::atomic::Ordering::Release);
        Ok(())
    }

    /// Loads the last number. If it cannot be read, counting continues after the greatest number of any domain, so
    /// that no number is reused. The index must open even then, because a repair needs that.
    pub(in crate::store) fn load_change_number(&mut self) -> Result<(), StoreError> {
        let stored = decode_number(LAST_CHANGE_KEY, self.get(CHANGES, LAST_CHANGE_KEY)?.as_deref());
        let number = match stored {
            Ok(number) if number > 0 => number,
            read => match self.greatest_domain_number()? {
                // A new index.
                0 if read.is_ok() => 0,
                greatest => {
                    tracing::warn!(
                        number = greatest + 1,
                        "the number of the last commit cannot be read; counting continues after the greatest number of a \
                         domain; `backlinkd verify --repair` repairs it"
                    );
                    greatest + 1
                }
            },
        };
        *self.change_number.get_mut() = number;
        Ok(())
    }

    /// The greatest readable number of any domain.
    fn greatest_domain_number(&self) -> Result<u64, StoreError> {
        let mut greatest = 0;
        let mut cursor = self.cursor(CHANGES)?;
        cursor.seek_to_first();
        while let Some((key, value)) = cursor.item() {
            if split_domain_key(key).is_some() {
                greatest = decode_number(key, Some(value)).map_or(greatest, |number| greatest.max(number));
            }
            cursor.next();
        }
        cursor.status()?;
        Ok(greatest)
    }

    /// Makes all later numbers greater than this one. The caller must hold the writer's lock.
    pub(in crate::store) fn raise_change_number(&self, number: u64) {
        self.change_number.fetch_max(number, std::sync::atomic::Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_keep_their_stored_codes() {
        for (direction, code) in [(Direction::Incoming, 1), (Direction::Outgoing, 2)] {
            assert_eq!((direction.code(), Direction::from_code(code)), (code, Some(direction)));
        }
        assert_eq!((Direction::from_code(0), Direction::from_code(3)), (None, None));
    }
}
