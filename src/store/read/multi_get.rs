//! Lookup of many keys of one column family at once. The keys are sorted and read in one forward pass, instead of a
//! search from the root for each.

use rayon::prelude::*;

use crate::model::{PageOutcome, SearchRank};
use crate::sorting::sort_by;
use crate::store::codec::varint::Damage;
use crate::store::db::rows::ReadPattern;
use crate::store::db::schema::{PAGES, RANKS};
use crate::store::write::ranks::{RankKind, decode_rank, key_prefix};
use crate::store::{Snapshot, StoreError, codec};
use crate::urls::Surt;

/// Keys per thread and task. Fewer do not justify a second thread.
const KEYS_PER_THREAD: usize = 8_192;
/// Keys looked up between two checks for an abort. Each may cost a disk access.
const KEYS_PER_CHECK: usize = 256;
/// Keys built or sorted between two checks for an abort.
const KEYS_PER_RUN: usize = 1 << 13;
/// Steps towards a key before a seek: a seek costs about as much.
const MAX_STEPS: usize = 12;

impl Snapshot<'_> {
    /// The ranks of pages by canonical URL, in the given order; 0 if unknown. Calls `proceed` every few hundred names;
    /// its error aborts the lookup.
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
            Surt::encode_into(url, key)
        };
        let keys = SortedKeys::sorted(urls, push, proceed)?;
        self.multi_get(RANKS, &keys, decode_rank, proceed)
    }

    /// The ranks of registrable domains, in the given order; 0 if unknown.
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
        let keys = SortedKeys::sorted(domains, push, proceed)?;
        self.multi_get(RANKS, &keys, decode_rank, proceed)
    }

    /// The outcomes of the visits to pages by canonical URL, in the given order; the default for pages that were never
    /// visited.
    ///
    /// # Errors
    /// As [`Self::page_ranks`].
    pub fn page_outcomes<E: From<StoreError> + Send>(
        &self,
        urls: &[&str],
        proceed: &(impl Fn() -> Result<(), E> + Sync),
    ) -> Result<Vec<PageOutcome>, E> {
        let keys = SortedKeys::sorted(urls, Surt::encode_into, proceed)?;
        self.multi_get(PAGES, &keys, codec::decode_page_outcome, proceed)
    }

    /// The decoded values of the keys, in the given order; the default for absent keys.
    fn multi_get<T: Clone + Default + Send, E: From<StoreError> + Send>(
        &self,
        family: &'static str,
        keys: &SortedKeys,
        decode: impl Fn(&[u8]) -> Result<T, Damage> + Sync,
        proceed: &(impl Fn() -> Result<(), E> + Sync),
    ) -> Result<Vec<T>, E> {
        let look_up = |part| self.multi_get_part(family, keys, part, &decode, proceed);
        let parts: Vec<Vec<T>> = if keys.order.len() <= KEYS_PER_THREAD {
            vec![look_up(&keys.order)?]
        } else {
            keys.order.par_chunks(KEYS_PER_THREAD).map(look_up).collect::<Result<_, _>>()?
        };
        let mut found = vec![T::default(); keys.len()];
        for (position, value) in keys.order.iter().zip(parts.into_iter().flatten()) {
            found[position.at] = value;
        }
        Ok(found)
    }

    fn multi_get_part<T: Clone + Default, E: From<StoreError>>(
        &self,
        family: &'static str,
        keys: &SortedKeys,
        part: &[KeyPosition],
        decode: impl Fn(&[u8]) -> Result<T, Damage>,
        proceed: &impl Fn() -> Result<(), E>,
    ) -> Result<Vec<T>, E> {
        let mut cursor = self.cursor(family, ReadPattern::Random, None)?;
        let mut found = Vec::with_capacity(part.len());
        cursor.seek(part.first().map_or(&[][..], |first| keys.get(first.at)));
        for (number, position) in part.iter().enumerate() {
            if number.is_multiple_of(KEYS_PER_CHECK) {
                proceed()?;
            }
            let key = keys.get(position.at);
            let mut steps = 0;
            while cursor.key().is_some_and(|at| at < key) {
                if steps < MAX_STEPS {
                    cursor.next();
                } else {
                    cursor.seek(key);
                }
                steps += 1;
            }
            cursor.status().map_err(StoreError::from)?;
            let value = match cursor.item() {
                Some((at, value)) if at == key => {
                    decode(value).map_err(|damage| StoreError::damaged(family, key, damage.0))?
                }
                _ => T::default(),
            };
            found.push(value);
        }
        Ok(found)
    }
}

/// Keys in sorted order, each with its index in the given order.
struct SortedKeys {
    /// All keys concatenated, in the given order.
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// Sorted by key. Names without a key are left out.
    order: Vec<KeyPosition>,
}

#[derive(Clone, Copy)]
struct KeyPosition {
    /// The first bytes in which keys differ. Most comparisons need no look at the whole key.
    start: u128,
    /// The index in the given order.
    at: usize,
}

impl SortedKeys {
    /// Builds and sorts keys. `push` appends the key of a name, and returns whether the name has one.
    fn sorted<E: Send>(
        names: &[&str],
        push: impl Fn(&str, &mut Vec<u8>) -> bool,
        proceed: &(impl Fn() -> Result<(), E> + Sync),
    ) -> Result<Self, E> {
        let mut keys = Self { bytes: Vec::new(), ends: Vec::with_capacity(names.len()), order: Vec::new() };
        let mut positions = Vec::with_capacity(names.len());
        for (at, name) in names.iter().enumerate() {
            if at.is_multiple_of(KEYS_PER_RUN) {
                proceed()?;
            }
            let start = keys.bytes.len();
            if push(name, &mut keys.bytes) {
                positions.push(KeyPosition { start: 0, at });
            } else {
                keys.bytes.truncate(start);
            }
            keys.ends.push(keys.bytes.len());
        }
        let shared = keys.shared_start(&positions);
        for position in &mut positions {
            position.start = first_bytes(&keys.get(position.at)[shared..]);
        }
        let compare = |a: &KeyPosition, b: &KeyPosition| {
            a.start.cmp(&b.start).then_with(|| keys.get(a.at).cmp(keys.get(b.at)))
        };
        sort_by(&mut positions, KEYS_PER_RUN, &compare, proceed)?;
        Ok(Self { order: positions, ..keys })
    }

    /// The length of the common prefix of all keys.
    fn shared_start(&self, positions: &[KeyPosition]) -> usize {
        let Some(first) = positions.first().map(|position| self.get(position.at)) else { return 0 };
        positions.iter().fold(first.len(), |shared, position| {
            first[..shared].iter().zip(self.get(position.at)).take_while(|(a, b)| a == b).count()
        })
    }

    /// The number of names, with a key or without.
    fn len(&self) -> usize {
        self.ends.len()
    }

    fn get(&self, at: usize) -> &[u8] {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.bytes[start..self.ends[at]]
    }
}

/// The first bytes as a number that sorts as they do. Shorter keys are padded with zero bytes.
fn first_bytes(key: &[u8]) -> u128 {
    let mut bytes = [0; 16];
    let length = key.len().min(16);
    bytes[..length].copy_from_slice(&key[..length]);
    u128::from_be_bytes(bytes)
}
