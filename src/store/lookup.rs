//! Many keys of one column family at once: sorted, and met on one way forward, instead of each being searched from
//! the top of the tree.

use rayon::prelude::*;

use crate::model::SearchRank;
use crate::sorting::sort_by;
use crate::urls::Surt;

use super::codec::Damage;
use super::ranks::{RankKind, decode_rank, key_prefix};
use super::schema::{PAGES, RANKS};
use super::walk::Reading;
use super::{Snapshot, StoreError, values};

/// Keys looked up by one thread in one go. Fewer are not worth a second thread.
const KEYS_A_THREAD: usize = 8_192;
/// Keys looked up before it is asked whether to go on: each may be read off a disk.
const KEYS_A_LOOK: usize = 256;
/// Keys made, or sorted, between two such questions.
const KEYS_A_RUN: usize = 1 << 13;
/// Steps towards a key before it is searched: a search costs about as much.
const STEPS: usize = 12;

/// The status of the last answer, 0 when there never was one, and [`crate::model::FailureKind`] of the last visit as
/// its number, 0 when it was answered.
pub type PageStatus = (u16, u8);

impl Snapshot<'_> {
    /// The ranks of pages, by canonical URL, one for each in the order given; 0 where unknown. `proceed` is asked every
    /// few hundred names; its error ends the look-up.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or a record is damaged, and what `proceed` reports.
    pub fn page_ranks<E: From<StoreError> + Send>(
        &self,
        urls: &[&str],
        proceed: &(impl Fn() -> Result<(), E> + Sync),
    ) -> Result<Vec<SearchRank>, E> {
        let prefix = key_prefix(self.rank_generation()?, RankKind::Page);
        let push = |url: &str, key: &mut Vec<u8>| {
            key.extend_from_slice(&prefix);
            Surt::push_sortable(url, key)
        };
        let keys = Keys::sorted(urls, push, proceed)?;
        self.look_up(RANKS, &keys, decode_rank, proceed)
    }

    /// The ranks of registrable domains, likewise.
    ///
    /// # Errors
    /// As [`Self::page_ranks`].
    pub fn domain_ranks<E: From<StoreError> + Send>(
        &self,
        domains: &[&str],
        proceed: &(impl Fn() -> Result<(), E> + Sync),
    ) -> Result<Vec<SearchRank>, E> {
        let prefix = key_prefix(self.rank_generation()?, RankKind::Domain);
        let push = |domain: &str, key: &mut Vec<u8>| {
            key.extend_from_slice(&prefix);
            key.extend_from_slice(domain.as_bytes());
            true
        };
        let keys = Keys::sorted(domains, push, proceed)?;
        self.look_up(RANKS, &keys, decode_rank, proceed)
    }

    /// What came of the last visits to pages, by canonical URL, one for each in the order given; `None` for pages
    /// that were never visited.
    ///
    /// # Errors
    /// As [`Self::page_ranks`].
    pub fn page_statuses<E: From<StoreError> + Send>(
        &self,
        urls: &[&str],
        proceed: &(impl Fn() -> Result<(), E> + Sync),
    ) -> Result<Vec<Option<PageStatus>>, E> {
        let keys = Keys::sorted(urls, Surt::push_sortable, proceed)?;
        self.look_up(PAGES, &keys, |value| values::decode_page_status(value).map(Some), proceed)
    }

    /// What stands under the keys, in the order in which they were given; the default where nothing does.
    fn look_up<T: Clone + Default + Send, E: From<StoreError> + Send>(
        &self,
        family: &'static str,
        keys: &Keys,
        decode: impl Fn(&[u8]) -> Result<T, Damage> + Sync,
        proceed: &(impl Fn() -> Result<(), E> + Sync),
    ) -> Result<Vec<T>, E> {
        let look_up = |part| self.look_up_part(family, keys, part, &decode, proceed);
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

    fn look_up_part<T: Clone + Default, E: From<StoreError>>(
        &self,
        family: &'static str,
        keys: &Keys,
        part: &[Place],
        decode: impl Fn(&[u8]) -> Result<T, Damage>,
        proceed: &impl Fn() -> Result<(), E>,
    ) -> Result<Vec<T>, E> {
        let handle = self.store.family(family)?;
        let mut cursor = self.state.raw_iterator_cf_opt(handle, Reading::Browse.options(None));
        let mut found = Vec::with_capacity(part.len());
        cursor.seek(part.first().map_or(&[][..], |first| keys.get(first.at)));
        for (number, place) in part.iter().enumerate() {
            if number.is_multiple_of(KEYS_A_LOOK) {
                proceed()?;
            }
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
            cursor.status().map_err(StoreError::from)?;
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
    fn sorted<E: Send>(
        names: &[&str],
        push: impl Fn(&str, &mut Vec<u8>) -> bool,
        proceed: &(impl Fn() -> Result<(), E> + Sync),
    ) -> Result<Self, E> {
        let mut keys = Self { bytes: Vec::new(), ends: Vec::with_capacity(names.len()), order: Vec::new() };
        let mut places = Vec::with_capacity(names.len());
        for (at, name) in names.iter().enumerate() {
            if at.is_multiple_of(KEYS_A_RUN) {
                proceed()?;
            }
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
        let compare =
            |a: &Place, b: &Place| a.start.cmp(&b.start).then_with(|| keys.get(a.at).cmp(keys.get(b.at)));
        sort_by(&mut places, KEYS_A_RUN, &compare, proceed)?;
        Ok(Self { order: places, ..keys })
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
