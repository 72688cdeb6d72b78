//! A map of bounded weight that evicts the least recently used entries.
//!
//! The owner defines the weights, for example entries or bytes. An entry heavier than the whole map stays
//! until the next insertion, so that it can be read.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

#[derive(Debug)]
pub struct Lru<K, V> {
    entries: HashMap<K, Entry<V>>,
    /// The keys by the time of their last use.
    order: BTreeMap<u64, K>,
    clock: u64,
    weight: usize,
    capacity: usize,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    weight: usize,
    used: u64,
}

impl<K: Hash + Eq + Clone, V> Lru<K, V> {
    pub fn new(capacity: usize) -> Self {
        Self { entries: HashMap::new(), order: BTreeMap::new(), clock: 0, weight: 0, capacity }
    }

    /// The value of a key, which is marked as used now.
    pub fn get(&mut self, key: &K) -> Option<&mut V> {
        let entry = self.entries.get_mut(key)?;
        self.clock += 1;
        self.order.remove(&entry.used);
        entry.used = self.clock;
        self.order.insert(self.clock, key.clone());
        Some(&mut entry.value)
    }

    /// Inserts or replaces a value, and evicts others until the weight fits. Returns the evicted keys.
    pub fn insert(&mut self, key: K, value: V, weight: usize) -> Vec<K> {
        self.clock += 1;
        if let Some(old) = self.entries.insert(key.clone(), Entry { value, weight, used: self.clock }) {
            self.order.remove(&old.used);
            self.weight -= old.weight;
        }
        self.weight += weight;
        self.order.insert(self.clock, key);
        let mut evicted = Vec::new();
        while self.weight > self.capacity
            && self.entries.len() > 1
            && let Some((_, key)) = self.order.pop_first()
        {
            if let Some(entry) = self.entries.remove(&key) {
                self.weight -= entry.weight;
            }
            evicted.push(key);
        }
        evicted
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The weight of all entries, and their number.
    pub fn size(&self) -> (usize, usize) {
        (self.weight, self.entries.len())
    }

    /// Removes a key.
    pub fn remove(&mut self, key: &K) {
        if let Some(entry) = self.entries.remove(key) {
            self.order.remove(&entry.used);
            self.weight -= entry.weight;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Lru;

    #[test]
    fn least_recently_used_entries_are_evicted_first() {
        let mut lru = Lru::new(10);
        lru.insert("a", 1, 4);
        lru.insert("b", 2, 4);
        assert_eq!(lru.get(&"a"), Some(&mut 1));
        lru.insert("c", 3, 4);
        assert_eq!(lru.get(&"b"), None);
        assert_eq!(lru.get(&"a"), Some(&mut 1));
        lru.insert("a", 5, 1);
        lru.insert("d", 6, 5);
        assert_eq!(lru.get(&"c"), Some(&mut 3));
        assert_eq!((lru.entries.len(), lru.order.len(), lru.weight), (3, 3, 10));
        assert_eq!(lru.insert("huge", 7, 100), ["a", "d", "c"]);
        assert_eq!(lru.get(&"huge"), Some(&mut 7));
        assert_eq!((lru.entries.len(), lru.order.len(), lru.weight), (1, 1, 100));
    }
}
