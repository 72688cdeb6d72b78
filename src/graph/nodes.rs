//! The names of a graph's nodes: sorted, distinct byte strings in one arena.
//!
//! The index of a name in the order is the id of its node. Names are not allocated one by one: all are in one
//! arena, each delimited by the offset of its end.

use rayon::slice::ParallelSliceMut;

use super::GraphError;

/// The minimum number of names before the first sort.
const FIRST_BATCH: usize = 1 << 20;

/// Concatenated byte strings.
#[derive(Clone, Debug, Default)]
struct Arena {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Arena {
    fn len(&self) -> usize {
        self.ends.len()
    }

    fn get(&self, index: usize) -> &[u8] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.bytes[start..self.ends[index]]
    }

    fn push(&mut self, name: &[u8]) {
        self.bytes.extend_from_slice(name);
        self.ends.push(self.bytes.len());
    }

    /// The distinct strings in order.
    fn sorted(&self) -> Self {
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.par_sort_unstable_by(|&a, &b| self.get(a).cmp(self.get(b)));
        order.dedup_by(|a, b| self.get(*a) == self.get(*b));
        let size = order.iter().map(|&index| self.get(index).len()).sum();
        let mut sorted = Self { bytes: Vec::with_capacity(size), ends: Vec::with_capacity(order.len()) };
        for index in order {
            sorted.push(self.get(index));
        }
        sorted
    }
}

/// The names of all nodes of a graph in byte order. The id of a node is the index of its name.
///
/// Memory: the bytes of the names + 8 bytes per node.
#[derive(Clone, Debug, Default)]
pub struct NodeNames {
    arena: Arena,
    count: u32,
}

impl NodeNames {
    /// The number of nodes.
    pub fn len(&self) -> u32 {
        self.count
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The name of a node; `None` for an id outside of the graph.
    pub fn get(&self, node: u32) -> Option<&[u8]> {
        (node < self.count).then(|| self.arena.get(node as usize))
    }

    /// The node with this name.
    pub fn find(&self, name: &[u8]) -> Option<u32> {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.arena.get(middle as usize).cmp(name) {
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// All names, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.arena.len()).map(|index| self.arena.get(index))
    }
}

/// Collects names in any order and any number of times.
///
/// Memory: duplicates are removed whenever the names added since the last sort outnumber those before. So the
/// builder holds at most about twice the distinct names, and four times during a sort.
#[derive(Debug, Default)]
pub struct NodeNamesBuilder {
    arena: Arena,
    /// The number of sorted and distinct names at the start of the arena.
    sorted: usize,
}

impl NodeNamesBuilder {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a name. A repeated name changes nothing.
    pub fn insert(&mut self, name: &[u8]) {
        self.arena.push(name);
        if self.arena.len() - self.sorted > self.sorted.max(FIRST_BATCH) {
            self.sort();
        }
    }

    fn sort(&mut self) {
        self.arena = self.arena.sorted();
        self.sorted = self.arena.len();
    }

    /// The distinct names in order.
    ///
    /// # Errors
    /// [`GraphError::TooManyNodes`] when there are more names than node ids.
    pub fn finish(mut self) -> Result<NodeNames, GraphError> {
        self.sort();
        let count =
            u32::try_from(self.arena.len()).map_err(|_| GraphError::TooManyNodes(self.arena.len()))?;
        Ok(NodeNames { arena: self.arena, count })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_follow_the_order_of_the_names_and_repeats_count_once() {
        let mut builder = NodeNamesBuilder::new();
        for name in ["b", "", "ba", "a", "b", "\u{ff}", "a"] {
            builder.insert(name.as_bytes());
        }
        let names = builder.finish().unwrap();
        let all: Vec<&[u8]> = names.iter().collect();
        assert_eq!(all, ["", "a", "b", "ba", "\u{ff}"].map(str::as_bytes));
        for (id, name) in (0..).zip(all) {
            assert_eq!(names.find(name), Some(id));
            assert_eq!(names.get(id), Some(name));
        }
        assert_eq!(names.find(b"bb"), None);
        assert_eq!(names.get(5), None);
    }

    #[test]
    fn sorting_on_the_way_loses_nothing() {
        let mut builder = NodeNamesBuilder::new();
        let mut expected = BTreeSet::new();
        for number in 0..(FIRST_BATCH as u64 * 2 + 5) {
            let name = (number.wrapping_mul(0x9E37_79B9_7F4A_7C15) % 70_001).to_string();
            builder.insert(name.as_bytes());
            expected.insert(name.into_bytes());
        }
        assert!(builder.sorted > 0, "the builder never sorted before the end");
        let names = builder.finish().unwrap();
        assert!(names.iter().eq(expected.iter().map(Vec::as_slice)));
    }

    #[test]
    fn no_names_make_an_empty_set() {
        let names = NodeNamesBuilder::new().finish().unwrap();
        assert!(names.is_empty());
        assert_eq!(names.find(b""), None);
    }
}
