//! A map of bounded weight that evicts the least recently used entries.
//!
//! The owner defines the weights, for example entries or bytes. An entry heavier than the whole map stays
//! until the next insertion, so that it can be read.

use std::borrow::Borrow;
use std::hash::Hash;

use hashlink::LinkedHashMap;

#[derive(Debug)]
pub struct Lru<K, V> {
    /// Values with their weights. The least recently used entry is at the front.
    entries: LinkedHashMap<K, (V, usize)>,
    weight: usize,
    capacity: usize,
}

impl<K: Hash + Eq, V> Lru<K, V> {
    pub fn new(capacity: usize) -> Self {
        Self { entries: LinkedHashMap::new(), weight: 0, capacity }
    }

    /// The value of a key, which is marked as used now.
    pub fn get<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.entries.to_back(key).map(|(value, _)| value)
    }

    /// The value of a key, which is not marked as used.
    pub fn peek<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.entries.get(key).map(|(value, _)| value)
    }

    /// Inserts or replaces a value, and evicts others until the weight fits. Returns the evicted keys.
    pub fn insert(&mut self, key: K, value: V, weight: usize) -> Vec<K> {
        if let Some((_, old_weight)) = self.entries.insert(key, (value, weight)) {
            self.weight -= old_weight;
        }
        self.weight += weight;
        let mut evicted = Vec::new();
        while self.weight > self.capacity
            && self.entries.len() > 1
            && let Some((key, (_, weight))) = self.entries.pop_front()
        {
            self.weight -= weight;
            evicted.push(key);
        }
        evicted
    }

    /// The weight of all entries, and their number.
    pub fn size(&self) -> (usize, usize) {
        (self.weight, self.entries.len())
    }

    /// Removes a key.
    pub fn remove<Q: Hash + Eq + ?Sized>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
    {
        if let Some((_, weight)) = self.entries.remove(key) {
            self.weight -= weight;
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
        assert_eq!(lru.peek(&"c"), Some(&3));
        assert_eq!(lru.get(&"a"), Some(&mut 1));
        lru.insert("a", 5, 1);
        lru.insert("d", 6, 5);
        assert_eq!(lru.get(&"c"), Some(&mut 3));
        assert_eq!(lru.size(), (10, 3));
        assert_eq!(lru.insert("huge", 7, 100), ["a", "d", "c"]);
        assert_eq!(lru.get(&"huge"), Some(&mut 7));
        assert_eq!(lru.size(), (100, 1));
    }
}
