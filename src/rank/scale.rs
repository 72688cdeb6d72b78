//! The IV Search Rank: PageRank on a scale from 0 to 10 that does not depend on the size of the index.
//!
//! A node without incoming edges has the lowest possible PageRank, `(1 - d + d·D)/N`. The strength of a node
//! is its PageRank as a multiple of that: `x = p·N/(1 - d + d·D)`. Its rank is `log8 x`, at most 10. So a
//! node without links to it has exactly 0, and a rank means the same strength in every crawl: 8 times the
//! strength adds one.

use crate::model::SearchRank;

/// Converts the PageRanks of one graph to search ranks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// The PageRank of a node without incoming edges.
    least: f64,
}

impl Scale {
    /// The scale of a graph with this number of nodes, of whose rank dangling nodes have the part `dangling`.
    pub fn new(nodes: u32, damping: f64, dangling: f64) -> Self {
        Self { least: (1.0 - damping + damping * dangling) / f64::from(nodes) }
    }

    /// The search rank of a PageRank, rounded to the nearest hundredth.
    pub fn search_rank(self, pagerank: f64) -> SearchRank {
        let hundredths = ((pagerank / self.least).log2() / SearchRank::BASE.log2() * 100.0).round();
        // The conversion from float saturates: negative values and NaN become 0.
        SearchRank((hundredths as u16).min(SearchRank::MAX.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_times_the_strength_adds_one() {
        // A quarter of the rank is dangling: the lowest rank is (0.15 + 0.85 / 4) / 1000.
        let scale = Scale::new(1_000, 0.85, 0.25);
        let least = 0.3625 / 1_000.0;
        for (times, hundredths) in
            [(1.0, 0), (0.999_999, 0), (2.0, 33), (4.0, 67), (8.0, 100), (64.0, 200), (3.8e8, 950)]
        {
            assert_eq!(scale.search_rank(least * times), SearchRank(hundredths), "{times} times");
        }
    }

    #[test]
    fn no_rank_leaves_the_scale() {
        let scale = Scale::new(u32::MAX, 0.85, 0.0);
        assert_eq!(scale.search_rank(1.0), SearchRank(1_000));
        assert_eq!(scale.search_rank(0.0), SearchRank(0));
        assert_eq!(Scale::new(0, 0.85, 0.0).search_rank(0.0), SearchRank(0));
    }
}
