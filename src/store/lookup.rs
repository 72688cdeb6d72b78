//! Many keys of one column family at once: sorted, and met on one way forward, instead of each being searched from
//! the top of the tree.

use rayon::prelude::*;

use crate::model::SearchRank;
use crate::urls::Surt;

use super::codec::Damage;
use super::ranks::{RankKind, decode_rank, key_prefix};
use super::schema::{PAGES, RANKS};
use super::walk::Reading;
use super::{Snapshot, StoreError, values};

/// Keys looked up by one thread in one go. Fewer are not worth a second thread.
const KEYS_A_THREAD: usize = 8_192;
/// Steps towards a key before it is searched: a search costs about as much.
const STEPS: usize = 12;

/// The status of the last answer, 0 when there never was one, and [`crate::model::FailureKind`] of the last visit as
/// its number, 0 when it was answered.
pub type PageStatus = (u16, u8);

impl Snapshot<'_> {
    /// The ranks of pages, by canonical URL, one for each in the order given; 0 where unknown.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or a record is damaged.
    pub fn page_ranks(&self, urls: &[&str]) -> Result<Vec<SearchRank>, StoreError> {
        let prefix = key_prefix(self.rank_generation()?, RankKind::Page);
        let keys = Keys::sorted(urls, |url, key| {
            key.extend_from_slice(&prefix);
            Surt::push_sortable(url, key)
        });
        self.look_up(RANKS, &keys, decode_rank)
    }

    /// The ranks of registrable domains, likewise.
    ///
    /// # Errors
    /// As [`Self::page_ranks`].
    pub fn domain_ranks(&self, domains: &[&str]) -> Result<Vec<SearchRank>, StoreError> {
        let prefix = key_prefix(self.rank_generation()?, RankKind::Domain);
        let keys = Keys::sorted(domains, |domain, key| {
            key.extend_from_slice(&prefix);
            key.extend_from_slice(domain.as_bytes());
            true
        });
        self.look_up(RANKS, &keys, decode_rank)
    }

    /// What came of the last visits to pages, by canonical URL, one for each in the order given; `None` for pages
    /// that were never visited.
    ///
    /// # Errors
    /// As [`Self::page_ranks`].
    pub fn page_statuses(&self, urls: &[&str]) -> Result<Vec<Option<PageStatus>>, StoreError> {
        let keys = Keys::sorted(urls, Surt::push_sortable);
        self.look_up(PAGES, &keys, |value| values::decode_page_status(value).map(Some))
    }

    /// What stands under the keys, in the order in which they were given; the default where nothing does.
    fn look_up<T: Clone + Default + Send>(
        &self,
        family: &'static str,
        keys: &Keys,
        decode: impl Fn(&[u8]) -> Result<T, Damage> + Sync,
    ) -> Result<Vec<T>, StoreError> {
        let look_up = |part| self.look_up_part(family, keys, part, &decode);
        let parts: Vec<Vec<T>> = if keys.order.len() <= KEYS_A_THREAD {
            vec![look_up(&keys.order)?]
        } else {
            keys.order.par_chunks(KEYS_A_THREAD).map(look_up).collect::<Result<_, _>>()?
        };
        let mut found = vec![T::default(); keys.len()];
        for (place, value) in keys.order.iter().zip(parts.into_iter().flatten()) {
            found[place.at] = value;
        }
        Ok(found)
    }

    fn look_up_part<T: Clone + Default>(
        &self,
        family: &'static str,
        keys: &Keys,
        part: &[Place],
        decode: impl Fn(&[u8]) -> Result<T, Damage>,
    ) -> Result<Vec<T>, StoreError> {
        let handle = self.store.family(family)?;
        let mut cursor = self.state.raw_iterator_cf_opt(handle, Reading::Browse.options(None));
        let mut found = Vec::with_capacity(part.len());
        cursor.seek(part.first().map_or(&[][..], |first| keys.get(first.at)));
        for place in part {
            let key = keys.get(place.at);
            let mut steps = 0;
            while cursor.key().is_some_and(|met| met < key) {
                if steps < STEPS {
                    cursor.next();
                } else {
                    cursor.seek(key);
                }
                steps += 1;
            }
            cursor.status()?;
            let value = match cursor.item() {
                Some((met, value)) if met == key => {
                    decode(value).map_err(|damage| StoreError::damaged(family, key, damage.0))?
                }
                _ => T::default(),
            };
            found.push(value);
        }
        Ok(found)
    }
}

/// Keys in their own order, of which each knows its place in the order given.
struct Keys {
    /// End to end, in the order given.
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// In key order. What has no key is left out.
    order: Vec<Place>,
}

#[derive(Clone, Copy)]
struct Place {
    /// The first bytes in which keys differ, so that most comparisons need not look a key up.
    start: u128,
    /// In the order given.
    at: usize,
}

impl Keys {
    /// `push` appends the key of a name, and tells whether it has one.
    fn sorted(names: &[&str], push: impl Fn(&str, &mut Vec<u8>) -> bool) -> Self {
        let mut keys = Self { bytes: Vec::new(), ends: Vec::with_capacity(names.len()), order: Vec::new() };
        let mut places = Vec::with_capacity(names.len());
        for (at, name) in names.iter().enumerate() {
            let start = keys.bytes.len();
            if push(name, &mut keys.bytes) {
                places.push(Place { start: 0, at });
            } else {
                keys.bytes.truncate(start);
            }
            keys.ends.push(keys.bytes.len());
        }
        let shared = keys.shared_start(&places);
        for place in &mut places {
            place.start = first_bytes(&keys.get(place.at)[shared..]);
        }
        places.par_sort_unstable_by(|a, b| {
            a.start.cmp(&b.start).then_with(|| keys.get(a.at).cmp(keys.get(b.at)))
        });
        Self { order: places, ..keys }
    }

    /// How many bytes all keys begin with.
    fn shared_start(&self, places: &[Place]) -> usize {
        let Some(first) = places.first().map(|place| self.get(place.at)) else { return 0 };
        places.iter().fold(first.len(), |shared, place| {
            first[..shared].iter().zip(self.get(place.at)).take_while(|(a, b)| a == b).count()
        })
    }

    /// How many names there are, with a key or without.
    fn len(&self) -> usize {
        self.ends.len()
    }

    fn get(&self, at: usize) -> &[u8] {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.bytes[start..self.ends[at]]
    }
}

/// The first bytes as a number that sorts as they do; a key that ends before is filled up with the lowest byte.
fn first_bytes(key: &[u8]) -> u128 {
    let mut bytes = [0; 16];
    let length = key.len().min(16);
    bytes[..length].copy_from_slice(&key[..length]);
    u128::from_be_bytes(bytes)
}
